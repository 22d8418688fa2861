"""The widgets of one page to columns of clean values, and a note of each value that can't be read."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import accumulate, chain, pairwise, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from amoexplore import normalize
from amoexplore.wire import Unreadable, name_of, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from msgspec import Struct

    from amoexplore import wire
    from amoexplore.normalize import Reader

#: Columns and dtypes of ``catalog.widgets``.
WIDGETS = {
    "id": "int64",
    "code": "str",
    "version": "str",
    "rating": "Float64",
    "is_lead_source": "boolean",
    "is_work_with_dp": "boolean",
    "is_crm_template": "boolean",
    "is_active_in_account": "boolean",
    "client_uuid": "str",
    "pipeline_id": "Int64",
    "settings_count": "int64",
    "required_count": "int64",
}
#: The flags of a widget.
FLAGS = [name for name, dtype in WIDGETS.items() if dtype == "boolean"]
#: Columns and dtypes of ``catalog.settings``.
SETTINGS = {
    "widget_id": "int64",
    "code": "str",
    "position": "int64",
    "key": "str",
    "name": "str",
    "type": "str",
    "is_required": "boolean",
}
#: Fields of structs as columns, each in one go.
_WIDGET: dict[str, Callable[[Sequence[wire.Widget]], list[Any]]] = {
    "id": lambda widgets: [widget.id for widget in widgets],
    "code": lambda widgets: [widget.code for widget in widgets],
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
#: The types of settings that the API's page names, and none.
_USUAL_TYPES = frozenset({"text", "pass", "custom", "users", "users_lp", None})


class Columns(NamedTuple):
    """Clean values of widgets and of their settings, a list for each column.

    Attributes
    ----------
    widgets : dict of list
        All columns of the frame.
    settings : dict of list
        Those that the settings themselves have; what else the frame has follows from the widgets.
    """

    widgets: dict[str, list[Any]]
    settings: dict[str, list[Any]]


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

    def columns(self, widgets: list[wire.Widget]) -> Columns:
        """Return the clean values of both frames, by column."""
        templates = [widget.settings_template or () for widget in widgets]
        lengths = list(map(len, templates))
        own = self._clean(_WIDGET, widgets, [widget.code for widget in widgets])
        settings = self._clean(_SETTING, list(chain.from_iterable(templates)), repeated(own["code"], lengths))
        flags = settings["is_required"]
        required = [flags[start:end].count(True) for start, end in pairwise(accumulate(lengths, initial=0))]
        return Columns({**own, "settings_count": lengths, "required_count": required}, settings)

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
        self, takers: Mapping[str, Callable[[Any], list[Any]]], structs: Sequence[Struct], codes: Iterable[str]
    ) -> dict[str, list[Any]]:
        """Return fields of structs as columns; ``codes`` are those of the widgets that each belongs to."""
        columns = {name: take(structs) for name, take in takers.items()}
        for name, values in columns.items():
            read = _READERS[name]
            if self._page.is_plain and read is not normalize.rating:
                continue  # of its type already
            quick = _rating if self._page.is_plain else read
            try:
                columns[name] = list(map(quick, values))
            except ValueError:
                codes = list(codes)
                columns[name] = [self._read(read, *row, name) for row in zip(values, codes, strict=True)]
        return columns

    def _read(self, read: Reader, value: Any, code: str, name: str) -> Any:
        try:
            return read(value)
        except ValueError:
            self._unreadable.append(Unreadable(self._page.number, code, name, shown(value)))
            return None


def repeated(values: Iterable[Any], counts: Iterable[int]) -> Iterator[Any]:
    """Return an iterator over values, each as often as is told."""
    return chain.from_iterable(map(repeat, values, counts))


def unknown_types(types: Sequence[str | None]) -> Counter[str]:
    """Return the types of settings that the API's page does not name, and how often they came."""
    if _USUAL_TYPES.issuperset(types):
        return Counter()
    return Counter(name for name in types if name is not None and name not in _USUAL_TYPES)
