"""The API's page as a checklist: each statement about what is served, a test that names its section."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from page import bearer, call, example, listed, pages

if TYPE_CHECKING:
    from amoexplore.sandbox import Sandbox

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
