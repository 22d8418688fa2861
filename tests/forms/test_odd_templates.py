from __future__ import annotations

import pytest
from fronts import fill, find, html, parts, press, shown
from scripted import ScriptedServer, answer, no_content, problem, setting, widget

import amoexplore as amo
from amoexplore import errors
from amoexplore.forms import secret

SECRET = "canary-secret"
INSTALL = "Install into"


def served(
    template: list[dict[str, object]], users: bytes | None = None, refusal: bytes | None = None
) -> ScriptedServer:
    """Return a server of one widget with this template."""

    def script(request: object) -> bytes:
        if "/users" in request.target:  # type: ignore[attr-defined]
            return users or no_content()
        if request.method == "POST" and refusal:  # type: ignore[attr-defined]
            return refusal
        return answer(widget(1, settings_template=template))

    return ScriptedServer(script)


@pytest.mark.parametrize(
    ("type_", "typed"),
    [("users_lp", '{"1": {"login": "a", "password": "canary-secret"}}'), ("token", '"canary-secret"')],
)
def test_what_may_be_secret_is_taken_as_such(type_: str, typed: str) -> None:
    """Logins without a list of users, and types that nobody knows, are typed into a line of dots, and dropped."""
    with served([setting(key="odd", name="Чудо", type=type_)], problem(403), problem(403)) as server:
        form = amo.forms.install(server.account(), "widget_1")
        line = find(form, "Чудо")
        assert isinstance(line, secret.SecretInput)
        fill(form, "Чудо", "{")
        with pytest.raises(errors.SettingsError, match="odd: is not JSON yet"):
            form.submit()
        fill(form, "Чудо", typed)
        assert "JSON is right" in shown(form)
        fill(form, "Чудо", "")
        assert SECRET in str(form.values.reveal())
        press(form, INSTALL)
        assert len(form.values) == 0
        assert line.placeholder == "dropped after the call: type it again"


def test_an_account_without_users() -> None:
    """Where there is nobody to choose, users are given as JSON."""
    with served([setting(key="phones", name="Тел", type="users")]) as server:
        form = amo.forms.install(server.account(), "widget_1")
        assert "The account has no users to choose from: give JSON by user id." in shown(form)
        assert not isinstance(find(form, "Тел"), secret.SecretInput)
        fill(form, "Тел", '{"5": "1"}')
        form.submit()


def test_settings_without_a_key() -> None:
    """A setting that has no key is shown as what it is, and no install is tried without a required one."""
    with served([setting(key=None, name="<b>Имя")]) as server:
        form = amo.forms.install(server.account(), "widget_1")
        assert "<b>Имя: the template gives this setting no key, so nothing can be sent for it." in shown(form)
        assert "This widget asks for no settings." not in shown(form)
        press(form, INSTALL)
        assert "<b>Имя: is required, but its template gives it no key to send it by" in shown(form)
    with served([setting(key=None, is_required=False)]) as server:
        amo.forms.install(server.account(), "widget_1").submit()


@pytest.mark.parametrize("types", [("pass", "text"), ("text", "pass")])
def test_a_key_twice(types: tuple[str, str]) -> None:
    """Of two settings with one key the secret one is shown."""
    with served([setting(key="a", type=type_) for type_ in types]) as server:
        form = amo.forms.install(server.account(), "widget_1")
        (line,) = (one for one in parts(form) if isinstance(one, secret.Forgetful))
        assert isinstance(line, secret.SecretInput)


def test_keys_that_begin_alike() -> None:
    """A fault belongs to the longest key that it fits."""
    with served([setting(key="a"), setting(key="a.b", name="точка")]) as server:
        form = amo.forms.install(server.account(), "widget_1")
        fill(form, "(\u2068a\u2069)", "v")
        press(form, INSTALL)
        assert shown(form).count("is required") == 1
        assert "Faults: 1" in shown(form)


def test_faults_stand_at_their_field_whatever_was_typed() -> None:
    """A refusal's path is made of keys: it is no value, though one was typed that reads the same."""
    faults = [{"request_id": "0", "errors": [{"code": "X", "path": "login", "detail": "login is too short"}]}]
    with served([setting()], refusal=problem(400, **{"validation-errors": faults})) as server:
        form = amo.forms.install(server.account(), "widget_1")
        fill(form, "Логин", "login")
        press(form, INSTALL)
        assert "*** is too short" in shown(form)
        assert "Faults: 1" in shown(form)


def test_secrets_can_be_taken_back() -> None:
    """A typed password can be forgotten; its browser copy is blank anyway, so it takes a button."""
    with served([setting(key="password", name="Пароль", type="pass")]) as server:
        form = amo.forms.install(server.account(), "widget_1")
        forget = find(form, "Forget")
        assert forget.layout.visibility == "hidden"
        fill(form, "Пароль", SECRET)
        assert forget.layout.visibility == "visible"
        press(form, "Forget")
        assert len(form.values) == 0
        assert (forget.layout.visibility, find(form, "Пароль").placeholder) == ("hidden", "")


def test_a_login_that_is_cleared_takes_its_password_with_it() -> None:
    """Clearing a login empties the user's row; editing one does not hide that its password was dropped."""
    users = answer({"_embedded": {"users": [{"id": 5, "name": "Анна"}]}})
    with served([setting(key="logins", type="users_lp")], users, problem(403)) as server:
        form = amo.forms.install(server.account(), "widget_1")
        fill(form, "login", "anna")
        fill(form, "password", SECRET)
        press(form, INSTALL)
        assert form.values.reveal() == {"logins": {"5": {"login": "anna"}}}
        fill(form, "(5): login", "anna2")
        assert find(form, "(5): password").placeholder == "dropped after the call: type it again"
        fill(form, "(5): password", SECRET)
        assert find(form, "(5): password").placeholder == "kept, not shown"
        fill(form, "(5): login", "")
        assert len(form.values) == 0
        assert find(form, "(5): password").placeholder == ""
        assert SECRET not in html(form)
