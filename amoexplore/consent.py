"""Logging in: the browser asks its user for consent, and what comes back is exchanged for tokens."""

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
import webbrowser
from getpass import getpass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit

from amoexplore import errors
from amoexplore.account import Account
from amoexplore.hosts import account_address, neighbour, site
from amoexplore.oauth import Integration, PairToken, exchange
from amoexplore.pairs import Store
from amoexplore.tokens import MaskedText

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET_VARIABLE = "AMOEXPLORE_CLIENT_SECRET"  # noqa: S105  the name of a variable

#: Seconds that a browser has for its answer: as long as a code lives.
PATIENCE: Final = 20 * 60

#: One of these is in each answer; other requests are not meant for a login.
_ANSWER: Final = ("state", "code", "error")

_PAGE: Final = (
    '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>amoexplore</title>'
    "<p>amoexplore has its answer: this page may be closed.<p lang=ru>Ответ получен: эту страницу можно закрыть.</html>"
).encode()


def login(host: str, *, client_id: str, redirect_uri: str, paste: bool = False) -> Account:
    """Return an account whose user has just consented to it in a browser; its tokens are stored for ``amo.connect``.

    The integration's secret is asked for, unless AMOEXPLORE_CLIENT_SECRET has it. It is stored beside the tokens, as
    they can't be renewed without it.

    Parameters
    ----------
    host : str
        The account's host, such as ``example.amocrm.ru``, or its address.
    client_id, redirect_uri : str
        Of the integration, as its settings in amoCRM have them. A ``redirect_uri`` on this machine, such as
        ``http://127.0.0.1:8321/``, is listened at for the answer.
    paste : bool
        Ask for the code, or for the address that the browser was sent to; so it is wherever ``redirect_uri`` is not on
        this machine. For a browser that runs elsewhere.

    Raises
    ------
    ConfigurationError
        If there can be no such account, or client_id, redirect_uri or the secret are missing or can't be any; or nobody
        can type what is asked for.
    LoginFailed
        If the user denied, what came back is not the answer to this login, or amoCRM does not take it.
    StoreError
        If the tokens can't be stored.
    """
    url = account_address(host)
    integration = Integration(client_id, redirect_uri, _secret(client_id, redirect_uri))
    Store(url).check()  # a store that can't save must not cost the code
    state = secrets.token_urlsafe()
    page = _consent_page(url, integration, state)
    if paste or not _is_here(redirect_uri):
        _tell(page)
        webbrowser.open(page)
        answer = _pasted(state)
    else:
        answer = _redirected(page, redirect_uri)
    code, url = _checked(answer, state, url)
    pair = _exchanged(url, integration, code)
    store = Store(url)
    with store.alone():
        store.save(pair)
    account = Account(url, PairToken(store, pair))
    print(f"Logged in to {account.name}; its tokens are in {store.place}.")  # noqa: T201  how a login ends
    return account


def _secret(client_id: str, redirect_uri: str) -> MaskedText:
    parts = _parts(redirect_uri)
    if not client_id or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise errors.ConfigurationError(
            "A login needs the integration's client_id, and its redirect_uri with http:// or https://: both stand in "
            "its settings in amoCRM, on the Keys tab."
        )
    text = MaskedText(os.environ.get(SECRET_VARIABLE, ""))
    text = text or _typed(f"Secret of the integration {client_id}", f"set {SECRET_VARIABLE}")
    text = MaskedText(text.strip())
    if not text:
        raise errors.ConfigurationError(
            f"A login needs the integration's secret, which stands on its Keys tab: type it, or set {SECRET_VARIABLE}."
        )
    if not text.isascii() or not text.isprintable():
        raise errors.ConfigurationError(
            "The secret holds letters or line breaks that no secret has. Copy it again, whole, from the "
            "integration's Keys tab."
        )
    return text


def _parts(redirect_uri: str) -> SplitResult:
    try:
        parts = urlsplit(redirect_uri)
        parts.port  # noqa: B018  raises for what can be none
    except ValueError as error:
        why = error
    else:
        return parts
    raise errors.ConfigurationError(
        f"{redirect_uri!r} is no redirect_uri: {why}. Copy it from the integration's settings in amoCRM, Keys tab; one "
        "looks like http://127.0.0.1:8321/."
    )


def _typed(what: str, instead: str) -> MaskedText:
    """Return what is typed, unseen."""
    try:
        return MaskedText(getpass(f"{what}: "))
    except EOFError:
        raise errors.ConfigurationError(
            f"{what}: it was to be typed, but standard input has ended. Log in from a terminal, or {instead}."
        ) from None


def _consent_page(url: str, integration: Integration, state: str) -> str:
    asked = {"client_id": integration.client_id, "state": state, "mode": "popup"}
    if site(url) == url:  # a sandbox, which may not know the integration yet
        asked["redirect_uri"] = integration.redirect_uri
    return f"{site(url)}/oauth?{urlencode(asked)}"


def _is_here(redirect_uri: str) -> bool:
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}


def _tell(page: str) -> None:
    print(f"A browser asks for your consent. If none opens, open this address yourself:\n{page}")  # noqa: T201
    sys.stdout.flush()


def _pasted(state: str) -> Mapping[str, MaskedText]:
    text = MaskedText(
        _typed(
            "The code, or the whole address that the browser was sent to (not shown)",
            "take an integration with a redirect_uri on this machine, without --paste",
        ).strip()
    )
    return _parameters(text) if "=" in text else {"code": text, "state": MaskedText(state)}


def _redirected(page: str, redirect_uri: str) -> Mapping[str, MaskedText]:
    """Return what the browser brings to the address on this machine."""
    parts = urlsplit(redirect_uri)
    try:
        server = _Listener(("127.0.0.1", parts.port or 80), _Answering)
    except OSError as error:
        raise errors.LoginFailed(
            f"Nothing can listen at {redirect_uri}: {error}. Free the port, or paste the answer: paste=True, --paste."
        ) from error
    with server:
        server.path, server.timeout = _path(redirect_uri), 1
        _tell(page)
        # Some browsers are waited for until they end, as those in a terminal.
        threading.Thread(target=webbrowser.open, args=(page,), daemon=True).start()
        deadline = time.monotonic() + PATIENCE
        while server.answer is None and time.monotonic() < deadline:
            server.handle_request()
    if server.answer is None:
        raise errors.LoginFailed(
            f"No browser came to {redirect_uri} within {PATIENCE // 60} minutes. Log in again; if the browser is on "
            "another machine, paste the answer: paste=True, --paste."
        )
    return server.answer


class _Listener(HTTPServer):
    """Waits for one answer."""

    path = "/"
    answer: Mapping[str, MaskedText] | None = None

    def handle_error(self, *_: Any) -> None:
        """Say nothing: browsers hang up when they like."""


class _Answering(BaseHTTPRequestHandler):
    """Takes the answer, and tells its bearer that the page may be closed."""

    server: _Listener
    timeout = 1  # browsers open connections that they may not use

    def do_GET(self) -> None:
        target = MaskedText(self.path)
        told = _parameters(target)
        is_here = _path(target) == self.server.path
        is_answer = is_here and not told.keys().isdisjoint(_ANSWER)
        if is_answer:
            self.server.answer = told
        page = _PAGE if is_answer else b""
        self.send_response(200 if is_answer else 400 if is_here else 404)
        headers = {"Content-Type": "text/html", "Content-Length": str(len(page)), "Referrer-Policy": "no-referrer"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the code stands in the address."""


def _path(address: str) -> str:
    return unquote(urlsplit(address).path) or "/"


def _parameters(text: str) -> dict[str, MaskedText]:
    """Return the parameters of an address, or of its query alone."""
    query = (text.partition("?")[2] or text).partition("#")[0]
    return {name: MaskedText(values[0]) for name, values in parse_qs(query).items()}


def _checked(answer: Mapping[str, MaskedText], state: str, url: str) -> tuple[MaskedText, str]:
    """Return the code of an answer, and where the account is that it is for."""
    if not secrets.compare_digest(answer.get("state", "").encode(errors="replace"), state.encode()):
        raise errors.LoginFailed(
            "What came back is not the answer to this login, which its state says: an old page, or somebody else's "
            "address. Log in again, and take the page that opens then."
        )
    if error := answer.get("error"):
        why = "Consent was denied" if error == "access_denied" else "The account refused"
        raise errors.LoginFailed(f"{why}: no tokens came. An administrator of the account can consent; log in again.")
    code = answer.get("code")
    if not code or not code.isascii():
        raise errors.LoginFailed("There is no code in what came back. Log in again, and copy the whole address.")
    host = answer.get("referer")
    return code, neighbour(url, str(host)) if host else url


def _exchanged(url: str, integration: Integration, code: MaskedText) -> Any:
    try:
        return exchange(url, integration, grant_type="authorization_code", code=code)
    except (errors.ValidationFailed, errors.Unauthorized, errors.NotFound) as error:
        raise errors.LoginFailed(
            f"{url} gave no tokens for the code: {error.detail or error.title or error.status}. Log in again: a code "
            "is good once, for 20 minutes, and client_id, redirect_uri and secret have to be those of its "
            "Keys tab, letter by letter.",
            status=error.status,
            title=error.title,
            detail=error.detail,
            request_id=error.request_id,
            url=error.url,
        ) from error
