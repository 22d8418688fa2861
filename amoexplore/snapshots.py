"""A catalogue at a moment, as Parquet: written once, whole or not at all, never overwritten."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

import fsspec
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from amoexplore.columns import SETTINGS, WIDGETS
from amoexplore.errors import SnapshotExists
from amoexplore.load import load_catalog
from amoexplore.reports import Catalog, Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from fsspec import AbstractFileSystem

    from amoexplore.account import Account

#: Goes up with every change of what stands in a snapshot.
SCHEMA = 1
#: What makes a snapshot whole: it is written last.
MANIFEST = "manifest.json"
#: How a folder says when a snapshot was taken: no character that a file system forbids, and in the order of time.
TAKEN = "%Y-%m-%dT%H-%M-%S.%fZ"

#: What of a report is a frame, and the field that it is made from.
FRAMES: Final = {"unreadable": "listed", "repeated": "again"}

#: Each table, its columns, and by which of them a row is known.
TABLES = {"widgets": (WIDGETS, ["code"]), "settings": (SETTINGS, ["code", "position"])}


class File(msgspec.Struct, frozen=True):
    """What a manifest says of a file: how many rows and bytes it has, and their SHA-256."""

    rows: int
    size: int
    sha256: str

    def is_of(self, content: bytes) -> bool:
        """Tell whether these bytes are the file's."""
        return hashlib.sha256(content).hexdigest() == self.sha256


class Manifest(msgspec.Struct, frozen=True):
    """What a snapshot is: its schema, when and of which account it was taken, its files, what the load did."""

    schema: int
    taken: Annotated[datetime, msgspec.Meta(tz=True)]
    account: str
    written_by: str
    files: dict[str, File]
    report: dict[str, Any]

    @property
    def folder(self) -> str:
        """Where the snapshot stands in the folder of all."""
        return f"taken={self.taken.astimezone(UTC):{TAKEN}}/account={quote(self.account, safe='')}"


def snapshot(
    account: Account | Catalog,
    where: str | os.PathLike[str],
    *,
    taken: datetime | None = None,
    progress: bool | None = None,
) -> str:
    """Load the catalogue and write it as Parquet, beside the snapshots that are there; returns the new one's address.

    Each is a folder ``taken=2026-11-22T20-57-29.123456Z/account=example.amocrm.ru/`` with ``widgets.parquet``,
    ``settings.parquet`` and ``manifest.json``. No token and no value of a setting stands in it.

    Parameters
    ----------
    account : Account or Catalog
        An account, or what was loaded of one.
    where : str or path
        A folder, or any address of fsspec such as ``s3://bucket/snapshots`` (``pip install 'amoexplore[s3]'``), whose
        keys fsspec finds where that service's own tools do. On this machine a snapshot is written under a temporary
        name and renamed last; elsewhere its manifest is written last, and without one it is none.
    taken : datetime, optional
        When the catalogue was like this, with its time zone; by default now, after the load.
    progress : bool, optional
        As for ``load_catalog``.

    Raises
    ------
    SnapshotExists
        If there is a snapshot of this account and moment: nothing is overwritten.
    AmoError
        If the catalogue can't be loaded; nothing is written then.
    """
    if taken is not None and getattr(taken, "tzinfo", None) is None:  # as of a text, a date, NaT
        raise ValueError(
            f"taken is a moment with its time zone, and {taken!r} is none: to a datetime add tzinfo=datetime.UTC."
        )
    system, root = address(where)
    catalog = account if isinstance(account, Catalog) else load_catalog(account, progress=progress)
    written = {f"{table}.parquet": _parquet(catalog, table) for table in TABLES}
    manifest = Manifest(
        schema=SCHEMA,
        taken=datetime.now(UTC) if taken is None else _in_utc(taken),
        account=catalog.report.account,
        written_by=f"amoexplore {version('amoexplore')}",
        files={name: _file(content) for name, content in written.items()},
        report=_stored(catalog.report),
    )
    written[MANIFEST] = msgspec.json.format(msgspec.json.encode(manifest))
    put = _put_on_this_machine if isinstance(system, LocalFileSystem) else _put_elsewhere
    try:
        put(system, root, manifest.folder, written)
    except FileExistsError:
        raise SnapshotExists(
            f"There is a snapshot of {manifest.account} at {manifest.taken.isoformat()} already, and it stays as it "
            "is. Give another time, or none for now."
        ) from None
    return shown(system, f"{root}/{manifest.folder}")


def address(where: str | os.PathLike[str]) -> tuple[AbstractFileSystem, str]:
    """Return the file system of an address, and the folder in it.

    Raises
    ------
    ValueError
        If fsspec knows no such address.
    ImportError
        If it needs another package for them.
    """
    try:
        system, root = fsspec.core.url_to_fs(os.fspath(where))
    except ValueError as error:
        raise ValueError(f"{error}. Give a folder, or an address of fsspec such as s3://bucket/snapshots.") from None
    except ImportError as error:
        extra = " For s3:// it is: pip install 'amoexplore[s3]'" if str(os.fspath(where)).startswith("s3") else ""
        raise ImportError(f"fsspec needs another package for this kind of address: {error}.{extra}") from None
    return system, root.rstrip("/")


def shown(system: AbstractFileSystem, path: str) -> str:
    """Return an address as it may be shown: without what a user and a password of it were."""
    return path if isinstance(system, LocalFileSystem) else system.unstrip_protocol(path)


def _in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC as datetime has it, also one of pandas, whose nanoseconds go."""
    return datetime.fromisoformat(moment.astimezone(UTC).isoformat())


def _parquet(catalog: Catalog, table: str) -> bytes:
    """Return a table as Parquet, which gives the very same dtypes back."""
    dtypes, known_by = TABLES[table]
    frame: pd.DataFrame = getattr(catalog, table)
    if missing := dtypes.keys() - {*frame.columns}:
        raise ValueError(f"This is no whole catalogue: its {table} have no {', '.join(sorted(missing))}. Load it anew.")
    if frame.duplicated(known_by).any():
        raise ValueError(f"This is no catalogue: its {table} have the same {' and '.join(known_by)} more than once.")
    file = BytesIO()
    rows = pa.Table.from_pandas(frame[[*dtypes]].astype(dtypes), preserve_index=False)
    pq.write_table(rows, file, compression="zstd")
    return file.getvalue()


def _file(content: bytes) -> File:
    rows = pq.read_metadata(BytesIO(content)).num_rows
    return File(rows=rows, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def _stored(report: Report) -> dict[str, Any]:
    """Return what the load did as JSON has it; frames as their columns and rows."""
    values = {each.name: getattr(report, each.name) for each in fields(Report) if each.name not in FRAMES.values()}
    for name in FRAMES:
        rows = getattr(report, name).astype("object")
        values[name] = rows.where(rows.notna(), None).to_dict("split", index=False)
    return values


def _put_on_this_machine(_: AbstractFileSystem, root: str, folder: str, written: Mapping[str, bytes]) -> None:
    place = Path(root) / folder
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=f".{place.parent.name}-") as beside:
        unfinished = Path(beside) / place.name
        unfinished.mkdir()
        for name, content in written.items():
            (unfinished / name).write_bytes(content)
        if place.exists():
            raise FileExistsError(place)
        try:
            unfinished.rename(place)
        except OSError:
            if place.exists():  # another process was faster
                raise FileExistsError(place) from None
            raise


def _put_elsewhere(system: AbstractFileSystem, root: str, folder: str, written: Mapping[str, bytes]) -> None:
    """Write file by file, each only if there is none: the first takes the place, the last makes the snapshot whole."""
    for name, content in written.items():
        system.pipe_file(f"{root}/{folder}/{name}", content, mode="create")
