"""Median times of ways that take turns: what disturbs the machine disturbs them all."""

from __future__ import annotations

import gc
import time
from statistics import median
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Given = TypeVar("Given")


def seconds_of(act: Callable[[], object]) -> float:
    """Return how long something takes."""
    gc.collect()
    started = time.perf_counter()
    result = act()
    taken = time.perf_counter() - started
    del result  # not before: what it takes to let go of it is no part of the job
    return taken


def interleaved(
    ways: Mapping[str, Callable[[Given], object]], runs: int, given: Callable[[], Given], quick: int = 1
) -> dict[str, float]:
    """Return the median seconds of each way with what is given, which is made anew before each and not timed.

    From the second run on a way that takes less than a fifth of what the slowest takes has ``quick`` turns in a row:
    what is short is disturbed the most.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    turns = dict.fromkeys(ways, 1)
    for _ in range(runs):
        for name, way in ways.items():
            for _ in range(turns[name]):
                thing = given()
                seconds[name].append(seconds_of(lambda way=way, thing=thing: way(thing)))  # type: ignore[misc]
        slowest = max(map(median, seconds.values()))
        turns = {name: quick if median(taken) < slowest / 5 else 1 for name, taken in seconds.items()}
    return {name: median(taken) for name, taken in seconds.items()}
