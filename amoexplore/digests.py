"""Digests of 64 bits in place of texts: among a million, two that look the same come once in ten million times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Digests:
    """The digests of codes in their order, and the page where each was first."""

    def __init__(self) -> None:
        self._digests = np.empty(0, np.int64)
        self._pages = np.empty(0, np.int32)

    def add(self, pages: Iterable[tuple[int, Sequence[str]]]) -> None:
        """Take in pages with codes that have not come before."""
        numbers, codes = zip(*pages, strict=True)
        digests = np.concatenate(list(map(_digested, codes)))
        order = digests.argsort()
        places = self._digests.searchsorted(digests[order])
        self._digests = np.insert(self._digests, places, digests[order])
        first = np.repeat(np.array(numbers, np.int32), list(map(len, codes)))
        self._pages = np.insert(self._pages, places, first[order])

    def first_pages(self, codes: Sequence[str]) -> dict[str, int]:
        """Return those of the codes that have come before, with the page where each was first."""
        digests = _digested(codes)
        places = self._digests.searchsorted(digests).clip(max=len(self._digests) - 1)
        hits = (self._digests[places] == digests).nonzero()[0]
        return {codes[hit]: int(self._pages[places[hit]]) for hit in hits.tolist()}


def _digested(codes: Sequence[str]) -> np.ndarray:
    return np.fromiter(map(hash, codes), np.int64, len(codes))
