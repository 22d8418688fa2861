from __future__ import annotations

import errno
import os
import re
import socket
import struct
import sys
import threading
from queue import Queue
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from urllib.request import urlopen

import pytest
from consenting import browser, decide
from pairs_of import exchanges
from tracebacks import shown

import amoexplore as amo
from amoexplore import Sandbox, cli, consent, errors
from amoexplore.cli import main
from amoexplore.pairs import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "canary-secret-7f3a"
CLIENT = "5ef1a2b3-0000-4000-8000-000000000001"
ELSEWHERE = "https://example.org/callback"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return a sandbox of its own for each test."""
    with Sandbox(size=3) as running:
        yield running


@pytest.fixture
def redirect_uri() -> str:
    """Return an address on this machine at which nobody listens yet."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/callback"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the secret."""
    monkeypatch.setenv("AMOEXPLORE_CLIENT_SECRET", SECRET)


def pasting(monkeypatch: pytest.MonkeyPatch, decision: str = "allow", **changes: str) -> list[str]:
    """Have a user who decides so, and pastes the address that he is sent to with some of its parameters changed."""
    opened: list[str] = []

    def paste(_: str) -> str:
        parts = urlsplit(decide(opened[-1], decision))
        told = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return f" {parts._replace(query=urlencode(told | changes)).geturl()} \n"

    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(consent, "getpass", paste)
    return opened


def login(sandbox: Sandbox, redirect_uri: str = ELSEWHERE) -> amo.Account:
    """Log in to the sandbox."""
    return amo.login(sandbox.url, client_id=CLIENT, redirect_uri=redirect_uri)


def test_login_by_redirect(
    sandbox: Sandbox, redirect_uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The browser brings the code itself; then connect() needs nothing but the host, and nothing shows a secret."""
    with browser(monkeypatch) as seen:
        account = login(sandbox, redirect_uri)
    assert account.widget("amo_dropbox").id == 742
    assert amo.connect(sandbox.url).widget("amo_dropbox").id == 742
    assert exchanges(sandbox) == [200]
    assert "this page may be closed" in seen[0]
    pair = Store(sandbox.url).load()
    assert pair is not None
    assert (pair.url, pair.client_id, pair.redirect_uri, pair.client_secret) == (
        sandbox.url,
        CLIENT,
        redirect_uri,
        SECRET,
    )
    said = capsys.readouterr()
    assert f"open this address yourself:\n{sandbox.url}/oauth?" in said.out
    assert said.err == ""
    assert not [text for text in (SECRET, pair.access_token, pair.refresh_token, "code=") if text in said.out]


def test_a_browser_in_the_foreground(sandbox: Sandbox, redirect_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that is waited for until it ends, as one in a terminal, gets its answer before."""
    seen: Queue[int] = Queue()

    def visit(page: str) -> bool:
        with urlopen(decide(page), timeout=0.5) as answer:  # noqa: S310  our own
            seen.put(answer.status)
        return True

    monkeypatch.setattr("webbrowser.open", visit)
    assert login(sandbox, redirect_uri).widget("amo_dropbox").id == 742
    assert seen.get(timeout=10) == 200


def test_login_by_pasting(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can listen at the redirect_uri, the browser's address is pasted, or its parameters, or the code."""
    opened = pasting(monkeypatch)
    assert login(sandbox).widget("amo_dropbox").id == 742
    code = parse_qs(urlsplit(decide(opened[0])).query)["code"][0]
    monkeypatch.setattr(consent, "getpass", lambda _: code)
    assert login(sandbox).widget("amo_dropbox").id == 742
    monkeypatch.setattr(consent, "getpass", lambda _: urlsplit(decide(opened[-1])).query)
    assert login(sandbox).widget("amo_dropbox").id == 742
    assert exchanges(sandbox) == [200, 200, 200]


def test_login_on_the_command_line(
    sandbox: Sandbox,
    redirect_uri: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """`amoexplore login` asks for the secret, and ends with the name of the account and the place of the tokens."""
    monkeypatch.delenv("AMOEXPLORE_CLIENT_SECRET")
    monkeypatch.setattr(consent, "getpass", lambda _: f"{SECRET}\n")
    arguments = ["login", sandbox.url, "--client-id", CLIENT, "--redirect-uri", redirect_uri]
    with browser(monkeypatch):
        assert main(arguments) == 0
    assert f"its tokens are in {Store(sandbox.url).place}." in capsys.readouterr().out
    monkeypatch.setenv("AMOEXPLORE_URL", sandbox.url)
    assert main(["load"]) == 0
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(cli, "getpass", lambda _: 1 / 0)  # there is a token, so none is asked for
    assert main(["report", "--account", sandbox.url, "--to", str(tmp_path / "report.html")]) == 0
    pasting(monkeypatch, "deny")
    monkeypatch.setenv("AMOEXPLORE_CLIENT_SECRET", SECRET)
    assert main([*arguments, "--paste"]) == 1
    assert "Consent was denied" in capsys.readouterr().err


@pytest.mark.parametrize("is_full", [True, False])
def test_a_store_that_cannot_save(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_full: bool
) -> None:
    """Tokens that can't be stored are told before a browser is opened, with what to set."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    opened = pasting(monkeypatch)
    if is_full:
        monkeypatch.setattr(os, "fsync", full)
    else:
        (tmp_path / "file").touch()
        monkeypatch.setenv("AMOEXPLORE_STATE", str(tmp_path / "file"))
    why = "saved in .*No space left" if is_full else "locked in .*file"
    with pytest.raises(errors.StoreError, match=rf"can't be {why}.*\. Set AMOEXPLORE_STATE to another folder"):
        login(sandbox)
    assert opened == exchanges(sandbox) == []


def test_favicons_and_idle_connections(sandbox: Sandbox, redirect_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else a browser asks for, or connections that it does not use, do not stand in the way of the answer."""
    address = urlsplit(redirect_uri)
    asked = []

    def visit(page: str) -> None:
        with socket.create_connection(("127.0.0.1", address.port or 0)):
            with pytest.raises(HTTPError) as refused:
                urlopen(address._replace(path="/favicon.ico").geturl())  # noqa: S310  our own
            refused.value.close()
            asked.append(refused.value.code)
            with urlopen(decide(page)) as answer:  # noqa: S310  our own
                asked.append(answer.status)

    threads = []

    def opened(page: str) -> None:
        threads.append(threading.Thread(target=visit, args=(page,)))
        threads[0].start()

    monkeypatch.setattr("webbrowser.open", opened)
    assert login(sandbox, redirect_uri).widget("amo_dropbox").id == 742
    threads[0].join()
    assert asked == [404, 200]


def test_stray_requests(
    sandbox: Sandbox, redirect_uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request without a parameter of an answer is none, and what hangs up is told to nobody: the wait goes on."""
    address = urlsplit(redirect_uri)

    def visit(page: str) -> None:
        with socket.create_connection((address.hostname, address.port)) as hanging_up:
            hanging_up.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            hanging_up.send(b"GET /callback HTTP/1.1\r\n")
        for stray in (redirect_uri, f"{redirect_uri}?utm=1"):
            with pytest.raises(HTTPError, match="400") as refused:
                urlopen(stray)  # noqa: S310  our own
            refused.value.close()
        urlopen(decide(page)).close()  # noqa: S310  our own

    monkeypatch.setattr("webbrowser.open", visit)
    assert login(sandbox, redirect_uri).widget("amo_dropbox").id == 742
    assert capsys.readouterr().err == ""


def test_redirect_uris_in_letters_of_any_kind(
    sandbox: Sandbox, redirect_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect_uri with letters that browsers encode is recognised."""

    def visit(page: str) -> None:
        urlopen(quote(decide(page), safe=":/?&=%")).close()  # noqa: S310  our own

    monkeypatch.setattr("webbrowser.open", visit)
    monkeypatch.setattr(consent, "PATIENCE", 2)
    assert login(sandbox, f"{redirect_uri}/обратно").widget("amo_dropbox").id == 742


@pytest.mark.parametrize("by_redirect", [True, False])
def test_denied(sandbox: Sandbox, redirect_uri: str, monkeypatch: pytest.MonkeyPatch, *, by_redirect: bool) -> None:
    """Who denies is taken at his word: nothing is exchanged or stored."""
    if by_redirect:
        with browser(monkeypatch, "deny"), pytest.raises(errors.LoginFailed, match="Consent was denied"):
            login(sandbox, redirect_uri)
    else:
        pasting(monkeypatch, "deny")
        with pytest.raises(PermissionError, match="Consent was denied"):
            login(sandbox)
    assert exchanges(sandbox) == []
    assert Store(sandbox.url).load() is None


@pytest.mark.parametrize("by_redirect", [True, False])
def test_wrong_state(
    sandbox: Sandbox, redirect_uri: str, monkeypatch: pytest.MonkeyPatch, *, by_redirect: bool
) -> None:
    """An answer to somebody else's question is not taken."""
    if by_redirect:
        with browser(monkeypatch, state="forged"), pytest.raises(errors.LoginFailed, match="not the answer to this"):
            login(sandbox, redirect_uri)
    else:
        pasting(monkeypatch, state="forged")
        with pytest.raises(errors.LoginFailed, match="not the answer to this"):
            login(sandbox)
    assert exchanges(sandbox) == []


@pytest.mark.parametrize("referer", ["evil.example", "127.0.0.1.evil.example", "example.amocrm.ru", "me@localhost"])
def test_referers_elsewhere(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, referer: str) -> None:
    """The code goes to the host that the answer names, if it can be one: a sandbox's is on this machine."""
    pasting(monkeypatch, referer=referer)
    with pytest.raises(errors.ConfigurationError):
        login(sandbox)
    assert exchanges(sandbox) == []


def test_the_referer_is_the_account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account is the one that the consent was given for, by the host that the answer names."""
    there = sandbox.url.replace("127.0.0.1", "localhost")
    pasting(monkeypatch, referer=there.removeprefix("http://"))
    assert login(sandbox).url == there
    assert Store(sandbox.url).load() is None
    assert Store(there).load() is not None


def test_expired_code(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code that is too old is told so, in the account's words, without itself."""
    code = sandbox.oauth.code(CLIENT, ELSEWHERE)
    sandbox.oauth.advance(20 * 60 + 1)
    monkeypatch.setattr("webbrowser.open", lambda _: True)
    monkeypatch.setattr(consent, "getpass", lambda _: code)
    with pytest.raises(errors.LoginFailed, match=r"Authorization code has expired.*a code is good once") as raised:
        login(sandbox)
    told = shown(raised.value)
    assert not [text for text in (SECRET, code) if text in told]


def test_wrong_secret(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong secret is told so, without itself."""
    made = sandbox.oauth.register(ELSEWHERE)
    pasting(monkeypatch)
    with pytest.raises(errors.LoginFailed, match="client_id, redirect_uri and secret have to be") as raised:
        amo.login(sandbox.url, client_id=made.client_id, redirect_uri=ELSEWHERE)
    assert exchanges(sandbox) == [401]
    assert SECRET not in shown(raised.value)


def test_nothing_in_what_was_pasted(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty answer is none, nor is what no address or no code can be."""
    monkeypatch.setattr("webbrowser.open", lambda _: True)
    no_code, no_answer = "There is no code", "is not the answer to this login"
    for pasted, why in ((" ", no_code), ("half\udcd0", no_code), ("http://[=", no_answer), ("state=\udcd0", no_answer)):
        monkeypatch.setattr(consent, "getpass", lambda _, pasted=pasted: pasted)
        with pytest.raises(errors.LoginFailed, match=why):
            login(sandbox)


@pytest.mark.parametrize(
    "host",
    ["example.org", "http://example.amocrm.ru", "amocrm.ru", "www.kommo.com", "a.amocrm.ru.evil.example", "", "a b"],
)
def test_hosts_that_are_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked, opened or sent for a host that is none of amoCRM's."""
    monkeypatch.delenv("AMOEXPLORE_CLIENT_SECRET")
    monkeypatch.setattr("webbrowser.open", lambda _: 1 / 0)
    monkeypatch.setattr(consent, "getpass", lambda _: 1 / 0)
    with pytest.raises(errors.ConfigurationError, match="no address of an account"):
        amo.login(host, client_id=CLIENT, redirect_uri=ELSEWHERE)


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("example.amocrm.ru", "https://www.amocrm.ru/oauth"),
        ("https://Example.kommo.com/", "https://www.kommo.com/oauth"),
        ("example.amocrm.com", "https://www.kommo.com/oauth"),
    ],
)
def test_pages_of_consent(host: str, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users of a real account are asked on amoCRM's or Kommo's own site, with what that page needs and no more."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(consent, "getpass", lambda _: "")
    with pytest.raises(errors.LoginFailed):
        amo.login(host, client_id=CLIENT, redirect_uri=ELSEWHERE)
    address, _, query = opened[0].partition("?")
    asked = parse_qs(query)
    assert address == site
    assert asked.keys() == {"client_id", "state", "mode"}
    assert len(asked["state"][0]) > 40


@pytest.mark.parametrize(
    ("client_id", "redirect_uri", "secret"),
    [("", ELSEWHERE, SECRET), (CLIENT, "", SECRET), (CLIENT, "ftp://example.org", SECRET), (CLIENT, ELSEWHERE, " ")],
)
def test_what_a_login_needs(client_id: str, redirect_uri: str, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is told before anything is opened."""
    monkeypatch.setenv("AMOEXPLORE_CLIENT_SECRET", secret)
    monkeypatch.setattr("webbrowser.open", lambda _: 1 / 0)
    with pytest.raises(errors.ConfigurationError, match="A login needs"):
        amo.login("example.amocrm.ru", client_id=client_id, redirect_uri=redirect_uri)


@pytest.mark.parametrize("secret", ["секрет", "line\nbreak", "half\udcd0"])
def test_what_is_no_secret(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret with letters that none has, which no store could give back, is told before anything is opened."""
    monkeypatch.setattr("webbrowser.open", lambda _: 1 / 0)
    monkeypatch.setattr(consent, "getpass", lambda _: secret)
    with pytest.raises(errors.ConfigurationError, match="secret holds letters or line breaks that no") as raised:
        amo.login("example.amocrm.ru", client_id=CLIENT, redirect_uri=ELSEWHERE)
    assert secret not in shown(raised.value)


@pytest.mark.parametrize("redirect_uri", ["http://[", "http://localhost:99999/", "http://localhost:abc/"])
def test_what_is_no_redirect_uri(redirect_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that can't be one is told with itself, why it is none, and where the right one stands."""
    monkeypatch.setattr(consent, "getpass", lambda _: 1 / 0)
    with pytest.raises(errors.ConfigurationError, match=r"is no redirect_uri: .*(Port|IPv6).* Keys tab") as raised:
        amo.login("example.amocrm.ru", client_id=CLIENT, redirect_uri=redirect_uri)
    assert repr(redirect_uri) in str(raised.value)


@pytest.mark.parametrize(
    ("secret", "advice"),
    [("", "set AMOEXPLORE_CLIENT_SECRET"), (SECRET, "redirect_uri on this machine, without --paste")],
)
def test_nobody_types(
    secret: str, advice: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where standard input has ended, what was to be typed is named, and how to do without."""

    def ended(_: str) -> str:
        raise EOFError

    monkeypatch.setenv("AMOEXPLORE_CLIENT_SECRET", secret)
    monkeypatch.setattr("webbrowser.open", lambda _: True)
    monkeypatch.setattr(consent, "getpass", ended)
    assert main(["login", "example.amocrm.ru", "--client-id", CLIENT, "--redirect-uri", ELSEWHERE]) == 1
    assert re.search(f"but standard input has ended.*{advice}", capsys.readouterr().err)


def test_port_taken(sandbox: Sandbox) -> None:
    """A redirect_uri whose port is somebody else's is told before the browser opens."""
    with pytest.raises(errors.LoginFailed, match=r"Nothing can listen at .*paste=True"):
        login(sandbox, sandbox.url)


def test_nobody_comes(sandbox: Sandbox, redirect_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login does not wait for ever."""
    monkeypatch.setattr("webbrowser.open", lambda _: True)
    monkeypatch.setattr(consent, "PATIENCE", 0)
    with pytest.raises(errors.LoginFailed, match="No browser came"):
        login(sandbox, redirect_uri)
