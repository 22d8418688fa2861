"""What every form has: one turn to send, a busy state, a second step, and a place where all that went wrong is said."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from amoexplore.checks import Fault
from amoexplore.errors import AmoError, NotSent, ValidationFailed
from amoexplore.forms import clicks, style
from amoexplore.forms.captions import caption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amoexplore.account import Account
    from amoexplore.models import Answer, Request


class Form:
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

    box: widgets.VBox
    #: What a cell calls for what the form's main button does.
    _call = "form.submit()"

    def __init__(self, account: Account, main: str) -> None:
        self.account = account
        self.turn = clicks.Turn()
        self.is_busy = False
        self._request_id: str | None = None
        self._told = account.telling(self._hear)
        self._main = widgets.Button(description=caption(main, account=account.name), button_style="primary")
        self._preview, self._clear, self._again = (self._button(key) for key in ("preview", "clear", "again"))
        self._count, self._status, self._body = (widgets.HTML(), widgets.HTML(), widgets.HTML())
        self.second_step = clicks.SecondStep()
        self._main.on_click(self.guard(lambda _: self._send_once(self._send)))
        self._preview.on_click(self.guard(lambda _: clicks.in_background(self.preview)))
        self._clear.on_click(self.guard(lambda _: self.clear()))
        self._again.on_click(self.guard(lambda _: self.edited()))

    def preview(self) -> Request:
        """Check, and return the request that would be sent, values of settings masked; it is shown, too."""
        with self._running("checking"):
            request = self._dry_run()
        self._say("")
        self._body.value = request._repr_html_()
        return request

    def clear(self) -> None:
        """Forget all that was typed or set."""
        raise NotImplementedError

    def edited(self) -> None:
        """Be free to send: something was edited, or is explicitly to be sent once more."""
        if self.is_busy:
            return
        self.second_step.close()
        self.turn.give()
        self._refresh()

    def guard(self, callback: Callable[..., object]) -> Callable[..., object]:
        """Return a callback whose errors are shown: in a callback they would vanish."""

        def guarded(*arguments: object) -> None:
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001  whatever it is, it is shown
                self._fail(error)

        return guarded

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.box._repr_mimebundle_(**options)
        return bundle | {"text/plain": repr(self)}

    def _hear(self, answer: Answer) -> None:
        self._request_id = answer.request_id

    @staticmethod
    def _button(key: str) -> widgets.Button:
        return widgets.Button(description=caption(key))

    def _framed(self, *parts: widgets.Widget, bar: list[widgets.Button]) -> widgets.VBox:
        warning = "" if self.account.writable else caption("read-only", account=self.account.name)
        buttons = widgets.Box([self._main, self._count, *bar], _dom_classes=("amo-bar",))
        end = [buttons, self._status, self.second_step.box, self._body]
        return widgets.VBox([widgets.HTML(style.head(warning)), *parts, *end], _dom_classes=("amo-form",))

    def _send_once(self, send: Callable[[], object]) -> None:
        if self.turn.take():
            clicks.in_background(send)

    def _take_turn(self) -> None:
        if not self.turn.take():
            raise NotSent(
                "This form is sending, or has sent and was not edited since, so nothing was sent now. "
                "An edit lets it send again, form.edited() too."
            )

    @contextmanager
    def _running(self, busy: str, **values: str) -> Iterator[None]:
        """Be busy, and say so; say what goes wrong, and raise it."""
        self._body.value = ""
        self._set_busy(is_busy=True)
        try:
            with clicks.ticking(lambda s: self._say(caption(busy, seconds=s, **values), "busy")):
                yield
        except Exception as error:
            self._fail(error)
            raise
        finally:
            self._set_busy(is_busy=False)

    @contextmanager
    def _sending(self, busy: str, what: str, **values: str) -> Iterator[threading.Event]:
        """Hold the turn for a call that no other form makes at the same time.

        The turn is given back unless the event is set, just before something is sent; secrets are dropped if it is.
        """
        sent = threading.Event()
        try:
            with self._running(busy, **values), clicks.alone(self.account.url, what):
                yield sent
        finally:
            if sent.is_set():
                self._drop_secrets()
            else:
                self.turn.give()
            self._refresh()

    def _set_busy(self, *, is_busy: bool) -> None:
        self.is_busy = is_busy
        self._disable(is_disabled=is_busy)
        self._refresh()

    def _refresh(self) -> None:
        """Let be pressed what may be pressed, and count the faults."""
        self._preview.disabled = self._clear.disabled = self.is_busy
        self._main.disabled = self.is_busy or not self.turn.is_free or not self.account.writable
        self._again.layout.display = None if not self.is_busy and not self.turn.is_free else "none"
        number = self._faults()
        self._count.value = f"<b>{caption('faults', number=number)}</b>" if number else ""

    def _say(self, text: str, kind: str = "busy") -> None:
        self._status.value = style.said(text, kind)

    def _fail(self, error: Exception) -> None:
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
        else:  # its own words could hold what was typed
            self._status.value = style.alert(caption("unexpected", kind=type(error).__name__, call=self._call))
        self._refresh()

    def _show_faults(self, faults: list[Fault]) -> list[Fault]:
        """Show each fault where it belongs; returns those that belong nowhere."""
        raise NotImplementedError

    def _faults(self) -> int:
        """Return how many faults are shown."""
        raise NotImplementedError

    def _drop_secrets(self) -> None:
        """Forget what is secret."""

    def _disable(self, *, is_disabled: bool) -> None:
        """Let nobody type, or let them again."""
        raise NotImplementedError

    def _dry_run(self) -> Request:
        """Check, and return what would be sent."""
        raise NotImplementedError

    def _send(self) -> object:
        """Send, with the turn taken."""
        raise NotImplementedError
