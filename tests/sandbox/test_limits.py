from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import combinations, pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page import call
from programs import program

from amoexplore.sandbox import Limits, Sandbox, gateway
from amoexplore.sandbox.limits import SECOND, Limiter, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

LIST = "/api/v4/widgets?limit=1"

# Whole numbers around the edges of a period of ten, as nanoseconds around those of a second.
steps = st.lists(st.integers(0, 12), max_size=12)
limits = st.integers(1, 4)
PERIOD = 10


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass for the limits."""
    monkeypatch.setattr(gateway, "time", SimpleNamespace(monotonic_ns=lambda: 0))


def times(gaps: Sequence[int]) -> list[int]:
    """Return the times at which requests come that are so far apart."""
    return [sum(gaps[: number + 1]) for number in range(len(gaps))]


def admitted(window: Window, coming: Sequence[int]) -> list[int]:
    """Return those of the requests that the window has room for."""
    taken = []
    for now in coming:
        if not window.wait(now):
            window.admit(now)
            taken.append(now)
    return taken


def holds(taken: Sequence[int], limit: int) -> bool:
    """Tell whether no period, wherever it begins, has more than so many; the end of a period is not part of it."""
    return all(last - first >= PERIOD for first, last in zip(taken, taken[limit:], strict=False))


@given(gaps=steps, limit=limits)
def test_never_too_many(gaps: list[int], limit: int) -> None:
    """No period has more requests than the limit, whatever comes."""
    assert holds(admitted(Window(limit, PERIOD), times(gaps)), limit)


@given(gaps=st.lists(st.integers(0, 12), max_size=9), limit=limits)
def test_as_many_as_can_be(gaps: list[int], limit: int) -> None:
    """No other choice among the requests that come would hold to the limit and have more of them."""
    coming = times(gaps)
    most = max(
        size for size in range(len(coming) + 1) if any(holds(chosen, limit) for chosen in combinations(coming, size))
    )
    assert len(admitted(Window(limit, PERIOD), coming)) == most


@given(gaps=steps, limit=limits)
def test_wait_is_exact(gaps: list[int], limit: int) -> None:
    """Who waits as long as was said is admitted, who waits any less is not."""
    window = Window(limit, PERIOD)
    admitted(window, coming := times(gaps))
    now = coming[-1] if coming else 0
    wait = window.wait(now)
    assert window.wait(now + wait) == 0
    assert not wait or window.wait(now + wait - 1) == 1


@given(rate=st.integers(1, 50))
def test_spaced_requests(rate: int) -> None:
    """Without bursts there are at least 1/rate seconds between two, so never more than the rate in a second."""
    limiter = Limiter(Limits(rate=rate, spaced=True, block_after=None))
    now, taken = 0, []
    while now <= 2 * SECOND:
        assert limiter.ask("one", now) == 0
        taken.append(now)
        now += limiter.ask("one", now)
    assert all(SECOND <= rate * (after - before) < SECOND + rate for before, after in pairwise(taken))


def test_clients_are_counted_apart_and_together() -> None:
    """Each client has its own rate, and all have the account's; a refusal counts for nobody."""
    limiter = Limiter(Limits(rate=2, account_rate=3))
    assert [limiter.ask("one", 0) for _ in range(3)] == [0, 0, SECOND]
    assert [limiter.ask("two", 1) for _ in range(2)] == [0, SECOND - 1]
    assert [limiter.ask("two", SECOND) for _ in range(3)] == [0, 1, 1]
    assert limiter.ask("two", SECOND + 1) == 0


def test_an_account_has_fifty() -> None:
    """Unless it is said otherwise all clients have fifty together, and one that may have more has it."""
    for limits, expected in ((Limits(), 50), (Limits(rate=80), 80)):
        limiter = Limiter(limits)
        assert sum(limiter.ask(str(number), 0) == 0 for number in range(100) for _ in range(limits.rate)) == expected


def test_blocks_who_does_not_stop() -> None:
    """So many refusals within a minute block the account; a minute later they are forgotten."""
    limiter = Limiter(Limits(rate=1, block_after=2))
    refused = [limiter.ask("one", now) for now in (0, 1, 61 * SECOND, 61 * SECOND + 1)]
    assert (refused[1] > 0, limiter.is_blocked) == (True, False)
    limiter.ask("one", 61 * SECOND + 2)
    assert limiter.is_blocked
    limiter.reset()
    assert (limiter.ask("one", 61 * SECOND + 3), limiter.is_blocked) == (0, False)


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({"rate": 0}, "rate can't be 0"),
        ({"account_rate": -1}, "account_rate can't be -1"),
        ({"block_after": 0}, "block_after can't be 0"),
        ({"rate": 7, "account_rate": 6}, "6 is below the 7"),
        ({"rate": 7.5}, r"rate can't be 7\.5"),
        ({"rate": "7"}, "rate can't be '7'"),
        ({"rate": None}, "rate can't be None"),
        ({"address_rate": 0.5}, r"address_rate can't be 0\.5"),
        ({"shape": "xml"}, "there is no shape 'xml'; there are json, header and html"),
    ],
)
def test_limits_that_cannot_be(given_: dict[str, Any], why: str) -> None:
    """What nobody could keep to is told at once."""
    with pytest.raises(ValueError, match=why):
        Limits(**given_)


@pytest.mark.parametrize("rate", [7.5, "7", 0])
def test_rates_that_cannot_be(rate: Any) -> None:
    """A sandbox tells at once what is no rate."""
    with pytest.raises(ValueError, match=f"rate can't be {rate!r}: it is a whole number from 1 on"):
        Sandbox(rate=rate)


def test_no_limits_unless_asked_for(sandbox: Sandbox) -> None:
    """A sandbox takes any number of requests."""
    assert {call(sandbox, LIST).status for _ in range(60)} == {200}


HAMMER = """
import http.client, json, sys, time
from concurrent.futures import ThreadPoolExecutor
host, token = sys.argv[1:]
def ask(_):
    connection = http.client.HTTPConnection(host, timeout=30)
    statuses = []
    for _ in range(10):
        connection.request("GET", "/api/v4/widgets?limit=1", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses
print(flush=True)
sys.stdin.read()
with ThreadPoolExecutor(8) as pool:
    print(json.dumps(sum(pool.map(ask, range(8)), [])))
"""


def test_threads_and_processes() -> None:
    """Three processes of eight threads that all ask at once get what the rate allows, and 429 for the rest."""
    with Sandbox(size=1, rate=Limits(block_after=None)) as sandbox, ExitStack() as stack:
        command = (sys.executable, "-c", HAMMER, sandbox.url.removeprefix("http://"), sandbox.token)
        started = [stack.enter_context(program(*command, stdin=subprocess.PIPE)) for _ in range(3)]
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        begin = time.monotonic()
        # Their input ends, and they begin.
        with ThreadPoolExecutor(3) as pool:
            outputs = [output for output, _ in pool.map(subprocess.Popen.communicate, started)]
        seconds = time.monotonic() - begin
    statuses = [status for output in outputs for status in json.loads(output)]
    assert (len(statuses), set(statuses)) == (240, {200, 429})
    assert 7 <= statuses.count(200) <= 7 * (int(seconds) + 1)


@pytest.mark.usefixtures("still")
def test_blocked_until_support_helps() -> None:
    """A blocked account answers everything with nginx's 403, also where tokens are exchanged, until it is unblocked."""
    with Sandbox(size=1, rate=Limits(rate=1, block_after=2)) as sandbox:
        assert [call(sandbox, LIST).status for _ in range(4)] == [200, 429, 429, 403]
        for target in ("/oauth2/access_token", "/nothing", LIST):
            answer = call(sandbox, target, method="POST", Authorization="")
            assert (answer.status, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
            assert answer.headers["X-Request-Id"] is None
        for lift in (sandbox.unblock, sandbox.reset):
            lift()
            assert [call(sandbox, LIST).status for _ in range(4)] == [200, 429, 429, 403]


@pytest.mark.usefixtures("still")
def test_without_bursts() -> None:
    """Two requests at once are one too many where they have to be spaced, and the refusal has the shape asked for."""
    with Sandbox(size=1, rate=Limits(rate=1, spaced=True, shape="json")) as sandbox:
        assert call(sandbox, LIST).status == 200
        answer = call(sandbox, LIST)
        assert (answer.status, answer.json["retry_after"]) == (429, 1)
