"""How connections are made: below .localhost to this machine alone, and so that they can be broken."""

from __future__ import annotations

import os
import threading
import time
from functools import cache, lru_cache
from pathlib import Path
from ssl import CERT_REQUIRED
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from amoexplore import stops
from amoexplore.hosts import has_a_name_here

if TYPE_CHECKING:
    from ssl import SSLContext

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


@lru_cache(maxsize=2)
def _trusting(place: str, changed: int) -> SSLContext:  # noqa: ARG001  read anew where that is another one
    """Return what connections are made with that trust the certificates of a file, or of a folder."""
    context = create_urllib3_context(cert_reqs=CERT_REQUIRED)
    context.load_verify_locations(*((None, place) if Path(place).is_dir() else (place,)))
    return context


#: Held by who reads them: threads that begin together would each do it.
_reading = threading.Lock()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_reading.acquire, after_in_parent=_reading.release, after_in_child=_reading.release)


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

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Have connections trust certificates that were read once: to read them takes longer than to connect."""
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]  # nor has requests any
        if (place := conn.ca_certs or conn.ca_cert_dir) and not conn.proxy:  # a proxy may have to be checked, too
            with _reading:
                conn.conn_kw["ssl_context"] = _trusting(place, Path(place).stat().st_mtime_ns)
            conn.ca_certs = conn.ca_cert_dir = None

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
