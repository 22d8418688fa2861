from __future__ import annotations

import json
import pickle
from collections import UserDict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import numpy as np
import pandas as pd
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import DROP, SILENCE, TOKEN, ScriptedServer, answer, answering, no_content, problem, setting, widget
from templates import faulty, valid
from tracebacks import shown

import amoexplore as amo
from amoexplore import Account, Sandbox, checks, errors
from amoexplore.models import Request, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECRET = "canary-secret"
ASTERISK = {"login": "example", "password": SECRET, "phones": {504141: "1039"}, "script_path": "https://example.com/"}


@pytest.fixture
def account(changing: Sandbox) -> Account:
    """Return the administrator's account on it, as new."""
    changing.reset()
    return Account(changing.url, changing.token)


def test_install_and_uninstall(account: Account, changing: Sandbox) -> None:
    """The example of «Установка виджета в аккаунт», and back again; both say the type that the page wants of them."""
    installed = account.install("amo_asterisk", ASTERISK)
    assert (installed.id, installed.is_active_in_account) == (972, True)
    assert installed.settings is not None
    assert installed.settings.reveal() == {**ASTERISK, "phones": {"504141": "1039"}}
    assert account.widget("amo_asterisk").is_active_in_account
    account.uninstall("amo_asterisk")
    assert not account.widget("amo_asterisk").is_active_in_account
    writes = [logged for logged in changing.requests[-6:] if logged.method != "GET"]
    assert [logged.headers["content-type"] for logged in writes] == ["application/json"] * 2


def test_install_shows_no_value(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """What comes back of an install is masked wherever it is shown; where it went is said."""
    installed = account.install("amo_asterisk", ASTERISK)
    assert SECRET not in f"{installed} {installed.settings} {installed._repr_html_()}"
    account.uninstall("amo_asterisk")
    with pytest.raises(errors.NotFound):
        account.continue_bot(1, 2)
    assert capsys.readouterr().out.splitlines() == [
        "sandbox on this machine: install amo_asterisk",
        "sandbox on this machine: uninstall amo_asterisk",
        "sandbox on this machine: continue salesbot 1 at 2",
    ]


def test_install_of_what_only_the_list_has(account: Account, changing: Sandbox) -> None:
    """A private widget of others that the account has is 404 by its code; it can be set anew as the list gives it."""
    page = account.widgets_page(2, limit=250)
    private = next(each for each in page.widgets if each.is_active_in_account and len(each.code) == 40)
    with pytest.raises(errors.NotFound):
        account.install(private.code)
    before = len(changing.requests)
    values = {"text": "x", "pass": "x", "custom": 5, "users": {504141: "1"}}
    settings = {str(each.key): values[str(each.type)] for each in private.settings_template}
    assert account.install(private, settings).is_active_in_account
    assert [logged.method for logged in changing.requests[before:]] == ["POST"]
    with pytest.raises(errors.SettingsError):
        account.install(private, {"nothing": 1})


def test_install_without_settings(account: Account) -> None:
    """A widget that requires nothing is installed without settings."""
    assert account.install("amo_dropbox").is_active_in_account


def test_dry_run(account: Account, changing: Sandbox) -> None:
    """A dry run checks everything, shows the request masked, and sends no write."""
    request = account.install("amo_asterisk", ASTERISK, dry_run=True)
    assert isinstance(request, Request)
    assert repr(request).splitlines() == [
        f"POST {changing.url}/api/v4/widgets/amo_asterisk",
        "Authorization: Bearer ***",
        "Content-Type: application/json",
        "",
        "{",
        '  "login": "***",',
        '  "password": "***",',
        '  "phones": {',
        '    "504141": "***"',
        "  },",
        '  "script_path": "***"',
        "}",
    ]
    assert "&quot;504141&quot;: &quot;***&quot;" in request._repr_html_()
    assert repr(account.uninstall("amo_asterisk", dry_run=True)).splitlines() == [
        f"DELETE {changing.url}/api/v4/widgets/amo_asterisk",
        "Authorization: Bearer ***",
        "Content-Type: application/json",
    ]
    assert SECRET not in repr(request) + request._repr_html_()
    assert {logged.method for logged in changing.requests} == {"GET"}
    with pytest.raises(errors.SettingsError):
        account.install("amo_asterisk", {}, dry_run=True)


def test_faults_never_leave_the_machine(account: Account, changing: Sandbox) -> None:
    """Settings that the template does not allow are one error with all faults, and nothing is sent."""
    with pytest.raises(errors.SettingsError) as raised:
        account.install("amo_asterisk", {"login": 5, "password": SECRET, "phone": {}})
    assert str(raised.value) == (
        "Nothing was sent to install amo_asterisk, there are 4 faults:\n"
        "  phone: is no setting of this widget; did you mean phones?\n"
        "  login: is a text, not a number\n"
        "  phones: is required\n"
        "  script_path: is required\n"
        "It takes login (text, required), password (pass, required), phones (users, required), "
        "script_path (text, required)."
    )
    assert [fault["path"] for fault in raised.value.errors] == ["phone", "login", "phones", "script_path"]
    assert {logged.method for logged in changing.requests} == {"GET"}


def test_what_the_api_refuses(account: Account) -> None:
    """Faults that only the API can see come back as one error, with their paths."""
    with pytest.raises(errors.ValidationFailed, match=r"\n  phones.77: ") as raised:
        account.install("amo_asterisk", {**ASTERISK, "phones": {77: "1"}})
    assert [(f["code"], f["path"]) for f in raised.value.errors] == [("NotSupportedChoice", "phones.77")]
    assert isinstance(raised.value, ValueError)
    assert SECRET not in str(raised.value)


def test_analyst_may_not_write(changing: Sandbox) -> None:
    """Who is no administrator is told about rights."""
    analyst = Account(changing.url, changing.analyst_token)
    for write in (lambda: analyst.install("amo_dropbox"), lambda: analyst.uninstall("amo_dropbox")):
        with pytest.raises(errors.Forbidden, match="administrator's token"):
            write()


def test_unknown_widgets(account: Account) -> None:
    """What is not there can be neither installed nor uninstalled."""
    for write in (lambda: account.install("amo_dropbx"), lambda: account.uninstall("amo_dropbx")):
        with pytest.raises(errors.NotFound):
            write()


WRITES: list[Callable[[Account], object]] = [
    lambda account: account.install("amo_dropbox"),
    lambda account: account.uninstall("amo_dropbox"),
    lambda account: account.continue_bot(1, 2),
]


@pytest.mark.parametrize("write", WRITES)
def test_read_only(changing: Sandbox, write: Callable[[Account], object]) -> None:
    """A read-only account sends no write and nothing else, and says how to open it."""
    changing.reset()
    with pytest.raises(errors.ReadOnly, match=r"write=True\) or AMOEXPLORE_WRITE=1"):
        write(Account(changing.url, changing.token, write=False))
    assert changing.requests == ()


def test_what_is_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real account is read-only unless opened; a sandbox on this machine is open; displays tell."""
    real = ("https://example.amocrm.ru", TOKEN)
    assert not Account(*real).writable
    assert not amo.connect(*real).writable
    assert amo.connect(*real, write=True).writable
    assert Account("http://127.0.0.1:1", TOKEN).writable
    monkeypatch.setenv("AMOEXPLORE_WRITE", "1")
    assert amo.connect(*real).writable
    assert not amo.connect(*real, write=False).writable
    assert "read-only" in repr(Account(*real))
    assert "AMOEXPLORE_WRITE=1" in Account(*real)._repr_html_()


@pytest.mark.parametrize("write", ["no", "0", "", 1, 0])
def test_what_says_neither_yes_nor_no(write: Any) -> None:
    """Whatever else is given than a flag opens no account: "no" would."""
    for connect in (Account, amo.connect):
        with pytest.raises(TypeError, match=f"write is True, False or None, .* not {write!r}"):
            connect("https://example.amocrm.ru", TOKEN, write=write)


def lost(said: bytes, *, installed: bool) -> Callable[[Any], bytes]:
    """Return a script that answers reads, and a write with this."""

    def script(request: Any) -> bytes:
        reads = answer(widget(1, settings_template=[], is_active_in_account=installed))
        return reads if request.method == "GET" else said

    return script


@pytest.mark.parametrize(
    "said",
    [DROP, SILENCE, problem(500), problem(503), problem(504), problem(408), answer(b"<html>"), answer(b'{"id": 1')],
)
@pytest.mark.parametrize(("installed", "found"), [(True, "the widget is installed"), (False, "is not installed")])
def test_lost_answers(said: bytes, installed: bool, found: str) -> None:  # noqa: FBT001
    """A write whose answer is lost is sent once, and the error says how things are and how to find out."""
    with ScriptedServer(lost(said, installed=installed)) as server:
        with pytest.raises(errors.OutcomeUnknown, match=found) as raised:
            server.account(timeout=0.2).install("widget_1")
        assert [request.method for request in server.requests] == ["GET", "POST", "GET"]
    assert "account.widget('widget_1').is_active_in_account" in str(raised.value)
    assert "was sent once" in str(raised.value)


@pytest.mark.parametrize("said", [problem(501), problem(429), problem(403), problem(404), answer(b"", 302)])
def test_refused_writes_are_not_sent_again(said: bytes) -> None:
    """A write that is refused for whatever reason is sent once, and its outcome is known."""
    with ScriptedServer(lost(said, installed=False)) as server:
        with pytest.raises(errors.AmoError) as raised:
            server.account().install("widget_1")
        assert not isinstance(raised.value, errors.OutcomeUnknown)
        assert [request.method for request in server.requests] == ["GET", "POST"]


def test_lost_answer_and_lost_look() -> None:
    """Where the account can't even be asked, the error says so."""
    said = [answer(widget(1, settings_template=[])), DROP]
    with answering(*said) as server, pytest.raises(errors.OutcomeUnknown, match="could not be asked just now"):
        server.account().install("widget_1")


@pytest.mark.parametrize("users", [pd.Series(["1039"], index=[504141]), np.array(["1", "2"]), pd.DataFrame({"a": [1]})])
def test_users_that_are_a_table(account: Account, users: object) -> None:
    """What pandas has in place of an object is a fault, and no traceback shows the settings beside it."""
    with pytest.raises(errors.SettingsError, match=f"phones: is an object by .*, not {type(users).__name__}") as raised:
        account.install("amo_asterisk", {**ASTERISK, "phones": users})
    assert SECRET not in shown(raised.value)


@pytest.mark.parametrize("kind", [MappingProxyType, UserDict])
def test_logins_of_any_mapping(kind: Callable[[dict[str, str]], Mapping[str, str]]) -> None:
    """Every mapping is an object, at any depth, as the settings themselves are."""
    template = [setting(key="logins", type="users_lp"), setting(key="conf", type="custom")]
    given = {"logins": kind({"504141": kind({"login": "a", "password": SECRET})}), "conf": kind({"a": kind({})})}
    with answering(answer(widget(1, settings_template=template))) as server:
        request = server.account().install("widget_1", kind(given), dry_run=True)
    assert json.loads(request.content.reveal()) == {
        "logins": {"504141": {"login": "a", "password": SECRET}},
        "conf": '{"a": {}}',
    }
    assert SECRET not in repr(request)


@pytest.mark.parametrize(
    "said", [problem(400), problem(500), DROP, SILENCE, answer(b"{"), answer(widget(1, id=None, settings=ASTERISK))]
)
@pytest.mark.parametrize("password", [SECRET, 5])
def test_tracebacks_do_not_show_settings(said: bytes, password: object) -> None:
    """A traceback with the locals of every frame of ours holds no value of a setting, whatever went wrong."""
    template = [setting(key="password", type="pass"), setting(key="login")]

    def script(request: Any) -> bytes:
        return answer(widget(1, settings_template=template)) if request.method == "GET" else said

    with ScriptedServer(script) as server, pytest.raises(errors.AmoError) as raised:
        server.account(timeout=0.2).install("widget_1", {"login": SECRET, "password": password})
    traceback = shown(raised.value)
    assert "install" in traceback
    assert SECRET not in traceback
    assert TOKEN not in traceback


@pytest.fixture(scope="module")
def widgets_with_settings(changing: Sandbox) -> list[amo.Widget]:
    """Return a widget for each template that the sandbox has."""
    changing.reset()
    pages = (Account(changing.url, changing.token).widgets_page(number, 250) for number in (1, 2))
    everything = [w for page in pages for w in page.widgets if not w.is_active_in_account and len(w.code) < 40]
    return list({w.settings_template: w for w in everything}.values())


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
def test_whatever_is_valid_installs(
    data: st.DataObject, account: Account, widgets_with_settings: list[amo.Widget]
) -> None:
    """Every template and every valid value of it installs."""
    chosen = data.draw(st.sampled_from(widgets_with_settings))
    sent = data.draw(valid(chosen.settings_template))
    installed = account.install(chosen.code, sent)
    assert installed.is_active_in_account
    assert (installed.settings or Settings({})).reveal() == checks.settings_body(
        chosen.settings_template, Settings(sent)
    )


@given(data=st.data())
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
def test_whatever_is_wrong_is_refused_alike(
    data: st.DataObject, account: Account, changing: Sandbox, widgets_with_settings: list[amo.Widget]
) -> None:
    """Every single fault is refused by its path, here before it is sent, and by the API if it is sent."""
    chosen = data.draw(st.sampled_from(widgets_with_settings))
    sent, path = data.draw(faulty(chosen.settings_template))
    with pytest.raises(errors.SettingsError) as raised:
        account.install(chosen.code, sent)
    custom = {field.key for field in chosen.settings_template if field.type == "custom"}
    objects = {key: json.dumps(value) for key, value in sent.items() if key in custom and isinstance(value, dict)}
    raw = requests.post(
        f"{changing.url}/api/v4/widgets/{chosen.code}",
        data=json.dumps(sent | objects),
        headers={"Authorization": f"Bearer {changing.token}", "Content-Type": "application/json"},
        timeout=10,
    )
    assert raw.status_code == 400
    theirs = [fault["path"] for group in raw.json()["validation-errors"] for fault in group["errors"]]
    assert [path] == [fault["path"] for fault in raised.value.errors] == theirs


def test_bot_goes_on(account: Account, changing: Sandbox) -> None:
    """The example of «Подтверждение выполнения блока виджета в Salesbot»: the customer reads what was sent."""
    bot = changing.start_bot(steps=[*"01234", "{{json.status}}"])
    handlers = [
        amo.show_text("Здесь текст"),
        amo.show_buttons("Нажми на кнопку", [f"{number}ая кнопка" for number in range(1, 26)]),
        amo.show_links("Кнопки со ссылками", ["https://amocrm.ru", "https://amocrm.com"]),
        amo.goto("question", step=5),
    ]
    account.continue_bot(bot.bot_id, bot.continue_id, bot="salesbot", data={"status": "success"}, handlers=handlers)
    read = changing.transcript(bot)
    assert [message.text for message in read] == [
        "Здесь текст",
        "Нажми на кнопку",
        "Кнопки со ссылками",
        "success",
    ]
    with pytest.raises(errors.NotFound):
        account.continue_bot(bot.bot_id, bot.continue_id)


def test_bot_by_its_return_url(account: Account, changing: Sandbox) -> None:
    """The return_url of a widget_request says where to go on."""
    bot = changing.start_bot("marketingbot")
    account.continue_url(bot.return_url, handlers=[amo.show_links("a", {"amo": "https://amocrm.ru"})])
    assert [message.text for message in changing.transcript(bot)] == ["a"]


@pytest.mark.parametrize(
    "url", ["https://evil.example/api/v4/salesbot/1/continue/2", "{}/api/v4/salesbot/1", "x", "{}", "http://["]
)
def test_return_urls_of_others(account: Account, changing: Sandbox, url: str) -> None:
    """A token goes to its own account, whatever a return_url says."""
    with pytest.raises(ValueError, match="is no return_url of sandbox on this machine"):
        account.continue_url(url.format(changing.url))
    with pytest.raises(ValueError, match="None is no return_url of sandbox on this machine"):
        account.continue_url(None)  # type: ignore[arg-type]
    assert changing.requests == ()


def test_handlers_never_leave_the_machine(account: Account, changing: Sandbox) -> None:
    """Handlers that the page forbids are one error with all faults, and nothing is sent."""
    with pytest.raises(errors.HandlersError, match="there are 2 faults") as raised:
        account.continue_bot(1, 2, data="x", handlers=[amo.show_text("я" * 81)])  # type: ignore[arg-type]
    assert [fault["path"] for fault in raised.value.errors] == ["data", "execute_handlers.0.params.value"]
    for data in ({None: 1}, {True: 1}, [{1: "a", "1": "b"}], {"a": float("nan")}):
        with pytest.raises(errors.HandlersError, match=r"data: (has a key that is no text|can't be sent)"):
            account.continue_bot(1, 2, data=data)  # type: ignore[arg-type]
    assert account.continue_bot(1, 2, data={1: "a"}, dry_run=True)
    with pytest.raises(ValueError, match="bot is salesbot or marketingbot"):
        account.continue_bot(1, 2, bot="chatbot")  # type: ignore[arg-type]
    assert changing.requests == ()


def test_what_pandas_has_is_sent(account: Account, changing: Sandbox) -> None:
    """Numbers and texts of a frame go where Python's own do; what is no JSON is a fault."""
    bot = changing.start_bot(steps=["{{json.mean}} {{json.count}} {{json.first}}"])
    column = amo.load_widgets(account)["rating"]
    first = column.astype("object").to_numpy(dtype="U")[0]
    account.continue_bot(
        bot.bot_id, bot.continue_id, data={"mean": column.mean(), "count": column.count(), "first": first}
    )
    assert changing.transcript(bot)[0].text == f"{column.mean()} {column.count()} {first}"
    asterisk = ASTERISK | {"login": np.str_("bob"), "phones": {504141: np.str_("1039")}}
    assert account.install("amo_asterisk", asterisk).is_active_in_account
    for odd in (pd.NA, np.bool_(True), column):  # noqa: FBT003  numpy's own
        with pytest.raises(errors.HandlersError, match="data: can't be sent as JSON"):
            account.continue_bot(1, 2, data={"a": odd})


@pytest.mark.parametrize("number", ["77", 7.0, True, None])
def test_numbers_of_bots(account: Account, number: Any) -> None:
    """Where a bot waits is two whole numbers, and what is none is named."""
    with pytest.raises(TypeError, match="bot_id is a whole number, not"):
        account.continue_bot(number, 1, dry_run=True)
    with pytest.raises(TypeError, match="continue_id is a whole number, not"):
        account.continue_bot(1, number, dry_run=True)


def test_bot_dry_run(account: Account, changing: Sandbox) -> None:
    """A dry run shows what would be sent to the bot."""
    request = repr(account.continue_bot(1, 2, data={"a": 1}, handlers=[amo.goto("finish")], dry_run=True))
    assert '"data": {\n    "a": 1\n  }' in request
    assert '"params": {\n        "type": "finish"' in request
    assert changing.requests == ()


def test_lost_answer_of_a_bot() -> None:
    """Where a bot's answer is lost, the error says how to find out."""
    with answering(DROP) as server:
        with pytest.raises(errors.OutcomeUnknown, match="if that answers 404, the first one had arrived"):
            server.account().continue_bot(1, 2)
        assert len(server.requests) == 1


def test_me_users_pipelines(account: Account) -> None:
    """What forms need to offer choices: who I am, the users, the pipelines."""
    me = account.me()
    users = {user.id: user for user in account.users()}
    assert users[me.current_user_id].rights.is_admin
    assert {504141, 581651} <= users.keys()
    main = [pipeline for pipeline in account.pipelines() if pipeline.is_main]
    assert len(main) == 1
    assert {142, 143} <= {status.id for status in main[0].statuses}


def test_lead_source_gets_a_pipeline(account: Account) -> None:
    """A source of leads that is installed brings them to a pipeline of the account."""
    widgets = amo.load_widgets(account)
    free = widgets[widgets["is_lead_source"] & ~widgets["is_active_in_account"] & (widgets["required_count"] == 0)]
    installed = account.install(free["code"].iloc[0])
    assert installed.pipeline_id in {pipeline.id for pipeline in account.pipelines()}


def test_analyst_may_not_read_users(changing: Sandbox) -> None:
    """Users are for administrators, the account for everybody."""
    analyst = Account(changing.url, changing.analyst_token)
    assert analyst.me().current_user_id == 581651
    with pytest.raises(errors.Forbidden):
        analyst.users()


@pytest.mark.parametrize("body", [{}, {"_embedded": {}}, {"_embedded": []}, {"_embedded": {"pipelines": [{"id": 1}]}}])
def test_users_and_pipelines_of_another_shape(body: object) -> None:
    """An answer without users, or pipelines, is no answer of the API's."""
    with answering(answer(body)) as server:
        for ask in (server.account().users, server.account().pipelines):
            with pytest.raises(errors.BadAnswer, match="was expected"):
                ask()


def test_many_users() -> None:
    """Users come by pages of 250, until one is not full."""

    def script(request: Any) -> bytes:
        first = (request.page - 1) * 250
        numbers = range(first + 1, min(first + 250, 500) + 1)
        if not numbers:
            return no_content()
        return answer({"_embedded": {"users": [{"id": n, "name": "x", "rights": {"is_admin": True}} for n in numbers]}})

    with ScriptedServer(script) as server:
        assert [user.id for user in server.account().users()] == list(range(1, 501))


@pytest.mark.parametrize("always_next", [False, True])
def test_users_of_a_server_that_grants_fewer(*, always_next: bool) -> None:
    """Pages that are shorter than asked for go on as long as one names the next; 204 ends them also where all do."""

    def script(request: Any) -> bytes:
        numbers = range(1, 121)[(request.page - 1) * 50 : request.page * 50]
        if not numbers:
            return no_content()
        following = {"next": {"href": f"/api/v4/users/?limit=50&page={request.page + 1}"}}
        links = following if request.page < 3 or always_next else {}
        return answer({"_links": links, "_embedded": {"users": [{"id": n, "name": "x"} for n in numbers]}})

    with ScriptedServer(script) as server:
        assert [user.id for user in server.account().users()] == list(range(1, 121))
        assert len(server.requests) == (4 if always_next else 3)


@pytest.mark.parametrize("links", [{}, [], None, {"next": {"href": "/api/v4/users/?page=2"}}])
def test_users_that_never_end(links: object) -> None:
    """A page that brings nobody new is the last one, whatever it says of itself; each user is there once."""
    page = [{"id": number, "name": "x"} for number in range(250)]
    with answering(answer({"_links": links, "_embedded": {"users": page}})) as server:
        assert len(server.account().users()) == 250
        assert len(server.requests) == 2


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"id": "x"}', b'{"_embedded": {"users": 5}}'])
@pytest.mark.parametrize("ask", ["me", "users", "pipelines"])
def test_odd_answers(body: bytes, ask: str) -> None:
    """What is no account, no user and no pipeline is told as such."""
    with answering(answer(body)) as server, pytest.raises(errors.BadAnswer, match="the JSON is"):
        getattr(server.account(), ask)()


@pytest.mark.parametrize("said", [answer(b"<html>ok</html>", 200, "text/html"), DROP, problem(500)])
def test_lost_answers_of_an_uninstall(said: bytes) -> None:
    """An uninstall whose answer is lost, or is a web page, may have happened or not."""
    with ScriptedServer(lost(said, installed=True)) as server:
        with pytest.raises(errors.OutcomeUnknown, match="the request to uninstall widget_1 was sent once"):
            server.account().uninstall("widget_1")
        assert [request.method for request in server.requests] == ["DELETE", "GET"]


@pytest.mark.parametrize("said", [no_content(), answer({}, 200), answer({}, 202)])
def test_success_is_success(said: bytes) -> None:
    """Kommo is said to answer 200 and {} where the API's page has 204."""
    with answering(said) as server:
        assert server.account().uninstall("widget_1") is None


def test_settings_that_are_none() -> None:
    """Settings that are no mapping are told by their type, without their values."""
    with pytest.raises(errors.SettingsError, match="not of type list") as raised:
        Account("http://127.0.0.1:9", TOKEN).install("x", [SECRET])  # type: ignore[call-overload]
    assert SECRET not in shown(raised.value)


def test_masks_are_not_installed(account: Account) -> None:
    """Settings that were read are masked; to send them back would make the mask the password."""
    installed = account.install("amo_asterisk", ASTERISK)
    assert installed.settings is not None
    with pytest.raises(errors.SettingsError, match="login: is a mask, not a value"):
        account.install("amo_asterisk", {**installed.settings, "phones": {504141: "1"}})
    assert account.install("amo_asterisk", installed.settings).settings == installed.settings


def test_settings_are_not_pickled(account: Account) -> None:
    """Neither settings nor what has them goes to another process in clear."""
    installed = account.install("amo_asterisk", ASTERISK)
    for thing in (installed, installed.settings):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(thing)


def test_a_missing_key_shows_no_other() -> None:
    """A mistyped key of settings is a KeyError that shows nothing of the others."""
    masked = Settings({"password": SECRET})
    with pytest.raises(KeyError) as raised:
        masked["pasword"]
    assert SECRET not in shown(raised.value)


def test_an_api_that_repeats_what_it_got() -> None:
    """A refusal that quotes a value that was sent is shown without it."""
    faults = [{"code": "X", "path": "login", "detail": f"{SECRET} is taken"}]
    said = problem(400, detail=f"not {SECRET}", **{"validation-errors": [{"errors": faults}]})

    def script(request: Any) -> bytes:
        return answer(widget(1, settings_template=[setting()])) if request.method == "GET" else said

    with ScriptedServer(script) as server, pytest.raises(errors.ValidationFailed) as raised:
        server.account().install("widget_1", {"login": SECRET})
    assert raised.value.errors == ({"code": "X", "path": "login", "detail": "*** is taken"},)
    assert SECRET not in shown(raised.value) + f"{raised.value.detail} {vars(raised.value)}"


@pytest.mark.parametrize(
    ("status", "kind", "value", "said"),
    [
        *((status, "text", SECRET, SECRET) for status in (400, 403, 500, 302)),
        (400, "text", f'"{SECRET} я', json.dumps(f'"{SECRET} я')),
        (302, "text", f"{SECRET} я&", f"/?login={quote_plus(f'{SECRET} я&')}"),
        (400, "custom", 70_391_845, "70391845"),
        (500, "custom", {"pin": ["7039-1845"]}, "7039-1845"),
        (500, "custom", '{"pin": "7039-1845"}', "7039-1845"),
    ],
)
def test_whatever_repeats_what_it_got(status: int, kind: str, value: Any, said: str) -> None:
    """Whatever an answer makes of an install, and however it quotes a value, nothing shows that."""
    form = setting(type=kind)
    repeated = problem(status, detail=f"not {said}").replace(b"\r\n", f"\r\nLocation: {said}\r\n".encode(), 1)

    def script(request: Any) -> bytes:
        return answer(widget(1, settings_template=[form])) if request.method == "GET" else repeated

    with ScriptedServer(script) as server, pytest.raises(errors.AmoError) as raised:
        server.account().install("widget_1", {"login": value})
    told = shown(raised.value)
    assert "***" in str(raised.value)
    assert not [secret for secret in (SECRET, "70391845", "7039-1845", said) if secret in told]


def test_an_address_in_other_letters(account: Account, changing: Sandbox) -> None:
    """A host is the same in capitals."""
    bot = changing.start_bot()
    url = bot.return_url.replace("127.0.0.1", "LOCALHOST")
    Account(changing.url.replace("127.0.0.1", "localhost"), changing.token).continue_url(url)
    with pytest.raises(errors.NotFound):
        account.continue_url(bot.return_url)
