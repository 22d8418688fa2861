"""An application on a port of this machine, served by a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

_HOST = "127.0.0.1"


class _Protocol(H11Protocol):
    """HTTP on a connection that an application can break: it finds the transport in the request's state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.app_state = self.app_state | {"transport": transport}

    def send_400_response(self, msg: str) -> None:
        super().send_400_response(msg)
        if self.cycle is not None:  # the application need not answer any more; it would be told later, and fail before
            self.cycle.disconnected = True


# h11 and asyncio's own loop, whatever else is installed: the sandbox answers the same on every machine.
_SETTINGS: dict[str, Any] = {
    "http": _Protocol,
    "loop": "asyncio",
    "ws": "none",
    "lifespan": "off",
    "access_log": False,
    "log_config": None,
    "log_level": "critical",
    "proxy_headers": False,
    "server_header": False,
    "date_header": False,
    "timeout_keep_alive": 75,  # seconds; a notebook is read between two cells, and nginx waits as long
    "timeout_graceful_shutdown": 1,  # second, for answers that are on their way
}


@contextmanager
def served(app: ASGIApp, port: int, failures: list[Exception]) -> Iterator[str]:
    """Serve until the end of the context, and yield the address.

    What goes wrong in the thread before it is ready is raised here, what goes wrong later is added to `failures`.

    Raises
    ------
    OSError
        If the port can't be listened on.
    """
    with ExitStack() as exits:
        listener = exits.enter_context(_listen(port))
        exits.callback(_Server(app, listener, failures).begin())
        yield f"http://{_HOST}:{listener.getsockname()[1]}"


class _Server(uvicorn.Server):
    """A uvicorn server in a thread, that tells when it is ready and is told when to end."""

    def __init__(self, app: ASGIApp, listener: socket.socket, failures: list[Exception]) -> None:
        super().__init__(uvicorn.Config(app, **_SETTINGS))
        self._listener = listener
        self._failures = failures
        self._end: Future[Callable[[], object]] = Future()
        # A daemon, so that a sandbox which nobody stopped does not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._work, name="amoexplore-sandbox", daemon=True)

    def begin(self) -> Callable[[], None]:
        """Start, wait until requests are answered, and return what stops it."""
        self._thread.start()
        return partial(self._finish, self._end.result())

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn's own loop would look for it ten times a second."""
        end = asyncio.Event()
        self._end.set_result(partial(asyncio.get_running_loop().call_soon_threadsafe, end.set))
        await end.wait()

    def _work(self) -> None:
        try:
            self.run(sockets=[self._listener])
        except Exception as failure:  # noqa: BLE001  # a thread has no caller: who started it gets the exception
            if self._end.done():
                self._failures.append(failure)
            else:
                self._end.set_exception(failure)

    def _finish(self, end: Callable[[], object]) -> None:
        end()
        self._thread.join()


def _listen(port: int) -> socket.socket:
    try:
        listener = socket.create_server((_HOST, port))
    except OSError as error:
        advice = "name another port, or 0 for any that is free"
        raise OSError(error.errno, f"can't listen on {_HOST}:{port}: {error.strerror}; {advice}") from error
    # Connections inherit it. Without it an answer's body waits 40 ms, until the client has confirmed the headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
