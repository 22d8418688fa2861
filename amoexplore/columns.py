"""The widgets of one page to Arrow columns: clean values, and a note of each one that can't be read."""

from __future__ import annotations

from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from amoexplore import normalize
from amoexplore.wire import Unreadable, name_of, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Struct

    from amoexplore import wire
    from amoexplore.normalize import Reader

    Columns = dict[str, Any]

#: Types that a reader gives back as they are, so that it need not be asked.
_PLAIN: dict[Reader, set[type]] = {
    normalize.text: {str, type(None)},
    normalize.flag: {bool, type(None)},
    normalize.integer: {type(None)},
}
#: Types whose values come again and again, so that each distinct one is read once; equal ones mean the same.
_REPEATED: dict[Reader, set[type]] = {normalize.rating: {str, int, float, type(None)}}
#: The fields of a widget besides its id and its code, which are read first.
_FURTHER = {name: read for name, read in normalize.WIDGET.items() if name not in {"id", "code"}}


class PageReader:
    """Reads the widgets of one page.

    Parameters
    ----------
    number : int
        Of the page.
    unreadable : list of Unreadable
        Where to note what can't be read.
    """

    def __init__(self, number: int, unreadable: list[Unreadable]) -> None:
        self._number = number
        self._unreadable = unreadable

    def identified(self, widgets: list[wire.Widget]) -> list[wire.Widget]:
        """Return the widgets that have an id and a code, both clean; the others are noted and left out."""
        if all(type(w.id) is int and w.id in normalize.INT64 and type(w.code) is str and w.code for w in widgets):
            return widgets
        return [widget for widget in widgets if self._identify(widget)]

    def columns(self, widgets: list[wire.Widget]) -> tuple[Columns, Columns]:
        """Return the columns of both frames, by name; each is an array or a list of clean values."""
        templates = [widget.settings_template or () for widget in widgets]
        fields = list(chain.from_iterable(templates))
        lengths = np.fromiter(map(len, templates), np.int64, len(templates))
        rows = np.arange(len(widgets))
        owners = np.repeat(rows, lengths)  # for each setting the row of its widget
        ids = pa.array([widget.id for widget in widgets], pa.int64())
        codes = pa.array([widget.code for widget in widgets], pa.large_string())
        settings = {
            "widget_id": ids.take(pa.array(owners)),
            "code": codes.take(pa.array(owners)),
            "position": np.arange(len(fields)) - np.repeat(lengths.cumsum() - lengths, lengths),
            **self._clean(fields, normalize.SETTING, widgets, owners),
        }
        required = [flag is True for flag in settings["is_required"]]
        return {
            "id": ids,
            "code": codes,
            **self._clean(widgets, _FURTHER, widgets, rows),
            "settings_count": lengths,
            "required_count": np.bincount(owners, required, len(widgets)).astype(np.int64),
        }, settings

    def _identify(self, widget: wire.Widget) -> bool:
        name = name_of(widget)
        for field, read in (("id", normalize.integer), ("code", normalize.text)):
            value = getattr(widget, field)
            try:
                clean = read(value)
            except ValueError:
                clean = None
            if clean in (None, ""):
                self._unreadable.append(Unreadable(self._number, name, field, shown(value)))
                return False
            setattr(widget, field, clean)
        return True

    def _clean(
        self, structs: Sequence[Struct], readers: Mapping[str, Reader], widgets: list[wire.Widget], owners: np.ndarray
    ) -> Columns:
        """Return fields of structs as columns; ``owners`` has for each struct the row of its widget."""
        raw = zip(*map(attrgetter(*readers), structs), strict=True) if structs else repeat(())
        columns: Columns = {}
        for (name, read), values in zip(readers.items(), raw, strict=False):
            kinds = set(map(type, values))
            if kinds <= _PLAIN.get(read, set()):
                columns[name] = values
                continue
            try:
                if kinds <= _REPEATED.get(read, set()):
                    clean = {value: read(value) for value in set(values)}
                    columns[name] = [clean[value] for value in values]
                else:
                    columns[name] = list(map(read, values))
            except ValueError:
                codes = [widgets[owner].code for owner in owners]
                columns[name] = [self._read(read, *row) for row in zip(values, codes, repeat(name), strict=False)]
        return columns

    def _read(self, read: Reader, value: Any, code: str, name: str) -> Any:
        try:
            return read(value)
        except ValueError:
            self._unreadable.append(Unreadable(self._number, code, name, shown(value)))
            return None
