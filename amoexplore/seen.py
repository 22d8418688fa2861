"""Which widgets have come, in twelve bytes each: a catalogue that streams by is not held in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How many are kept as they come before they are put in order among the others.
_RECENT: Final = 20_000


class Seen:
    """The codes that have come, and on which page each was first.

    Digests of 64 bits stand for them: among a million codes, two that look the same come once in ten million loads.
    """

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        self._digests = np.empty(0, np.int64)
        self._pages = np.empty(0, np.int32)

    def add(self, codes: Sequence[str], page: int) -> None:
        """Take in codes that have not come before."""
        self._recent.update(dict.fromkeys(map(hash, codes), page))
        if len(self._recent) > _RECENT:
            digests, pages = zip(*sorted(self._recent.items()), strict=True)
            places = self._digests.searchsorted(digests)
            self._digests = np.insert(self._digests, places, digests)
            self._pages = np.insert(self._pages, places, pages)
            self._recent = {}

    def first_pages(self, codes: Sequence[str]) -> dict[str, int]:
        """Return those of the codes that have come before, with the page where each was first."""
        digests = list(map(hash, codes))
        found = {}
        if not self._recent.keys().isdisjoint(digests):
            pages = map(self._recent.get, digests)
            found = {code: page for code, page in zip(codes, pages, strict=True) if page is not None}
        if len(self._digests) and digests:
            places = np.minimum(self._digests.searchsorted(digests), len(self._digests) - 1)
            hits = np.flatnonzero(self._digests[places] == digests)
            found.update((codes[hit], int(self._pages[places[hit]])) for hit in hits.tolist())
        return found
