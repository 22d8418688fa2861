"""What happened at the sandbox: every request and its answer, and what went wrong inside."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from typing import TYPE_CHECKING

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect

from amoexplore.sandbox.answers import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from amoexplore.sandbox.rules import Caller

# More than the longest load asks; a sandbox that runs for weeks must not grow without end.
_KEPT = 10_000

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came, and how it was answered.

    Attributes
    ----------
    method
        The HTTP method.
    target
        The path and the query, as they were sent.
    status
        The status of the answer.
    request_id
        The answer's X-Request-Id.
    caller
        `administrator`, `analyst`, `integration` with its widget's code, or `nobody`.
    headers
        The request's headers, names in lower case; those that carry secrets are masked.
    """

    method: str
    target: str
    status: int
    request_id: str
    caller: str
    headers: dict[str, str]


class Journal:
    """The latest requests, and every exception that a handler raised."""

    def __init__(self) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self.failures: list[Exception] = []

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The latest requests, oldest first."""
        with self._lock:
            return tuple(self._requests)

    def clear(self) -> None:
        """Forget the requests; failures stay until they have been raised."""
        with self._lock:
            self._requests.clear()

    def take_failures(self) -> list[Exception]:
        """Return the failures, and forget them."""
        taken, self.failures[:] = self.failures[:], []
        return taken

    def write(self, scope: Scope, status: int, request_id: str) -> None:
        """Add a request that is being answered."""
        caller: Caller | None = scope["state"]["caller"]
        query = scope["query_string"].decode("latin-1")
        request = LoggedRequest(
            method=scope["method"],
            target=scope["raw_path"].decode("latin-1") + (query and f"?{query}"),
            status=status,
            request_id=request_id,
            caller=caller.name if caller else "nobody",
            headers={name: _masked(name, value) for name, value in Headers(scope=scope).items()},
        )
        with self._lock:
            self._requests.append(request)


class Recorder:
    """Gives every answer an X-Request-Id, writes it down, and answers 500 for a handler that raised.

    Parameters
    ----------
    app
        The application that answers.
    journal
        Where to write.
    """

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = secrets.token_hex(16)

        async def send_numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
                # Written before the answer is sent, so that whoever has the answer finds it in the log.
                self._journal.write(scope, message["status"], request_id)
            await send(message)

        try:
            await self._app(scope, receive, send_numbered)
        except ClientDisconnect:
            pass  # who asked is gone before the end of the body: there is nobody to answer, and nothing failed here
        except Exception as failure:  # noqa: BLE001  # whatever it is, the sandbox's owner gets it when it stops
            self._journal.failures.append(failure)
            await problem(500, "An unknown error occurred.")(scope, receive, send_numbered)


def _masked(name: str, value: str) -> str:
    return "***" if name in _SECRET_HEADERS else value
