"""Bytes of the API to what they mean.

A page is decoded strictly first, which is fast. One that holds anything unexpected is decoded again, tolerantly:
what is not known and what can't be read is then named, and nothing else is lost.
"""

from __future__ import annotations

import json
import math
import warnings
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from amoexplore import models, normalize, tolerant
from amoexplore.errors import BadAnswer, UnreadableValueWarning
from amoexplore.wire import Body, Links, Page, Setting, Unreadable, Widget, name_of, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amoexplore.models import Answer
    from amoexplore.normalize import Reader
    from amoexplore.wire import Unopened

Decoded = TypeVar("Decoded")

_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_anything = msgspec.json.Decoder(Any)
_whole = msgspec.json.Decoder(Raw)
_strict_body = msgspec.json.Decoder(Body)
_strict_templates = msgspec.json.Decoder(list[list[Setting] | None])
_strict_widget = msgspec.json.Decoder(Widget)


def listing(answer: Answer) -> Body | None:
    """Decode an answer of the list of widgets strictly; None for 204, and for JSON of another shape.

    Raises
    ------
    BadAnswer
        If it is a web page, or broken off.
    """
    if answer.status == HTTPStatus.NO_CONTENT:
        return None
    body = _strict(answer)
    if body is None:
        _plain(answer)  # what is odd at its beginning may be broken further on
    return body


def page(answer: Answer, number: int, body: Body | None = None) -> Page:
    """Decode an answer of the list of widgets, as far as its strict decoding has not; 204 is a page without widgets."""
    if answer.status == HTTPStatus.NO_CONTENT:
        return _page(answer, number, [], Links())
    body = body or _strict(answer)
    if body is not None:
        return _page(answer, number, [*body.embedded.widgets], body.links, is_plain=True)
    result = _page(answer, number, [], Links())
    # Errors are raised here, where no local holds what came: settings may stand in it.
    why = tolerant.fill(result, _plain(answer))
    if why:
        raise _wrong_shape(answer, why)
    return result


def _strict(answer: Answer) -> Body | None:
    body = _decoded(answer, _strict_body)
    return body if body is not None and _read_templates(body.embedded.widgets) else None


def _read_templates(widgets: Sequence[Unopened]) -> bool:
    """Read the templates of the widgets of a page, the same one once; False if one is none."""
    sent = [bytes(widget.settings_template) for widget in widgets]
    distinct = dict.fromkeys(sent)
    try:
        read = _strict_templates.decode(b"[%b]" % b",".join(template or b"null" for template in distinct))
    except _NOT_JSON:
        return False
    known = dict(zip(distinct, read, strict=True))
    opened: Sequence[Widget] = widgets
    for widget, template in zip(opened, sent, strict=True):
        widget.settings_template = known[template]
    return True


def _page(answer: Answer, number: int, widgets: list[Widget], links: Links, *, is_plain: bool = False) -> Page:
    return Page(number, answer.url, answer.requests, answer.waited, len(widgets), widgets, links, is_plain)


def widget(answer: Answer) -> models.Widget:
    """Decode an answer about one widget, with clean values.

    Warns
    -----
    UnreadableValueWarning
        Names the values that became None.
    """
    strict = _decoded(answer, _strict_widget)
    sent = _page(answer, 1, [] if strict is None else [strict], Links())
    if strict is None:
        tolerant.add(sent, _plain(answer))
    found = _clean(sent)
    if not found:
        raise _wrong_shape(answer, "a widget with an id and a code was expected")
    _warn(sent.unreadable)
    return found[0]


def widgets(sent: Page) -> tuple[models.Widget, ...]:
    """Return the widgets of a page, with clean values; entries without an id and a code are none.

    Warns
    -----
    UnreadableValueWarning
        Names the values that became None, and the entries that were left out.
    """
    found = _clean(sent)
    _warn(sent.unreadable)
    return found


def me(answer: Answer) -> models.Me:
    """Decode an answer about the account."""
    return _typed(answer, models.Me)


def users(answer: Answer) -> list[models.User]:
    """Decode a page of users; 204 has none."""
    return [] if answer.status == HTTPStatus.NO_CONTENT else _typed(answer, _UsersBody).embedded.users


def names_next(answer: Answer) -> bool:
    """Return whether a page of users names a next one."""
    links = _typed(answer, _Linked).links
    return isinstance(links, dict) and bool(links.get("next"))


def pipelines(answer: Answer) -> tuple[models.Pipeline, ...]:
    """Decode the list of pipelines."""
    sent = _typed(answer, _PipelinesBody).embedded.pipelines
    return tuple(models.Pipeline(p.id, p.name, p.is_main, tuple(p.embedded.statuses)) for p in sent)


class _Users(Struct):
    users: list[models.User]


class _UsersBody(Struct, rename={"embedded": "_embedded"}):
    embedded: _Users


class _Linked(Struct, rename={"links": "_links"}):
    links: Any = None


class _Statuses(Struct):
    statuses: list[models.Status]


class _Pipeline(Struct, rename={"embedded": "_embedded"}):
    id: int
    name: str
    is_main: bool
    embedded: _Statuses


class _Pipelines(Struct):
    pipelines: list[_Pipeline]


class _PipelinesBody(Struct, rename={"embedded": "_embedded"}):
    embedded: _Pipelines


def _typed(answer: Answer, kind: type[Decoded]) -> Decoded:
    decoded = _decoded(answer, msgspec.json.Decoder(kind))
    if decoded is None:
        raise _wrong_shape(answer, f"{kind.__name__.strip('_')} was expected")
    return decoded


def _decoded(answer: Answer, decoder: msgspec.json.Decoder[Decoded]) -> Decoded | None:
    """Return what an answer says, None if it is JSON of another shape."""
    try:
        return decoder.decode(answer.body)
    except msgspec.ValidationError:
        return None
    except _NOT_JSON as error:
        # In words only: the error itself has the text that it could not read.
        why = str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
    raise _not_json(answer, why)


def _clean(sent: Page) -> tuple[models.Widget, ...]:
    found = []
    for entry in sent.widgets:
        name = name_of(entry)
        values = _read(entry, normalize.WIDGET, sent.number, name, sent.unreadable)
        template = tuple(
            models.Setting(**_read(field, normalize.SETTING, sent.number, name, sent.unreadable))
            for field in entry.settings_template or ()
        )
        if values["id"] is not None and values["code"]:
            settings = _settings(entry.settings)
            found.append(models.Widget(**values, settings_template=template, settings=settings))
        elif not any(odd.field in {"id", "code"} and odd.widget == name for odd in sent.unreadable):
            missing = "id" if values["id"] is None else "code"
            sent.unreadable.append(Unreadable(sent.number, name, missing, shown(getattr(entry, missing))))
    return tuple(found)


def _warn(odd: list[Unreadable]) -> None:
    if odd:
        listed = "; ".join(f"{value.field} of {value.widget} = {value.raw}" for value in odd)
        warnings.warn(f"Not readable, now None or left out: {listed}", UnreadableValueWarning, stacklevel=4)


def _read(sent: Struct, readers: Mapping[str, Reader], number: int, name: str, odd: list[Unreadable]) -> dict[str, Any]:
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
    try:
        sent = msgspec.json.decode(raw) if bytes(raw) else None
    except _NOT_JSON:  # bytes that are no text, or nested too deep: decoders pass over what they need not read
        sent = bytes(raw).decode(errors="replace")
    if isinstance(sent, str):
        try:
            sent = msgspec.json.decode(sent)
        except (msgspec.DecodeError, RecursionError):
            sent = {"settings": sent}
    if isinstance(sent, list):
        sent = {str(position): value for position, value in enumerate(sent)}
    if sent is None or isinstance(sent, dict):
        return None if sent is None else models.Settings(sent)
    return models.Settings({"settings": sent})


def _not_json(answer: Answer, error: object) -> BadAnswer:
    """Return the error for a body that is no JSON."""
    if answer.body.lstrip()[:1] == b"<":
        why = "a web page came where JSON was expected; a proxy or a login page may stand in between"
    else:
        why = f"the JSON is broken or cut short ({error}, {len(answer.body)} bytes came)"
    return _bad_answer(answer, f"{why}. Open the address in a browser, or try again")


def _wrong_shape(answer: Answer, why: str) -> BadAnswer:
    return _bad_answer(
        answer, f"the JSON is not what the API's page describes: {why}. Check that this is an address of amoCRM"
    )


def _bad_answer(answer: Answer, why: str) -> BadAnswer:
    return BadAnswer(f"{answer.url}: {why}.", status=answer.status, url=answer.url, request_id=answer.request_id)


def demand_no_web_page(answer: Answer) -> None:
    """Demand that an answer, whose body does not matter, is one of the API.

    Raises
    ------
    BadAnswer
        If it is a web page.
    """
    if answer.body.lstrip()[:1] == b"<":
        raise _not_json(answer, "")


def demand_json(answer: Answer) -> None:
    """Demand that the body of an answer is whole JSON, whatever it says; 204 has none.

    Raises
    ------
    BadAnswer
        If it is a web page, or broken off.
    """
    if answer.status != HTTPStatus.NO_CONTENT:
        _decoded(answer, _whole)


def _plain(answer: Answer) -> models.Secret:
    """Return what an answer says, whatever it is; numbers that are too large for any type as texts."""
    plain = _decoded(answer, _anything)
    if plain is None:  # a number that is too large, if it is not null
        with suppress(ValueError, RecursionError):
            plain = json.loads(answer.body, parse_int=_whole_number, parse_float=_number)
    return models.Secret(plain)


def _whole_number(text: str) -> int | str:
    return int(text) if len(text) < 20 else text  # noqa: PLR2004  digits of more than 64 bits


def _number(text: str) -> float | str:
    return number if math.isfinite(number := float(text)) else text
