"""What becomes of the pages of a load: a part of each, without the widgets that earlier ones had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from amoexplore.columns import Columns, PageReader, unknown_types
from amoexplore.reports import Tally
from amoexplore.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amoexplore import wire


Rows = TypeVar("Rows")


class Part(NamedTuple, Generic[Rows]):
    """What became of a page, or of several that follow one another.

    Attributes
    ----------
    rows
        Those of the two tables, however they are kept.
    tally : Tally
        What else there is to tell.
    """

    rows: Rows
    tally: Tally


def joined(pages: Sequence[Part[Columns]]) -> Part[Columns]:
    """Return pages that follow one another as one part."""
    return Part(Columns.joined([page.rows for page in pages]), Tally.of(page.tally for page in pages))


class Reader:
    """Makes a part of each page.

    The widgets of a page are dropped at once: memory holds columns only.

    Parameters
    ----------
    earlier : iterable of list
        The codes of the widgets of pages that were read before, from the first on.
    """

    def __init__(self, earlier: Iterable[Sequence[str]] = ()) -> None:
        self._seen = Seen()
        self._ahead: tuple[wire.Page, Part[Columns]] | None = None
        for number, codes in enumerate(earlier, 1):
            self._seen.take(codes, number)

    def read(self, page: wire.Page) -> Part[Columns]:
        """Return what becomes of a page; what it has will not be new again."""
        ahead, self._ahead = self._ahead, None
        part = ahead[1] if ahead and ahead[0] is page else self._part(page)
        page.widgets = []
        return part

    def read_ahead(self, page: wire.Page) -> None:
        """Read the page that will be asked for next, once however often this is called."""
        if self._ahead is None:
            self._ahead = page, self._part(page)
            page.widgets = []  # not before: a page whose reading was interrupted is read again

    def _part(self, page: wire.Page) -> Part[Columns]:
        tally = Tally(
            filled=int(page.count > 0),
            requests=page.requests,
            waited=page.waited,
            unreadable=list(page.unreadable),
            unknown=page.unknown,
        )
        reader = PageReader(page, tally.unreadable)
        columns = reader.columns(self._fresh(reader.identified(), page.number, tally.repeated))
        counts = columns.widgets["settings_count"]
        tally.fresh, tally.settings, tally.types = [len(counts)], sum(counts), unknown_types(columns)
        return Part(columns, tally)

    def _fresh(
        self, widgets: list[wire.Widget], number: int, repeated: list[tuple[str, int, int, int]]
    ) -> list[wire.Widget]:
        again = self._seen.take([widget.code for widget in widgets], number)
        if not again:
            return widgets
        fresh: dict[str, wire.Widget] = {}
        for widget in widgets:
            first = again.get(widget.code, number)
            if first < number or widget.code in fresh:
                repeated.append((widget.code, widget.id, first, number))
            else:
                fresh[widget.code] = widget
        return list(fresh.values())
