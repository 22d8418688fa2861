"""The snapshots of a folder: which of them are whole, and their files, each checked before it is read."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from fsspec.implementations.local import LocalFileSystem

from amoexplore.errors import DamagedSnapshotWarning
from amoexplore.snapshots import MANIFEST, SCHEMA, TABLES, Manifest, address, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

#: How many files a thread reads at once, and how many threads there are.
_BATCH, _READERS = 32, 2
_UNFINISHED = "it is unfinished: its writing was cut off, or goes on"


class Snapshot(NamedTuple):
    """A whole snapshot: where it is, and what its manifest says."""

    path: str
    manifest: Manifest


class _Damaged(ValueError):
    """Why a snapshot is left out."""


class _Versioned(msgspec.Struct):
    schema: int


class Shelf:
    """The snapshots of a folder.

    Parameters
    ----------
    where : str or path
        As for ``amo.snapshot``.

    Attributes
    ----------
    snapshots : list of Snapshot
        The whole ones, an account after the other, each in the order of time.
    damaged : dict
        Why each of the others is left out, by its address.
    """

    def __init__(self, where: str | os.PathLike[str]) -> None:
        self._system, self._root = address(where)
        self._is_here = isinstance(self._system, LocalFileSystem)
        self._checked: dict[str, Path] = {}
        self._fetched: Path | None = None
        self.snapshots: list[Snapshot] = []
        self.damaged: dict[str, str] = {}

    @property
    def address(self) -> str:
        """Where the snapshots are, as it may be shown."""
        return shown(self._system, self._root)

    def look(self) -> None:
        """Read every manifest, and hold the sizes of the files against it."""
        self._system.invalidate_cache()
        sizes = self._sizes()
        said = dict(self._read([f"{self._root}/{at}/{MANIFEST}" for at, files in sizes.items() if MANIFEST in files]))
        found = []
        for folder, files in sizes.items():
            path = f"{self._root}/{folder}"
            try:
                found.append(Snapshot(path, _manifest(folder, files, said.get(f"{path}/{MANIFEST}"))))
            except _Damaged as why:
                self.damaged[shown(self._system, path)] = str(why)
        self.snapshots = sorted(found, key=lambda each: (each.manifest.account, each.manifest.taken))
        self._warn(self.damaged)

    def files(self, table: str, snapshots: Iterable[Snapshot]) -> dict[str, Path]:
        """Return where this table of each snapshot stands on this machine, by the snapshot's path.

        What is read for the first time is held against the manifest, and fetched if it is elsewhere; a file that is not
        what was written is not among them, and its snapshot no longer among the whole ones.
        """
        asked = {f"{each.path}/{table}.parquet": each for each in snapshots}
        fresh = [file for file in asked if file not in self._checked]
        batches = [{file: asked[file] for file in fresh[at : at + _BATCH]} for at in range(0, len(fresh), _BATCH)]
        with ThreadPoolExecutor(_READERS) as pool:
            failed = dict(chain.from_iterable(pool.map(self._check_all, batches)))
        if failed:
            self._leave_out(failed)
        return {each.path: self._checked[file] for file, each in asked.items() if file in self._checked}

    def _read(self, paths: Collection[str]) -> Iterator[tuple[str, bytes | Exception]]:
        """Yield what files hold; at once, where the file system can, and by names in which no letter means others."""
        if self._is_here:
            return ((path, _read_here(path)) for path in paths)
        return zip(paths, self._system.cat_ranges([*paths], None, None, on_error="return"), strict=True)

    def _check_all(self, batch: Mapping[str, Snapshot]) -> list[tuple[str, str]]:
        """Read these files; returns the paths of the snapshots that are damaged, and why."""
        said = [(batch[file].path, self._check(batch[file], file, content)) for file, content in self._read(batch)]
        return [(path, why) for path, why in said if why]

    def _check(self, snapshot: Snapshot, path: str, content: bytes | Exception) -> str:
        """Keep where a checked file is on this machine; returns what is wrong with it."""
        name = path.rpartition("/")[2]
        if isinstance(content, Exception):
            return f"{name} can't be read: {type(content).__name__}"
        if not snapshot.manifest.files[name].is_of(content):
            return f"{name} is not what was written: its SHA-256 is another"
        self._checked[path] = Path(path) if self._is_here else self._keep(path, content)
        return ""

    def _keep(self, path: str, content: bytes) -> Path:
        kept = self._folder() / path.removeprefix(f"{self._root}/")
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(content)
        return kept

    def _folder(self) -> Path:
        """Return where what was fetched is kept, as long as this lives."""
        if self._fetched is None:
            self._fetched = Path(tempfile.mkdtemp(prefix="amoexplore-"))
            weakref.finalize(self, shutil.rmtree, self._fetched, ignore_errors=True)
        return self._fetched

    def _leave_out(self, failed: Mapping[str, str]) -> None:
        named = {shown(self._system, path): why for path, why in failed.items()}
        self.snapshots = [each for each in self.snapshots if each.path not in failed]
        self.damaged |= named
        self._warn(named)

    def _warn(self, damaged: Mapping[str, str]) -> None:
        if damaged:
            path, why = next(iter(damaged.items()))
            more = f", and {len(damaged) - 1} more" if len(damaged) > 1 else ""
            warnings.warn(
                f"Left out: {path} ({why}){more}. history.damaged lists them all.",
                DamagedSnapshotWarning,
                stacklevel=2,
            )

    def _sizes(self) -> dict[str, dict[str, int]]:
        """Return the sizes of the files of each snapshot, whole or not, by its folder and their names."""
        found: dict[str, dict[str, int]] = {}
        for folder, name, size in self._listed():
            found.setdefault(folder, {})[name] = size
        return found

    def _listed(self) -> Iterator[tuple[str, str, int]]:
        for path, size in sorted(_listed_here(self._root)) if self._is_here else self._listed_elsewhere():
            folder, _, name = path.removeprefix(f"{self._root}/").rpartition("/")
            # With the dot: its name as long as it is written.
            if folder.removeprefix(".").startswith("taken=") and "/" in folder:
                yield folder, name, size

    def _listed_elsewhere(self) -> Iterator[tuple[str, int]]:
        for path, facts in self._system.find(self._root, detail=True).items():
            yield path, facts["size"]


def _listed_here(root: str) -> Iterator[tuple[str, int]]:
    """Yield the path and the size of each file below a folder; fsspec's own way takes three times as long."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = f"{folder}/{name}"
            with suppress(OSError):  # what is being written is renamed when it is done
                yield path.replace(os.sep, "/"), os.stat(path).st_size  # noqa: PTH116  a Path takes twice as long


def _read_here(path: str) -> bytes | Exception:
    """Return what a file holds; fsspec's own way takes twice as long."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        return error


def _manifest(folder: str, sizes: Mapping[str, int], said: bytes | Exception | None) -> Manifest:
    """Return what the manifest says, if the files are as large as it says."""
    if said is None or folder.startswith("."):
        raise _Damaged(_UNFINISHED)
    if isinstance(said, Exception):
        raise _Damaged(f"its manifest can't be read: {type(said).__name__}")
    manifest = _decoded(said)
    if manifest.folder != folder:
        raise _Damaged(f"its manifest is that of {manifest.folder}")
    for name in (f"{table}.parquet" for table in TABLES):
        if name not in manifest.files:
            raise _Damaged(f"its manifest names no {name}")
        if (size := sizes.get(name)) != manifest.files[name].size:
            has = "is missing" if size is None else f"has {size} bytes, and {manifest.files[name].size} were written"
            raise _Damaged(f"{name} {has}")
    return manifest


def _decoded(said: bytes) -> Manifest:
    try:
        if (schema := msgspec.json.decode(said, type=_Versioned).schema) > SCHEMA:
            raise _Damaged(f"its schema is {schema}, and this amoexplore reads up to {SCHEMA}: install a newer one")
        return msgspec.json.decode(said, type=Manifest)
    except msgspec.MsgspecError as error:
        raise _Damaged(f"its manifest can't be read: {error}") from None
