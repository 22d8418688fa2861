"""A catalogue at a moment, as Parquet: written once, whole or not at all, never overwritten."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from amoexplore.columns import SETTINGS, WIDGETS
from amoexplore.load import load_catalog
from amoexplore.places import place
from amoexplore.reports import Catalog, Report

if TYPE_CHECKING:
    import os

    import pandas as pd

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
    PlaceFailed
        If nothing can be written there. What can be found out before the catalogue is loaded is told before.
    AmoError
        If the catalogue can't be loaded; nothing is written then.
    """
    if taken is not None and not _has_zone(taken):
        raise ValueError(
            f"taken is a moment with its time zone, and {taken!r} is none: to a datetime add tzinfo=datetime.UTC."
        )
    there = place(where)
    if isinstance(account, Catalog):
        catalog = account
    else:
        there.check()
        catalog = load_catalog(account, progress=progress)
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
    there.put(manifest.folder, written)
    return there.shown(f"{there.root}/{manifest.folder}")


def _has_zone(moment: object) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None  # that of NaT is None


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
