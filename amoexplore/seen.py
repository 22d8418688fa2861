"""Which widgets have come, in twelve bytes each: a catalogue that streams by is not held in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amoexplore.digests import Digests

#: How many are kept as they come before they are put in order among the others.
_RECENT: Final = 10_000


class Seen:
    """The codes that have come, and on which page each was first.

    Digests stand for all but the latest.
    """

    def __init__(self) -> None:
        self._recent: set[str] = set()
        self._pages: list[tuple[int, Sequence[str]]] = []  # with what of the recent ones each had
        self._digests: Digests | None = None

    def take(self, codes: Sequence[str], page: int) -> dict[str, int]:
        """Take in the codes of a page, and return those that came before or come again on it, with their first page."""
        before = len(self._recent)
        self._recent.update(codes)
        again = {} if self._digests is None else self._digests.first_pages(codes)
        if len(self._recent) < before + len(codes):
            again = self._among_recent(codes, page) | again
        if again:
            codes = list(dict.fromkeys(code for code in codes if again.get(code, page) == page))
        self._pages.append((page, codes))
        if len(self._recent) > _RECENT:
            from amoexplore.digests import Digests  # noqa: PLC0415  of numpy, which few catalogues are long enough for

            self._digests = self._digests or Digests()
            self._digests.add(self._pages)
            self._recent, self._pages = set(), []
        return again

    def _among_recent(self, codes: Sequence[str], page: int) -> dict[str, int]:
        pages = {code: earlier for earlier, there in self._pages for code in there}
        again = {}
        for code in codes:
            if code in pages:
                again[code] = pages[code]
            pages.setdefault(code, page)
        return again
