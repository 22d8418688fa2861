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
from amoexplore.sandbox.endings import Unanswered

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from amoexplore.sandbox.rules import Caller

# More than the longest load asks; a sandbox that runs for weeks must not grow without end.
_KEPT = 10_000

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-refresh-token"})

# Tokens are sent there: in the body, but who is mistaken sends them in the query.
_EXCHANGES = "/oauth2/"


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came, and how it was answered.

    Attributes
    ----------
    method
        The HTTP method.
    target
        The path and the query, as they were sent; the query is masked where tokens are exchanged.
    status
        The status of the answer, 0 if none was sent.
    request_id
        The answer's X-Request-Id, empty if it has none.
    caller
        `administrator`, `analyst`, `integration` with its widget's code or its client id, or `nobody`.
    headers
        The request's headers, names in lower case; those that carry secrets are masked.
    faults
        The names of the faults that it met.
    """

    method: str
    target: str
    status: int
    request_id: str
    caller: str
    headers: dict[str, str]
    faults: tuple[str, ...] = ()


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
        """Add a request that is being answered, or that is never to be."""
        caller: Caller | None = scope["state"]["caller"]
        request = LoggedRequest(
            method=scope["method"],
            target=_target(scope),
            status=status,
            request_id=request_id,
            caller=caller.name if caller else "nobody",
            headers={name: _masked(name, value) for name, value in Headers(scope=scope).items()},
            faults=scope["state"].get("faults", ()),
        )
        with self._lock:
            self._requests.append(request)


class Recorder:
    """Gives answers an X-Request-Id, writes requests down, and answers 500 for a handler that raised.

    Parameters
    ----------
    app
        The application that answers, or raises `Unanswered`.
    journal
        Where to write.
    """

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_answered = False

        async def send_numbered(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                # Written before the answer is sent, so that whoever has the answer finds it in the log.
                self._journal.write(scope, message["status"], _numbered(message))
            await send(message)

        try:
            await self._app(scope, receive, send_numbered)
        except ClientDisconnect:
            pass  # who asked is gone before the end of the body: there is nobody to answer, and nothing failed here
        except Unanswered as unanswered:
            if not is_answered:
                self._journal.write(scope, 0, "")
            await unanswered.end(scope, receive)
        except Exception as failure:  # noqa: BLE001  # whatever it is, the sandbox's owner gets it when it stops
            self._journal.failures.append(failure)
            await problem(500, "An unknown error occurred.")(scope, receive, send_numbered)


def _numbered(start: Message) -> str:
    """Give an answer of the API its number, and return it; what comes before the API, as HTML, has none."""
    headers = MutableHeaders(scope=start)
    if headers.get("content-type", "").startswith("text/html"):
        return ""
    return headers.setdefault("X-Request-Id", secrets.token_hex(16))


def _target(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    if query and scope["path"].startswith(_EXCHANGES):
        query = "***"
    return str(scope["raw_path"].decode("latin-1")) + (query and f"?{query}")


def _masked(name: str, value: str) -> str:
    return "***" if name in _SECRET_HEADERS else value
