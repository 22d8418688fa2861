"""The methods of the API, section by section: what each does with a request that has got through to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from msgspec.structs import replace
from starlette.responses import Response

from amoexplore.sandbox import account_answers
from amoexplore.sandbox.account import MAIN_PIPELINE, PIPELINES, Pipeline, User
from amoexplore.sandbox.answers import account_widget, hal, invalid, problem, widgets_page
from amoexplore.sandbox.catalog import Entry, Install
from amoexplore.sandbox.handlers import continue_faults, run
from amoexplore.sandbox.rules import Caller, is_linked, may_install, may_read, paging
from amoexplore.sandbox.store import BotKey
from amoexplore.sandbox.validation import BodyError, read_body, settings_faults

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from amoexplore.sandbox.account import Account
    from amoexplore.sandbox.store import Store
    from amoexplore.sandbox.validation import Fault

# Up to 15 digits, so that every client reads an id as it is, and every step of the way to the database takes it.
_ID = re.compile("[1-9][0-9]{0,14}")

_NO_BOT = "Запись о виджете ожидающем результата выполнения не найдена"

_T = TypeVar("_T", User, Pipeline)


class Refused(Exception):
    """A request that is refused, with the answer to it."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class WidgetsApi:
    """The methods that are about widgets.

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
        # A fault may shift the list; SQLite takes an offset below 0 for 0.
        offset = asked.offset + getattr(request.state, "shift", 0)
        # One more than asked for, which tells whether there is a next page.
        entries = self._store.listed(_caller_of(request).user, offset=offset, limit=asked.limit + 1)
        if not entries:
            return Response(status_code=204)
        has_next = len(entries) > asked.limit
        return hal(widgets_page(entries[: asked.limit], asked, origin_of(request), has_next=has_next))

    async def one_widget(self, request: Request) -> Response:
        """Answer one widget, install it or uninstall it."""
        if request.method == "POST":
            return await self._install(request)
        if request.method == "DELETE":
            return self._uninstall(request)
        return self._get(request)

    def _get(self, request: Request) -> Response:
        """Answer one widget (section «Информация о виджете по его коду»)."""
        caller = _caller_of(request)
        entry = self._store.find(request.path_params["code"])
        if entry is None or not may_read(entry, caller):
            _refuse(404, "Widget not found")
        return hal(account_widget(entry, origin_of(request), with_settings=is_linked(entry, caller)))

    async def _install(self, request: Request) -> Response:
        """Install a widget, or replace the settings that it has (section «Установка виджета в аккаунт»)."""
        entry = self._installable(request)
        settings = await _body_of(request)
        _refuse_faults(settings_faults(entry.widget.settings_template, settings, self._store.account))
        install = Install(dict(settings), _pipeline_of(entry))
        self._store.install(entry.widget.code, install)
        return hal(account_widget(replace(entry, install=install), origin_of(request), with_settings=True))

    def _uninstall(self, request: Request) -> Response:
        """Uninstall a widget, also one that is not installed (section «Удаление установки виджета»)."""
        self._store.uninstall(self._installable(request).widget.code)
        return Response(status_code=204)

    def _installable(self, request: Request) -> Entry:
        _demand_administrator(request)
        entry = self._store.find(request.path_params["code"])
        if entry is None or not may_install(entry, _caller_of(request)):
            _refuse(404, "Widget not found")
        return entry


class BotsApi:
    """The method that lets a bot go on.

    Parameters
    ----------
    store
        The account's state.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def continue_bot(self, request: Request, *, bot: str) -> Response:
        """Let a bot go on that waits (section «Подтверждение выполнения блока виджета в Salesbot»)."""
        _demand_administrator(request)
        key = _bot_of(request, bot)
        steps = self._store.waiting_bot(key) if key else None
        if key is None or steps is None:
            _refuse(404, _NO_BOT)
        sent = await _body_of(request)
        _refuse_faults(continue_faults(sent))
        # Another request may have let it go on in the meantime.
        if not self._store.continue_bot(key, run(steps, sent)):
            _refuse(404, _NO_BOT)
        return Response(status_code=202)


class AccountApi:
    """The methods that tell of the account what an install has to know: its users and pipelines.

    Parameters
    ----------
    account
        Which account it is.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    async def account(self, request: Request) -> Response:
        """Answer the account (the API's page on the account)."""
        return hal(account_answers.account(self._account, _caller_of(request).user, origin_of(request)))

    async def list_users(self, request: Request) -> Response:
        """Answer a page of the users (the API's page on users)."""
        _demand_administrator(request)
        page = account_answers.users_page(self._account.users, paging(request.query_params), origin_of(request))
        return hal(page) if page else Response(status_code=204)

    async def get_user(self, request: Request) -> Response:
        """Answer one user (the API's page on users)."""
        _demand_administrator(request)
        user = _of_id(self._account.users, request.path_params["id"])
        if user is None:
            _refuse(404, "User not found")
        return hal(account_answers.user(user, origin_of(request)))

    async def list_pipelines(self, request: Request) -> Response:
        """Answer all pipelines (the API's page on pipelines)."""
        return hal(account_answers.pipelines(self._account, origin_of(request)))

    async def get_pipeline(self, request: Request) -> Response:
        """Answer one pipeline (the API's page on pipelines)."""
        pipeline = _of_id(PIPELINES, request.path_params["id"])
        if pipeline is None:
            _refuse(404, "Pipeline not found")
        return hal(account_answers.pipeline(self._account, pipeline, origin_of(request)))


def origin_of(request: Request) -> str:
    """Return scheme and host as the client called them; a client of HTTP/1.0 need not name the host."""
    host, port = request.scope["server"]
    return f"{request.scope['scheme']}://{request.headers.get('host', f'{host}:{port}')}"


def _caller_of(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _demand_administrator(request: Request) -> None:
    """Refuse who is no administrator, whatever is asked for: it is the method that they may not call."""
    if not _caller_of(request).user.is_admin:
        _refuse(403, "Не хватает прав для вызова данного метода")


async def _body_of(request: Request) -> Any:
    """Return what the body says, whatever type it is said to be of."""
    try:
        return read_body(await request.body())
    except BodyError as error:
        _refuse(400, str(error))


def _refuse(status: int, detail: str) -> NoReturn:
    raise Refused(problem(status, detail))


def _refuse_faults(faults: Iterable[Fault]) -> None:
    if found := list(faults):
        raise Refused(invalid(found))


def _pipeline_of(entry: Entry) -> int | None:
    """Return the pipeline that a widget brings leads to once it is installed; an install anew leaves it."""
    if entry.install:
        return entry.install.pipeline_id
    return MAIN_PIPELINE.id if entry.widget.is_lead_source else None


def _bot_of(request: Request, bot: str) -> BotKey | None:
    """Return which bot the address names, None if it can't be one."""
    ids = [request.path_params[name] for name in ("bot_id", "continue_id")]
    return BotKey(bot, *map(int, ids)) if all(map(_ID.fullmatch, ids)) else None


def _of_id(things: Iterable[_T], text: str) -> _T | None:
    return next((thing for thing in things if str(thing.id) == text), None)
