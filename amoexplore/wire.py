"""What the API sends, as structs: a page of the catalogue as it came, before anything is cleaned."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta, Raw, Struct, field

from amoexplore.errors import BadAnswer

_RAW_LENGTH = 200

_Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class Setting(Struct, gc=False, forbid_unknown_fields=True):
    """One field of a settings_template: of these types as it usually comes, of any where it was read tolerantly."""

    key: str | None = None
    name: str | None = None
    type: str | None = None
    is_required: bool | None = None


class Widget(Struct, gc=False, forbid_unknown_fields=True, kw_only=True, rename={"links": "_links"}):
    """One widget: of these types as it usually comes, of any where it was read tolerantly."""

    id: _Int64
    code: Annotated[str, Meta(min_length=1)]
    version: str | None = None
    rating: str | int | float | None = None
    settings_template: list[Setting] | None = None
    is_lead_source: bool | None = None
    is_work_with_dp: bool | None = None
    is_crm_template: bool | None = None
    client_uuid: str | None = None
    is_active_in_account: bool | None = None
    pipeline_id: _Int64 | None = None
    settings: Raw = Raw()
    links: Raw = Raw()


class Unopened(Widget, gc=False, forbid_unknown_fields=True, kw_only=True):
    """One widget whose template is still as it came: most have one that other widgets of the page have, too."""

    settings_template: Raw = Raw()  # type: ignore[assignment] # until it is read


class Link(Struct):
    """Where something is."""

    href: str


class Links(Struct):
    """The links of a page."""

    self: Link | None = None
    next: Link | None = None


class _Widgets(Struct, forbid_unknown_fields=True):
    widgets: list[Unopened]


class Body(Struct, forbid_unknown_fields=True, rename={"page": "_page", "links": "_links", "embedded": "_embedded"}):
    """A page of the list."""

    embedded: _Widgets
    links: Links = field(default_factory=Links)
    page: Any = None


class Unreadable(Struct, frozen=True):
    """A value that can't be read: on which page, of which widget, which field, and the raw text (shortened)."""

    page: int
    widget: str
    field: str
    raw: str


class Page(Struct):
    """One page of the catalogue, as sent, and what was odd about it; ``is_plain`` if it was decoded strictly."""

    number: int
    url: str
    requests: int
    waited: float
    count: int
    widgets: list[Widget]
    links: Links
    is_plain: bool = False
    unknown: Counter[str] = field(default_factory=Counter)
    unreadable: list[Unreadable] = field(default_factory=list)

    @property
    def is_last(self) -> bool:
        """Whether no page follows it.

        A page ends the list that is empty or has less than a full one, by its own link; what was asked for is no sign,
        as the API may grant less. Where the link does not tell, the page does that names no next one: elsewhere some
        lists of amoCRM name one for ever, and others none too early.
        """
        if not self.count:
            return True
        size = self.size
        return not self.links.next if size is None else self.count < size

    @property
    def size(self) -> int | None:
        """How many widgets a full page has, by its own link; None if that does not tell."""
        query = split_url(self.links.self.href if self.links.self else "", self).query
        limits = re.findall("(?:^|&)limit=([^&]*)", query)
        return int(limits[-1]) if limits and re.fullmatch("[0-9]{1,6}", limits[-1]) else None


def split_url(href: str, page: Page) -> SplitResult:
    """Return the parts of a link of a page.

    Raises
    ------
    BadAnswer
        If it is no address.
    """
    try:
        return urlsplit(href)
    except ValueError:
        raise BadAnswer(f"{page.url}: a link of page {page.number} is no address: {href!r}.", url=page.url) from None


def name_of(sent: Widget) -> str:
    """Return what a person would call the widget: its code, or else its id."""
    return str(sent.code or sent.id or "?")


def shown(value: Any) -> str:
    """Return a raw value as the JSON it came as, shortened."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _RAW_LENGTH else text[: _RAW_LENGTH - 1] + "…"
