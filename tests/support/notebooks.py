"""Tidies notebooks that were just run: no times, no widget state, the kernel named as every machine names it.

Usage: python notebooks.py NOTEBOOK…
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat


def tidy(path: Path) -> None:
    """Drop what differs from machine to machine."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata = {}
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        tidy(Path(name))
