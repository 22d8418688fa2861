"""Odd answers to structs: what can be read is kept, what can't be or is not known is named."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from amoexplore import normalize
from amoexplore.models import Secret
from amoexplore.wire import Links, Page, Setting, Unreadable, Widget, shown


def fill(result: Page, sent: Secret) -> str | None:
    """Take in all that can be read of a page; returns why nothing can."""
    plain = sent.reveal()
    if not isinstance(plain, dict) or "_embedded" not in plain:
        return "an object with _embedded was expected"
    embedded = plain.pop("_embedded") or {"widgets": []}  # PHP sends an empty object as []
    listed = embedded.pop("widgets", "") if isinstance(embedded, dict) else ""
    if isinstance(listed, dict):
        listed = list(listed.values())  # PHP sends an array with gaps as an object
    links = _links(plain.pop("_links", None))
    if not isinstance(listed, list | None) or links is None:
        return "there is no list of widgets in _embedded.widgets" if links else "its links can't be read"
    result.links, result.count = links, len(listed or [])
    plain.pop("_page", None)
    result.unknown.update(f"page.{key}" for key in (*plain, *embedded))
    for entry in listed or []:
        add(result, Secret(entry))
    return None


def _links(sent: Any) -> Links | None:
    """Return the links of a page; one without an address is none. None if they can't be read."""
    if sent and isinstance(sent, dict):
        sent = {name: link for name, link in sent.items() if link and link != {"href": None}}
    try:
        return msgspec.convert(sent or {}, Links)
    except msgspec.ValidationError:
        return None


def add(result: Page, sent: Secret) -> None:
    """Take in one widget, or note that it is none."""
    entry = sent.reveal()
    if not isinstance(entry, dict):
        # Not the entry itself: whatever it is, settings may stand in it.
        raw = f"{type(entry).__name__} in place of an object"
        result.unreadable.append(Unreadable(result.number, "?", "widget", raw))
        return
    name = str(entry.get("code") or entry.get("id") or "?")
    template = [
        _setting(result, key, sent)
        for key, sent in _template(result, name, entry.pop("settings_template", None))
        if isinstance(sent, dict)
    ]
    settings = Raw(msgspec.json.encode(entry.pop("settings"))) if "settings" in entry else Raw()
    known = {key: entry.pop(key) for key in normalize.WIDGET if key in entry}
    result.unknown.update(f"widget.{key}" for key in entry if key != "_links")
    result.widgets.append(Widget(**{"id": None, "code": None, **known}, settings_template=template, settings=settings))


def _template(result: Page, name: str, sent: Any) -> list[tuple[Any, Any]]:
    """Return the fields of a template, with the keys they stand under if it is an object."""
    fields = list(sent.items()) if isinstance(sent, dict) else [(None, entry) for entry in _as_list(sent)]
    result.unreadable.extend(
        Unreadable(result.number, name, "settings_template", shown(entry))
        for _, entry in fields
        if not isinstance(entry, dict)
    )
    return fields


def _as_list(sent: Any) -> list[Any]:
    if sent is None or sent == "":
        return []
    return sent if isinstance(sent, list) else [sent]


def _setting(result: Page, key: Any, sent: dict[str, Any]) -> Setting:
    known = {name: sent.pop(name) for name in normalize.SETTING if name in sent}
    result.unknown.update(f"setting.{name}" for name in sent)
    return Setting(**{"key": key, **known})
