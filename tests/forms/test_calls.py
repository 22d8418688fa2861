from __future__ import annotations

import gc
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pytest
from fronts import can_be_pressed, fill, find, press, settle, shown
from scripted import DROP, ScriptedServer, answer, problem, setting, users, widget

import amoexplore as amo
from amoexplore import Account, errors
from amoexplore.forms import clicks
from amoexplore.models import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scripted import Request

    from amoexplore import Sandbox
    from amoexplore.forms import InstallForm

SECRET = "canary-secret"
INSTALL, REPLACE = "Install into", "Replace the settings of"
LOGIN_AND_PASSWORD = [setting(), setting(key="password", name="Пароль", type="pass")]


class Held:
    """A form on a server whose installs wait until they are let through."""

    def __init__(self, installed: dict[str, Any] | None = None, *more: dict[str, Any]) -> None:
        self.came, self.gate = threading.Event(), threading.Event()
        self.template = [*LOGIN_AND_PASSWORD, *more]
        self.installed = {"is_active_in_account": True, "settings_template": self.template} | (installed or {})

    def script(self, request: Request) -> bytes:
        """Answer one request."""
        if request.method == "POST":
            self.came.set()
            self.gate.wait()
            return answer(widget(1, **self.installed))
        if request.target.startswith("/api/v4/users"):
            return users(request)
        return answer(widget(1, settings_template=self.template))

    @contextmanager
    def form(self) -> Iterator[InstallForm]:
        """Give the form, with its install under way."""
        with ScriptedServer(self.script) as self.server:
            try:
                form = amo.forms.install(self.server.account(), "widget_1")
                fill(form, "Логин", "example")
                fill(form, "Пароль", SECRET)
                find(form, INSTALL).click()
                self.came.wait()
                yield form
            finally:
                self.gate.set()
                settle()


def writes(server: ScriptedServer) -> list[str]:
    """Return the methods of the writes that a server has seen."""
    return [request.method for request in server.requests if request.method != "GET"]


def fill_values(form: InstallForm) -> None:
    """Set values from a cell."""
    form.values = {"login": "another"}


@pytest.mark.parametrize(
    "call",
    [
        lambda form: form.preview(),
        lambda form: form.submit(),
        lambda form: form.submit(allow_loss=True),
        lambda form: form.uninstall(allow_loss=True),
        lambda form: form.trial(),
        lambda form: form.clear(),
        fill_values,
    ],
)
def test_in_mid_call_a_cell_changes_nothing(call: Callable[[InstallForm], object]) -> None:
    """Whoever finds the form at work is told so; the call stays what it was, and the form busy until its end."""
    held = Held()
    with held.form() as form:
        with pytest.raises(errors.NotSent, match="at work"):
            call(form)
        assert form.is_busy
        assert find(form, "Логин").disabled
        assert shown(form)[-1].startswith("Installing widget_1")
        assert list(form.values) == ["login", "password"]
        held.gate.set()
        settle()
        assert "State: installed" in shown(form)
        assert writes(held.server) == ["POST"]


def test_in_mid_call_buttons_do_nothing() -> None:
    """The form's other buttons rest while it is at work, also those of a question; an edit that comes late, too."""
    held = Held()
    with held.form() as form:
        form.second_step.ask("?", "yes", lambda: pytest.fail("a yes in mid-call"))
        assert find(form, "yes").disabled
        for name in (INSTALL, "Preview", "Empty the form", "Uninstall…", "Once more"):
            for one in (form._main, form._preview, form._clear, form._uninstall_button, form._again):
                if name in one.description:
                    assert not can_be_pressed(one) or one.layout.display == "none"
                    one.click()
        fill(form, "Логин", "late")
        assert not form.turn.is_free
        assert shown(form)[-2].startswith("Installing widget_1")
        held.gate.set()
        settle()
        assert writes(held.server) == ["POST"]


def test_in_mid_call_new_rows_take_nothing() -> None:
    """A row of a user that is first shown while the form is at work is disabled until its end, as all inputs are."""
    held = Held(None, setting(key="phones", type="users", is_required=False))
    with held.form() as form:
        fill(form, "Search users", "500")
        row = find(form, "(1500): extension")
        assert row.disabled
        held.gate.set()
        settle()
        assert not row.disabled


def test_an_interrupt_ends_the_busy_state() -> None:
    """A call from a cell that the kernel's interrupt ends may have arrived: the form says so, and knows no state."""

    def script(request: Request) -> bytes:
        if request.method == "POST":
            signal.raise_signal(signal.SIGINT)
        return answer(widget(1, settings_template=LOGIN_AND_PASSWORD))

    with ScriptedServer(script) as server:
        form = amo.forms.install(server.account(), "widget_1")
        form.values = {"login": "example", "password": SECRET}
        with pytest.raises(KeyboardInterrupt):
            form.submit()
    assert shown(form)[-1].startswith("Interrupted. If the call had left it may arrive all the same")
    assert not form.is_busy
    assert not find(form, "Логин").disabled
    assert list(form.values) == ["login"]
    assert "Version 1.0.0 · unknown" in shown(form)


def test_lost_answers() -> None:
    """A lost answer is told as what it is, nothing is sent again, no state is claimed, and the secret is gone."""
    script = lambda r: DROP if r.method == "POST" else answer(widget(1, settings_template=LOGIN_AND_PASSWORD))  # noqa: E731
    with ScriptedServer(script) as server:
        form = amo.forms.install(server.account(), "widget_1")
        fill(form, "Логин", "example")
        fill(form, "Пароль", SECRET)
        press(form, INSTALL)
        assert any("its answer was lost" in line for line in shown(form))
        assert "Version 1.0.0 · unknown" in shown(form)
        assert writes(server) == ["POST"]
        assert list(form.values) == ["login"]
        assert find(form, "Пароль").placeholder == "dropped after the call: type it again"


def test_what_was_not_sent_is_not_sent() -> None:
    """A question to the account that fails before the install leaves has sent nothing: the secret is kept."""
    asked: list[str] = []

    def script(request: Request) -> bytes:
        asked.append(request.method)
        return problem(402) if asked == ["GET", "GET"] else answer(widget(1, settings_template=LOGIN_AND_PASSWORD))

    with ScriptedServer(script) as server:
        form = amo.forms.install(server.account(), "widget_1")
        form.values = {"login": "example", "password": SECRET}
        press(form, INSTALL)
        assert any("subscription" in line for line in shown(form))
        assert list(form.values) == ["login", "password"]
        assert can_be_pressed(find(form, INSTALL))
        press(form, INSTALL)
        assert asked == ["GET", "GET", "GET", "POST"]  # asked once, then sent


def test_a_template_that_changed() -> None:
    """A widget that asks for other settings than when its form was made is not installed by that form."""
    template = [setting()]
    with ScriptedServer(lambda _: answer(widget(1, settings_template=template))) as server:
        form = amo.forms.install(server.account(), "widget_1")
        fill(form, "Логин", "example")
        template.append(setting(key="new", name="Новое"))
        press(form, INSTALL)
        assert "asks for other settings now than when this form was made" in shown(form)[-1]
        assert writes(server) == []


def hiding(typed: str) -> list[Secret]:
    """Return what hides this, anywhere in memory."""
    gc.collect()
    return [one for one in gc.get_objects() if type(one) is Secret and typed in repr(one.reveal())]


def test_memory_after_a_refusal(changing: Sandbox, account: Account) -> None:
    """While the error of a refused call is kept, as IPython keeps the last one, no frame of it keeps the secret."""
    changing.reset()
    form = amo.forms.install(account, "amo_asterisk")
    typed = "canary-of-a-refusal"  # forms of other tests are still in memory, as ipywidgets keeps them
    form.values = {"login": "a", "password": typed, "phones": {77: "1"}, "script_path": "b"}
    assert hiding(typed)
    with pytest.raises(errors.ValidationFailed) as raised:
        form.submit()
    assert raised.value.__traceback__
    assert hiding(typed) == []


def test_memory_after_an_install() -> None:
    """What the account repeats of the settings is not kept by the form."""
    held = Held({"settings": {"login": "example", "password": SECRET}})
    with held.form() as form:
        held.gate.set()
        settle()
        assert "State: installed" in shown(form)
        assert form.widget.settings is None


def test_memory_of_the_search(account: Account) -> None:
    """A search that opens another form forgets what was typed into the one before."""
    picker = amo.forms.install(account)
    first = picker.pick("amo_asterisk")
    first.values = {"password": SECRET}
    picker.pick("amo_dropbox")
    assert len(first.values) == 0


def test_the_keyboard_keeps_its_place(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """No button is disabled under the keyboard; where one goes away the main one has it."""
    focused: list[str] = []
    monkeypatch.setattr(widgets.DOMWidget, "focus", lambda self: focused.append(self.description))
    form = amo.forms.install(account, "amo_dropbox")
    press(form, INSTALL)
    assert not any(one.disabled for one in (form._main, form._preview, form._clear, form._uninstall_button))
    press(form, "Once more")
    press(form, "Uninstall…")
    press(form, "Cancel")
    press(form, INSTALL)
    press(form, REPLACE)
    assert focused == [form._main.description] * 3


def test_a_turn_is_taken_by_one() -> None:
    """Of any number at the same time one takes the turn; to give what is free does nothing."""
    turn = clicks.Turn()
    turn.give()
    assert [turn.take(), turn.take(), turn.is_free] == [True, False, False]
    turn.give()
    assert turn.is_free
