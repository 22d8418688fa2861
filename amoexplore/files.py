"""Files that are there whole or not at all, and where those of the package itself are."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_state_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STATE_VARIABLE = "AMOEXPLORE_STATE"


def state_folder() -> Path:
    """Return where the package keeps what has to outlive a process: AMOEXPLORE_STATE, or the user's state folder."""
    return _settled(Path(os.environ.get(STATE_VARIABLE) or user_state_path("amoexplore")))


@cache
def _settled(folder: Path) -> Path:
    """Return where a folder is when it is first asked for: there it stays, wherever the process goes."""
    return folder.absolute()


def check(path: Path, suffixes: Sequence[str]) -> None:
    """Raise what writing the file would raise later, after a long load.

    Raises
    ------
    IsADirectoryError
        If it is a folder.
    ValueError
        If the ending of the name is none of those that can be written.
    FileNotFoundError
        If the folder does not exist.
    OSError
        If nothing can be written into it, or the file is a link that leads nowhere.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it.")
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{path.name}: the name must end in {', '.join(suffixes)}, which says what to write.")
    folder = _target(path).parent
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}: make it first.")
    _new_folder(folder).cleanup()


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield where to write; what is written there becomes the file at the end, unless the writing breaks off.

    A link stays one: the file that it points to is written.
    """
    target = _target(path)
    with _new_folder(target.parent) as folder:
        unfinished = Path(folder) / path.name
        yield unfinished
        unfinished.replace(target)


def _target(path: Path) -> Path:
    """Return the file that is meant by a path, which may be a link."""
    target = Path(os.path.realpath(path))  # what Path.resolve does with a loop differs from one Python to the next
    if target.is_symlink():
        raise OSError(f"{path} is a link that leads back to itself: name another file.")
    return target


def _new_folder(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a new folder in another one, of which it is told if there can be none."""
    try:
        return tempfile.TemporaryDirectory(dir=folder, prefix=".amoexplore-")
    except OSError as error:
        raise type(error)(
            f"Nothing can be written into the folder {folder} ({error.strerror}): name another one."
        ) from None


def save_private(path: Path, content: bytes) -> None:
    """Make this the content of a file that its owner alone can read; it is on disk when this returns.

    Only one may do so at a time. Whenever the process ends, the file has its former content or this.
    """
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)  # of a process that was killed
    # Nobody else's from the first moment on: who opens a file keeps it, whatever its mode becomes.
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    if os.name == "posix":  # elsewhere folders can't be opened
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
