"""How many requests an account may be sent: permits, counted from the answers. Pure: the clock is passed in.

The server counts requests as they arrive, and nobody here knows when that is: a new connection takes longer than one
that is open. What is known is that a request had arrived when its answer came.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import Struct, field

#: What amoCRM allows an integration: so many requests in any second.
RATE: Final = 7

#: No permit counts for longer, in seconds; what says so is from before the machine was started anew.
LONGEST: Final = 600.0

_DAY: Final = 86_400.0


class Permits(Struct):
    """The permits of one account, as all that send to it share them; times are seconds on the machine's clock.

    Attributes
    ----------
    held : dict of float
        Until when each counts, by its name.
    pause : float
        Until when nothing is sent, a day at the most.
    paused : float
        When that began; if that is yet to come, it was before the machine was started anew.
    refused : float or None
        When a request was refused for being too many although the pace had been kept: bursts are not allowed there.
    """

    held: dict[str, float] = field(default_factory=dict)
    pause: float = 0.0
    paused: float = 0.0
    refused: float | None = None

    def take(self, name: str, rate: int, now: float, lease: float) -> tuple[float, float]:
        """Hold a permit if there is one.

        It counts until it is settled, or the lease is over: its holder may be killed.

        Returns
        -------
        tuple of float
            For how many seconds at the least there is none, 0 if it is held now; and how many of them are a pause.
        """
        self.held = {name: until for name, until in self.held.items() if now < until <= now + LONGEST}
        counting = sorted(self.held.values())
        allowed = 1 if self.is_spaced(now) else rate
        free_at = counting[-allowed] if len(counting) >= allowed else now
        pause = self._pause_left(now)
        if not pause:
            self.pause = 0.0  # one from before must not come back when the machine has run for as long again
        wait = max(free_at - now, pause)
        if not wait:
            self.held[name] = now + min(lease, LONGEST)
        return wait, pause

    def settle(self, name: str, rate: int, now: float, credit: float) -> None:
        """Let a permit count for a second from the answer on that has just come, less what is credited."""
        self.held[name] = now + (1 / rate if self.is_spaced(now) else 1.0) - credit

    def give_back(self, name: str) -> None:
        """Let a permit go that nothing was sent with."""
        self.held.pop(name, None)

    def pause_for(self, seconds: float, now: float, *, spaced: bool) -> None:
        """Give out none for so long, or for as long as a pause lasts already, and one at a time from then on."""
        self.paused, self.pause = now, now + max(min(seconds, _DAY), self._pause_left(now))
        if spaced:
            self.refused = now

    def join(self, other: Permits) -> None:
        """Count what was counted elsewhere as well."""
        self.held |= other.held
        self.pause, self.paused = max((self.pause, self.paused), (other.pause, other.paused))
        self.refused = max(self.refused, other.refused, key=lambda when: -1.0 if when is None else when)

    def is_spaced(self, now: float) -> bool:
        """Return whether one request at a time is sent, 1/rate seconds apart: for a day after a refusal."""
        return self.refused is not None and 0 <= now - self.refused < _DAY

    def _pause_left(self, now: float) -> float:
        return self.pause - now if self.paused <= now < self.pause else 0.0


class RoundTrips:
    """The latest round trips.

    A permit that counts from its answer counts too long: by the answer's way back, and the next request's way there.
    Together they take no less than the fastest round trip. What is known of those on new connections errs on the short
    side, and counts no more once there are enough on connections that were open before: of few each may have been late.
    """

    #: So many have to be known of any, and so many that are sure, of as many as are kept.
    _ENOUGH, _ENOUGH_SURE, _KEPT = 4, 24, 64
    #: How much of the fastest is counted on, and how many seconds a busy machine may be late by.
    _SURE, _LATE = 0.9, 0.01

    def __init__(self) -> None:
        self._open: deque[float] = deque(maxlen=self._KEPT)
        self._new: deque[float] = deque(maxlen=self._KEPT)

    def add(self, seconds: float, *, is_new: bool = False) -> None:
        """Remember one."""
        (self._new if is_new else self._open).append(seconds)

    def credit(self, seconds: float) -> float:
        """Return how much sooner a permit is free again than a second after its answer, which took so many seconds."""
        known = self._open if len(self._open) >= self._ENOUGH_SURE else [*self._open, *self._new]
        if len(known) < self._ENOUGH:
            return 0.0
        return max(0.0, self._SURE * min(seconds, *known) - self._LATE)
