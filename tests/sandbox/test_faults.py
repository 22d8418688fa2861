from __future__ import annotations

import http.client
import json
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from exchange import SUBDOMAIN, refresh
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields
from page import bearer, call, listed, pages

from amoexplore.sandbox import FAULTS, Sandbox
from amoexplore.sandbox.fault import Fault
from amoexplore.sandbox.fault_answers import Latency
from amoexplore.sandbox.fault_table import read_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIST = "/api/v4/widgets"
SECOND_PAGE = f"{LIST}?limit=100&page=2"
DROPBOX = f"{LIST}/amo_dropbox"
NGINX = "text/html; charset=utf-8"
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Return the sandbox that `own` brings back to its beginning."""
    with Sandbox(token="first", refresh_token="R") as sandbox:
        yield sandbox


@pytest.fixture
def own(running: Sandbox) -> Sandbox:
    """Return a sandbox of 300 widgets in which nothing has happened."""
    running.reset()
    return running


def outcome(sandbox: Sandbox, name: str, **headers: str) -> Any:
    """Return what becomes of a request that this fault is for: status, type and body, or the exception."""
    try:
        if name == "lost_refresh":
            return refresh(sandbox, "R", headers=headers).status
        answer = call(sandbox, SECOND_PAGE, **headers)
    except (OSError, http.client.HTTPException) as error:
        return type(error)
    return answer.status, answer.headers["Content-Type"], answer.body


def send(sandbox: Sandbox, target: str, method: str = "GET", body: bytes = b"", **headers: str) -> socket.socket:
    """Send a request, and return the connection that it was sent on."""
    address = urlsplit(sandbox.url)
    sent = {"Host": address.netloc, "Authorization": bearer(sandbox.token), "Content-Length": str(len(body))} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    connection = socket.create_connection((address.hostname, address.port), timeout=10)
    connection.sendall(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body)
    return connection


def received(connection: socket.socket) -> tuple[bytes, type[OSError] | None]:
    """Return all that comes until the end, and how that came if it was no regular one."""
    data = b""
    with closing(connection):
        try:
            while piece := connection.recv(65_536):
                data += piece
        except OSError as error:
            return data, type(error)
    return data, None


def until(sandbox: Sandbox, condition: Callable[[], Any]) -> Any:
    """Ask for one thing after the other until something has happened that was begun before, and return it."""
    return next((found for _ in range(1000) if call(sandbox, "/nothing").status and (found := condition())), None)


def is_installed(sandbox: Sandbox) -> bool:
    """Tell whether the widget is installed that the tests install."""
    return bool(call(sandbox, DROPBOX).json["is_active_in_account"])


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "silence"])
def test_one_name_two_ways(own: Sandbox, name: str) -> None:
    """A fault does the same as a context manager and by a header, and afterwards all is well."""
    calm = outcome(own, name)
    own.reset()
    with getattr(own.faults, name)(after=0) as fault:
        faulty = outcome(own, name)
        assert own.requests[-1].faults == (name,)
    assert fault.hits == 1
    own.reset()
    assert outcome(own, name, **{"X-Sandbox-Fault": name}) == faulty
    assert own.requests[-1].faults == (name,)
    own.reset()
    assert outcome(own, name) == calm
    assert own.requests[-1].faults == ()
    assert (faulty == calm) is (name in {"latency", "always_next"})


def test_from_the_start() -> None:
    """Faults may be there when a sandbox begins, and stay."""
    with Sandbox(size=1, faults=["payment_required:path=*/amo_dropbox", "bad_gateway:times=1"]) as sandbox:
        statuses = [call(sandbox, target).status for target in (DROPBOX, LIST, LIST, DROPBOX)]
    assert statuses == [402, 502, 200, 402]


def test_a_single_text_is_one_fault() -> None:
    """A text that is given in place of a list of texts is taken as a whole."""
    with Sandbox(size=1, faults="bad_gateway:times=1") as sandbox:
        assert [call(sandbox, DROPBOX).status for _ in range(2)] == [502, 200]


def test_every_fault_says_what_it_does() -> None:
    """Each name of the table has a line that says what it does, and is what Python completes."""
    assert all((kind.__doc__ or "").partition("\n")[0].endswith(".") for kind in FAULTS.values())
    assert dir(Sandbox().faults) == sorted(FAULTS)


def row(name: str, kind: type[Fault]) -> str:
    """Return the row of a fault: its own options, and the common ones where they begin otherwise."""
    common = {field.name: field.default for field in fields(Fault)}
    own = [field for field in fields(kind) if common.get(field.name, field) != field.default]
    return f"| `{name}` | {kind.__doc__} | {', '.join(f'`{field.name}={field.default}`' for field in own)} |"


def test_faults_are_documented() -> None:
    """`docs/sandbox.md` has the table of faults: name, what it does, and its options with their defaults."""
    written = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    rows = [line for line in written.splitlines() if line.startswith("| `")]
    assert rows == [row(name, kind) for name, kind in FAULTS.items()]


OPTIONS = (
    "path",
    "method",
    "after",
    "every",
    "times",
    "seconds",
    "sigma",
    "seed",
    "shape",
    "retry_after",
    "host",
    "ending",
)
VALUES = st.one_of(st.integers().map(str), st.floats().map(str), st.text())


@given(
    name=st.sampled_from([*FAULTS, "rest"]), options=st.lists(st.tuples(st.sampled_from(OPTIONS), VALUES), max_size=3)
)
def test_any_text_is_a_fault_or_none(name: str, options: list[tuple[str, str]]) -> None:
    """Whatever stands in a text, it is a fault, or a ValueError says why not."""
    text = ":".join([name, *(f"{key}={value}" for key, value in options)])
    with suppress(ValueError):
        read, fault = read_fault(text)
        assert read == name
        assert isinstance(fault, FAULTS[name])


def test_names_that_there_are_not(own: Sandbox) -> None:
    """A name that is wrong is told with those that there are, wherever it stands, and nothing is done."""
    said = "there is no fault 'rest'; there are latency, .*, reset, "
    with pytest.raises(AttributeError, match=said):
        own.faults.rest()
    with pytest.raises(ValueError, match=said):
        Sandbox(faults=["rest"])
    answer = call(own, DROPBOX, method="POST", body=b"{}", **{"X-Sandbox-Fault": "latency, rest"})
    assert answer.status == 400
    assert answer.json["detail"].startswith("X-Sandbox-Fault: there is no fault 'rest'; there are latency, ")
    assert not is_installed(own)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("latency:second=1", "unknown field `second`; it has seconds, sigma, seed, path, method, after, every, times"),
        ("latency:seconds=soon", "Expected `float`, got `str` - at `\\$.seconds`"),
        ("latency:seconds=-1", "Expected `float` >= 0.0"),
        ("latency:seconds=inf", "Expected `float` <= 3600.0"),
        ("reset:every=0", "Expected `int` >= 1"),
        ("reset:times", "Expected `int"),
        ("too_many_requests:shape=xml", "Invalid enum value 'xml'"),
        ("moved:host=пример.рф", "matching regex"),
    ],
)
def test_options_that_there_are_not(own: Sandbox, text: str, why: str) -> None:
    """An option that is wrong is told with those that there are."""
    name, _, option = text.partition(":")
    key, _, value = option.partition("=")
    for wrong in (lambda: Sandbox(faults=[text]), lambda: getattr(own.faults, name)(**{key: value})):
        with pytest.raises(ValueError, match=why):
            wrong()


@given(
    seen=st.integers(0, 60),
    after=st.integers(0, 20),
    every=st.integers(1, 7),
    times=st.one_of(st.none(), st.integers(1, 5)),
)
def test_which_requests_are_hit(seen: int, after: int, every: int, times: int | None) -> None:
    """Behind `after` requests every `every`-th is hit, `times` in all."""
    fault = Fault(after=after, every=every, times=times)
    hits = [number for number in range(1, seen + 1) if fault.hit(number)]
    assert hits == list(range(1, seen + 1))[after:][every - 1 :: every][:times]
    assert [fault.hit(number) for number in hits] == list(range(1, len(hits) + 1))


@given(st.integers(0, 3600), st.integers(0, 5), st.integers(1, 9))
def test_texts_are_options(seconds: int, after: int, every: int) -> None:
    """A text has the options that Python has."""
    text = f"latency:seconds={seconds}:after={after}:every={every}:path=/api/*:method=GET"
    expected = Latency(seconds=seconds, after=after, every=every, path="/api/*", method="GET")
    assert read_fault(text) == ("latency", expected)


def test_for_some_requests_alone(own: Sandbox) -> None:
    """A path and a method say which requests meet a fault; the others are not counted."""
    with own.faults.bad_gateway(path="/api/v4/widgets/*", method="GET", after=1) as fault:
        asked = [("GET", LIST), ("GET", DROPBOX), ("DELETE", DROPBOX), ("GET", DROPBOX), ("GET", f"{DROPBOX}/x")]
        statuses = [call(own, target, method=method).status for method, target in asked]
    assert (statuses, fault.hits) == ([200, 200, 204, 502, 502], 2)
    assert repr(fault) == "<fault bad_gateway: 2 hits>"


def test_several_at_once(own: Sandbox) -> None:
    """A request meets faults in the order in which they began, and only what gets through meets the next one."""
    with own.faults.payment_required(every=3) as rare, own.faults.bad_gateway(times=2) as first:
        statuses = [call(own, LIST).status for _ in range(4)]
    assert (statuses, rare.hits, first.hits) == ([502, 502, 402, 200], 1, 2)
    with own.faults.no_next(), own.faults.truncated_json():
        with pytest.raises(ValueError, match="char"):
            _ = call(own, SECOND_PAGE).json
    both = call(own, LIST, **{"X-Sandbox-Fault": "foreign_next, cut_body:path=/nothing, latency:seconds=0.01"})
    assert "amocrm.example" in both.json["_links"]["next"]["href"]
    assert own.requests[-1].faults == ("foreign_next", "latency")


def test_begins_and_ends_with_its_context(own: Sandbox) -> None:
    """A fault goes on counting in its next context; an exception ends it as well."""
    fault = own.faults.bad_gateway(times=2)
    assert call(own, LIST).status == 200
    with pytest.raises(KeyError), fault:
        assert call(own, LIST).status == 502
        raise KeyError
    assert call(own, LIST).status == 200
    with fault:
        assert [call(own, LIST).status for _ in range(2)] == [502, 200]


def test_counts_in_many_threads(own: Sandbox) -> None:
    """However many threads ask and begin faults of their own, each fault hits as often as it was told to."""

    def ask(number: int) -> int:
        with own.faults.payment_required(path=f"/nothing/{number}", times=1):
            return [call(own, f"/nothing/{number}").status for _ in range(2)].count(402)

    with own.faults.bad_gateway(path=LIST, every=3) as fault, ThreadPoolExecutor(8) as pool:
        listed_ = pool.map(lambda _: call(own, f"{LIST}?limit=1").status, range(90))
        assert list(pool.map(ask, range(24))) == [1] * 24
        assert list(listed_).count(502) == fault.hits == 30
    assert call(own, LIST).status == 200


def test_latency(own: Sandbox) -> None:
    """An answer takes as long as was asked for, and one that was asked for later may come before it."""
    before = time.monotonic()
    call(own, LIST, **{"X-Sandbox-Fault": "latency:seconds=0.05"})
    assert time.monotonic() - before >= 0.05
    with closing(send(own, LIST, **{"X-Sandbox-Fault": "latency:seconds=0.5"})) as slow:
        assert call(own, LIST).status == 200
        assert not select.select([slow], [], [], 0)[0]
        assert slow.recv(9) == b"HTTP/1.1 "


@given(seed=st.integers())
def test_latencies_are_drawn(seed: int) -> None:
    """The same seed draws the same latencies, log-normal around the seconds; without sigma they are all the seconds."""
    drawn = [Latency(seconds=2, sigma=0.5, seed=seed).drawn(number) for number in range(99)]
    assert drawn == [Latency(seconds=2, sigma=0.5, seed=seed).drawn(number) for number in range(99)]
    assert len(set(drawn)) == 99
    assert all(seconds > 0 for seconds in drawn)
    assert 1.3 < median(drawn) < 3
    assert {Latency(seconds=2, seed=seed).drawn(number) for number in range(9)} == {2}


@pytest.mark.parametrize(
    ("fault", "retry_after", "kind"),
    [
        ("too_many_requests", None, PROBLEM),
        ("too_many_requests:shape=header:retry_after=3", "3", PROBLEM),
        ("too_many_requests:shape=html", None, NGINX),
    ],
)
def test_too_many_requests(own: Sandbox, fault: str, retry_after: str | None, kind: str) -> None:
    """429 comes in three shapes: only one has retry_after in its body, only one a Retry-After, and one is nginx's."""
    answer = call(own, LIST, **{"X-Sandbox-Fault": fault})
    assert (answer.status, answer.headers["Content-Type"], answer.headers["Retry-After"]) == (429, kind, retry_after)
    if kind == PROBLEM:
        expected = {
            "title": "Too Many Requests",
            "type": "https://httpstatus.es/429",
            "status": 429,
            "detail": "You have sent too many requests in a given amount of time. Please try again later.",
        }
        assert answer.json == expected | ({} if retry_after else {"retry_after": 1})
    else:
        assert b"<center><h1>429 Too Many Requests</h1></center>" in answer.body


@pytest.mark.parametrize(
    ("name", "status", "shape", "said"),
    [
        ("payment_required", 402, None, "Payment required"),
        ("internal_server_error", 500, None, "An unknown error occurred."),
        ("internal_server_error", 500, "html", "500 Internal Server Error"),
        ("bad_gateway", 502, None, "502 Bad Gateway"),
        ("bad_gateway", 502, "json", "Bad Gateway"),
        ("service_unavailable", 503, None, "503 Service Temporarily Unavailable"),
        ("service_unavailable", 503, "json", "Service Unavailable"),
        ("gateway_timeout", 504, None, "504 Gateway Time-out"),
        ("gateway_timeout", 504, "json", "Gateway Timeout"),
        ("blocked", 403, None, "403 Forbidden"),
    ],
)
def test_refusals(own: Sandbox, name: str, status: int, shape: str | None, said: str) -> None:
    """A refusal is a problem of the API with a number, or nginx's page without one; nothing has been done."""
    options = {"shape": shape} if shape else {}
    with getattr(own.faults, name)(**options):
        answer = call(own, DROPBOX, method="POST", body=b"{}")
    assert answer.status == status
    if answer.headers["Content-Type"] == PROBLEM:
        assert (answer.json["status"], answer.json["detail"]) == (status, said)
        assert answer.headers["X-Request-Id"] == own.requests[-1].request_id != ""
    else:
        assert answer.headers["Content-Type"] == NGINX
        assert f"<center><h1>{said}</h1></center>\r\n<hr><center>nginx</center>" in answer.body.decode()
        assert answer.headers["X-Request-Id"] is None
        assert own.requests[-1].request_id == ""
    assert not is_installed(own)


def test_html_page(own: Sandbox) -> None:
    """All seems well, but it is HTML, and nothing has been done."""
    with own.faults.html_page():
        answer = call(own, DROPBOX, method="POST", body=b"{}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, NGINX)
    assert answer.body.startswith(b"<!DOCTYPE html>")
    assert not is_installed(own)


def test_truncated_json(own: Sandbox) -> None:
    """The answer is whole by HTTP, so that its connection goes on, but half of its JSON is missing."""
    whole = call(own, LIST).body
    with closing(http.client.HTTPConnection(urlsplit(own.url).netloc, timeout=10)) as connection:
        for fault, expected in (("truncated_json", whole[: len(whole) // 2]), ("latency:seconds=0", whole)):
            headers = {"Authorization": bearer(own.token), "X-Sandbox-Fault": fault}
            connection.request("GET", LIST, headers=headers)
            assert connection.getresponse().read() == expected
    with pytest.raises(json.JSONDecodeError):
        json.loads(whole[: len(whole) // 2])


@pytest.mark.parametrize(("ending", "how"), [("close", None), ("reset", ConnectionResetError)])
def test_cut_body(own: Sandbox, ending: str, how: type[OSError] | None) -> None:
    """Half of what was announced comes, and then the connection ends."""
    whole = call(own, LIST).body
    data, came = received(send(own, LIST, **{"X-Sandbox-Fault": f"cut_body:ending={ending}"}))
    head, _, body = data.partition(b"\r\n\r\n")
    assert came is how
    assert ending == "reset" or f"content-length: {len(whole)}".encode() in head
    assert ending == "reset" or body == whole[: len(whole) // 2]  # what was reset may be lost on the way


def test_stalled_body(own: Sandbox) -> None:
    """Half of what was announced comes, and then nothing, while others are answered."""
    whole = call(own, LIST).body
    with closing(send(own, LIST, **{"X-Sandbox-Fault": "cut_body:ending=silence"})) as connection:
        data = b""
        while not data.endswith(whole[: len(whole) // 2]):
            data += connection.recv(65_536)
        assert f"content-length: {len(whole)}".encode() in data
        assert call(own, LIST).status == 200
        assert not select.select([connection], [], [], 0)[0]


def test_bodies_that_are_none(own: Sandbox) -> None:
    """An answer without a body comes as it is."""
    for fault in ("cut_body", "truncated_json"):
        assert call(own, DROPBOX, method="DELETE", **{"X-Sandbox-Fault": fault}).status == 204
        head = call(own, LIST, method="HEAD", **{"X-Sandbox-Fault": fault})
        assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(("name", "how"), [("reset", ConnectionResetError), ("hang_up", None)])
def test_nothing_is_sent(own: Sandbox, name: str, how: type[OSError] | None) -> None:
    """A connection is reset, or closed, without one byte, and nothing has been done; the log has it as 0."""
    assert received(send(own, DROPBOX, "POST", b"{}", **{"X-Sandbox-Fault": name})) == (b"", how)
    (logged,) = own.requests
    assert (logged.method, logged.status, logged.request_id, logged.faults) == ("POST", 0, "", (name,))
    assert not is_installed(own)


def test_silence(own: Sandbox) -> None:
    """Nothing comes and nothing is done, while others are answered; the client may go away."""
    with closing(send(own, DROPBOX, "POST", b"{}", **{"X-Sandbox-Fault": "silence"})) as connection:
        assert until(own, lambda: [logged.faults for logged in own.requests if logged.faults]) == [("silence",)]
        assert not is_installed(own)
        assert not select.select([connection], [], [], 0)[0]


def test_silence_ends_with_the_sandbox() -> None:
    """A sandbox that stops leaves nobody waiting, and no thread."""
    before = set(threading.enumerate())
    with Sandbox(size=1, faults=["silence:path=/nothing"]) as sandbox:
        connection = send(sandbox, "/nothing")
        assert call(sandbox, LIST).status == 200
    assert received(connection)[0] == b""
    assert set(threading.enumerate()) <= before  # others may have ended meanwhile


@pytest.mark.parametrize(("ending", "how"), [("reset", ConnectionResetError), ("close", None)])
def test_lost_answer(own: Sandbox, ending: str, how: type[OSError] | None) -> None:
    """What was asked for is done, and not one byte of the answer comes; the log has it as 0."""
    fault = f"lost_answer:ending={ending}"
    assert received(send(own, DROPBOX, "POST", b"{}", **{"X-Sandbox-Fault": fault})) == (b"", how)
    assert [(logged.status, logged.faults) for logged in own.requests] == [(0, ("lost_answer",))]
    assert is_installed(own)


def test_an_answer_lost_in_silence(own: Sandbox) -> None:
    """What was asked for is done, and the client waits."""
    with closing(send(own, DROPBOX, "POST", b"{}", **{"X-Sandbox-Fault": "lost_answer:ending=silence"})) as connection:
        assert until(own, lambda: is_installed(own))
        assert not select.select([connection], [], [], 0)[0]


def test_lost_refresh_strict(own: Sandbox) -> None:
    """Where rotation is strict a lost answer has used the refresh token up; other requests are not lost."""
    with own.faults.lost_refresh(times=1), pytest.raises(ConnectionResetError):
        assert call(own, LIST).status == 200
        refresh(own, "R")
    answer = refresh(own, "R")
    assert (answer.status, answer.json["hint"]) == (401, "Token has been revoked")


def test_lost_refresh_with_grace() -> None:
    """Where there is grace the old refresh token brings another pair."""
    with Sandbox(size=1, token="first", refresh_token="R", rotation="grace") as sandbox:
        with sandbox.faults.lost_refresh(), pytest.raises(ConnectionResetError):
            refresh(sandbox, "R")
        assert refresh(sandbox, "R").status == 200


def codes(page: Any) -> list[str]:
    """Return the codes of a page."""
    return [widget["code"] for widget in page["_embedded"]["widgets"]]


def test_always_next(own: Sandbox) -> None:
    """The last page names a next one, which is 204; the pages before are as they were."""
    calm = list(pages(own, limit=100))
    with own.faults.always_next():
        always = list(pages(own, limit=100))
        assert call(own, f"{LIST}?limit=100&page=4").status == 204
    last = always.pop()
    assert always == calm[:2]
    assert last["_links"].pop("next") == {"href": f"{own.url}{LIST}?limit=100&page=4"}
    assert last == calm[2]


def test_endless_next(own: Sandbox) -> None:
    """Whatever page is asked for, the first one comes under its number and leads on."""
    first = call(own, f"{LIST}?limit=100").json
    with own.faults.endless_next():
        for number in (1, 2, 1000):
            page = call(own, f"{LIST}?limit=100&page={number}").json
            assert (page["_page"], codes(page)) == (number, codes(first))
            assert page["_links"] == {
                "self": {"href": f"{own.url}{LIST}?limit=100&page={number}"},
                "next": {"href": f"{own.url}{LIST}?limit=100&page={number + 1}"},
            }


def test_no_next(own: Sandbox) -> None:
    """No page leads on, but the next one is there."""
    calm = list(pages(own, limit=100))
    with own.faults.no_next():
        for number, page in enumerate(calm, 1):
            page["_links"].pop("next", None)
            assert call(own, f"{LIST}?limit=100&page={number}").json == page


def test_foreign_next(own: Sandbox) -> None:
    """The next page is said to be at another host."""
    with own.faults.foreign_next(host="evil.example"):
        page = call(own, f"{LIST}?limit=100").json
        last = call(own, f"{LIST}?limit=100&page=3").json
    assert page["_links"]["next"] == {"href": f"https://evil.example{LIST}?limit=100&page=2"}
    assert page["_links"]["self"] == {"href": f"{own.url}{LIST}?limit=100&page=1"}
    assert "next" not in last["_links"]


def test_widget_twice(own: Sandbox) -> None:
    """The last widget of a page is the first of the next one; none is missing, and no page is too long."""
    calm = [widget["code"] for widget in listed(own)]
    with own.faults.widget_twice():
        found = [codes(page) for page in pages(own, limit=100)]
    assert [len(page) for page in found] == [100, 100, 100, 1]
    assert found[0][-1] == found[1][0]
    assert sorted(set().union(*found)) == sorted(calm)


def test_changing_catalog(own: Sandbox) -> None:
    """Behind the first page that is asked for, the first widget is gone, and all others move up."""
    calm = [widget["code"] for widget in listed(own)]
    with own.faults.changing_catalog():
        found = [codes(page) for page in pages(own, limit=100)]
        assert codes(call(own, f"{LIST}?limit=100").json) == calm[1:101]
    assert found == [calm[:100], calm[101:201], calm[201:]]
    assert [widget["code"] for widget in listed(own)] == calm


def test_faults_of_the_list_are_for_it_alone(own: Sandbox) -> None:
    """What is said of the list's pages does nothing to other answers."""
    with ExitStack() as exits:
        for name in ("always_next", "endless_next", "no_next", "foreign_next", "widget_twice", "changing_catalog"):
            exits.enter_context(getattr(own.faults, name)())
        assert call(own, "/api/v4/users?limit=2").json["_links"]["next"]
        assert call(own, DROPBOX).status == 200


def test_pages_that_are_none(own: Sandbox) -> None:
    """Faults of the list let a refusal and a page past the end be what they are."""
    with own.faults.no_next(), own.faults.always_next():
        assert call(own, f"{LIST}?page=1000").status == 204
        assert call(own, LIST, Authorization="").status == 401


def test_expired_token(own: Sandbox) -> None:
    """In mid-load the token that comes is good no more, and stays so; the next one is let in."""
    with own.faults.expired_token(after=2, times=1):
        assert [call(own, LIST).status for _ in range(4)] == [200, 200, 401, 401]
        token = refresh(own, "R").json["access_token"]
        assert call(own, LIST, Authorization=bearer(token)).status == 200
    assert call(own, LIST).status == 401


def test_long_lived_tokens_do_not_expire(own: Sandbox) -> None:
    """A token without a refresh token stays good."""
    with own.faults.expired_token():
        assert call(own, LIST, Authorization=bearer(own.analyst_token)).status == 200


def test_moved(own: Sandbox) -> None:
    """At the old host all is 404 but the question where the account is now; there all is as it was."""
    port = urlsplit(own.url).port
    with own.faults.moved():
        assert [call(own, LIST).status, refresh(own, "R").status] == [404, 404]
        domain = call(own, SUBDOMAIN, Authorization="", **{"X-Refresh-Token": "R"}).json["domain"]
        assert domain == f"localhost:{port}"
        page = call(own, LIST, Host=domain).json
        assert page["_links"]["self"]["href"].startswith(f"http://localhost:{port}/")
        assert refresh(own, "R", headers={"Host": domain}).status == 200
    assert call(own, LIST).status == 200


def test_a_client_that_goes_away_in_a_fault(own: Sandbox) -> None:
    """Clients that break off while they wait are nobody's failure."""
    for fault in ("latency:seconds=0.05", "silence", "cut_body:ending=silence", "lost_answer:ending=silence"):
        send(own, LIST, **{"X-Sandbox-Fault": fault}).close()
    assert call(own, LIST, **{"X-Sandbox-Fault": "latency:seconds=0.1"}).status == 200
    assert not own._journal.failures
