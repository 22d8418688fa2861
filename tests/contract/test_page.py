"""The API's page as a checklist: each statement about what the server does, a test that names its section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from page import VALUES, bearer, call, example, faults, listed, pages, post, show, target_of

from amoexplore.sandbox import Link, Message

if TYPE_CHECKING:
    from amoexplore.sandbox import Sandbox
    from amoexplore.sandbox.bots import BotKind

LIST = "/api/v4/widgets"
FIELDS = [
    *("id", "code", "version", "rating", "settings_template", "is_lead_source", "is_work_with_dp", "is_crm_template"),
    *("client_uuid", "is_active_in_account", "pipeline_id", "_links"),
]


class TestList:
    """Section «Список виджетов»."""

    def test_example(self, sandbox: Sandbox) -> None:
        """«Список виджетов», пример ответа: the first two widgets are answered as there."""
        assert call(sandbox, f"{LIST}?limit=2").json == example("list", sandbox.url)

    def test_order_of_keys(self, sandbox: Sandbox) -> None:
        """«Список виджетов», пример ответа: keys come in its order, in the page and in its widgets."""
        page = call(sandbox, f"{LIST}?limit=2").json
        assert list(page) == ["_page", "_links", "_embedded"]
        assert [list(widget) for widget in page["_embedded"]["widgets"]] == [FIELDS, FIELDS]

    def test_aggregate(self, sandbox: Sandbox) -> None:
        """«Список виджетов», описание: public widgets, installed ones and those uploaded by the user, nobody else's."""
        administrator = {widget["code"]: widget for widget in listed(sandbox)}
        analyst = {widget["code"]: widget for widget in listed(sandbox, sandbox.analyst_token)}
        uploaded_by_administrator = administrator.keys() - analyst.keys()
        uploaded_by_analyst = analyst.keys() - administrator.keys()
        assert uploaded_by_administrator
        assert uploaded_by_analyst
        assert not any(administrator[code]["is_active_in_account"] for code in uploaded_by_administrator)
        assert not any(analyst[code]["is_active_in_account"] for code in uploaded_by_analyst)

    def test_everybody(self, sandbox: Sandbox) -> None:
        """«Список виджетов», ограничения: the method is there for all users."""
        code = next(widget["code"] for widget in listed(sandbox) if widget["client_uuid"])
        for token in (sandbox.token, sandbox.analyst_token, sandbox.integration_token(code)):
            assert call(sandbox, LIST, Authorization=bearer(token)).status == 200

    def test_page(self, sandbox: Sandbox) -> None:
        """«Список виджетов», GET параметры: page is the page of the selection."""
        both = call(sandbox, f"{LIST}?limit=4").json["_embedded"]["widgets"]
        second = call(sandbox, f"{LIST}?limit=2&page=2").json
        assert second["_page"] == 2
        assert second["_embedded"]["widgets"] == both[2:]

    @pytest.mark.parametrize("limit", [1, 2, 50, 249, 250])
    def test_limit(self, sandbox: Sandbox, limit: int) -> None:
        """«Список виджетов», GET параметры: limit is how many there are in an answer, 250 at most."""
        assert len(call(sandbox, f"{LIST}?limit={limit}").json["_embedded"]["widgets"]) == limit

    def test_content_type(self, sandbox: Sandbox) -> None:
        """«Список виджетов», заголовок типа данных: application/hal+json, application/problem+json, and no more."""
        assert call(sandbox, LIST).headers["Content-Type"] == "application/hal+json"
        assert call(sandbox, LIST, Authorization="").headers["Content-Type"] == "application/problem+json"

    def test_unauthorized(self, sandbox: Sandbox) -> None:
        """«Список виджетов», HTTP коды ответа: 401 for who is nobody."""
        assert call(sandbox, LIST, Authorization="").status == 401

    def test_types(self, sandbox: Sandbox) -> None:
        """«Список виджетов», параметры ответа: every field has the type that the table gives it."""
        for widget in listed(sandbox):
            assert isinstance(widget["id"], int)
            assert isinstance(widget["code"], str)
            assert isinstance(widget["version"], str)
            flags = ("is_lead_source", "is_work_with_dp", "is_crm_template", "is_active_in_account")
            assert all(isinstance(widget[flag], bool) for flag in flags)
            assert isinstance(widget["client_uuid"], str | None)
            assert isinstance(widget["settings_template"], list)

    def test_settings_template(self, sandbox: Sandbox) -> None:
        """«Список виджетов», параметры ответа: a field has key, name, type and is_required; its type is one of five."""
        fields = [field for widget in listed(sandbox) for field in widget["settings_template"]]
        assert {tuple(field) for field in fields} == {("key", "name", "type", "is_required")}
        assert {field["type"] for field in fields} == {"text", "pass", "custom", "users", "users_lp"}
        assert {field["is_required"] for field in fields} == {True, False}

    def test_links(self, sandbox: Sandbox) -> None:
        """«Список виджетов», пример ответа: self on every page, next on every page but the last."""
        answers = list(pages(sandbox, limit=100))
        hrefs = [f"{sandbox.url}{LIST}?limit=100&page={number}" for number in (1, 2, 3)]
        assert [page["_links"]["self"]["href"] for page in answers] == hrefs
        assert [page["_links"].get("next", {}).get("href") for page in answers] == [*hrefs[1:], None]


class TestDetail:
    """Section «Информация о виджете по его коду»."""

    def test_example(self, sandbox: Sandbox) -> None:
        """«Информация о виджете по его коду», пример ответа: amo_dropbox is answered as there."""
        answer = call(sandbox, f"{LIST}/amo_dropbox").json
        assert answer == example("widget", sandbox.url)
        assert list(answer) == FIELDS

    def test_same_as_listed(self, sandbox: Sandbox) -> None:
        """«Информация о виджете по его коду», параметры ответа: the same model as in the list."""
        widgets = call(sandbox, f"{LIST}?limit=10").json["_embedded"]["widgets"]
        assert [call(sandbox, f"{LIST}/{widget['code']}").json for widget in widgets] == widgets

    def test_uploaded_by_the_user(self, sandbox: Sandbox) -> None:
        """«Информация о виджете по его коду», описание: a private widget is there for who uploaded it alone."""
        administrator, analyst = (
            {w["code"] for w in listed(sandbox, t)} for t in (sandbox.token, sandbox.analyst_token)
        )
        code = min(administrator - analyst)
        assert call(sandbox, f"{LIST}/{code}").status == 200
        assert call(sandbox, f"{LIST}/{code}", Authorization=bearer(sandbox.analyst_token)).status == 404

    def test_everybody(self, sandbox: Sandbox) -> None:
        """«Информация о виджете по его коду», ограничения: the method is there for all users."""
        for token in (sandbox.token, sandbox.analyst_token):
            assert call(sandbox, f"{LIST}/amo_dropbox", Authorization=bearer(token)).status == 200

    def test_content_type(self, sandbox: Sandbox) -> None:
        """«Информация о виджете по его коду», заголовок типа данных: as for the list."""
        assert call(sandbox, f"{LIST}/amo_dropbox").headers["Content-Type"] == "application/hal+json"
        assert call(sandbox, f"{LIST}/amo_drop").headers["Content-Type"] == "application/problem+json"

    def test_not_found(self, sandbox: Sandbox) -> None:
        """«Информация о виджете по его коду», HTTP коды ответа: 404 for a widget that is not there."""
        assert call(sandbox, f"{LIST}/amo_drop").status == 404

    def test_unauthorized(self, sandbox: Sandbox) -> None:
        """«Информация о виджете по его коду», HTTP коды ответа: 401 for who is nobody."""
        assert call(sandbox, f"{LIST}/amo_dropbox", Authorization="").status == 401

    def test_settings(self, sandbox: Sandbox) -> None:
        """«Информация о виджете по его коду», параметры ответа: settings are for the widget's integration."""
        linked = [widget for widget in listed(sandbox) if widget["client_uuid"] and len(widget["code"]) < 40]
        widget = next(w for w in linked if w["is_active_in_account"] and w["settings_template"])
        other = next(w for w in linked if w["code"] != widget["code"])
        target = f"{LIST}/{widget['code']}"
        shown = call(sandbox, target, Authorization=bearer(sandbox.integration_token(widget["code"]))).json
        assert shown["settings"].keys() == {field["key"] for field in widget["settings_template"]}
        assert list(shown) == [*FIELDS[:-1], "settings", "_links"]
        for token in (sandbox.token, sandbox.analyst_token, sandbox.integration_token(other["code"])):
            assert list(call(sandbox, target, Authorization=bearer(token)).json) == FIELDS


class TestInstall:
    """Section «Установка виджета в аккаунт»."""

    def test_widget_of_the_example(self, sandbox: Sandbox) -> None:
        """«Установка виджета в аккаунт», пример ответа: amo_asterisk is that widget, before it has been installed."""
        installed = example("install", sandbox.url)
        del installed["settings"]
        assert call(sandbox, f"{LIST}/amo_asterisk").json == installed | {"is_active_in_account": False}

    def test_example(self, own: Sandbox) -> None:
        """«Установка виджета в аккаунт», пример запроса и пример ответа: the one is answered with the other."""
        answer = post(own, f"{LIST}/amo_asterisk", example("install_request"))
        assert answer.status == 200
        assert answer.json == example("install", own.url)
        assert list(answer.json) == [*FIELDS[:-1], "settings", "_links"]

    def test_installs(self, own: Sandbox) -> None:
        """«Установка виджета в аккаунт», описание: afterwards the account has the widget."""
        post(own, f"{LIST}/amo_asterisk", example("install_request"))
        assert call(own, f"{LIST}/amo_asterisk").json["is_active_in_account"] is True
        (listed_now,) = [widget for widget in listed(own) if widget["code"] == "amo_asterisk"]
        assert listed_now["is_active_in_account"] is True

    def test_administrators(self, own: Sandbox) -> None:
        """«Установка виджета в аккаунт», ограничения: it takes the rights of an administrator."""
        as_analyst = {"Authorization": bearer(own.analyst_token)}
        assert post(own, f"{LIST}/amo_asterisk", example("install_request"), **as_analyst).status == 403
        assert call(own, f"{LIST}/amo_asterisk").json["is_active_in_account"] is False

    @pytest.mark.parametrize("key", ["login", "password", "phones", "script_path"])
    def test_required(self, own: Sandbox, key: str) -> None:
        """«Установка виджета в аккаунт», параметры запроса: required settings have to be there."""
        settings = example("install_request")
        del settings[key]
        answer = post(own, f"{LIST}/amo_asterisk", settings)
        assert (answer.status, faults(answer)) == (400, [("FieldMissing", key)])

    def test_not_required(self, own: Sandbox) -> None:
        """«Установка виджета в аккаунт», параметры запроса: the others need not be there."""
        widget = with_setting(own, is_required=False)
        required = {
            field["key"]: VALUES[field["type"]] for field in widget["settings_template"] if field["is_required"]
        }
        assert post(own, f"{LIST}/{widget['code']}", required).json["settings"] == (required or [])

    @pytest.mark.parametrize("kind", ["text", "pass", "users", "users_lp"])
    def test_formats(self, own: Sandbox, kind: str) -> None:
        """«Установка виджета в аккаунт», параметры запроса: a value of each type, in the format of the table."""
        widget = with_setting(own, type=kind)
        settings = {field["key"]: VALUES[field["type"]] for field in widget["settings_template"]}
        answer = post(own, f"{LIST}/{widget['code']}", settings)
        assert (answer.status, answer.json["settings"]) == (200, settings)

    @pytest.mark.parametrize(("kind", "wrong"), [("text", 5), ("pass", {}), ("users", "1039"), ("users_lp", "example")])
    def test_other_formats(self, own: Sandbox, kind: str, wrong: Any) -> None:
        """«Установка виджета в аккаунт», параметры запроса: a value of another type is refused."""
        widget = with_setting(own, type=kind)
        (key, *_) = [field["key"] for field in widget["settings_template"] if field["type"] == kind]
        settings = {field["key"]: VALUES[field["type"]] for field in widget["settings_template"]}
        answer = post(own, f"{LIST}/{widget['code']}", settings | {key: wrong})
        assert (answer.status, faults(answer)) == (400, [("InvalidType", key)])

    def test_users(self, own: Sandbox) -> None:
        """«Установка виджета в аккаунт», параметры запроса: the key of an extension is the id of a user."""
        answer = post(own, f"{LIST}/amo_asterisk", example("install_request") | {"phones": {"504142": "1039"}})
        assert (answer.status, faults(answer)) == (400, [("NotSupportedChoice", "phones.504142")])

    @pytest.mark.parametrize("part", ["login", "password"])
    def test_logins_and_passwords(self, own: Sandbox, part: str) -> None:
        """«Установка виджета в аккаунт», параметры запроса: users_lp has login and password of each user."""
        widget = with_setting(own, type="users_lp")
        settings = {field["key"]: VALUES[field["type"]] for field in widget["settings_template"]}
        (key, *_) = [field["key"] for field in widget["settings_template"] if field["type"] == "users_lp"]
        both = VALUES["users_lp"]["504141"]
        half = {"504141": {name: value for name, value in both.items() if name != part}}
        answer = post(own, f"{LIST}/{widget['code']}", settings | {key: half})
        assert (answer.status, faults(answer)) == (400, [("FieldMissing", f"{key}.504141.{part}")])

    def test_content_type(self, own: Sandbox) -> None:
        """«Установка виджета в аккаунт», заголовок типа данных: as for the list."""
        good, bad = (post(own, f"{LIST}/amo_asterisk", body) for body in (example("install_request"), {}))
        assert good.headers["Content-Type"] == "application/hal+json"
        assert bad.headers["Content-Type"] == "application/problem+json"

    def test_not_found(self, own: Sandbox) -> None:
        """«Установка виджета в аккаунт», HTTP коды ответа: 404 for a widget that is not there."""
        assert post(own, f"{LIST}/amo_drop", {}).status == 404

    def test_unauthorized(self, own: Sandbox) -> None:
        """«Установка виджета в аккаунт», HTTP коды ответа: 401 for who is nobody."""
        assert post(own, f"{LIST}/amo_dropbox", {}, Authorization="").status == 401

    def test_details(self, own: Sandbox) -> None:
        """«Установка виджета в аккаунт», HTTP коды ответа: 400 for wrong data, and the details are in the body."""
        answer = post(own, f"{LIST}/amo_asterisk", {"login": 5, "password": "eXaMp1E", "phones": {"1": "1039"}})
        missing, of_type = "This field is missing.", "This value should be of type string."
        assert answer.status == 400
        assert answer.json == {
            "validation-errors": [
                {
                    "errors": [
                        {"code": "InvalidType", "path": "login", "detail": of_type},
                        {
                            "code": "NotSupportedChoice",
                            "path": "phones.1",
                            "detail": "The value you selected is not a valid choice.",
                        },
                        {"code": "FieldMissing", "path": "script_path", "detail": missing},
                    ]
                }
            ],
            "title": "Bad Request",
            "type": "https://httpstatus.es/400",
            "status": 400,
            "detail": "Request validation failed",
        }

    def test_same_as_got(self, own: Sandbox) -> None:
        """«Установка виджета в аккаунт», параметры ответа: what the method by code has, and settings."""
        installed = post(own, f"{LIST}/amo_asterisk", example("install_request")).json
        assert installed.pop("settings") == example("install_request")
        assert installed == call(own, f"{LIST}/amo_asterisk").json

    def test_settings_for_the_integration(self, own: Sandbox) -> None:
        """«Информация о виджете по его коду», параметры ответа: its integration reads what was installed."""
        widget = next(w for w in listed(own) if w["client_uuid"] and w["settings_template"])
        settings = {field["key"]: VALUES[field["type"]] for field in widget["settings_template"]}
        target, as_integration = f"{LIST}/{widget['code']}", bearer(own.integration_token(widget["code"]))
        post(own, target, settings)
        assert call(own, target, Authorization=as_integration).json["settings"] == settings


class TestUninstall:
    """Section «Удаление установки виджета»."""

    def test_uninstalls(self, own: Sandbox) -> None:
        """«Удаление установки виджета», описание: afterwards the account has the widget no more."""
        before = call(own, f"{LIST}/amo_asterisk").json
        post(own, f"{LIST}/amo_asterisk", example("install_request"))
        assert call(own, f"{LIST}/amo_asterisk", method="DELETE").status == 204
        assert call(own, f"{LIST}/amo_asterisk").json == before

    def test_no_body(self, own: Sandbox) -> None:
        """«Удаление установки виджета», параметры ответа: the method returns no body."""
        post(own, f"{LIST}/amo_dropbox", {})
        answer = call(own, f"{LIST}/amo_dropbox", method="DELETE", **{"Content-Type": "application/json"})
        assert (answer.status, answer.body, answer.headers["Content-Type"]) == (204, b"", None)

    def test_administrators(self, own: Sandbox) -> None:
        """«Удаление установки виджета», ограничения и HTTP коды ответа: 403 for who is no administrator."""
        post(own, f"{LIST}/amo_dropbox", {})
        answer = call(own, f"{LIST}/amo_dropbox", method="DELETE", Authorization=bearer(own.analyst_token))
        assert answer.status == 403
        assert call(own, f"{LIST}/amo_dropbox").json["is_active_in_account"] is True

    def test_not_found(self, own: Sandbox) -> None:
        """«Удаление установки виджета», HTTP коды ответа: 404 for a widget that is not there."""
        assert call(own, f"{LIST}/amo_drop", method="DELETE").status == 404

    def test_unauthorized(self, own: Sandbox) -> None:
        """«Удаление установки виджета», HTTP коды ответа: 401 for who is nobody."""
        assert call(own, f"{LIST}/amo_dropbox", method="DELETE", Authorization="").status == 401


class TestContinue:
    """Section «Подтверждение выполнения блока виджета в Salesbot»."""

    @pytest.mark.parametrize("kind", ["salesbot", "marketingbot"])
    def test_example(self, own: Sandbox, kind: BotKind) -> None:
        """«Подтверждение выполнения…», пример запроса: text, buttons, links, and on to step 5 with the data."""
        bot = own.start_bot(kind, steps=[*"01234", "Статус: {{json.status}}", "6"])
        answer = post(own, target_of(own, bot), example("continue_request"))
        assert (answer.status, answer.body) == (202, b"")
        assert own.transcript(bot) == (
            Message("Здесь текст"),
            Message("Нажми на кнопку", buttons=tuple(f"{number}ая кнопка" for number in range(1, 26))),
            Message(
                "Кнопки со ссылками",
                links=tuple(Link(url, url) for url in ("https://amocrm.ru", "https://amocrm.com")),
            ),
            Message("Статус: success"),
            Message("6"),
        )

    def test_address(self, own: Sandbox) -> None:
        """«Подтверждение выполнения…», метод: POST to the bot's kind, its id and the continue_id."""
        bot = own.start_bot("marketingbot", bot_id=77, continue_id=1001)
        assert bot.return_url == f"{own.url}/api/v4/marketingbot/77/continue/1001"
        assert post(own, "/api/v4/marketingbot/77/continue/1001", {}).status == 202

    def test_administrators(self, own: Sandbox) -> None:
        """«Подтверждение выполнения…», ограничения: it takes the rights of an administrator."""
        target = target_of(own, own.start_bot())
        assert post(own, target, {}, Authorization=bearer(own.analyst_token)).status == 403
        assert post(own, target, {}).status == 202

    @pytest.mark.parametrize(("count", "status"), [(0, 202), (1, 202), (10, 202), (11, 400)])
    def test_handlers(self, own: Sandbox, count: int, status: int) -> None:
        """«Подтверждение выполнения…», ограничения: ten handlers at most."""
        answer = post(own, target_of(own, own.start_bot()), {"execute_handlers": [show("text", "Да")] * count})
        assert answer.status == status
        assert status == 202 or faults(answer) == [("NotSupportedChoice", "execute_handlers")]

    @pytest.mark.parametrize("kind", ["text", "buttons", "buttons_url"])
    @pytest.mark.parametrize(("value", "status"), [("я" * 80, 202), ("я" * 81, 400)])
    def test_value(self, own: Sandbox, kind: str, value: str, status: int) -> None:
        """«Подтверждение выполнения…», ограничения: the value of show has 80 characters at most."""
        handler = show(kind, value, **({} if kind == "text" else {"buttons": ["да"]}))
        answer = post(own, target_of(own, own.start_bot()), {"execute_handlers": [handler]})
        assert answer.status == status
        assert status == 202 or faults(answer) == [("NotSupportedChoice", "execute_handlers.0.params.value")]

    @pytest.mark.parametrize("kind", ["buttons", "buttons_url"])
    @pytest.mark.parametrize(("count", "status"), [(1, 202), (25, 202), (26, 400)])
    def test_buttons(self, own: Sandbox, kind: str, count: int, status: int) -> None:
        """«Подтверждение выполнения…», ограничения: 25 buttons at most."""
        handlers = [show("text", "Да"), show(kind, "Да?", buttons=["https://amocrm.ru"] * count)]
        answer = post(own, target_of(own, own.start_bot()), {"execute_handlers": handlers})
        assert answer.status == status
        assert status == 202 or faults(answer) == [("NotSupportedChoice", "execute_handlers.1.params.buttons")]

    def test_data(self, own: Sandbox) -> None:
        """«Подтверждение выполнения…», параметры запроса: data is had by {{json.key}}, in any step that follows."""
        bot = own.start_bot(steps=["{{json.status}}", "{{json.sum}} из {{json.sum}}"])
        post(own, target_of(own, bot), {"data": {"status": "success", "sum": 5}})
        assert own.transcript(bot) == (Message("success"), Message("5 из 5"))

    def test_in_turn(self, own: Sandbox) -> None:
        """«Подтверждение выполнения…», параметры запроса: handlers run one after the other, then the bot goes on."""
        bot = own.start_bot(steps=["третий"])
        post(own, target_of(own, bot), {"execute_handlers": [show("text", "первый"), show("text", "второй")]})
        assert [message.text for message in own.transcript(bot)] == ["первый", "второй", "третий"]

    @pytest.mark.parametrize("body", [{}, {"data": {}}, {"execute_handlers": []}, {"data": {"status": "success"}}])
    def test_optional(self, own: Sandbox, body: Any) -> None:
        """«Подтверждение выполнения…», параметры запроса: both parameters are optional."""
        assert post(own, target_of(own, own.start_bot()), body).status == 202

    @pytest.mark.parametrize("handler", ["buttons", "action", "meta", "find", "widget_request", "stop", ""])
    def test_other_handlers(self, own: Sandbox, handler: str) -> None:
        """«Подтверждение выполнения…», параметры запроса: handlers are show and goto alone."""
        body = {"execute_handlers": [{"handler": handler, "params": {"type": "text", "value": "Да"}}]}
        answer = post(own, target_of(own, own.start_bot()), body)
        assert (answer.status, faults(answer)) == (400, [("NotSupportedChoice", "execute_handlers.0.handler")])

    @pytest.mark.parametrize(("kind", "read"), [("question", ["b", "c"]), ("answer", ["c"]), ("finish", [])])
    def test_goto(self, own: Sandbox, kind: str, read: list[str]) -> None:
        """«Подтверждение выполнения…», пример запроса: goto is to a question, to an answer, or to the end."""
        bot = own.start_bot(steps=["a", "b", "c"])
        goto = {"handler": "goto", "params": {"type": kind, "step": 1}}
        assert post(own, target_of(own, bot), {"execute_handlers": [goto]}).status == 202
        assert [message.text for message in own.transcript(bot)] == read

    def test_wrong_data(self, own: Sandbox) -> None:
        """«Подтверждение выполнения…», HTTP коды ответа: 400 for wrong data, all faults at once."""
        body = {"data": "success", "execute_handlers": [show("text", 5), show("buttons", "Да?"), {}]}
        answer = post(own, target_of(own, own.start_bot()), body)
        assert answer.status == 400
        assert faults(answer) == [
            ("InvalidType", "data"),
            ("InvalidType", "execute_handlers.0.params.value"),
            ("FieldMissing", "execute_handlers.1.params.buttons"),
            ("FieldMissing", "execute_handlers.2.handler"),
        ]

    def test_not_found(self, own: Sandbox) -> None:
        """«Подтверждение выполнения…», HTTP коды ответа: 404 where no widget is waited for."""
        own.start_bot("salesbot", bot_id=77, continue_id=1001)
        for other in ("marketingbot/77/continue/1001", "salesbot/78/continue/1001", "salesbot/77/continue/1002"):
            answer = post(own, f"/api/v4/{other}", {})
            assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")

    def test_unauthorized(self, own: Sandbox) -> None:
        """«Подтверждение выполнения…», HTTP коды ответа: 401 for who is nobody."""
        assert post(own, target_of(own, own.start_bot()), {}, Authorization="").status == 401


def with_setting(sandbox: Sandbox, **properties: Any) -> dict[str, Any]:
    """Return a widget that has a setting of these properties."""
    return next(
        widget
        for widget in listed(sandbox)
        if any(properties.items() <= field.items() for field in widget["settings_template"])
    )
