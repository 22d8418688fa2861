from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amoexplore import errors
from amoexplore.retries import CAP, POLICIES, wait

kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AmoError)]
drawn = st.floats(0, 1)


@pytest.mark.parametrize("kind", kinds)
def test_what_is_tried_again(kind: type[errors.AmoError]) -> None:
    """Only what may be over at the next try is tried again, and an error's special cases are not."""
    tried = {"TooManyRequests", "ServerError", "TimedOut", "ConnectionDropped", "ConnectionRefused", "BadAnswer"}
    assert (wait(kind("no"), 1, 0.5) is not None) is (kind.__name__ in tried)


@given(st.sampled_from(list(POLICIES)), drawn)
def test_waits_grow_and_end(kind: type[errors.AmoError], drawn: float) -> None:
    """Each wait is longer than the one before, and after a few tries there is none."""
    waits = [wait(kind("no"), tries, drawn) for tries in range(1, len(POLICIES[kind].waits) + 2)]
    assert waits.pop() is None
    assert waits == sorted(set(waits), key=lambda seconds: seconds or 0)


@given(st.sampled_from(list(POLICIES)), drawn)
def test_waits_are_jittered(kind: type[errors.AmoError], drawn: float) -> None:
    """A wait is up to a half longer than the table says."""
    for tries, least in enumerate(POLICIES[kind].waits, 1):
        assert wait(kind("no"), tries, drawn) == pytest.approx(least * (1 + drawn / 2))


@pytest.mark.parametrize(
    ("asked", "expected"), [(0.0, 0.0), (7.0, 7.0), (CAP, CAP), (CAP + 1, None), (-5.0, 0.0), (None, 1.0)]
)
def test_what_the_service_asks_for(asked: float | None, expected: float | None) -> None:
    """What a 429 asks for is waited for, neither less nor much more, unless it is too long."""
    error = errors.TooManyRequests("no", retry_after=asked)
    assert wait(error, 1, 0.0) == expected
    assert expected is None or expected <= (wait(error, 1, 1.0) or 0) <= expected + 0.5
