"""Columns to rows of plain values, for files of text: neither pandas nor Arrow is imported for them."""

from __future__ import annotations

from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from amoexplore.columns import SETTINGS, WIDGETS, repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amoexplore.columns import Columns


class Rows(Struct, frozen=True):
    """What one page has as rows of a frame.

    Attributes
    ----------
    columns : dict of sequence
        The values of each column, in the order of the frame.
    """

    columns: dict[str, Sequence[Any]]

    @property
    def num_rows(self) -> int:
        """How many."""
        return len(self.columns["code"])


def tables(columns: Columns) -> tuple[Rows, Rows]:
    """Return what a page has as rows of the two frames."""
    counts = columns.widgets["settings_count"]
    required = list(accumulate(map(bool, columns.settings["is_required"]), initial=0))  # before each setting
    widgets = columns.widgets | {
        "required_count": [required[end] - required[first] for first, end in pairwise(accumulate(counts, initial=0))]
    }
    settings = columns.settings | {
        "widget_id": list(repeated(columns.widgets["id"], counts)),
        "code": list(repeated(columns.widgets["code"], counts)),
        "position": list(chain.from_iterable(map(range, counts))),
    }
    return Rows({name: widgets[name] for name in WIDGETS}), Rows({name: settings[name] for name in SETTINGS})
