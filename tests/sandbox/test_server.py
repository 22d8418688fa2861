from __future__ import annotations

import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from page import bearer, call, listed

from amoexplore.sandbox import Sandbox
from amoexplore.sandbox.store import Store

if TYPE_CHECKING:
    from pathlib import Path

LIST = "/api/v4/widgets"


class BrokenError(Exception):
    """What a handler raises that is out of order."""


@pytest.fixture
def out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the list raise."""

    def listed(*_: Any, **__: Any) -> None:
        raise BrokenError

    monkeypatch.setattr(Store, "listed", listed)


def connect(sandbox: Sandbox) -> http.client.HTTPConnection:
    """Return a connection that stays open after an answer."""
    return http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)


def silent(sandbox: Sandbox) -> socket.socket:
    """Return a connection on which nothing has been asked."""
    return socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port))


def test_answers_on_this_machine_alone() -> None:
    """It listens on 127.0.0.1, on a port of its own choice."""
    with Sandbox(size=1) as sandbox, Sandbox(size=1) as other:
        assert urlsplit(sandbox.url).hostname == "127.0.0.1"
        assert sandbox.url != other.url
        assert call(sandbox, LIST).status == 200


def test_leaves_no_thread_and_no_port() -> None:
    """After the end its thread is gone, and its port can be had again."""
    before = set(threading.enumerate())
    with Sandbox(size=1) as sandbox:
        port = urlsplit(sandbox.url).port
        assert call(sandbox, LIST).status == 200
        assert set(threading.enumerate()) - before
    assert set(threading.enumerate()) <= before  # others may have ended meanwhile
    with closing(socket.create_server(("127.0.0.1", port))):
        pass


def test_stops_soon_with_connections_open() -> None:
    """Clients that keep their connections do not keep it from ending."""
    with Sandbox(size=1) as sandbox, silent(sandbox), closing(connect(sandbox)) as connection:
        connection.request("GET", "/")
        connection.getresponse().read()
        before = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - before < 1


def test_start_and_stop_again() -> None:
    """Starting twice is starting once, stopping twice is stopping once, and it can start again."""
    sandbox = Sandbox(size=1)
    sandbox.stop()
    assert sandbox.start() is sandbox
    url = sandbox.url
    assert sandbox.start().url == url
    sandbox.stop()
    sandbox.stop()
    with sandbox:
        assert call(sandbox, LIST).status == 200


def test_constructor_touches_nothing(tmp_path: Path) -> None:
    """A sandbox that was not started has no file, and no port."""
    path = tmp_path / "state.db"
    sandbox = Sandbox(state=path)
    assert not path.exists()
    for use in (lambda: sandbox.url, sandbox.reset, lambda: sandbox.integration_token("amo_dropbox")):
        with pytest.raises(RuntimeError, match="not running; call start"):
            use()


def test_port_of_ones_own() -> None:
    """A port that is given is listened on; one that is taken is an error that says what to do."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OSError, match=rf"127.0.0.1:{port}.*name another port, or 0"):
            Sandbox(size=1, port=port).start()
    with Sandbox(size=1, port=port) as sandbox:
        assert sandbox.url == f"http://127.0.0.1:{port}"


def test_a_start_that_fails_is_raised_where_it_was_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong in the server's thread before it is ready is raised by start, and nothing is left."""

    async def startup(*_: Any, **__: Any) -> None:
        raise BrokenError

    monkeypatch.setattr(uvicorn.Server, "startup", startup)
    before = set(threading.enumerate())
    with pytest.raises(BrokenError):
        Sandbox(size=1).start()
    assert set(threading.enumerate()) <= before  # others may have ended meanwhile


def test_an_end_that_fails_is_raised_by_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong in the server's thread later is raised when the sandbox stops, and nothing is left."""

    async def shutdown(*_: Any, **__: Any) -> None:
        raise BrokenError

    monkeypatch.setattr(uvicorn.Server, "shutdown", shutdown)
    before = set(threading.enumerate())
    sandbox = Sandbox(size=1).start()
    with pytest.raises(BrokenError):
        sandbox.stop()
    assert set(threading.enumerate()) <= before  # others may have ended meanwhile


@pytest.mark.usefixtures("out_of_order")
def test_a_handler_that_fails() -> None:
    """The client gets 500 and a problem, the owner the exception when the sandbox stops."""
    sandbox = Sandbox(size=1).start()
    answer = call(sandbox, LIST)
    with pytest.raises(BrokenError):
        sandbox.stop()
    sandbox.stop()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(answer.headers["X-Request-Id"]) == 32
    assert answer.json == {
        "title": "Internal Server Error",
        "type": "https://httpstatus.es/500",
        "status": 500,
        "detail": "An unknown error occurred.",
    }


@pytest.mark.usefixtures("out_of_order")
def test_handlers_that_fail() -> None:
    """Several exceptions are raised together."""
    with pytest.RaisesGroup(BrokenError, BrokenError), Sandbox(size=1) as sandbox:
        call(sandbox, LIST)
        call(sandbox, LIST)


@pytest.mark.usefixtures("out_of_order")
def test_a_failure_hides_no_other() -> None:
    """An exception that is on its way stays the one that is raised, and has a note of the sandbox's."""

    def use() -> None:
        with Sandbox(size=1) as sandbox:
            call(sandbox, LIST)
            raise KeyError

    with pytest.raises(KeyError) as raised:
        use()
    assert raised.value.__notes__ == ["and the sandbox failed: BrokenError()"]


def test_answers_many_at_once() -> None:
    """Clients on many connections all get the whole list, while it is being reset."""
    with Sandbox() as sandbox, ThreadPoolExecutor(8) as pool:
        lists = [pool.submit(listed, sandbox) for _ in range(40)]
        for _ in range(3):
            sandbox.reset()
        expected = listed(sandbox)
        assert all(answer.result() == expected for answer in lists)


def test_same_seed_same_answers() -> None:
    """Two sandboxes of one seed and size answer alike."""
    answers = []
    for _ in range(2):
        with Sandbox(seed=7, size=60) as sandbox:
            answers.append(call(sandbox, LIST, Host="example.amocrm.ru").body)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 20, 251])
def test_sizes(size: int) -> None:
    """The administrator's list has as many widgets as were asked for; a list of none is 204."""
    with Sandbox(size=size) as sandbox:
        assert call(sandbox, LIST).status == (200 if size else 204)
        assert len(listed(sandbox)) == size


def test_reset_empties_the_log() -> None:
    """After a reset nothing has been asked."""
    with Sandbox(size=1) as sandbox:
        call(sandbox, LIST)
        assert len(sandbox.requests) == 1
        sandbox.reset()
        assert not sandbox.requests


def test_seed_of_any_length() -> None:
    """A seed is any whole number."""
    with Sandbox(seed=-(10**40), size=1) as sandbox:
        assert len(listed(sandbox)) == 1


def test_state_file(tmp_path: Path) -> None:
    """A sandbox goes on with the state that an earlier one left, and lets go of the file when it stops."""
    for _ in range(2):
        with Sandbox(size=30, state=tmp_path / "state.db") as sandbox:
            assert len(listed(sandbox)) == 30
    with pytest.raises(ValueError, match="name another file"):
        Sandbox(size=31, state=tmp_path / "state.db").start()


def test_token_of_ones_own() -> None:
    """A token that is given is the administrator's, and fixes the others; else each sandbox has its own."""
    assert Sandbox(token="sesame").token == "sesame"
    assert Sandbox(token="sesame").analyst_token == Sandbox(token="sesame").analyst_token
    assert Sandbox().token != Sandbox().token


@pytest.mark.parametrize("token", ["", "open sesame", "сезам", "sesame\r\n"])
def test_token_that_cannot_be_sent(token: str) -> None:
    """A token that fits into no header is refused, and not shown."""
    with pytest.raises(ValueError, match="goes into a header") as refused:
        Sandbox(token=token)
    assert not token or token not in str(refused.value)


def test_size_that_cannot_be() -> None:
    """A catalogue can't have fewer widgets than none."""
    with pytest.raises(ValueError, match="-1 widgets"):
        Sandbox(size=-1)


def test_integration_token() -> None:
    """A widget with an integration has a token that reads it; others have none, and it is said why."""
    with Sandbox() as sandbox:
        code = next(widget["code"] for widget in listed(sandbox) if widget["client_uuid"])
        token = sandbox.integration_token(code)
        assert "settings" in call(sandbox, f"{LIST}/{code}", Authorization=bearer(token)).json
        with pytest.raises(ValueError, match=r"'amo_dropbox' has no integration .*; '\w+' has one"):
            sandbox.integration_token("amo_dropbox")
        with pytest.raises(LookupError, match="no widget 'amo_drop'"):
            sandbox.integration_token("amo_drop")
    with Sandbox(size=3) as sandbox, pytest.raises(ValueError, match="ask for a larger size"):
        sandbox.integration_token("amo_dropbox")


def test_repr_shows_no_token() -> None:
    """It shows size and address, and nothing secret."""
    sandbox = Sandbox(size=3, token="sesame")
    assert repr(sandbox) == "<Sandbox of 3 widgets, not running>"
    with sandbox:
        assert repr(sandbox) == f"<Sandbox of 3 widgets, at {sandbox.url}>"


@pytest.mark.parametrize("port", [-1, 65536, 99999, "8700", 8.5, None])
def test_ports_that_are_none(port: Any) -> None:
    """A port that no machine has is told at once."""
    with pytest.raises(ValueError, match=f"there is no port {port!r}; ports are whole numbers from 0"):
        Sandbox(port=port)


def test_size_is_a_whole_number() -> None:
    """Half a widget is told at once, and not looked for without end."""
    with pytest.raises(TypeError, match="float"):
        Sandbox(size=2.5)  # type: ignore[arg-type]
