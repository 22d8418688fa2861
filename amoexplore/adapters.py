"""How connections are made: below .localhost to this machine alone, and so that they can be broken."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

from amoexplore import stops
from amoexplore.hosts import has_a_name_here

if TYPE_CHECKING:
    from requests import PreparedRequest, Response
    from urllib3.connectionpool import ConnectionPool


class _Breakable:
    """What a connection does besides, so that it can be broken, and is one process's: mixed into those of urllib3."""

    sock: Any
    #: The process that made it: one that was forked from that would get its answers.
    _owner = 0
    #: Seconds that it took to be there, with looking its name up and with TLS.
    to_connect = 0.0

    @property
    def is_connected(self) -> bool:
        return self._owner == os.getpid() and bool(super().is_connected)  # type: ignore[misc]  # that of the connection

    def connect(self) -> None:
        self._owner = os.getpid()
        began = time.monotonic()
        super().connect()  # type: ignore[misc]  # that of the connection
        self.to_connect = time.monotonic() - began
        if (stop := stops.current()) and stop.is_set():
            raise stops.CalledOff

    def getresponse(self) -> Any:
        if stop := stops.current():
            stop.await_at(self.sock)
        return super().getresponse()  # type: ignore[misc]  # that of the connection


@cache
def _breakable(kind: type) -> type:
    return type(kind.__name__, (_Breakable, kind), {})


class Adapter(HTTPAdapter):
    """Sends requests over connections that a Stop can break; names below ``.localhost`` are this machine.

    Nobody is asked where those are, and no proxy is told of them: not every system knows that they are its own, and a
    token that is sent there must not leave it.
    """

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]  # all by name
        """Send a request."""
        parts = urlsplit(request.url or "")
        if has_a_name_here(parts.hostname or ""):
            request.headers["Host"] = parts.netloc
            options["proxies"] = {}
        return super().send(request, **options)

    def build_connection_pool_key_attributes(self, request: PreparedRequest, *args: Any) -> Any:
        """Return where to connect to, and how."""
        host, pool = super().build_connection_pool_key_attributes(request, *args)
        return (host | {"host": "127.0.0.1"} if has_a_name_here(host["host"]) else host), pool

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> ConnectionPool:
        """Return where to send a request; its connections are breakable."""
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        kind = getattr(pool, "ConnectionCls")  # noqa: B009  of which requests' types do not know
        if not issubclass(kind, _Breakable):
            pool.ConnectionCls = _breakable(kind)  # type: ignore[attr-defined]
        return pool
