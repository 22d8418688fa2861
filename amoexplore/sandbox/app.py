"""The API over HTTP: its routes, and who gets through to them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.routing import Route

from amoexplore.sandbox.account_answers import ACCOUNT, PIPELINES_LIST, USERS_LIST
from amoexplore.sandbox.answers import WIDGETS, problem
from amoexplore.sandbox.bots import BOTS
from amoexplore.sandbox.faults import Faults, Misbehaviour
from amoexplore.sandbox.gateway import Gate
from amoexplore.sandbox.journal import Journal, Recorder
from amoexplore.sandbox.methods import AccountApi, BotsApi, Refused, WidgetsApi, origin_of
from amoexplore.sandbox.oauth import SUBDOMAIN_PATH, TOKEN_PATH, OAuth
from amoexplore.sandbox.oauth_methods import OAuthApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from amoexplore.sandbox.limits import Limiter
    from amoexplore.sandbox.rules import Keyring
    from amoexplore.sandbox.store import Store
_API = "/api/v4/"

# What amoCRM has under /api/v4 besides widgets, as the sections of its documentation name it.
_ELSEWHERE = {
    *("bots", "calls", "catalogs", "chats", "companies", "contacts", "customers", "events", "leads", "products"),
    *("roles", "short_links", "sources", "talks", "tasks", "users", "webhooks", "website_buttons"),
}


class Parts(NamedTuple):
    """What an account is made of; `limiter` is None where there are no limits."""

    store: Store
    keyring: Keyring
    oauth: OAuth
    limiter: Limiter | None
    faults: Faults
    journal: Journal


def application(parts: Parts) -> Starlette:
    """Return the API as an ASGI application."""
    app = Starlette(
        routes=[
            *_widget_routes(parts.store),
            *_bot_routes(parts.store),
            *_account_routes(parts.store),
            *_oauth_routes(parts.oauth),
        ],
        # What is on the way to the account comes before what it counts, and both before who may do what.
        middleware=[
            Middleware(Identification, keyring=parts.keyring, oauth=parts.oauth),
            Middleware(Recorder, journal=parts.journal),
            Middleware(Misbehaviour, faults=parts.faults),
            Middleware(Gate, limiter=parts.limiter),
            Middleware(Authentication),
        ],
        exception_handlers={404: no_route, 405: wrong_method, Refused: refusal},
    )
    app.state.oauth = parts.oauth
    # An address with a slash at its end is another one; the API redirects nobody.
    app.router.redirect_slashes = False
    return app


def _widget_routes(store: Store) -> Iterator[Route]:
    api = WidgetsApi(store)
    yield Route(WIDGETS, api.list_widgets)
    yield Route(f"{WIDGETS}/{{code}}", api.one_widget, methods=["GET", "POST", "DELETE"])


def _bot_routes(store: Store) -> Iterator[Route]:
    api = BotsApi(store)
    for bot in BOTS:
        path = f"{_API}{bot}/{{bot_id}}/continue/{{continue_id}}"
        yield Route(path, partial(api.continue_bot, bot=bot), methods=["POST"])


def _account_routes(store: Store) -> Iterator[Route]:
    api = AccountApi(store.account)
    yield Route(ACCOUNT, api.account)
    yield Route(PIPELINES_LIST, api.list_pipelines)
    yield Route(f"{PIPELINES_LIST}/{{id}}", api.get_pipeline)
    # The links of users have a slash at the end, those of all else have none.
    for slash in ("", "/"):
        yield Route(f"{USERS_LIST}{slash}", api.list_users)
        yield Route(f"{USERS_LIST}/{{id}}{slash}", api.get_user)


def _oauth_routes(oauth: OAuth) -> Iterator[Route]:
    api = OAuthApi(oauth)
    yield Route("/oauth", api.consent, methods=["GET", "POST"])
    yield Route(TOKEN_PATH, api.exchange, methods=["POST"])
    yield Route(SUBDOMAIN_PATH, api.subdomain)


class Identification:
    """Finds out who calls: the request's state then has the `Caller`, or None.

    An administrator may call for another user.

    Parameters
    ----------
    app
        The application behind it.
    keyring, oauth
        Who knows the tokens.
    """

    def __init__(self, app: ASGIApp, keyring: Keyring, oauth: OAuth) -> None:
        self._app = app
        self._keyring = keyring
        self._oauth = oauth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        headers = Headers(scope=scope)
        authorization = headers.get("authorization", "")
        caller = self._keyring.caller(authorization) or self._oauth.caller(authorization)
        if caller and caller.user.is_admin and (user_id := headers.get("x-context-user-id")) is not None:
            user = next((user for user in self._keyring.account.users if str(user.id) == user_id), None)
            caller = replace(caller, user=user) if user else None
        scope["state"]["caller"] = caller
        await self._app(scope, receive, send)


class Authentication:
    """Lets nobody but callers with a token through to the API; what lies outside it is open.

    Parameters
    ----------
    app
        The application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or hand the request on."""
        if scope["state"]["caller"] is None and scope["path"].startswith(_API):
            await problem(401, "Неверный логин или пароль")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def no_route(request: Request, _error: Exception) -> Response:
    """Answer 501 for what amoCRM has and the sandbox has not, 404 for what neither has (kommo docs http-codes)."""
    path: str = request.scope["path"]
    if path.startswith(_API) and path.removeprefix(_API).partition("/")[0] in _ELSEWHERE and not path.endswith("/"):
        return _not_served(request)
    return problem(404, f"Cannot {request.method} {origin_of(request)}{path}")


async def wrong_method(_request: Request, error: Exception) -> Response:
    """Answer 405, with the methods that the route has (kommo docs http-codes)."""
    allowed = (cast("HTTPException", error).headers or {})["Allow"]
    return problem(405, "Method Not Allowed", {"Allow": ", ".join(sorted(allowed.split(", ")))})


async def refusal(_request: Request, error: Exception) -> Response:
    """Answer what a method that refuses the request has to say."""
    return cast("Refused", error).answer


def _not_served(request: Request) -> Response:
    return problem(501, f"amoCRM has {request.method} {request.scope['path']}, the sandbox does not serve it")
