"""Loads under a limit, many at once: each waits most of the time, and each has a process and an account of its own."""

from __future__ import annotations

import multiprocessing
import random
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import by_hand, catalogue, ours, rivals
from benchmarks.far import RATE, in_ms
from benchmarks.report import Goal, Section, shown
from benchmarks.timing import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Barrier

    from benchmarks.plan import Bench
    from benchmarks.rivals import Tables

OURS, NAPPING, DLT = "amoexplore", "by hand, a nap of 1/7 s a page", "dlt"
#: Seconds within which all processes are ready.
_READY = 120


#: A latency, and who loads.
_Case = tuple[float, str]


class _Load(NamedTuple):
    seconds: float
    refused: int


def rolling(bench: Bench) -> Section:
    """Measure loads under a rolling limit, with jitter and cold connections."""
    rows, goals = [], []
    measured, bounds = _rolling(bench), dict(zip(bench.plan.latencies[1:], (1.0, 1.15), strict=False))
    for (latency, name), loads in measured.items():
        rows.append([f"{name}, {in_ms(latency)}", *_row(bench, latency, loads)])
        if name == OURS:
            at = f"{catalogue.page_count(bench.plan.paged)} pages under {RATE} a second at {in_ms(latency)}"
            times, refused = _times_least(bench, latency, loads), sum(load.refused for load in loads)
            goals.append(Goal(f"{at}: of (P − 1)/{RATE} + latency", times, most=bounds[latency]))
            goals.append(Goal(f"{at}: refusals in {len(loads)} loads", refused, most=0, unit=""))
    words = (
        f"{RATE} requests in any second, wherever it begins, as the server counts them when they arrive: up to a "
        "quarter of the latency late by chance, and a whole one on a new connection; each connection ends after 15 "
        f"answers. Up to {bench.plan.at_once} loads at the same time, each of an account that was never loaded from."
    )
    return Section("A rolling limit", words, _head(), rows, goals)


def spaced(bench: Bench) -> Section:
    """Measure loads from a server that allows no bursts, and what is remembered of it."""
    latency = bench.plan.latencies[1]
    urls = {(latency, OURS): [_serve(bench, latency=latency, spaced=True) for _ in range(bench.plan.few)]}
    with _pool(bench, [OURS], bench.plan.few) as pool:
        first, again = (_loads(bench, pool, urls)[latency, OURS] for _ in range(2))
    name = "A server without bursts"
    goals = [
        Goal(f"{name}: of (P − 1)/{RATE} + latency", _times_least(bench, latency, first), most=2),
        Goal(f"{name}: refusals", max(load.refused for load in first), most=RATE, unit=""),
        Goal(f"{name}, the next load: of (P − 1)/{RATE} + latency", _times_least(bench, latency, again), most=2),
        Goal(f"{name}, the next load: refusals", max(load.refused for load in again), most=0, unit=""),
    ]
    rows = [["first load", *_row(bench, latency, first)], ["next load", *_row(bench, latency, again)]]
    words = f"Requests have to come 1/{RATE} s apart, which nobody says before the first refusal; {in_ms(latency)}."
    return Section(name, words, _head(), rows, goals)


def _rolling(bench: Bench) -> dict[_Case, list[_Load]]:
    others = [NAPPING, DLT] if "dlt" in bench.rivals else [NAPPING]
    counts = dict.fromkeys(others, bench.plan.few) | {OURS: bench.plan.clean_runs}
    urls: dict[_Case, list[str]] = {}
    for latency in bench.plan.latencies[1:]:
        network = {"latency": latency, "jitter": latency / 4, "cold": latency, "keep": 15}
        for name, count in counts.items():
            urls[latency, name] = [_serve(bench, **network) for _ in range(count)]
    with _pool(bench, list(counts), sum(map(len, urls.values()))) as pool:
        return _loads(bench, pool, urls)


def _serve(bench: Bench, **network: float) -> str:
    return bench.server.serve(size=bench.plan.paged, rate=RATE, **network)


def _pool(bench: Bench, ways: Sequence[str], loads: int) -> ProcessPoolExecutor:
    context, count = multiprocessing.get_context("spawn"), min(loads, bench.plan.at_once)
    ready = (ways, bench.server.serve(size=catalogue.LIMIT), context.Barrier(count))
    return ProcessPoolExecutor(count, context, initializer=_get_ready, initargs=ready)


def _get_ready(ways: Sequence[str], url: str, everybody: Barrier) -> None:
    """Import in a process all that loads need; nothing is timed before all are done with it."""
    for name in ways:
        _ways()[name](url)
    everybody.wait(_READY)


def _loads(bench: Bench, pool: ProcessPoolExecutor, urls: Mapping[_Case, Sequence[str]]) -> dict[_Case, list[_Load]]:
    before = {url: bench.server.counts(url).refused for each in urls.values() for url in each}
    running = {case: [(url, pool.submit(_seconds, case[1], url)) for url in each] for case, each in urls.items()}
    return {
        case: [_Load(load.result(), bench.server.counts(url).refused - before[url]) for url, load in loads]
        for case, loads in running.items()
    }


def _seconds(name: str, url: str) -> float:
    # At any moment: loads that begin together would wait for the processor, and not for the server, in each second.
    time.sleep(random.random())  # noqa: S311  no secret
    return seconds_of(partial(_ways()[name], url))


def _ways() -> dict[str, Callable[[str], Tables]]:
    return {
        OURS: partial(ours.load, pace=RATE),
        NAPPING: lambda url: by_hand.typed(by_hand.fetched(url, nap=1 / RATE)),
        DLT: rivals.by_dlt,
    }


def _times_least(bench: Bench, latency: float, loads: Sequence[_Load]) -> float:
    """Return the median time in multiples of the least that an even pace takes."""
    least = (catalogue.page_count(bench.plan.paged) - 1) / RATE + latency
    return median(load.seconds for load in loads) / least


def _head() -> list[str]:
    return [f"× (P − 1)/{RATE} + latency", "time", "429s a load, mean", "worst", "loads"]


def _row(bench: Bench, latency: float, loads: Sequence[_Load]) -> list[str]:
    refused = [load.refused for load in loads]
    mean = sum(refused) / len(refused)
    return [shown(_times_least(bench, latency, loads)), f"{mean:.2g}", str(max(refused)), str(len(loads))]
