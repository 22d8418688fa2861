"""Bytes of the API to structs.

A page is decoded strictly first, which is fast. One that holds anything unexpected is decoded again, tolerantly:
what is not known and what can't be read is then named, and nothing else is lost.
"""

from __future__ import annotations

import warnings
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Raw, Struct, field

from amoexplore import models, normalize
from amoexplore.errors import BadAnswer, UnreadableValueWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amoexplore.models import Answer

Decoded = TypeVar("Decoded")

_RAW_LENGTH = 200


class Setting(Struct, gc=False, forbid_unknown_fields=True):
    """One field of a settings_template, as sent."""

    key: Any = None
    name: Any = None
    type: Any = None
    is_required: Any = None


class Widget(Struct, gc=False, forbid_unknown_fields=True, rename={"links": "_links"}):
    """One widget, as sent."""

    id: Any = None
    code: Any = None
    version: Any = None
    rating: Any = None
    settings_template: list[Setting] | None = None
    is_lead_source: Any = None
    is_work_with_dp: Any = None
    is_crm_template: Any = None
    client_uuid: Any = None
    is_active_in_account: Any = None
    pipeline_id: Any = None
    settings: Raw = Raw()
    links: Raw = Raw()


class Link(Struct):
    """Where something is."""

    href: str


class Links(Struct):
    """The links of a page."""

    self: Link | None = None
    next: Link | None = None


class _Widgets(Struct, forbid_unknown_fields=True):
    widgets: list[Widget]


class _Body(Struct, forbid_unknown_fields=True, rename={"page": "_page", "links": "_links", "embedded": "_embedded"}):
    embedded: _Widgets
    links: Links = field(default_factory=Links)
    page: Any = None


class Unreadable(Struct, frozen=True):
    """A value that can't be read: on which page, of which widget, which field, and the raw text (shortened)."""

    page: int
    widget: str
    field: str
    raw: str


class Page(Struct):
    """One page of the catalogue, as sent, and what was odd about it."""

    number: int
    url: str
    requests: int
    count: int
    widgets: list[Widget]
    links: Links
    unknown: Counter[str] = field(default_factory=Counter)
    unreadable: list[Unreadable] = field(default_factory=list)

    @property
    def size(self) -> int | None:
        """How many widgets a full page has, by the page's own link; the API may grant another limit than was asked."""
        query = parse_qs(urlsplit(self.links.self.href).query) if self.links.self else {}
        limit = query.get("limit", [""])[-1]
        return int(limit) if limit.isascii() and limit.isdigit() else None


_strict_body = msgspec.json.Decoder(_Body)
_strict_widget = msgspec.json.Decoder(Widget)


def page(answer: Answer, number: int) -> Page:
    """Decode an answer of the list of widgets; 204 is a page without widgets."""
    if answer.status == HTTPStatus.NO_CONTENT:
        return _page(answer, number, [], Links())
    try:
        body = _strict_body.decode(answer.body)
    except msgspec.ValidationError:
        return _tolerant_page(answer, number)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(answer, error) from None
    return _page(answer, number, body.embedded.widgets, body.links)


def _page(answer: Answer, number: int, widgets: list[Widget], links: Links) -> Page:
    return Page(number, answer.url, answer.requests, len(widgets), widgets, links)


def widget(answer: Answer) -> models.Widget:
    """Decode an answer about one widget, with clean values; warns about those that can't be read."""
    try:
        sent = _strict_widget.decode(answer.body)
        odd: list[Unreadable] = []
    except msgspec.ValidationError:
        holder = _page(answer, 1, [], Links())
        _add_tolerantly(holder, _plain(answer))
        if not holder.widgets:
            raise _wrong_shape(answer, "an object was expected") from None
        sent, odd = holder.widgets[0], holder.unreadable
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(answer, error) from None
    return clean(sent, odd, answer)


def clean(sent: Widget, odd: list[Unreadable], answer: Answer) -> models.Widget:
    """Return a widget with clean values; without an id and a code it is none.

    Warns
    -----
    UnreadableValueWarning
        Names the values that became None.
    """
    name = name_of(sent)
    values = _read(sent, normalize.WIDGET, 1, name, odd)
    if values["id"] is None or not values["code"]:
        raise _wrong_shape(answer, "a widget without an id or a code")
    template = [models.Setting(**_read(s, normalize.SETTING, 1, name, odd)) for s in sent.settings_template or ()]
    if odd:
        listed = "; ".join(f"{o.field} = {o.raw}" for o in odd)
        warnings.warn(f"Widget {name}: not readable, now None: {listed}", UnreadableValueWarning, stacklevel=4)
    return models.Widget(**values, settings_template=tuple(template), settings=_settings(sent.settings))


def _read(
    sent: Struct, readers: Mapping[str, Callable[[Any], Any]], number: int, name: str, odd: list[Unreadable]
) -> dict[str, Any]:
    values = {}
    for key, read in readers.items():
        value = getattr(sent, key)
        try:
            values[key] = read(value)
        except ValueError:
            values[key] = None
            odd.append(Unreadable(number, name, key, shown(value)))
    return values


def _settings(raw: Raw) -> models.Settings | None:
    # PHP sends [] for an empty object; a text holds JSON.
    sent = msgspec.json.decode(raw) if bytes(raw) else None
    if isinstance(sent, str):
        try:
            sent = msgspec.json.decode(sent)
        except msgspec.DecodeError:
            sent = {"settings": sent}
    if isinstance(sent, list):
        sent = {str(position): value for position, value in enumerate(sent)}
    return models.Settings(sent) if isinstance(sent, dict) else None


def name_of(sent: Widget) -> str:
    """Return what a person would call the widget: its code, or else its id."""
    return str(sent.code or sent.id or "?")


def shown(value: Any) -> str:
    """Return a raw value as the JSON it came as, shortened."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _RAW_LENGTH else text[: _RAW_LENGTH - 1] + "…"


def not_json(answer: Answer, error: Exception) -> BadAnswer:
    """Return the error for a body that is no JSON."""
    if answer.body.lstrip()[:1] == b"<":
        why = "a web page came where JSON was expected; a proxy or a login page may stand in between"
    else:
        why = f"the JSON is broken or cut short ({error}, {len(answer.body)} bytes came)"
    return _bad_answer(answer, f"{why}. Open the address in a browser, or try again")


def _wrong_shape(answer: Answer, why: str) -> BadAnswer:
    return _bad_answer(answer, f"the JSON is not what the API's page describes: {why}. Is this an amoCRM address?")


def _bad_answer(answer: Answer, why: str) -> BadAnswer:
    return BadAnswer(f"{answer.url}: {why}.", status=answer.status, url=answer.url, request_id=answer.request_id)


def _plain(answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(answer, error) from None


def _tolerant_page(answer: Answer, number: int) -> Page:
    plain = _plain(answer)
    if not isinstance(plain, dict):
        raise _wrong_shape(answer, "an object was expected")
    embedded = plain.pop("_embedded", None)
    listed = embedded.pop("widgets", None) if isinstance(embedded, dict) else None
    if isinstance(listed, dict):
        listed = list(listed.values())  # PHP sends an array with gaps as an object
    if not isinstance(listed, list):
        raise _wrong_shape(answer, "no list of widgets in _embedded.widgets")
    result = _page(answer, number, [], _tolerant_links(answer, plain.pop("_links", None)))
    result.count = len(listed)
    plain.pop("_page", None)
    result.unknown.update(f"page.{key}" for key in (*plain, *embedded))
    for entry in listed:
        _add_tolerantly(result, entry)
    return result


def _tolerant_links(answer: Answer, sent: Any) -> Links:
    try:
        return msgspec.convert(sent or {}, Links)
    except msgspec.ValidationError as error:
        raise _wrong_shape(answer, f"_links: {error}") from None


def _add_tolerantly(result: Page, entry: Any) -> None:
    if not isinstance(entry, dict):
        result.unreadable.append(Unreadable(result.number, "?", "widget", shown(entry)))
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
    result.widgets.append(Widget(**known, settings_template=template, settings=settings))


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
