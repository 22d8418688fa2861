"""Templates, settings that they allow, and settings with a single fault: what hypothesis draws from."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from amoexplore.models import MASK, Setting

USERS = ["504141", "581651"]
# What JSON over HTTP can carry: no halves of letters. A mask is no value.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(lambda text: text != MASK)
filled = texts.filter(bool)


def values(type_: str) -> st.SearchStrategy[Any]:
    """Return valid values of a type; none of them empty, so that a required setting may have it."""
    keys = st.sampled_from([504141, "581651"])
    credentials = st.fixed_dictionaries({"login": texts, "password": texts})
    numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    custom = st.dictionaries(filled, numbers, min_size=1, max_size=2)
    return {
        "text": filled,
        "pass": filled,
        "users": st.dictionaries(keys, texts, min_size=1, max_size=2),
        "users_lp": st.dictionaries(keys, credentials, min_size=1, max_size=2),
        "custom": numbers | custom | custom.map(json.dumps),
    }[type_]


def wrong(type_: str) -> st.SearchStrategy[tuple[Any, str]]:
    """Return values of a type with one fault each, and the path to the fault below the setting."""
    no_text: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.lists(st.none(), min_size=1)
    no_object = st.none() | st.booleans() | st.integers() | filled | st.lists(st.integers(), min_size=1, max_size=2)
    user = st.sampled_from(USERS)
    one = {
        "text": no_text.map(lambda value: (value, "")),
        "custom": (st.none() | st.booleans() | st.just("{") | st.just("нет")).map(lambda value: (value, "")),
        "users": no_object.map(lambda value: (value, ""))
        | st.tuples(user, no_text).map(lambda pair: ({pair[0]: pair[1]}, f".{pair[0]}"))
        | st.sampled_from(["me", "-1", "1.5"]).map(lambda key: ({key: "1"}, f".{key}")),
        "users_lp": no_object.map(lambda value: (value, ""))
        | st.tuples(user, no_object).map(lambda pair: ({pair[0]: pair[1]}, f".{pair[0]}"))
        | st.tuples(user, no_text).map(
            lambda pair: ({pair[0]: {"login": "a", "password": pair[1]}}, f".{pair[0]}.password")
        )
        | user.map(lambda key: ({key: {"password": "b"}}, f".{key}.login"))
        | user.map(lambda key: ({key: {"login": "a", "password": "b", "port": "c"}}, f".{key}.port")),
    }
    return one["text" if type_ == "pass" else type_]


@st.composite
def templates(draw: st.DrawFn) -> tuple[Setting, ...]:
    """Return a settings_template."""
    keys = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=4))
    types = st.sampled_from(["text", "pass", "users", "users_lp", "custom"])
    return tuple(Setting(key=key, name=key, type=draw(types), is_required=draw(st.booleans())) for key in keys)


@st.composite
def valid(draw: st.DrawFn, template: tuple[Setting, ...]) -> dict[str, Any]:
    """Return settings that a template allows: all required ones, and some of the others."""
    return {
        str(field.key): draw(values(str(field.type))) for field in template if field.is_required or draw(st.booleans())
    }


@st.composite
def faulty(draw: st.DrawFn, template: tuple[Setting, ...]) -> tuple[dict[str, Any], str]:
    """Return settings with a single fault, and its path."""
    body = draw(valid(template))
    field = draw(st.sampled_from(template)) if template else None
    kinds = ["unknown key"] + (["wrong value"] if field else []) + (["missing"] if field and field.is_required else [])
    match draw(st.sampled_from(kinds)):
        case "unknown key":
            return {**body, "zzz": "1"}, "zzz"
        case "missing":
            body.pop(field.key)
            return body, field.key
        case _:
            value, below = draw(wrong(field.type))
            return {**body, field.key: value}, f"{field.key}{below}"
