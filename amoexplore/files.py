"""Files that are there whole or not at all, and where those of the package itself are."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_state_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STATE_VARIABLE = "AMOEXPLORE_STATE"


def state_folder() -> Path:
    """Return where the package keeps what has to outlive a process: AMOEXPLORE_STATE, or the user's state folder."""
    return Path(os.environ.get(STATE_VARIABLE) or user_state_path("amoexplore"))


def check(path: Path, suffixes: Sequence[str]) -> None:
    """Raise what writing the file would raise later, after a long load.

    Raises
    ------
    ValueError
        If the ending of the name is none of those that can be written.
    IsADirectoryError
        If it is a folder.
    FileNotFoundError
        If the folder does not exist.
    """
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{path.name}: the name must end in {', '.join(suffixes)}, which says what to write.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent}: make it first.")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield where to write; what is written there becomes the file at the end, unless the writing breaks off."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".amoexplore-") as folder:
        unfinished = Path(folder) / path.name
        yield unfinished
        unfinished.replace(path)
