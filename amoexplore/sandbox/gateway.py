"""What stands in front of the API: nginx's pages, 429 in the shapes it has been seen in, and the limits on requests."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import HTMLResponse, Response

from amoexplore.sandbox.answers import Problem, problem
from amoexplore.sandbox.limits import SECOND

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from amoexplore.sandbox.limits import Limiter, Shape
    from amoexplore.sandbox.rules import Caller

# Where nginx has words of its own for a status.
_PHRASES = {503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}

_TOO_MANY = "You have sent too many requests in a given amount of time. Please try again later."


class TooMany(Problem, frozen=True):
    """A `Problem` that says how many seconds to wait (kommo docs http-codes)."""

    retry_after: int


def nginx_page(status: int) -> Response:
    """Answer as nginx does on its own."""
    title = f"{status} {_PHRASES.get(status, HTTPStatus(status).phrase)}"
    lines = (
        "<html>",
        f"<head><title>{title}</title></head>",
        "<body>",
        f"<center><h1>{title}</h1></center>",
        "<hr><center>nginx</center>",
        "</body>",
        "</html>",
        "",
    )
    return HTMLResponse("\r\n".join(lines), status)


def too_many_requests(shape: Shape, retry_after: int) -> Response:
    """Answer that there were too many requests: only `json` and `header` say for how many seconds to wait."""
    if shape == "html":
        return nginx_page(429)
    if shape == "header":
        return problem(429, _TOO_MANY, {"Retry-After": str(retry_after)})
    body = TooMany("Too Many Requests", "https://httpstatus.es/429", 429, _TOO_MANY, retry_after)
    return Response(msgspec.json.encode(body), body.status, media_type="application/problem+json")


class Gate:
    """Lets through what the limits admit.

    Parameters
    ----------
    app
        The application behind it.
    limiter
        Who decides; None lets everything through.
    """

    def __init__(self, app: ASGIApp, limiter: Limiter | None) -> None:
        self._app = app
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 429 or 403, or hand the request on."""
        answer = self._refusal(self._limiter, scope) if self._limiter else None
        await (answer or self._app)(scope, receive, send)

    def _refusal(self, limiter: Limiter, scope: Scope) -> Response | None:
        if limiter.is_blocked:
            return nginx_page(403)
        caller: Caller | None = scope["state"]["caller"]
        wait = limiter.ask(caller.name if caller else "nobody", time.monotonic_ns())
        if not wait:
            return None
        return too_many_requests(limiter.limits.shape, -(-wait // SECOND))
