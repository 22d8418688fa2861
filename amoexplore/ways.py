"""The ways that requests go: over which connections, by which proxy, and trusting whom."""

from __future__ import annotations

import os
import ssl
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path
from queue import Empty, Full, LifoQueue
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit
from urllib.request import getproxies

import certifi
from urllib3 import connection_from_url
from urllib3.exceptions import HTTPError, SSLError
from urllib3.util import Timeout
from urllib3.util.ssl_ import create_urllib3_context

from amoexplore import errors, stops
from amoexplore.hosts import has_a_name_here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.response import BaseHTTPResponse

    from amoexplore.models import Message


#: How many connections are kept open: so many can ask at once.
MOST_AT_ONCE: Final = 32


#: What whoever asks does while the answer is on its way.
_meanwhile: ContextVar[Callable[[], object] | None] = ContextVar("_meanwhile", default=None)


class HandshakeFailed(SSLError):
    """TLS did not come about, so that nothing was sent."""


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
        try:
            super().connect()  # type: ignore[misc]  # that of the connection
        except ssl.SSLEOFError:  # it broke, as any connection may
            raise
        except ssl.SSLError as error:
            raise HandshakeFailed(error) from error
        self.to_connect = time.monotonic() - began
        if (stop := stops.current()) and stop.is_set():
            raise stops.CalledOff

    def getresponse(self) -> Any:
        if act := _meanwhile.get():
            act()
        if stop := stops.current():
            stop.await_at(self.sock)
        return super().getresponse()  # type: ignore[misc]  # that of the connection


class _Idle(LifoQueue[Any]):
    """Connections that nobody uses, taken and put back without a lock.

    Ctrl-C can leave that of a queue held, for which closing them would wait for ever. It can't break a list's methods.
    """

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ARG002, FBT001, FBT002  the queue's
        """Return one; None stands for one that is to be made."""
        try:
            return self.queue.pop()
        except IndexError:
            raise Empty from None

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002, FBT001, FBT002
        """Keep one, if there is room."""
        if len(self.queue) >= self.maxsize:
            raise Full
        self.queue.append(item)


@cache
def _breakable(kind: type) -> type:
    return type(kind.__name__, (_Breakable, kind), {})


@lru_cache(maxsize=2)
def _trusting(place: str, changed: int) -> ssl.SSLContext:  # noqa: ARG001  read anew where that is another one
    """Return what connections are made with that trust the certificates of a file, or of a folder."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(*((None, place) if Path(place).is_dir() else (place,)))
    return context


#: Held by who makes a way: threads that begin together would each make one, and read the certificates.
_making = threading.Lock()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release)


class Ways:
    """Sends requests over connections that a Stop can break, as the environment says: proxies, certificates.

    What goes by http goes to this machine, where a proxy could only see its token: none is asked. Names below
    ``.localhost`` are this machine. Nobody is asked where those are: not every system knows that they are its own.

    Parameters
    ----------
    url : str
        What most requests are for: where the environment exempts its host, all go without a proxy.
    """

    def __init__(self, url: str) -> None:
        self._proxies = _proxies(url)
        self._bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        self._pools: dict[str, HTTPConnectionPool] = {}

    def ask(self, message: Message, timeout: float, meanwhile: Callable[[], object] | None = None) -> BaseHTTPResponse:
        """Send a request, once, and return the answer when it begins to come; its body is not read yet.

        No cookie is kept, and no redirect is followed. ``meanwhile`` is called once it is sent, before the answer is
        awaited.

        Raises
        ------
        HTTPError
            Of urllib3, if no answer came.
        ConfigurationError
            If the environment's proxy can't be one, or the certificates that are trusted can't be read.
        """
        parts = urlsplit(message.url)
        base = f"{parts.scheme}://{parts.netloc}"
        pool = self._pools.get(base)
        if pool is None:
            with _making:
                pool = self._pools[base] = self._pools.get(base) or self._pool(base)
        if has_a_name_here(parts.hostname or ""):
            message.headers["Host"] = parts.netloc
        token = _meanwhile.set(meanwhile)
        try:
            return pool.urlopen(
                message.method,
                f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}",
                message.body,
                message.headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=Timeout(connect=timeout, read=timeout),
                preload_content=False,
                decode_content=False,
            )
        finally:
            _meanwhile.reset(token)

    def _pool(self, base: str) -> HTTPConnectionPool:
        parts = urlsplit(base)
        host = parts.hostname or ""
        is_here = has_a_name_here(host)
        trusted = self._bundle or certifi.where()
        by_tls: dict[str, Any] = {"ssl_context": _trust(trusted)} if parts.scheme == "https" else {}
        if self._proxies and by_tls and not is_here:
            pool = _by_proxy(base, self._proxies, trusted)
        else:
            where = f"{parts.scheme}://127.0.0.1{parts.netloc[len(host) :]}" if is_here else base
            pool = connection_from_url(where, maxsize=MOST_AT_ONCE, **by_tls)
        pool.ConnectionCls = _breakable(pool.ConnectionCls)
        cast("LifoQueue[Any]", pool.pool).__class__ = _Idle
        return pool


def _trust(place: str) -> ssl.SSLContext:
    """Return what connections are made with that trust the certificates of a place, which are read once.

    Raises
    ------
    ConfigurationError
        If they can't be read.
    """
    try:
        return _trusting(place, Path(place).stat().st_mtime_ns)
    except OSError as error:
        raise errors.ConfigurationError(
            f"The certificates in {place} can't be read: {error}. "
            "REQUESTS_CA_BUNDLE, or CURL_CA_BUNDLE, must name a file of them, or a folder."
        ) from None


def _proxies(url: str) -> Mapping[str, str]:
    """Return the environment's proxies, by scheme; none where it names none for an address."""
    if not getproxies().keys() - {"no"}:
        return {}
    with _making:  # a process that was forked meanwhile would wait for the end of this import for ever
        from requests.utils import get_environ_proxies, select_proxy  # noqa: PLC0415  it takes half a request's time

    proxies = get_environ_proxies(url)
    return proxies if select_proxy(url, proxies) else {}


def _by_proxy(base: str, proxies: Mapping[str, str], trusted: str) -> HTTPConnectionPool:
    """Return connections by way of a proxy, as requests makes them. The proxy may have to be trusted, too.

    Raises
    ------
    ConfigurationError
        If it can't be one.
    """
    import requests  # noqa: PLC0415  as above

    adapter, request = requests.adapters.HTTPAdapter(pool_maxsize=MOST_AT_ONCE), requests.Request("GET", base).prepare()
    # What goes wrong may hold the proxy's password, and is not even the context of another error.
    with suppress(requests.RequestException, HTTPError, ValueError):
        adapter.request_url(request, proxies)  # raises for what is no address
        return cast("HTTPConnectionPool", adapter.get_connection_with_tls_context(request, trusted, proxies))
    parts = urlsplit(base)
    raise errors.ConfigurationError(
        f"The proxy that the environment names for {base} can't be one: check {parts.scheme.upper()}_PROXY and "
        "ALL_PROXY, where an address such as http://proxy.example:3128 belongs (for SOCKS the package PySocks is "
        f"needed), or set NO_PROXY={parts.hostname}."
    )
