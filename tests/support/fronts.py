"""A form's front end without a browser: who types, presses and reads."""

from __future__ import annotations

import re
import threading
from html import unescape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from amoexplore.forms import style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amoexplore.forms import BotForm, Browser, InstallForm, WidgetPicker

    Form = InstallForm | BotForm | WidgetPicker | Browser


def parts(form: Form) -> Iterator[Any]:
    """Yield every widget of a form that is shown, from top to bottom."""

    def inside(widget: Any) -> Iterator[Any]:
        if widget.layout.display != "none":
            yield widget
            for child in getattr(widget, "children", ()):
                yield from inside(child)

    return inside(form.box)


def find(form: Form, name: str) -> Any:
    """Return the one input or button that has this in its label."""
    (found,) = (one for one in parts(form) if name in getattr(one, "description", ""))
    return found


def fill(form: Form, name: str, text: str) -> None:
    """Type into an input, as the browser tells it."""
    find(form, name).set_state({"value": text})


def press(form: Form, name: str) -> None:
    """Press a button that can be pressed, and wait until all is done that it began."""
    button = find(form, name)
    assert can_be_pressed(button), name
    button.click()
    settle()


def can_be_pressed(button: Any) -> bool:
    """Return whether pressing a button does something."""
    return not button.disabled and "amo-off" not in button._dom_classes


def settle() -> None:
    """Wait until no form is at work."""
    for thread in threading.enumerate():
        if thread.name == "amoexplore-form":
            thread.join()


def html(form: Form) -> str:
    """Return the HTML that a form shows."""
    said = (one.value for one in parts(form) if isinstance(one, widgets.HTML) and style.is_said(one.value))
    return "\n".join(text for text in said if "<style>" not in text)


def shown(form: Form) -> list[str]:
    """Return the texts that a form shows, line by line."""
    lines = re.sub(r"<br>|</(div|h4|pre)>", "\n", html(form))
    return [line for line in unescape(re.sub(r"<[^>]*>", "", lines)).split("\n") if line.strip()]
