"""Tokens by OAuth: exchanged, kept before they are used, and renewed by one of all that need them."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from amoexplore import checks, errors, retries
from amoexplore.hosts import neighbour
from amoexplore.models import Request, Secret
from amoexplore.pacer import pacer_of
from amoexplore.pairs import Pair
from amoexplore.tokens import MaskedText, Nobody, Token, claims, masked_text
from amoexplore.transport import Transport

if TYPE_CHECKING:
    from amoexplore.models import Answer, Message
    from amoexplore.pairs import Store

EXCHANGE: Final = "/oauth2/access_token"
_SUBDOMAIN: Final = "/oauth2/account/current/subdomain"

#: Seconds for which a renewal waits at most before it tries again: no Ctrl-C ends that.
_SHORT = 2.0
#: Seconds by which a token is renewed early, and the part of a short life that is at most.
EARLY: Final = 60.0
_PART: Final = 0.5

_DAY: Final = 86_400.0
_TIMEOUT: Final = 30.0


#: What leaves open whether an exchange was done, or says that it was not, for reasons that pass.
_LOST = (errors.Unreachable, errors.BadAnswer, errors.ServerError)
#: What may mean that the refresh token is good no longer, or that the account is elsewhere.
_REJECTED = (errors.ValidationFailed, errors.Unauthorized, errors.NotFound, errors.Redirected)

_T = TypeVar("_T")


class Integration(msgspec.Struct, frozen=True):
    """An integration of an account, as its settings in amoCRM have it; the repr hides the secret."""

    client_id: str
    redirect_uri: str
    client_secret: MaskedText


class _Granted(msgspec.Struct, frozen=True):
    """The answer to an exchange."""

    access_token: MaskedText
    refresh_token: MaskedText
    expires_in: float | None = None


class _Moved(msgspec.Struct, frozen=True):
    """The answer to the question where an account is."""

    domain: str


class PairToken(Token):
    """The access token of a stored pair, renewed a minute early, and once when it is refused.

    Parameters
    ----------
    store : Store
        Where the pair is kept.
    pair : Pair
        What it had.
    """

    is_renewed = True

    def __init__(self, store: Store, pair: Pair) -> None:
        self._store = store
        self._pair = pair
        self._exchanged: tuple[Pair, Pair] | None = None  # a pair, and what came for it
        self._lock = threading.Lock()

    def __call__(self, message: Message) -> Message:
        """Sign a request, and send it to where the account is now."""
        if _is_due(self._pair):
            self._renew(self._pair.access_token)
        pair = self._pair
        message.headers["Authorization"] = _header(pair)
        message.url = urlsplit(message.url)._replace(netloc=urlsplit(pair.url).netloc).geturl()
        return message

    @property
    def client(self) -> str:
        """The integration, which stays the same when the token does not."""
        return self._pair.client_id

    @property
    def url(self) -> str:
        """Where the account is now."""
        return self._pair.url

    @property
    def expires_at(self) -> float:
        """Until when the access token is good."""
        return self._pair.expires_at

    def renew(self, refused: str) -> bool:
        """Return whether another token is there, now that this Authorization header was refused."""
        self._renew(MaskedText(refused.removeprefix("Bearer ")))
        return True

    def is_in(self, content: bytes) -> bool:
        """Return whether any secret of the pair stands in clear in something."""
        pair = self._pair
        return any(text.encode() in content for text in (pair.access_token, pair.refresh_token, pair.client_secret))

    def _renew(self, stale: MaskedText) -> None:
        """Have another access token than this one: one thread of one process gets it, and the others find it."""
        with self._lock:
            if self._pair.access_token != stale:
                return
            if self._exchanged is None:  # what is still to be saved has to wait for nothing
                _transport(self._pair.url, self._pair.client_id).await_permit()  # out here, where Ctrl-C ends it
            with ExitStack() as held:
                held.enter_context(self._store.alone())
                stored = self._store.load() or self._pair
                if stored.access_token == stale or _is_due(stored):
                    # In a thread, which no Ctrl-C reaches: what has been exchanged must be saved.
                    with ThreadPoolExecutor(1) as pool:
                        pool.submit(int).result()  # it has started: Ctrl-C would leave one that starts to itself
                        stored = pool.submit(self._renewed, stored, held).result()
                self._pair, self._exchanged = stored, None

    def _renewed(self, pair: Pair, held: ExitStack) -> Pair:
        with held.pop_all():  # the lock is this thread's now: who asked for the pair may be gone before it is saved
            # What came for this very pair may still have to be saved; what came for another one is history.
            if self._exchanged is None or self._exchanged[0] != pair:
                self._store.save(pair)  # a store that can't save must not cost the old pair, which an exchange uses up
                self._exchanged = pair, refreshed(pair, self._store)
            self._store.save(self._exchanged[1])
            return self._exchanged[1]


def exchange(url: str, integration: Integration, **what: str) -> Pair:
    """Return the pair of tokens that a code or a refresh token is exchanged for.

    Raises
    ------
    Refused, Unreachable, BadAnswer
    """
    before = time.time()
    sent = {**msgspec.structs.asdict(integration), **what}
    content = Secret(msgspec.json.encode(sent, enc_hook=str))
    try:
        answer = _transport(url, integration.client_id).send(Request("POST", f"{url}{EXCHANGE}", content=content))
    except errors.Refused as error:
        checks.hide_values(error, Secret([text for text in sent.values() if isinstance(text, MaskedText)]))
        raise
    granted = _decoded(answer, _Granted)
    # Rather by this machine's clock, which renewals go by, than by amoCRM's.
    by_clock = None if granted.expires_in is None else before + granted.expires_in
    expires_at = by_clock or claims(granted.access_token).exp or before + _DAY
    return Pair(
        url=url,
        client_id=integration.client_id,
        redirect_uri=integration.redirect_uri,
        client_secret=integration.client_secret,
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        renew_at=expires_at - min(EARLY, (expires_at - before) * _PART),
        expires_at=expires_at,
    )


def _transport(url: str, client_id: str) -> Transport:
    """Return what sends an exchange."""
    return Transport(url, Nobody(client_id), timeout=_TIMEOUT, pace="auto")


def refreshed(pair: Pair, store: Store) -> Pair:
    """Return the pair that follows this one; for who is alone with the store.

    Raises
    ------
    LoginNeeded
        If its user has to grant another one.
    NotRenewed
        If there is no telling now.
    PaymentRequired, Forbidden, TooManyRequests
        If that is the answer.
    ConfigurationError
        If the environment's proxy can't be one, or the certificates that are trusted can't be read.
    """
    try:
        return _exchanged_surely(pair.url, pair)
    except _REJECTED as error:
        # Somebody who does not know of the lock may have been quicker.
        stored = store.load()
        if stored and stored.refresh_token != pair.refresh_token:
            return stored
        address = _present_address(pair)
        if address is None:
            raise _login_needed(store, error) from error
    except _LOST as error:
        raise _not_renewed(store, error) from error
    return _followed(address, pair, store)


def _followed(address: str, pair: Pair, store: Store) -> Pair:
    try:
        return _exchanged_surely(address, pair)
    except _REJECTED as error:
        raise _login_needed(store, error) from error
    except _LOST as error:
        raise _not_renewed(store, error) from error


def _exchanged_surely(url: str, pair: Pair) -> Pair:
    """Exchange a refresh token, and after a wait once more if the answer was lost, as Kommo's may still be good."""
    integration = Integration(pair.client_id, pair.redirect_uri, pair.client_secret)
    what = {"grant_type": "refresh_token", "refresh_token": pair.refresh_token}
    try:
        return exchange(url, integration, **what)
    except errors.ConnectionRefused:
        raise
    except _LOST as error:
        wait = retries.wait(error, 1, random.random())  # noqa: S311  no secret
        if wait is None or wait > _SHORT:
            raise
        why = retries.POLICIES[type(error)].why
    pacer_of(url, pair.client_id).rest(wait, why)
    return exchange(url, integration, **what)


def _present_address(pair: Pair) -> str | None:
    """Return where the account is now, by the host that its access token names; None if that is where it was."""
    asked = claims(pair.access_token).api_domain
    try:
        there = Transport(neighbour(pair.url, asked or ""), _Asking(pair), timeout=_TIMEOUT, pace="auto")
        address = neighbour(pair.url, _decoded(there.get(_SUBDOMAIN), _Moved).domain)
    except errors.AmoError:
        return None
    return None if address == pair.url else address


class _Asking(Nobody):
    """Signs the question where an account is."""

    def __init__(self, pair: Pair) -> None:
        super().__init__(pair.client_id)
        self._refresh_token = pair.refresh_token

    def __call__(self, message: Message) -> Message:
        message.headers["X-Refresh-Token"] = self._refresh_token
        return message


def _decoded(answer: Answer, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(answer.body, type=kind, dec_hook=masked_text)
    except ValueError:
        # Without what was wrong: words of the answer would stand there.
        pass
    raise errors.BadAnswer(
        f"{answer.url} answers what no page of amoCRM's API describes. Try again.",
        status=answer.status,
        request_id=answer.request_id,
        url=answer.url,
    )


def _is_due(pair: Pair) -> bool:
    return time.time() >= pair.renew_at


def _header(pair: Pair) -> MaskedText:
    return MaskedText(f"Bearer {pair.access_token}")


def _login_needed(store: Store, error: errors.AmoError) -> errors.LoginNeeded:
    host = urlsplit(store.url).netloc
    return errors.LoginNeeded(
        f"{store.url}: the stored tokens are good no longer. Log in anew: amoexplore login {host}, or "
        f"amo.login({host!r}, …). What the account said: {error}",
        status=error.status,
        title=error.title,
        detail=error.detail,
        request_id=error.request_id,
        url=error.url,
    )


def _not_renewed(store: Store, error: errors.AmoError) -> errors.NotRenewed:
    return errors.NotRenewed(
        f"{store.url}: the access token is good no longer and could not be renewed just now, so nothing was done. Try "
        f"again later. Why: {error}",
        url=error.url,
    )
