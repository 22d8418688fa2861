from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from templates import faulty, templates, valid

import amoexplore as amo
from amoexplore import checks
from amoexplore.models import Setting, Settings


@given(st.data())
def test_valid_settings_have_no_fault(data: st.DataObject) -> None:
    """Every template and every valid value of it passes."""
    template = data.draw(templates())
    assert checks.settings_faults(template, Settings(data.draw(valid(template)))) == []


@given(st.data())
def test_a_single_fault_is_found_by_its_path(data: st.DataObject) -> None:
    """Whatever is wrong with settings is found, alone and at its path."""
    template = data.draw(templates())
    body, path = data.draw(faulty(template))
    assert [fault.path for fault in checks.settings_faults(template, Settings(body))] == [path]


def test_all_faults_at_once() -> None:
    """Faults come together, and none repeats a value."""
    template = (
        Setting(key="login", name="Логин", type="text", is_required=True),
        Setting(key="password", name="Пароль", type="pass", is_required=True),
        Setting(key="phones", name="Телефоны", type="users", is_required=True),
    )
    body = {"logn": "canary", "password": ["canary"], "phones": {"me": "canary", 504141: 1039}}
    faults = checks.settings_faults(template, Settings(body))
    assert [(fault.path, fault.detail) for fault in faults] == [
        ("logn", "is no setting of this widget; did you mean login?"),
        ("login", "is required"),
        ("password", "is a text, not a list"),
        ("phones.me", "is no user's id; account.users() lists them"),
        ("phones.504141", "is a text, not a number"),
    ]


def test_a_user_stands_there_once() -> None:
    """A user whose id is given as a number and as a text would lose one of the two."""
    template = (Setting(key="a", name="a", type="users", is_required=False),)
    faults = checks.settings_faults(template, Settings({"a": {504141: "1", "504141": "2"}}))
    assert [(fault.path, fault.detail) for fault in faults] == [
        ("a.504141", "is there twice, as a number and as a text")
    ]


@pytest.mark.parametrize(("type_", "value"), [("text", ""), ("users", {}), ("users", []), ("users_lp", {})])
def test_required_and_empty(type_: str, value: object) -> None:
    """A required setting may not be empty; another one may."""
    for is_required, expected in [(True, ["is required and empty"]), (False, [])]:
        template = (Setting(key="a", name="a", type=type_, is_required=is_required),)
        assert [f.detail for f in checks.settings_faults(template, Settings({"a": value}))] == expected


def test_types_that_nobody_knows_pass() -> None:
    """A setting of a type that the API's page does not name is left to the API."""
    template = (Setting(key="a", name="a", type="textarea", is_required=True),)
    assert checks.settings_faults(template, Settings({"a": {"b": 1}})) == []


def test_settings_body() -> None:
    """User ids are sent as text, and an object for a custom setting as JSON in a text."""
    types = ("text", "users", "users_lp", "custom")
    template = tuple(Setting(key=type_, name="", type=type_, is_required=False) for type_ in types)
    sent = {"text": "a", "users": {504141: "1"}, "users_lp": [], "custom": {"ключ": 1}}
    assert checks.settings_body(template, Settings(sent)) == {
        "text": "a",
        "users": {"504141": "1"},
        "users_lp": {},
        "custom": '{"ключ": 1}',
    }


@pytest.mark.parametrize(
    ("handlers", "faults"),
    [
        ([], {}),
        ([amo.show_text("я" * 80)], {}),
        ([amo.show_text("я" * 81)], {"0.params.value": "has 81 characters, 80 at most are allowed"}),
        ([amo.show_text("")], {"0.params.value": "is empty"}),
        ([amo.show_text(5)], {"0.params.value": "is a text, not a number"}),  # type: ignore[arg-type]
        ([amo.show_text(pd.Series(["a", "b"]))], {"0.params.value": "is a text, not Series"}),  # type: ignore[arg-type]
        ([amo.show_buttons("a", ["b", pd.NA])], {"0.params.buttons.1": "is a text, not NAType"}),  # type: ignore[list-item]
        ([amo.show_text("a")] * 11, {"": "has 11 handlers, 10 at most are allowed"}),
        ([amo.show_buttons("a", ["b"] * 25)], {}),
        ([amo.show_buttons("a", ["b"] * 26)], {"0.params.buttons": "has 26 buttons, 25 at most are allowed"}),
        ([amo.show_buttons("a", [])], {"0.params.buttons": "has no button"}),
        ([amo.goto("finish"), amo.show_links("a", [""])], {"1.params.buttons.0": "is empty"}),
        ([amo.show_links("a", {"amo": "https://amocrm.ru"})], {}),
        ([amo.show_links("a", {"": "https://amocrm.ru"})], {"0.params.buttons.0.text": "is empty"}),
        ([amo.goto("question", step=0)], {}),
        ([amo.goto("question")], {"0.params.step": "is required"}),
        ([amo.goto("answer", step=-1)], {"0.params.step": "is counted from 0"}),
        ([amo.goto("answer", step=True)], {"0.params.step": "is a whole number, not a flag"}),
        ([amo.goto("stop", step=1)], {"0.params.type": "is question, answer or finish"}),
        ([amo.goto(pd.NA, step=1)], {"0.params.type": "is question, answer or finish"}),  # type: ignore[arg-type]
        ([amo.show_buttons("a", [{"text": "b", "url": "c"}])], {"0.params.buttons.0": "is a text, not an object"}),  # type: ignore[list-item]
        ([amo.show_links("a", [{"url": "c"}])], {"0.params.buttons.0.text": "is a text, not nothing"}),  # type: ignore[list-item]
        (
            [amo.show_links("a", [{"text": "b", "url": "c", "x": "d"}])],  # type: ignore[list-item]
            {"0.params.buttons.0.x": "is neither text nor url"},
        ),
        (amo.goto("finish"), {"": "is a list of handlers, not Handler"}),
        (None, {"": "is a list of handlers, not nothing"}),
        ([{"handler": "show"}], {"0": "is made by show_text, show_links and the like"}),
    ],
)
def test_handlers(handlers: list[Any], faults: dict[str, str]) -> None:
    """The limits of «Подтверждение выполнения блока виджета в Salesbot» hold, in characters, each with its path."""
    found = {fault.path: fault.detail for fault in checks.handlers_faults(handlers)}
    assert found == {f"execute_handlers.{path}".rstrip("."): detail for path, detail in faults.items()}


@pytest.mark.parametrize("make", [amo.show_buttons, amo.show_links])
def test_a_text_is_no_list_of_buttons(make: Any) -> None:
    """A text in place of a list would become a button a letter; and what is no list is told as such."""
    with pytest.raises(TypeError, match="a button a letter"):
        make("a", "да")
    with pytest.raises(TypeError, match=r"Buttons are a list, .*, not NoneType"):
        make("a", None)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        *(("custom", text) for text in ('"NaN', "NaN", '"a\ud800"')),
        *(("custom", {"a": value}) for value in ("\ud800", object(), float("nan"))),
        *(("custom", float("inf")), ("text", "\ud800"), ("textarea", object())),
    ],
)
def test_what_no_json_can_hold(type_: str, value: object) -> None:
    """What can't be sent is a fault at its path, and no error of an encoder's."""
    template = (Setting(key="a", name="a", type=type_, is_required=True),)
    assert [fault.path for fault in checks.settings_faults(template, Settings({"a": value}))] == ["a"]


@pytest.mark.parametrize("data", [{"a": object()}, {"a": float("nan")}, ["\ud800"], "x", 5])
def test_data_that_no_json_can_hold(data: Any) -> None:
    """Data that would not arrive as it was meant is a fault."""
    with pytest.raises(amo.errors.HandlersError, match="data: "):
        checks.require_continuable(data, [])


def test_numbers_of_pandas() -> None:
    """A number out of a frame is a number."""
    template = (Setting(key="a", name="a", type="custom", is_required=True),)
    for number in (np.int64(5), np.float64(2.5)):
        assert checks.settings_faults(template, Settings({"a": number})) == []
        sent = checks.settings_body(template, Settings({"a": number}))["a"]
        assert type(sent) in (int, float)
        assert sent == number
