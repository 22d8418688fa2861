"""What a widget sends to let a bot go on: what may be wrong with it, and what the customer then reads. Pure.

The limits are those of the API's page, section «Подтверждение выполнения блока виджета в Salesbot».
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from amoexplore.sandbox.validation import (
    Check,
    Fault,
    Field,
    filled,
    is_object,
    join,
    missing,
    no_choice,
    object_faults,
    text,
    wrong_type,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_HANDLERS = 10
MAX_BUTTONS = 25
MAX_VALUE = 80  # characters

_PLACEHOLDER = re.compile(r"\{\{json\.([^{}]+)\}\}")


class Link(msgspec.Struct, frozen=True):
    """A button that opens an address; one that was sent without a text of its own shows the address."""

    text: str
    url: str


class Message(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """What a customer read in one go: a text, and under it buttons or links."""

    text: str
    buttons: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


def continue_faults(sent: Any) -> Iterator[Fault]:
    """Yield what is wrong with a body that lets a bot go on."""
    return object_faults("", sent, _BODY)


def run(steps: Sequence[str], sent: Any) -> tuple[Message, ...]:
    """Return what the customer reads when a bot of these steps goes on with a body that has no faults.

    Handlers run one after the other. A goto leaves those that follow it, and goes on with the steps from its own on;
    without one the bot goes on with its first step.
    """
    body = dict(sent)
    shown: list[Message] = []
    start = 0
    for handler in body.get("execute_handlers", ()):
        if handler["handler"] == "goto":
            start = _next_step(handler["params"], end=len(steps))
            break
        shown.append(_message(handler["params"]))
    shown += [Message(step) for step in steps[start:]]
    return tuple(_filled_in(message, body.get("data", {})) for message in shown)


def _next_step(params: Mapping[str, Any], *, end: int) -> int:
    """Return the step that comes next: the one whose question is asked, or the one after that which is answered."""
    if params["type"] == "finish":
        return end
    step: int = params["step"]
    return step if params["type"] == "question" else step + 1


def _message(params: Mapping[str, Any]) -> Message:
    buttons = params.get("buttons", ())
    if params["type"] == "buttons_url":
        links = (button if isinstance(button, dict) else {"text": button, "url": button} for button in buttons)
        return Message(params["value"], links=tuple(Link(**link) for link in links))
    return Message(params["value"], tuple(buttons))


def _filled_in(message: Message, data: Any) -> Message:
    """Return the message with the widget's data in the places of `{{json.key}}`; other places stay as they are."""
    values = data if isinstance(data, dict) else {str(position): value for position, value in enumerate(data)}

    def value_of(match: re.Match[str]) -> str:
        value = values.get(match[1], match[0])
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()

    def fill(template: str) -> str:
        return _PLACEHOLDER.sub(value_of, template)

    links = tuple(Link(fill(link.text), fill(link.url)) for link in message.links)
    return Message(fill(message.text), tuple(map(fill, message.buttons)), links)


class _Limit(NamedTuple):
    """How much a value of a type may hold, and what is said of more."""

    type: type[str | list[Any]]
    most: int
    detail: str


_VALUE = _Limit(str, MAX_VALUE, f"This value is too long. It should have {MAX_VALUE} characters or less.")
_HANDLERS = _Limit(list, MAX_HANDLERS, f"This collection should contain {MAX_HANDLERS} elements or less.")
_BUTTONS = _Limit(list, MAX_BUTTONS, f"This collection should contain {MAX_BUTTONS} elements or less.")


def _limited(check: Check, limit: _Limit) -> Check:
    """Demand what `check` does, and no more than the limit; characters are counted in a text, not bytes."""

    def demand(path: str, value: Any) -> Iterator[Fault]:
        if isinstance(value, limit.type) and len(value) > limit.most:
            yield Fault("NotSupportedChoice", path, limit.detail)
        yield from check(path, value)

    return demand


def _list_of(check: Check) -> Check:
    def demand(path: str, value: Any) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield wrong_type(path, "array")
            return
        for position, item in enumerate(value):
            yield from check(join(path, position), item)

    return demand


def _one_of(tag: str, variants: Mapping[str, Mapping[str, Field]]) -> Check:
    """Demand an object whose field `tag` says which of the variants it is, and so which other fields it has."""

    def demand(path: str, value: Any) -> Iterator[Fault]:
        if not is_object(value):
            yield wrong_type(path, "array")
        elif tag not in value:
            yield missing(join(path, tag))
        elif not isinstance(value[tag], str):
            yield wrong_type(join(path, tag), "string")
        elif value[tag] not in variants:
            yield no_choice(join(path, tag))
        else:
            yield from object_faults(path, value, {tag: Field(text), **variants[value[tag]]})

    return demand


def _step(path: str, value: Any) -> Iterator[Fault]:
    """Demand the number of a step; the first has the number 0."""
    if not isinstance(value, int) or isinstance(value, bool):
        yield wrong_type(path, "int")
    elif value < 0:
        yield no_choice(path)


def _link(path: str, value: Any) -> Iterator[Fault]:
    """Demand an address, or a text with an address."""
    if isinstance(value, dict):
        return object_faults(path, value, {"text": _TEXT, "url": _TEXT})
    return filled(text)(path, value)


def _data(path: str, value: Any) -> Iterator[Fault]:
    """Demand an object or a list; the page calls it an array, and shows an object."""
    if not isinstance(value, dict | list):
        yield wrong_type(path, "array")


def _buttons(check: Check) -> Field:
    return Field(_limited(filled(_list_of(check)), _BUTTONS))


_TEXT = Field(filled(text))
_SHOWN = Field(_limited(filled(text), _VALUE))

_SHOW = _one_of(
    "type",
    {
        "text": {"value": _SHOWN},
        "buttons": {"value": _SHOWN, "buttons": _buttons(filled(text))},
        "buttons_url": {"value": _SHOWN, "buttons": _buttons(_link)},
    },
)
_GOTO = _one_of(
    "type",
    {
        "question": {"step": Field(_step)},
        "answer": {"step": Field(_step)},
        "finish": {"step": Field(_step, is_required=False)},
    },
)
_HANDLER = _one_of("handler", {"show": {"params": Field(_SHOW)}, "goto": {"params": Field(_GOTO)}})
_BODY = {
    "data": Field(_data, is_required=False),
    "execute_handlers": Field(_limited(_list_of(_HANDLER), _HANDLERS), is_required=False),
}
