"""One amoCRM account: a method an endpoint."""

from __future__ import annotations

import re
from copy import copy
from functools import cache
from itertools import count
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final, Literal, overload
from urllib.parse import quote, urlsplit

from msgspec import structs

from amoexplore import checks, decode, display
from amoexplore.errors import (
    AmoError,
    BadAnswer,
    ConnectionDropped,
    OutcomeUnknown,
    ReadOnly,
    Redirected,
    Refused,
    TimedOut,
)
from amoexplore.hosts import has_a_name_here, is_loopback
from amoexplore.models import Page, Request, Secret, Widget, masked, settings_of
from amoexplore.tokens import MaskedText, Token, no_token
from amoexplore.transport import Errand, Pace, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amoexplore import wire
    from amoexplore.handlers import Handler
    from amoexplore.models import Answer, Me, Pipeline, Settings, User
    from amoexplore.pacer import Together

BOTS: Final = ("salesbot", "marketingbot")
_RETURN_PATH = re.compile(r"/api/v4/(?P<bot>salesbot|marketingbot)/(?P<bot_id>[0-9]+)/continue/(?P<continue_id>[0-9]+)")
#: A server that fails, or a gateway that gets no answer from what lies behind it, may have done the work before.
_MAY_HAVE_HAPPENED = frozenset({408, *range(500, 600)} - {501})

#: The API's page, «Список виджетов»: «Максимум – 250».
MAX_LIMIT = 250


#: What displays call a sandbox; no host has spaces.
SANDBOX = "sandbox on this machine"


class Account:
    """One amoCRM account, reached at its own host.

    Parameters
    ----------
    url : str
        Its address, such as ``https://example.amocrm.ru``.
    token : str or Token
        A long-lived token of one of its integrations. It goes to this host only, and is shown nowhere.
    write : bool, optional
        Whether installs, uninstalls and bots are let through. By default on this machine only, where sandboxes are.
    timeout : float
        Seconds to wait for a connection, and for each piece of an answer.
    pace : int or None, optional
        At most so many requests in any second, of all threads and processes of this machine that use the same token or
        integration; None sends them as they come. By default 7, as amoCRM demands, but on this machine only once a
        sandbox has answered 429.

    Attributes
    ----------
    token : Token
        Whose it is; it shows itself nowhere.
    writable : bool
        Whether writes are let through.

    Raises
    ------
    ConfigurationError
        If address or token can't be used. Nothing is sent yet.
    TypeError
        If write is none of True, False and None.
    ValueError
        If timeout or pace can't be used.
    """

    def __init__(
        self,
        url: str,
        token: str | Token,
        *,
        write: bool | None = None,
        timeout: float = 30.0,
        pace: Pace = "auto",
    ) -> None:
        if not isinstance(token, str | Token):
            error, token = no_token(token), ""  # from here on no traceback shows it
            raise error
        token = MaskedText(token) if isinstance(token, str) else token  # nor here
        if not isinstance(write, bool | None):
            raise TypeError(
                f"write is True, False or None, by which a real account is read-only and a sandbox open, not {write!r}."
            )
        self.token = token if isinstance(token, Token) else Token(token)
        self._transport = Transport(url, self.token, timeout=timeout, pace=pace)
        self._transport.reopen()
        self.writable = self.is_on_this_machine if write is None else write
        self._hear: Callable[[Answer], object] | None = None
        self._leaves: Callable[[], object] | None = None

    @property
    def url(self) -> str:
        """The account's address."""
        return self._transport.url

    @property
    def named(self) -> str:
        """The address that it was connected by; :attr:`url` is another one once the account has moved."""
        return self._transport.named

    @property
    def host(self) -> str:
        """The account's host, as people name an account."""
        return urlsplit(self.url).netloc

    @property
    def rate(self) -> int | None:
        """At most how many requests it is sent in any second; None for as many as come."""
        return self._transport.rate

    @property
    def is_on_this_machine(self) -> bool:
        """Whether this is a sandbox: nothing else of amoCRM's is on this machine."""
        return is_loopback(urlsplit(self.url).hostname or "")

    @property
    def name(self) -> str:
        """What displays call it: its host; on this machine without the port, which is another one each time."""
        host = urlsplit(self.url).hostname or ""
        if has_a_name_here(host):
            return host
        return SANDBOX if self.is_on_this_machine else self.host

    def widgets_answer(self, page: int = 1, limit: int = 50) -> Answer:
        """Return one page of the catalogue as it came, undecoded."""
        path = _listing_path(page, limit)
        return self._transport.fetch(lambda: path, decode.demand_json, Errand())[0]

    def fetch_page(self, draw: Callable[[], int], limit: int, errand: Errand) -> wire.Page:
        """Return one page of the catalogue as it was sent, decoded; what ``load_catalog`` walks along.

        Parameters
        ----------
        draw : callable
            Gives its number, as soon as it can be sent for.
        limit : int
        errand : Errand
            Counts how often it is sent for, and can be called off.
        """
        drawn = cache(draw)
        answer, body = self._transport.fetch(lambda: _listing_path(drawn(), limit), decode.listing, errand)
        return decode.page(answer, drawn(), body)

    def widgets_page(self, page: int = 1, limit: int = 50) -> Page:
        """Return one page of the catalogue: GET /api/v4/widgets.

        Parameters
        ----------
        page : int
            From 1.
        limit : int
            Widgets a page, at most 250.

        Returns
        -------
        Page
            Past the end it has no widgets. An entry without an id or a code is left out, with a warning.
        """
        answer = self.widgets_answer(page, limit)
        sent = decode.page(answer, page)
        return Page(number=page, widgets=decode.widgets(sent), has_next=sent.links.next is not None)

    def widget(self, code: str) -> Widget:
        """Return one widget: GET /api/v4/widgets/{widget_code}.

        Raises
        ------
        NotFound
            If there is no such widget, or it is not for this user.
        """
        return decode.widget(self._transport.get(_widget_path(code)))

    @overload
    def install(
        self, widget: str | Widget, settings: Mapping[str, Any] | None = None, *, dry_run: Literal[False] = ...
    ) -> Widget: ...

    @overload
    def install(
        self, widget: str | Widget, settings: Mapping[str, Any] | None = None, *, dry_run: Literal[True]
    ) -> Request: ...

    def install(
        self, widget: str | Widget, settings: Mapping[str, Any] | None = None, *, dry_run: bool = False
    ) -> Widget | Request:
        """Install a widget, or replace the settings of an installed one: POST /api/v4/widgets/{widget_code}.

        Parameters
        ----------
        widget : str or Widget
            Its code. A widget that the account gave just now is not asked for again; one that is installed but private
            to others is on the list (``widgets_page``), and not to be had by its code.
        settings : mapping, optional
            By key of the widget's ``settings_template``: a text for text and pass, ``{user id: extension}`` for users,
            ``{user id: {"login": …, "password": …}}`` for users_lp, a number, JSON in a text or an object for custom.
        dry_run : bool
            Send nothing; return the request, with the values of the settings masked.

        Returns
        -------
        Widget
            As installed, its settings masked. With ``dry_run`` the Request.

        Raises
        ------
        SettingsError
            If the template does not allow the settings; nothing was sent then.
        ValidationFailed
            If the API refuses them.
        ReadOnly
            If the account is not open for writing.
        OutcomeUnknown
            If the answer was lost.
        """
        hidden, settings = Secret(settings), None  # from here on nothing shows the values, not even a traceback
        settings = settings_of(hidden.reveal())
        code = widget.code if isinstance(widget, Widget) else widget
        if not dry_run:
            self.require_writable(f"install {code}")
        widget = widget if isinstance(widget, Widget) else self.widget(code)
        checks.require_settings(widget, settings)
        body = Secret(checks.settings_body(widget.settings_template, settings))
        request = self._request("POST", _widget_path(code), body, shown=masked(body.reveal()))
        if dry_run:
            return request
        answer = self._write(request, f"install {code}", code, settings)
        try:
            return decode.widget(answer)
        except BadAnswer as error:
            unread = error
        raise self._outcome_unknown(f"install {code}", code, unread)

    def uninstall(self, code: str, *, dry_run: bool = False) -> Request | None:
        """Uninstall a widget: DELETE /api/v4/widgets/{widget_code}.

        Raises
        ------
        NotFound, Forbidden, ReadOnly, OutcomeUnknown
        """
        request = self._request("DELETE", _widget_path(code))
        if dry_run:
            return request
        self.require_writable(f"uninstall {code}")
        self._write(request, f"uninstall {code}", code)
        return None

    def continue_bot(  # noqa: PLR0913  all but the first two by name
        self,
        bot_id: int,
        continue_id: int,
        *,
        bot: Literal["salesbot", "marketingbot"] = "salesbot",
        data: Mapping[str, Any] | list[Any] | None = None,
        handlers: Sequence[Handler] = (),
        dry_run: bool = False,
    ) -> Request | None:
        """Let a bot go on after a widget's step: POST /api/v4/{bot}/{bot_id}/continue/{continue_id}.

        Parameters
        ----------
        bot_id, continue_id : int
            From the ``return_url`` of the widget_request; a continue_id counts once.
        bot : {"salesbot", "marketingbot"}
        data : mapping or list, optional
            For the bot, which reads it as ``{{json.key}}``.
        handlers : sequence of Handler
            At most 10, made by ``show_text``, ``show_buttons``, ``show_links`` and ``goto``; run in this order.
        dry_run : bool
            Send nothing; return the request.

        Raises
        ------
        HandlersError
            If the API's page does not allow the handlers; nothing was sent then.
        NotFound
            If no bot waits there.
        ValidationFailed, Forbidden, ReadOnly, OutcomeUnknown
        """
        if bot not in BOTS:
            raise ValueError(f"bot is {' or '.join(BOTS)}, not {bot!r}.")
        checks.require_continuable(data, handlers)
        body = {"data": data} if data is not None else {}
        if handlers:
            body["execute_handlers"] = [structs.asdict(handler) for handler in handlers]
        for name, given in {"bot_id": bot_id, "continue_id": continue_id}.items():
            if not _is_whole(given):
                raise TypeError(f"{name} is a whole number, not {given!r}; continue_url takes a whole return_url.")
        path = f"/api/v4/{bot}/{bot_id}/continue/{continue_id}"
        request = self._request("POST", path, Secret(body), shown=body)
        if dry_run:
            return request
        what = f"continue {bot} {bot_id} at {continue_id}"
        self.require_writable(what)
        self._write(request, what)
        return None

    def continue_url(
        self,
        return_url: str,
        *,
        data: Mapping[str, Any] | list[Any] | None = None,
        handlers: Sequence[Handler] = (),
        dry_run: bool = False,
    ) -> Request | None:
        """Let a bot go on by the ``return_url`` of its widget_request; see :meth:`continue_bot`.

        Raises
        ------
        ValueError
            If it is no such address, or one of another account: the token goes to its own host only.
        """
        try:
            parts = urlsplit(str(return_url))
        except ValueError:  # as of http://[
            parts = urlsplit("")
        match = _RETURN_PATH.fullmatch(parts.path)
        if match is None or parts.netloc.lower() != self.host:
            like = f"{self.url}/api/v4/salesbot/1/continue/2"
            raise ValueError(f"{return_url!r} is no return_url of {self.name}: one looks like {like}.")
        bot: Any = match["bot"]
        ids = int(match["bot_id"]), int(match["continue_id"])
        return self.continue_bot(*ids, bot=bot, data=data, handlers=handlers, dry_run=dry_run)

    def me(self) -> Me:
        """Return the account's name and whose token this is: GET /api/v4/account."""
        return decode.me(self._transport.get("/api/v4/account"))

    def users(self) -> tuple[User, ...]:
        """Return the account's users, by pages of 250: GET /api/v4/users. Administrators only."""
        users: dict[int, User] = {}
        for page in count(1):
            answer = self._transport.get("/api/v4/users", {"page": page, "limit": MAX_LIMIT})
            found = {user.id: user for user in decode.users(answer)}
            if found.keys() <= users.keys():
                break
            users |= found
            if len(found) < MAX_LIMIT and not decode.names_next(answer):
                break
        return tuple(users.values())

    def pipelines(self) -> tuple[Pipeline, ...]:
        """Return the account's pipelines: GET /api/v4/leads/pipelines."""
        return decode.pipelines(self._transport.get("/api/v4/leads/pipelines"))

    def __repr__(self) -> str:
        if not hasattr(self, "_transport"):
            return "<Account that could not be made>"  # in the traceback that says why
        return f"<Account {self.name}{'' if self.writable else ', read-only'}>"

    def _repr_html_(self) -> str:
        writing = "open" if self.writable else "read-only: connect(write=True) or AMOEXPLORE_WRITE=1 opens it"
        return display.card("Account", {"name": self.name, "token": "***", "writing": writing})

    def telling(self, hear: Callable[[Answer], object], leaves: Callable[[], object] | None = None) -> Account:
        """Return the same account, which tells of each write: that it leaves now, and the answer.

        The answer has the request id that a Widget has not.
        """
        told = copy(self)
        told._hear, told._leaves = hear, leaves  # noqa: SLF001  its own copy's
        return told

    def among(self, others: Together) -> Account:
        """Return the same account, whose reads are sent as one of many: at a pace of all, and up to an end."""
        one = copy(self)
        one._transport = self._transport.among(others)  # noqa: SLF001  its own copy's
        return one

    def require_writable(self, what: str) -> None:
        """Demand that the account is open for writing; ``what`` says what for.

        Raises
        ------
        ReadOnly
        """
        if not self.writable:
            raise ReadOnly(
                f"{self.name} is read-only: nothing was sent to {what}. "
                "amo.connect(…, write=True) or AMOEXPLORE_WRITE=1 opens it for writing."
            )

    def _request(self, method: str, path: str, body: Secret | None = None, *, shown: Any = None) -> Request:
        content = None if body is None else Secret(checks.encoded(body.reveal()))
        return Request(method, f"{self.url}{path}", shown, content)

    def _write(self, request: Request, what: str, code: str | None = None, settings: Settings | None = None) -> Answer:
        print(f"{self.name}: {what}")  # noqa: T201  a write is never silent about where it goes
        if self._leaves:
            self._leaves()
        try:
            answer = self._transport.send(request)
            decode.demand_no_web_page(answer)
        except AmoError as error:
            if settings is not None:
                checks.hide_values(error, settings)
            if not _may_have_happened(error):
                raise
            raise self._outcome_unknown(what, code, error) from None
        if self._hear:
            self._hear(answer)
        return answer

    def _outcome_unknown(self, what: str, code: str | None, error: AmoError) -> OutcomeUnknown:
        if code is None:
            advice = "Send it again: if that answers 404, the first one had arrived, as a continue_id counts once."
        else:
            advice = f"{self._look(code)} account.widget({code!r}).is_active_in_account tells how it is now."
        return OutcomeUnknown(
            f"{self.name}: the request to {what} was sent once, and its answer was lost ({error}) {advice}",
            status=error.status,
            request_id=error.request_id,
            url=error.url,
        )

    def _look(self, code: str) -> str:
        try:
            installed = self.widget(code).is_active_in_account
        except AmoError:
            installed = None
        if installed is None:
            return "The account could not be asked just now."
        late = "" if installed else ", but a late request may still arrive"
        return f"Asked just now, the account says that the widget is {'' if installed else 'not '}installed{late}."


def _may_have_happened(error: AmoError) -> bool:
    if isinstance(error, Refused):
        return error.status in _MAY_HAVE_HAPPENED
    return isinstance(error, ConnectionDropped | TimedOut | BadAnswer) and not isinstance(error, Redirected)


def require_account(given: object) -> None:
    """Demand an account.

    Raises
    ------
    TypeError
    """
    if not isinstance(given, Account):
        raise TypeError(
            f"What is wanted is an account, not {type(given).__name__}: amo.connect() gives one, and "
            "amo.connect(sandbox.url, sandbox.token) that of a sandbox."
        )


def _listing_path(page: int, limit: int) -> str:
    if not _is_whole(page) or page < 1:
        raise ValueError(f"page is a whole number, counted from 1; there is no page {page!r}.")
    require_limit(limit)
    return f"/api/v4/widgets?page={page}&limit={limit}"


def require_limit(limit: int) -> None:
    """Demand a number of widgets a page that there can be.

    Raises
    ------
    ValueError
    """
    if not _is_whole(limit) or not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit is a whole number from 1 to {MAX_LIMIT} widgets a page, not {limit!r}.")


def _is_whole(number: object) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)


def _widget_path(code: object) -> str:
    try:
        piece = quote(code, safe="") if isinstance(code, str) and code.strip(". ") else ""
    except UnicodeEncodeError:  # half a letter
        piece = ""
    if not piece:
        raise ValueError(f"A widget's code is a text such as 'amo_dropbox', not {code!r}.")
    return f"/api/v4/widgets/{piece}"
