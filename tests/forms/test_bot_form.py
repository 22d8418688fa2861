from __future__ import annotations

import json
from typing import TYPE_CHECKING

import ipywidgets as widgets
import pandas as pd
import pytest
from fronts import can_be_pressed, fill, find, html, parts, press, shown

import amoexplore as amo
from amoexplore import Account, errors
from amoexplore.handlers import Handler
from amoexplore.sandbox import Message

if TYPE_CHECKING:
    from amoexplore import Sandbox
    from amoexplore.forms import BotForm

HANDLERS = [
    amo.show_text("Здесь текст"),
    amo.show_buttons("Нажми на кнопку", ["1ая кнопка", "2ая кнопка"]),
    amo.show_links("Кнопки со ссылками", ["https://amocrm.ru"]),
    amo.goto("question", step=1),
]


@pytest.fixture
def form(account: Account) -> BotForm:
    """Return an empty form."""
    return amo.forms.continue_bot(account)


def sends(sandbox: Sandbox) -> int:
    """Return how many writes the sandbox has seen."""
    return [logged.method for logged in sandbox.requests].count("POST")


def test_built_and_sent(form: BotForm, changing: Sandbox) -> None:
    """A text, buttons, links and a goto are put together, previewed, and sent once; the customer reads them."""
    bot = changing.start_bot(steps=["Здравствуйте!", "Статус: {{json.status}}"])
    fill(form, "return_url", bot.return_url)
    fill(form, "data for the bot", '{"status": "success"}')
    for number, (kind, text, lines) in enumerate(
        [(0, "Здесь текст", ""), (1, "Нажми", "да\n\n нет "), (2, "Ссылки", "amo = https://amocrm.ru\nhttps://a.b")], 1
    ):
        press(form, "Add a handler")
        find_kind(form, number).set_state({"index": kind})
        fill(form, f"Text of handler {number}", text)
        if lines:
            fill(form, f"of handler {number}, a line each", lines)
    press(form, "Add a handler")
    find_kind(form, 4).set_state({"index": 3})
    fill_number(form, "Step for handler 4", 1)
    press(form, "Preview")
    assert '      "handler": "goto",' in shown(form)
    assert sends(changing) == 0
    send = find(form, "Send to")
    press(form, "Send to")
    send.click()
    assert sends(changing) == 1
    assert {"State: the bot goes on", f"Request id: {changing.requests[-1].request_id}"} <= set(shown(form))
    assert [message.text for message in changing.transcript(bot)] == [
        "Здесь текст",
        "Нажми",
        "Ссылки",
        "Статус: success",
    ]
    assert changing.transcript(bot)[1] == Message("Нажми", ("да", "нет"))


def find_kind(form: BotForm, number: int) -> object:
    """Return the choice of a handler's kind."""
    (found,) = (one for one in parts(form) if getattr(one, "description", "") == f"Handler {number}")
    return found


def fill_number(form: BotForm, name: str, number: int) -> None:
    """Type a number."""
    find(form, name).set_state({"value": number})


def test_from_a_cell(form: BotForm, changing: Sandbox) -> None:
    """Address, data and handlers can be set and read, and submit takes the same path."""
    bot = changing.start_bot(steps=["a", "b"])
    form.return_url, form.data, form.handlers = bot.return_url, {"status": "собран"}, HANDLERS
    assert (form.return_url, form.data, form.handlers) == (bot.return_url, {"status": "собран"}, HANDLERS)
    assert repr(form) == "<Form that lets a bot of sandbox on this machine go on: 4 handlers>"
    sent = repr(form.preview()).partition("\n\n")[2]
    assert json.loads(sent)["data"] == {"status": "собран"}
    form.submit()
    with pytest.raises(errors.NotSent):
        form.submit()
    form.edited()
    with pytest.raises(errors.NotFound):
        form.submit()
    assert sends(changing) == 2
    form.handlers = [amo.show_links("?", {"amo": "https://amocrm.ru"}), amo.goto("finish")]
    assert form.handlers[0].params["buttons"] == [{"text": "amo", "url": "https://amocrm.ru"}]
    assert form.handlers[1] == amo.goto("finish")


def test_a_text_of_several_lines(form: BotForm) -> None:
    """A text keeps its lines: its input has several, where a browser would drop what ends them from one of one line."""
    form.handlers = [amo.show_text("Здравствуйте!\nПодождёте?")]
    assert isinstance(find(form, "Text of handler 1"), widgets.Textarea)
    assert form.handlers == [amo.show_text("Здравствуйте!\nПодождёте?")]


def test_live_counts(form: BotForm) -> None:
    """Characters and buttons are counted as they are typed, and too many are marked at once."""
    press(form, "Add a handler")
    fill(form, "Text of handler 1", "я" * 80)
    assert "80 of 80 characters" in shown(form)
    assert 'role="alert"' not in html(form)
    fill(form, "Text of handler 1", "я" * 81)
    assert '<div class="amo-said amo-fault" role="alert"><bdi>81 of 80 characters</bdi></div>' in html(form)
    find_kind(form, 1).set_state({"index": 1})  # type: ignore[attr-defined]
    fill(form, "Buttons of handler 1", "\n".join("ab" * 13))
    assert "26 of 25 buttons" in shown(form)


def test_faults_stand_at_their_handlers(form: BotForm, changing: Sandbox) -> None:
    """What the API's page forbids stands where it is wrong, all at once, and nothing is sent."""
    form.handlers = [amo.show_text("я" * 81), amo.show_buttons("?", []), amo.goto("answer", step=-1)]
    form._data.value = "{"
    press(form, "Send to")
    assert {"is required", "is not JSON yet", "value: has 81 characters, 80 at most are allowed"} <= set(shown(form))
    assert {"buttons: has no button", "step: is counted from 0", "Faults: 5"} <= set(shown(form))
    assert sends(changing) == 0
    with pytest.raises(errors.HandlersError, match="there are 5 faults"):
        form.submit()
    with pytest.raises(errors.HandlersError, match="data: is not JSON yet"):
        _ = form.data


def test_ten_at_most(form: BotForm) -> None:
    """After ten handlers there is no adding, until one is removed."""
    for _ in range(10):
        press(form, "Add a handler")
    add = find(form, "Add a handler")
    assert not can_be_pressed(add)
    add.click()  # as the second half of a double click
    assert "Handlers: 10 of 10" in shown(form)
    press(form, "Remove handler 10")
    assert can_be_pressed(add)
    assert len(form.handlers) == 9


def test_reordering(form: BotForm) -> None:
    """Handlers move up and down, as far as there is room."""
    form.handlers = [amo.show_text(text) for text in "abc"]
    press(form, "Move handler 3 up")
    press(form, "Move handler 1 down")
    assert [handler.params["value"] for handler in form.handlers] == ["c", "a", "b"]
    assert find(form, "Move handler 1 up").disabled
    assert find(form, "Move handler 3 down").disabled
    with pytest.raises(errors.HandlersError):
        form.preview()  # which disables all, for a while
    assert [find(form, f"Move handler {number} down").disabled for number in (1, 2, 3)] == [False, False, True]
    press(form, "Remove handler 2")
    assert [handler.params["value"] for handler in form.handlers] == ["c", "b"]
    press(form, "Empty the form")
    assert form.handlers == []


def test_what_it_can_not_show_is_refused(form: BotForm) -> None:
    """Handlers that would not come back as they were given are refused, all of them named, and nothing is changed."""
    form.handlers = HANDLERS
    odd = [
        amo.show_links("?", {"a = b": "https://a.b"}),
        amo.show_buttons("?", ["a\nb"]),
        amo.show_text("?"),
        amo.show_buttons("?", [" x "]),
        amo.goto("finish", step=1),
        amo.show_buttons("?", [pd.NA]),
        amo.show_text(pd.Series(["?"])),
        Handler("show", {"type": "picture", "value": "x"}),
        Handler("show", {"type": "text", "value": 5}),
        5,
    ]
    with pytest.raises(errors.HandlersError, match="form can show") as raised:
        form.handlers = odd  # type: ignore[assignment]
    assert [fault["path"] for fault in raised.value.errors] == [f"execute_handlers.{n}" for n in (0, 1, *range(3, 10))]
    with pytest.raises(errors.HandlersError, match="execute_handlers: is a list of handlers, not nothing"):
        form.handlers = None  # type: ignore[assignment]
    assert form.handlers == HANDLERS


@pytest.mark.parametrize("data", [{"a": float("nan")}, {"a": object()}, {1: "a", "1": "b"}, 5])
def test_data_that_can_not_be_sent_are_refused(form: BotForm, data: object) -> None:
    """Data that no bot can be given are refused at once, and nothing is changed."""
    form.data = {"status": "success"}
    with pytest.raises(errors.HandlersError, match="data: "):
        form.data = data
    assert form.data == {"status": "success"}


def test_an_edit_lets_it_send_again(form: BotForm, changing: Sandbox) -> None:
    """To add, move or remove a handler is an edit; in mid-call nothing from a cell changes the form."""
    form.return_url = changing.start_bot().return_url
    form.handlers = HANDLERS[:2]
    form.submit()
    for edit in ("Move handler 2 up", "Add a handler", "Remove handler 3"):
        form.turn.take()
        press(form, edit)
        assert form.turn.is_free
    form.is_busy = True
    with pytest.raises(errors.NotSent, match="at work"):
        form.handlers = []
    with pytest.raises(errors.NotSent, match="at work"):
        form.data = {}
    with pytest.raises(errors.NotSent, match="at work"):
        form.return_url = ""
    with pytest.raises(errors.NotSent, match="at work"):
        form.clear()
    find(form, "Add a handler").click()
    assert form.handlers == HANDLERS[1::-1]


def test_moving_keeps_the_keyboards_place(form: BotForm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards stay where they are and change what they hold; the keyboard follows the handler that was moved."""
    focused: list[str] = []
    monkeypatch.setattr(widgets.DOMWidget, "focus", lambda self: focused.append(self.description))
    form.handlers = HANDLERS[:3]
    boxes = form._list.children
    press(form, "Move handler 3 up")
    press(form, "Move handler 2 up")
    assert form._list.children == boxes
    assert form.handlers == [HANDLERS[2], HANDLERS[0], HANDLERS[1]]
    press(form, "Remove handler 2")
    assert focused == ["Move handler 2 up", "Move handler 1 down", "Add a handler"]


def test_addresses_are_checked_as_they_are_pasted(form: BotForm, changing: Sandbox) -> None:
    """An address that is no return_url, or one of another account, is refused at once: the token stays at home."""
    fill(form, "return_url", "https://evil.example/api/v4/salesbot/1/continue/2")
    assert any("is no return_url of sandbox on this machine" in line for line in shown(form))
    with pytest.raises(errors.HandlersError, match="return_url"):
        form.submit()
    fill(form, "return_url", changing.start_bot().return_url)
    assert not any("is no return_url" in line for line in shown(form))


def test_read_only(changing: Sandbox) -> None:
    """On a read-only account it shows all and sends nothing."""
    changing.reset()
    bot = changing.start_bot()
    form = amo.forms.continue_bot(Account(changing.url, changing.token, write=False), bot.return_url)
    form.preview()
    assert find(form, "Send to").disabled
    with pytest.raises(errors.ReadOnly):
        form.submit()
    assert sends(changing) == 0
