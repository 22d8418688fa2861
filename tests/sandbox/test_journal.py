from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from page import bearer, call, post

from amoexplore.sandbox import LoggedRequest, Sandbox
from amoexplore.sandbox.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def busy() -> Iterator[Sandbox]:
    """Return a sandbox whose log nobody else writes to."""
    with Sandbox() as running:
        yield running


def test_writes_down_what_was_asked_and_answered(busy: Sandbox) -> None:
    """An entry has the request as it was sent, and the number of its answer."""
    busy.reset()
    answer = call(busy, "/api/v4/widgets?limit=%31&page=1000")
    (logged,) = busy.requests
    assert logged == LoggedRequest(
        method="GET",
        target="/api/v4/widgets?limit=%31&page=1000",
        status=204,
        request_id=answer.headers["X-Request-Id"],
        caller="administrator",
        headers={"host": busy.url.removeprefix("http://"), "accept-encoding": "identity", "authorization": "***"},
    )


def test_names_callers(busy: Sandbox) -> None:
    """It is said who called, and that a stranger is nobody."""
    busy.reset()
    with pytest.raises(ValueError, match="has one") as refused:
        busy.integration_token("amo_dropbox")
    code = str(refused.value).split("'")[3]
    for token in (busy.token, busy.analyst_token, busy.integration_token(code), "stranger"):
        call(busy, "/api/v4/widgets", Authorization=bearer(token))
    callers = [logged.caller for logged in busy.requests]
    assert callers == ["administrator", "analyst", f"integration {code}", "nobody"]


def test_holds_no_token(busy: Sandbox) -> None:
    """Whatever carries a token is masked, also where it is refused."""
    busy.reset()
    call(busy, "/api/v4/widgets")
    call(busy, "/api/v4/widgets", Authorization="Bearer mistaken", Cookie="session=mistaken")
    assert busy.token not in repr(busy.requests)
    assert "mistaken" not in repr(busy.requests)


def test_holds_no_body(busy: Sandbox) -> None:
    """Settings and passwords are in no entry, whether they were taken or refused."""
    busy.reset()
    settings = {"login": "sesame", "password": "sesame", "phones": {"504141": "sesame"}, "script_path": "sesame"}
    for body in (settings, settings | {"login": ["sesame"]}):
        post(busy, "/api/v4/widgets/amo_asterisk", body)
    assert [logged.status for logged in busy.requests] == [200, 400]
    assert "sesame" not in repr(busy.requests)


def test_a_client_that_goes_away(busy: Sandbox) -> None:
    """A request whose body ends too soon is nobody's failure, and does nothing."""
    busy.reset()
    address = urlsplit(busy.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        head = f"POST /api/v4/widgets/amo_dropbox HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {busy.token}\r\n"
        connection.sendall(f"{head}Content-Length: 3\r\n\r\n{{".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(65536) == b""
    assert call(busy, "/api/v4/widgets/amo_dropbox").json["is_active_in_account"] is False
    assert len(busy.requests) == 1
    assert not busy._journal.take_failures()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_that_is_no_http(method: str) -> None:
    """A request whose body breaks HTTP is answered 400 by the server, and is nobody's failure."""
    with Sandbox(size=3) as sandbox:
        address = urlsplit(sandbox.url)
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            head = f"{method} /api/v4/widgets HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {sandbox.token}\r\n"
            connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode())
            assert connection.recv(65536).startswith(b"HTTP/1.1 400")


def test_keeps_the_latest() -> None:
    """The log is bounded: the oldest requests go first."""
    journal = Journal()
    for number in range(10_001):
        journal.write(scope(f"/{number}"), 200, "0" * 32)
    targets = [logged.target for logged in journal.requests]
    assert (len(targets), targets[0], targets[-1]) == (10_000, "/1", "/10000")


def scope(path: str) -> dict[str, object]:
    """Return what a server tells of a request to this path."""
    told = {"type": "http", "method": "GET", "raw_path": path.encode(), "query_string": b"", "headers": []}
    return told | {"state": {"caller": None}}
