from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from live import READS, described, differences
from scripted import answer, answering, listing, problem, widget

if TYPE_CHECKING:
    from amoexplore import Account, Sandbox

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("path", READS)
def test_sandbox_is_as_described(account: Account, path: str) -> None:
    """What make live asks of a real account holds of the sandbox."""
    assert differences(account, path) == []


def test_differences_are_told_without_values() -> None:
    """A new field, one that is missing and one of another type are named, and what they hold is not."""
    body = listing([widget(1, rating=["canary"], novelty="canary", code=...)], limit=50)
    with answering(answer(body)) as server:
        found = differences(server.account(), "/api/v4/widgets")
    assert found == [
        "_embedded.widgets.*.rating: oneOf",
        "_embedded.widgets.*: additionalProperties: Additional properties are not allowed ('novelty' was unexpected)",
        "_embedded.widgets.*: required: 'code' is a required property",
    ]


def test_users_need_an_administrator() -> None:
    """A refusal for want of rights is no difference."""
    with answering(problem(403)) as server:
        assert differences(server.account(), "/api/v4/users") == []


def test_nothing_at_all_is_told() -> None:
    """An answer of another shape is one difference."""
    assert described("Account", []) == ["the whole: type"]


@pytest.mark.parametrize(
    ("variables", "status", "said"),
    [
        ({}, 5, "no tests ran"),
        ({"AMOEXPLORE_LIVE": "1", "AMOEXPLORE_URL": "<sandbox>", "AMOEXPLORE_TOKEN": "x"}, 1, "reads a real account"),
    ],
)
def test_live_runs_on_demand(sandbox: Sandbox, variables: dict[str, str], status: int, said: str) -> None:
    """The live test is collected by make live alone, and demands an account that is not on this machine."""
    before = len(sandbox.requests)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AMOEXPLORE_")}
    variables = {name: value.replace("<sandbox>", sandbox.url) for name, value in variables.items()}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(ROOT / "tests" / "live")],
        env=clean | variables | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stdout) == (status, True)
    assert len(sandbox.requests) == before
