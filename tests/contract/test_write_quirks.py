"""What the page leaves open about writing, and what other pages say of the account: the rest of `quirks.toml`."""

from __future__ import annotations

import hmac
import json
import socket
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from page import VALUES, bearer, call, example, faults, listed, post, show, target_of

from amoexplore.sandbox import Link, Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from page import Answer

    from amoexplore.sandbox import Sandbox

LIST = "/api/v4/widgets"
ASTERISK = f"{LIST}/amo_asterisk"  # requires two texts, a password and extensions
DROPBOX = f"{LIST}/amo_dropbox"  # has one custom setting, `conf`, and requires nothing


def private(sandbox: Sandbox, *, installed: bool) -> str:
    """Return the code of a private widget that the administrator uploaded, or of an installed one of somebody else."""
    of_analyst = {widget["code"] for widget in listed(sandbox, sandbox.analyst_token)}
    return next(
        str(widget["code"])
        for widget in listed(sandbox)
        if widget["is_active_in_account"] is installed
        and (widget["code"] not in of_analyst or call(sandbox, f"{LIST}/{widget['code']}").status == 404)
    )


def continued(sandbox: Sandbox, *handlers: Any, data: Any = None, steps: tuple[str, ...] = ()) -> tuple[Message, ...]:
    """Return what a bot of these steps says when it goes on with these handlers and data."""
    bot = sandbox.start_bot(steps=steps)
    answer = post(sandbox, target_of(sandbox, bot), {"data": data or {}, "execute_handlers": handlers})
    assert answer.status == 202
    return sandbox.transcript(bot)


def refused(sandbox: Sandbox, *handlers: Any) -> list[tuple[str, str]]:
    """Return what is wrong with these handlers; the path begins at the first one."""
    answer = post(sandbox, target_of(sandbox, sandbox.start_bot()), {"execute_handlers": handlers})
    assert answer.status == 400
    return [(code, path.removeprefix("execute_handlers.0.params.")) for code, path in faults(answer)]


def goto(kind: str, **params: Any) -> dict[str, Any]:
    """Return a handler that goes to a step."""
    return {"handler": "goto", "params": {"type": kind, **params}}


def texts(messages: tuple[Message, ...]) -> list[str]:
    """Return the texts of messages."""
    return [message.text for message in messages]


def detail(answer: Answer) -> tuple[int, str]:
    """Return status and detail of a problem."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status, answer.json["detail"]


def test_rights_before_all_else(own: Sandbox) -> None:
    """Who is no administrator gets 403, also where nothing is and for a body that can't be read."""
    headers = {"Authorization": bearer(own.analyst_token)}
    for target in (ASTERISK, f"{LIST}/nothing", "/api/v4/salesbot/1/continue/1"):
        assert call(own, target, method="POST", body=b"{", **headers).status == 403
    assert call(own, f"{LIST}/nothing", method="DELETE", **headers).status == 403


def test_text_of_missing_rights(own: Sandbox) -> None:
    """A 403 is a problem in the page's words."""
    assert call(own, ASTERISK, method="DELETE", Authorization=bearer(own.analyst_token)).json == {
        "title": "Forbidden",
        "type": "https://httpstatus.es/403",
        "status": 403,
        "detail": "Не хватает прав для вызова данного метода",
    }


def test_an_integration_may_write(own: Sandbox) -> None:
    """The key of an integration installs and uninstalls its own private widget, and others, and lets a bot go on."""
    code = private(own, installed=True)
    headers = {"Authorization": bearer(own.integration_token(code))}
    assert call(own, f"{LIST}/{code}", method="DELETE", **headers).status == 204
    assert call(own, f"{LIST}/{code}", method="DELETE").status == 404
    assert call(own, f"{LIST}/{code}", method="DELETE", **headers).status == 204
    assert post(own, ASTERISK, example("install_request"), **headers).status == 200
    assert post(own, target_of(own, own.start_bot()), {}, **headers).status == 202


def test_which_widgets_may_be_installed(own: Sandbox) -> None:
    """What is on the administrator's list can be installed, the private widgets of others can't."""
    of_administrator = {widget["code"]: widget for widget in listed(own)}
    of_analyst = {widget["code"] for widget in listed(own, own.analyst_token)} - of_administrator.keys()
    unset = [code for code, widget in of_administrator.items() if not widget["settings_template"]]
    assert all(post(own, f"{LIST}/{code}", {}).status == 200 for code in unset)
    mine, installed = private(own, installed=False), private(own, installed=True)
    assert all(post(own, f"{LIST}/{code}", {}).status in {200, 400} for code in (mine, installed))
    assert all(post(own, f"{LIST}/{code}", {}).status == 404 for code in of_analyst)
    assert call(own, f"{LIST}/{installed}", method="DELETE").status == 204
    assert post(own, f"{LIST}/{installed}", {}).status == 404


def test_install_of_an_installed_widget(own: Sandbox) -> None:
    """The second install replaces all settings; the pipeline stays, whichever it is."""
    post(own, DROPBOX, {"conf": "1"})
    assert post(own, DROPBOX, {}).json["settings"] == []
    free = [w for w in listed(own) if w["pipeline_id"] and not any(f["is_required"] for f in w["settings_template"])]
    assert free
    for widget in free:
        assert post(own, f"{LIST}/{widget['code']}", {}).json["pipeline_id"] == widget["pipeline_id"]


def test_pipeline_of_an_install(own: Sandbox) -> None:
    """A new lead source gets the main pipeline, another widget none; uninstalled it has none."""
    pipelines = call(own, "/api/v4/leads/pipelines").json["_embedded"]["pipelines"]
    (main,) = [pipeline["id"] for pipeline in pipelines if pipeline["is_main"]]
    source = next(
        widget
        for widget in listed(own)
        if widget["is_lead_source"] and not widget["is_active_in_account"] and not widget["settings_template"]
    )
    target = f"{LIST}/{source['code']}"
    assert post(own, target, {}).json["pipeline_id"] == call(own, target).json["pipeline_id"] == main
    call(own, target, method="DELETE")
    assert call(own, target).json["pipeline_id"] is None
    assert post(own, DROPBOX, {}).json["pipeline_id"] is None


def test_settings_as_they_were_sent(own: Sandbox) -> None:
    """Values and their order are those of the request."""
    sent = dict(reversed(example("install_request").items())) | {"phones": {"581651": "", "504141": " 10 39 "}}
    assert json.dumps(post(own, ASTERISK, sent).json["settings"]) == json.dumps(sent)


def test_settings_of_an_uninstalled_widget(own: Sandbox) -> None:
    """They are gone, also for the widget's own integration."""
    widget = next(w for w in listed(own) if w["client_uuid"] and w["is_active_in_account"] and w["settings_template"])
    target, headers = f"{LIST}/{widget['code']}", {"Authorization": bearer(own.integration_token(widget["code"]))}
    assert call(own, target, **headers).json["settings"]
    call(own, target, method="DELETE")
    assert call(own, target, **headers).json["settings"] == []


@pytest.mark.parametrize("body", [b"{}", b"[]", b" { }\n"])
def test_nothing_to_set(own: Sandbox, body: bytes) -> None:
    """An empty object and an empty array install alike."""
    answer = call(own, DROPBOX, method="POST", body=body)
    assert (answer.status, answer.json["settings"]) == (200, [])


@pytest.mark.parametrize("body", [None, b"", b" \r\n"])
def test_no_body(own: Sandbox, body: bytes | None) -> None:
    """Nothing is not {}."""
    assert detail(call(own, DROPBOX, method="POST", body=body)) == (400, "Request data can not be empty")


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"{}{}", b"conf=1", b"{'conf':1}", b'{"conf":1,}', b'{"conf":01}', b'{"conf":"\n"}', b"\xef\xbb\xbf{}"),
        *(b'{"conf":NaN}', b'{"conf":-Infinity}', b'{"conf":1e999}', b'{"conf":' + b"9" * 5000 + b"}"),
        *(b'{"conf":"\xff"}', b'{"conf":"\\ud800"}', '{"conf":"1"}'.encode("utf-16")),
        *(b"[" * 513 + b"]" * 513, b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    ],
)
def test_bodies_that_are_no_json(own: Sandbox, body: bytes) -> None:
    """What can't be read for certain is 400, and nothing is installed."""
    assert detail(call(own, DROPBOX, method="POST", body=body)) == (400, "Request body is not valid JSON")
    assert call(own, DROPBOX).json["is_active_in_account"] is False
    deep = b'{"data":' + b"[" * 511 + b"]" * 511 + b"}"
    assert call(own, target_of(own, own.start_bot()), method="POST", body=deep).status == 202


@pytest.mark.parametrize("body", [b'{"conf":"1","conf":"2"}', b'{"conf":{"a":1,"a":1}}'])
def test_keys_that_stand_twice(own: Sandbox, body: bytes) -> None:
    """A body that has a key twice is none."""
    assert detail(call(own, DROPBOX, method="POST", body=body)) == (400, "Request body is not valid JSON")


@pytest.mark.parametrize("body", ["conf", 1, True, None, [1], [[]]])
def test_bodies_that_are_no_object(own: Sandbox, body: Any) -> None:
    """The fault is at the root, in an install as for a bot."""
    for target in (DROPBOX, target_of(own, own.start_bot())):
        answer = post(own, target, body)
        assert (answer.status, faults(answer)) == (400, [("InvalidType", "")])


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"])
def test_type_of_a_body(own: Sandbox, kind: str) -> None:
    """JSON is JSON, whatever it is said to be."""
    assert post(own, ASTERISK, example("install_request"), **{"Content-Type": kind}).status == 200


def test_bodies_in_chunks(own: Sandbox) -> None:
    """A body in pieces, also in pieces of letters, is one body."""
    body = json.dumps(example("install_request") | {"login": "Анна"}, ensure_ascii=False).encode()
    answer = call(own, ASTERISK, method="POST", body=(body[n : n + 1] for n in range(len(body))))
    assert (answer.status, answer.json["settings"]["login"]) == (200, "Анна")


def test_codes_of_faults(own: Sandbox) -> None:
    """Faults that have no public code have a public one, and the detail of Symfony's validator."""
    long = show("text", "я" * 81)
    many = show("buttons", "Да?", buttons=["Да"] * 26)
    answer = post(own, target_of(own, own.start_bot()), {"execute_handlers": [long, many, *[show("text", "")] * 9]})
    errors = {fault["detail"]: fault["code"] for fault in answer.json["validation-errors"][0]["errors"]}
    assert errors == {
        "This collection should contain 10 elements or less.": "NotSupportedChoice",
        "This value is too long. It should have 80 characters or less.": "NotSupportedChoice",
        "This collection should contain 25 elements or less.": "NotSupportedChoice",
        "This value should not be blank.": "FieldMissing",
    }


@pytest.mark.parametrize("key", ["conf2", "Conf", "", "a.b", "конф"])
def test_settings_that_nobody_asked_for(own: Sandbox, key: str) -> None:
    """A key that the template has not is refused."""
    answer = post(own, DROPBOX, {"conf": "1", key: "1"})
    assert (answer.status, faults(answer)) == (400, [("NotSupportedChoice", key)])


@pytest.mark.parametrize(("key", "value"), [("login", ""), ("password", ""), ("phones", {}), ("phones", [])])
def test_required_and_empty(own: Sandbox, key: str, value: Any) -> None:
    """Nothing is no value of a required setting; within it there may be nothing."""
    answer = post(own, ASTERISK, example("install_request") | {key: value})
    assert (answer.status, faults(answer)) == (400, [("FieldMissing", key)])
    assert post(own, ASTERISK, example("install_request") | {"phones": {"504141": ""}}).status == 200


@pytest.mark.parametrize("key", ["login", "password", "phones", "script_path"])
def test_null_is_a_value(own: Sandbox, key: str) -> None:
    """A setting that is null is of the wrong type."""
    answer = post(own, ASTERISK, example("install_request") | {key: None})
    assert (answer.status, faults(answer)) == (400, [("InvalidType", key)])


@pytest.mark.parametrize(
    ("value", "status"),
    [
        *((value, 200) for value in ("{}", '{"mode":"all"}', '"all"', "5", "null", " [1] ", 5, 0, -1.5)),
        *((value, 400) for value in ("all", "", "{", "NaN", '{"a":1,"a":2}', True, None, {}, {"mode": "all"}, [], [1])),
    ],
)
def test_values_of_custom(own: Sandbox, value: Any, status: int) -> None:
    """A custom setting is JSON in a text, or a number."""
    answer = post(own, DROPBOX, {"conf": value})
    assert answer.status == status
    assert status == 200 or faults(answer) == [("InvalidType", "conf")]


@pytest.mark.parametrize(
    ("phones", "path"),
    [({"504141": 1039}, "phones.504141"), ('{"504141":"1039"}', "phones"), (["1039"], "phones"), (1039, "phones")],
)
def test_users_in_other_shapes(own: Sandbox, phones: Any, path: str) -> None:
    """Extensions are texts in an object, nothing else."""
    answer = post(own, ASTERISK, example("install_request") | {"phones": phones})
    assert (answer.status, faults(answer)) == (400, [("InvalidType", path)])


@pytest.mark.parametrize("odd", [{}, {"a": "b"}, 5, None])
def test_logins_and_passwords_are_texts(own: Sandbox, odd: Any) -> None:
    """A login or a password that is none is of the wrong type."""
    widget, key = next(
        (widget, field["key"])
        for widget in listed(own)
        for field in widget["settings_template"]
        if field["type"] == "users_lp"
    )
    required = {field["key"]: VALUES[field["type"]] for field in widget["settings_template"] if field["is_required"]}
    for name in ("login", "password"):
        entry = {"login": "a", "password": "b"} | {name: odd}
        answer = post(own, f"{LIST}/{widget['code']}", required | {key: {"504141": entry}})
        assert (answer.status, faults(answer)) == (400, [("InvalidType", f"{key}.504141.{name}")])


@pytest.mark.parametrize("empty", [{}, []])
@pytest.mark.parametrize("kind", ["users", "users_lp"])
def test_users_of_nobody(own: Sandbox, kind: str, empty: Any) -> None:
    """Where users are not required, none may be given."""
    widget, key = next(
        (widget, field["key"])
        for widget in listed(own)
        for field in widget["settings_template"]
        if field["type"] == kind and not field["is_required"]
    )
    required = {field["key"]: VALUES[field["type"]] for field in widget["settings_template"] if field["is_required"]}
    answer = post(own, f"{LIST}/{widget['code']}", required | {key: empty})
    assert (answer.status, answer.json["settings"][key]) == (200, empty)


@pytest.mark.parametrize("user_id", ["1", "0504141", "504141 ", "анна", ""])
def test_users_that_the_account_has_not(own: Sandbox, user_id: str) -> None:
    """An extension of nobody is refused, all of the account's users have one."""
    users = [str(user["id"]) for user in call(own, "/api/v4/users").json["_embedded"]["users"]]
    assert post(own, ASTERISK, example("install_request") | {"phones": dict.fromkeys(users, "1")}).status == 200
    answer = post(own, ASTERISK, example("install_request") | {"phones": {user_id: "1039"}})
    assert (answer.status, faults(answer)) == (400, [("NotSupportedChoice", f"phones.{user_id}")])


def test_what_an_integration_is_not_told(own: Sandbox) -> None:
    """An integration's tokens are good before its widget is installed, and after it is uninstalled."""
    widget = next(each for each in listed(own) if each["client_uuid"] and not each["is_active_in_account"])
    keys = [own.integration_token(widget["code"]), own.oauth.grant(widget["client_uuid"]).access_token]
    body = {each["key"]: VALUES[each["type"]] for each in widget["settings_template"] if each["is_required"]}
    assert post(own, f"{LIST}/{widget['code']}", body).status == 200
    assert call(own, f"{LIST}/{widget['code']}", method="DELETE").status == 204
    assert [call(own, LIST, Authorization=bearer(key)).status for key in keys] == [200, 200]


def test_uninstall_of_what_is_not_installed(own: Sandbox) -> None:
    """It is 204, as often as one likes."""
    assert [call(own, DROPBOX, method="DELETE").status for _ in range(2)] == [204, 204]


@pytest.mark.parametrize("body", [b"[]", b"{}", b"{", b"\xff", b'{"conf":"1"}'])
def test_body_of_an_uninstall(own: Sandbox, body: bytes) -> None:
    """What is sent with DELETE is not read, and the connection goes on."""
    answer = call(own, DROPBOX, method="DELETE", body=body, **{"Content-Type": "application/json"})
    assert (answer.status, answer.body) == (204, b"")


def test_a_bot_goes_on_once(own: Sandbox) -> None:
    """The second answer is 404, also if it comes at the same time, and the bot says what the first one had."""
    bot = own.start_bot()
    with ThreadPoolExecutor(8) as pool:
        bodies = [{"execute_handlers": [show("text", str(number))]} for number in range(16)]
        answers = list(pool.map(lambda body: post(own, target_of(own, bot), body).status, bodies))
    assert sorted(answers) == [202] + [404] * 15
    assert texts(own.transcript(bot)) == [str(answers.index(202))]

    bot, address = own.start_bot(), urlsplit(own.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as slow:
        head = f"POST {target_of(own, bot)} HTTP/1.1\r\nHost: a\r\nAuthorization: {bearer(own.token)}\r\n"
        slow.sendall(f"{head}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
        assert slow.recv(1024).startswith(b"HTTP/1.1 100")  # it has found the bot, and waits for the body
        assert post(own, target_of(own, bot), {}).status == 202
        slow.sendall(b"{}")
        assert slow.recv(1024).startswith(b"HTTP/1.1 404")


def test_faults_let_a_bot_wait(own: Sandbox) -> None:
    """A 400 does not use the continue_id up."""
    bot = own.start_bot()
    assert post(own, target_of(own, bot), {"data": "success"}).status == 400
    assert own.transcript(bot) == ()
    assert post(own, target_of(own, bot), {}).status == 202


def test_text_of_a_bot_that_does_not_wait(own: Sandbox) -> None:
    """A 404 is in the page's words."""
    waiting = "Запись о виджете ожидающем результата выполнения не найдена"
    assert detail(post(own, "/api/v4/salesbot/321/continue/123", {})) == (404, waiting)


@pytest.mark.parametrize("text", ["077", "+77", "77.0", "7e1", "%2077", "%D9%A7%D9%A7", "0", "-1", "x", "9" * 5000])
def test_ids_of_bots(own: Sandbox, text: str) -> None:
    """An id has one spelling."""
    own.start_bot(bot_id=77, continue_id=77)
    for target in (f"/api/v4/salesbot/{text}/continue/77", f"/api/v4/salesbot/77/continue/{text}"):
        assert post(own, target, {}).status == 404
    assert post(own, "/api/v4/salesbot/77/continue/77", {}).status == 202


@pytest.mark.parametrize(("body", "status"), [(b"{}", 202), (b"[]", 202), (b"", 400)])
def test_nothing_to_go_on_with(own: Sandbox, body: bytes, status: int) -> None:
    """Both parameters may be left out, a body may not."""
    assert call(own, target_of(own, own.start_bot()), method="POST", body=body).status == status


def test_what_nobody_goes_on_with(own: Sandbox) -> None:
    """A key that is not the page's is refused, wherever it stands."""
    target, handler = target_of(own, own.start_bot()), goto("finish")
    for body, path in (
        ({"foo": 1}, "foo"),
        ({"execute_handlers": [handler | {"foo": 1}]}, "execute_handlers.0.foo"),
        ({"execute_handlers": [goto("finish", foo=1)]}, "execute_handlers.0.params.foo"),
    ):
        answer = post(own, target, body)
        assert (answer.status, faults(answer)) == (400, [("NotSupportedChoice", path)])


def test_data_as_a_list(own: Sandbox) -> None:
    """Values of a list are had by their positions."""
    steps = ("{{json.1}}, {{json.0}}, {{json.2}}",)
    assert texts(continued(own, data=["a", "b"], steps=steps)) == ["b, a, {{json.2}}"]


def test_what_is_put_in(own: Sandbox) -> None:
    """Texts go in as they are, all else as JSON; what data has not stays, and nothing is put into what was put in."""
    data = {"text": "{{json.number}}", "number": 1.5, "null": None, "list": ["да"], "a b": 1}
    steps = (
        "{{json.text}} {{json.number}} {{json.null}} {{json.list}} {{json.a b}}",
        "{{json.none}} {{json}} {json.a}",
    )
    assert texts(continued(own, data=data, steps=steps)) == [
        '{{json.number}} 1.5 null ["да"] 1',
        "{{json.none}} {{json}} {json.a}",
    ]


def test_data_in_handlers(own: Sandbox) -> None:
    """A long text gets into a message by way of the data, and into buttons and links."""
    data = {"long": "я" * 200, "id": 5}
    link = {"text": "№ {{json.id}}", "url": "https://example.com/{{json.id}}"}
    assert continued(
        own,
        show("text", "{{json.long}}"),
        show("buttons", "?", buttons=["№ {{json.id}}"]),
        show("buttons_url", "!", buttons=[link]),
        data=data,
    ) == (
        Message("я" * 200),
        Message("?", buttons=("№ 5",)),
        Message("!", links=(Link("№ 5", "https://example.com/5"),)),
    )


def test_characters(own: Sandbox) -> None:
    """Eighty letters of four bytes are eighty; a sign of two code points is two."""
    assert texts(continued(own, show("text", "😀" * 80))) == ["😀" * 80]
    assert refused(own, show("text", "👍🏽" * 41)) == [("NotSupportedChoice", "value")]


def test_buttons_with_links(own: Sandbox) -> None:
    """Addresses and objects with a text may stand together."""
    buttons = ["https://amocrm.ru", {"text": "amoCRM", "url": "https://amocrm.com"}]
    links = (Link("https://amocrm.ru", "https://amocrm.ru"), Link("amoCRM", "https://amocrm.com"))
    assert continued(own, show("buttons_url", "Куда?", buttons=buttons)) == (Message("Куда?", links=links),)
    assert refused(own, show("buttons", "Куда?", buttons=buttons)) == [("InvalidType", "buttons.1")]


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        (show("text", ""), ("FieldMissing", "value")),
        (show("text", None), ("InvalidType", "value")),
        (show("buttons", "?"), ("FieldMissing", "buttons")),
        (show("buttons", "?", buttons=[]), ("FieldMissing", "buttons")),
        (show("buttons", "?", buttons={}), ("InvalidType", "buttons")),
        (show("buttons", "?", buttons="да" * 26), ("InvalidType", "buttons")),
        (show("buttons", "?", buttons=["да", ""]), ("FieldMissing", "buttons.1")),
        (show("buttons_url", "?", buttons=[""]), ("FieldMissing", "buttons.0")),
        (show("buttons_url", "?", buttons=[5]), ("InvalidType", "buttons.0")),
        (show("buttons_url", "?", buttons=[{"url": "https://amocrm.ru"}]), ("FieldMissing", "buttons.0.text")),
        (show("text", "?", buttons=["да"]), ("NotSupportedChoice", "buttons")),
        (show("picture", "?"), ("NotSupportedChoice", "type")),
        (show(5, "?"), ("InvalidType", "type")),  # type: ignore[arg-type]
    ],
)
def test_what_a_button_has_to_have(own: Sandbox, handler: Any, fault: tuple[str, str]) -> None:
    """What a customer could not read, or a type of show has not, is refused."""
    assert refused(own, handler) == [fault]


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ({"type": "question"}, ("FieldMissing", "step")),
        ({"type": "answer", "step": "5"}, ("InvalidType", "step")),
        ({"type": "question", "step": 5.0}, ("InvalidType", "step")),
        ({"type": "question", "step": True}, ("InvalidType", "step")),
        ({"type": "question", "step": -1}, ("NotSupportedChoice", "step")),
        ({"type": "finish", "step": None}, ("InvalidType", "step")),
        ({"type": "question|answer|finish", "step": 5}, ("NotSupportedChoice", "type")),
        ({"step": 5}, ("FieldMissing", "type")),
    ],
)
def test_steps_of_goto(own: Sandbox, params: Any, fault: tuple[str, str]) -> None:
    """A step is a number from 0 on, only the end needs none; past the last one there is the end."""
    assert refused(own, {"handler": "goto", "params": params}) == [fault]
    assert texts(continued(own, goto("question", step=0), steps=("a", "b"))) == ["a", "b"]
    assert texts(continued(own, goto("question", step=10**30), steps=("a", "b"))) == []
    assert texts(continued(own, goto("finish"), steps=("a", "b"))) == []


def test_what_follows_a_goto(own: Sandbox) -> None:
    """What stands behind a goto is neither shown nor gone to."""
    handlers = (show("text", "1"), goto("question", step=1), show("text", "2"), goto("question", step=0))
    assert texts(continued(own, *handlers, steps=("a", "b"))) == ["1", "b"]


def test_where_a_bot_goes_on(own: Sandbox) -> None:
    """Without a goto it is the first step; an answer leads to the next one."""
    assert texts(continued(own, steps=("a", "b"))) == ["a", "b"]
    assert texts(continued(own, goto("answer", step=0), steps=("a", "b"))) == ["b"]


@pytest.fixture
def widget_server() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Return the address of a widget's server, and the types and bodies that are posted there."""
    taken: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()


def test_a_widget_is_asked(own: Sandbox, widget_server: tuple[str, list[tuple[str, bytes]]]) -> None:
    """The request is JSON of three parts, and its token says who asks, signed for the widget's integration."""
    url, taken = widget_server
    widget = next(widget for widget in listed(own) if widget["client_uuid"])
    bot = own.start_bot(url=f"{url}/hook?a=1", widget=widget["code"], data={"message": "Здравствуйте"})
    ((kind, body),) = taken
    request = json.loads(body)
    assert kind == "application/json"
    assert request.keys() == {"token", "data", "return_url"}
    assert (request["data"], request["return_url"]) == ({"message": "Здравствуйте"}, bot.return_url)
    head, payload, signature = request["token"].split(".")
    signed = hmac.digest(own.integration_secret(widget["code"]).encode(), f"{head}.{payload}".encode(), "sha512")
    assert urlsafe_b64encode(signed).decode().rstrip("=") == signature
    assert json.loads(urlsafe_b64decode(head + "==")) == {"typ": "JWT", "alg": "HS512"}
    claims = json.loads(urlsafe_b64decode(payload + "=="))
    assert claims["iat"] == claims["nbf"] < claims["exp"]
    account = call(own, "/api/v4/account").json
    assert (
        claims
        | {
            "iss": own.url,
            "aud": url,
            "account_id": account["id"],
            "subdomain": account["subdomain"],
            "client_uuid": widget["client_uuid"],
            "bot_type": "salesbot",
            "entity_type": "2",
        }
        == claims
    )
    assert isinstance(claims["entity_id"], int)


@pytest.mark.parametrize(
    ("query", "page", "count"),
    [("", 1, 5), ("?limit=2", 1, 2), ("?limit=2&page=3", 3, 1), ("?limit=251&page=x", 1, 5), ("?page=2", 2, 0)],
)
def test_pages_of_users(own: Sandbox, query: str, page: int, count: int) -> None:
    """Pages of users are as those of widgets, and say how many there are."""
    answer = call(own, f"/api/v4/users{query}")
    assert answer.status == (200 if count else 204)
    if count:
        answered = answer.json
        pages = 3 if "limit=2&" in f"{query}&" else 1
        assert list(answered) == ["_total_items", "_page", "_page_count", "_links", "_embedded"]
        assert (answered["_total_items"], answered["_page"], answered["_page_count"]) == (5, page, pages)
        assert len(answered["_embedded"]["users"]) == count
        assert ("next" in answered["_links"]) == (page < pages)


def test_a_slash_behind_users(own: Sandbox) -> None:
    """Each link of users leads to what it stands in."""
    users = call(own, "/api/v4/users").json
    assert call(own, "/api/v4/users/").json == users
    for thing in (users, *users["_embedded"]["users"]):
        href = thing["_links"]["self"]["href"]
        assert href.partition("?")[0].endswith("/")
        assert call(own, href.removeprefix(own.url)).json == thing
        assert call(own, href.removeprefix(own.url).replace("/?", "?").rstrip("/")).json == thing


def test_with(own: Sandbox) -> None:
    """What else could be asked for is not answered."""
    for target in ("account", "users", "users/504141", "leads/pipelines"):
        answers = [call(own, f"/api/v4/{target}{query}").json for query in ("", "?with=role,group,version")]
        assert answers[0] == answers[1]


def test_who_reads_users(own: Sandbox) -> None:
    """Users are for administrators and integrations, the account and pipelines for all."""
    code = next(widget["code"] for widget in listed(own) if widget["client_uuid"])
    tokens = {own.token: 200, own.integration_token(code): 200, own.analyst_token: 403, "stranger": 401}
    for target in ("/api/v4/users", "/api/v4/users/581651", "/api/v4/users/1"):
        for token, status in tokens.items():
            expected = 404 if status == 200 and target.endswith("/1") else status
            assert call(own, target, Authorization=bearer(token)).status == expected
    for target in ("/api/v4/account", "/api/v4/leads/pipelines", "/api/v4/leads/pipelines/3177727"):
        for token, status in tokens.items():
            assert call(own, target, Authorization=bearer(token)).status == (401 if status == 401 else 200)


@pytest.mark.parametrize("text", ["1", "x", "0504141", "%20"])
def test_text_of_an_unknown_user_or_pipeline(own: Sandbox, text: str) -> None:
    """What is not there is 404, and it is said what."""
    assert detail(call(own, f"/api/v4/users/{text}")) == (404, "User not found")
    assert detail(call(own, f"/api/v4/leads/pipelines/{text}")) == (404, "Pipeline not found")


def test_the_account(own: Sandbox) -> None:
    """The account is that of the API's examples, told to each caller as theirs."""
    answer = call(own, "/api/v4/account", Authorization=bearer(own.analyst_token))
    assert answer.headers["Content-Type"] == "application/hal+json"
    assert answer.json == {
        "id": 1231414,
        "name": "example",
        "subdomain": "example",
        "current_user_id": 581651,
        "country": "RU",
        "customers_mode": "segments",
        "is_unsorted_on": True,
        "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False,
        "is_technical_account": False,
        "contact_name_display_order": 1,
        "_links": {"self": {"href": f"{own.url}/api/v4/account"}},
    }
    assert call(own, "/api/v4/account").json["current_user_id"] == 504141
