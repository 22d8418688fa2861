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

# The methods that are served; for the others there is a quirk, and its test.
api = schemathesis.openapi.from_dict(yaml.safe_load(DESCRIPTION)).include(method="GET")

# Wrong parameters fall back to the default: see the quirk "parameters that can't be meant".
EXCLUDED: list[Any] = [CHECKS.get_one("negative_data_rejection")]


def hold(case: Case[Any], url: str, token: str) -> None:
    """Ask, and hold the answer to the description."""
    case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {token}"}, excluded_checks=EXCLUDED)


@api.parametrize()
@hypothesis.settings(max_examples=50, derandomize=True, deadline=None, database=None)
def test_whatever_is_asked(case: Case[Any], sandbox: Sandbox) -> None:
    """Whatever is asked, the answer is one that `openapi.yaml` describes."""
    hold(case, sandbox.url, sandbox.token)


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
