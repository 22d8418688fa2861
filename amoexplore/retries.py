"""What is tried again, how often, and after how long. Pure: the draw is passed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from amoexplore import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

#: For longer nobody waits, even where the service asks for it; in seconds.
CAP: Final = 300.0


class Policy(NamedTuple):
    """Why a read is sent again, in words, and how many seconds to wait before each further time."""

    why: str
    waits: tuple[float, ...]


#: Which failures of a read may be over at the next try.
POLICIES: Final[Mapping[type[errors.AmoError], Policy]] = {
    errors.TooManyRequests: Policy("too many requests", (1, 2, 4, 8, 16)),
    errors.ServerError: Policy("the service fails", (0.5, 1, 2)),
    errors.TimedOut: Policy("no answer", (0.5, 1)),
    # At once: servers close idle connections, and a notebook is often idle.
    errors.ConnectionDropped: Policy("the connection broke", (0, 0.5, 1)),
    # Where an answer has come before; else the address is wrong.
    errors.ConnectionRefused: Policy("no connection", (1, 2, 4)),
    # A page of maintenance, or half an answer.
    errors.BadAnswer: Policy("what came is no answer of the API", (0.5, 1)),
}


def wait(error: errors.AmoError, tries: int, drawn: float) -> float | None:
    """Return how many seconds to wait before a read is sent again; None if it is not.

    What the service asks for counts. Other waits are up to a half longer, by a number from 0 to 1 that is drawn: those
    that failed together do not come again together.
    """
    waits = POLICIES[type(error)].waits if type(error) in POLICIES else ()
    if tries > len(waits) or (error.retry_after or 0) > CAP:
        return None
    return waits[tries - 1] * (1 + drawn / 2) if error.retry_after is None else max(error.retry_after, 0) + drawn / 2
