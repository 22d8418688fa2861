"""Tidies notebooks that were just run.

They keep no times, no ports, no ids and no state of widgets; their kernel is named as every machine names it.

Usage: python notebooks.py NOTEBOOK…
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat


def tidy(path: Path) -> None:
    """Drop what differs from machine to machine."""
    text = re.sub(r"(127\.0\.0\.1|\.localhost):[1-9]\d*", r"\1:PORT", path.read_text(encoding="utf-8"))
    text = re.sub(r'"model_id": "[0-9a-f]+"', '"model_id": "ID"', text)
    notebook = nbformat.reads(text, as_version=4)
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
