"""HTML read strictly: what is not closed, closed twice, or has an attribute twice is an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VOID = {"meta", "input", "br", "link", "img"}


@dataclass
class Element:
    """An element, with elements and texts in it."""

    tag: str
    attributes: dict[str, str]
    inside: list[Element | str] = field(default_factory=list)

    def find(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements of this tag in it, those with these attributes."""
        return [each for each in self.walk() if each.tag == tag and attributes.items() <= each.attributes.items()]

    def values(self, attribute: str) -> list[str]:
        """Return what this attribute is, of all elements in it that have it."""
        return [each.attributes[attribute] for each in self.walk() if attribute in each.attributes]

    def walk(self) -> Iterator[Element]:
        """Yield all elements in it, in the order of the text."""
        for each in self.inside:
            if isinstance(each, Element):
                yield each
                yield from each.walk()

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(each if isinstance(each, str) else each.text for each in self.inside)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        assert len(attributes) == len(attrs), f"<{tag}> has an attribute twice"
        element = Element(tag, attributes)
        self.open[-1].inside.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes what is not open"

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(page: str) -> Element:
    """Return what a page holds, all in one element."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> is not closed"
    return reader.open[0]
