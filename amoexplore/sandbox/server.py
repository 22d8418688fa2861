"""The sandbox: the API as a server on this machine, in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
import threading
from concurrent.futures import Future
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import uvicorn

from amoexplore.sandbox.app import application
from amoexplore.sandbox.journal import Journal, LoggedRequest
from amoexplore.sandbox.rules import Keyring
from amoexplore.sandbox.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from starlette.types import ASGIApp

_HOST = "127.0.0.1"
_TOKEN = re.compile(r"[!-~]+")

# h11 and asyncio's own loop, whatever else is installed: the sandbox answers the same on every machine.
_SETTINGS: dict[str, Any] = {
    "http": "h11",
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


class Sandbox:
    """An amoCRM account on this machine: the widgets API over HTTP, on 127.0.0.1.

    It starts with `start()` or a `with` statement, and ends with `stop()` or the end of that.

    Parameters
    ----------
    seed
        What the catalogue is drawn from: the same seed has the same widgets.
    size
        How many widgets the administrator's list has; a larger size has all that a smaller one has.
    state
        A file which keeps the account between starts; in memory if None.
    port
        The port to listen on; 0 for any that is free.
    token
        The administrator's token, from which the others follow; a random one if None.

    Raises
    ------
    ValueError
        If the size is negative, or the token can't be sent in a header.

    Examples
    --------
    >>> with Sandbox(size=3) as sandbox:
    ...     print(sandbox.url)
    http://127.0.0.1:40327
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        size: int = 300,
        state: str | os.PathLike[str] | None = None,
        port: int = 0,
        token: str | None = None,
    ) -> None:
        if size < 0:
            raise ValueError(f"a catalogue can't have {size} widgets")
        if token is not None and not _TOKEN.fullmatch(token):
            raise ValueError(
                "a token goes into a header: it has to be of ASCII letters, digits and signs, without spaces"
            )
        self._seed = seed
        self._size = size
        self._state = ":memory:" if state is None else os.fspath(state)
        self._port = port
        self._keyring = Keyring(token or secrets.token_urlsafe())
        self._journal = Journal()
        self._running: _Running | None = None

    def __repr__(self) -> str:
        where = f"at {self._running.url}" if self._running else "not running"
        return f"<Sandbox of {self._size} widgets, {where}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"and the sandbox failed: {failure!r}")

    @property
    def url(self) -> str:
        """The address of the account, `http://127.0.0.1:` and the port.

        Raises
        ------
        RuntimeError
            If the sandbox is not running.
        """
        return self._started.url

    @property
    def size(self) -> int:
        """How many widgets the administrator's list has."""
        return self._size

    @property
    def token(self) -> str:
        """The administrator's token."""
        return self._keyring.administrator

    @property
    def analyst_token(self) -> str:
        """The token of a user who is no administrator."""
        return self._keyring.analyst

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The latest requests, oldest first, tokens masked."""
        return self._journal.requests

    def integration_token(self, code: str) -> str:
        """Return the token of the integration that is linked with this widget.

        Raises
        ------
        LookupError
            If there is no such widget.
        ValueError
            If no integration is linked with it; the message names a widget that has one.
        RuntimeError
            If the sandbox is not running.
        """
        store = self._started.store
        entry = store.find(code)
        if entry is None:
            raise LookupError(f"the sandbox has no widget {code!r}")
        if entry.widget.client_uuid is None:
            other = store.code_with_integration()
            advice = f"{other!r} has one" if other else f"none of these {self._size} widgets has; ask for a larger size"
            raise ValueError(f"widget {code!r} has no integration (its client_uuid is null); {advice}")
        return self._keyring.integration(code)

    def start(self) -> Self:
        """Start to answer; a sandbox that is running stays as it is.

        Raises
        ------
        OSError
            If the port can't be listened on.
        ValueError
            If the state file can't be used.
        """
        if self._running is None:
            with ExitStack() as exits:
                store = exits.enter_context(closing(open_store(self._state, seed=self._seed, size=self._size)))
                listener = exits.enter_context(_listen(self._port))
                server = _Server(application(store, self._keyring, self._journal), listener, self._journal.failures)
                exits.callback(server.begin())
                self._running = _Running(f"http://{_HOST}:{listener.getsockname()[1]}", store, exits.pop_all())
        return self

    def stop(self) -> None:
        """Stop to answer, and leave no thread, port or open file; a sandbox that is not running stays as it is.

        Raises
        ------
        Exception
            What a handler raised since the start, a group if several did.
        """
        running, self._running = self._running, None
        if running:
            running.exits.close()
        failures = self._journal.take_failures()
        if len(failures) > 1:
            raise ExceptionGroup("requests failed in the sandbox", failures)
        if failures:
            raise failures[0]

    def reset(self) -> None:
        """Bring the account back to what a new sandbox of this seed and size has, and empty the log.

        Raises
        ------
        RuntimeError
            If the sandbox is not running.
        """
        self._started.store.reset()
        self._journal.clear()

    @property
    def _started(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the sandbox is not running; call start(), or use it in a with statement")
        return self._running


class _Running(NamedTuple):
    """What a sandbox has while it runs, and how to end all of it."""

    url: str
    store: Store
    exits: ExitStack


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
