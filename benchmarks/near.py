"""What the processor has to do: pages in memory, and pages from a server without any latency."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import by_hand, catalogue, ours, rivals
from benchmarks.report import Goal, Section, shown
from benchmarks.timing import interleaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from benchmarks.plan import Bench
    from benchmarks.rivals import Tables

    Seconds = dict[str, float]

TYPED, UNTYPED, OURS, FLOOR = "by hand, typed", "by hand, untyped", "amoexplore", "floor"


def decoding(bench: Bench) -> Section:
    """Measure pages in memory to tables."""
    ways: dict[str, Callable[[Iterable[bytes]], Tables]] = {
        TYPED: by_hand.typed,
        UNTYPED: by_hand.untyped,
        **({"polars": rivals.by_polars} if "polars" in bench.rivals else {}),
        OURS: ours.decoded,
        FLOOR: rivals.floor,
    }
    measured, goals = {}, []
    for size, runs in _sizes(bench):
        bodies = list(by_hand.fetched(bench.server.serve(size=size)))
        if size == bench.plan.small:
            unalike = catalogue.unalike(bodies)
            _demand_same(ways, bodies)
            _demand_same(ways, unalike)
            measured[f"{size:,}, each template its own"] = interleaved(
                ways, runs, partial(list, unalike), bench.plan.quick
            )
        name = f"{size:,} widgets"
        measured[name] = seconds = interleaved(ways, runs, partial(list, bodies), bench.plan.quick)
        what = f"Decoding alone, {name}"
        goals.append(Goal(f"{what}: as fast as by hand, typed", seconds[TYPED] / seconds[OURS], least=10))
        goals.append(Goal(f"{what}: the time of the floor", seconds[OURS] / seconds[FLOOR], most=1.15))
    words = (
        "From pages in memory to the two tables: frames of pandas or of polars, the floor's in Arrow. Many widgets of "
        "the sandbox have the same few templates, which amoexplore reads once a page; in one column no two have."
    )
    return Section("Decoding alone", words, *_times_typed(measured), goals)


def whole_job(bench: Bench) -> Section:
    """Measure an address to tables."""
    ways: dict[str, Callable[[str], Tables]] = {
        TYPED: lambda url: by_hand.typed(by_hand.fetched(url)),
        UNTYPED: lambda url: by_hand.untyped(by_hand.fetched(url)),
        **({"dlt → DataFrame": rivals.by_dlt} if "dlt" in bench.rivals else {}),
        **({"polars a page": lambda url: rivals.by_polars(by_hand.fetched(url))} if "polars" in bench.rivals else {}),
        OURS: ours.load,
    }
    _demand_same(ways, bench.server.serve(size=bench.plan.small))
    measured = {f"{size:,} widgets": _whole_job(ways, bench, size, runs) for size, runs in _sizes(bench)}
    goals = []
    for (size, seconds), least in zip(measured.items(), (5.5, 6.5), strict=True):
        name = f"Whole job, {size}: as fast as"
        goals.append(Goal(f"{name} by hand, typed", seconds[TYPED] / seconds[OURS], least=least))
        if "dlt" in bench.rivals:
            goals.append(Goal(f"{name} dlt → DataFrame", seconds["dlt → DataFrame"] / seconds[OURS], least=3))
    words = (
        "From an address to the two tables, over HTTP without latency. dlt is its `rest_api` source, its records made "
        "into typed frames at once. The floor here is that of decoding alone: it has no network to wait for."
    )
    return Section("Whole job", words, *_times_typed(measured), goals)


def growth(bench: Bench) -> Section:
    """Measure how a widget's time grows with the catalogue."""
    sizes = (bench.plan.small, bench.plan.huge)
    urls = {size: bench.server.serve(size=size) for size in sizes}
    ways = {f"{size:,}": lambda _, url=url: ours.load(url) for size, url in urls.items()}
    seconds = interleaved(ways, bench.plan.few, lambda: None)
    each = [taken / size for size, taken in zip(sizes, seconds.values(), strict=True)]
    rows = [[f"{size:,}", shown(one / each[0])] for size, one in zip(sizes, each, strict=True)]
    goal = Goal(f"Time of a widget at {sizes[1]:,}, beside {sizes[0]:,}", each[1] / each[0], most=1.5)
    words = f"The time of one widget in a whole job, in multiples of that in a catalogue of {sizes[0]:,}."
    return Section("Large catalogues", words, ["widgets", "× time of one"], rows, [goal])


def _sizes(bench: Bench) -> list[tuple[int, int]]:
    return [(bench.plan.small, bench.plan.runs), (bench.plan.large, bench.plan.few)]


def _whole_job(ways: Mapping[str, Callable[[str], Tables]], bench: Bench, size: int, runs: int) -> Seconds:
    url = bench.server.serve(size=size)
    bodies = list(by_hand.fetched(url))
    floor = {FLOOR: lambda _: rivals.floor(bodies)}
    return interleaved({**ways, **floor}, runs, lambda: url, bench.plan.quick)


def _demand_same(ways: Mapping[str, Callable[..., Tables]], given: object) -> None:
    expected = ways[OURS](given)
    for name, way in ways.items():
        if name != UNTYPED:  # what typed begins with
            rivals.demand_same(expected, way(given))


def _times_typed(measured: Mapping[str, Seconds]) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of a table: how many times as fast as by hand, typed."""
    head = ["× as fast as by hand, typed", *measured]
    names = next(iter(measured.values()))
    return head, [[name, *(shown(times[TYPED] / times[name]) for times in measured.values())] for name in names]
