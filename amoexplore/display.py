"""Rich displays: plain tables of HTML, everything in them escaped; and counts in words."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def card(title: str, rows: Mapping[str, object]) -> str:
    """Return a table of two columns: what, and its value."""
    return table(title, (), rows.items())


def table(title: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table with a caption; cells are escaped, None is shown as a dash."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    caption = f'<caption style="text-align: left; font-weight: bold; white-space: nowrap">{escape(title)}</caption>'
    return f"<table>{caption}{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"


def counted(number: int, noun: str, write: Callable[[int], str] = str) -> str:
    """Return a number and what it counts: 1 page, 2 pages."""
    return f"{write(number)} {noun}{'' if number == 1 else 's'}"


def text(shown: str) -> str:
    """Return a text as it is, line by line."""
    return f"<pre>{escape(shown)}</pre>"


def _cell(value: object) -> str:
    return f'<td style="text-align: left">{"–" if value is None else escape(str(value))}</td>'
