"""The widgets of one page to Arrow columns: clean values, and a note of each one that can't be read."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from amoexplore import normalize
from amoexplore.wire import Unreadable, name_of, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from msgspec import Struct

    from amoexplore import wire
    from amoexplore.normalize import Reader

    Columns = dict[str, Any]

#: Fields of structs as columns, each in one go.
_WIDGET: dict[str, Callable[[Sequence[wire.Widget]], list[Any]]] = {
    "version": lambda widgets: [widget.version for widget in widgets],
    "rating": lambda widgets: [widget.rating for widget in widgets],
    "is_lead_source": lambda widgets: [widget.is_lead_source for widget in widgets],
    "is_work_with_dp": lambda widgets: [widget.is_work_with_dp for widget in widgets],
    "is_crm_template": lambda widgets: [widget.is_crm_template for widget in widgets],
    "is_active_in_account": lambda widgets: [widget.is_active_in_account for widget in widgets],
    "client_uuid": lambda widgets: [widget.client_uuid for widget in widgets],
    "pipeline_id": lambda widgets: [widget.pipeline_id for widget in widgets],
}
_SETTING: dict[str, Callable[[Sequence[wire.Setting]], list[Any]]] = {
    "key": lambda settings: [setting.key for setting in settings],
    "name": lambda settings: [setting.name for setting in settings],
    "type": lambda settings: [setting.type for setting in settings],
    "is_required": lambda settings: [setting.is_required for setting in settings],
}
#: The same few texts come again and again; equal ones mean the same.
_rating = lru_cache(maxsize=1024)(normalize.rating)
_READERS = {**normalize.WIDGET, **normalize.SETTING}
#: The types of settings that the API's page names.
KNOWN_TYPES = frozenset({"text", "pass", "custom", "users", "users_lp"})


class PageReader:
    """Reads the widgets of one page.

    Parameters
    ----------
    page : Page
    unreadable : list of Unreadable
        Where to note what can't be read.
    """

    def __init__(self, page: wire.Page, unreadable: list[Unreadable]) -> None:
        self._page = page
        self._unreadable = unreadable

    def identified(self) -> list[wire.Widget]:
        """Return the widgets that have an id and a code, both clean; the others are noted and left out."""
        if self._page.is_plain:
            return self._page.widgets
        return [widget for widget in self._page.widgets if self._identify(widget)]

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
            **self._clean(_SETTING, fields, widgets, owners),
        }
        required = np.array([flag is True for flag in settings["is_required"]], bool)
        return {
            "id": ids,
            "code": codes,
            **self._clean(_WIDGET, widgets, widgets, rows),
            "settings_count": lengths,
            "required_count": np.bincount(owners[required], minlength=len(widgets)),
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
                self._unreadable.append(Unreadable(self._page.number, name, field, shown(value)))
                return False
            setattr(widget, field, clean)
        return True

    def _clean(
        self,
        takers: Mapping[str, Callable[[Any], list[Any]]],
        structs: Sequence[Struct],
        widgets: list[wire.Widget],
        owners: np.ndarray,
    ) -> Columns:
        """Return fields of structs as columns; ``owners`` has for each struct the row of its widget."""
        columns = {name: take(structs) for name, take in takers.items()}
        for name, values in columns.items():
            read = _READERS[name]
            if self._page.is_plain and read is not normalize.rating:
                continue  # of its type already
            quick = _rating if self._page.is_plain else read
            try:
                columns[name] = list(map(quick, values))
            except ValueError:
                codes = [widgets[owner].code for owner in owners]
                columns[name] = [self._read(read, *row, name) for row in zip(values, codes, strict=True)]
        return columns

    def _read(self, read: Reader, value: Any, code: str, name: str) -> Any:
        try:
            return read(value)
        except ValueError:
            self._unreadable.append(Unreadable(self._page.number, code, name, shown(value)))
            return None


def unknown_types(types: Sequence[str | None]) -> Counter[str]:
    """Return the types of settings that the API's page does not name, and how often they came."""
    unknown = set(types) - KNOWN_TYPES - {None}
    return Counter(name for name in types if name is not None and name in unknown) if unknown else Counter()
