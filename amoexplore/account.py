"""One amoCRM account: a method an endpoint."""

from __future__ import annotations

import atexit
import os
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from amoexplore import display, wire
from amoexplore.errors import ConfigurationError
from amoexplore.models import Page
from amoexplore.tokens import Token
from amoexplore.transport import Transport, is_loopback

if TYPE_CHECKING:
    from amoexplore.models import Answer, Widget
    from amoexplore.sandbox import Sandbox

URL_VARIABLE = "AMOEXPLORE_URL"
TOKEN_VARIABLE = "AMOEXPLORE_TOKEN"  # noqa: S105  the name of a variable

#: The API's page, «Список виджетов»: «Максимум – 250».
MAX_LIMIT = 250


class Account:
    """One amoCRM account, reached at its own host.

    Parameters
    ----------
    url : str
        Its address, such as ``https://example.amocrm.ru``.
    token : str
        A long-lived token of one of its integrations. It goes to this host only, and is shown nowhere.
    timeout : float
        Seconds to wait for a connection, and for each piece of an answer.

    Raises
    ------
    ConfigurationError
        If address or token can't be used. Nothing is sent yet.
    """

    def __init__(self, url: str, token: str, *, timeout: float = 30.0) -> None:
        self._transport = Transport(url, Token(token), timeout=timeout)

    @property
    def url(self) -> str:
        """The account's address."""
        return self._transport.url

    @property
    def host(self) -> str:
        """The account's host, as people name an account."""
        return urlsplit(self.url).netloc

    @property
    def name(self) -> str:
        """What displays call it: its host, unless that is this machine, where a sandbox has another port each time."""
        return "sandbox on this machine" if is_loopback(urlsplit(self.url).hostname or "") else self.host

    def widgets_answer(self, page: int = 1, limit: int = 50) -> Answer:
        """Return one page of the catalogue as it came, undecoded; what ``load_catalog`` walks along."""
        if page < 1:
            raise ValueError(f"page is counted from 1; there is no page {page!r}.")
        if not 1 <= limit <= MAX_LIMIT:
            raise ValueError(f"limit is from 1 to {MAX_LIMIT} widgets a page, not {limit!r}.")
        return self._transport.get("/api/v4/widgets", {"page": page, "limit": limit})

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
            Past the end it has no widgets.
        """
        answer = self.widgets_answer(page, limit)
        sent = wire.page(answer, page)
        widgets = tuple(wire.clean(widget, [], answer) for widget in sent.widgets)
        return Page(number=page, widgets=widgets, has_next=sent.links.next is not None)

    def widget(self, code: str) -> Widget:
        """Return one widget: GET /api/v4/widgets/{widget_code}.

        Raises
        ------
        NotFound
            If there is no such widget, or it is not for this user.
        """
        return wire.widget(self._transport.get(_widget_path(code)))

    def __repr__(self) -> str:
        return f"<Account {self.name}>"

    def _repr_html_(self) -> str:
        return display.card("Account", {"name": self.name, "token": "***"})


def _widget_path(code: str) -> str:
    if not code.strip(". "):
        raise ValueError(f"A widget's code is a text such as 'amo_dropbox', not {code!r}.")
    return f"/api/v4/widgets/{quote(code, safe='')}"


def connect(url: str | None = None, token: str | None = None) -> Account:
    """Return the account to explore.

    Parameters
    ----------
    url, token : str, optional
        Both or neither. Without them the environment's AMOEXPLORE_URL and AMOEXPLORE_TOKEN count; where those are not
        set either, the embedded sandbox is started in this process, and a line says so.

    Raises
    ------
    ConfigurationError
        If only one of the two is given, or one can't be used.
    """
    given = url, token
    if given == (None, None):
        given = os.environ.get(URL_VARIABLE) or None, os.environ.get(TOKEN_VARIABLE) or None
    match given:
        case None, None:
            sandbox = _embedded_sandbox()
            print(  # noqa: T201  who reads the numbers must know that they are not the market's
                f"Embedded sandbox: {sandbox.size} widgets, most of them made up. "
                f"For a real account set {URL_VARIABLE} and {TOKEN_VARIABLE}."
            )
            return Account(sandbox.url, sandbox.token)
        case str(address), str(secret):
            return Account(address, secret)
        case address, _:
            have, lack = ("an address", "a token") if address else ("a token", "an address")
            raise ConfigurationError(
                f"There is {have} but {lack} is missing: a token goes to its own account only, so give both to "
                f"connect(url, token), or set both {URL_VARIABLE} and {TOKEN_VARIABLE}."
            )


@cache
def _embedded_sandbox() -> Sandbox:
    from amoexplore.sandbox import Sandbox  # noqa: PLC0415  a real account needs no server

    sandbox = Sandbox()
    sandbox.start()
    atexit.register(sandbox.stop)
    return sandbox
