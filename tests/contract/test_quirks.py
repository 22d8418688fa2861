"""What the page leaves open, as `quirks.toml` has it: a test for each assumption."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from page import Answer, bearer, call, listed

if TYPE_CHECKING:
    from amoexplore.sandbox import Sandbox

LIST = "/api/v4/widgets"


def paging(answer: Answer) -> tuple[int, str]:
    """Return the page that was answered, and the query of its own link."""
    page = answer.json
    return page["_page"], page["_links"]["self"]["href"].partition("?")[2]


def private(sandbox: Sandbox, *, installed: bool) -> dict[str, Any]:
    """Return a private widget of the administrator's list: one that somebody else uploaded if it is installed."""
    public_codes = {"t57c8mssj0hf4lyfyefawyicehiykduabll1w3gt", "dlzsz9jezzn3yicnojvtwddrip6anomozhrybv72"}
    public_codes |= {"lzawrqwjjathddycg8griw0lwx1bfaodscd4wfwh", "xf2tnprxxab1iax0sclmvrsbwcyazdoxywdgaj1b"}
    unnamed = [widget for widget in listed(sandbox) if len(widget["code"]) == 40 and widget["code"] not in public_codes]
    return next(widget for widget in unnamed if widget["is_active_in_account"] is installed)


def as_integration(sandbox: Sandbox, code: str) -> str:
    """Return the Authorization header of the integration that is linked with this widget."""
    return bearer(sandbox.integration_token(code))


def test_page_and_limit_by_default(sandbox: Sandbox) -> None:
    """Without parameters the first page is answered, 50 widgets a page."""
    answer = call(sandbox, LIST)
    assert paging(answer) == (1, "limit=50&page=1")
    assert len(answer.json["_embedded"]["widgets"]) == 50


@pytest.mark.parametrize("limit", [251, 500, 999_999_999])
def test_limit_beyond_its_maximum(sandbox: Sandbox, limit: int) -> None:
    """A limit above 250 counts as 50."""
    answer = call(sandbox, f"{LIST}?limit={limit}")
    assert paging(answer) == (1, "limit=50&page=1")
    assert len(answer.json["_embedded"]["widgets"]) == 50


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "1e2", "two", "%D9%A3", "%201", "0x1"])
def test_parameters_that_cannot_be_meant(sandbox: Sandbox, text: str) -> None:
    """What is no whole number from 1 on counts as not given."""
    assert paging(call(sandbox, f"{LIST}?page={text}&limit={text}")) == (1, "limit=50&page=1")


def test_repeated_parameters(sandbox: Sandbox) -> None:
    """The last one counts."""
    assert paging(call(sandbox, f"{LIST}?page=1&page=2&limit=3&limit=4")) == (2, "limit=4&page=2")


def test_links_name_what_counted(sandbox: Sandbox) -> None:
    """Links have limit and page as answered, and no other parameter."""
    assert paging(call(sandbox, f"{LIST}?page=02&with=all&limit=1000")) == (2, "limit=50&page=2")


@pytest.mark.parametrize("page", ["7", "1000", "999999999", "1000000000", "0" * 9 + "10000000000", "9" * 5000])
def test_past_the_end(sandbox: Sandbox, page: str) -> None:
    """A page past the end is 204 without a body or a content type."""
    answer = call(sandbox, f"{LIST}?page={page}")
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (204, b"", None)


def test_no_next_on_the_last_page(sandbox: Sandbox) -> None:
    """The last page has no next link, even if it is full."""
    last = call(sandbox, f"{LIST}?limit=100&page=3").json
    assert len(last["_embedded"]["widgets"]) == 100
    assert "next" not in last["_links"]


def test_order_of_the_list(sandbox: Sandbox) -> None:
    """Widgets are listed by ascending id, each once."""
    ids = [widget["id"] for widget in listed(sandbox)]
    assert ids == sorted(set(ids))


def test_ratings_in_other_shapes(sandbox: Sandbox) -> None:
    """Most ratings have a decimal comma; there are floats, ints, null and empty ones, all from 0 to 5."""
    ratings = [widget["rating"] for widget in listed(sandbox)]
    with_comma = [rating for rating in ratings if isinstance(rating, str) and re.fullmatch("[0-5],[0-9]", rating)]
    numbers = [rating for rating in ratings if isinstance(rating, int | float)]
    assert len(with_comma) > len(ratings) / 2
    assert {type(rating) for rating in numbers} == {int, float}
    assert all(0 <= number <= 5 for number in [*numbers, *(float(text.replace(",", ".")) for text in with_comma)])
    assert {rating for rating in ratings if rating not in with_comma and rating not in numbers} == {None, ""}


def test_pipeline_of_a_lead_source(sandbox: Sandbox) -> None:
    """An installed lead source has a pipeline, no other widget has."""
    widgets = listed(sandbox)
    bound = [widget for widget in widgets if widget["is_active_in_account"] and widget["is_lead_source"]]
    assert bound
    assert all(isinstance(widget["pipeline_id"], int) for widget in bound)
    assert all(widget["pipeline_id"] is None for widget in widgets if widget not in bound)


def test_installed_but_not_readable(sandbox: Sandbox) -> None:
    """A private widget of somebody else which is installed is listed, and 404 by its code."""
    code = private(sandbox, installed=True)["code"]
    assert call(sandbox, f"{LIST}/{code}").status == 404


def test_an_integration_reads_its_own_widget(sandbox: Sandbox) -> None:
    """The key of an integration gets the private widget that it is linked with, with its settings, also by OAuth."""
    widget = private(sandbox, installed=True)
    code = widget["code"]
    by_oauth = bearer(sandbox.oauth.grant(widget["client_uuid"]).access_token)
    for key in (as_integration(sandbox, code), by_oauth):
        answer = call(sandbox, f"{LIST}/{code}", Authorization=key)
        assert (answer.status, answer.json["code"], "settings" in answer.json) == (200, code, True)
    other = next(each for each in listed(sandbox) if each["client_uuid"] not in {None, widget["client_uuid"]})
    assert "settings" not in call(sandbox, f"{LIST}/{other['code']}", Authorization=by_oauth).json
    unlinked = next(each for each in listed(sandbox) if each["client_uuid"] is None)
    assert "settings" not in call(sandbox, f"{LIST}/{unlinked['code']}").json


def test_an_integration_acts_for_the_administrator(sandbox: Sandbox) -> None:
    """The list of an integration is the administrator's."""
    code = private(sandbox, installed=True)["code"]
    assert listed(sandbox, sandbox.integration_token(code)) == listed(sandbox)


def test_no_settings_in_the_list(sandbox: Sandbox) -> None:
    """The list has no settings, not even for the widget's own integration."""
    code = private(sandbox, installed=True)["code"]
    assert not any("settings" in widget for widget in listed(sandbox, sandbox.integration_token(code)))


def test_settings_that_are_empty(sandbox: Sandbox) -> None:
    """The settings of a widget that is not installed are an empty array."""
    code = private(sandbox, installed=False)["code"]
    assert call(sandbox, f"{LIST}/{code}", Authorization=as_integration(sandbox, code)).json["settings"] == []


def test_text_of_an_unknown_widget(sandbox: Sandbox) -> None:
    """The detail of a 404 by code is Widget not found."""
    assert call(sandbox, f"{LIST}/nothing").json == {
        "title": "Not Found",
        "type": "https://httpstatus.es/404",
        "status": 404,
        "detail": "Widget not found",
    }


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer nobody", "Bearer a.b", "Bearer é", "Basic QTpC"]
)
def test_text_of_a_refused_token(sandbox: Sandbox, authorization: str) -> None:
    """A 401 says the same whatever is wrong, and asks for no authentication."""
    answer = call(sandbox, LIST, Authorization=authorization)
    assert answer.json == {
        "title": "Unauthorized",
        "type": "https://httpstatus.es/401",
        "status": 401,
        "detail": "Неверный логин или пароль",
    }
    assert "WWW-Authenticate" not in answer.headers


def test_in_the_name_of_another_user(sandbox: Sandbox) -> None:
    """An administrator may call for somebody else, with his rights; nobody else may, and for nobody can be called."""
    code = private(sandbox, installed=True)["code"]
    keys = (bearer(sandbox.token), as_integration(sandbox, code))
    for key in keys:
        for named, user_id in (({}, 504141), ({"X-Context-User-ID": "581651"}, 581651)):
            assert call(sandbox, "/api/v4/account", Authorization=key, **named).json["current_user_id"] == user_id
        for nobody in ("1", "x", "0581651"):
            assert call(sandbox, LIST, Authorization=key, **{"X-Context-User-ID": nobody}).status == 401
    as_another = {"X-Context-User-ID": "581651"}
    assert call(sandbox, f"{LIST}/amo_dropbox", method="DELETE", **as_another).status == 403
    for user_id in ("504141", "1"):
        analyst = {"Authorization": bearer(sandbox.analyst_token), "X-Context-User-ID": user_id}
        assert call(sandbox, "/api/v4/account", **analyst).json["current_user_id"] == 581651


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_s_letters(sandbox: Sandbox, scheme: str) -> None:
    """The scheme is Bearer in any case of its letters."""
    assert call(sandbox, LIST, Authorization=f"{scheme} {sandbox.token}").status == 200


def test_token_before_route(sandbox: Sandbox) -> None:
    """Under /api/v4/ a stranger gets 401 wherever he looks, outside it 404."""
    for target in ("/api/v4/", "/api/v4/widgets/nothing", "/api/v4/leads", "/api/v4/nothing"):
        assert call(sandbox, target, Authorization="").status == 401
    assert call(sandbox, "/nothing", Authorization="").status == 404


@pytest.mark.parametrize(
    "target",
    [
        *("/", "/nothing", "/api/v4/nothing", "/api/v4/widgets/", "/api/v4/widgets/a/b", "/api/v4/account/"),
        *("/api/v4/leads/pipelines/", "/api/v4/salesbot/run"),
    ],
)
def test_an_address_that_nobody_has(sandbox: Sandbox, target: str) -> None:
    """An unknown address is 404 and named, also one with a slash at its end."""
    answer = call(sandbox, target)
    assert answer.status == 404
    assert answer.json["detail"] == f"Cannot GET {sandbox.url}{target}"


@pytest.mark.parametrize(
    ("target", "allowed"),
    [(LIST, "GET, HEAD"), (f"{LIST}/amo_dropbox", "DELETE, GET, HEAD, POST")],
)
def test_a_method_that_nobody_has(sandbox: Sandbox, target: str, allowed: str) -> None:
    """Another method is 405, and Allow names those that there are."""
    answer = call(sandbox, target, method="PUT")
    assert answer.headers["Allow"] == allowed
    assert answer.json == {
        "title": "Method Not Allowed",
        "type": "https://httpstatus.es/405",
        "status": 405,
        "detail": "Method Not Allowed",
    }


@pytest.mark.parametrize("target", [LIST, f"{LIST}?page=1000", f"{LIST}/amo_dropbox", f"{LIST}/nothing"])
def test_head(sandbox: Sandbox, target: str) -> None:
    """HEAD is answered as GET is, without the body."""
    head, get = (call(sandbox, target, method=method) for method in ("HEAD", "GET"))
    assert head.body == b""
    assert head.status == get.status
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/v4/leads"),
        ("PATCH", "/api/v4/contacts/3"),
        ("GET", "/api/v4/leads/pipelines/3177727/statuses"),
        ("POST", "/api/v4/bots/321/run"),
    ],
)
def test_what_the_sandbox_does_not_serve(sandbox: Sandbox, method: str, target: str) -> None:
    """What amoCRM has and the sandbox has not is 501 with a message."""
    assert call(sandbox, target, method=method).json == {
        "title": "Not Implemented",
        "type": "https://httpstatus.es/501",
        "status": 501,
        "detail": f"amoCRM has {method} {target}, the sandbox does not serve it",
    }


def test_numbers_of_answers(sandbox: Sandbox) -> None:
    """Every answer has an X-Request-Id of its own."""
    mine = "0" * 32
    targets = (LIST, f"{LIST}?page=1000", f"{LIST}/nothing", "/api/v4/leads", "/nothing")
    numbers = {call(sandbox, target, **{"X-Request-Id": mine}).headers["X-Request-Id"] for target in targets}
    numbers.add(call(sandbox, LIST, Authorization="").headers["X-Request-Id"])
    assert len(numbers - {mine}) == 6
    assert all(re.fullmatch("[0-9a-f]{32}", number) for number in numbers)


def test_links_on_the_host_that_was_called(sandbox: Sandbox) -> None:
    """Links begin with the Host of the request."""
    page = call(sandbox, f"{LIST}?limit=1", Host="example.amocrm.ru").json
    links = [*page["_links"].values(), page["_embedded"]["widgets"][0]["_links"]["self"]]
    assert all(link["href"].startswith(f"http://example.amocrm.ru{LIST}") for link in links)


def test_every_quirk_has_its_test() -> None:
    """`quirks.toml` names the tests here and in the files beside it, each once, and says where it is from."""
    quirks = tomllib.loads(resources.files("amoexplore.sandbox").joinpath("quirks.toml").read_text("utf-8"))["quirk"]
    tests = [
        f"tests/contract/{path.name}::{name}"
        for path in Path(__file__).parent.glob("test_*quirks.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        if name != "test_every_quirk_has_its_test"
    ]
    assert sorted(quirk["test"] for quirk in quirks) == sorted(tests)
    assert all(quirk.keys() == {"name", "assumption", "source", "test"} for quirk in quirks)
