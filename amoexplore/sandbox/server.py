"""The sandbox: the API as a server on this machine, in a thread of its own."""

from __future__ import annotations

import operator
import os
import re
import secrets
from contextlib import ExitStack, closing
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

from amoexplore.sandbox.account import FIRST
from amoexplore.sandbox.accounts import Accounts, Reception, others
from amoexplore.sandbox.app import Parts, application
from amoexplore.sandbox.bots import BOTS, Bot
from amoexplore.sandbox.faults import Faults
from amoexplore.sandbox.hooks import Hook
from amoexplore.sandbox.journal import Journal, LoggedRequest
from amoexplore.sandbox.limits import SECOND, Limiter, Limits, Window
from amoexplore.sandbox.oauth import ACCESS_LIFETIME, OAuth, OAuthRules
from amoexplore.sandbox.rules import Keyring
from amoexplore.sandbox.serving import served
from amoexplore.sandbox.store import BotKey, Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from starlette.types import ASGIApp

    from amoexplore.sandbox.bots import BotKind
    from amoexplore.sandbox.handlers import Message
    from amoexplore.sandbox.oauth import Rotation

_ID_END = 10**15
_LAST_PORT = 65535
_TOKEN = re.compile(r"[!-~]+")


class Sandbox:
    """An amoCRM account on this machine, or many: the widgets API over HTTP, on 127.0.0.1.

    It starts with `start()` or a `with` statement, and ends with `stop()` or the end of that.

    Parameters
    ----------
    seed
        What the catalogue is drawn from: the same seed has the same widgets.
    size
        How many widgets the administrator's list has; a larger size has all that a smaller one has.
    state
        A file which keeps the account between starts; in memory if None.
    port
        The port to listen on; 0 for any that is free.
    token
        The administrator's token, from which the others follow; a random one if None.
    refresh_token
        Makes the administrator's token the access token of a pair, which expires, and has this refresh token;
        a token without one is long-lived.
    rotation
        `strict`, as on amocrm.ru: a refresh token is good for one exchange. `grace`, as on Kommo: it stays good until
        the one that it was exchanged for is used.
    lifetime
        Seconds that an access token lives.
    rate
        Requests a second that one client may make, or all `Limits`; without limits if None.
    faults
        Faults that are active from the start: one, such as `"reset:every=10"`, or several.
    accounts
        How many accounts there are. All have the same public widgets, and each its own installs, private widgets,
        users, tokens and limits; faults are for all. What is said of the account here is said of the first one, which
        is what the account of a sandbox of one is.

    Attributes
    ----------
    faults
        A context manager for each fault that there is.

    Raises
    ------
    ValueError
        If there can be no such port, the size is negative, there is no account, a token can't be sent in a header, or
        there is no such rotation, lifetime, limit or fault.

    Examples
    --------
    >>> with Sandbox(size=3) as sandbox:
    ...     print(sandbox.url)
    http://127.0.0.1:40327
    """

    def __init__(  # noqa: PLR0913  all are keywords, and each has a default
        self,
        *,
        seed: int = 0,
        size: int = 300,
        state: str | os.PathLike[str] | None = None,
        port: int = 0,
        token: str | None = None,
        refresh_token: str | None = None,
        rotation: Rotation = "strict",
        lifetime: int = ACCESS_LIFETIME,
        rate: int | Limits | None = None,
        faults: str | Iterable[str] = (),
        accounts: int = 1,
    ) -> None:
        if port not in range(_LAST_PORT + 1):
            raise ValueError(
                f"there is no port {port!r}; ports are whole numbers from 0, for any that is free, to {_LAST_PORT}"
            )
        size = operator.index(size)
        if size < 0:
            raise ValueError(f"a catalogue can't have {size} widgets")
        if operator.index(accounts) < 1:
            raise ValueError(f"a sandbox can't have {accounts} accounts; it has one or more")
        if not all(_TOKEN.fullmatch(given) for given in (token, refresh_token) if given is not None):
            raise ValueError(
                "a token goes into a header: it has to be of ASCII letters, digits and signs, without spaces"
            )
        self._seed = seed
        self._size = size
        self._state = ":memory:" if state is None else os.fspath(state)
        self._port = port
        self._keyring = Keyring(token or secrets.token_urlsafe(), is_long_lived=refresh_token is None)
        self._refresh_token = refresh_token
        self._rules = OAuthRules(rotation=rotation, lifetime=lifetime)
        self._limits = rate if rate is None or isinstance(rate, Limits) else Limits(rate=rate)
        address_rate = self._limits and self._limits.address_rate
        self._address = Window(address_rate, SECOND) if address_rate else None
        self._everybody = (FIRST, *others(accounts))
        self._limiters: list[Limiter] = []
        self._journal = Journal()
        self.faults = Faults(faults)
        self._running: _Running | None = None

    def __repr__(self) -> str:
        where = f"at {self._running.url}" if self._running else "not running"
        of_many = f" and {len(self._everybody)} accounts" if len(self._everybody) > 1 else ""
        return f"<Sandbox of {self._size} widgets{of_many}, {where}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"and the sandbox failed: {failure!r}")

    @property
    def url(self) -> str:
        """The address of the account, `http://127.0.0.1:` and the port.

        Raises
        ------
        RuntimeError
            If the sandbox is not running.
        """
        return self._started.url

    @property
    def size(self) -> int:
        """How many widgets the administrator's list has."""
        return self._size

    @property
    def token(self) -> str:
        """The administrator's token."""
        return self._keyring.administrator

    @property
    def accounts(self) -> Accounts:
        """All accounts: the administrator's token of each, by its address.

        Raises
        ------
        RuntimeError
            If the sandbox is not running.
        """
        return self._started.accounts

    @property
    def analyst_token(self) -> str:
        """The token of a user who is no administrator."""
        return self._keyring.analyst

    @property
    def oauth(self) -> OAuth:
        """The account's integrations, and what has been granted to them.

        Raises
        ------
        RuntimeError
            If the sandbox is not running.
        """
        return self._started.oauth

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The latest requests, oldest first, tokens masked."""
        return self._journal.requests

    def integration_token(self, code: str) -> str:
        """Return the token of the integration that is linked with this widget.

        Raises
        ------
        LookupError
            If there is no such widget.
        ValueError
            If no integration is linked with it; the message names a widget that has one.
        RuntimeError
            If the sandbox is not running.
        """
        self._integration(code)
        return self._keyring.integration(code)

    def integration_secret(self, code: str) -> str:
        """Return the secret of that integration, which signs the token of a `widget_request`.

        Raises
        ------
        LookupError
            If there is no such widget.
        ValueError
            If no integration is linked with it; the message names a widget that has one.
        RuntimeError
            If the sandbox is not running.
        """
        self._integration(code)
        return self._keyring.secret(code)

    def start(self) -> Self:
        """Start to answer; a sandbox that is running stays as it is.

        Raises
        ------
        OSError
            If the port can't be listened on.
        ValueError
            If the state file can't be used.
        """
        if self._running is None:
            with ExitStack() as exits:
                opened = open_store(self._state, seed=self._seed, size=self._size, others=self._everybody[1:])
                store = exits.enter_context(closing(opened))
                made = [self._parts(store.of(account)) for account in self._everybody]
                oauth = made[0].oauth
                oauth.begin(self.token, self._refresh_token)
                app: ASGIApp = application(made[0])
                if len(made) > 1:
                    app = Reception(len(made), lambda number: application(made[number]))
                url = exits.enter_context(served(app, self._port, self._journal.failures))
                accounts = Accounts(url, len(made), lambda number: made[number].keyring.administrator)
                for parts, address in zip(made, accounts, strict=True):
                    parts.oauth.api_domain = urlsplit(address).netloc
                self._limiters = [parts.limiter for parts in made if parts.limiter]
                self._running = _Running(url, store, oauth, accounts, exits.pop_all())
        return self

    def _parts(self, store: Store) -> Parts:
        """Return what an account is made of."""
        first = store.account is FIRST
        keyring = self._keyring if first else self._keyring.of(store.account)
        limiter = Limiter(self._limits, self._address) if self._limits else None
        return Parts(store, keyring, OAuth(store, self._rules), limiter, self.faults, self._journal)

    def stop(self) -> None:
        """Stop to answer, and leave no thread, port or open file; a sandbox that is not running stays as it is.

        Raises
        ------
        Exception
            What a handler raised since the start, a group if several did.
        """
        running, self._running = self._running, None
        if running:
            running.exits.close()
        failures = self._journal.take_failures()
        if len(failures) > 1:
            raise ExceptionGroup("requests failed in the sandbox", failures)
        if failures:
            raise failures[0]

    def start_bot(  # noqa: PLR0913  all but the first are keywords, and each has a default
        self,
        bot: BotKind = "salesbot",
        *,
        bot_id: int | None = None,
        continue_id: int | None = None,
        steps: Sequence[str] = (),
        url: str | None = None,
        widget: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Bot:
        """Start a bot that waits at a widget's block, and return where it is told to go on.

        Parameters
        ----------
        bot
            `salesbot` or `marketingbot`.
        bot_id, continue_id
            New ones if None; a bot which has these begins anew.
        steps
            What it says once it goes on, beginning with step 0; `{{json.key}}` is what the widget sent as `data`.
        url
            Where the widget's server takes a `widget_request`; none is sent if None.
        widget
            The widget whose integration the request is signed for.
        data
            What the bot has to say to the widget.

        Raises
        ------
        TypeError
            If the steps are no list of texts.
        ValueError
            If there is no such kind of bot, an id is not positive, or a request can't be sent so.
        LookupError
            If there is no such widget.
        ConnectionError
            If the widget's server does not answer with 200; the bot waits nevertheless.
        RuntimeError
            If the sandbox is not running.
        """
        running = self._started
        if bot not in BOTS:
            raise ValueError(f"there is no bot {bot!r}; there are {' and '.join(BOTS)}")
        if not all(number is None or 0 < number < _ID_END for number in (bot_id, continue_id)):
            raise ValueError("ids of bots are positive and have 15 digits at most")
        if not isinstance(steps, list | tuple) or not all(isinstance(step, str) for step in steps):
            raise TypeError(f"steps are a list of texts, such as ['{{{{json.status}}}}'], not {steps!r}")
        hook = None if url is None else self._hook(url, widget)
        key = running.store.start_bot(bot, bot_id, continue_id, steps=steps)
        account = next(iter(running.accounts))
        return_url = f"{account}/api/v4/{bot}/{key.bot_id}/continue/{key.continue_id}"
        waiting = Bot(bot=bot, bot_id=key.bot_id, continue_id=key.continue_id, return_url=return_url)
        if hook:
            hook.send(waiting, data or {}, account=account)
        return waiting

    def transcript(self, bot: Bot | int) -> tuple[Message, ...]:
        """Return what the customer has read of this bot, or of all that were started with this `bot_id`.

        Raises
        ------
        LookupError
            If there has been no such bot.
        RuntimeError
            If the sandbox is not running.
        """
        bot_id = bot if isinstance(bot, int) else bot.bot_id
        said = self._started.store.transcripts(bot_id)
        if isinstance(bot, Bot):
            key = BotKey(bot.bot, bot.bot_id, bot.continue_id)
            said = {key: said[key]} if key in said else {}
        if not said:
            raise LookupError(f"no bot {bot_id} has been started in this sandbox")
        return tuple(chain.from_iterable(said.values()))

    def reset(self) -> None:
        """Bring the account back to what a new sandbox of this seed and size has, unblock it, and empty the log.

        Raises
        ------
        RuntimeError
            If the sandbox is not running.
        """
        self._started.store.reset()
        self._started.oauth.begin(self.token, self._refresh_token)
        self.unblock()
        self._journal.clear()

    def unblock(self) -> None:
        """Let accounts answer again that were blocked for too many requests, as amoCRM's support does."""
        for limiter in self._limiters:
            limiter.reset()

    def _hook(self, url: str, widget: str | None) -> Hook:
        if widget is None:
            raise ValueError("a widget_request is signed: name the widget whose integration it is for")
        return Hook(url, client_uuid=self._integration(widget), secret=self._keyring.secret(widget))

    def _integration(self, code: str) -> str:
        """Return the `client_uuid` of the widget's integration."""
        store = self._started.store
        entry = store.find(code)
        if entry is None:
            raise LookupError(f"the sandbox has no widget {code!r}")
        if entry.widget.client_uuid is None:
            other = store.code_with_integration()
            advice = f"{other!r} has one" if other else f"none of these {self._size} widgets has; ask for a larger size"
            raise ValueError(f"widget {code!r} has no integration (its client_uuid is null); {advice}")
        return entry.widget.client_uuid

    @property
    def _started(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the sandbox is not running; call start(), or use it in a with statement")
        return self._running


class _Running(NamedTuple):
    """What a sandbox has while it runs, and how to end all of it."""

    url: str
    store: Store
    oauth: OAuth
    accounts: Accounts
    exits: ExitStack
