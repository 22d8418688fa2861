"""What every form has: one turn to send, a busy state, a second step, and a place where all that went wrong is said."""

from __future__ import annotations

import threading
import traceback
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from amoexplore.checks import Fault
from amoexplore.errors import AmoError, NotSent, ValidationFailed
from amoexplore.forms import clicks, style
from amoexplore.forms.captions import caption, in_its_language, speaking, spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amoexplore.account import Account
    from amoexplore.models import Answer, Request


class Displayed:
    """What a notebook shows as its ``box``, and as its repr where there are no widgets."""

    box: widgets.VBox

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.box._repr_mimebundle_(**options)
        return bundle | {"text/plain": repr(self)}


class Form(Displayed, ABC):
    """A form on an account; what subclasses add is what it asks and what it does.

    Parameters
    ----------
    account : Account

    Attributes
    ----------
    account : Account
    box
        The widget that is shown, for layouts of one's own.
    """

    #: What a cell calls for what the form's main button does.
    _call = "form.submit()"

    def __init__(self, account: Account, main: str) -> None:
        self.account = account
        self.language = spoken()
        self.turn = clicks.Turn()
        self.is_busy = False
        self._work = threading.Lock()
        self._was_sent = False
        self._request_id: str | None = None
        self._told = account.telling(self._hear, self._leaves)
        self._main = widgets.Button(description=caption(main, account=account.name), button_style="primary")
        self._preview, self._clear, self._again = (self._button(key) for key in ("preview", "clear", "again"))
        self._count, self._status, self._body = (widgets.HTML(), widgets.HTML(), widgets.HTML())
        self.second_step = clicks.SecondStep(self._main)
        self._main.on_click(self.guard(lambda _: clicks.in_background(self._send)))
        self._preview.on_click(self.guard(lambda _: clicks.in_background(self.preview)))
        self._clear.on_click(self._idly(self.clear))
        self._again.on_click(self._idly(self._once_more))

    @in_its_language
    def preview(self) -> Request:
        """Check, and return the request that would be sent, values of settings masked; it is shown, too.

        Raises
        ------
        NotSent
            If the form is at work.
        """
        with self._running("checking", {}):
            request = self._dry_run()
        self._say("")
        self._body.value = request._repr_html_()
        return request

    def give_way(self) -> None:
        """Forget all that was typed, unless a call is under way: another form takes the place of this one."""
        if not self.is_busy:
            self.clear()

    @in_its_language
    def clear(self) -> None:
        """Forget all that was typed or set.

        Raises
        ------
        NotSent
            If the form is at work.
        """
        self._demand_idle()
        self._empty()
        self._body.value = ""
        self._say("")
        self.edited()

    @in_its_language
    def edited(self) -> None:
        """Be free to send: something was edited, or is explicitly to be sent once more."""
        if self.is_busy:
            return
        self.second_step.close()
        self.turn.give()
        for one in (self._status, self._body):
            one.value = style.unsaid(one.value)
        self._refresh()

    def guard(self, callback: Callable[..., object]) -> Callable[..., object]:
        """Return a callback whose errors are shown: in a callback they would vanish."""

        def guarded(*arguments: object) -> None:
            with speaking(self.language):
                try:
                    callback(*arguments)
                except Exception as error:  # noqa: BLE001  whatever it is, it is shown
                    self._fail(error)

        return guarded

    def _idly(self, do: Callable[[], object]) -> Callable[..., object]:
        """Return a callback that does it unless the form is at work."""
        return self.guard(lambda _: self.is_busy or do())

    def _once_more(self) -> None:
        self.edited()
        self._main.focus()

    def _hear(self, answer: Answer) -> None:
        self._request_id = answer.request_id

    def _leaves(self) -> None:
        self._was_sent = True

    @staticmethod
    def _button(key: str) -> widgets.Button:
        return widgets.Button(description=caption(key))

    def _framed(self, *parts: widgets.Widget, bar: list[widgets.Button]) -> widgets.VBox:
        warning = "" if self.account.writable else caption("read-only", account=self.account.name)
        buttons = widgets.Box([self._main, self._count, *bar], _dom_classes=("amo-bar",))
        end = [buttons, self._status, self.second_step.box, self._body]
        return widgets.VBox([widgets.HTML(style.head(warning)), *parts, *end], _dom_classes=("amo-form",))

    def _demand_idle(self) -> None:
        if self.is_busy:
            raise NotSent("This form is at work: nothing was changed and nothing sent by this call. Wait for its end.")

    @contextmanager
    def _running(self, busy: str, values: dict[str, str], *, takes_turn: bool = False) -> Iterator[None]:
        """Be busy, and say so; say what goes wrong, and raise it. Who finds the form at work changes nothing of it.

        Raises
        ------
        NotSent
            If the form is at work, or if this takes the turn and the turn is taken.
        """
        if not self._work.acquire(blocking=False):
            raise NotSent("This form is at work: nothing was sent by this call. Wait for its end.")
        try:
            if takes_turn and not self.turn.take():
                raise NotSent(
                    "This form has sent and was not edited since, so nothing was sent now. "
                    "An edit lets it send again, form.edited() too."
                )
            self.second_step.close()
            self._body.value = ""
            self._set_busy(is_busy=True)
            try:
                with clicks.ticking(lambda s: self._say(caption(busy, seconds=s, **values))):
                    yield
            except BaseException as error:
                _clear_frames(error)
                self._fail(error)
                raise
            finally:
                self._set_busy(is_busy=False)
        finally:
            self._work.release()

    @contextmanager
    def _sending(self, busy: str, what: str, values: dict[str, str]) -> Iterator[None]:
        """Hold the turn for a call that no other form makes at the same time.

        The turn is given back if nothing has left; if something has, secrets are dropped.
        """
        with self._running(busy, values, takes_turn=True):
            self._was_sent = False
            try:
                with clicks.alone(self.account.url, what):
                    yield
            finally:
                if self._was_sent:
                    self._drop_secrets()
                else:
                    self.turn.give()

    def _set_busy(self, *, is_busy: bool) -> None:
        self.is_busy = is_busy
        self._disable(is_disabled=is_busy)
        self._refresh()

    def _refresh(self) -> None:
        """Let be pressed what may be pressed, and count the faults."""
        for button in (self._preview, self._clear):
            switch(button, is_on=not self.is_busy)
        switch(self._main, is_on=not self.is_busy and self.turn.is_free)
        self._main.disabled = not self.account.writable
        self.second_step.disable(is_disabled=self.is_busy)
        self._again.layout.display = None if not self.is_busy and not self.turn.is_free else "none"
        number = self._faults()
        count = f"<b>{caption('faults', number=number)}</b>"
        self._count.value = count if number else style.unsaid(self._count.value)

    def _say(self, text: str) -> None:
        self._status.value = style.said(text, "busy")

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, NotSent) and self.second_step.is_open:
            self._say("")
        elif isinstance(error, AmoError):
            faults = [
                Fault(*(str(fault.get(name, "")) for name in ("code", "path", "detail"))) for fault in error.errors
            ]
            homeless = [f"{fault.path}: {fault.detail}" for fault in self._show_faults(faults)]
            was_sent = isinstance(error, ValidationFailed)
            what = caption("refused" if was_sent else "nothing sent") if faults else str(error)
            request = [f"{caption('request id')}: {error.request_id}"] if error.request_id else []
            self._status.value = style.alert("\n".join([what, *homeless, *request]))
        elif isinstance(error, Exception):
            self._status.value = style.failure(error, self._call)
        else:
            self._status.value = style.alert(caption("interrupted"))
        self._refresh()

    @abstractmethod
    def _show_faults(self, faults: list[Fault]) -> list[Fault]:
        """Show each fault where it belongs; returns those that belong nowhere."""

    @abstractmethod
    def _empty(self) -> None:
        """Empty what it asks."""

    @abstractmethod
    def _faults(self) -> int:
        """Return how many faults are shown."""

    def _drop_secrets(self) -> None:
        """Forget what is secret; not every form has some."""

    @abstractmethod
    def _disable(self, *, is_disabled: bool) -> None:
        """Let nobody type, or let them again."""

    @abstractmethod
    def _dry_run(self) -> Request:
        """Check, and return what would be sent."""

    @abstractmethod
    def _send(self) -> object:
        """Take the turn, and send."""


def switch(button: widgets.Button, *, is_on: bool) -> None:
    """Show whether pressing it does something: a button that is disabled loses the keyboard's place in the page."""
    (button.remove_class if is_on else button.add_class)("amo-off")


def _clear_frames(error: BaseException | None) -> None:
    """Empty the frames that an error comes from: IPython keeps the last one, and with it what was being sent."""
    while error:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
