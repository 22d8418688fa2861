"""The methods of OAuth: the page of consent, the exchange of codes and tokens, and where the account is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from starlette.responses import JSONResponse, Response

from amoexplore.sandbox.answers import problem
from amoexplore.sandbox.consent import allowed, consent_page, denied, is_web_address, mistake_page
from amoexplore.sandbox.methods import origin_of
from amoexplore.sandbox.oauth import Integration, Kind, OAuthError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from amoexplore.sandbox.oauth import OAuth

_KINDS: dict[str, tuple[Kind, str]] = {
    "authorization_code": ("code", "code"),
    "refresh_token": ("refresh", "refresh_token"),
}

# An account of amoCRM's own, of which there is one here.
_DOMAIN = re.compile(r"([^.]+)\.(?:amocrm\.(?:ru|com)|kommo\.com)(?::\d+)?")


class OAuthProblem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the exchange of tokens says that something went wrong (answers in issues 123, 235, 269 and 315)."""

    hint: str | None = None
    title: str
    type: str
    status: int
    detail: str


class OAuthApi:
    """The methods that an integration gets its tokens by.

    Parameters
    ----------
    oauth
        What has been granted.
    """

    def __init__(self, oauth: OAuth) -> None:
        self._oauth = oauth

    async def consent(self, request: Request) -> Response:
        """Ask a browser's user, and send the browser back to the integration with what was decided."""
        if request.method == "POST":
            return self._decide(_form(await request.body()), origin_of(request))
        return self._mistake(request.query_params) or self._page(request.query_params)

    async def exchange(self, request: Request) -> Response:
        """Exchange a code or a refresh token for a pair of tokens (the API's page on OAuth, step by step)."""
        try:
            integration, kind, text = _exchanged(await _parameters(request))
            self._demand_account(_host(origin_of(request)))
            pair = self._oauth.exchange(integration, kind, text)
        except OAuthError as error:
            return _refusal(error)
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": pair.expires_in,
                "server_time": int(self._oauth.now),
                "access_token": pair.access_token,
                "refresh_token": pair.refresh_token,
            }
        )

    async def subdomain(self, request: Request) -> Response:
        """Answer where the account is now (the API's page on the account's subdomain)."""
        if not self._oauth.is_good(request.headers.get("x-refresh-token", "")):
            return problem(401, "Неверный логин или пароль")
        host = _host(origin_of(request))
        top = host.partition(":")[0].rpartition(".")[2] if _DOMAIN.fullmatch(host) else "ru"
        account = self._oauth.account
        return JSONResponse({"id": account.id, "subdomain": account.subdomain, "domain": host, "top_level_domain": top})

    def _page(self, asked: Mapping[str, str]) -> Response:
        return consent_page(self._oauth.account, asked["client_id"], self._address(asked), asked.get("state", ""))

    def _decide(self, form: Mapping[str, str], origin: str) -> Response:
        if mistake := self._mistake(form):
            return mistake
        address, state, client_id = self._address(form), form.get("state", ""), form["client_id"]
        if form.get("decision") == "deny":
            return denied(address, state=state)
        if form.get("decision") != "allow":
            return mistake_page(self._oauth.account, "decision is missing: it is allow or deny")
        account = self._oauth.account
        chosen = form.get("user", str(account.administrator.id))
        user = next((user for user in account.users if str(user.id) == chosen), None)
        if user is None:
            return mistake_page(account, "user is nobody of this account: it is the id of one of its users")
        code = self._oauth.code(client_id, address, user)
        return allowed(address, code=code, host=_host(origin), state=state, client_id=client_id)

    def _mistake(self, asked: Mapping[str, str]) -> Response | None:
        """Return what to tell the user if nobody could be asked this."""
        client_id = asked.get("client_id", "")
        if not client_id:
            return mistake_page(self._oauth.account, "client_id is missing: it says which integration asks")
        known = self._oauth.redirect_uri(client_id)
        if known and asked.get("redirect_uri", known) != known:
            return mistake_page(self._oauth.account, "Redirect URI is not associated with client")
        if not is_web_address(self._address(asked)):
            return mistake_page(
                self._oauth.account,
                "the sandbox does not know this integration: add &redirect_uri= and the address that it is reached at",
            )
        return None

    def _demand_account(self, host: str) -> None:
        """Refuse what is asked of another account of amoCRM's."""
        named = _DOMAIN.fullmatch(host)
        if named and named[1] != self._oauth.account.subdomain:
            raise OAuthError(400, "Invalid account")

    def _address(self, asked: Mapping[str, str]) -> str:
        return self._oauth.redirect_uri(asked["client_id"]) or asked.get("redirect_uri", "")


def _exchanged(sent: Mapping[str, str]) -> tuple[Integration, Kind, str]:
    """Return who exchanges what, or refuse the first thing that is missing."""
    kind, parameter = _KINDS.get(sent.get("grant_type", ""), (None, ""))
    if kind is None:
        raise OAuthError(400, "Check that all required parameters have been provided")
    for name in ("client_id", "client_secret", "redirect_uri", parameter):
        if name not in sent:
            raise OAuthError(400, f"Check the `{name}` parameter")
    integration = Integration(sent["client_id"], sent["client_secret"], sent["redirect_uri"])
    return integration, kind, sent[parameter]


async def _parameters(request: Request) -> dict[str, str]:
    """Return the texts of a body of JSON or of a form, whatever else is in it."""
    body = await request.body()
    sent: Any
    if request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        sent = _form(body)
    else:
        try:
            sent = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            sent = None
    if not isinstance(sent, dict):
        return {}
    return {name: text for name, text in sent.items() if text and isinstance(text, str)}


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def _host(origin: str) -> str:
    return origin.partition("://")[2]


def _refusal(error: OAuthError) -> Response:
    if error.hint is None:
        title, detail = "Некорректный клиент", "Авторизация клиента не прошла"
    else:
        title = "Некорректный запрос"
        detail = "В запросе отсутствует ряд параметров или параметры невалидны"
    type_ = "https://developers.amocrm.ru/v3/errors/OAuthProblemJson"
    body = OAuthProblem(hint=error.hint, title=title, type=type_, status=error.status, detail=detail)
    return Response(msgspec.json.encode(body), error.status, media_type="application/problem+json")
