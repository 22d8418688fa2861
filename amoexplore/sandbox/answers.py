"""The bodies that the API answers with: widgets as application/hal+json, problems as application/problem+json."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from amoexplore.sandbox.catalog import Entry, Install, Widget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amoexplore.sandbox.rules import Paging
    from amoexplore.sandbox.validation import Fault

WIDGETS = "/api/v4/widgets"

_PROBLEM = "application/problem+json"


class Link(msgspec.Struct, frozen=True):
    """Where something is."""

    href: str


class Links(msgspec.Struct, frozen=True):
    """Where an answer is, and where the page after it."""

    self: Link
    next: Link | UnsetType = UNSET


class AccountWidget(Widget, frozen=True, kw_only=True):
    """A widget as an account is answered: what `Widget` has, and what the account has made of it."""

    is_active_in_account: bool
    pipeline_id: int | None
    settings: dict[str, Any] | list[Any] | UnsetType = UNSET
    links: Links = msgspec.field(name="_links")

    def __repr__(self) -> str:
        return f"<AccountWidget {self.code!r}>"


class Page(msgspec.Struct, frozen=True):
    """One page of a list."""

    page: int = msgspec.field(name="_page")
    links: Links = msgspec.field(name="_links")
    embedded: dict[str, list[AccountWidget]] = msgspec.field(name="_embedded")


class Problem(msgspec.Struct, frozen=True):
    """What went wrong, in the shape that all errors of the API have (kommo docs http-codes)."""

    title: str
    type: str
    status: int
    detail: str


class Faults(msgspec.Struct, frozen=True):
    """The faults of one thing that was sent; every body here is one thing."""

    errors: Sequence[Fault]


class ValidationProblem(msgspec.Struct, frozen=True):
    """A `Problem` that lists what is wrong with the body (the API's page on error codes)."""

    faults: tuple[Faults] = msgspec.field(name="validation-errors")
    title: str = "Bad Request"
    type: str = "https://httpstatus.es/400"
    status: int = 400
    detail: str = "Request validation failed"


def account_widget(entry: Entry, origin: str, *, with_settings: bool = False) -> AccountWidget:
    """Return the widget as the account is answered, linked to the address that the caller used."""
    install = entry.install
    return AccountWidget(
        **msgspec.structs.asdict(entry.widget),
        is_active_in_account=install is not None,
        pipeline_id=install.pipeline_id if install else None,
        settings=_settings(install) if with_settings else UNSET,
        links=Links(Link(f"{origin}{WIDGETS}/{entry.widget.code}")),
    )


def widgets_page(entries: Sequence[Entry], paging: Paging, origin: str, *, has_next: bool) -> Page:
    """Return a page of the list, with a link to the next one if there is one."""

    def link(page: int) -> Link:
        return Link(f"{origin}{WIDGETS}?limit={paging.limit}&page={page}")

    links = Links(link(paging.page), link(paging.page + 1) if has_next else UNSET)
    return Page(paging.page, links, {"widgets": [account_widget(entry, origin) for entry in entries]})


def _settings(install: Install | None) -> dict[str, Any] | list[Any]:
    """Return the settings as PHP writes an array: the page calls them one, and an empty one is no object."""
    return (install and install.settings) or []


def hal(body: Any) -> Response:
    """Answer that all went well."""
    return Response(msgspec.json.encode(body), media_type="application/hal+json")


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer that something went wrong; the title and the type follow from the status."""
    body = Problem(HTTPStatus(status).phrase, f"https://httpstatus.es/{status}", status, detail)
    return Response(msgspec.json.encode(body), status, headers, media_type=_PROBLEM)


def invalid(faults: Sequence[Fault]) -> Response:
    """Answer that the body has faults."""
    body = ValidationProblem((Faults(faults),))
    return Response(msgspec.json.encode(body), body.status, media_type=_PROBLEM)
