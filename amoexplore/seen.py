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

    def add(self, codes: Sequence[str], page: int) -> None:
        """Take in codes that have not come before."""
        self._recent.update(codes)
        self._pages.append((page, codes))
        if len(self._recent) > _RECENT:
            from amoexplore.digests import Digests  # noqa: PLC0415  of numpy, which few catalogues are long enough for

            self._digests = self._digests or Digests()
            self._digests.add(self._pages)
            self._recent, self._pages = set(), []

    def first_pages(self, codes: Sequence[str]) -> dict[str, int]:
        """Return those of the codes that have come before, with the page where each was first."""
        found = {} if self._digests is None else self._digests.first_pages(codes)
        return found if self._recent.isdisjoint(codes) else found | self._first_pages(self._recent.intersection(codes))

    def _first_pages(self, recent: set[str]) -> dict[str, int]:
        return {code: page for page, codes in self._pages for code in codes if code in recent}
