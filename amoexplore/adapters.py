"""How connections are made: below .localhost to this machine alone, and so that they can be broken."""

from __future__ import annotations

import os
import threading
import time
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path
from queue import Empty, Full, LifoQueue
from ssl import CERT_REQUIRED
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.util import Timeout
from urllib3.util.ssl_ import create_urllib3_context

from amoexplore import errors, stops
from amoexplore.hosts import has_a_name_here

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from ssl import SSLContext

    from requests import PreparedRequest
    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.response import BaseHTTPResponse


#: How many connections are kept open: so many can ask at once.
MOST_AT_ONCE: Final = 32


#: What whoever asks does while the answer is on its way.
_meanwhile: ContextVar[Callable[[], object] | None] = ContextVar("_meanwhile", default=None)


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
def _trusting(place: str, changed: int) -> SSLContext:  # noqa: ARG001  read anew where that is another one
    """Return what connections are made with that trust the certificates of a file, or of a folder."""
    context = create_urllib3_context(cert_reqs=CERT_REQUIRED)
    context.load_verify_locations(*((None, place) if Path(place).is_dir() else (place,)))
    return context


#: Held by who makes a way: threads that begin together would each read the certificates, and change what others use.
_making = threading.Lock()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release)


class _Way(NamedTuple):
    """How requests to an address go: over which connections, and with what before their path, if a proxy is told."""

    pool: HTTPConnectionPool
    before: str


class Adapter(HTTPAdapter):
    """Sends requests over connections that a Stop can break; names below ``.localhost`` are this machine.

    Nobody is asked where those are, and no proxy is told of them: not every system knows that they are its own, and a
    token that is sent there must not leave it.

    Parameters
    ----------
    verify : str, optional
        The certificates that are trusted: a file, or a folder. By default those that requests has.
    proxies : mapping
        By scheme.
    """

    def __init__(self, *, verify: bool | str | None = None, proxies: MutableMapping[str, str]) -> None:
        super().__init__(pool_maxsize=MOST_AT_ONCE)
        self._verify, self._proxies = verify or True, proxies
        self._ways: dict[str, _Way] = {}

    def ask(
        self, request: PreparedRequest, timeout: float, meanwhile: Callable[[], object] | None = None
    ) -> BaseHTTPResponse:
        """Send a request, and return the answer once it begins to come; its body is not read yet.

        It is sent by urllib3, once, over connections that requests chooses: what that does for each request anew takes
        a fifth of the time of getting a page. No cookie is kept, and no redirect is followed. ``meanwhile`` is called
        once it is sent, before the answer is awaited.

        Raises
        ------
        HTTPError
            Of urllib3, if no answer came.
        RequestException
            If the proxy is none.
        ConfigurationError
            If the certificates that are trusted can't be read.
        """
        parts = urlsplit(str(request.url))
        base = f"{parts.scheme}://{parts.netloc}"
        way = self._ways.get(base)
        if way is None:
            with _making:
                way = self._ways[base] = self._ways.get(base) or self._way(request)
        if has_a_name_here(parts.hostname or ""):
            request.headers["Host"] = parts.netloc
        token = _meanwhile.set(meanwhile)
        try:
            return way.pool.urlopen(
                str(request.method),
                f"{way.before}{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}",
                request.body,
                request.headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=Timeout(connect=timeout, read=timeout),
                preload_content=False,
                decode_content=False,
            )
        finally:
            _meanwhile.reset(token)

    def _way(self, request: PreparedRequest) -> _Way:
        url = str(request.url)
        proxies = {} if has_a_name_here(urlsplit(url).hostname or "") else self._proxies
        pool = cast("HTTPConnectionPool", self.get_connection_with_tls_context(request, self._verify, proxies))
        self.cert_verify(pool, url, self._verify, None)
        if not issubclass(pool.ConnectionCls, _Breakable):
            pool.ConnectionCls = _breakable(pool.ConnectionCls)
            cast("LifoQueue[Any]", pool.pool).__class__ = _Idle
        return _Way(pool, self.request_url(request, proxies).removesuffix(request.path_url))

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Have connections trust certificates that were read once: to read them takes longer than to connect.

        Raises
        ------
        ConfigurationError
            If they can't be read.
        """
        try:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]  # nor has requests any
            if (place := conn.ca_certs or conn.ca_cert_dir) and not conn.proxy:  # a proxy may have to be checked, too
                conn.conn_kw["ssl_context"] = _trusting(place, Path(place).stat().st_mtime_ns)
                conn.ca_certs = conn.ca_cert_dir = None
        except OSError as error:
            raise errors.ConfigurationError(
                f"The certificates in {verify} can't be read: {error}. "
                "REQUESTS_CA_BUNDLE, or CURL_CA_BUNDLE, must name a file of them, or a folder."
            ) from None

    def build_connection_pool_key_attributes(self, request: PreparedRequest, *args: Any) -> Any:
        """Return where to connect to, and how."""
        host, pool = super().build_connection_pool_key_attributes(request, *args)
        return (host | {"host": "127.0.0.1"} if has_a_name_here(host["host"]) else host), pool
