"""Stored pairs, without a browser: what a login leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from amoexplore.oauth import Integration, exchange
from amoexplore.pairs import Store
from amoexplore.tokens import MaskedText

if TYPE_CHECKING:
    from amoexplore import Sandbox
    from amoexplore.pairs import Pair

REDIRECT = "http://127.0.0.1:8321/callback"


def stored(sandbox: Sandbox, *, due: bool = False) -> Pair:
    """Store a new pair of the sandbox's, perhaps one that has to be renewed, and return it."""
    made = sandbox.oauth.register(REDIRECT)
    integration = Integration(made.client_id, REDIRECT, MaskedText(made.client_secret))
    code = sandbox.oauth.code(made.client_id, REDIRECT)
    pair = exchange(sandbox.url, integration, grant_type="authorization_code", code=code)
    if due:
        pair = structs.replace(pair, renew_at=0.0)
    store = Store(sandbox.url)
    with store.alone():
        store.save(pair)
    return pair


def exchanges(sandbox: Sandbox) -> list[int]:
    """Return the statuses of all exchanges of tokens."""
    return [logged.status for logged in sandbox.requests if logged.target.startswith("/oauth2/access_token")]
