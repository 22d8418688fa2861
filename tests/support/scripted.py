"""A real HTTP server that answers what a test tells it to, byte by byte: also what no well-behaved server would."""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import threading
from contextlib import contextmanager
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

from amoexplore import Account

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Sequence

TOKEN = "canary-token-7f3a"
Script = "Callable[[Request], bytes]"

#: Instead of an answer: break the connection, or say nothing until the test is over.
DROP = b"drop"
SILENCE = b"silence"


class Request:
    """What came: the target (path and query), its page, and the headers."""

    def __init__(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
        }
        query = parse_qs(urlsplit(self.target).query)
        self.page = int(query.get("page", ["1"])[0])
        self.limit = int(query.get("limit", ["50"])[0])


class ScriptedServer:
    """Answers each request by a function of it.

    Attributes
    ----------
    url : str
    requests : list of Request
        In the order in which they came.
    """

    def __init__(self, script: Callable[[Request], bytes]) -> None:
        self.requests: list[Request] = []
        self.over = threading.Event()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = self.rfile.readline()
                    if not line:
                        return
                    head += line
                request = Request(head.decode("latin-1"))
                self.rfile.read(int(request.headers.get("content-length", 0)))
                outer.requests.append(request)
                said = script(request)
                if said == DROP:
                    self.request.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                elif said == SILENCE:
                    outer.over.wait()
                else:
                    self.wfile.write(said)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def settle(self) -> None:
        """Return once all that was sent before has come, also what its sender called off."""
        with socket.create_connection(self._server.server_address) as last:
            last.shutdown(socket.SHUT_WR)
            last.recv(1)  # until it has had its turn
        for thread in threading.enumerate():
            if "process_request" in thread.name:
                thread.join()

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")

    def account(self, timeout: float = 30.0) -> Account:
        """Return an account at this server."""
        return Account(self.url, TOKEN, timeout=timeout)


@contextmanager
def answering(*answers: bytes) -> Iterator[ScriptedServer]:
    """Serve these answers in turn, the last one for ever."""
    rest = list(answers)

    def script(_: Request) -> bytes:
        return rest.pop(0) if len(rest) > 1 else rest[0]

    with ScriptedServer(script) as server:
        yield server


@contextmanager
def catalogue(*pages: Sequence[object], **options: bool) -> Iterator[ScriptedServer]:
    """Serve these pages of widgets, with ``next`` on every page but the last, and 204 beyond.

    Parameters
    ----------
    pages : sequence of widgets
    always_next : bool
        ``next`` on the last page, too, as some of amoCRM's lists have it.
    """

    def script(request: Request) -> bytes:
        if request.page > len(pages):
            return no_content()
        more = request.page < len(pages) or options.get("always_next", False)
        return answer(listing(pages[request.page - 1], page=request.page, limit=request.limit, more=more))

    with ScriptedServer(script) as server:
        yield server


def listing(widgets: Sequence[object], *, page: int = 1, limit: int = 250, more: bool = False) -> dict[str, object]:
    """Return the body of one page."""
    links = {"self": {"href": f"/api/v4/widgets?limit={limit}&page={page}"}}
    if more:
        links["next"] = {"href": f"/api/v4/widgets?limit={limit}&page={page + 1}"}
    return {"_page": page, "_links": links, "_embedded": {"widgets": list(widgets)}}


def widget(number: int = 1, **fields: object) -> dict[str, object]:
    """Return a widget as the API's page shows one, with some fields of its own; ``...`` leaves a field out."""
    plain = {
        "id": number,
        "code": f"widget_{number}",
        "version": "1.0.0",
        "rating": "2,8",
        "settings_template": [setting()],
        "is_lead_source": False,
        "is_work_with_dp": False,
        "is_crm_template": False,
        "client_uuid": None,
        "is_active_in_account": False,
        "pipeline_id": None,
        "_links": {"self": {"href": f"/api/v4/widgets/widget_{number}"}},
    }
    return {name: value for name, value in (plain | fields).items() if value is not ...}


def setting(**fields: object) -> dict[str, object]:
    """Return a field of a settings_template."""
    plain = {"key": "login", "name": "Логин", "type": "text", "is_required": True}
    return {name: value for name, value in (plain | fields).items() if value is not ...}


def users(request: Request, number: int = 1000) -> bytes:
    """Return a page of this many users."""
    ids = range(1000, 1000 + number)[request.limit * (request.page - 1) :][: request.limit]
    found = [{"id": id_, "name": f"Пользователь {id_ - 1000}"} for id_ in ids]
    return answer({"_embedded": {"users": found}}) if found else no_content()


def answer(
    body: object, status: int = 200, content_type: str = "application/hal+json", headers: dict[str, str] | None = None
) -> bytes:
    """Return a whole HTTP answer; a body that is no bytes is sent as JSON."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": content_type, "Content-Length": str(len(sent)), "Connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + sent


def problem(status: int, headers: dict[str, str] | None = None, **fields: object) -> bytes:
    """Return a refusal in the API's words."""
    body = {"title": "Title", "type": f"https://httpstatus.es/{status}", "status": status, "detail": "Why", **fields}
    return answer(body, status, "application/problem+json", headers)


def no_content() -> bytes:
    """Return a 204."""
    return b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
