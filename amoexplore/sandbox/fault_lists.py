"""Faults of the list of widgets: pages that lead on wrongly, and a catalogue that changes between them."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import QueryParams

from amoexplore.sandbox.answers import WIDGETS
from amoexplore.sandbox.fault import Call, Count, Fault, Host
from amoexplore.sandbox.rules import Paging, paging


class _Listed(Fault, frozen=True):
    """A fault of the list of widgets."""

    path: str = WIDGETS
    method: str = "GET"

    def _change(self, page: dict[str, Any], asked: Paging) -> None:
        """Change what a page says."""

    async def _act(self, call: Call) -> None:
        await self._relay(call, paging(QueryParams(call.scope["query_string"])))

    async def _relay(self, call: Call, asked: Paging) -> None:
        """Answer with the page, changed; what is no page, as another fault may have left it, stays as it is."""
        taken = await call.taken()
        body = taken.body
        if taken.start["status"] == HTTPStatus.OK:
            with suppress(msgspec.DecodeError):
                page = msgspec.json.decode(body)
                self._change(page, asked)
                body = msgspec.json.encode(page)
        await call.give(taken, body)


class AlwaysNext(_Listed, frozen=True):
    """The last page has a `next` link as well; what it leads to is 204."""

    def _change(self, page: dict[str, Any], asked: Paging) -> None:
        page["_links"]["next"] = _link(page, asked, asked.page + 1)


class EndlessNext(_Listed, frozen=True):
    """Whatever page is asked for, the first one comes, under that number and with a `next`: without end."""

    async def _act(self, call: Call) -> None:
        asked = paging(QueryParams(call.scope["query_string"]))
        first = {**call.scope, "query_string": f"limit={asked.limit}&page=1".encode()}
        await self._relay(call._replace(scope=first), asked)

    def _change(self, page: dict[str, Any], asked: Paging) -> None:
        page["_page"] = asked.page
        page["_links"] = {"self": _link(page, asked, asked.page), "next": _link(page, asked, asked.page + 1)}


class NoNext(_Listed, frozen=True):
    """No page has a `next` link."""

    def _change(self, page: dict[str, Any], asked: Paging) -> None:  # noqa: ARG002  it is for other faults
        page["_links"].pop("next", None)


class ForeignNext(_Listed, frozen=True):
    """Each `next` link names another `host`."""

    host: Host = "amocrm.example"

    def _change(self, page: dict[str, Any], asked: Paging) -> None:  # noqa: ARG002  it is for other faults
        if link := page["_links"].get("next"):
            link["href"] = urlsplit(link["href"])._replace(scheme="https", netloc=self.host).geturl()


class _Shifted(_Listed, frozen=True):
    shift: ClassVar[int]

    async def _act(self, call: Call) -> None:
        call.scope["state"]["shift"] = self.shift
        await call.go_on()


class WidgetTwice(_Shifted, frozen=True):
    """A widget is on two pages, as if one had been added before it: each page behind the first begins one earlier."""

    shift = -1


class ChangingCatalog(_Shifted, frozen=True):
    """A catalogue that changes between pages: behind the first one that is asked for, the first widget is gone."""

    shift = 1
    after: Count = 1


def _link(page: dict[str, Any], asked: Paging, number: int) -> dict[str, str]:
    address = page["_links"]["self"]["href"].partition("?")[0]
    return {"href": f"{address}?limit={asked.limit}&page={number}"}
