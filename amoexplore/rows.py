"""Columns to rows of plain values, for files of text: neither pandas nor Arrow is imported for them."""

from __future__ import annotations

from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from amoexplore.columns import SETTINGS, WIDGETS, repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amoexplore.columns import Columns, TableName


def table(name: TableName, columns: Columns) -> dict[str, Sequence[Any]]:
    """Return the columns of a frame, in its order."""
    return _widgets(columns) if name == "widgets" else _settings(columns)


def _widgets(columns: Columns) -> dict[str, Sequence[Any]]:
    begins, counts = columns.widgets["settings_begin"], columns.widgets["settings_count"]
    before = list(accumulate(map(bool, columns.settings["is_required"]), initial=0))
    required = [before[begin + count] - before[begin] for begin, count in zip(begins, counts, strict=True)]
    values = {**columns.widgets, "required_count": required}
    return {name: values[name] for name in WIDGETS}


def _settings(columns: Columns) -> dict[str, Sequence[Any]]:
    counts, places = columns.widgets["settings_count"], columns.places()
    values = {
        "widget_id": list(repeated(columns.widgets["id"], counts)),
        "code": list(repeated(columns.widgets["code"], counts)),
        "position": list(chain.from_iterable(map(range, counts))),
        **{name: [column[place] for place in places] for name, column in columns.settings.items()},
    }
    return {name: values[name] for name in SETTINGS}
