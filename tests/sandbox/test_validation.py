from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page import call, faults, listed, post

from amoexplore.sandbox import Sandbox
from amoexplore.sandbox.account import FIRST
from amoexplore.sandbox.catalog import Setting, SettingType
from amoexplore.sandbox.handlers import continue_faults
from amoexplore.sandbox.validation import BodyError, read_body, settings_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES: tuple[SettingType, ...] = get_args(SettingType)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)  # JSON has no halves of letters
KEYS = TEXTS.filter(bool)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
USERS = st.sampled_from(sorted(FIRST.user_ids))
STRANGERS = st.integers(1, 10**9).map(str).filter(lambda user_id: user_id not in FIRST.user_ids)
CREDENTIALS = st.fixed_dictionaries({"login": TEXTS, "password": TEXTS})

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "pass": TEXTS,
    "custom": NUMBERS | st.recursive(TEXTS | NUMBERS, st.lists, max_leaves=5).map(json.dumps),
    "users": st.dictionaries(USERS, TEXTS) | st.just([]),
    "users_lp": st.dictionaries(USERS, CREDENTIALS) | st.just([]),
}
TEMPLATES = st.lists(
    st.builds(Setting, KEYS, TEXTS, st.sampled_from(TYPES), is_required=st.booleans()),
    max_size=5,
    unique_by=lambda setting: setting.key,
).map(tuple)

# What can be wrong with a value of a type: the value, where in it, and the code.
NO_TEXT = st.sampled_from([None, True, 0, 1.5, [], ["example"], {}, {"504141": "1039"}])
NO_OBJECT = st.sampled_from([None, False, 1039, "", '{"504141":"1039"}', ["1039"], [[]]])
NO_JSON = st.sampled_from([None, True, [], {}, {"mode": "all"}, "", "all", "{", "NaN", '{"a":1,"a":2}'])
FAULTS: dict[str, st.SearchStrategy[tuple[Any, str, str]]] = {
    "text": st.tuples(NO_TEXT, st.just(""), st.just("InvalidType")),
    "pass": st.tuples(NO_TEXT, st.just(""), st.just("InvalidType")),
    "custom": st.tuples(NO_JSON, st.just(""), st.just("InvalidType")),
    "users": st.one_of(
        st.tuples(NO_OBJECT, st.just(""), st.just("InvalidType")),
        st.builds(lambda user, text: ({user: text}, f".{user}", "NotSupportedChoice"), STRANGERS, TEXTS),
        st.builds(lambda user, value: ({user: value}, f".{user}", "InvalidType"), USERS, NO_TEXT),
    ),
    "users_lp": st.one_of(
        st.tuples(NO_OBJECT, st.just(""), st.just("InvalidType")),
        st.builds(lambda user, both: ({user: both}, f".{user}", "NotSupportedChoice"), STRANGERS, CREDENTIALS),
        st.builds(lambda user, value: ({user: value}, f".{user}", "InvalidType"), USERS, NO_OBJECT),
        st.builds(
            lambda user, both, part, value: ({user: both | {part: value}}, f".{user}.{part}", "InvalidType"),
            *(USERS, CREDENTIALS, st.sampled_from(["login", "password"]), NO_TEXT),
        ),
        st.builds(
            lambda user, both, part: (
                {user: {name: text for name, text in both.items() if name != part}},
                f".{user}.{part}",
                "FieldMissing",
            ),
            *(USERS, CREDENTIALS, st.sampled_from(["login", "password"])),
        ),
        st.builds(
            lambda user, both, text: ({user: both | {"mail": text}}, f".{user}.mail", "NotSupportedChoice"),
            *(USERS, CREDENTIALS, TEXTS),
        ),
    ),
}

# One sandbox serves all examples of a test, which is why it is not made anew for each.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def writable() -> Iterator[Sandbox]:
    """Return a sandbox that nobody else writes to."""
    with Sandbox() as running:
        yield running


def valid(template: tuple[Setting, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Return the settings that a template takes."""
    required = {
        s.key: VALUES[s.type].filter(lambda value: value not in ("", {}, [])) for s in template if s.is_required
    }
    return st.fixed_dictionaries(required, optional={s.key: VALUES[s.type] for s in template if not s.is_required})


@st.composite
def faulty(draw: st.DrawFn, template: tuple[Setting, ...]) -> tuple[Any, tuple[str, str]]:
    """Return settings of this template that have one fault, and its code and path."""
    given = draw(valid(template))
    taken = {setting.key for setting in template}
    unknown = draw(KEYS.filter(lambda key: key not in taken))
    kinds = [(given | {unknown: "example"}, ("NotSupportedChoice", unknown))]
    for setting in template:
        value, inner, code = draw(FAULTS[setting.type])
        kinds.append((given | {setting.key: value}, (code, setting.key + inner)))
        if setting.is_required:
            left = {key: value for key, value in given.items() if key != setting.key}
            kinds.append((left, ("FieldMissing", setting.key)))
            if setting.type != "custom":
                empty = draw(st.sampled_from([{}, []])) if setting.type.startswith("users") else ""
                kinds.append((given | {setting.key: empty}, ("FieldMissing", setting.key)))
    return draw(st.sampled_from(kinds))


def found(template: tuple[Setting, ...], sent: Any) -> list[tuple[str, str]]:
    """Return code and path of what is wrong with settings."""
    return [(fault.code, fault.path) for fault in settings_faults(template, sent)]


@given(st.data(), TEMPLATES)
def test_valid_settings_have_no_faults(data: st.DataObject, template: tuple[Setting, ...]) -> None:
    """Whatever a template asks for, what it asks for is right."""
    assert found(template, data.draw(valid(template))) == []


@given(st.data(), TEMPLATES)
def test_a_single_fault_is_found_alone(data: st.DataObject, template: tuple[Setting, ...]) -> None:
    """Whatever a template asks for, one fault is one fault, and has its path."""
    sent, fault = data.draw(faulty(template))
    assert found(template, sent) == [fault]


@shared
@given(data=st.data())
def test_valid_settings_install(writable: Sandbox, data: st.DataObject) -> None:
    """Every widget installs with every value that its template takes, and answers with just that."""
    widget = data.draw(st.sampled_from(listed(writable)))
    sent = data.draw(valid(msgspec.convert(widget["settings_template"], tuple[Setting, ...])))
    answer = post(writable, f"/api/v4/widgets/{widget['code']}", sent)
    assert (answer.status, answer.json["settings"]) == (200, sent or [])


@shared
@given(data=st.data())
def test_a_single_fault_is_refused(writable: Sandbox, data: st.DataObject) -> None:
    """A fault in what any widget is sent is refused with its path, and the account stays as it is."""
    widget = data.draw(st.sampled_from(before := listed(writable)))
    sent, fault = data.draw(faulty(msgspec.convert(widget["settings_template"], tuple[Setting, ...])))
    answer = post(writable, f"/api/v4/widgets/{widget['code']}", sent)
    assert (answer.status, faults(answer)) == (400, [fault])
    assert listed(writable) == before


JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
# Bodies that come near to what is meant, so that a fault is found at each depth.
HANDLERS = st.fixed_dictionaries(
    {"handler": st.sampled_from(["show", "goto", "stop"]) | JSON},
    optional={
        "params": JSON
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["text", "buttons", "buttons_url", "question", "answer", "finish"]) | JSON},
            optional={"value": JSON, "buttons": st.lists(JSON) | JSON, "step": JSON},
        )
    },
)
BODIES = JSON | st.fixed_dictionaries({}, optional={"data": JSON, "execute_handlers": st.lists(HANDLERS) | JSON})


@given(BODIES)
def test_any_body_can_be_checked(body: Any) -> None:
    """Whatever is sent for a bot, its faults are found without an error."""
    assert all(fault.detail for fault in continue_faults(body))


def test_no_fault_repeats_a_value() -> None:
    """What is wrong with a password does not say which it was."""
    template = tuple(Setting(kind, kind, kind, is_required=True) for kind in TYPES)
    sent = {
        "text": ["sesame"],
        "pass": {"504141": "sesame"},
        "custom": "sesame",
        "users": {"504141": ["sesame"]},
        "users_lp": {"504141": {"login": ["sesame"], "password": {"504141": "sesame"}}, "581651": "sesame"},
    }
    faults = list(settings_faults(template, sent))
    assert len(faults) == 7
    assert "sesame" not in repr(faults)


@shared
@given(body=BODIES.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=50))
def test_any_body_is_answered(writable: Sandbox, body: bytes) -> None:
    """Whatever bytes are sent, they are taken or refused."""
    bot = writable.start_bot(steps=["{{json.a}}"])
    target = bot.return_url.removeprefix(writable.url)
    assert call(writable, target, method="POST", body=body).status in {202, 400}
    assert call(writable, "/api/v4/widgets/amo_asterisk", method="POST", body=body).status == 400


@given(JSON)
def test_reads_what_json_says(value: Any) -> None:
    """What JSON can say is read as it stands."""
    assert read_body(json.dumps(value).encode()) == value


def test_an_unreadable_body_is_not_repeated() -> None:
    """The error has nothing of the body, nor has what led to it."""
    with pytest.raises(BodyError) as refused:
        read_body(b'{"password":"sesame"')
    assert refused.value.__context__ is None
    assert "sesame" not in repr(refused.value)
