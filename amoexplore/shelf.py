"""The snapshots of a folder: which of them are whole, and their files, each checked before it is read."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from amoexplore.errors import DamagedSnapshotWarning
from amoexplore.places import is_of_snapshots, place
from amoexplore.snapshots import MANIFEST, SCHEMA, TABLES, Manifest

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: How many files a thread reads at once, and how many threads there are.
_BATCH, _READERS = 32, 2
#: So many damaged snapshots are named in a warning.
_TOLD = 5
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
        self._place = place(where)
        self._checked: dict[str, Path] = {}
        self._checking = threading.Lock()
        self.snapshots: list[Snapshot] = []
        self.damaged: dict[str, str] = {}

    @property
    def address(self) -> str:
        """Where the snapshots are, as it may be shown."""
        return self._place.shown(self._place.root)

    def look(self) -> None:
        """Read every manifest, and hold the sizes of the files against it."""
        root = self._place.root
        sizes, unreadable = self._listed()
        manifests = [f"{root}/{at}/{MANIFEST}" for at, files in sizes.items() if MANIFEST in files]
        said = dict(self._place.read(manifests))
        found = []
        for folder, files in sizes.items():
            path = f"{root}/{folder}"
            try:
                found.append(Snapshot(path, _manifest(folder, files, said.get(f"{path}/{MANIFEST}"))))
            except _Damaged as damage:
                self.damaged[self._place.shown(path)] = str(damage)
        for folder, error in unreadable.items():
            if folder in sizes:  # its manifest tells what is missing, if anything is
                continue
            why = _UNFINISHED if folder.startswith(".") else f"it can't be read: {type(error).__name__}"
            self.damaged[self._place.shown(f"{root}/{folder}")] = why
        self.snapshots = sorted(found, key=lambda each: (each.manifest.account, each.manifest.taken))
        self._warn(self.damaged)

    def files(self, table: str, snapshots: Iterable[Snapshot]) -> dict[str, Path]:
        """Return where this table of each snapshot stands on this machine, by the snapshot's path.

        What is read for the first time is held against the manifest, and fetched if it is elsewhere; a file that is not
        what was written, or is gone, is not among them, and its snapshot no longer among the whole ones.
        """
        name = f"{table}.parquet"
        asked = {f"{each.path}/{name}": each for each in snapshots}
        with self._checking:  # what another thread reads would be written anew
            fresh = [file for file, each in asked.items() if not self._is_there(file, each.manifest.files[name].size)]
            for file in fresh:
                self._checked.pop(file, None)
            batches = [{file: asked[file] for file in fresh[at : at + _BATCH]} for at in range(0, len(fresh), _BATCH)]
            with ThreadPoolExecutor(_READERS) as pool:
                failed = dict(chain.from_iterable(pool.map(self._check_all, batches)))
            if failed:
                self._leave_out(failed)
            return {each.path: self._checked[file] for file, each in asked.items() if file in self._checked}

    def _is_there(self, file: str, size: int) -> bool:
        """Tell whether a file was checked, and is as large as it was."""
        kept = self._checked.get(file)
        try:
            return kept is not None and kept.stat().st_size == size
        except OSError:
            return False

    def _check_all(self, batch: Mapping[str, Snapshot]) -> list[tuple[str, str]]:
        """Read these files; returns the paths of the snapshots that are damaged, and why."""
        read = self._place.read(batch)
        said = [(batch[file].path, self._check(batch[file], file, content)) for file, content in read]
        return [(path, why) for path, why in said if why]

    def _check(self, snapshot: Snapshot, path: str, content: bytes | Exception) -> str:
        """Keep where a checked file is on this machine; returns what is wrong with it."""
        name = path.rpartition("/")[2]
        if isinstance(content, Exception):
            return f"{name} can't be read: {type(content).__name__}"
        if not snapshot.manifest.files[name].is_of(content):
            return f"{name} is not what was written: its SHA-256 is another"
        self._checked[path] = self._place.kept(path, content)
        return ""

    def _leave_out(self, failed: Mapping[str, str]) -> None:
        named = {self._place.shown(path): why for path, why in failed.items()}
        self.snapshots = [each for each in self.snapshots if each.path not in failed]
        self.damaged |= named
        self._warn(named)

    def _warn(self, damaged: Mapping[str, str]) -> None:
        if damaged:
            first = "; ".join(f"{path} ({why})" for path, why in islice(damaged.items(), _TOLD))
            more = (
                f" and {len(damaged) - _TOLD} more, which amo.history(…).damaged lists" if len(damaged) > _TOLD else ""
            )
            warnings.warn(f"Left out: {first}{more}.", DamagedSnapshotWarning, stacklevel=4)

    def _listed(self) -> tuple[dict[str, dict[str, int]], dict[str, OSError]]:
        """Return the sizes of the files of each snapshot, whole or not, by its folder and their names.

        And which folders can't be read.
        """
        sizes: dict[str, dict[str, int]] = {}
        unreadable = {}
        for path, size in self._place.listed():
            inside = path.removeprefix(f"{self._place.root}/")
            folder, _, name = inside.rpartition("/")
            if isinstance(size, OSError):
                unreadable[inside] = size
            elif is_of_snapshots(folder) and "/" in folder:
                sizes.setdefault(folder, {})[name] = size
        return sizes, unreadable


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
