"""The pages of a catalogue of any size, as the sandbox sends them."""

from __future__ import annotations

import re
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from amoexplore import Account, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Widgets a page.
LIMIT = 250
#: So many are made by the sandbox; a larger catalogue has them again, with ids and codes of their own.
ROUND = 10_000
_CODE = b',"code":"'


def pages(size: int) -> list[bytes]:
    """Return the bodies of all its pages; the last one names no next page."""
    return [_page(number, size) for number in range(1, page_count(size) + 1)]


def unalike(bodies: Iterable[bytes]) -> list[bytes]:
    """Return these pages with another key in each setting: no two templates are the same."""
    numbers = count()
    return [re.sub(rb'(?<="key":")', lambda _: b"%d_" % next(numbers), body) for body in bodies]


def page_count(size: int) -> int:
    """Return how many pages so many widgets fill."""
    return -(-size // LIMIT)


def _page(number: int, size: int) -> bytes:
    links = {"self": _link(number)} | ({"next": _link(number + 1)} if number < page_count(size) else {})
    page = {"_page": number, "_links": links, "_embedded": {"widgets": list(_widgets(number, size))}}
    return msgspec.json.encode(page)


def _link(number: int) -> dict[str, str]:
    # Without a host: a server has another port each time.
    return {"href": f"/api/v4/widgets?limit={LIMIT}&page={number}"}


def _widgets(number: int, size: int) -> Iterator[Raw]:
    made = _made(min(size, ROUND))
    for position in range((number - 1) * LIMIT, min(number * LIMIT, size)):
        again, place = divmod(position, ROUND)
        ident, rest = made[place]
        yield Raw(b'{"id":%d%s%s%s' % (ident + again * 1_000_000, _CODE, b"again%d_" % again if again else b"", rest))


class _Embedded(Struct):
    widgets: list[Raw]


class _Page(Struct, rename={"embedded": "_embedded"}):
    embedded: _Embedded


@cache
def _made(size: int) -> list[tuple[int, bytes]]:
    """Return the widgets of a sandbox: their ids, and what follows the opening quote of their codes."""
    decoder = msgspec.json.Decoder(_Page)
    made = []
    with Sandbox(size=size) as sandbox:
        account = Account(sandbox.url, sandbox.token)
        for number in range(1, page_count(size) + 1):
            body = account.widgets_answer(number, LIMIT).body.replace(sandbox.url.encode(), b"")
            for widget in decoder.decode(body).embedded.widgets:
                head, _, rest = bytes(widget).partition(_CODE)
                made.append((int(head.removeprefix(b'{"id":')), rest))
    return made
