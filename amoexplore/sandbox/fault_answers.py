"""Faults of answers and of connections: what a client gets instead of an answer of the API."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, ClassVar, Literal

from starlette.responses import HTMLResponse

from amoexplore.sandbox.answers import problem
from amoexplore.sandbox.endings import Ending, Unanswered
from amoexplore.sandbox.fault import Call, Count, Fault, Seconds
from amoexplore.sandbox.gateway import nginx_page, too_many_requests
from amoexplore.sandbox.limits import Shape  # noqa: TC001  msgspec reads the fields' types
from amoexplore.sandbox.oauth import TOKEN_PATH

if TYPE_CHECKING:
    from starlette.types import Message

_MAINTENANCE = """<!DOCTYPE html>
<html lang="ru">
<head><meta charset="utf-8"><title>amoCRM</title></head>
<body><h1>Ведутся технические работы</h1><p>Попробуйте обновить страницу через несколько минут.</p></body>
</html>
"""


class Latency(Fault, frozen=True):
    """Takes `seconds`, half of them on the way there; with a `sigma` it is log-normal around them, drawn by `seed`."""

    seconds: Seconds = 0.1
    sigma: Seconds = 0
    seed: int = 0

    def drawn(self, number: int) -> float:
        """Return how many seconds it takes the request of this number."""
        return Random(f"{self.seed} {number}").lognormvariate(0, self.sigma) * self.seconds  # noqa: S311  no secret

    async def _act(self, call: Call) -> None:
        half = self.drawn(call.number) / 2

        async def send_later(message: Message) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(half)
            await call.send(message)

        await asyncio.sleep(half)
        await call._replace(send=send_later).go_on()


class TooManyRequests(Fault, frozen=True):
    """429, as `json` with retry_after, with a Retry-After `header`, or as nginx's page in `html`."""

    shape: Shape = "json"
    retry_after: Count = 1

    async def _act(self, call: Call) -> None:
        await call.reply(too_many_requests(self.shape, self.retry_after))


class Blocked(Fault, frozen=True):
    """403 as nginx's page, as a blocked account gets it."""

    async def _act(self, call: Call) -> None:
        await call.reply(nginx_page(403))


class PaymentRequired(Fault, frozen=True):
    """402: the account has not been paid for."""

    async def _act(self, call: Call) -> None:
        await call.reply(problem(402, "Payment required"))


class _ServerError(Fault, frozen=True):
    status: ClassVar[int]
    detail: ClassVar[str]
    shape: Literal["json", "html"] = "html"

    async def _act(self, call: Call) -> None:
        await call.reply(nginx_page(self.status) if self.shape == "html" else problem(self.status, self.detail))


class InternalServerError(_ServerError, frozen=True):
    """500, as `json`, or as nginx's page in `html`."""

    status = 500
    detail = "An unknown error occurred."
    shape: Literal["json", "html"] = "json"


class BadGateway(_ServerError, frozen=True):
    """502, as nginx's page in `html`, or as `json`."""

    status = 502
    detail = "Bad Gateway"


class ServiceUnavailable(_ServerError, frozen=True):
    """503, as nginx's page in `html`, or as `json`."""

    status = 503
    detail = "Service Unavailable"


class GatewayTimeout(_ServerError, frozen=True):
    """504, as nginx's page in `html`, or as `json`."""

    status = 504
    detail = "Gateway Timeout"


class HtmlPage(Fault, frozen=True):
    """An HTML page with status 200 instead of the API's answer; nothing is done."""

    async def _act(self, call: Call) -> None:
        await call.reply(HTMLResponse(_MAINTENANCE))


class TruncatedJson(Fault, frozen=True):
    """A whole answer by HTTP, but only the first half of its JSON."""

    async def _act(self, call: Call) -> None:
        taken = await call.taken()
        await call.give(taken, taken.body[: len(taken.body) // 2])


class CutBody(Fault, frozen=True):
    """The first half of a body whose length was announced, and then the `ending`: close, reset or silence."""

    ending: Ending = "close"

    async def _act(self, call: Call) -> None:
        taken = await call.taken()
        await call.give(taken, taken.body[: len(taken.body) // 2], announced=len(taken.body))
        if taken.body:
            raise Unanswered(self.ending)


class _NoAnswer(Fault, frozen=True):
    ending: ClassVar[Ending]

    async def _act(self, call: Call) -> None:  # noqa: ARG002  nothing becomes of it
        raise Unanswered(self.ending)


class Reset(_NoAnswer, frozen=True):
    """The connection is reset; nothing is done and nothing sent."""

    ending = "reset"


class HangUp(_NoAnswer, frozen=True):
    """The connection is closed; nothing is done and nothing sent."""

    ending = "close"


class Silence(_NoAnswer, frozen=True):
    """Nothing is done and nothing sent, as long as the client waits."""

    ending = "silence"


class LostAnswer(Fault, frozen=True):
    """What was asked for is done, but instead of the answer there is the `ending`: reset, close or silence."""

    ending: Ending = "reset"

    async def _act(self, call: Call) -> None:
        await call.taken()
        raise Unanswered(self.ending)


class LostRefresh(LostAnswer, frozen=True):
    """Tokens are exchanged, but the new ones are lost on the way: lost_answer where tokens are."""

    path: str = TOKEN_PATH
    method: str = "POST"
