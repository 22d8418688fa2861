"""What a fault is: what it does to a request, and which requests it is for. `fault_table.py` has all that there are."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta
from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOUR = 3600

Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0, le=_HOUR)]
Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]+\Z")]
_Ordinal = Annotated[int, Meta(ge=1)]


class Call(NamedTuple):
    """A request that meets a fault, and the application which would answer it; `number` counts the fault's hits."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    number: int

    async def go_on(self) -> None:
        """Let it be answered."""
        await self.app(self.scope, self.receive, self.send)

    async def reply(self, response: Response) -> None:
        """Answer it instead of the application."""
        await response(self.scope, self.receive, self.send)

    async def taken(self) -> Taken:
        """Let it be answered, and take the answer."""
        messages: list[Message] = []

        async def take(message: Message) -> None:
            messages.append(message)

        await self.app(self.scope, self.receive, take)
        start, *rest = messages
        return Taken(start, b"".join(message.get("body", b"") for message in rest))

    async def give(self, taken: Taken, body: bytes, *, announced: int | None = None) -> None:
        """Send the answer that was taken with this body; it stays open if a longer one is announced."""
        length = len(body) if announced is None else announced
        if taken.body:
            MutableHeaders(scope=taken.start)["Content-Length"] = str(length)
        await self.send(taken.start)
        await self.send({"type": "http.response.body", "body": body, "more_body": len(body) < length})


class Taken(NamedTuple):
    """An answer of the application, held back."""

    start: Message
    body: bytes


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault, and which requests meet it.

    Attributes
    ----------
    path, method
        Of the requests that it is for; a path may have stars.
    after
        So many of them come through first.
    every
        Of those behind them every so many-th meets it, the last of each.
    times
        How many meet it in all; without end if None.
    """

    path: str = "*"
    method: str = "*"
    after: Count = 0
    every: _Ordinal = 1
    times: _Ordinal | None = None

    def is_for(self, scope: Scope) -> bool:
        """Tell whether it is for this request."""
        return fnmatchcase(scope["path"], self.path) and fnmatchcase(scope["method"], self.method)

    def hit(self, seen: int) -> int:
        """Return which hit this is, from 1 on, if it is the `seen`-th request that the fault is for; 0 if none."""
        hit, rest = divmod(max(seen - self.after, 0), self.every)
        return 0 if rest or (self.times and hit > self.times) else hit

    async def __call__(self, call: Call) -> None:
        """Do to the request what this fault does."""
        await self._act(call)

    async def _act(self, call: Call) -> None:
        raise NotImplementedError
