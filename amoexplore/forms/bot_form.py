"""The form that lets a bot go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import ipywidgets as widgets
import msgspec

from amoexplore import checks
from amoexplore.account import require_account
from amoexplore.checks import MAX_HANDLERS, Fault
from amoexplore.forms import style
from amoexplore.forms.base import Form, switch
from amoexplore.forms.captions import caption, in_its_language
from amoexplore.forms.fields import Owner
from amoexplore.forms.handler_card import HandlerCard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amoexplore.account import Account
    from amoexplore.handlers import Handler
    from amoexplore.models import Request

_ODD = "is nothing that this form can show and send as it is; account.continue_url takes whatever the API does"
_EXAMPLE = "{account}/api/v4/salesbot/1/continue/2"


class BotForm(Form):
    """A form that lets a bot go on; made by ``amo.forms.continue_bot``.

    Parameters
    ----------
    account : Account
    return_url : str
    """

    def __init__(self, account: Account, return_url: str = "") -> None:
        super().__init__(account, "send")
        self._owner = Owner(self.edited, self.guard)
        self._cards: list[HandlerCard] = []
        self._url = widgets.Text(value=return_url, description=caption("return url"))
        self._url.placeholder = _EXAMPLE.format(account=account.url)
        self._data = widgets.Textarea(rows=3, description=caption("data"), placeholder='{"status": "success"}')
        self._url_message, self._data_message, self._number = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._list = widgets.VBox()
        self._add = self._button("add")
        self._add.on_click(self._idly(self._add_card))
        for one in (self._url, self._data):
            one.observe(self.guard(lambda _: self._typed()), names="value")
        head = widgets.HTML(style.title(caption("bot in", account=account.name)))
        fields = [self._url, self._url_message, self._data, self._data_message]
        add = widgets.Box([self._add, self._number], _dom_classes=("amo-bar",))
        self.box = self._framed(head, *fields, self._list, add, bar=[self._preview, self._clear, self._again])
        self._set_cards([])
        self._typed()

    @property
    def return_url(self) -> str:
        """The address at which the bot waits; from its widget_request."""
        return str(self._url.value).strip()

    @return_url.setter
    def return_url(self, url: str) -> None:
        self._demand_idle()
        self._url.value = url

    @property
    def data(self) -> Any:
        """What the bot is given, None if it is given nothing.

        Raises
        ------
        HandlersError
            If what was typed is no JSON; when set, if it is nothing that a bot can be given: nothing is changed then.
        """
        faults = self._data_faults()
        if faults:
            raise checks.handlers_error(faults)
        return msgspec.json.decode(self._data.value) if self._data.value.strip() else None

    @data.setter
    def data(self, data: Any) -> None:
        self._demand_idle()
        if faults := [*checks.data_faults(data)]:
            raise checks.handlers_error(faults)
        self._data.value = "" if data is None else json.dumps(data, ensure_ascii=False, indent=2)

    @property
    def handlers(self) -> list[Handler]:
        """What the bot is told to do, in this order.

        Raises
        ------
        HandlersError
            When set, if one of them is none, or one that this form can't show as it is; nothing is changed then.
        NotSent
            When set while the form is at work.
        """
        return [card.handler for card in self._cards]

    @handlers.setter
    @in_its_language
    def handlers(self, handlers: Sequence[Handler]) -> None:
        self._demand_idle()
        if not isinstance(handlers, list | tuple):
            raise checks.handlers_error(checks.handlers_faults(handlers))
        cards = [self._card() for _ in handlers]
        for number, card in enumerate(cards, 1):
            card.number(number, len(cards))
        odd = [place for place, (card, one) in enumerate(zip(cards, handlers, strict=True)) if not card.fill(one)]
        if odd:
            raise checks.handlers_error([Fault("NotSupportedChoice", f"execute_handlers.{at}", _ODD) for at in odd])
        self._set_cards(cards)

    @in_its_language
    def submit(self) -> None:
        """Let the bot go on, as the form's button does.

        Raises
        ------
        NotSent
            If this form is at work or another one is at it, or nothing was edited since this form sent last.
        ReadOnly, HandlersError, NotFound, ValidationFailed, Forbidden, OutcomeUnknown
            As for ``account.continue_bot``.
        """
        self._send()

    def __repr__(self) -> str:
        return f"<Form that lets a bot of {self.account.name} go on: {len(self._cards)} handlers>"

    def _send(self) -> None:
        with self._sending("sending", self.return_url, {"account": self.account.name}):
            self.account.require_writable("let a bot go on")
            self._check()
            self._told.continue_url(self.return_url, data=self.data, handlers=self.handlers)
        rows = {"state": caption("sent"), "account": self.account.name, "request id": str(self._request_id)}
        self._status.value = style.result({caption(key): value for key, value in rows.items()})

    def _dry_run(self) -> Request:
        self._check()
        request = self.account.continue_url(self.return_url, data=self.data, handlers=self.handlers, dry_run=True)
        return cast("Request", request)

    def _check(self) -> None:
        faults = [*self._url_faults(), *self._data_faults(), *checks.handlers_faults(self.handlers)]
        self._show_faults(faults)
        if faults:
            raise checks.handlers_error(faults)

    def _url_faults(self) -> list[Fault]:
        if not self.return_url:
            return [Fault("FieldMissing", "return_url", "is required")]
        try:
            self.account.continue_url(self.return_url, dry_run=True)
        except ValueError as error:
            return [Fault("InvalidType", "return_url", str(error))]
        return []

    def _data_faults(self) -> list[Fault]:
        if not self._data.value.strip():
            return []
        try:
            return list(checks.data_faults(msgspec.json.decode(self._data.value)))
        except (ValueError, RecursionError):
            return [Fault("InvalidType", "data", caption("not JSON"))]

    def _typed(self) -> None:
        """Check address and data as they are typed, and say of an empty form nothing."""
        self._show_at("return_url", self._url_faults() if self.return_url else [])
        self._show_at("data", self._data_faults())
        self.edited()

    def _show_at(self, place: str, faults: Sequence[Fault]) -> None:
        message = {"return_url": self._url_message, "data": self._data_message}[place]
        said = style.alert(
            "\n".join(caption("missing", detail=f.detail) if f.code == "FieldMissing" else f.detail for f in faults)
        )
        message.value = said or style.unsaid(message.value)

    def _show_faults(self, faults: list[Fault]) -> list[Fault]:
        left = list(faults)
        for place in ("return_url", "data"):
            here = [fault for fault in faults if fault.path.split(".")[0] == place]
            self._show_at(place, here)
            left = [fault for fault in left if fault not in here]
        for position, card in enumerate(self._cards):
            here = [fault for fault in faults if f"{fault.path}.".startswith(f"execute_handlers.{position}.")]
            card.show(here)
            left = [fault for fault in left if fault not in here]
        return left

    def _faults(self) -> int:
        own = [style.is_said(message.value) for message in (self._url_message, self._data_message)]
        return sum(own) + sum(card.faults for card in self._cards)

    def _empty(self) -> None:
        self._url.value = self._data.value = ""
        self._set_cards([])

    def _disable(self, *, is_disabled: bool) -> None:
        self._url.disabled = self._data.disabled = is_disabled
        for card in self._cards:
            card.disable(is_disabled=is_disabled)

    def _card(self) -> HandlerCard:
        return HandlerCard(self._owner, self._move, self._remove)

    def _add_card(self) -> None:
        if len(self._cards) < MAX_HANDLERS:  # the second half of a double click may find ten
            self._set_cards([*self._cards, self._card()])

    def _move(self, card: HandlerCard, by: int) -> None:
        """Let two cards change what they hold: were they to change places, the keyboard would lose its own."""
        other = self._cards[self._cards.index(card) + by]
        card.typed, other.typed = other.typed, card.typed
        other.focus(by)

    def _remove(self, card: HandlerCard) -> None:
        self._set_cards([one for one in self._cards if one is not card])
        self._add.focus()

    def _set_cards(self, cards: list[HandlerCard]) -> None:
        self._cards = cards
        for number, card in enumerate(cards, 1):
            card.number(number, len(cards))
        self._list.children = [card.box for card in cards]
        self._number.value = style.hint(caption("handlers", number=len(cards), most=MAX_HANDLERS))
        switch(self._add, is_on=len(cards) < MAX_HANDLERS)
        self.edited()


def continue_bot(account: Account, return_url: str | None = None) -> BotForm:
    """Return a form that lets a bot go on: data for it, and up to ten handlers, with live counts of what they may hold.

    Parameters
    ----------
    account : Account
        A read-only one shows the form, and sends nothing.
    return_url : str, optional
        Of the bot's widget_request; it can be pasted into the form.

    Returns
    -------
    BotForm
        To be displayed. ``return_url``, ``data``, ``handlers``, ``preview()`` and ``submit()`` do the same from cells.
    """
    require_account(account)
    return BotForm(account, return_url or "")
