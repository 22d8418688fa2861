"""Where snapshots are: a folder of this machine, or any other address of fsspec."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import weakref
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import fsspec
from fsspec.implementations.local import LocalFileSystem

from amoexplore.errors import PlaceFailed, SnapshotExists

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from fsspec import AbstractFileSystem

#: What is not shown of an address: a user and a password before the host, and a signature behind a question mark.
#: Azure's addresses have a container there.
_PRIVATE = re.compile(r"(?<=://)(?<!abfs://)(?<!abfss://)(?<!wasb://)(?<!wasbs://)[^/\s]*@|\?\S+")


def place(where: str | os.PathLike[str]) -> Place:
    """Return the place at an address.

    Raises
    ------
    ValueError
        If there can be no such address.
    ImportError
        If fsspec needs another package for it.
    """
    named = os.fspath(where)
    scheme, _, rest = named.partition("://")
    if scheme in ("s3", "s3a") and not re.fullmatch("[^:@]+|arn:[^@]+", rest.partition("/")[0]):
        raise ValueError(
            "An address of S3 is s3://bucket/folder. No keys stand in it: they are looked for where S3's own tools "
            "look, such as in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    try:
        system, root = fsspec.core.url_to_fs(named)
    except ValueError as error:
        raise ValueError(f"{error}. Give a folder, or an address of fsspec such as s3://bucket/snapshots.") from None
    except ImportError as error:
        extra = " For s3:// it is: pip install 'amoexplore[s3]'" if named.startswith("s3") else ""
        raise ImportError(f"fsspec needs another package for this kind of address: {error}.{extra}") from None
    except Exception as error:  # noqa: BLE001  some connect at once, each with errors of its own
        raise _failed(_PRIVATE.sub("", named), error, Elsewhere.advice) from None
    return Here(root) if isinstance(system, LocalFileSystem) else Elsewhere(root, system, named)


class Place(ABC):
    """Where snapshots are.

    Each method raises PlaceFailed if it can't be reached, read or written to.

    Attributes
    ----------
    root : str
        What stands before the slash in front of a path in it.
    advice : str
        What to do where it fails.
    """

    advice: str

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")

    @abstractmethod
    def shown(self, path: str) -> str:
        """Return the address of what is at a path, as it may be shown."""

    @abstractmethod
    def check(self) -> None:
        """Raise what :meth:`put` would raise later, after a long load."""

    @abstractmethod
    def put(self, folder: str, written: Mapping[str, bytes]) -> None:
        """Write files into a new folder, the last of which makes a snapshot of it.

        Raises
        ------
        SnapshotExists
            If there is such a folder; it stays as it is.
        """

    @abstractmethod
    def listed(self) -> Iterator[tuple[str, int | OSError]]:
        """Yield the path and the size of each file of a snapshot; of a folder that can't be read why it can't."""

    @abstractmethod
    def read(self, paths: Collection[str]) -> Iterator[tuple[str, bytes | Exception]]:
        """Yield what the files at these paths hold, or why they can't be read."""

    @abstractmethod
    def kept(self, path: str, content: bytes) -> Path:
        """Return where a file that was read stands on this machine, as long as this lives."""

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except SnapshotExists:
            raise
        except Exception as error:  # noqa: BLE001  each file system has errors of its own
            raise _failed(self.shown(self.root), error, self.advice) from None


class Here(Place):
    """A folder of this machine."""

    advice = "Name a folder that can be read and written to."

    def shown(self, path: str) -> str:
        """Return the path."""
        return path or "/"

    def check(self) -> None:
        """Try whether a folder could be made there."""
        wanted = Path(f"{self.root}/")
        there = next((each for each in (wanted, *wanted.parents) if os.path.lexists(each)), wanted)
        with self._reaching(), tempfile.TemporaryDirectory(dir=there, prefix=".amoexplore-"):
            pass

    def put(self, folder: str, written: Mapping[str, bytes]) -> None:
        """Write under a temporary name, which is changed last."""
        with self._reaching():
            self._put(Path(f"{self.root}/"), Path(f"{self.root}/{folder}"), written)

    def _put(self, root: Path, place: Path, written: Mapping[str, bytes]) -> None:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=f".{place.parent.name}-") as beside:
            unfinished = Path(beside) / place.name
            unfinished.mkdir()
            for name, content in written.items():
                (unfinished / name).write_bytes(content)
            if place.exists():
                raise _exists(place)
            place.parent.mkdir(exist_ok=True)
            try:
                unfinished.rename(place)
            except OSError:
                if place.exists():  # another process was faster
                    raise _exists(place) from None
                raise

    def listed(self) -> Iterator[tuple[str, int | OSError]]:
        """Look into folders, also those that are links; fsspec's own way takes three times as long."""
        folders: list[str] = []
        with self._reaching(), suppress(FileNotFoundError):
            folders = sorted(entry.name for entry in os.scandir(f"{self.root}/"))
        for taken in filter(is_of_snapshots, folders):
            yield from _files(f"{self.root}/{taken}", above=1)

    def read(self, paths: Collection[str]) -> Iterator[tuple[str, bytes | Exception]]:
        """Read one after the other; fsspec's own way takes twice as long."""
        return ((path, _read_here(path)) for path in paths)

    def kept(self, path: str, content: bytes) -> Path:
        """Return the path."""
        del content  # it stands there
        return Path(path)


class Elsewhere(Place):
    """An address of fsspec that is no folder of this machine.

    Parameters
    ----------
    root : str
    system : AbstractFileSystem
    where : str
        The address itself.
    """

    advice = (
        "Check the address and the network; keys are looked for where that service's own tools look, such as in "
        "AWS_ACCESS_KEY_ID."
    )

    def __init__(self, root: str, system: AbstractFileSystem, where: str) -> None:
        super().__init__(root)
        self._system = system
        self._address = re.sub("(?<![:/])/+$", "", _PRIVATE.sub("", where))
        self._fetching = threading.Lock()
        self._fetched: Path | None = None

    def shown(self, path: str) -> str:
        """Return the address without what a user and a password of it were."""
        return f"{self._address}{path.removeprefix(self.root)}"

    def check(self) -> None:
        """Look what is there; where that is not allowed, writing may be."""
        with self._reaching(), suppress(PermissionError):
            self._look()

    def _look(self) -> None:
        with suppress(FileNotFoundError):
            self._system.ls(self.root)

    def put(self, folder: str, written: Mapping[str, bytes]) -> None:
        """Write file by file, each only if there is none: the first one takes the place."""
        path = f"{self.root}/{folder}"
        for level in [*accumulate(path.split("/"), "{}/{}".format)][1:]:
            with suppress(Exception):  # where it is there, or needs no folders; else the file says what is wrong
                self._system.mkdir(level, create_parents=False)
        *_, last = written
        with self._reaching():
            try:
                for name, content in written.items():
                    self._system.pipe_file(f"{path}/{name}", content, mode="create")
            except FileExistsError:
                is_whole = self._system.exists(f"{path}/{last}")
            else:
                return
        raise _exists(self.shown(path), is_whole=is_whole)

    def listed(self) -> Iterator[tuple[str, int | OSError]]:
        """Ask for all files below the address."""
        found = {}
        with self._reaching(), suppress(FileNotFoundError):
            self._system.invalidate_cache()
            found = self._system.find(self.root, detail=True)
            if not found:  # some only find nothing where they can't look
                self._look()
        return ((path, facts["size"]) for path, facts in found.items())

    def read(self, paths: Collection[str]) -> Iterator[tuple[str, bytes | Exception]]:
        """Ask for all at once, where the file system can, and by names in which no letter means others."""
        with self._reaching():
            return zip(paths, self._system.cat_ranges([*paths], None, None, on_error="return"), strict=True)

    def kept(self, path: str, content: bytes) -> Path:
        """Write the file on this machine."""
        with self._fetching:
            if self._fetched is None:
                self._fetched = Path(tempfile.mkdtemp(prefix="amoexplore-"))
                weakref.finalize(self, shutil.rmtree, self._fetched, ignore_errors=True)
        file = self._fetched / path.removeprefix(f"{self.root}/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file


def is_of_snapshots(folder: str) -> bool:
    """Tell by the first part of a path in a place whether there are snapshots, or such that are being written."""
    return folder.removeprefix(".").startswith("taken=")


def _failed(where: str, error: Exception, advice: str) -> PlaceFailed:
    why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
    return PlaceFailed(f"{where}: {_PRIVATE.sub('', why)}. {advice}")


def _exists(where: object, *, is_whole: bool = True) -> SnapshotExists:
    if is_whole:
        return SnapshotExists(
            f"There is a snapshot already, and it stays as it is: {where}. Give another time, or none for now."
        )
    return SnapshotExists(
        f"There is an unfinished snapshot, whose writing was cut off or goes on: {where}. Delete it, or give another "
        "time."
    )


def _files(folder: str, above: int = 0) -> Iterator[tuple[str, int | OSError]]:
    """Yield what ``Place.listed`` does, of files in a folder or so many folders below it."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}"
                if above:
                    yield from _files(path, above - 1)
                else:
                    with suppress(FileNotFoundError):  # a link to nowhere, or what was renamed when it was done
                        yield path, entry.stat().st_size
    except NotADirectoryError:  # somebody's own file
        return
    except OSError as error:
        yield folder, error


def _read_here(path: str) -> bytes | Exception:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        return error
