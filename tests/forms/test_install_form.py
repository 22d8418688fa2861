from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from fronts import can_be_pressed, fill, find, html, parts, press, settle, shown
from scripted import DROP, ScriptedServer, answer, answering, problem, setting, users, widget
from tracebacks import shown as shown_of

import amoexplore as amo
from amoexplore import Account, errors
from amoexplore.forms import clicks, secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripted import Request

    from amoexplore import Sandbox
    from amoexplore.forms import InstallForm

SECRET = "canary-secret"
ASTERISK = {"login": "example", "password": SECRET, "phones": {504141: "1039"}, "script_path": "https://example.com/"}
INSTALL, REPLACE, UNINSTALL = "Install into", "Replace the settings of", "Uninstall amo"


def writes(sandbox: Sandbox) -> list[str]:
    """Return the methods of the writes that the sandbox has seen."""
    return [logged.method for logged in sandbox.requests if logged.method != "GET"]


@pytest.fixture
def form(account: Account) -> InstallForm:
    """Return the form of the page's example."""
    return amo.forms.install(account, "amo_asterisk")


@pytest.fixture
def plain(account: Account) -> InstallForm:
    """Return the form of a widget that requires nothing."""
    return amo.forms.install(account, "amo_dropbox")


def fill_in(form: InstallForm) -> None:
    """Type the example of the page."""
    for name, text in (("Логин", "example"), ("Пароль", SECRET), ("Анна", "1039"), ("Путь", "https://example.com/")):
        fill(form, name, text)


def test_typed_and_installed(form: InstallForm, changing: Sandbox) -> None:
    """The example of «Установка виджета в аккаунт», typed: one request; then state, version, account and request id."""
    fill_in(form)
    press(form, INSTALL)
    assert writes(changing) == ["POST"]
    assert shown(form)[-4:] == [
        "State: installed",
        "Version: 1.1.6",
        "Account: sandbox on this machine",
        f"Request id: {changing.requests[-1].request_id}",
    ]
    assert "Version 1.1.6 · installed" in shown(form)


def test_what_was_typed_is_what_is_sent(form: InstallForm) -> None:
    """A field's value has the type that its setting takes; what was not filled in is not sent."""
    fill_in(form)
    assert form.values.reveal() == {**ASTERISK, "phones": {"504141": "1039"}}
    fill(form, "Анна", "")
    fill(form, "Логин", "")
    assert list(form.values) == ["password", "script_path"]


def test_labels(form: InstallForm, plain: InstallForm) -> None:
    """Each input has a label and its key; required ones are marked by a word, custom ones named by their key."""
    labels = [one.description for one in parts(form) if isinstance(one, secret.Forgetful)]
    assert labels[0] == "\u2068Логин\u2069 (\u2068login\u2069) · required"
    assert labels[2] == "\u2068Анна Соколова\u2069 (504141): extension"
    assert find(plain, "conf").description == "\u2068conf\u2069"


def test_nothing_is_sent_until_it_is_valid(form: InstallForm, changing: Sandbox) -> None:
    """Every fault stands under its field and is counted; an edit takes its own away."""
    press(form, INSTALL)
    assert writes(changing) == []
    assert shown(form).count("is required") == 4
    assert {"Faults: 4", "Nothing was sent: correct what is marked."} <= set(shown(form))
    fill(form, "Логин", "example")
    assert shown(form).count("is required") == 3
    assert "Faults: 3" in shown(form)
    assert "Nothing was sent: correct what is marked." not in shown(form)
    fill_in(form)
    assert not any(line.startswith("Faults") for line in shown(form))


def test_what_an_edit_takes_back_keeps_its_place(form: InstallForm) -> None:
    """No message that an edit takes back leaves its place: the buttons below would move away under a mouse."""
    press(form, INSTALL)
    said = [one.value for one in parts(form) if "is required" in getattr(one, "value", "")]
    fill_in(form)
    kept = [one.value for one in parts(form) if "is required" in getattr(one, "value", "")]
    assert kept == [f'<div class="amo-unsaid">{text}</div>' for text in said]
    press(form, "Preview")
    fill(form, "Логин", "another")
    assert not any("Authorization" in line for line in shown(form))


def test_submit_takes_the_same_path(form: InstallForm, changing: Sandbox) -> None:
    """From a cell the same faults are shown, and raised."""
    with pytest.raises(errors.SettingsError, match="there are 4 faults"):
        form.submit()
    assert "Faults: 4" in shown(form)
    form.values = ASTERISK
    assert form.submit().is_active_in_account
    assert writes(changing) == ["POST"]
    assert "State: installed" in shown(form)


def test_preview(form: InstallForm, changing: Sandbox) -> None:
    """The preview shows what would be sent, masked, and sends nothing."""
    fill_in(form)
    press(form, "Preview")
    assert '  "password": "***",' in shown(form)
    assert repr(form.preview()).startswith(f"POST {changing.url}/api/v4/widgets/amo_asterisk\n")
    assert writes(changing) == []
    assert SECRET not in html(form)


def test_a_double_click_is_one_request(plain: InstallForm, changing: Sandbox) -> None:
    """A second click finds the turn taken: while the call runs, and when it is over."""
    button = find(plain, INSTALL)
    button.click()
    button.click()
    settle()
    button.click()
    settle()
    assert writes(changing) == ["POST"]
    assert "State: installed" in shown(plain)


def test_clicks_at_the_same_time(account: Account, changing: Sandbox) -> None:
    """Callbacks that overlap, as those of a double click on a new kernel do, make one request."""
    for code in ("amo_dropbox", "amo_mailchimp"):
        form = amo.forms.install(account, code)
        barrier = threading.Barrier(8)

        def click(form: InstallForm = form, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            find(form, INSTALL).click()

        threads = [threading.Thread(target=click) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        settle()
    assert writes(changing) == ["POST", "POST"]


def test_once_more_takes_an_edit_or_a_word() -> None:
    """After a call that failed, its button waits for an edit, or for an explicit "once more"."""

    def script(request: Request) -> bytes:
        return problem(429) if request.method == "POST" else answer(widget(1))

    with ScriptedServer(script) as server:
        form = amo.forms.install(server.account(), "widget_1")
        fill(form, "Логин", "example")
        for again in (lambda: press(form, "Once more"), lambda: fill(form, "Логин", "another")):
            press(form, INSTALL)
            assert any("wait a little" in line for line in shown(form))
            assert not can_be_pressed(find(form, INSTALL))
            again()
            assert can_be_pressed(find(form, INSTALL))
            assert not any("wait a little" in line for line in shown(form))
        assert [request.method for request in server.requests].count("POST") == 2


def test_sent_is_sent(plain: InstallForm, changing: Sandbox) -> None:
    """From a cell, too, nothing is sent twice without an edit."""
    plain.submit()
    with pytest.raises(errors.NotSent, match="has sent and was not edited since"):
        plain.submit(allow_loss=True)
    plain.edited()
    plain.submit(allow_loss=True)
    assert writes(changing) == ["POST", "POST"]


def test_installing_over_takes_a_second_step(form: InstallForm, account: Account, changing: Sandbox) -> None:
    """Who installs over an installed widget is asked, by name of widget and account, and only a yes sends."""
    account.install("amo_asterisk", ASTERISK)
    fill_in(form)
    press(form, INSTALL)
    assert writes(changing) == ["POST"]
    assert any(line.startswith("amo_asterisk is installed in sandbox on this machine.") for line in shown(form))
    assert find(form, REPLACE).description == "Replace the settings of amo_asterisk in sandbox on this machine"
    press(form, REPLACE)
    assert writes(changing) == ["POST", "POST"]
    assert not any(REPLACE in getattr(one, "description", "") for one in parts(form))


def test_a_yes_counts_once(plain: InstallForm, account: Account, changing: Sandbox) -> None:
    """A double click on the yes sends once."""
    account.install("amo_dropbox")
    press(plain, INSTALL)
    yes = find(plain, REPLACE)
    yes.click()
    yes.click()
    settle()
    assert writes(changing) == ["POST", "POST"]


@pytest.mark.parametrize("call", ["submit", "uninstall"])
def test_second_steps_from_a_cell(plain: InstallForm, account: Account, changing: Sandbox, call: str) -> None:
    """In a cell allow_loss=True is the second step; without it nothing is sent, and the error says so."""
    account.install("amo_dropbox")
    with pytest.raises(errors.NotSent, match=rf"amo_dropbox .*sandbox on this machine.*{call}\(allow_loss=True\)"):
        getattr(plain, call)()
    assert writes(changing) == ["POST"]
    getattr(plain, call)(allow_loss=True)
    assert account.widget("amo_dropbox").is_active_in_account is (call == "submit")


def test_uninstall(account: Account, changing: Sandbox) -> None:
    """Uninstalling takes a second step; then the form says how it is, and may install again."""
    account.install("amo_dropbox")
    form = amo.forms.install(account, "amo_dropbox")
    press(form, "Uninstall…")
    assert writes(changing) == ["POST"]
    press(form, "Cancel")
    press(form, "Uninstall…")
    press(form, UNINSTALL)
    assert writes(changing) == ["POST", "DELETE"]
    assert "State: not installed" in shown(form)
    press(form, INSTALL)
    assert writes(changing) == ["POST", "DELETE", "POST"]


def test_questions_expire(account: Account, changing: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A yes that comes too late sends nothing, and the question goes by itself."""
    account.install("amo_dropbox")
    form = amo.forms.install(account, "amo_dropbox")
    press(form, "Uninstall…")
    yes = find(form, UNINSTALL)
    monkeypatch.setattr(clicks.time, "monotonic", lambda: float("inf"))
    yes.click()
    monkeypatch.undo()
    assert "The question has expired after 30 s; nothing was sent." in shown(form)
    monkeypatch.setattr(clicks, "PATIENCE", 0.0)
    press(form, "Uninstall…")
    while form.second_step.is_open:
        threading.Event().wait(0.01)
    yes.click()
    settle()
    assert writes(changing) == ["POST"]


def test_another_form_at_it_is_told_while_a_question_stands(account: Account) -> None:
    """That another form is at it is said, whatever was asked before."""
    account.install("amo_dropbox")
    form = amo.forms.install(account, "amo_dropbox")
    press(form, "Uninstall…")
    with clicks.alone(account.url, "amo_dropbox"):
        press(form, INSTALL)
        assert shown(form)[-1].startswith("Another form is at it: amo_dropbox.")
        with pytest.raises(errors.NotSent, match="Another form is at it"):
            form.uninstall(allow_loss=True)


def test_an_edit_takes_the_question_back(form: InstallForm, account: Account, changing: Sandbox) -> None:
    """What was to be confirmed is not what stands there now."""
    account.install("amo_asterisk", ASTERISK)
    fill_in(form)
    press(form, INSTALL)
    yes = find(form, REPLACE)
    fill(form, "Логин", "another")
    yes.click()
    settle()
    assert writes(changing) == ["POST"]


def test_the_servers_faults_stand_at_their_fields(plain: InstallForm, changing: Sandbox) -> None:
    """What only the API can see stands under its field, and goes when that is edited."""
    fill(plain, "conf", '{"a": 1, "a": 2}')
    press(plain, INSTALL)
    assert writes(changing) == ["POST"]
    assert {"This value should be valid JSON.", "The account refused it: correct what is marked.", "Faults: 1"} <= set(
        shown(plain)
    )
    assert f"Request id: {changing.requests[-1].request_id}" in shown(plain)
    fill(plain, "conf", '{"a": 1}')
    assert "This value should be valid JSON." not in shown(plain)
    press(plain, INSTALL)
    assert "State: installed" in shown(plain)


def test_faults_of_users_name_them(account: Account) -> None:
    """A fault deeper in a setting says where; a user whom only a cell named gets a row, too."""
    form = amo.forms.install(account, "amo_asterisk")
    form.values = {**ASTERISK, "phones": {504141: 5, 77: "1"}}
    with pytest.raises(errors.SettingsError):
        form.submit()
    assert "\u2068Анна Соколова\u2069 (504141): is a text, not a number" in shown(form)
    form.values = {**ASTERISK, "phones": {77: "1"}}
    with pytest.raises(errors.ValidationFailed):
        form.submit()
    assert "\u206877\u2069: The value you selected is not a valid choice." in shown(form)


def test_users_whom_only_a_cell_named_are_found(account: Account) -> None:
    """Rows that a cell adds beyond the first page can be turned to and searched for, as all others."""
    form = amo.forms.install(account, "amo_asterisk")
    form.values = {**ASTERISK, "phones": {number: str(number) for number in range(1, 21)}}
    press(form, "Next users")
    assert find(form, "\u206811\u2069: extension").placeholder == "kept, not shown"
    fill(form, "Search users", "20")
    fill(form, "\u206820\u2069: extension", "120")
    assert form.values.reveal()["phones"]["20"] == "120"


def test_other_errors_say_what_to_do(changing: Sandbox) -> None:
    """Who may not install is told so, with the request id."""
    changing.reset()
    form = amo.forms.install(Account(changing.url, changing.analyst_token), "amo_dropbox")
    press(form, INSTALL)
    assert any("use an administrator's token" in line for line in shown(form))
    assert f"Request id: {changing.requests[-1].request_id}" in shown(form)


def test_lost_answers() -> None:
    """A lost answer is told as what it is, nothing is sent again, and what was typed as a secret is gone."""
    template = [setting(), setting(key="password", name="Пароль", type="pass")]

    def script(request: Request) -> bytes:
        return DROP if request.method == "POST" else answer(widget(1, settings_template=template))

    with ScriptedServer(script) as server:
        form = amo.forms.install(server.account(), "widget_1")
        fill(form, "Логин", "example")
        fill(form, "Пароль", SECRET)
        press(form, INSTALL)
        assert any("its answer was lost" in line for line in shown(form))
        assert [request.method for request in server.requests].count("POST") == 1
        assert list(form.values) == ["login"]
        assert find(form, "Пароль").placeholder == "dropped after the call: type it again"


@pytest.mark.parametrize("other", ["built again", "the same"])
def test_two_copies(other: str) -> None:
    """While one form is at it, no other copy of it sends: neither the same one nor one that a cell built anew."""
    came, gate = threading.Event(), threading.Event()

    def script(request: Request) -> bytes:
        if request.method == "POST" and not came.is_set():
            came.set()
            gate.wait()
        return answer(widget(1, settings_template=[], is_active_in_account=request.method == "POST"))

    with ScriptedServer(script) as server, ExitStack() as stack:
        stack.callback(gate.set)  # whatever happens, so that the server can end
        form = amo.forms.install(server.account(), "widget_1")
        find(form, INSTALL).click()
        came.wait()
        copy = form if other == "the same" else amo.forms.install(server.account(), "widget_1")
        with pytest.raises(errors.NotSent):
            copy.submit()
        if copy is form:
            assert "Installing widget_1 into sandbox on this machine… 0 s" in shown(form)
            assert not any(can_be_pressed(find(form, name)) for name in (INSTALL, "Preview", "Empty"))
        else:
            assert "Another form is at it: widget_1." in shown(copy)[-1]
        gate.set()
        settle()
        assert [request.method for request in server.requests].count("POST") == 1
        assert "State: installed" in shown(form)


def test_the_clock_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a call takes its time the form says for how long."""
    monkeypatch.setattr(clicks, "_TICK", 0.001)
    monkeypatch.setattr(clicks.time, "monotonic", iter(range(0, 10**9, 7)).__next__)
    told: list[int] = []
    ticked = threading.Event()
    with clicks.ticking(lambda seconds: (told.append(seconds), seconds and ticked.set())):
        ticked.wait()
    assert told[:2] == [0, 7]


def test_read_only(changing: Sandbox) -> None:
    """On a read-only account the form shows all, says how to open it, and sends nothing."""
    changing.reset()
    form = amo.forms.install(Account(changing.url, changing.token, write=False), "amo_asterisk")
    assert any("AMOEXPLORE_WRITE=1 opens it" in one.value for one in parts(form) if hasattr(one, "value"))
    fill_in(form)
    press(form, "Preview")
    assert '  "password": "***",' in shown(form)
    assert find(form, INSTALL).disabled
    calls: list[Callable[[], object]] = [form.submit, form.trial, lambda: form.uninstall(allow_loss=True)]
    for call in calls:
        with pytest.raises(errors.ReadOnly, match="AMOEXPLORE_WRITE=1"):
            call()
    assert writes(changing) == []


def test_trial(form: InstallForm, account: Account, changing: Sandbox) -> None:
    """A trial of the form installs, says what has changed, and undoes it."""
    form.values = ASTERISK
    changes = form.trial()
    assert changes.to_numpy().tolist() == [["amo_asterisk", "is_active_in_account", False, True]]
    assert writes(changing) == ["POST", "DELETE"]
    assert not account.widget("amo_asterisk").is_active_in_account
    assert "State: Tried, and undone." in shown(form)


def test_a_trial_leaves_installed_widgets_alone(plain: InstallForm, account: Account, changing: Sandbox) -> None:
    """What was installed before is not tried."""
    account.install("amo_dropbox")
    with pytest.raises(errors.TrialError, match="was installed before this trial"):
        plain.trial()
    assert writes(changing) == ["POST"]
    assert any("was installed before this trial" in line for line in shown(plain))


def test_values_from_a_cell(form: InstallForm) -> None:
    """Values are masked; setting them fills in what they name and empties the rest; unknown keys are refused."""
    form.values = ASTERISK
    assert repr(form.values) == "Settings(login=***, password=***, phones=***, script_path=***)"
    assert find(form, "Логин").placeholder == "kept, not shown"
    with pytest.raises(errors.SettingsError, match="pasword: is no setting of this widget; did you mean password"):
        form.values = {"pasword": SECRET}
    with pytest.raises(errors.SettingsError, match="5: is no setting of this widget"):
        form.values = {5: SECRET}
    for phones in ({}, {504141: "1", "504141": "2"}):
        form.values = {"phones": phones}
        assert form.values.reveal() == {"phones": phones}
    with pytest.raises(errors.SettingsError, match=r"phones\.504141: is there twice"):
        form.submit()
    form.values = {"login": 5}
    assert list(form.values) == ["login"]
    press(form, INSTALL)
    assert "is a text, not a number" in shown(form)
    press(form, "Empty")
    assert len(form.values) == 0


def test_logins(account: Account) -> None:
    """A setting of type users_lp takes a login and a password a user; both or none."""
    form = amo.forms.install(account, str(amo.load_settings(account).query("type == 'users_lp'")["code"].iloc[0]))
    fill(form, "Орлов\u2069 (581651): login", "orlov")
    (key,) = form.values
    assert form.values.reveal() == {key: {"581651": {"login": "orlov"}}}
    press(form, "Preview")
    assert "\u2068Дмитрий Орлов\u2069 (581651) password: is required" in shown(form)
    fill(form, "Орлов\u2069 (581651): password", SECRET)
    form.preview()
    assert SECRET not in html(form)
    form.values = {key: {504141: {"login": "a", "password": SECRET, "port": "1"}}}
    with pytest.raises(errors.SettingsError, match="port: is neither login nor password"):
        form.submit()
    form.values = {key: 5}
    with pytest.raises(errors.SettingsError, match="is an object by user id"):
        form.submit()


def test_json_is_checked_as_it_is_typed(plain: InstallForm, changing: Sandbox) -> None:
    """JSON that is not finished is said to be so, without a shout; a click says what is wrong."""
    for text, said in (("{", "is not JSON yet"), ('{"mode": 1}', "JSON is right"), ("", None)):
        fill(plain, "conf", text)
        assert [line for line in shown(plain) if "JSON" in line] == ([said] if said else [])
    fill(plain, "conf", "{")
    press(plain, INSTALL)
    assert "is a number or JSON in a text; this is no JSON" in shown(plain)
    assert writes(changing) == []


def test_unknown_types() -> None:
    """A type that nobody knows takes JSON, with a warning, and sends what the JSON says."""
    template = [setting(key="odd", name="Чудо", type="colour")]
    with answering(answer(widget(1, settings_template=template))) as server:
        form = amo.forms.install(server.account(), "widget_1")
        assert "The type colour is not known here: give its value as JSON." in shown(form)
        fill(form, "Чудо", '{"r": ')
        with pytest.raises(errors.SettingsError, match="odd: is not JSON yet"):
            form.submit()
        fill(form, "Чудо", '{"r": 1}')
        assert form.values.reveal() == {"odd": {"r": 1}}
        form.values = {"odd": {"g": 2}}
        assert form.values.reveal() == {"odd": {"g": 2}}


def test_users_who_may_not_be_read(changing: Sandbox) -> None:
    """Who may not read the users gives them as JSON, and is told why."""
    form = amo.forms.install(Account(changing.url, changing.analyst_token), "amo_asterisk")
    assert "The account's users can't be read (Forbidden): give JSON by user id." in shown(form)
    fill(form, "Список телефонов", '{"504141": "1039"}')
    assert form.values.reveal() == {"phones": {"504141": "1039"}}


def test_a_thousand_users() -> None:
    """Of many users a page of rows is shown; what was typed on another page is kept; a search finds by name and id."""

    def script(request: Request) -> bytes:
        if "/users" in request.target:
            return users(request)
        return answer(widget(1, settings_template=[setting(key="phones", type="users")]))

    with ScriptedServer(script) as server:
        form = amo.forms.install(server.account(), "widget_1")
        rows = [one for one in parts(form) if isinstance(one, secret.Forgetful)]
        assert len(rows) == 10
        fill(form, "(1003): extension", "203")
        press(form, "Next users")
        assert "11–20 of 1000, 1 filled in" in shown(form)
        fill(form, "Search users", "пользователь 99")
        assert "1–10 of 11, 1 filled in" in shown(form)
        fill(form, "Search users", "1999")
        fill(form, "(1999): extension", "9")
        fill(form, "Search users", "никто")
        assert "0–0 of 0, 2 filled in" in shown(form)
        assert form.values.reveal() == {"phones": {"1003": "203", "1999": "9"}}
        fill(form, "Search users", "")
        form.values = {"phones": {1000 + n: "1" for n in range(1000)}}
        assert "1–10 of 1000, 1000 filled in" in shown(form)
        assert len([one for one in parts(form) if isinstance(one, secret.Forgetful)]) == 10


HOSTILE = '<img src=x onerror="alert(1)">'


def test_hostile_texts() -> None:
    """What a widget calls its fields is text: no HTML, no formula, not too long, and apart from what is beside it."""
    template = [
        setting(key="html", name=HOSTILE),
        setting(key="long", name="я" * 5000),
        setting(key="rtl", name="\u202eמשתמש", type=HOSTILE),
        setting(key="math", name=r"$\href{javascript:alert(1)}{x}$"),
        setting(key=None, name="keyless"),
        setting(key="lines", name="a\nb\x00c", type="users"),
    ]
    hostile_users = answer({"_embedded": {"users": [{"id": 1, "name": HOSTILE}]}})

    def script(request: Request) -> bytes:
        if "/users" in request.target:
            return hostile_users
        return answer(widget(1, version=HOSTILE, settings_template=template))

    with ScriptedServer(script) as server:
        form = amo.forms.install(server.account(), "widget_1")
        labels = [one.description for one in parts(form) if hasattr(one, "description") and one.description]
        assert not any(getattr(one, "description_allow_html", False) for one in parts(form))
        assert max(map(len, labels)) < 200
        assert not any(label.count("$") > 1 or "\\" in label or "\u202e" in label for label in labels)
        with pytest.raises(errors.SettingsError):
            form.submit()
        assert "<img" not in html(form)
        assert "&lt;img" in html(form)


def test_errors_of_callbacks_are_shown(plain: InstallForm, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw becomes the form's message, without its words, as these may hold what was typed."""

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(plain.account, "widget", breaks)
    press(plain, INSTALL)
    assert shown(plain)[-1] == "Unexpected: RuntimeError. The same call from a cell, form.submit(), shows where."
    monkeypatch.setattr(plain.second_step, "ask", breaks)
    plain._say("")
    plain._uninstall_button.click()
    assert shown(plain)[-1].startswith("Unexpected: RuntimeError.")


def test_tracebacks_show_no_value(form: InstallForm) -> None:
    """A traceback of a submit, also with %xmode Verbose, holds no value of a setting."""
    form.values = {**ASTERISK, "phones": {77: "1"}}
    with pytest.raises(errors.ValidationFailed) as raised:
        form.submit()
    assert "submit" in shown_of(raised.value)
    assert SECRET not in shown_of(raised.value)


def test_a_setting_of_values_shows_none_either(form: InstallForm) -> None:
    """A traceback of values that are refused holds none of them."""
    for wrong in ({"pasword": SECRET}, [SECRET]):
        with pytest.raises(errors.SettingsError) as raised:
            form.values = wrong
        assert SECRET not in shown_of(raised.value)


def test_display(form: InstallForm) -> None:
    """What a notebook stores of a form as text is a line that says what it is."""
    bundle: dict[str, Any] = form._repr_mimebundle_()
    assert bundle["text/plain"] == "<Form that installs amo_asterisk into sandbox on this machine>"
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_search(account: Account) -> None:
    """Without a code a search picks the widget, by a part of it; its form opens below."""
    picker = amo.forms.install(account)
    assert "The first 50 of 300 are shown." in shown(picker)
    fill(picker, "Search widgets", "STERI")
    assert find(picker, "Widgets: 1 of 300").options == ("amo_asterisk",)
    press(picker, "Open the form")
    assert picker.form is not None
    assert picker.form.code == "amo_asterisk"
    assert picker.form.box in list(parts(picker))
    fill(picker, "Search widgets by code", "nothing like it")
    assert find(picker, "Open the form").disabled
    with pytest.raises(errors.NotFound):
        picker.pick("nothing_like_it")
    assert any("no such thing" in line for line in shown(picker))
    assert repr(picker) == "<Search for a widget of sandbox on this machine>"
