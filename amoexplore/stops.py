"""Calling off what is under way in other threads: their waits end, and so do the answers that they wait for."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class CalledOff(Exception):
    """Nobody wants the answer any more."""


class Stop:
    """Calls off all that was told of it, once and for good."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._awaited: dict[int, Any] = {}

    def set(self) -> None:
        """Call off: whoever waits for a permit or for another try stops waiting, and connections are broken."""
        self._event.set()
        for connected in list(self._awaited.values()):
            _break(connected)

    def is_set(self) -> bool:
        """Return whether it has been called off."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Return after so long, or as soon as it is called off; whether it is."""
        return self._event.wait(seconds)

    @contextmanager
    def breaking(self) -> Iterator[None]:
        """Break what this thread waits for in here when it is called off."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)
            self._awaited.pop(threading.get_ident(), None)

    def await_at(self, connected: Any) -> None:
        """Take in the socket at which this thread is going to wait."""
        self._awaited[threading.get_ident()] = connected
        if self.is_set():  # in the meantime
            _break(connected)


def _break(connected: Any) -> None:
    # Not by a method of its own: one of TLS would have it lose what its reader is using.
    with suppress(OSError, TypeError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


_current: ContextVar[Stop | None] = ContextVar("_current", default=None)


def current() -> Stop | None:
    """Return what breaks that which this thread waits for; None if nothing does."""
    return _current.get()
