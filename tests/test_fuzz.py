"""Whatever bytes come, on either side, become a value or a typed error. `make fuzz` searches for minutes."""

from __future__ import annotations

import json
import os
import socket
import warnings
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import listing, setting, widget
from urllib3 import HTTPResponse

from amoexplore import Sandbox, decode, errors
from amoexplore.frames import frame, in_arrow
from amoexplore.models import Answer, Body, Secret
from amoexplore.parts import Reader
from amoexplore.sandbox.fault_table import FAULTS
from amoexplore.transport import _refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IS_LONG = bool(os.environ.get("AMOEXPLORE_FUZZ"))
SEARCH = settings(
    max_examples=10_000 if IS_LONG else 200,
    derandomize=not IS_LONG,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

WHOLE = (
    {"_embedded": {"users": [{"id": 1, "name": "a", "rights": {"is_admin": True}}]}},
    {"_embedded": {"pipelines": [{"id": 1, "name": "a", "is_main": True, "_embedded": {"statuses": []}}]}},
    {"id": 1, "name": "a", "subdomain": "b", "current_user_id": 2},
    listing([widget(1), widget(2, settings={"a": "b"}, settings_template={"x": setting()})], more=True),
    widget(3, settings='{"a": 1}', rating=None),
    {"title": "a", "detail": "b", "retry_after": 3, "validation-errors": [{"errors": [{"path": "a", "detail": "b"}]}]},
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=9,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return an answer of the API in which a few stretches of bytes are others."""
    body = json.dumps(draw(st.sampled_from(WHOLE)), ensure_ascii=draw(st.booleans())).encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        stop = min(start + draw(st.integers(0, 12)), len(body))
        body = body[:start] + draw(pieces) + body[stop:]
    return body


pieces = st.binary(max_size=6) | st.sampled_from(
    [b"null", b"[]", b"{}", b'""', b"-1", b"1e999", b"9" * 400, b"[" * 5000, b'{"a":' * 5000, b"\\ud800", b"NaN", b"<"]
)
bodies = st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()) | damaged()


@pytest.mark.parametrize("read", [decode.widget, decode.me, decode.users, decode.pipelines, decode.demand_json])
@SEARCH
@given(body=bodies, status=st.sampled_from([200, 204]))
def test_decoder(read: Callable[[Answer], object], body: bytes, status: int) -> None:
    """An answer is what it says, or a BadAnswer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.UnreadableValueWarning)
        try:
            read(Answer(status, Body(body), "https://example.amocrm.ru/", None))
        except errors.BadAnswer as error:
            assert "https://example.amocrm.ru/" in str(error)  # noqa: PT017  there may be none


@SEARCH
@given(body=bodies)
def test_pages(body: bytes) -> None:
    """A page of the list is rows, clean widgets and what is odd about it, or a BadAnswer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.UnreadableValueWarning)
        try:
            page = decode.page(Answer(200, Body(body), "https://example.amocrm.ru/", None), 1)
            decode.widgets(page)
            part = in_arrow([Reader().read(page)])
            assert len(frame("widgets", [part])) <= page.count
            assert len(frame("settings", [part])) == part.tally.settings
            assert page.is_last in (True, False)
        except errors.BadAnswer:
            pass


@SEARCH
@given(body=bodies, status=st.integers(400, 599), retry_after=st.none() | st.text(max_size=20) | st.integers().map(str))
def test_refusals(body: bytes, status: int, retry_after: str | None) -> None:
    """Whatever stands in a refusal, it is one, and says its status."""
    response = HTTPResponse(headers={} if retry_after is None else {"Retry-After": retry_after})
    refused = _refusal(Answer(status, Body(body), "https://example.amocrm.ru/", None), response, Secret("token"))
    assert isinstance(refused, errors.Refused)
    assert f"answers {status}" in str(refused)


@pytest.fixture(scope="module")
def target() -> Iterator[Sandbox]:
    """Return a sandbox; what goes wrong in it is raised when it stops."""
    with Sandbox(refresh_token="R") as sandbox:
        yield sandbox


visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20).map(str.encode)
paths = st.sampled_from(
    [
        b"/api/v4/widgets",
        b"/api/v4/widgets/amo_dropbox",
        b"/api/v4/widgets/amo_asterisk",
        b"/api/v4/users",
        b"/api/v4/salesbot/1/continue/2",
        b"/api/v4/leads/pipelines",
        b"/oauth2/access_token",
        b"/oauth",
        b"/api/v4/users/1",
        b"/",
    ]
)
targets = st.tuples(paths, visible, st.just(b"?") | st.just(b""), visible).map(b"".join) | visible
bearers = st.sampled_from([b"Bearer %(token)s", b"Bearer x", b"bearer", b""]) | visible
types = st.sampled_from([b"application/json", b"application/x-www-form-urlencoded", b"text/html"]) | visible


@SEARCH
@given(
    method=st.sampled_from([b"GET", b"POST", b"DELETE", b"PATCH", b"HEAD"]) | visible,
    where=targets,
    bearer=bearers,
    kind=types,
    fault=st.none() | visible.filter(lambda text: not any(name.encode() in text for name in FAULTS)),
    body=bodies | st.binary(max_size=50),
)
def test_requests(  # noqa: PLR0913, PLR0917  the parts of a request
    target: Sandbox, method: bytes, where: bytes, bearer: bytes, kind: bytes, fault: bytes | None, body: bytes
) -> None:
    """Whatever is asked for is answered, by HTTP, and never with a failure of the sandbox."""
    lines = [
        b"%s %s HTTP/1.1" % (method, where),
        b"Host: 127.0.0.1",
        b"Connection: close",
        b"Authorization: %s" % bearer.replace(b"%(token)s", target.token.encode()),
        b"Content-Type: %s" % kind,
        b"Content-Length: %d" % len(body),
        *([b"X-Sandbox-Fault: %s" % fault] if fault else []),
    ]
    status = asked(target, b"\r\n".join([*lines, b"", body]))
    assert 200 <= status < 500 or status == 501  # what amoCRM has and the sandbox has not


@SEARCH
@given(st.binary(min_size=1, max_size=300))
def test_what_is_no_request(target: Sandbox, sent: bytes) -> None:
    """What is no HTTP is answered with 400, and the next request as ever."""
    assert asked(target, sent + b"\r\n\r\n") in (400, 404, 405)
    assert asked(target, b"GET /api/v4/widgets HTTP/1.0\r\n\r\n") == 401


def asked(target: Sandbox, sent: bytes) -> int:
    """Send these bytes, and return the status of the answer."""
    with socket.create_connection(("127.0.0.1", int(target.url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return int(answer.readline().split()[1])
