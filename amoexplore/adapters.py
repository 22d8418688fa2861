"""How connections are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

from amoexplore.hosts import has_a_name_here

if TYPE_CHECKING:
    from requests import PreparedRequest, Response


class NamedHere(HTTPAdapter):
    """Connects names below ``.localhost`` to this machine.

    Nobody is asked where they are, and no proxy is told of them: not every system knows that they are its own, and a
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
