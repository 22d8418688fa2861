from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from exchange import CLIENT, SUBDOMAIN, TOKEN, allow, as_caller, exchange, form, refresh, refusal, secrets_of
from page import bearer, call

from amoexplore.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST = "/api/v4/widgets?limit=1"
DAY = 86_400


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Return the sandbox that `fresh` brings back to its beginning."""
    with Sandbox(size=3, token="first", refresh_token="R") as sandbox:
        yield sandbox


@pytest.fixture
def fresh(running: Sandbox) -> Sandbox:
    """Return a sandbox whose administrator's token is the access token of a pair with the refresh token R."""
    running.reset()
    return running


@pytest.fixture(scope="module")
def kommo() -> Iterator[Sandbox]:
    """Return a sandbox that rotates refresh tokens with grace."""
    with Sandbox(size=3, rotation="grace") as sandbox:
        yield sandbox


def test_a_pair(fresh: Sandbox) -> None:
    """An exchange is answered with all that the page has, and the new token is let in."""
    answer = refresh(fresh, "R")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    pair = answer.json
    assert list(pair) == ["token_type", "expires_in", "server_time", "access_token", "refresh_token"]
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", DAY)
    assert as_caller(fresh, pair["access_token"]) == 200
    assert as_caller(fresh, pair["refresh_token"]) == 401
    assert refresh(fresh, pair["refresh_token"]).status == 200


def test_refresh_tokens_are_opaque(fresh: Sandbox) -> None:
    """They begin with def502, and their lengths vary."""
    tokens = ["R"]
    for _ in range(12):
        tokens.append(refresh(fresh, tokens[-1]).json["refresh_token"])
    assert all(re.fullmatch("def502[0-9a-f]+", token) for token in tokens[1:])
    assert len({len(token) for token in tokens[1:]}) > 1


def test_json_and_forms(fresh: Sandbox) -> None:
    """A form is taken as JSON is."""
    answer = form(fresh, TOKEN, **CLIENT, grant_type="refresh_token", refresh_token="R")
    assert answer.status == 200
    assert refresh(fresh, answer.json["refresh_token"]).status == 200


def test_strict_rotation(fresh: Sandbox) -> None:
    """A refresh token is good for one exchange, and the second one takes nothing from the first."""
    pair = refresh(fresh, "R").json
    assert refusal(refresh(fresh, "R")) == (401, "Token has been revoked")
    assert as_caller(fresh, pair["access_token"]) == 200
    assert refresh(fresh, pair["refresh_token"]).status == 200


def test_one_of_twenty(fresh: Sandbox) -> None:
    """Of twenty exchanges of one refresh token at the same time one is answered."""
    with ThreadPoolExecutor(20) as pool:
        statuses = [answer.status for answer in pool.map(lambda _: refresh(fresh, "R"), range(20))]
    assert sorted(statuses) == [200] + [401] * 19


def test_codes(fresh: Sandbox) -> None:
    """A code is good for one pair, which has the rights of who allowed it."""
    code = allow(fresh)["code"]
    pair = exchange(fresh, code).json
    assert call(fresh, "/api/v4/users", Authorization=bearer(pair["access_token"])).status == 200
    assert refusal(exchange(fresh, code)) == (400, "Authorization code has been revoked")

    pair = exchange(fresh, allow(fresh, user="581651")["code"]).json
    assert call(fresh, "/api/v4/users", Authorization=bearer(pair["access_token"])).status == 403
    again = refresh(fresh, pair["refresh_token"]).json
    account = call(fresh, "/api/v4/account", Authorization=bearer(again["access_token"])).json
    assert account["current_user_id"] == 581651


@pytest.mark.parametrize(("seconds", "status"), [(20 * 60 - 5, 200), (20 * 60 + 1, 400)])
def test_codes_expire(fresh: Sandbox, seconds: int, status: int) -> None:
    """A code lives for twenty minutes."""
    code = fresh.oauth.code(CLIENT["client_id"], CLIENT["redirect_uri"])
    fresh.oauth.advance(seconds)
    answer = exchange(fresh, code)
    assert answer.status == status
    if status == 400:
        assert refusal(answer) == (400, "Authorization code has expired")


def test_access_tokens_expire(fresh: Sandbox) -> None:
    """An access token lives for a day, the first of a pair like the others."""
    pair = refresh(fresh, "R").json
    tokens = ("first", pair["access_token"])
    fresh.oauth.advance(DAY - 60)
    assert [as_caller(fresh, token) for token in tokens] == [200, 200]
    fresh.oauth.advance(61)
    assert [as_caller(fresh, token) for token in tokens] == [401, 401]


def test_time_goes_back_with_a_reset(fresh: Sandbox) -> None:
    """What has passed at the account is forgotten with all else."""
    fresh.oauth.advance(DAY)
    fresh.reset()
    code = fresh.oauth.code(CLIENT["client_id"], CLIENT["redirect_uri"])
    pair = exchange(fresh, code).json
    assert abs(pair["server_time"] - time.time()) < 60


def test_a_lifetime_of_ones_own() -> None:
    """Access tokens live as long as was asked for, and say so."""
    with Sandbox(size=1, token="first", refresh_token="R", lifetime=5) as sandbox:
        assert refresh(sandbox, "R").json["expires_in"] == 5
        sandbox.oauth.advance(6)
        assert as_caller(sandbox, "first") == 401


def test_long_lived_tokens_stay(kommo: Sandbox) -> None:
    """A token without a refresh token does not expire, nor do those that follow from it."""
    kommo.oauth.advance(5 * 365 * DAY)
    assert [as_caller(kommo, token) for token in (kommo.token, kommo.analyst_token)] == [200, 200]


def test_another_redirect_uri(fresh: Sandbox) -> None:
    """The address has to be exactly that of the integration."""
    pair = refresh(fresh, "R").json
    answer = refresh(fresh, pair["refresh_token"], redirect_uri=f"{CLIENT['redirect_uri']}/")
    assert refusal(answer) == (400, "Redirect URI is not associated with client")


def test_the_page_of_consent(fresh: Sandbox) -> None:
    """It is HTML for a browser, names who asks, and has a form of two buttons; nothing in it is taken for HTML."""
    client_id, redirect_uri = '"><script>', "https://example.com/?a=1&b=<2>"
    query = urlencode({"client_id": client_id, "redirect_uri": redirect_uri, "state": "<s>", "mode": "popup"})
    answer = call(fresh, f"/oauth?{query}", Authorization="")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    page = answer.body.decode()
    assert "<script>" not in page
    assert "&quot;&gt;&lt;script&gt;" in page
    assert 'value="https://example.com/?a=1&amp;b=&lt;2&gt;"' in page
    assert re.findall('<button name="decision" value="(\\w+)">(\\w+)', page) == [
        ("allow", "Разрешить"),
        ("deny", "Отказать"),
    ]
    assert "Анна Соколова (администратор)" in page


def test_denied(fresh: Sandbox) -> None:
    """Who is not allowed in is told so."""
    assert allow(fresh, decision="deny") == {"from": "amo", "error": "access_denied", "state": "s"}


def test_undecided(fresh: Sandbox) -> None:
    """Nothing is allowed by who does not say so."""
    for decision in ({}, {"decision": "maybe"}):
        answer = form(fresh, "/oauth", client_id="x", redirect_uri="http://127.0.0.1:1/", **decision)
        assert (answer.status, "decision is missing" in answer.body.decode()) == (400, True)


def test_an_integration_that_is_known(fresh: Sandbox) -> None:
    """The address of a registered integration need not be named, and can't be another one."""
    made = fresh.oauth.register("http://127.0.0.1:1/")
    answer = form(fresh, "/oauth", client_id=made.client_id, decision="allow")
    address = urlsplit(answer.headers["Location"])
    assert address.netloc == "127.0.0.1:1"
    code = parse_qs(address.query)["code"][0]
    assert exchange(fresh, code, client_id=made.client_id, **secrets_of(made)).status == 200
    for method in ("GET", "POST"):
        query = urlencode({"client_id": made.client_id, "redirect_uri": "http://127.0.0.1:2/"})
        answer = call(fresh, f"/oauth?{query}", method=method, body=query.encode(), Authorization="")
        assert (answer.status, "Redirect URI is not associated with client" in answer.body.decode()) == (400, True)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({}, "client_id is missing"),
        ({"client_id": "x"}, "does not know this integration"),
        ({"client_id": "x", "redirect_uri": "javascript:alert(1)"}, "does not know this integration"),
        ({"client_id": "x", "redirect_uri": "http://["}, "does not know this integration"),
    ],
)
def test_what_cannot_be_asked(fresh: Sandbox, query: dict[str, str], why: str) -> None:
    """A user who was sent with a wrong address reads what is wrong with it."""
    for answer in (
        call(fresh, f"/oauth?{urlencode(query)}", Authorization=""),
        form(fresh, "/oauth", **query, decision="allow"),
    ):
        assert (answer.status, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
        assert why in answer.body.decode()


def test_state_file(tmp_path: Path) -> None:
    """What was granted survives a start anew, what was used stays used, and no token or secret is in the file."""
    path = tmp_path / "state.db"
    arguments: dict[str, Any] = {"size": 1, "state": path, "token": "first-of-all", "refresh_token": "R-of-my-own"}
    with Sandbox(**arguments) as sandbox:
        pair = refresh(sandbox, "R-of-my-own").json
        code = allow(sandbox)["code"]
    with Sandbox(**arguments) as sandbox:
        assert refusal(refresh(sandbox, "R-of-my-own")) == (401, "Token has been revoked")
        assert as_caller(sandbox, pair["access_token"]) == 200
        assert refresh(sandbox, pair["refresh_token"]).status == 200
        assert exchange(sandbox, code).status == 200
    content = path.read_bytes()
    secrets = (
        pair["access_token"],
        pair["refresh_token"],
        code,
        "first-of-all",
        "R-of-my-own",
        CLIENT["client_secret"],
    )
    assert not [secret for secret in secrets if secret.encode() in content]
    assert CLIENT["redirect_uri"].encode() in content


def test_shows_no_token(fresh: Sandbox) -> None:
    """No token, code or secret is in a repr or in the log, also where it was sent in a wrong place."""
    pair = fresh.oauth.grant(CLIENT["client_id"])
    made = fresh.oauth.register("http://127.0.0.1:1/")
    code = fresh.oauth.code(made.client_id, made.redirect_uri)
    secrets = (pair.access_token, pair.refresh_token, made.client_secret, code, "R-secret")
    call(fresh, f"{TOKEN}?refresh_token=R-secret&code={code}", method="POST", Authorization="")
    call(fresh, SUBDOMAIN, Authorization=bearer(pair.access_token), **{"X-Refresh-Token": pair.refresh_token})
    exchange(fresh, code, client_id=made.client_id, **secrets_of(made))
    shown = repr((pair, made, fresh, fresh.oauth, fresh.requests))
    assert not [secret for secret in secrets if secret in shown]
    assert fresh.requests[0].target == f"{TOKEN}?***"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"refresh_token": ""}, "goes into a header"),
        ({"refresh_token": "R\r\n"}, "goes into a header"),
        ({"rotation": "slow"}, "there is no rotation 'slow'; there are strict and grace"),
        ({"lifetime": 0}, "can't live for 0 seconds"),
    ],
)
def test_rules_that_cannot_be(given: dict[str, Any], why: str) -> None:
    """What no account could have is told at once."""
    with pytest.raises(ValueError, match=why):
        Sandbox(**given)


def test_only_a_running_sandbox_grants() -> None:
    """There is no account before the start."""
    with pytest.raises(RuntimeError, match="not running; call start"):
        _ = Sandbox().oauth
