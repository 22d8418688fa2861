"""The API over HTTP: its routes, and who gets through to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from amoexplore.sandbox.answers import WIDGETS, account_widget, hal, problem, widgets_page
from amoexplore.sandbox.journal import Journal, Recorder
from amoexplore.sandbox.rules import Caller, Keyring, is_linked, may_read, paging

if TYPE_CHECKING:
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

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
    widgets = WidgetsApi(store)
    app = Starlette(
        routes=[
            Route(WIDGETS, widgets.list_widgets),
            Route(f"{WIDGETS}/{{code}}", widgets.get_widget, methods=["GET", "POST", "DELETE"]),
        ],
        middleware=[Middleware(Recorder, journal=journal), Middleware(Authentication, keyring=keyring)],
        exception_handlers={404: no_route, 405: wrong_method},
    )
    # An address with a slash at its end is another one; the API redirects nobody.
    app.router.redirect_slashes = False
    return app


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


class WidgetsApi:
    """The methods of the API that are about widgets.

    Parameters
    ----------
    store
        The account's state.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list_widgets(self, request: Request) -> Response:
        """Answer a page of the caller's list, 204 if there is nothing on it (section «Список виджетов»)."""
        asked = paging(request.query_params)
        # One more than asked for, which tells whether there is a next page.
        entries = self._store.listed(_caller(request).user, offset=asked.offset, limit=asked.limit + 1)
        if not entries:
            return Response(status_code=204)
        has_next = len(entries) > asked.limit
        return hal(widgets_page(entries[: asked.limit], asked, _origin(request), has_next=has_next))

    async def get_widget(self, request: Request) -> Response:
        """Answer one widget (section «Информация о виджете по его коду»)."""
        if request.method in {"POST", "DELETE"}:
            return _not_served(request)
        caller = _caller(request)
        entry = self._store.find(request.path_params["code"])
        if entry is None or not may_read(entry, caller):
            return problem(404, "Widget not found")
        return hal(account_widget(entry, _origin(request), with_settings=is_linked(entry, caller)))


async def no_route(request: Request, _error: Exception) -> Response:
    """Answer 501 for what amoCRM has and the sandbox has not, 404 for what neither has (kommo docs http-codes)."""
    path: str = request.scope["path"]
    if path.startswith(_API) and path.removeprefix(_API).partition("/")[0] in _ELSEWHERE:
        return _not_served(request)
    return problem(404, f"Cannot {request.method} {_origin(request)}{path}")


async def wrong_method(_request: Request, error: Exception) -> Response:
    """Answer 405, with the methods that the route has (kommo docs http-codes)."""
    allowed = (cast("HTTPException", error).headers or {})["Allow"]
    return problem(405, "Method Not Allowed", {"Allow": ", ".join(sorted(allowed.split(", ")))})


def _not_served(request: Request) -> Response:
    return problem(501, f"amoCRM has {request.method} {request.scope['path']}, the sandbox does not serve it")


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _origin(request: Request) -> str:
    """Return scheme and host as the client called them; a client of HTTP/1.0 need not name the host."""
    host, port = request.scope["server"]
    return f"{request.scope['scheme']}://{request.headers.get('host', f'{host}:{port}')}"
