from __future__ import annotations

import heapq
import random
from copy import copy
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amoexplore.permits import LONGEST, RATE, Permits, RoundTrips

LEASE = 60.0
# Less than the clock tells apart.
HAIR = 1e-9

rates = st.integers(1, 20)
milliseconds = st.integers(0, 1500).map(lambda number: number / 1000)
trips = st.lists(st.tuples(milliseconds, milliseconds), min_size=1, max_size=60)


def arrivals(
    permits: Permits, rate: int, ways: list[tuple[float, float]], *, credit: float = 0.0, now: float = 0.0
) -> list[float]:
    """Return when requests arrive that are all wanted at once, each by its way there and its way back."""
    under_way: list[tuple[float, str]] = []
    arrived = []
    for number, (there, back) in enumerate(ways):
        while wait := permits.take(name := str(number), rate, now, LEASE)[0]:
            # The next thing to happen: an answer, or the end of the wait.
            if under_way and under_way[0][0] <= now + wait:
                now, done = heapq.heappop(under_way)
                permits.settle(done, rate, now, credit)
            else:
                now += wait
        arrived.append(now + there)
        heapq.heappush(under_way, (now + there + back, name))
    return sorted(arrived)


def holds(arrived: list[float], rate: int) -> bool:
    """Tell whether no second, wherever it begins, has more requests than the rate."""
    return all(last - first >= 1 - HAIR for first, last in zip(arrived, arrived[rate:], strict=False))


@given(rates, trips)
def test_never_too_many(rate: int, ways: list[tuple[float, float]]) -> None:
    """However long each request takes there and back, no second at the server has more than the rate."""
    assert holds(arrivals(Permits(), rate, ways), rate)


@given(rates, st.tuples(milliseconds, milliseconds), trips)
def test_never_too_many_with_credit(rate: int, least: tuple[float, float], late: list[tuple[float, float]]) -> None:
    """Nor where permits are free sooner, by nine tenths of the fastest round trip."""
    ways = [(least[0] + there, least[1] + back) for there, back in late]
    assert holds(arrivals(Permits(), rate, ways, credit=0.9 * sum(least)), rate)


def loaded(chance: random.Random, latency: float, jitter: float) -> list[float]:
    """Return when the requests of a first load arrive: one alone, then as they may; six connections are new by then."""
    permits, trips, now = Permits(), RoundTrips(), 0.0
    under_way: list[tuple[float, float, str, bool]] = []
    arrived = []

    def hear() -> float:
        answered, sent, name, is_new = heapq.heappop(under_way)
        trip = (answered - sent) / (2 if is_new else 1)
        trips.add(trip, is_new=is_new)
        permits.settle(name, RATE, answered, trips.credit(trip))
        return answered

    for number in range(6 * RATE):
        if number == 1:
            now = hear()
        while wait := permits.take(str(number), RATE, now, LEASE)[0]:
            now = hear() if under_way and under_way[0][0] <= now + wait else now + wait
        is_new = number == 0 or 2 <= number < RATE
        arrived.append(now + (1.5 if is_new else 0.5) * latency + chance.uniform(0, jitter))
        heapq.heappush(under_way, (arrived[-1] + latency / 2, now, str(number), is_new))
    return sorted(arrived)


@pytest.mark.parametrize("latency", [0.1, 0.3])
def test_never_too_many_where_chance_delays(latency: float) -> None:
    """Nor in a thousand loads where each request comes up to half of the latency later, by chance."""
    chance = random.Random(0)  # noqa: S311  the same chance each time
    loads = [loaded(chance, latency, latency / 2) for _ in range(1000)]
    assert [arrived for arrived in loads if not holds(arrived, RATE)] == []


@given(rates, st.integers(1, 60), milliseconds)
def test_no_slower_than_need_be(rate: int, requests: int, round_trip: float) -> None:
    """Each permit is used once a second and a round trip: the last request waits for no more than that."""
    arrived = arrivals(Permits(), rate, [(0.0, round_trip)] * requests)
    assert abs(arrived[-1] - (requests - 1) // rate * (1 + round_trip)) < HAIR * requests


@given(rates, trips)
def test_spaced(rate: int, ways: list[tuple[float, float]]) -> None:
    """After a refusal requests arrive one by one, 1/rate seconds apart at the least."""
    permits = Permits()
    permits.pause_for(1, 0, spaced=True)
    arrived = arrivals(permits, rate, ways)
    assert arrived[0] >= 1
    assert all(after - before >= 1 / rate - HAIR for before, after in pairwise(arrived))


def test_spacing_is_forgotten_after_a_day() -> None:
    """A day later bursts are tried again; and before, after the machine was started anew, too."""
    permits = Permits()
    permits.pause_for(1, 1000, spaced=True)
    assert [permits.is_spaced(now) for now in (1000, 1000 + 86_399, 1000 + 86_400, 999)] == [True, True, False, False]


@given(rates, st.integers(2, 1200))
def test_permits_of_the_dead_come_back(rate: int, lease: int) -> None:
    """Permits that nobody settles count as long as their lease, and none longer than LONGEST."""
    permits = Permits()
    for number in range(rate):
        permits.take(str(number), rate, 0, lease)
    until = min(lease, LONGEST)
    assert permits.take("next", rate, until / 2, 1)[0] == until / 2
    assert permits.take("next", rate, until, 1)[0] == 0


@given(rates, st.floats(0, 1e6), st.floats(0, 1e6))
def test_what_is_from_before_a_restart_does_not_count(rate: int, then: float, now: float) -> None:
    """A machine that was started anew counts its seconds from zero; nobody waits for a time that was before."""
    permits = Permits()
    permits.pause_for(300, then, spaced=False)
    for number in range(rate):
        permits.held[str(number)] = then
    assert permits.take("next", rate, now, 1)[0] <= LONGEST


def test_longer_pause_counts() -> None:
    """A pause that others have begun is not cut short, and one that is longer replaces it."""
    permits = Permits()
    permits.pause_for(10, 0, spaced=False)
    permits.pause_for(1, 5, spaced=False)
    assert permits.take("a", 7, 5, 1) == (5, 5)
    permits.pause_for(30, 5, spaced=False)
    assert permits.take("a", 7, 5, 1) == (30, 30)


@given(st.permutations([(5, 0.0, None), (30, 10.0, 1.0), (20, 15.0, 2.0)]))
def test_joined(kept: list[tuple[float, float, float | None]]) -> None:
    """What was counted in several places counts all together, in whatever order."""
    permits = Permits()
    for number, (pause, paused, refused) in enumerate(kept):
        permits.join(Permits({str(number): 1.0}, pause, paused, refused))
    assert permits == Permits({"0": 1.0, "1": 1.0, "2": 1.0}, 30, 10.0, 2.0)


def test_long_pause() -> None:
    """A pause lasts as long as it was asked for, a day at the most, and none that began before a restart counts."""
    permits = Permits()
    permits.pause_for(3600, 5000, spaced=False)
    left = [copy(permits).take("a", 7, now, 1)[1] for now in (5000, 5600, 8599, 8600, 4999, 0)]
    assert left == [3600, 3000, 1, 0, 0, 0]
    permits.pause_for(1e300, 5000, spaced=False)
    assert permits.take("a", 7, 5000, 1)[1] == 86_400


def test_a_pause_from_before_a_restart_is_forgotten() -> None:
    """Nor does it come back when the machine has run for as long again."""
    permits = Permits()
    permits.pause_for(3600, 5000, spaced=False)
    assert permits.take("a", 7, 10, 1) == (0, 0)
    assert permits.take("b", 7, 5001, 1) == (0, 0)


seconds = st.floats(0.001, 10)


@given(st.lists(seconds, max_size=100), st.lists(seconds, max_size=9))
def test_credit(on_open: list[float], on_new: list[float]) -> None:
    """Before four round trips are known nothing is credited; then less than the fastest of the latest known to be."""
    trips = RoundTrips()
    for second in on_open:
        trips.add(second)
    for second in on_new:
        trips.add(second, is_new=True)
    known = on_open[-64:] if len(on_open) >= 24 else on_open + on_new
    expected = max(0, 0.9 * min(known) - 0.01) if len(known) >= 4 else 0
    assert trips.credit(10) == expected


def test_no_trip_is_credited_with_more_than_itself() -> None:
    """A request that was answered sooner than all that were counted, as by a lighter page, is credited by itself."""
    trips = RoundTrips()
    for _ in range(8):
        trips.add(0.6)
    assert [trips.credit(seconds) for seconds in (0.6, 0.1, 0.0)] == [0.9 * 0.6 - 0.01, 0.9 * 0.1 - 0.01, 0.0]
