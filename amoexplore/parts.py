"""What becomes of the pages of a load: a part of each, without the widgets that earlier ones had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from amoexplore.columns import PageReader, unknown_types
from amoexplore.reports import Tally
from amoexplore.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from amoexplore import wire
    from amoexplore.columns import Columns


class Table(Protocol):
    """Rows of a table, however they are kept."""

    @property
    def num_rows(self) -> int:
        """How many."""


AnyTable = TypeVar("AnyTable", bound=Table)


class Part(NamedTuple, Generic[AnyTable]):
    """What became of a page, or of several that follow one another.

    Attributes
    ----------
    widgets, settings
        Its rows of the two tables.
    tally : Tally
        What else there is to tell.
    """

    widgets: AnyTable
    settings: AnyTable
    tally: Tally


class Reader(Generic[AnyTable]):
    """Makes a part of each page.

    The objects of a page are dropped at once: memory holds columns only.

    Parameters
    ----------
    tables : callable
        Makes of the columns of a page its rows of both tables.
    earlier : iterable of list
        The codes of the widgets of pages that were read before, from the first on.
    """

    def __init__(
        self, tables: Callable[[Columns], tuple[AnyTable, AnyTable]], earlier: Iterable[Sequence[str]] = ()
    ) -> None:
        self._tables = tables
        self._seen = Seen()
        for number, codes in enumerate(earlier, 1):
            self._seen.add(codes, number)
        self._read: tuple[Sequence[str], int] = (), 0

    def read(self, page: wire.Page) -> Part[AnyTable]:
        """Return what becomes of a page, which is not taken in yet."""
        tally = Tally(
            filled=int(page.count > 0),
            requests=page.requests,
            waited=page.waited,
            unreadable=list(page.unreadable),
            unknown=page.unknown,
        )
        reader = PageReader(page, tally.unreadable)
        columns = reader.columns(self._fresh(reader.identified(), page.number, tally.repeated))
        self._read = columns.widgets["code"], page.number
        widgets, settings = self._tables(columns)
        tally.fresh, tally.settings = [widgets.num_rows], settings.num_rows
        tally.types = unknown_types(columns.settings["type"])
        return Part(widgets, settings, tally)

    def keep(self) -> None:
        """Take in the page that was read last: what it has will not be new again."""
        self._seen.add(*self._read)

    def _fresh(
        self, widgets: list[wire.Widget], number: int, repeated: list[tuple[str, int, int, int]]
    ) -> list[wire.Widget]:
        codes = [widget.code for widget in widgets]
        first_pages = self._seen.first_pages(codes)
        if not first_pages and len(set(codes)) == len(codes):
            return widgets
        fresh: dict[str, wire.Widget] = {}
        for widget in widgets:
            if widget.code in first_pages or widget.code in fresh:
                repeated.append((widget.code, widget.id, first_pages.get(widget.code, number), number))
            else:
                fresh[widget.code] = widget
        return list(fresh.values())
