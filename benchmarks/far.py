"""What there is to wait for: latency, and bursts under a limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import by_hand, catalogue, ours, rivals
from benchmarks.report import Goal, Section, shown
from benchmarks.timing import interleaved

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.plan import Bench
    from benchmarks.rivals import Tables

#: Requests a second that amoCRM allows.
RATE = 7
FIRST, KNOWN, TYPED = "amoexplore, first load", "amoexplore, number of pages known", "by hand, typed"


class Urls(NamedTuple):
    """An account that was never loaded from, and one that was."""

    fresh: str
    known: str


def latencies(bench: Bench) -> Section:
    """Measure whole jobs far away, without a limit."""
    ways: dict[str, Callable[[Urls], Tables]] = {
        TYPED: lambda urls: by_hand.typed(by_hand.fetched(urls.fresh)),
        FIRST: lambda urls: ours.load(urls.fresh),
        KNOWN: lambda urls: ours.load(urls.known),
    }
    measured = {}
    for latency in bench.plan.latencies:
        given = two_accounts(bench, size=bench.plan.paged, latency=latency)
        measured[latency] = interleaved(ways, bench.plan.few, given)
    goals = [
        Goal(f"{name} at {in_ms(latency)}: as fast as by hand, typed", seconds[TYPED] / seconds[name], least=12)
        for latency, seconds in measured.items()
        if latency == bench.plan.latencies[1]
        for name in (FIRST, KNOWN)
    ]
    rows = [[name, *(shown(times[TYPED] / times[name]) for times in measured.values())] for name in ways]
    head = ["× as fast as by hand, typed", *map(in_ms, measured)]
    pages = catalogue.page_count(bench.plan.paged)
    return Section(
        "Latency", f"A whole job of {pages} pages, so far away there and back, without a limit.", head, rows, goals
    )


def burst(bench: Bench) -> Section:
    """Measure catalogues whose pages fit into a second's permits."""
    ways: dict[str, Callable[[Urls], Tables]] = {
        "one page after the other": lambda urls: rivals.floor(by_hand.fetched(urls.fresh)),
        TYPED: lambda urls: by_hand.typed(by_hand.fetched(urls.fresh)),
        FIRST: lambda urls: ours.load(urls.fresh, RATE),
        KNOWN: lambda urls: ours.load(urls.known, RATE),
    }
    latency, sizes = bench.plan.latencies[1], (bench.plan.burst - 1, bench.plan.burst)
    measured, goals = {}, []
    for size in sizes:
        given = two_accounts(bench, bench.plan.rest, size=size, latency=latency, rate=RATE)
        measured[size] = interleaved(ways, bench.plan.few, given)
        ratio = measured[size]["one page after the other"] / measured[size][KNOWN]
        goals.append(
            Goal(f"{size:,} widgets under {RATE} a second, number known: as fast as one by one", ratio, least=3)
        )
    rows = [
        [name, *(shown(times["one page after the other"] / times[name]) for times in measured.values())]
        for name in ways
    ]
    words = (
        f"Under {RATE} requests a second at {in_ms(latency)}, where all pages fit into one burst. One page after the "
        f"other is requests and the floor. {sizes[0]:,} widgets leave room on the last page; {sizes[1]:,} fill it, so "
        "that the first load learns from an answer without widgets that nothing follows."
    )
    return Section("A burst", words, ["× as fast as one by one", *(f"{size:,} widgets" for size in sizes)], rows, goals)


def two_accounts(bench: Bench, pause: float = 0.0, **conditions: float) -> Callable[[], Urls]:
    """Return what gives the accounts of a run, after a pause: the second one is the same each time, loaded before."""
    known = bench.server.serve(**conditions)
    ours.load(known, RATE if "rate" in conditions else None)

    def urls() -> Urls:
        time.sleep(pause)
        return Urls(bench.server.serve(**conditions), known)

    return urls


def in_ms(seconds: float) -> str:
    """Return a latency as people say it."""
    return f"{seconds * 1000:g} ms"
