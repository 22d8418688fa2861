"""The widgets of one page to columns of clean values, and a note of each value that can't be read."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import lru_cache
from itertools import accumulate, chain, repeat
from operator import add
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias

from msgspec import structs

from amoexplore import normalize, wire
from amoexplore.wire import Unreadable, name_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from msgspec import Struct

    from amoexplore.normalize import Reader

TableName: TypeAlias = Literal["widgets", "settings"]

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
#: The types of settings that the API's page names, and none.
_USUAL_TYPES = frozenset({"text", "pass", "custom", "users", "users_lp", None})


class Columns(NamedTuple):
    """Clean values of the widgets of a page and of their settings, as many in each column.

    What else the frames have follows from them.

    Attributes
    ----------
    widgets : dict of sequence
        The columns that widgets come with, ``settings_count``, and ``settings_begin``: where in the columns of settings
        those of the widget begin.
    settings : dict of sequence
        The columns that settings come with; once, where widgets have the same template.
    """

    widgets: Mapping[str, Sequence[Any]]
    settings: Mapping[str, Sequence[Any]]

    @classmethod
    def joined(cls, pages: Sequence[Self]) -> Self:
        """Return those of pages that follow one another as one."""
        widgets: dict[str, list[Any]] = defaultdict(list)
        settings: dict[str, list[Any]] = defaultdict(list)
        for page in pages:
            before = len(settings["key"])
            begins = [begin + before for begin in page.widgets["settings_begin"]]
            for table, more in ((widgets, {**page.widgets, "settings_begin": begins}), (settings, page.settings)):
                for name, values in more.items():
                    table[name] += values
        return cls(widgets, settings)

    def places(self) -> list[int]:
        """Return where in the columns of settings each setting stands, widget by widget."""
        begins, counts = self.widgets["settings_begin"], self.widgets["settings_count"]
        return list(chain.from_iterable(map(range, begins, map(add, begins, counts))))


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
        """Return the clean values of widgets and their settings, by column."""
        sent = _by_field(wire.Widget, widgets)
        templates = [template or () for template in sent["settings_template"]]
        counts = list(map(len, templates))
        which = list(map(id, templates))
        distinct = dict(zip(which, templates, strict=True))
        begins = dict(zip(distinct, accumulate(map(len, distinct.values()), initial=0), strict=False))
        own = self._clean(normalize.WIDGET, sent, sent["code"])
        settings = _by_field(wire.Setting, list(chain.from_iterable(distinct.values())))
        return Columns(
            own | {"settings_count": counts, "settings_begin": [begins[each] for each in which]},
            # What was read tolerantly has no template twice: there each setting is one widget's.
            self._clean(normalize.SETTING, settings, repeated(sent["code"], counts)),
        )

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
        self, readers: Mapping[str, Reader], sent: Mapping[str, Sequence[Any]], codes: Iterable[str]
    ) -> dict[str, Sequence[Any]]:
        """Return the clean values of each column; ``codes`` are those of the widgets that each belongs to."""
        columns = {}
        for name, read in readers.items():
            columns[name] = values = sent[name]
            if self._page.is_plain and read is not normalize.rating:
                continue  # of its type already
            try:
                columns[name] = list(map(_rating if self._page.is_plain else read, values))
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


def _by_field(kind: type[Struct], sent: Sequence[Struct]) -> dict[str, Sequence[Any]]:
    """Return the values of each field of structs of a kind."""
    values = zip(*map(structs.astuple, sent), strict=True) if sent else repeat(())
    return dict(zip(kind.__struct_fields__, values, strict=False))


#: The same few come again and again, and equal ones mean the same.
_rating = lru_cache(maxsize=1024)(normalize.rating)


def repeated(values: Iterable[Any], counts: Iterable[int]) -> Iterator[Any]:
    """Return an iterator over values, each as often as is told."""
    return chain.from_iterable(map(repeat, values, counts))


def unknown_types(columns: Columns) -> Counter[str]:
    """Return the types of settings that the API's page does not name, and how often they came."""
    types = columns.settings["type"]
    if _USUAL_TYPES.issuperset(types):
        return Counter()
    return Counter(types[place] for place in columns.places() if types[place] not in _USUAL_TYPES)
