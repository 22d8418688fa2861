"""What a bot is told to do when it goes on: values, made by four functions.

From the API's page, «Подтверждение выполнения блока виджета в Salesbot».
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct


class Handler(Struct, frozen=True):
    """One entry of ``execute_handlers``; made by ``show_text``, ``show_buttons``, ``show_links`` and ``goto``.

    Attributes
    ----------
    handler : str
        ``show`` or ``goto``.
    params : dict
        As the API's page names them.
    """

    handler: str
    params: dict[str, Any]


def show_text(value: str) -> Handler:
    """Show a text of at most 80 characters; ``{{json.key}}`` stands for a value of ``data``."""
    return Handler("show", {"type": "text", "value": value})


def show_buttons(value: str, buttons: Iterable[str]) -> Handler:
    """Show a text of at most 80 characters and up to 25 buttons."""
    return Handler("show", {"type": "buttons", "value": value, "buttons": _listed(buttons)})


def show_links(value: str, links: Iterable[str] | Mapping[str, str]) -> Handler:
    """Show a text of at most 80 characters and up to 25 buttons with links: addresses, or captions with addresses."""
    urls = [{"text": text, "url": url} for text, url in links.items()] if isinstance(links, Mapping) else _listed(links)
    return Handler("show", {"type": "buttons_url", "value": value, "buttons": urls})


def _listed(buttons: Iterable[Any]) -> list[Any]:
    if isinstance(buttons, str):
        raise TypeError(f"Buttons are a list, such as [{buttons!r}]: a text would become a button a letter.")
    if not isinstance(buttons, Iterable):
        raise TypeError(f"Buttons are a list, such as ['Yes', 'No'], not {type(buttons).__name__}.")
    return list(buttons)


def goto(type: str, *, step: int | None = None) -> Handler:  # noqa: A002  the page's own word
    """Go to a step of the bot: ``question``, ``answer`` or ``finish``; ``finish`` needs no step."""
    return Handler("goto", {"type": type} if step is None else {"type": type, "step": step})
