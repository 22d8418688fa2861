"""What nothing public tells of tokens, and what sources disagree on: a test for each assumption of `quirks.toml`."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from exchange import (
    CLIENT,
    SUBDOMAIN,
    TOKEN,
    WORDS,
    allow,
    as_caller,
    exchange,
    form,
    refresh,
    refusal,
    secrets_of,
)
from page import bearer, call

from amoexplore.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def claims(token: str) -> Any:
    """Return what an access token says."""
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))


def test_integrations_make_themselves_known(fresh: Sandbox) -> None:
    """An integration is what it was in its first exchange that went well, one that was refused made nothing known."""
    assert refresh(fresh, "x", client_secret="mistyped", redirect_uri="http://mistyped/").status == 401
    token = refresh(fresh, "R").json["refresh_token"]
    assert refresh(fresh, token, client_secret="guessed").status == 401
    answer = refresh(fresh, token, redirect_uri=f"{CLIENT['redirect_uri']}/")
    assert refusal(answer) == (400, "Redirect URI is not associated with client")
    assert refresh(fresh, token).status == 200


def test_a_wrong_secret(fresh: Sandbox) -> None:
    """Who knows another secret than the integration is no client, and is told so without a hint."""
    pair = refresh(fresh, "R").json
    answer = refresh(fresh, pair["refresh_token"], client_secret="guessed")
    assert answer.json == {
        "title": "Некорректный клиент",
        "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
        "status": 401,
        "detail": "Авторизация клиента не прошла",
    }
    assert refresh(fresh, pair["refresh_token"]).status == 200


def test_type_of_refused_exchanges(fresh: Sandbox) -> None:
    """A refusal is a problem with a hint before all else."""
    answer = refresh(fresh, "x")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert list(answer.json) == ["hint", "title", "type", "status", "detail"]
    assert (answer.json["title"], answer.json["detail"]) == WORDS


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "redirect_uri", "refresh_token"])
@pytest.mark.parametrize("value", [None, "", 5, ["R"]])
def test_what_an_exchange_misses(fresh: Sandbox, missing: str, value: Any) -> None:
    """A parameter that is missing, or no text, is named."""
    assert refusal(refresh(fresh, "R", **{missing: value})) == (400, f"Check the `{missing}` parameter")
    assert refresh(fresh, "R").status == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"5", b"\xff", b'{"grant_type":"\xff"}', b"null", b'{"grant_type":"password"}', b"[" * 100_000],
)
def test_what_is_no_exchange(fresh: Sandbox, body: bytes) -> None:
    """Whatever else is sent is 400, and nothing fails."""
    for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
        answer = call(fresh, TOKEN, method="POST", body=body, Authorization="", **{"Content-Type": kind})
        assert refusal(answer) == (400, "Check that all required parameters have been provided")


@pytest.mark.parametrize("text", ["x", "def502", "def502" + "0" * 960])
def test_what_nobody_gave_out(fresh: Sandbox, text: str) -> None:
    """A code or a refresh token that was made up can't be read."""
    assert refusal(exchange(fresh, text)) == (400, "Cannot decrypt the authorization code")
    assert refusal(refresh(fresh, text)) == (401, "Cannot decrypt the refresh token")


def test_what_others_were_given(fresh: Sandbox) -> None:
    """A code or a refresh token is for the integration that it was given to."""
    other = fresh.oauth.register("http://127.0.0.1:1/")
    code = fresh.oauth.code(other.client_id, other.redirect_uri)
    assert refusal(exchange(fresh, code)) == (400, "Authorization code was not issued to this client")
    token = fresh.oauth.grant(other.client_id).refresh_token
    assert refusal(refresh(fresh, token)) == (401, "Token is not linked to client")
    assert exchange(fresh, code, client_id=other.client_id, **secrets_of(other)).status == 200


def test_three_months(fresh: Sandbox) -> None:
    """A refresh token lives for three months."""
    fresh.oauth.advance(89 * DAY)
    token = refresh(fresh, "R").json["refresh_token"]
    fresh.oauth.advance(90 * DAY + 1)
    assert refusal(refresh(fresh, token)) == (401, "Token has expired")


def test_what_an_exchange_leaves(fresh: Sandbox) -> None:
    """The access token from before lives on until it expires."""
    pair = refresh(fresh, "R").json
    refresh(fresh, pair["refresh_token"])
    assert [as_caller(fresh, token) for token in ("first", pair["access_token"])] == [200, 200]


def test_the_end_of_grace() -> None:
    """A refresh token stays good while its successors are not exchanged, however much their access tokens are used."""
    with Sandbox(size=1, rotation="grace") as kommo:
        first = kommo.oauth.grant(CLIENT["client_id"]).refresh_token
        lost, second = (refresh(kommo, first).json for _ in range(2))
        assert [as_caller(kommo, pair["access_token"]) for pair in (lost, second)] == [200, 200]
        assert refresh(kommo, first).status == 200
        third = refresh(kommo, second["refresh_token"]).json
        assert refusal(refresh(kommo, first)) == (401, "Token has been revoked")
        assert refresh(kommo, second["refresh_token"]).status == 200
        assert refresh(kommo, lost["refresh_token"]).status == 200
        assert refresh(kommo, third["refresh_token"]).status == 200
        assert refusal(refresh(kommo, second["refresh_token"])) == (401, "Token has been revoked")


def test_a_token_with_a_refresh_token(fresh: Sandbox) -> None:
    """The administrator's token expires where it has a refresh token, which any integration may use, and only there."""
    fresh.oauth.advance(DAY + 1)
    assert [as_caller(fresh, token) for token in ("first", fresh.analyst_token)] == [401, 200]
    assert refresh(fresh, "R", client_id="anybody").status == 200
    with Sandbox(size=1, token="first") as sandbox:
        sandbox.oauth.advance(DAY + 1)
        assert as_caller(sandbox, "first") == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("example.amocrm.ru", 200), ("example.kommo.com:443", 200), ("other.amocrm.ru", 400), ("www.amocrm.com", 400)],
)
def test_another_account(fresh: Sandbox, host: str, status: int) -> None:
    """On the host of another account of amoCRM's there are no tokens."""
    sent = json.dumps(CLIENT | {"grant_type": "refresh_token", "refresh_token": "R"}).encode()
    answer = call(fresh, TOKEN, method="POST", body=sent, Authorization="", Host=host)
    assert answer.status == status
    if status == 400:
        assert refusal(answer) == (400, "Invalid account")


def test_access_tokens_look_signed(fresh: Sandbox) -> None:
    """Its claims say whose it is, until when, and where the account can be asked for."""
    pair = refresh(fresh, "R").json
    head, claims, signature = pair["access_token"].split(".")
    assert json.loads(urlsafe_b64decode(head + "==")) == {"typ": "JWT", "alg": "RS256"}
    assert len(urlsafe_b64decode(signature + "==")) == 256
    said = json.loads(urlsafe_b64decode(claims + "=="))
    assert (said["sub"], said["account_id"], said["aud"]) == ("504141", 1231414, CLIENT["client_id"])
    assert said["base_domain"] == "amocrm.ru"
    assert said["exp"] - said["iat"] == DAY
    assert said["iat"] == pair["server_time"]
    assert said["scopes"] == ["push_notifications", "files", "crm", "files_delete", "notifications"]


def test_where_api_domain_is(fresh: Sandbox) -> None:
    """The host that all accounts can be asked for is the sandbox itself."""
    assert claims(refresh(fresh, "R").json["access_token"])["api_domain"] == urlsplit(fresh.url).netloc


def test_where_the_account_is(fresh: Sandbox) -> None:
    """A refresh token asks for the account's domain; one that is good for nothing gets 401."""
    answer = call(fresh, SUBDOMAIN, Authorization="", **{"X-Refresh-Token": "R"})
    assert answer.json == {
        "id": 1231414,
        "subdomain": "example",
        "domain": urlsplit(fresh.url).netloc,
        "top_level_domain": "ru",
    }
    on_kommo = call(fresh, SUBDOMAIN, Authorization="", Host="example.kommo.com:443", **{"X-Refresh-Token": "R"})
    assert (on_kommo.json["domain"], on_kommo.json["top_level_domain"]) == ("example.kommo.com:443", "com")
    refresh(fresh, "R")
    for token in ("R", "x", ""):
        assert call(fresh, SUBDOMAIN, Authorization="", **{"X-Refresh-Token": token}).status == 401


def test_what_the_integration_is_told(fresh: Sandbox) -> None:
    """Who is allowed in gets the code at its own address, with what else the page on OAuth has."""
    query = {"client_id": "new", "redirect_uri": "http://127.0.0.1:1/", "decision": "allow"}
    on_kommo = form(fresh, "/oauth", headers={"Host": "example.kommo.com:443"}, **query).headers["Location"]
    assert "referer=example.kommo.com%3A443&state=&platform=2&client_id=new" in on_kommo
    told = allow(fresh, state="где?")
    assert told.pop("code").startswith("def502")
    host = urlsplit(fresh.url).netloc
    expected = {"from": "amo", "referer": host, "state": "где?", "platform": "1", "client_id": CLIENT["client_id"]}
    assert told == expected


def test_who_allows(fresh: Sandbox) -> None:
    """Any user of the account can be chosen on the page, and nobody else; the administrator if none is.

    The mode makes no difference.
    """
    for chosen, user_id in (({}, 504141), ({"user": "581651"}, 581651)):
        pair = exchange(fresh, allow(fresh, **chosen)["code"]).json
        account = call(fresh, "/api/v4/account", Authorization=bearer(pair["access_token"])).json
        assert account["current_user_id"] == user_id
    for nobody in ("1", "", "Анна"):
        answer = form(fresh, "/oauth", **CLIENT, decision="allow", user=nobody)
        assert (answer.status, "user is nobody of this account" in answer.body.decode()) == (400, True)
    pages = {
        call(fresh, f"/oauth?client_id={CLIENT['client_id']}&mode={mode}").body for mode in ("popup", "post_message")
    }
    assert len(pages) == 1


def test_where_an_integration_is(fresh: Sandbox) -> None:
    """One that is not known yet names its redirect_uri in the address of the page; afterwards it need not."""
    query = {"client_id": "new", "decision": "allow"}
    assert form(fresh, "/oauth", **query).status == 400
    assert form(fresh, "/oauth", **query, redirect_uri="http://127.0.0.1:1/").status == 303
    assert form(fresh, "/oauth", **query).headers["Location"].startswith("http://127.0.0.1:1/?code=")
    assert form(fresh, "/oauth", **query, redirect_uri="").status == 400  # one that is empty is another one
