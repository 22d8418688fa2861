"""The API over HTTP: its routes, and who gets through to them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.routing import Route

from amoexplore.sandbox.account_answers import ACCOUNT, PIPELINES_LIST, USERS_LIST
from amoexplore.sandbox.answers import WIDGETS, problem
from amoexplore.sandbox.bots import BOTS
from amoexplore.sandbox.journal import Journal, Recorder
from amoexplore.sandbox.methods import AccountApi, BotsApi, Refused, WidgetsApi, origin_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from amoexplore.sandbox.rules import Keyring
    from amoexplore.sandbox.store import Store

_API = "/api/v4/"

# What amoCRM has under /api/v4 besides widgets, as the sections of its documentation name it.
_ELSEWHERE = {
    *("account", "bots", "calls", "catalogs", "chats", "companies", "contacts", "customers", "events", "leads"),
    *("marketingbot", "products", "roles", "salesbot", "short_links", "sources", "talks", "tasks", "users"),
    *("webhooks", "website_buttons"),
}


def application(store: Store, keyring: Keyring, journal: Journal) -> Starlette:
    """Return the API as an ASGI application."""
    app = Starlette(
        routes=[*_widget_routes(store), *_bot_routes(store), *_account_routes()],
        middleware=[Middleware(Recorder, journal=journal), Middleware(Authentication, keyring=keyring)],
        exception_handlers={404: no_route, 405: wrong_method, Refused: refusal},
    )
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


def _account_routes() -> Iterator[Route]:
    api = AccountApi()
    yield Route(ACCOUNT, api.account)
    yield Route(PIPELINES_LIST, api.list_pipelines)
    yield Route(f"{PIPELINES_LIST}/{{id}}", api.get_pipeline)
    # The links of users have a slash at the end, those of all else have none.
    for slash in ("", "/"):
        yield Route(f"{USERS_LIST}{slash}", api.list_users)
        yield Route(f"{USERS_LIST}/{{id}}{slash}", api.get_user)


class Authentication:
    """Lets nobody but callers with a token through to the API; what lies outside it is open.

    Parameters
    ----------
    app
        The application behind it, which finds the `Caller` in the request's state.
    keyring
        The tokens.
    """

    def __init__(self, app: ASGIApp, keyring: Keyring) -> None:
        self._app = app
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or hand the request on."""
        caller = self._keyring.caller(Headers(scope=scope).get("authorization", ""))
        scope["state"]["caller"] = caller
        if caller is None and scope["path"].startswith(_API):
            await problem(401, "Неверный логин или пароль")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def no_route(request: Request, _error: Exception) -> Response:
    """Answer 501 for what amoCRM has and the sandbox has not, 404 for what neither has (kommo docs http-codes)."""
    path: str = request.scope["path"]
    if path.startswith(_API) and path.removeprefix(_API).partition("/")[0] in _ELSEWHERE:
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
