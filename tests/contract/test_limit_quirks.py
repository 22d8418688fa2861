"""What nothing public tells of limits, and what sources disagree on: a test for each assumption of `quirks.toml`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from exchange import CLIENT, SUBDOMAIN, TOKEN, refresh
from page import bearer, call

from amoexplore.sandbox import Limits, Sandbox, gateway

if TYPE_CHECKING:
    from page import Answer

LIST = "/api/v4/widgets?limit=1"


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass for the limits."""
    monkeypatch.setattr(gateway, "time", SimpleNamespace(monotonic_ns=lambda: 0))


def as_caller(sandbox: Sandbox, token: str) -> int:
    """Return the status of an answer to this token."""
    return call(sandbox, LIST, Authorization=bearer(token)).status


def shape(answer: Answer) -> tuple[int, str | None]:
    """Return status and type of an answer."""
    return answer.status, answer.headers["Content-Type"]


def test_who_is_counted() -> None:
    """All tokens of an integration are counted together, each long-lived token alone, and all strangers as one."""
    with Sandbox(size=1, rate=1) as sandbox:
        pairs = [sandbox.oauth.grant(CLIENT["client_id"]).access_token for _ in range(2)]
        assert [as_caller(sandbox, token) for token in pairs] == [200, 429]
        assert [as_caller(sandbox, token) for token in (sandbox.token, sandbox.analyst_token)] == [200, 200]
        assert [as_caller(sandbox, token) for token in ("stranger", "another")] == [401, 429]


@pytest.mark.parametrize("target", [TOKEN, SUBDOMAIN, "/oauth", "/nothing", "/api/v4/nothing"])
def test_what_is_counted(target: str) -> None:
    """Whatever is asked for counts, refused requests do not."""
    with Sandbox(size=1, rate=Limits(rate=1, block_after=None)) as sandbox:
        statuses = [call(sandbox, target, Authorization="").status for _ in range(3)]
        assert statuses[0] < 429
        assert statuses[1:] == [429, 429]


def test_together_all_have_fifty() -> None:
    """Eight integrations that keep to seven each are more than the account takes."""
    with Sandbox(size=1, rate=7) as sandbox:
        tokens = [sandbox.oauth.grant(f"client {number}").access_token for number in range(8)]
        statuses = [as_caller(sandbox, token) for token in tokens for _ in range(7)]
    assert statuses == [200] * 50 + [429] * 6


def test_look_of_a_refusal() -> None:
    """A refusal is nginx's page, without Retry-After, unless another shape is asked for."""
    with Sandbox(size=1, rate=1) as sandbox:
        call(sandbox, LIST)
        answer = call(sandbox, LIST)
    assert shape(answer) == (429, "text/html; charset=utf-8")
    assert answer.headers["Retry-After"] is None
    with Sandbox(size=1, rate=Limits(rate=1, shape="header")) as sandbox:
        call(sandbox, LIST)
        assert call(sandbox, LIST).headers["Retry-After"] == "1"


def test_when_an_account_is_blocked() -> None:
    """The hundredth refusal within a minute blocks the account for all, until support lifts it."""
    with Sandbox(size=1, rate=1) as sandbox:
        assert [call(sandbox, LIST).status for _ in range(101)] == [200] + [429] * 100
        assert as_caller(sandbox, sandbox.analyst_token) == 403
        assert shape(refresh(sandbox, "R")) == (403, "text/html; charset=utf-8")
        sandbox.unblock()
        assert as_caller(sandbox, sandbox.analyst_token) == 200


def test_pages_without_a_number(sandbox: Sandbox) -> None:
    """What is HTML has no X-Request-Id: it does not come from the API."""
    for fault in ("blocked", "html_page", "bad_gateway", "too_many_requests:shape=html"):
        assert call(sandbox, LIST, **{"X-Sandbox-Fault": fault}).headers["X-Request-Id"] is None
    for fault in ("bad_gateway:shape=json", "too_many_requests"):
        assert call(sandbox, LIST, **{"X-Sandbox-Fault": fault}).headers["X-Request-Id"]


def test_an_account_that_has_moved() -> None:
    """At its old host all is 404, but it can still be asked where it is."""
    with Sandbox(size=1, token="first", refresh_token="R") as sandbox, sandbox.faults.moved():
        assert call(sandbox, LIST).json["detail"] == "Account not found"
        assert refresh(sandbox, "R").status == 404
        domain = call(sandbox, SUBDOMAIN, **{"X-Refresh-Token": "R"}).json["domain"]
        assert domain == f"localhost:{sandbox.url.rpartition(':')[2]}"
        assert call(sandbox, LIST, Host=domain).status == 200


def test_faults_that_are_asked_for(sandbox: Sandbox) -> None:
    """A request's own header has it meet a fault; without it none is met."""
    assert call(sandbox, LIST, **{"X-Sandbox-Fault": "payment_required"}).status == 402
    assert call(sandbox, LIST, **{"X-Sandbox-Fault": ""}).status == 200
    assert call(sandbox, LIST, **{"X-Sandbox-Fault": "tired"}).status == 400


def test_an_account_that_is_not_there() -> None:
    """A host that no account has is answered as one from which an account has moved away."""
    with Sandbox(accounts=2, size=1) as sandbox:
        answer = call(sandbox, LIST, Host="account3.localhost")
    assert shape(answer) == (404, "application/problem+json")
    assert answer.json["detail"] == "Account not found"


def test_whose_requests_count_together() -> None:
    """Each account has a limit of its own, unless those from one address are counted."""
    for limits, last in ((Limits(rate=1), 200), (Limits(rate=1, address_rate=1), 429)):
        with Sandbox(accounts=2, size=1, rate=limits) as sandbox:
            calls = [
                call(sandbox, LIST, Host=host.removeprefix("http://"), Authorization=bearer(token))
                for host, token in sandbox.accounts.items()
            ]
        assert [answer.status for answer in calls] == [200, last]
