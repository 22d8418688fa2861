"""How many requests an account takes, counted as a server counts: in a window that rolls with each of them. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Literal, TypeAlias, get_args

import msgspec

Shape: TypeAlias = Literal["json", "header", "html"]

# Times are whole nanoseconds: fractions of a second do not add up exactly.
SECOND = 10**9
_MINUTE = 60 * SECOND
_ACCOUNT_RATE = 50


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an account takes.

    Attributes
    ----------
    rate
        Requests a second of one client: an integration, or a user's token.
    account_rate
        Requests a second of all of them together; 50 if None, or `rate` if that is more.
    address_rate
        Requests a second of one address to all accounts together, as Kommo counts; None does not count them so.
    spaced
        No burst allowance: a client's requests have to be 1/rate seconds apart.
    block_after
        After so many refusals within a minute the account is blocked; None never blocks it.
    shape
        What a refusal looks like: `html`, as nginx's page, `json` with retry_after, or `header` with Retry-After.

    Raises
    ------
    ValueError
        If a number is no whole one from 1 on, the account's rate is below that of one client, or there is no such
        shape.
    """

    rate: int = 7
    account_rate: int | None = None
    address_rate: int | None = None
    spaced: bool = False
    block_after: int | None = 100
    shape: Shape = "html"

    def __post_init__(self) -> None:
        for name in ("rate", "account_rate", "address_rate", "block_after"):
            value = getattr(self, name)
            is_left_out = value is None and name != "rate"
            if not is_left_out and not (isinstance(value, int) and value >= 1):
                raise ValueError(f"{name} can't be {value!r}: it is a whole number from 1 on")
        if self.account_rate is not None and self.account_rate < self.rate:
            raise ValueError(f"an account_rate of {self.account_rate} is below the {self.rate} of one client")
        if self.shape not in get_args(Shape):
            raise ValueError(f"there is no shape {self.shape!r}; there are json, header and html")


class Window:
    """The latest requests that were admitted: at most `limit` of them in any `period`, both ends not counted."""

    def __init__(self, limit: int, period: int) -> None:
        self._period = period
        self._admitted: deque[int] = deque(maxlen=limit)

    def wait(self, now: int) -> int:
        """Return how long it is until there is room for one more, 0 if there is."""
        if len(self._admitted) < (self._admitted.maxlen or 0):
            return 0
        return max(0, self._admitted[0] + self._period - now)

    def admit(self, now: int) -> None:
        """Count one more."""
        self._admitted.append(now)


class Limiter:
    """Decides which requests an account admits.

    Parameters
    ----------
    limits
        What the account takes.
    address
        The window of where the requests come from, which all accounts share; None if they are not counted so.
    """

    def __init__(self, limits: Limits, address: Window | None = None) -> None:
        self.limits = limits
        self._address = address
        self.reset()

    def reset(self) -> None:
        """Forget all requests, and lift the block."""
        limits = self.limits
        self.is_blocked = False
        self._account = Window(limits.account_rate or max(limits.rate, _ACCOUNT_RATE), SECOND)
        self._clients: defaultdict[str, Window] = defaultdict(self._client_window)
        self._refused = Window(limits.block_after or 1, _MINUTE)

    def ask(self, client: str, now: int) -> int:
        """Admit a request of this client and return 0, or refuse it and return how long it would have to wait."""
        windows = tuple(filter(None, (self._clients[client], self._account, self._address)))
        wait = max(window.wait(now) for window in windows)
        if wait:
            self._refused.admit(now)
            self.is_blocked = self.limits.block_after is not None and self._refused.wait(now) > 0
        else:
            for window in windows:
                window.admit(now)
        return wait

    def _client_window(self) -> Window:
        # Rounded up: rounded down, one request too many would fit into a second.
        return Window(1, -(-SECOND // self.limits.rate)) if self.limits.spaced else Window(self.limits.rate, SECOND)
