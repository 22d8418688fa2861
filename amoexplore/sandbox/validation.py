"""What is wrong with a body that was sent: every fault of it at once, each with its path. Pure.

Nothing here repeats a value that was sent: it may be a password.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from amoexplore.sandbox.account import FIRST

if TYPE_CHECKING:
    from amoexplore.sandbox.account import Account
    from amoexplore.sandbox.catalog import Setting, SettingType

MAX_DEPTH = 512  # the default of PHP's json_decode


class BodyError(Exception):
    """A body that can't be read; the message has nothing of it."""


class Fault(msgspec.Struct, frozen=True):
    """One fault of a body, with the API's names; `path` leads to it, with dots between its steps."""

    code: Literal["FieldMissing", "InvalidType", "NotSupportedChoice"]
    path: str
    detail: str


# What looks at the value at a path, and yields its faults.
Check = Callable[[str, Any], Iterator[Fault]]


class Field(NamedTuple):
    """A field that an object may have, and must have if it is required."""

    check: Check
    is_required: bool = True


def read_body(body: bytes) -> Any:
    """Return what the body says.

    Raises
    ------
    BodyError
        If there is none, it is no JSON, an object in it has a key twice, or it nests too deep.
    """
    if not body.strip():
        raise BodyError("Request data can not be empty")
    try:
        # The first is strict about text and numbers, the second is told of keys that stand twice.
        read = msgspec.json.decode(body)
        json.loads(body, object_pairs_hook=_unique)
    except (msgspec.DecodeError, ValueError, RecursionError):
        read = None
    else:
        if _depth(read) <= MAX_DEPTH:
            return read
    # Outside of the clause above: the parser's error has all of the body.
    raise BodyError("Request body is not valid JSON")


def settings_faults(template: tuple[Setting, ...], sent: Any, account: Account = FIRST) -> Iterator[Fault]:
    """Yield what is wrong with settings that were sent for this template (section «Установка виджета в аккаунт»)."""
    fields = {}
    checks = _checks(account.user_ids)
    for setting in template:
        check = checks[setting.type]
        fields[setting.key] = Field(filled(check) if setting.is_required else check, setting.is_required)
    return object_faults("", sent, fields)


def object_faults(path: str, value: Any, fields: Mapping[str, Field]) -> Iterator[Fault]:
    """Yield what is wrong with an object of these fields and no others."""
    if not is_object(value):
        yield wrong_type(path, "array")
        return
    for key, field in fields.items():
        if key in value:
            yield from field.check(join(path, key), value[key])
        elif field.is_required:
            yield missing(join(path, key))
    for key in value:
        if key not in fields:
            yield Fault("NotSupportedChoice", join(path, key), "This field was not expected.")


def is_object(value: Any) -> bool:
    """Tell whether this is an object; PHP writes an empty one as an empty array."""
    return isinstance(value, dict) or value == []


def text(path: str, value: Any) -> Iterator[Fault]:
    """Demand text."""
    if not isinstance(value, str):
        yield wrong_type(path, "string")


def filled(check: Check) -> Check:
    """Demand what `check` does, and that there is something."""

    def demand(path: str, value: Any) -> Iterator[Fault]:
        faults = list(check(path, value))
        if not faults and value in ("", {}, []):
            faults = [Fault("FieldMissing", path, "This value should not be blank.")]
        return iter(faults)

    return demand


def join(path: str, step: str | int) -> str:
    """Return the path that leads one step further."""
    return f"{path}.{step}" if path else str(step)


def missing(path: str) -> Fault:
    """Return the fault that a field is not there."""
    return Fault("FieldMissing", path, "This field is missing.")


def wrong_type(path: str, name: str) -> Fault:
    """Return the fault that a value is not of the type of this name; the API calls an object an array."""
    return Fault("InvalidType", path, f"This value should be of type {name}.")


def no_choice(path: str) -> Fault:
    """Return the fault that a value is none of those that there are."""
    return Fault("NotSupportedChoice", path, "The value you selected is not a valid choice.")


def _custom(path: str, value: Any) -> Iterator[Fault]:
    """Demand JSON in text, or a number: nothing else is kept, says the API's page on custom settings."""
    if isinstance(value, str):
        try:
            read_body(value.encode())
        except BodyError:
            yield Fault("InvalidType", path, "This value should be valid JSON.")
    elif not isinstance(value, int | float) or isinstance(value, bool):
        yield wrong_type(path, "string")


def _of_users(check: Check, user_ids: AbstractSet[str]) -> Check:
    """Demand an object that has users of the account as keys, and what `check` demands as values."""

    def demand(path: str, value: Any) -> Iterator[Fault]:
        if not is_object(value):
            yield wrong_type(path, "array")
            return
        for user_id in value:
            inner = join(path, user_id)
            yield from check(inner, value[user_id]) if user_id in user_ids else [no_choice(inner)]

    return demand


def _credentials(path: str, value: Any) -> Iterator[Fault]:
    return object_faults(path, value, {"login": Field(text), "password": Field(text)})


def _checks(user_ids: AbstractSet[str]) -> dict[SettingType, Check]:
    return {
        "text": text,
        "pass": text,
        "custom": _custom,
        "users": _of_users(text, user_ids),
        "users_lp": _of_users(_credentials, user_ids),
    }


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError
    return read


def _depth(value: Any) -> int:
    """Return how deep objects and arrays nest; without recursion, which has a limit of its own."""
    depth, level = 0, _nesting([value])
    while level:
        depth += 1
        level = _nesting(chain.from_iterable(outer.values() if isinstance(outer, dict) else outer for outer in level))
    return depth


def _nesting(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]
