"""One handler of the bot form: what it shows or where it goes, with live counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from traitlets import TraitError

from amoexplore import handlers
from amoexplore.checks import MAX_BUTTONS, MAX_VALUE
from amoexplore.forms import style
from amoexplore.forms.captions import caption

if TYPE_CHECKING:
    from collections.abc import Callable

    from amoexplore.checks import Fault
    from amoexplore.forms.fields import Owner
    from amoexplore.handlers import Handler

_KINDS = ("text", "buttons", "links", "goto")
_STEPS = ("question", "answer", "finish")
_BETWEEN = " = "  # a caption and its address


class HandlerCard:
    """The inputs of one handler.

    Parameters
    ----------
    owner : Owner
    move : callable
        Is given this card and how far it is to move.
    remove : callable
        Is given this card.
    """

    def __init__(
        self, owner: Owner, move: Callable[[HandlerCard, int], object], remove: Callable[[HandlerCard], object]
    ) -> None:
        self.faults = 0
        self._owner = owner
        self._kind = widgets.Dropdown(options=[(caption(kind), kind) for kind in _KINDS])
        self._value, self._value_count = widgets.Textarea(rows=2), widgets.HTML()
        self._buttons, self._buttons_count = widgets.Textarea(rows=3), widgets.HTML()
        self._goto = widgets.Dropdown(options=_STEPS)
        self._step = widgets.IntText()
        self._message = widgets.HTML()
        self.up, self.down, self._remove = widgets.Button(), widgets.Button(), widgets.Button()
        self.up.on_click(owner.guard(lambda _: move(self, -1)))
        self.down.on_click(owner.guard(lambda _: move(self, 1)))
        self._remove.on_click(owner.guard(lambda _: remove(self)))
        for one in self._inputs():
            one.observe(owner.guard(lambda _: self._edited()), names="value")
        bar = widgets.Box([self.up, self.down, self._remove], _dom_classes=("amo-bar",))
        parts = [self._value, self._value_count, self._buttons, self._buttons_count, self._goto, self._step]
        self.box = widgets.VBox([self._kind, *parts, self._message, bar], _dom_classes=("amo-card",))
        self._refresh()

    @property
    def handler(self) -> Handler:
        """The handler, as it stands."""
        match self._kind.value:
            case "text":
                return handlers.show_text(self._value.value)
            case "buttons":
                return handlers.show_buttons(self._value.value, self._lines())
            case "links":
                return handlers.show_links(self._value.value, map(_link, self._lines()))
            case _:
                is_end = self._goto.value == "finish"
                return handlers.goto(self._goto.value, step=None if is_end else self._step.value)

    def fill(self, handler: Handler) -> bool:
        """Show a handler; returns whether it is shown as it is."""
        try:
            self._fill(handler)
            is_as_given = self.handler == handler
        except (AttributeError, KeyError, TypeError, ValueError, TraitError):
            return False  # no handler, or one of a kind that has no inputs, or of what can't even be compared
        return is_as_given

    @property
    def typed(self) -> tuple[Any, ...]:
        """What stands in the inputs."""
        return tuple(one.value for one in self._inputs())

    @typed.setter
    def typed(self, values: tuple[Any, ...]) -> None:
        for one, value in zip(self._inputs(), values, strict=True):
            one.value = value

    def focus(self, by: int) -> None:
        """Bring the keyboard to the button that moves this handler further, or back if it is at its end."""
        first, second = (self.up, self.down) if by < 0 else (self.down, self.up)
        (second if first.disabled else first).focus()

    def _fill(self, handler: Handler) -> None:
        params = handler.params
        if handler.handler == "goto":
            self._kind.value, self._goto.value, self._step.value = "goto", params["type"], params.get("step", 0)
        else:
            self._kind.value = {"text": "text", "buttons": "buttons", "buttons_url": "links"}[params["type"]]
            self._value.value = params["value"]
            self._buttons.value = "\n".join(map(_line, params.get("buttons", ())))

    def number(self, number: int, last: int) -> None:
        """Say which one of them this is, from 1 on."""
        captions = {"up": self.up, "down": self.down, "remove": self._remove, "kind": self._kind}
        captions |= {"value of": self._value, "goto of": self._goto, "step of": self._step}
        captions["links of" if self._kind.value == "links" else "buttons of"] = self._buttons
        for key, one in captions.items():
            one.description = caption(key, number=number)
        self._number, self._last = number, last
        self.up.disabled, self.down.disabled = number == 1, number == last

    def show(self, faults: list[Fault]) -> None:
        """Show these faults under the handler."""
        self.faults = len(faults)
        self._message.value = style.alert("\n".join(_said(fault) for fault in faults))

    def disable(self, *, is_disabled: bool) -> None:
        """Let nobody type, or let them again."""
        for one in (*self._inputs(), self.up, self.down, self._remove):
            one.disabled = is_disabled
        if not is_disabled:
            self.number(self._number, self._last)

    def _inputs(self) -> list[widgets.Widget]:
        return [self._kind, self._value, self._buttons, self._goto, self._step]

    def _lines(self) -> list[str]:
        return [line.strip() for line in self._buttons.value.splitlines() if line.strip()]

    def _edited(self) -> None:
        self._refresh()
        self.number(self._number, self._last)
        self.faults = 0
        self._message.value = style.unsaid(self._message.value)
        self._owner.edited()

    def _refresh(self) -> None:
        """Show what this kind of handler has, and count."""
        kind = self._kind.value
        for one, is_shown in (
            *((one, kind != "goto") for one in (self._value, self._value_count)),
            *((one, kind in {"buttons", "links"}) for one in (self._buttons, self._buttons_count)),
            (self._goto, kind == "goto"),
            (self._step, kind == "goto" and self._goto.value != "finish"),
        ):
            one.layout.display = None if is_shown else "none"
        self._value_count.value = _count("characters", len(self._value.value), MAX_VALUE)
        self._buttons_count.value = _count("buttons count", len(self._lines()), MAX_BUTTONS)


def _count(key: str, number: int, most: int) -> str:
    text = caption(key, number=number, most=most)
    return style.alert(text) if number > most else style.hint(text)


def _said(fault: Fault) -> str:
    place = fault.path.partition(".params.")[2]
    return caption("at", place=place, detail=fault.detail) if place else fault.detail


def _link(line: str) -> Any:
    text, between, url = line.partition(_BETWEEN)
    return {"text": text.strip(), "url": url.strip()} if between else line


def _line(button: Any) -> str:
    return f"{button['text']}{_BETWEEN}{button['url']}" if isinstance(button, dict) else str(button)
