"""The sandbox held to `openapi.yaml` by schemathesis, which nobody here wrote."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import schemathesis
import yaml
from page import listed
from schemathesis.checks import CHECKS

if TYPE_CHECKING:
    from schemathesis import Case

    from amoexplore.sandbox import Sandbox

DESCRIPTION = resources.files("amoexplore.sandbox").joinpath("openapi.yaml").read_text(encoding="utf-8")

api = schemathesis.openapi.from_dict(yaml.safe_load(DESCRIPTION))

# What schemathesis expects of an API, and the page has otherwise.
EXCLUDED: dict[str, str] = {
    # Wrong page and limit fall back to the default: see the quirk "parameters that can't be meant".
    "GET /api/v4/widgets": "negative_data_rejection",
    "GET /api/v4/users": "negative_data_rejection",
    # Which settings are right is said by the widget's template, not by the description.
    "POST /api/v4/widgets/{widget_code}": "positive_data_acceptance",
    # Which integrations there are, and what they have been granted, is the account's, not the description's.
    "GET /oauth": "positive_data_acceptance",
    "POST /oauth": "positive_data_acceptance",
    "POST /oauth2/access_token": "positive_data_acceptance",
}
BOUNDED: dict[str, Any] = {"derandomize": True, "deadline": None, "database": None}


def excluded(case: Case[Any]) -> list[Any]:
    """Return the checks that this call need not pass."""
    label = case.operation.label
    return [CHECKS.get_one(EXCLUDED[label])] if label in EXCLUDED else []


def hold(case: Case[Any], url: str, token: str) -> Any:
    """Ask, hold the answer to the description, and return it."""
    headers = {"Authorization": f"Bearer {token}"}
    return case.call_and_validate(base_url=url, headers=headers, excluded_checks=excluded(case))


@api.parametrize()
@hypothesis.settings(max_examples=50, **BOUNDED)
def test_whatever_is_asked(case: Case[Any], changing: Sandbox) -> None:
    """Whatever is asked, the answer is one that `openapi.yaml` describes."""
    hold(case, changing.url, changing.token)


@pytest.mark.parametrize("page", range(1, 5))
def test_every_widget(sandbox: Sandbox, page: int) -> None:
    """All pages of the list are as described, and so is the one after the last."""
    case = api["/api/v4/widgets"]["GET"].Case(query={"limit": 100, "page": page})
    hold(case, sandbox.url, sandbox.token)


def test_every_widget_for_its_integration(sandbox: Sandbox) -> None:
    """Every widget is as described when its own integration asks, with settings."""
    for code in [widget["code"] for widget in listed(sandbox) if widget["client_uuid"]]:
        case = api["/api/v4/widgets/{widget_code}"]["GET"].Case(path_parameters={"widget_code": code})
        hold(case, sandbox.url, sandbox.integration_token(code))


CONTINUE = api["/api/v4/{bot}/{bot_id}/continue/{continue_id}"]["POST"]


@hypothesis.given(case=CONTINUE.as_strategy())
@hypothesis.settings(
    max_examples=100, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], **BOUNDED
)
def test_whatever_a_bot_goes_on_with(case: Case[Any], changing: Sandbox) -> None:
    """A bot that waits goes on with whatever the description allows."""
    handlers = dict(case.body).get("execute_handlers", [])
    # JSON Schema calls 5.0 an integer; the description can't forbid it.
    hypothesis.assume(not any(isinstance(handler["params"].get("step"), float) for handler in handlers))
    bot = changing.start_bot(steps=["{{json.status}}"])
    case.path_parameters = {"bot": bot.bot, "bot_id": bot.bot_id, "continue_id": bot.continue_id}
    assert hold(case, changing.url, changing.token).status_code == 202


def test_one_after_the_other(own: Sandbox) -> None:
    """In whatever order the links are followed, each answer is as described: install, get, uninstall, get."""

    class Session(api.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, _case: Case[Any]) -> dict[str, Any]:
            return {"base_url": own.url, "headers": {"Authorization": f"Bearer {own.token}"}}

        def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:
            case.validate_response(response, excluded_checks=excluded(case))

    Session.run(settings=hypothesis.settings(max_examples=60, stateful_step_count=8, **BOUNDED))
    answered = {(logged.method, logged.status) for logged in own.requests}
    assert answered >= {("GET", 200), ("POST", 200), ("POST", 400), ("POST", 404), ("DELETE", 204)}
