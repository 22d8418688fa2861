"""Files that are there whole or not at all."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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
