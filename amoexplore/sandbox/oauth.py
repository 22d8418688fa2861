"""What integrations may do in the account's name: codes, access tokens and refresh tokens, as the store keeps them.

None of them is stored, only what each can be recognized by. The words of refusals are those that real answers have;
where there are none, those of league/oauth2-server, whose vocabulary they are.
"""

from __future__ import annotations

import secrets
import time
import uuid
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from amoexplore.sandbox.jwt import unverifiable
from amoexplore.sandbox.rules import Caller, bearer

if TYPE_CHECKING:
    from sqlite3 import Connection

    from amoexplore.sandbox.account import User
    from amoexplore.sandbox.store import Store

Rotation = Literal["strict", "grace"]
Kind = Literal["code", "refresh"]

TOKEN_PATH = "/oauth2/access_token"  # noqa: S105  # an address
SUBDOMAIN_PATH = "/oauth2/account/current/subdomain"

CODE_LIFETIME = 20 * 60
ACCESS_LIFETIME = 24 * 60 * 60
REFRESH_LIFETIME = 90 * 24 * 60 * 60

_BASE_DOMAIN = "amocrm.ru"
_SCOPES = ("push_notifications", "files", "crm", "files_delete", "notifications")

# Real ones have been seen of 900 to 1,000 characters, of different lengths.
_SHORTEST, _SPREAD = 480, 16


class OAuthRules(msgspec.Struct, frozen=True, kw_only=True):
    """How the account deals with tokens.

    Attributes
    ----------
    rotation
        `strict`, as on amocrm.ru: a refresh token is good for one exchange. `grace`, as on Kommo: it stays good until
        the one that it was exchanged for is used.
    lifetime
        Seconds that an access token lives.

    Raises
    ------
    ValueError
        If there is no such rotation, or the lifetime is not positive.
    """

    rotation: Rotation = "strict"
    lifetime: int = ACCESS_LIFETIME

    def __post_init__(self) -> None:
        if self.rotation not in {"strict", "grace"}:
            raise ValueError(f"there is no rotation {self.rotation!r}; there are strict and grace")
        if self.lifetime < 1:
            raise ValueError(f"an access token can't live for {self.lifetime} seconds")


class OAuthError(Exception):
    """A refusal: its status, and the hint that it has, if any."""

    def __init__(self, status: int, hint: str | None) -> None:
        super().__init__(hint)
        self.status = status
        self.hint = hint


class Integration(msgspec.Struct, frozen=True):
    """An integration of the account, as its owner has it; the repr hides the secret."""

    client_id: str
    client_secret: str
    redirect_uri: str

    def __repr__(self) -> str:
        return f"Integration({self.client_id!r}, client_secret=***, redirect_uri={self.redirect_uri!r})"


class TokenPair(msgspec.Struct, frozen=True):
    """An access token that lives for `expires_in` seconds, and what brings the next one; the repr hides both."""

    access_token: str
    refresh_token: str
    expires_in: int

    def __repr__(self) -> str:
        return f"TokenPair(access_token=***, refresh_token=***, expires_in={self.expires_in})"


class _Words(NamedTuple):
    """How a code or a refresh token is refused."""

    status: int
    unknown: str
    expired: str
    revoked: str
    foreign: str


_WORDS: dict[Kind, _Words] = {
    "code": _Words(
        400,
        "Cannot decrypt the authorization code",
        "Authorization code has expired",
        "Authorization code has been revoked",
        "Authorization code was not issued to this client",
    ),
    "refresh": _Words(
        401,
        "Cannot decrypt the refresh token",
        "Token has expired",
        "Token has been revoked",
        "Token is not linked to client",
    ),
}


class OAuth:
    """The integrations of an account and what has been granted to them.

    Parameters
    ----------
    store
        The account's state.
    rules
        How it deals with tokens.

    Attributes
    ----------
    account
        Whose users grant them.
    api_domain
        Where tokens say that the account can be asked for.
    """

    def __init__(self, store: Store, rules: OAuthRules) -> None:
        self._store = store
        self.account = store.account
        self._rules = rules
        self._ahead = 0.0
        self.api_domain = ""

    @property
    def now(self) -> float:
        """The account's time, in seconds."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time pass at the account: what would expire by then is expired."""
        self._ahead += seconds

    def register(self, redirect_uri: str) -> Integration:
        """Return a new integration, as its developer makes it in the account's settings."""
        made = Integration(str(uuid.uuid4()), secrets.token_hex(32), redirect_uri)
        with self._store.transaction() as database:
            _insert(database, made)
        return made

    def redirect_uri(self, client_id: str) -> str | None:
        """Return where this integration is sent its codes, None if nobody knows it."""
        rows = self._store.execute("SELECT redirect_uri FROM integrations WHERE client_id = ?", client_id)
        return next((uri for (uri,) in rows), None)

    def code(self, client_id: str, redirect_uri: str, user: User | None = None) -> str:
        """Return a code that this integration can exchange for a pair; it has the administrator's rights by default."""
        code = _opaque()
        with self._store.transaction() as database:
            database.execute("INSERT OR IGNORE INTO integrations VALUES (?, NULL, ?)", (client_id, redirect_uri))
            self._grant(database, "code", code, client_id, self._granting(user), CODE_LIFETIME)
        return code

    def grant(self, client_id: str, user: User | None = None) -> TokenPair:
        """Return a pair with the rights of this user, or the administrator, as if a code had been exchanged."""
        with self._store.transaction() as database:
            return self._pair(database, client_id, self._granting(user))

    def begin(self, access_token: str, refresh_token: str | None) -> None:
        """Begin, with this pair for the integration that uses it first; without a refresh token there is none.

        A pair that the account has had before stays what it has become.
        """
        self._ahead = 0.0
        if refresh_token is not None:
            with self._store.transaction() as database:
                self._grant(database, "access", access_token, None, self._granting(), self._rules.lifetime)
                self._grant(database, "refresh", refresh_token, None, self._granting(), REFRESH_LIFETIME)

    def exchange(self, integration: Integration, kind: Kind, text: str) -> TokenPair:
        """Exchange a code or a refresh token for a pair of tokens.

        Raises
        ------
        OAuthError
            If it can't be, in the words of the API.
        """
        with self._store.transaction() as database:
            _admit(database, integration)
            user_id = self._use(database, kind, text, integration.client_id)
            return self._pair(database, integration.client_id, user_id, parent=_digest(text))

    def is_good(self, refresh_token: str) -> bool:
        """Tell whether this refresh token can be exchanged."""
        query = "SELECT user_id FROM grants WHERE kind = 'refresh' AND digest = ? AND expires > ? AND NOT is_revoked"
        rows = self._store.execute(query, _digest(refresh_token), self.now)
        return any(self.account.user(user_id) for (user_id,) in rows)

    def caller(self, authorization: str) -> Caller | None:
        """Return whose access token an Authorization header carries, None if nobody's."""
        query = "SELECT client_id, user_id FROM grants WHERE kind = 'access' AND digest = ? AND expires > ?"
        rows = self._store.execute(query, _digest(bearer(authorization)), self.now)
        return next((self._caller(client_id, user_id) for client_id, user_id in rows), None)

    def expire(self, authorization: str) -> bool:
        """Let the access token expire that this Authorization header carries; tells whether there was one."""
        query = "UPDATE grants SET expires = 0 WHERE kind = 'access' AND digest = ? AND expires > ? RETURNING 1"
        return bool(self._store.execute(query, _digest(bearer(authorization)), self.now))

    def _granting(self, user: User | None = None) -> int:
        return (user or self.account.administrator).id

    def _caller(self, client_id: str | None, user_id: int) -> Caller | None:
        user = self.account.user(user_id)
        name = f"integration {client_id}" if client_id else "administrator"
        return Caller(name, user, client_id=client_id) if user else None

    def _use(self, database: Connection, kind: Kind, text: str, client_id: str) -> int:
        """Use a code or a refresh token, and return who granted it."""
        query = "SELECT client_id, user_id, expires, is_revoked, parent FROM grants WHERE kind = ? AND digest = ?"
        row = database.execute(query, (kind, _digest(text))).fetchone()
        words = _WORDS[kind]
        if row is None or self.account.user(row[1]) is None:
            raise OAuthError(words.status, words.unknown)
        owner, user_id, expires, is_revoked, parent = row
        if expires <= self.now:
            raise OAuthError(words.status, words.expired)
        if is_revoked:
            raise OAuthError(words.status, words.revoked)
        if owner not in {None, client_id}:
            raise OAuthError(words.status, words.foreign)
        is_strict = kind == "code" or self._rules.rotation == "strict"
        _revoke(database, kind, _digest(text) if is_strict else parent)
        return int(user_id)

    def _pair(self, database: Connection, client_id: str, user_id: int, *, parent: str | None = None) -> TokenPair:
        pair = TokenPair(self._access_token(client_id, user_id), _opaque(), self._rules.lifetime)
        self._grant(database, "access", pair.access_token, client_id, user_id, self._rules.lifetime)
        self._grant(database, "refresh", pair.refresh_token, client_id, user_id, REFRESH_LIFETIME, parent)
        return pair

    def _grant(  # noqa: PLR0913, PLR0917  # a row of the table
        self,
        database: Connection,
        kind: str,
        text: str,
        client_id: str | None,
        user_id: int,
        lifetime: int,
        parent: str | None = None,
    ) -> None:
        row = (kind, _digest(text), client_id, user_id, self.now + lifetime, False, parent)
        database.execute("INSERT OR IGNORE INTO grants VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def _access_token(self, client_id: str, user_id: int) -> str:
        now = int(self.now)
        return unverifiable(
            {
                "aud": client_id,
                "jti": secrets.token_hex(40),
                "iat": now,
                "nbf": now,
                "exp": now + self._rules.lifetime,
                "sub": str(user_id),
                "account_id": self.account.id,
                "base_domain": _BASE_DOMAIN,
                "api_domain": self.api_domain,
                "scopes": _SCOPES,
            }
        )


def _admit(database: Connection, integration: Integration) -> None:
    """Hold an integration to what it was when it was first seen."""
    query = "SELECT secret, redirect_uri FROM integrations WHERE client_id = ?"
    row = database.execute(query, (integration.client_id,)).fetchone()
    secret, redirect_uri = row or (None, integration.redirect_uri)
    if secret not in {None, _digest(integration.client_secret)}:
        raise OAuthError(401, None)
    if redirect_uri != integration.redirect_uri:
        raise OAuthError(400, "Redirect URI is not associated with client")
    _insert(database, integration)


def _insert(database: Connection, integration: Integration) -> None:
    row = (integration.client_id, _digest(integration.client_secret), integration.redirect_uri)
    database.execute("REPLACE INTO integrations VALUES (?, ?, ?)", row)


def _revoke(database: Connection, kind: Kind, digest: str | None) -> None:
    database.execute("UPDATE grants SET is_revoked = TRUE WHERE kind = ? AND digest = ?", (kind, digest))


def _digest(text: str) -> str:
    """Return what a secret is recognized by; secrets are long and random, so nobody can guess back."""
    return sha256(text.encode()).hexdigest()


def _opaque() -> str:
    return f"def502{secrets.token_hex(_SHORTEST + secrets.randbelow(_SPREAD))}"
