from __future__ import annotations

import os
import socket
import ssl
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi
import pytest
from certificates import in_folder, serve_by_tls
from scripted import DROP, SILENCE, TOKEN, ScriptedServer, answer, answering, listing, problem, widget
from tracebacks import shown
from tunnels import tunnel
from urllib3.exceptions import SSLError

import amoexplore as amo
from amoexplore import Account, errors
from amoexplore.models import Body, Request
from amoexplore.tokens import MaskedText
from amoexplore.ways import MOST_AT_ONCE, Ways, _trusting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amoexplore import Sandbox

HTML = answer(b"<html><h1>nginx</h1></html>", 403, "text/html")


@pytest.mark.parametrize(
    ("said", "kind", "builtin", "advice"),
    [
        (problem(401), errors.Unauthorized, PermissionError, "check AMOEXPLORE_TOKEN"),
        (problem(402), errors.PaymentRequired, PermissionError, "subscription"),
        (problem(403), errors.Forbidden, PermissionError, "administrator's token"),
        (HTML, errors.Blocked, PermissionError, "stop all integrations"),
        (problem(404), errors.NotFound, LookupError, "check the code or the id"),
        (problem(429), errors.TooManyRequests, ConnectionError, "7 requests a second"),
        (answer(b"<html>429</html>", 429, "text/html"), errors.TooManyRequests, ConnectionError, "7 requests"),
        (problem(500), errors.ServerError, ConnectionError, "try again later"),
        (answer(b"Bad Gateway", 502, "text/plain"), errors.ServerError, ConnectionError, "try again later"),
        (problem(504), errors.ServerError, ConnectionError, "try again later"),
        (problem(418), errors.Refused, errors.AmoError, "). Try again; if it stays so, ask amoCRM's support."),
        (problem(418, {"X-Request-Id": "f1"}), errors.Refused, errors.AmoError, "support, with the request id f1."),
        (problem(400), errors.ValidationFailed, ValueError, "Correct what the faults name"),
        (problem(400, **{"validation-errors": [{"errors": 5}, 5]}), errors.ValidationFailed, ValueError, "Correct"),
        (answer(b"", 403), errors.Forbidden, PermissionError, "administrator's token"),
        (answer(b"[" * 100_000, 418), errors.Refused, errors.AmoError, "ask amoCRM's support."),
    ],
)
def test_refusals(said: bytes, kind: type[Exception], builtin: type[Exception], advice: str) -> None:
    """Each status is an error of its own, which is also a builtin one, and says what to do."""
    with answering(said) as server, pytest.raises(kind) as raised:
        server.account().widget("amo_dropbox")
    assert type(raised.value) is kind
    assert isinstance(raised.value, builtin)
    assert advice in str(raised.value)
    assert f"{server.url}/api/v4/widgets/amo_dropbox answers " in str(raised.value)


def test_refusals_carry_what_the_api_said() -> None:
    """Status, title, detail, request id, address and validation errors are fields of the error."""
    faults = [{"code": "FieldMissing", "path": "login", "detail": "This field is missing."}]
    said = problem(400, {"X-Request-Id": "f" * 32}, **{"validation-errors": [{"errors": faults}, 5, {"errors": [1]}]})
    with answering(said) as server, pytest.raises(errors.Refused) as raised:
        server.account().widget("x")
    error = raised.value
    assert (error.status, error.title, error.detail, error.request_id) == (400, "Title", "Why", "f" * 32)
    assert (f"{server.url}/api/v4/widgets/x", tuple(faults)) == (error.url, error.errors)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (problem(429, retry_after=300), 300.0),
        (problem(429, retry_after=3600), 3600.0),
        (problem(429, {"Retry-After": "7"}), 7.0),
        (problem(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), 0.0),
        (problem(429, {"Retry-After": "soon"}), None),
        (problem(429, {"Retry-After": "9" * 5000}), None),
        (problem(429, {"Retry-After": "Fri, 31 Dec 99999 23:59:59 GMT"}), None),
        (problem(429, retry_after="7"), 7.0),
        (problem(429, {"Retry-After": "7"}, retry_after="soon"), 7.0),
        (problem(429, {"Retry-After": "7"}, retry_after=-7), 7.0),
        (problem(429, {"Retry-After": "-7"}), None),
        (problem(429, {"Retry-After": "0"}), 0.0),
        (problem(429, {"Retry-After": "9" * 400}), None),
        (problem(429, retry_after=10**400), None),
        (problem(429, retry_after=1e308), 2_147_483.0),
        (problem(429, {"Retry-After": "31536000"}), 2_147_483.0),
        (problem(429, retry_after=-7), None),
        (problem(429, retry_after=[7]), None),
        (problem(429), None),
    ],
)
def test_retry_after(said: bytes, seconds: float | None) -> None:
    """How long to wait is read from the body or from the header, and said."""
    with answering(said) as server, pytest.raises(errors.TooManyRequests) as raised:
        server.account().widget("x")
    assert seconds == raised.value.retry_after
    assert f": wait {f'{seconds:.0f} s' if seconds else 'a little'}, then try again." in str(raised.value)


def test_nothing_listens() -> None:
    """A refused connection is an error that asks for the address and the sandbox."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(errors.ConnectionRefused, match=rf"Nothing answers at 127\.0\.0\.1:{port}.*AMOEXPLORE_URL"):
        Account(f"http://127.0.0.1:{port}", TOKEN).widget("x")


def test_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that no network knows is told like a refused connection."""

    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(errors.ConnectionRefused, match="the name is unknown"):
        Account("https://nobody.amocrm.ru", TOKEN).widget("x")


def test_dropped_once_is_read_again() -> None:
    """A read on a connection that broke is sent once more, and the report says so."""
    with answering(DROP, answer(listing([widget(1)]))) as server:
        report = amo.load_catalog(server.account()).report
    assert (report.widgets, report.requests, report.retries) == (1, 2, 1)


@pytest.mark.parametrize("said", [DROP, answer(listing([]))[:-5], b"HTTP/1.1 nonsense\r\n\r\n"])
def test_dropped_for_good(said: bytes) -> None:
    """A connection that breaks again, before or in the middle of the answer, is an error after the fourth try."""
    with answering(said) as server:
        with pytest.raises(errors.ConnectionDropped, match=r"broke the connection.* Tried 4 times in \d"):
            amo.load_catalog(server.account())
        assert len(server.requests) == 4


def test_timeout() -> None:
    """A server that says nothing is given up after the account's timeout, three times."""
    with answering(SILENCE) as server:
        with pytest.raises(errors.TimedOut, match=r"did not answer within 0\.05 s.* Tried 3 times in \d"):
            server.account(timeout=0.05).widget("x")
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "kind", "why"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate", errors.Unreachable, "certificate does not check"),
        ("[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC]", errors.OutcomeUnknown, "broke the connection"),
    ],
)
def test_faults_of_tls(monkeypatch: pytest.MonkeyPatch, fault: str, kind: type[Exception], why: str) -> None:
    """A certificate that does not check stops everything; what breaks TLS later breaks a connection that had begun."""
    account = Account("https://127.0.0.1", TOKEN)

    def breaks(*_: object, **__: object) -> None:
        raise SSLError(fault)

    monkeypatch.setattr(Ways, "ask", breaks)
    with pytest.raises(kind, match=why):
        account.uninstall("x")


def test_no_tls(sandbox: Sandbox) -> None:
    """A server that does not speak TLS is asked once, and told as such: nothing was sent, so no outcome is unknown."""
    account = Account(sandbox.url.replace("http:", "https:"), TOKEN)
    for send in (account.widget, account.uninstall):
        with pytest.raises(errors.Unreachable, match=r"does not speak TLS .* nothing was sent.* at http://") as raised:
            send("x")
        assert (type(raised.value), raised.value.tries) == (errors.Unreachable, 1)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", None])
@pytest.mark.parametrize("proxy", ["https://proxy.example", "http://proxy.example", None])
def test_certificates_are_always_checked(
    proxy: str | None, variable: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS is checked, by whatever proxy, against the certificates that the environment names if it names some."""
    _without_proxies(monkeypatch)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    trusted, read = certifi.where(), []
    if variable:
        trusted = str(tmp_path / "own.pem")
        Path(trusted).write_bytes(Path(certifi.where()).read_bytes())
        monkeypatch.setenv(variable, trusted)
    if proxy:
        monkeypatch.setenv("https_proxy", proxy)
    load = ssl.SSLContext.load_verify_locations

    def reads(context: ssl.SSLContext, *places: Any) -> None:
        read.append(places[0])
        load(context, *places)

    _trusting.cache_clear()
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", reads)
    pool = Ways("https://example.amocrm.ru")._pool("https://example.amocrm.ru")
    context = pool.conn_kw.get("ssl_context")
    assert read == [trusted]
    if proxy:
        assert (context, pool.ca_certs, pool.cert_reqs) == (None, trusted, "CERT_REQUIRED")
    else:
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.fixture
def by_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Account, Path]]:
    """Give an account at a server that speaks TLS, and the certificates that are trusted, its own among them."""
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    server = ScriptedServer(lambda _: answer(listing([widget(1)])))  # each answer ends its connection
    trusted = serve_by_tls(server, tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with server:
        yield server.account(), trusted


def test_certificates_are_read_once(by_tls: tuple[Account, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading what is trusted takes longer than to connect, and is done for one connection of all, even at once."""
    account, trusted = by_tls
    read = []
    load = ssl.SSLContext.load_verify_locations

    def reads(context: ssl.SSLContext, *place: Any) -> None:
        read.append(place[0])
        threading.Event().wait(0.05)
        load(context, *place)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", reads)
    accounts = [account, account, Account(account.url, TOKEN)]
    with ThreadPoolExecutor() as pool:
        assert [len(page.widgets) for page in pool.map(Account.widgets_page, accounts)] == [1, 1, 1]
    assert read == [str(trusted)]


def test_only_what_is_trusted(by_tls: tuple[Account, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent to a server that others trust; nor to one that isn't trusted any more, by who connects anew."""
    account, trusted = by_tls
    assert len(account.widgets_page().widgets) == 1
    trusted.write_bytes(Path(certifi.where()).read_bytes())
    os.utime(trusted, (0, 0))  # however coarse the clock of the disk is
    anew = Account(account.url, TOKEN)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    for one in (anew, Account(account.url, TOKEN)):
        with pytest.raises(errors.Unreachable, match="certificate does not check"):
            one.widgets_page()


def test_a_folder_of_certificates(
    by_tls: tuple[Account, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQUESTS_CA_BUNDLE may name a folder: what is in there is trusted, and nothing else."""
    (account, trusted), accounts = by_tls, []
    for name in ("without", "with"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder))
        accounts.append(Account(account.url, TOKEN))
    in_folder(trusted, folder)
    with pytest.raises(errors.Unreachable, match="certificate does not check"):
        accounts[0].widgets_page()
    assert len(accounts[1].widgets_page().widgets) == 1


@pytest.mark.parametrize("content", [None, b"", b"none"])
def test_certificates_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    """A file of certificates that is not there, or has none, is named, and the outcome of a write is known."""
    trusted = tmp_path / "own.pem"
    if content is not None:
        trusted.write_bytes(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    account = Account("https://127.0.0.1:9", TOKEN)
    for send in (account.widget, account.uninstall):
        with pytest.raises(errors.ConfigurationError, match=r"own\.pem can't be read: .*REQUESTS_CA_BUNDLE") as raised:
            send("x")
        assert TOKEN not in shown(raised.value)


def test_threads_that_begin_at_once_make_one_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds no pool of connections yet waits for the one that is being made: nobody changes it once it is used."""
    made = []

    make = Ways._pool

    def makes(ways: Ways, base: str) -> Any:
        made.append(base)
        threading.Event().wait(0.05)
        return make(ways, base)

    monkeypatch.setattr(Ways, "_pool", makes)
    with answering(answer(listing([widget(1)]))) as server, ThreadPoolExecutor() as pool:
        account = server.account()
        assert [len(page.widgets) for page in pool.map(Account.widgets_page, [account] * 3)] == [1, 1, 1]
    assert len(made) == 1


def test_connections_are_kept_for_as_many_as_ask_at_once() -> None:
    """What comes back when so many are kept is closed; and whoever finds none makes one."""
    with answering(answer(listing([widget(1)]))) as server:
        account = server.account()
        assert len(account.widgets_page().widgets) == 1
        (pool,) = account._transport._ways._pools.values()
        taken = [pool._get_conn() for _ in range(MOST_AT_ONCE + 8)]
        for connection in taken:
            pool._put_conn(connection)
        assert pool.pool.qsize() == MOST_AT_ONCE
        assert len(account.widgets_page().widgets) == 1


def test_no_cookie_is_kept() -> None:
    """What one answer sets goes with no later request."""
    said = answer(listing([]), headers={"Set-Cookie": "session_id=1; Path=/"})
    with answering(said) as server:
        account = server.account()
        for _ in range(2):
            account.widgets_page()
    assert "cookie" not in server.requests[1].headers


def test_connection_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that takes no connection in time is told apart from one that takes long: nothing was sent."""

    def silence(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("urllib3.util.connection.socket.socket.connect", silence, raising=False)
    with pytest.raises(errors.ConnectionRefused, match="took no connection within 30 s"):
        Account("https://127.0.0.1", TOKEN).uninstall("x")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_errors(status: int) -> None:
    """A token does not follow to another place, not even on the same host."""
    with answering(answer(b"", status, headers={"Location": "https://evil.example/"})) as server:
        with pytest.raises(errors.Redirected, match=r"points to 'https://evil\.example/'"):
            server.account().widget("x")
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [302, 304])
def test_redirects_to_nowhere(status: int) -> None:
    """An answer that should point elsewhere, and doesn't, is told as such."""
    said = f"HTTP/1.1 {status} Said\r\nConnection: close\r\n\r\n".encode()
    with answering(said) as server, pytest.raises(errors.Redirected, match=rf"answers {status} and names no place"):
        server.account().widget("x")


def test_token_goes_only_into_the_header() -> None:
    """The token is in the Authorization header and in no address."""
    with answering(answer(listing([]))) as server:
        amo.load_catalog(server.account())
    (request,) = server.requests
    assert f"Bearer {TOKEN}" == request.headers["authorization"]
    assert TOKEN not in request.target


def test_netrc_does_not_replace_the_token(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that a .netrc has for this host is not sent in place of the token."""
    netrc = tmp_path / "netrc"  # type: ignore[operator]
    netrc.write_text("machine 127.0.0.1 login me password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(answer(listing([]))) as server:
        amo.load_catalog(server.account())
    assert f"Bearer {TOKEN}" == server.requests[0].headers["authorization"]


def test_no_proxy_sees_what_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's proxy is not asked for a sandbox on this machine: it knows none, and would get the token."""
    with answering(answer(listing([]))) as server, answering(DROP) as proxy:
        _without_proxies(monkeypatch)
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert len(amo.load_catalog(server.account()).widgets) == 0
    assert proxy.requests == []


def test_by_tls_a_proxy_sees_nothing(by_tls: tuple[Account, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """By way of a proxy TLS is spoken with the account, and checked: the proxy sees neither token nor address."""
    account, trusted = by_tls
    _without_proxies(monkeypatch)
    with tunnel() as (proxy, heads):
        monkeypatch.setenv("https_proxy", proxy)
        assert len(Account(account.url, TOKEN).widgets_page().widgets) == 1
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
        with pytest.raises(errors.Unreachable, match="certificate does not check"):
            Account(account.url, TOKEN).widgets_page()
        trusted.unlink()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
        with pytest.raises(errors.ConfigurationError, match=r"certificate\.pem can't be read"):
            Account(account.url, TOKEN).widgets_page()
    assert {head.partition(" HTTP")[0] for head in heads} == {f"CONNECT {account.url.removeprefix('https://')}"}
    assert not [head for head in heads if TOKEN in head or "/api" in head]


@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:sesame@:8080",
        "http://me:sesame@proxy.example:port",
        "http://me:ses[ame@proxy.example:8080",
        "http://me:sesameя@proxy.example:8080",
        "me:sesame@proxy.example:8080",
        "socks5://me:sesame@proxy.example",
        "socks6://me:sesame@proxy.example",
    ],
)
def test_a_proxy_that_is_none(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that can't be used is told as such, without its password; and the outcome of a write is known."""
    _without_proxies(monkeypatch)
    monkeypatch.setenv("https_proxy", proxy)
    account = Account("https://example.amocrm.ru", TOKEN, write=True)
    for send in (account.widget, account.uninstall):
        with pytest.raises(errors.ConfigurationError, match=r"HTTPS_PROXY.*NO_PROXY=example\.amocrm\.ru") as raised:
            send("x")
        told = shown(raised.value)
        assert not [password for password in ("sesame", "ses[ame") if password in told]


def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def test_names_of_this_machine_are_looked_up_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request to a name below .localhost goes to this machine, whatever a resolver or a proxy would make of it."""
    asked = []

    def resolve(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        return getaddrinfo(host, *rest, **more)  # type: ignore[arg-type]

    getaddrinfo = socket.getaddrinfo
    with answering(answer(listing([]))) as server, answering(DROP) as proxy:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        port = server.url.rpartition(":")[2]
        amo.load_catalog(Account(f"http://account7.localhost:{port}", TOKEN))
    assert server.requests[0].headers["host"] == f"account7.localhost:{port}"
    assert server.requests[0].target == "/api/v4/widgets?page=1&limit=250"
    assert set(asked) == {"127.0.0.1"}
    assert proxy.requests == []


@pytest.mark.parametrize("said", [problem(401), DROP, SILENCE, answer(b"{"), HTML])
def test_tracebacks_do_not_show_the_token(said: bytes) -> None:
    """A traceback with the locals of every frame, as %xmode Verbose prints it, holds no token."""
    with answering(said) as server, pytest.raises(errors.AmoError) as raised:
        amo.load_catalog(server.account(timeout=0.05))
    assert "load_catalog" in shown(raised.value)
    assert TOKEN not in shown(raised.value)


def test_errors_do_not_repeat_the_token() -> None:
    """Where an answer repeats the token, an error and its traceback show a mask in its place."""
    faults = [{"errors": [{"code": "x", "path": "token", "detail": f"Bearer {TOKEN}"}]}]
    refused = problem(401, title=f"Not {TOKEN}", detail=f"Bad {TOKEN}", **{"validation-errors": faults})
    for said in (refused, answer(b"", 302, headers={"Location": f"https://evil.example/?t={TOKEN}"})):
        with answering(said) as server, pytest.raises(errors.AmoError, match=r"\*\*\*") as raised:
            server.account().widget("x")
        assert TOKEN not in f"{shown(raised.value)} {vars(raised.value)}"


def test_words_of_our_own_are_no_token() -> None:
    """A token that is a word of an error, as one of a sandbox may be, is masked in what the answer says alone."""
    with answering(problem(401, title="The word revoked")) as server, pytest.raises(errors.Unauthorized) as raised:
        Account(server.url, "revoked").widget("x")
    assert raised.value.title == "The word ***"
    assert "wrong, expired or revoked" in str(raised.value)


@pytest.mark.parametrize("crash", [KeyboardInterrupt, MemoryError])
def test_interrupts_do_not_show_the_token(crash: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C deep inside a request leaves no frame behind that holds the header."""

    def break_off(*_: object, **__: object) -> None:
        raise crash

    monkeypatch.setattr("http.client.HTTPConnection.send", break_off)
    with pytest.raises(crash) as raised:
        Account("http://127.0.0.1:9", TOKEN).widget("x")
    everything = traceback.TracebackException.from_exception(raised.value, capture_locals=True).format()
    assert TOKEN not in "".join(everything)


@pytest.mark.parametrize("whole", [MaskedText(TOKEN), Body(TOKEN.encode())])
def test_pieces_do_not_show_what_is_hidden(whole: Any) -> None:
    """What shortens a long value before it shows it, as rich does, shows nothing of a token or of an answer's body."""
    assert len(whole[:5]) == 5
    assert TOKEN[:5] not in repr(whole[:5])


def test_reprs_do_not_show_the_token() -> None:
    """Neither the account nor anything in it shows the token, however deep one looks."""
    account = Account("https://example.amocrm.ru", TOKEN)
    message = account._transport._message(Request("GET", account.url))
    assert message.headers["Authorization"] == f"Bearer {TOKEN}"
    for thing in (account, account._repr_html_(), account._transport, account.token, message, message.headers):
        assert TOKEN not in repr(thing)
    assert TOKEN not in repr(vars(account._transport))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Account("example.amocrm.ru", TOKEN), "must begin with https://"),
        (lambda: Account("ftp://example.amocrm.ru", TOKEN), "must begin with https://"),
        (lambda: Account("https://", TOKEN), "must begin with https://"),
        (lambda: Account("http://example.amocrm.ru", TOKEN), "https is needed"),
        (lambda: Account("https://me:pass@example.amocrm.ru", TOKEN), "must not hold a user"),
        (lambda: Account("https://example.amocrm.ru/leads", TOKEN), "nothing may follow"),
        (lambda: Account("https://example.amocrm.ru?x=1", TOKEN), "nothing may follow"),
        (lambda: Account("https://example.amocrm.ru:port", TOKEN), "Port could not be cast"),
        (lambda: Account("https://[", TOKEN), "Invalid IPv6"),
        (lambda: Account("https://*.amocrm.ru", TOKEN), "letters that no host has"),
        (lambda: Account("https://.amocrm.ru", TOKEN), "letters that no host has"),
        (lambda: Account("https://exa mple.ru", TOKEN), "letters that no host has"),
        (lambda: Account("https://example.ru\\x", TOKEN), "letters that no host has"),
        (lambda: Account(f"https://{'a' * 64}.ru", TOKEN), "letters that no host has"),
        (lambda: Account("https://example.amocrm.com.evil.example", TOKEN), "a token is sent nowhere else"),
        (lambda: Account("https://example-amocrm.ru", TOKEN), "a token is sent nowhere else"),
        (lambda: Account("https://kommo.com", TOKEN), "a token is sent nowhere else"),
        (lambda: Account("https://a.b.kommo.com", TOKEN), "a token is sent nowhere else"),
        (lambda: Account("https://example.amocrm.com:8443", TOKEN), "a token is sent nowhere else"),
        (lambda: Account("https://www.amocrm.ru", TOKEN), "www is amoCRM's own site"),
        (lambda: amo.connect("ftp://example.amocrm.ru", TOKEN), "must begin with https://"),
        (lambda: amo.connect("", TOKEN), "an address is missing"),
        (lambda: Account("https://example.amocrm.ru", TOKEN.encode()), "A token is a text, not of type bytes"),  # type: ignore[arg-type]
        (lambda: Account("https://example.amocrm.ru", None), "A token is a text, not of type NoneType"),  # type: ignore[arg-type]
        (lambda: amo.connect("example.amocrm.ru", TOKEN.encode()), "A token is a text, not of type bytes"),  # type: ignore[arg-type]
        (lambda: Account(None, TOKEN), "An address of an account is a text .*, not of type NoneType"),  # type: ignore[arg-type]
        (lambda: amo.connect(5, TOKEN), "An address of an account is a text .*, not of type int"),  # type: ignore[arg-type]
        (lambda: Account("https://example.amocrm.ru", " \n"), "is empty"),
        (lambda: Account("https://example.amocrm.ru", f"{TOKEN} {TOKEN}"), "holds spaces"),
        (lambda: Account("https://example.amocrm.ru", f"{TOKEN}\n{TOKEN}"), "line breaks"),
        (lambda: Account("https://example.amocrm.ru", f"{TOKEN}Ж"), "letters that no token has"),
    ],
)
def test_what_cannot_be_used(make: Callable[[], Account], why: str) -> None:
    """A wrong address or token is told at once, before anything is sent, and without showing a secret."""
    with pytest.raises(errors.ConfigurationError, match=why) as raised:
        make()
    assert "__init__" in shown(raised.value) or "connect" in shown(raised.value)
    assert TOKEN not in shown(raised.value)
    assert "pass@" not in str(raised.value)


@pytest.mark.parametrize("timeout", [None, "30", 0, -1, 1e10, 2_147_484, float("inf"), float("nan")])
def test_timeouts_that_are_none(timeout: Any) -> None:
    """A timeout that no request could have is told at once."""
    with pytest.raises(ValueError, match=r"timeout is a number of seconds above 0 and up to 2147483, such as 30, not"):
        Account("https://example.amocrm.ru", TOKEN, timeout=timeout)


def test_the_longest_timeout(sandbox: Sandbox) -> None:
    """What is taken for a timeout can be waited for."""
    assert Account(sandbox.url, sandbox.token, timeout=2_147_483).widget("amo_dropbox").id == 742


def test_environments_token_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of the environment stands in no traceback, whatever is wrong with the address."""
    for url in ("ftp://example.amocrm.ru", ""):
        monkeypatch.setenv("AMOEXPLORE_URL", url)
        monkeypatch.setenv("AMOEXPLORE_TOKEN", TOKEN)
        with pytest.raises(errors.ConfigurationError) as raised:
            amo.connect()
        assert TOKEN not in shown(raised.value)


def test_dead_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that does not answer is told apart from an account that does not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
    with pytest.raises(errors.Unreachable, match=r"The proxy between here and .* set NO_PROXY=example\.amocrm\.ru\."):
        Account("https://example.amocrm.ru:443", TOKEN).widget("x")


def test_address_and_token_are_tidied(sandbox: Sandbox) -> None:
    """White space and a last slash, as copying adds them, do no harm."""
    account = Account(f" {sandbox.url}/ ", f"{sandbox.token}\n")
    assert sandbox.url == account.url
    assert account.widget("amo_dropbox").code == "amo_dropbox"


def test_constructor_touches_no_network() -> None:
    """An account is made without a request; what is wrong shows with the first one."""
    with answering(problem(401)) as server:
        server.account()
    assert server.requests == []
