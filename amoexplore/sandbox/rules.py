"""What the API decides before it answers: who calls, which page is asked for, what the caller may see."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

import msgspec

from amoexplore.sandbox.account import FIRST, User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amoexplore.sandbox.account import Account
    from amoexplore.sandbox.catalog import Entry

DEFAULT_LIMIT = 50
MAX_LIMIT = 250

# Nine digits count: more pages than any account has, and small enough for every step of the way to the database.
_WHOLE_NUMBER = re.compile(r"0*([1-9][0-9]{0,8})[0-9]*")


class Caller(msgspec.Struct, frozen=True):
    """Who calls: a user, or an integration with the rights of the user who installed it.

    The integration is that of a `widget`, by its code, or known by its `client_id`.
    """

    name: str
    user: User
    widget: str | None = None
    client_id: str | None = None


class Keyring:
    """The long-lived tokens of the account, none of them stored: all are derived from the administrator's.

    So a sandbox that is started again with the same token knows the tokens that it gave out before. If
    `is_long_lived` is False, the administrator's own one is an access token of OAuth, and none of these.
    """

    def __init__(self, administrator: str, account: Account = FIRST, *, is_long_lived: bool = True) -> None:
        self.administrator = administrator
        self.account = account
        self._is_long_lived = is_long_lived
        self.analyst = self._derive("user analyst")

    def integration(self, code: str) -> str:
        """Return the token of the integration that is linked with this widget; it begins with the code."""
        return f"{code}.{self._derive(f'integration {code}')}"

    def secret(self, code: str) -> str:
        """Return the secret of that integration, which signs what the account sends to it."""
        return self._derive(f"secret {code}")

    def of(self, account: Account) -> Keyring:
        """Return the tokens of another account of the same sandbox."""
        return Keyring(self._derive(f"account {account.number}"), account)

    def caller(self, authorization: str) -> Caller | None:
        """Return whose token an Authorization header carries, None if nobody's."""
        token = bearer(authorization)
        if self._is_long_lived and _same(token, self.administrator):
            return Caller("administrator", self.account.administrator)
        if _same(token, self.analyst):
            return Caller("analyst", self.account.analyst)
        code = token.rpartition(".")[0]
        if _same(token, self.integration(code)):
            return Caller(f"integration {code}", self.account.administrator, widget=code)
        return None

    def _derive(self, purpose: str) -> str:
        return hmac.digest(self.administrator.encode(), purpose.encode(), "sha256").hex()


def bearer(authorization: str) -> str:
    """Return the token that an Authorization header carries, an empty text if there is none."""
    scheme, _, token = authorization.partition(" ")
    return token if scheme.lower() == "bearer" else ""


class Paging(msgspec.Struct, frozen=True):
    """Which part of a list is asked for; pages count from 1."""

    page: int
    limit: int

    @property
    def offset(self) -> int:
        """How many entries the pages before this one have."""
        return (self.page - 1) * self.limit


def paging(parameters: Mapping[str, str]) -> Paging:
    """Read `page` and `limit`; what can't be meant falls back to the first page and to 50 a page.

    The page has no answer for wrong parameters: a list is answered with 200 or 401 (section «Список виджетов»).
    """
    page = _whole_number(parameters.get("page", ""))
    limit = _whole_number(parameters.get("limit", ""))
    return Paging(page or 1, limit if limit and limit <= MAX_LIMIT else DEFAULT_LIMIT)


def may_read(entry: Entry, caller: Caller) -> bool:
    """Tell whether the caller gets this widget by its code (section «Информация о виджете по его коду»)."""
    return entry.is_public or entry.uploaded_by == caller.user.id or is_linked(entry, caller)


def may_install(entry: Entry, caller: Caller) -> bool:
    """Tell whether the caller can install this widget and uninstall it: one that is on the caller's list."""
    return entry.is_listed_for(caller.user) or is_linked(entry, caller)


def is_linked(entry: Entry, caller: Caller) -> bool:
    """Tell whether the caller is the widget's own integration, which alone is shown the settings."""
    widget = entry.widget
    return widget.code == caller.widget or (widget.client_uuid is not None and widget.client_uuid == caller.client_id)


def _whole_number(text: str) -> int | None:
    match = _WHOLE_NUMBER.fullmatch(text)
    return int(match[1]) if match else None


def _same(token: str, other: str) -> bool:
    return hmac.compare_digest(token.encode(), other.encode())
