"""Which account a notebook explores."""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from amoexplore.account import Account
from amoexplore.errors import ConfigurationError
from amoexplore.hosts import account_address
from amoexplore.oauth import PairToken
from amoexplore.pairs import Store
from amoexplore.tokens import MaskedText, no_token

if TYPE_CHECKING:
    from amoexplore.sandbox import Sandbox
    from amoexplore.tokens import Token
    from amoexplore.transport import Pace

URL_VARIABLE = "AMOEXPLORE_URL"
TOKEN_VARIABLE = "AMOEXPLORE_TOKEN"  # noqa: S105  the name of a variable
WRITE_VARIABLE = "AMOEXPLORE_WRITE"

_lock = threading.Lock()
_embedded: list[Sandbox] = []


def connect(
    url: str | None = None, token: str | None = None, *, write: bool | None = None, pace: Pace = "auto"
) -> Account:
    """Return the account to explore.

    Parameters
    ----------
    url : str, optional
        The account's address, or its host. Without it the environment's AMOEXPLORE_URL and AMOEXPLORE_TOKEN count;
        where those are not set either, the embedded sandbox is started in this process. A line says when it is a
        sandbox.
    token : str, optional
        A long-lived token. Without one AMOEXPLORE_TOKEN counts, if AMOEXPLORE_URL names the same account, or else the
        tokens that ``amo.login`` has stored for it.
    write : bool, optional
        Open the account for installs, uninstalls and bots. By default a real account is read-only unless
        AMOEXPLORE_WRITE=1 is set, and a sandbox on this machine is open.
    pace : int or None, optional
        At most so many requests in any second, see ``Account``; by default 7 on a real account.

    Raises
    ------
    ConfigurationError
        If there is a token without an address, no token for the address, or one can't be used.
    StoreError
        If the stored tokens can't be read.
    TypeError
        If write is none of True, False and None.
    """
    if not isinstance(token, str | None):
        error, token = no_token(token), ""  # from here on no traceback shows it
        raise error
    token = MaskedText(token or "")  # nor here
    if write is None and os.environ.get(WRITE_VARIABLE) == "1":
        write = True
    if url and not token and os.environ.get(URL_VARIABLE):  # nobody knows whose a token without one is
        token = token_for(url)
    if url or token:
        return Account(*_both(url or "", token), write=write, pace=pace)
    sandbox = None if is_configured() else _embedded_sandbox()
    where = (sandbox.url, MaskedText(sandbox.token)) if sandbox else _environment()
    account = Account(*where, write=write, pace=pace)
    if account.is_on_this_machine:
        # Who reads the numbers must know that they are not the market's.
        print(  # noqa: T201
            "This is a sandbox: nearly all of its widgets are made up. "
            f"For a real account set {URL_VARIABLE} and {TOKEN_VARIABLE}."
        )
    return account


def is_configured() -> bool:
    """Return whether the environment names an account.

    Raises
    ------
    ConfigurationError
        If it names half of one.
    """
    is_named = any(os.environ.get(name) for name in (URL_VARIABLE, TOKEN_VARIABLE))
    if is_named:
        _environment()
    return is_named


def stored_token(url: str) -> PairToken | None:
    """Return the token that a login has stored for the account at an address; None if there is none.

    Raises
    ------
    ConfigurationError
        If the address can't be one.
    StoreError
        If it can't be read.
    """
    store = Store(account_address(url))
    pair = store.load()
    return None if pair is None else PairToken(store, pair)


def token_for(url: str) -> MaskedText:
    """Return the environment's token for the account at an address; it is empty where there is none but another's.

    Raises
    ------
    ConfigurationError
        If the address can't be one.
    """
    wanted = account_address(url)
    named, token = os.environ.get(URL_VARIABLE, ""), MaskedText(os.environ.get(TOKEN_VARIABLE, ""))
    with suppress(ConfigurationError):  # what can't be an address is another one
        if not named or account_address(named) == wanted:
            return token
    return MaskedText("")


def _environment() -> tuple[str, Token | MaskedText]:
    # Read in a line of its own: a traceback shows what the line names that went wrong, all of the environment here.
    url, token = os.environ.get(URL_VARIABLE, ""), MaskedText(os.environ.get(TOKEN_VARIABLE, ""))
    return _both(url, token)


def _both(url: str, token: MaskedText) -> tuple[str, Token | MaskedText]:
    if not url:
        raise ConfigurationError(
            "There is a token but an address is missing: a token goes to its own account only, so give both to "
            f"connect(url, token), or set both {URL_VARIABLE} and {TOKEN_VARIABLE}."
        )
    url = account_address(url)
    found = token or stored_token(url)
    if not found:
        host = url.partition("://")[2]
        raise ConfigurationError(
            f"There is an address but a token is missing: none is stored for {host} in {Store(url).place}, and a token "
            f"goes to its own account only. amo.login({host!r}, …) or amoexplore login gets one; a long-lived one goes "
            f"into connect(url, token), or into {TOKEN_VARIABLE} beside {URL_VARIABLE}."
        )
    return url, found


def _embedded_sandbox() -> Sandbox:
    from amoexplore.sandbox import Sandbox  # noqa: PLC0415  a real account needs no server

    with _lock:
        if not _embedded:
            _embedded.append(Sandbox().start())
            atexit.register(_embedded[0].stop)
        return _embedded[0]
