"""What the API's page forbids, found before anything is sent: every fault at once, with its path.

Faults never repeat a value: it may be a password.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import msgspec
from msgspec import Struct, structs

from amoexplore.errors import HandlersError, SettingsError
from amoexplore.handlers import Handler
from amoexplore.models import MASK

if TYPE_CHECKING:
    from amoexplore.errors import AmoError
    from amoexplore.models import Secret, Setting, Settings, Widget

#: The limits of the API's page, «Подтверждение выполнения блока виджета в Salesbot».
MAX_HANDLERS = 10
MAX_BUTTONS = 25
MAX_VALUE = 80  # characters


class Fault(Struct, frozen=True):
    """One fault: the API's code for its kind, the dotted path to it, and what is wrong in words."""

    code: str
    path: str
    detail: str


Faults = Iterator[Fault]


def require_settings(widget: Widget, settings: Settings) -> None:
    """Demand settings that the widget's template allows.

    Raises
    ------
    SettingsError
        With all faults.
    """
    faults = settings_faults(widget.settings_template, settings)
    if faults:
        raise settings_error(widget, faults)


def settings_error(widget: Widget, faults: Sequence[Fault]) -> SettingsError:
    """Return the error that names these faults, and what the widget takes."""
    asked = ", ".join(f"{s.key} ({s.type}{', required' if s.is_required else ''})" for s in widget.settings_template)
    return SettingsError(
        _listing(f"Nothing was sent to install {widget.code}", faults) + f"\nIt takes {asked or 'no settings'}.",
        errors=tuple(map(structs.asdict, faults)),
    )


def require_continuable(data: object, handlers: Sequence[Handler]) -> None:
    """Demand data and handlers that the API's page allows.

    Raises
    ------
    HandlersError
        With all faults.
    """
    faults = [*data_faults(data), *handlers_faults(handlers)]
    if faults:
        raise handlers_error(faults)


def handlers_error(faults: Sequence[Fault]) -> HandlersError:
    """Return the error that names these faults."""
    return HandlersError(_listing("Nothing was sent to the bot", faults), errors=tuple(map(structs.asdict, faults)))


def hide_values(error: AmoError, sent: Secret | Settings) -> None:
    """Hide the values that were sent in an error: an API may repeat them in its words."""
    texts = sorted(_texts(sent.reveal()), key=len, reverse=True)

    def hide(said: Any) -> Any:
        for text in texts if isinstance(said, str) else ():
            said = said.replace(text, MASK)
        return said

    error.args = tuple(map(hide, error.args))
    error.title, error.detail = hide(error.title), hide(error.detail)
    error.errors = tuple(  # a path is made of keys and ids: it tells a form where the fault belongs
        {key: hide(said) if key == "detail" else said for key, said in fault.items()} for fault in error.errors
    )


def _texts(value: Any) -> set[str]:
    """Return the texts and numbers in a value, also as JSON and addresses have them.

    Very short ones could stand anywhere by chance.
    """
    if isinstance(value, Mapping | list):
        return set().union(*map(_texts, value.values() if isinstance(value, Mapping) else value))
    text = str(value) if isinstance(value, str | Real) else ""
    if len(text) <= 3:  # noqa: PLR2004
        return set()
    forms = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], quote(text), quote_plus(text)}
    with suppress(ValueError, RecursionError):
        if isinstance(inner := json.loads(text), dict | list):
            return forms | _texts(inner)
    return forms


def settings_faults(template: Sequence[Setting], settings: Settings) -> list[Fault]:
    """Return what is wrong with settings for this template («Установка виджета в аккаунт»)."""
    values = settings.reveal()
    keys = [setting.key for setting in template]
    faults = [Fault("NotSupportedChoice", str(key), _not_asked(key, keys)) for key in values if key not in keys]
    for setting in template:
        if setting.key is None:
            faults += [_keyless(setting)] if setting.is_required else []
        elif setting.key not in values:
            faults += [_missing(str(setting.key))] if setting.is_required else []
        else:
            value = values[setting.key]
            check = _SETTINGS.get(str(setting.type), _anything)
            found = list(check(str(setting.key), value))
            empty = setting.is_required and not found and isinstance(value, str | Mapping | list) and not value
            faults += [Fault("FieldMissing", str(setting.key), "is required and empty")] if empty else found
    return faults


def settings_body(template: Sequence[Setting], settings: Settings) -> dict[str, Any]:
    """Return settings as the API takes them: user ids as text, and an object for a custom field as JSON in a text."""
    types = {setting.key: setting.type for setting in template}
    return {key: _sent(types[key], value) for key, value in settings.reveal().items()}


def encoded(value: object) -> bytes:
    """Return a value that has no faults as it is sent, in JSON.

    Raises
    ------
    TypeError, ValueError, RecursionError
        If it can't be.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_own).encode()


def handlers_faults(handlers: Sequence[Handler]) -> list[Fault]:
    """Return what is wrong with handlers («Подтверждение выполнения блока виджета в Salesbot»)."""
    path = "execute_handlers"
    if not isinstance(handlers, list | tuple):
        return [Fault("InvalidType", path, f"is a list of handlers, not {_kind(handlers)}")]
    faults = [_too_many(path, len(handlers), MAX_HANDLERS, "handlers")] if len(handlers) > MAX_HANDLERS else []
    for position, handler in enumerate(handlers):
        if isinstance(handler, Handler):
            check = _show if handler.handler == "show" else _goto
            faults += check(f"{path}.{position}.params", handler.params)
        else:
            faults.append(Fault("InvalidType", f"{path}.{position}", "is made by show_text, show_links and the like"))
    return faults


def _listing(what: str, faults: Sequence[Fault]) -> str:
    count = "there is a fault" if len(faults) == 1 else f"there are {len(faults)} faults"
    return "\n".join([f"{what}, {count}:", *(f"  {fault.path}: {fault.detail}" for fault in faults)])


def _sent(type_: str | None, value: Any) -> Any:
    if type_ in {"users", "users_lp"}:
        return {str(user_id): entry for user_id, entry in value.items()} if value else {}
    if type_ == "custom":
        return encoded(value).decode() if isinstance(value, Mapping | list) else _plain(value)
    return value


def _not_asked(key: object, keys: Sequence[str | None]) -> str:
    near = difflib.get_close_matches(str(key), [str(known) for known in keys], n=1)
    return f"is no setting of this widget{f'; did you mean {near[0]}?' if near else ''}"


def _missing(path: str) -> Fault:
    return Fault("FieldMissing", path, "is required")


def _keyless(setting: Setting) -> Fault:
    return Fault(
        "FieldMissing", str(setting.name or "?"), "is required, but its template gives it no key to send it by"
    )


def _too_many(path: str, number: int, most: int, what: str) -> Fault:
    return Fault("NotSupportedChoice", path, f"has {number} {what}, {most} at most are allowed")


def _anything(path: str, value: object) -> Faults:
    """Let pass what is of a type that nobody knows, if it can be sent."""
    if not _is_json(value):
        yield Fault("InvalidType", path, "can't be sent as JSON")
    elif not _has_keys(value):
        yield Fault("InvalidType", path, "has a key that is no text, or a number that is there as a text, too")


def _has_keys(value: object) -> bool:
    """Tell whether all keys in a value are texts, or whole numbers that no text among them is the same as."""
    if isinstance(value, Mapping):
        keys = {str(key) for key in value if isinstance(key, str | int) and not isinstance(key, bool)}
        return len(keys) == len(value) and all(map(_has_keys, value.values()))
    return all(map(_has_keys, value)) if isinstance(value, list | tuple) else True


def _is_json(value: object) -> bool:
    try:
        encoded(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _text(path: str, value: object) -> Faults:
    if not isinstance(value, str):
        yield Fault("InvalidType", path, f"is a text, not {_kind(value)}")
    elif value == MASK:
        yield Fault("NotSupportedChoice", path, "is a mask, not a value; widget.settings.reveal() has the values")
    elif not _is_json(value):
        yield Fault("InvalidType", path, "holds half a letter, which can't be sent")


def _custom(path: str, value: object) -> Faults:
    if isinstance(value, str):
        try:
            msgspec.json.decode(value.encode())
        except (ValueError, RecursionError):
            yield Fault("InvalidType", path, "is a number or JSON in a text; this is no JSON")
    elif isinstance(value, Mapping | list | Real) and not isinstance(value, bool):
        yield from _anything(path, _plain(value))
    else:
        yield Fault("InvalidType", path, f"is a number or JSON in a text, not {_kind(value)}")


def _plain(value: Any) -> Any:
    """Return a number as Python's own."""
    return _own(value) if isinstance(value, Real) else value


def _own(value: Any) -> dict[Any, Any] | int | float:
    """Return a number or a mapping as Python's own, which JSON takes alone; pandas, for one, has others."""
    if isinstance(value, Mapping):
        return dict(value)
    if not isinstance(value, Real):
        raise TypeError(f"{type(value).__name__} can't be sent as JSON")
    return int(value) if isinstance(value, Integral) else float(value)


def _users(check: Callable[[str, object], Faults]) -> Callable[[str, object], Faults]:
    """Demand an object of user ids, with values that ``check`` demands."""

    def demand(path: str, value: object) -> Faults:
        if isinstance(value, list) and not value:
            return
        if not isinstance(value, Mapping):
            yield Fault("InvalidType", path, f"is an object by user id, such as {{504141: …}}, not {_kind(value)}")
            return
        for user_id, entry in value.items():
            inner = f"{path}.{user_id}"
            if isinstance(user_id, bool) or not str(user_id).isascii() or not str(user_id).isdigit():
                yield Fault("NotSupportedChoice", inner, "is no user's id; account.users() lists them")
            elif not isinstance(user_id, str) and str(user_id) in value:
                yield Fault("NotSupportedChoice", inner, "is there twice, as a number and as a text")
            else:
                yield from check(inner, entry)

    return demand


def _credentials(path: str, value: object) -> Faults:
    if not isinstance(value, Mapping):
        yield Fault("InvalidType", path, f"is an object of login and password, not {_kind(value)}")
        return
    for key in ("login", "password"):
        yield from _text(f"{path}.{key}", value[key]) if key in value else [_missing(f"{path}.{key}")]
    for key in value.keys() - {"login", "password"}:
        yield Fault("NotSupportedChoice", f"{path}.{key}", "is neither login nor password")


_SETTINGS: dict[str, Callable[[str, object], Faults]] = {
    "text": _text,
    "pass": _text,
    "custom": _custom,
    "users": _users(_text),
    "users_lp": _users(_credentials),
}


def _kind(value: object) -> str:
    names = {bool: "a flag", int: "a number", float: "a number", dict: "an object", list: "a list", str: "a text"}
    return "nothing" if value is None else names.get(type(value), type(value).__name__)


def data_faults(data: object) -> Faults:
    """Yield what is wrong with data for a bot."""
    if data is not None and not isinstance(data, Mapping | list):
        yield Fault("InvalidType", "data", f"is an object, not {_kind(data)}")
    else:
        yield from _anything("data", data)


def _show(path: str, params: Mapping[str, Any]) -> Faults:
    yield from _value(f"{path}.value", params["value"])
    if params["type"] == "text":
        return
    path, buttons = f"{path}.buttons", params["buttons"]
    if not buttons:
        yield Fault("FieldMissing", path, "has no button")
    if len(buttons) > MAX_BUTTONS:
        yield _too_many(path, len(buttons), MAX_BUTTONS, "buttons")
    for position, button in enumerate(buttons):
        inner = f"{path}.{position}"
        if isinstance(button, dict) and params["type"] == "buttons_url":
            yield from _filled(f"{inner}.text", button.get("text"))
            yield from _filled(f"{inner}.url", button.get("url"))
            for key in button.keys() - {"text", "url"}:
                yield Fault("NotSupportedChoice", f"{inner}.{key}", "is neither text nor url")
        else:
            yield from _filled(inner, button)


def _value(path: str, value: object) -> Faults:
    yield from _filled(path, value)
    if isinstance(value, str) and len(value) > MAX_VALUE:
        yield Fault("NotSupportedChoice", path, f"has {len(value)} characters, {MAX_VALUE} at most are allowed")


def _filled(path: str, value: object) -> Faults:
    yield from _text(path, value)
    if isinstance(value, str) and not value:
        yield Fault("FieldMissing", path, "is empty")


def _goto(path: str, params: Mapping[str, Any]) -> Faults:
    kind = params["type"] if isinstance(params["type"], str) else None
    if kind not in {"question", "answer", "finish"}:
        yield Fault("NotSupportedChoice", f"{path}.type", "is question, answer or finish")
    step = params.get("step")
    if step is None:
        yield from () if kind == "finish" else [_missing(f"{path}.step")]
    elif isinstance(step, bool) or not isinstance(step, int):
        yield Fault("InvalidType", f"{path}.step", f"is a whole number, not {_kind(step)}")
    elif step < 0:
        yield Fault("NotSupportedChoice", f"{path}.step", "is counted from 0")
