from __future__ import annotations

import socket
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from page import call, post

from amoexplore.sandbox import Bot, Message, Sandbox
from amoexplore.sandbox.hooks import Hook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amoexplore.sandbox.bots import BotKind


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return a sandbox of this test's own."""
    with Sandbox(size=100) as running:
        yield running


@pytest.fixture
def linked(sandbox: Sandbox) -> str:
    """Return the code of a widget that has an integration."""
    with pytest.raises(ValueError, match="has one") as refused:
        sandbox.integration_secret("amo_dropbox")
    return str(refused.value).split("'")[3]


def answering(status: int) -> HTTPServer:
    """Return a widget's server that answers all with this status."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return HTTPServer(("127.0.0.1", 0), Handler)


def test_ids_are_given_out(sandbox: Sandbox) -> None:
    """A bot has ids of its own, unless it is given some; the first are those of the page on Salesbot."""
    bots = [sandbox.start_bot(), sandbox.start_bot("marketingbot"), sandbox.start_bot(bot_id=7), sandbox.start_bot()]
    assert [(bot.bot, bot.bot_id, bot.continue_id) for bot in bots] == [
        ("salesbot", 321, 123),
        ("marketingbot", 322, 124),
        ("salesbot", 7, 125),
        ("salesbot", 323, 126),
    ]
    assert bots[0].return_url == f"{sandbox.url}/api/v4/salesbot/321/continue/123"
    greatest = sandbox.start_bot(bot_id=10**15 - 1, continue_id=10**15 - 1)
    for waits in (greatest, sandbox.start_bot()):
        assert call(sandbox, waits.return_url.removeprefix(sandbox.url), method="POST", body=b"{}").status == 202


def test_a_bot_begins_anew(sandbox: Sandbox) -> None:
    """A bot that is started with the ids of another one is that one, and waits again."""
    for text in ("a", "b"):
        bot = sandbox.start_bot(bot_id=77, continue_id=1001, steps=[text])
        assert sandbox.transcript(bot) == ()
        post(sandbox, bot.return_url.removeprefix(sandbox.url), {})
        assert sandbox.transcript(bot) == (Message(text),)


def test_transcripts(sandbox: Sandbox) -> None:
    """A bot's transcript is its own, that of a bot_id all that was said under it; where no bot was is an error."""
    first, second = (sandbox.start_bot(bot_id=77, steps=[text]) for text in ("a", "b"))
    for bot in (second, first):
        post(sandbox, bot.return_url.removeprefix(sandbox.url), {})
    assert sandbox.transcript(second) == (Message("b"),)
    assert sandbox.transcript(77) == (Message("a"), Message("b"))
    for nobody in (78, Bot(bot="marketingbot", bot_id=77, continue_id=123, return_url="")):
        with pytest.raises(LookupError, match="no bot 7"):
            sandbox.transcript(nobody)


@pytest.mark.parametrize(
    ("kind", "ids"),
    [("bot", {}), ("salesbot", {"bot_id": 0}), ("salesbot", {"bot_id": -1}), ("salesbot", {"continue_id": 10**15})],
)
def test_bots_that_cannot_be(sandbox: Sandbox, kind: BotKind, ids: dict[str, int]) -> None:
    """A kind that is none and an id that fits into no address are refused."""
    with pytest.raises(ValueError, match=r"salesbot and marketingbot|15 digits"):
        sandbox.start_bot(kind, **ids)


@pytest.mark.parametrize("steps", ["abc", [1, 2], [["a"]], None, 5])
def test_steps_that_are_no_texts(sandbox: Sandbox, steps: Any) -> None:
    """What a bot can't say is refused at its start, before anybody lets it go on."""
    with pytest.raises(TypeError, match="steps are a list of texts"):
        sandbox.start_bot(steps=steps)


def test_bots_outlast_a_start(tmp_path: Path) -> None:
    """A bot that waits is in the state file, and so is what one said."""
    with Sandbox(size=3, state=tmp_path / "state.db") as sandbox:
        said, waits = (sandbox.start_bot(steps=["{{json.a}}"]) for _ in range(2))
        post(sandbox, said.return_url.removeprefix(sandbox.url), {"data": {"a": "да"}})
    with Sandbox(size=3, state=tmp_path / "state.db") as sandbox:
        assert sandbox.transcript(said) == (Message("да"),)
        target = f"/api/v4/{waits.bot}/{waits.bot_id}/continue/{waits.continue_id}"
        assert post(sandbox, target, {}).status == 202
        sandbox.reset()
        with pytest.raises(LookupError):
            sandbox.transcript(waits)


def test_a_hook_that_does_not_answer(sandbox: Sandbox, linked: str) -> None:
    """A server that is not there is an error that says so, and the bot waits nevertheless."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionError, match=r"server at 127.0.0.1 did not answer: .*; the bot waits on"):
        sandbox.start_bot(bot_id=77, continue_id=1, url=f"http://127.0.0.1:{port}/?secret=sesame", widget=linked)
    assert post(sandbox, "/api/v4/salesbot/77/continue/1", {}).status == 202


@pytest.mark.parametrize("status", [202, 301, 404, 500])
def test_a_hook_that_answers_otherwise(sandbox: Sandbox, linked: str, status: int) -> None:
    """A server that answers another status than 200 is an error that names it."""
    with answering(status) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        with pytest.raises(ConnectionError, match=f"answered {status}, not 200"):
            sandbox.start_bot(url=f"http://127.0.0.1:{server.server_port}", widget=linked)


def test_a_hook_that_is_slow(sandbox: Sandbox, linked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that says nothing for as long as a widget has is an error."""
    monkeypatch.setattr("amoexplore.sandbox.hooks._TIMEOUT", 0.05)
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        pytest.raises(ConnectionError, match="did not answer: timed out"),
    ):
        sandbox.start_bot(url=f"http://127.0.0.1:{silent.getsockname()[1]}", widget=linked)


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://a/", "http:///hook", "http://a:0/", "http://a:b/"])
def test_a_hook_that_has_no_address(sandbox: Sandbox, linked: str, url: str) -> None:
    """What is no address of HTTP is refused before a bot is started."""
    with pytest.raises(ValueError, match=r"begins with http://|^Port "):
        sandbox.start_bot(bot_id=77, url=url, widget=linked)
    with pytest.raises(LookupError):
        sandbox.transcript(77)


def test_a_hook_of_nobody(sandbox: Sandbox) -> None:
    """A request is for a widget that has an integration."""
    with pytest.raises(ValueError, match="name the widget"):
        sandbox.start_bot(url="http://127.0.0.1:1/")
    with pytest.raises(ValueError, match="has no integration"):
        sandbox.start_bot(url="http://127.0.0.1:1/", widget="amo_dropbox")
    with pytest.raises(LookupError, match="no widget"):
        sandbox.start_bot(url="http://127.0.0.1:1/", widget="amo_drop")


def test_secrets(sandbox: Sandbox, linked: str) -> None:
    """Each integration has a secret, which is neither its token nor another's, and is shown nowhere."""
    secret = sandbox.integration_secret(linked)
    assert secret not in sandbox.integration_token(linked)
    assert secret not in repr(Hook("http://127.0.0.1", client_uuid="", secret=secret))
    with Sandbox(size=100, token=sandbox.token) as same, Sandbox(size=100) as other:
        assert same.integration_secret(linked) == secret
        assert other.integration_secret(linked) != secret


def test_needs_a_start() -> None:
    """A sandbox that is not running has no bots."""
    sandbox = Sandbox(size=1)
    for use in (sandbox.start_bot, lambda: sandbox.transcript(1), lambda: sandbox.integration_secret("amo_dropbox")):
        with pytest.raises(RuntimeError, match="not running; call start"):
            use()
