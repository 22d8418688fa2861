"""Digests of 64 bits in place of texts: among a million, two that look the same come once in ten million times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    _Array = np.ndarray[Any, Any]

#: Digests of a run, from which on another one is begun: while one grows there are two of it.
_LONG: Final = 250_000


class Digests:
    """The digests of codes in runs, each in order, and the pages where each was first."""

    def __init__(self) -> None:
        self._runs: list[tuple[_Array, _Array]] = []

    def add(self, pages: Iterable[tuple[int, Sequence[str]]]) -> None:
        """Take in pages with codes that have not come before."""
        numbers, codes = zip(*pages, strict=True)
        fresh = np.concatenate(list(map(_digested, codes)))
        order = fresh.argsort()
        first = np.repeat(np.array(numbers, np.int32), list(map(len, codes)))
        is_long = not self._runs or len(self._runs[-1][0]) >= _LONG
        digests, firsts = (fresh[:0], first[:0]) if is_long else self._runs[-1]
        places = digests.searchsorted(fresh[order])
        run = np.insert(digests, places, fresh[order]), np.insert(firsts, places, first[order])
        self._runs[len(self._runs) - (not is_long) :] = [run]  # at once: an interrupt loses no digest

    def first_pages(self, codes: Sequence[str]) -> dict[str, int]:
        """Return those of the codes that have come before, with the page where each was first."""
        asked = _digested(codes)
        ordered = np.sort(asked)  # what is looked up in order is found in half of the time
        found: dict[int, int] = {}
        for digests, firsts in self._runs:
            places = digests.searchsorted(ordered)
            hits = digests.take(places, mode="clip") == ordered
            if hits.any():
                found |= dict(zip(ordered[hits].tolist(), firsts[places[hits]].tolist(), strict=True))
        if not found:
            return {}
        return {code: found[each] for code, each in zip(codes, asked.tolist(), strict=True) if each in found}


def _digested(codes: Sequence[str]) -> _Array:
    return np.fromiter(map(hash, codes), np.int64, len(codes))
