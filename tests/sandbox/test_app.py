from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page import call

if TYPE_CHECKING:
    from amoexplore.sandbox import Sandbox

# The session's sandbox serves all examples of a test: they only read.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@shared
@given(page=st.binary(max_size=50), limit=st.binary(max_size=50))
def test_list_answers_anything(sandbox: Sandbox, page: bytes, limit: bytes) -> None:
    """Whatever bytes are sent as parameters, the list is answered with 200 or 204."""
    assert call(sandbox, f"/api/v4/widgets?page={quote(page)}&limit={quote(limit)}").status in {200, 204}


@shared
@given(code=st.binary(min_size=1, max_size=50))
def test_detail_answers_anything(sandbox: Sandbox, code: bytes) -> None:
    """Whatever bytes are sent as a code, the answer is 404."""
    assert call(sandbox, f"/api/v4/widgets/{quote(code, safe='')}").status == 404


def test_a_client_of_http_1_0_gets_links_too(sandbox: Sandbox) -> None:
    """Without a Host header links are on the address that was connected to."""
    address = urlsplit(sandbox.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(f"GET /api/v4/widgets HTTP/1.0\r\nAuthorization: Bearer {sandbox.token}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert f'"href":"{sandbox.url}/api/v4/widgets?limit=50&page=1"'.encode() in answer
