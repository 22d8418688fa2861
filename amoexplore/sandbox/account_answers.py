"""The bodies that the API answers about the account itself, after the examples of its pages on each."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from amoexplore.sandbox.account import PIPELINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amoexplore.sandbox.account import Account, Pipeline, Status, User
    from amoexplore.sandbox.rules import Paging

ACCOUNT = "/api/v4/account"
USERS_LIST = "/api/v4/users"
PIPELINES_LIST = "/api/v4/leads/pipelines"

_LEADS = ("view", "edit", "add", "delete", "export")
_TASKS = ("edit", "delete")


def account(shown: Account, caller: User, origin: str) -> dict[str, Any]:
    """Return the account, as this user is answered."""
    return {
        "id": shown.id,
        "name": shown.subdomain,
        "subdomain": shown.subdomain,
        "current_user_id": caller.id,
        "country": "RU",
        "customers_mode": "segments",
        "is_unsorted_on": True,
        "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False,
        "is_technical_account": False,
        "contact_name_display_order": 1,
        "_links": _self(f"{origin}{ACCOUNT}"),
    }


def users_page(users: Sequence[User], paging: Paging, origin: str) -> dict[str, Any] | None:
    """Return a page of the users, None past the last one."""
    shown = users[paging.offset : paging.offset + paging.limit]
    if not shown:
        return None
    pages = ceil(len(users) / paging.limit)

    def link(page: int) -> dict[str, str]:
        return {"href": f"{origin}{USERS_LIST}/?limit={paging.limit}&page={page}"}

    return {
        "_total_items": len(users),
        "_page": paging.page,
        "_page_count": pages,
        "_links": {"self": link(paging.page)} | ({"next": link(paging.page + 1)} if paging.page < pages else {}),
        "_embedded": {"users": [user(one, origin) for one in shown]},
    }


def user(shown: User, origin: str) -> dict[str, Any]:
    """Return one user; their links have a slash at the end."""
    return {
        "id": shown.id,
        "name": shown.name,
        "email": shown.email,
        "lang": "ru",
        "rights": _rights(is_admin=shown.is_admin),
        "_links": _self(f"{origin}{USERS_LIST}/{shown.id}/"),
    }


def pipelines(owner: Account, origin: str) -> dict[str, Any]:
    """Return all pipelines; their list has no pages."""
    return {
        "_total_items": len(PIPELINES),
        "_links": _self(f"{origin}{PIPELINES_LIST}"),
        "_embedded": {"pipelines": [pipeline(owner, one, origin) for one in PIPELINES]},
    }


def pipeline(owner: Account, shown: Pipeline, origin: str) -> dict[str, Any]:
    """Return one pipeline with its statuses."""
    href = f"{origin}{PIPELINES_LIST}/{shown.id}"
    return {
        "id": shown.id,
        "name": shown.name,
        "sort": PIPELINES.index(shown) + 1,
        "is_main": shown is PIPELINES[0],
        "is_unsorted_on": True,
        "is_archive": False,
        "account_id": owner.id,
        "_links": _self(href),
        "_embedded": {"statuses": [_status(one, shown.id, owner.id, href) for one in shown.statuses]},
    }


def _status(shown: Status, pipeline_id: int, account_id: int, pipeline_href: str) -> dict[str, Any]:
    return {
        "id": shown.id,
        "name": shown.name,
        "sort": shown.sort,
        "is_editable": shown.is_editable,
        "pipeline_id": pipeline_id,
        "color": shown.color,
        "type": int(shown.is_unsorted),
        "account_id": account_id,
        "_links": _self(f"{pipeline_href}/statuses/{shown.id}"),
    }


def _rights(*, is_admin: bool) -> dict[str, Any]:
    """Return all rights, as everybody has here; only an administrator may change what belongs to the account."""
    return {
        **{entity: dict.fromkeys(_LEADS, "A") for entity in ("leads", "contacts", "companies")},
        "tasks": dict.fromkeys(_TASKS, "A"),
        "mail_access": is_admin,
        "catalog_access": is_admin,
        "status_rights": None,
        "is_admin": is_admin,
        "is_free": False,
        "is_active": True,
        "group_id": None,
        "role_id": None,
    }


def _self(href: str) -> dict[str, Any]:
    return {"self": {"href": href}}
