"""Tokens as an integration gets them from the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from page import bearer, call, post

if TYPE_CHECKING:
    from page import Answer

    from amoexplore.sandbox import Sandbox

TOKEN = "/oauth2/access_token"
SUBDOMAIN = "/oauth2/account/current/subdomain"

CLIENT = {
    "client_id": "5ef1a2b3-0000-4000-8000-000000000001",
    "client_secret": "kept between us",
    "redirect_uri": "http://127.0.0.1:8321/callback?from=amo",
}
WORDS = ("Некорректный запрос", "В запросе отсутствует ряд параметров или параметры невалидны")


def ask(sandbox: Sandbox, sent: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
    """Ask for tokens as the integration; what is None is left out."""
    kept = {name: value for name, value in (CLIENT | sent).items() if value is not None}
    return post(sandbox, TOKEN, kept, **{"Authorization": ""} | (headers or {}))


def refresh(sandbox: Sandbox, token: str, headers: dict[str, str] | None = None, **others: Any) -> Answer:
    """Exchange a refresh token."""
    return ask(sandbox, {"grant_type": "refresh_token", "refresh_token": token} | others, headers)


def exchange(sandbox: Sandbox, code: str, **others: Any) -> Answer:
    """Exchange a code."""
    return ask(sandbox, {"grant_type": "authorization_code", "code": code} | others)


def form(sandbox: Sandbox, target: str, headers: dict[str, str] | None = None, **fields: str) -> Answer:
    """Send a form, as a browser does."""
    sent = {"Authorization": "", "Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
    return call(sandbox, target, method="POST", body=urlencode(fields).encode(), **sent)


def allow(sandbox: Sandbox, **others: str) -> dict[str, str]:
    """Allow the integration in, and return what it is told."""
    asked = {
        "client_id": CLIENT["client_id"],
        "redirect_uri": CLIENT["redirect_uri"],
        "state": "s",
        "decision": "allow",
    }
    answer = form(sandbox, "/oauth", **asked | others)
    assert answer.status == 303
    return {name: value for name, (value,) in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def as_caller(sandbox: Sandbox, token: str) -> int:
    """Return the status of an answer to this token."""
    return call(sandbox, "/api/v4/widgets?limit=1", Authorization=bearer(token)).status


def refusal(answer: Answer) -> tuple[int, str | None]:
    """Return status and hint of a refusal, whose other words are always the same."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert problem["type"] == "https://developers.amocrm.ru/v3/errors/OAuthProblemJson"
    assert problem["status"] == answer.status
    assert (problem["title"], problem["detail"]) == WORDS
    return answer.status, problem["hint"]


def secrets_of(integration: Any) -> dict[str, str]:
    """Return what else an integration sends."""
    return {"client_secret": integration.client_secret, "redirect_uri": integration.redirect_uri}
