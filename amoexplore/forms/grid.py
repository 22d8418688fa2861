"""A table of widgets, a page at a time: sorted by its head, with a tick for each row."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets as widgets
import numpy as np
from ipywidgets.widgets.widget_bool import CheckboxStyle

from amoexplore.comparisons import LAST, demand, places_of
from amoexplore.forms import style
from amoexplore.forms.captions import caption, has_decimal_comma

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from amoexplore.forms.fields import Owner
    from amoexplore.forms.filters import Mask

#: How many a page has.
ROWS = 25

#: The columns that are shown, and what their two orders are called: best first, as ``amo.rank`` has it, and the other.
COLUMNS = {
    "code": ("a to z", "z to a"),
    "version": ("newest first", "oldest first"),
    "rating": ("highest first", "lowest first"),
    **dict.fromkeys(
        ("is_lead_source", "is_work_with_dp", "is_crm_template", "is_active_in_account"), ("yes first", "no first")
    ),
    "settings_count": ("lowest first", "highest first"),
    "required_count": ("lowest first", "highest first"),
}

_ASCENDING = {"a to z", "oldest first", "lowest first", "no first"}

Positions = np.ndarray[Any, np.dtype[np.intp]]


class Order(NamedTuple):
    """What a table is sorted by."""

    column: str
    is_reversed: bool

    def said(self) -> str:
        """Return its direction in words."""
        return caption(COLUMNS[self.column][self.is_reversed])

    def aria(self) -> str:
        """Return its direction as screen readers want it."""
        return "ascending" if COLUMNS[self.column][self.is_reversed] in _ASCENDING else "descending"


class Grid:
    """A table that knows its widgets by their positions in the frame.

    Parameters
    ----------
    found : DataFrame
        The widgets.
    owner : Owner
        Is told of ticks.

    Attributes
    ----------
    box
        What is shown.
    ticked : set of int
        Positions.
    page : int
        From 1 on.
    """

    def __init__(self, found: pd.DataFrame, owner: Owner) -> None:
        self._found = found
        self._owner = owner
        self.ticked: set[int] = set()
        self.page = 1
        self.order: Order | None = None
        self._all: Positions = np.arange(len(found))
        self._kept: Mask = np.ones(len(found), dtype=bool)
        self._places: dict[str, np.ndarray[Any, Any]] = {}
        self._boxes: dict[int, widgets.Checkbox] = {}
        self._box_looks = {"layout": widgets.Layout(), "style": CheckboxStyle(), "indent": False}
        self._heads = {name: self._head(name) for name in COLUMNS}
        self._said, self._list = widgets.HTML(), widgets.HTML(_dom_classes=("amo-list",))
        self._ticks = widgets.VBox(_dom_classes=("amo-ticks",))
        self._back, self._on, self._untick = (
            widgets.Button(description=caption(key)) for key in ("previous page", "next page", "untick")
        )
        self._back.on_click(owner.guard(lambda _: self.turn_to(max(1, self.page - 1))))
        self._on.on_click(owner.guard(lambda _: self.turn_to(min(self.page + 1, self.pages))))
        self._untick.on_click(owner.guard(lambda _: self.tick(())))
        bar = widgets.Box([self._back, self._on, self._untick], _dom_classes=("amo-bar",))
        head = widgets.Box([widgets.HTML(), *self._heads.values()], _dom_classes=("amo-head",))
        body = widgets.Box([self._ticks, self._list], _dom_classes=("amo-body",))
        scroll = widgets.VBox([head, body], _dom_classes=("amo-scroll",))
        self.box = widgets.VBox([self._said, bar, scroll])

    @property
    def shown(self) -> Positions:
        """Positions of what the filters leave, in order."""
        return self._all[self._kept[self._all]]

    @property
    def pages(self) -> int:
        """How many there are, at least one."""
        return max(1, -(-int(self._kept.sum()) // ROWS))

    @property
    def chosen(self) -> Positions:
        """Positions of what is ticked, or of what is shown if nothing is; in order."""
        if not self.ticked:
            return self.shown
        return self._all[np.isin(self._all, list(self.ticked))]

    def keep(self, kept: Mask) -> None:
        """Show these widgets, from the first page on."""
        self._kept = kept
        self.turn_to(1)

    def sort(self, order: Order) -> None:
        """Sort; what is missing comes last either way, and equal ones stay in the order of the catalogue."""
        demand(self._found[list(COLUMNS)], [order.column])
        if order.column not in self._places:
            self._places[order.column] = places_of(self._found[order.column])
        places = self._places[order.column]
        if order.is_reversed:
            places = np.where(places == LAST, LAST, -places)
        self.order = order
        self._all = np.argsort(places, kind="stable")
        self.turn_to(1)

    def turn_to(self, page: int) -> None:
        """Show a page."""
        if page not in range(1, self.pages + 1):
            raise ValueError(caption("no page", page=page, pages=self.pages))
        self.page = int(page)
        self._show()

    def tick(self, positions: Iterable[int]) -> None:
        """Tick these, and no others."""
        self.ticked = set(positions)
        for position, one in self._boxes.items():
            one.value = position in self.ticked
        self._show()
        self._owner.edited()

    def _head(self, name: str) -> widgets.Button:
        button = widgets.Button()
        button.on_click(self._owner.guard(lambda _: self.sort(self._pressed(name))))
        return button

    def _pressed(self, name: str) -> Order:
        """Return what comes of pressing a column's button: best first, and the other way round the second time."""
        best = Order(name, is_reversed=False)
        return Order(name, is_reversed=self.order == best)

    def _show(self) -> None:
        """Show how it all is now."""
        positions = self.shown[(self.page - 1) * ROWS : self.page * ROWS]
        self._list.value = self._table(positions)
        self._ticks.children = [self._tick_of(int(position)) for position in positions]
        self._back.disabled, self._on.disabled = self.page == 1, self.page == self.pages
        self._untick.disabled = not self.ticked
        for name, button in self._heads.items():
            order = self._order_by(name)
            button.description = f"{caption(name)}: {order.said()}" if order else caption(name)
            button.tooltip = caption("sort by", column=caption(name), direction=self._pressed(name).said())
        self._said.value = style.said("\n".join(self._state()), "busy")

    def _state(self) -> list[str]:
        found = int(self._kept.sum())
        counts = {"page": self.page, "pages": self.pages, "found": found, "all": len(self._all)}
        order = self.order
        by = (
            caption("sorted by", column=caption(order.column), direction=order.said()) if order else caption("unsorted")
        )
        hidden = sum(not self._kept[position] for position in self.ticked)
        ticked = caption("ticked and hidden" if hidden else "ticked", number=len(self.ticked), hidden=hidden)
        return [f"{caption('page', **counts)} · {ticked}", by]

    def _tick_of(self, position: int) -> widgets.Checkbox:
        """Return a widget's tick; it is made when it is first shown, and stays that widget's: no click goes astray."""
        if position not in self._boxes:
            label = caption("tick", code=style.label(str(self._found["code"].iloc[position])))
            one = widgets.Checkbox(
                value=position in self.ticked, description=style.no_formula(label), **self._box_looks
            )
            one.observe(self._owner.guard(partial(self._take, position)), names="value")
            self._boxes[position] = one
        return self._boxes[position]

    def _take(self, position: int, change: dict[str, Any]) -> None:
        if change["new"] == (position in self.ticked):  # a cell ticked it
            return
        self.ticked ^= {position}
        self._show()
        self._owner.edited()

    def _table(self, positions: Positions) -> str:
        if not len(positions):
            return style.hint(caption("nothing fits"))
        rows = self._found[list(COLUMNS)].iloc[positions]
        cells = zip(*(rows[name].astype(object).where(rows[name].notna(), None) for name in COLUMNS), strict=True)
        body = "".join(
            _row(row, is_ticked=position in self.ticked) for position, row in zip(positions, cells, strict=True)
        )
        return f"<table><thead><tr>{''.join(map(self._column, COLUMNS))}</tr></thead><tbody>{body}</tbody></table>"

    def _column(self, name: str) -> str:
        """Return the head of a column for screen readers; what is seen and pressed are the buttons above it."""
        order = self._order_by(name)
        sort = f' aria-sort="{order.aria()}"' if order else ""
        width = 20 if name == "code" else 10  # as in the grid of the buttons
        return f'<th scope="col" style="width: {width}%"{sort}>{_unseen(caption(name))}</th>'

    def _order_by(self, name: str) -> Order | None:
        return self.order if self.order and self.order.column == name else None


def _row(row: Iterable[object], *, is_ticked: bool) -> str:
    code, *cells = row
    text = escape(style.cut(str(code)))
    look = ' class="amo-ticked"' if is_ticked else ""
    return f'<tr{look}><th scope="row" title="{text}"><bdi>{text}</bdi></th>{"".join(map(_cell, cells))}</tr>'


def _cell(value: object) -> str:
    if value is None:
        return f'<td class="amo-no"><span aria-hidden="true">–</span>{_unseen(caption("unknown"))}</td>'
    if isinstance(value, bool):
        return f"<td>{caption('yes')}</td>" if value else f'<td class="amo-no">{caption("no")}</td>'
    text = str(value)
    if isinstance(value, float) and has_decimal_comma():
        text = text.replace(".", ",")
    return f"<td><bdi>{escape(style.cut(text))}</bdi></td>"


def _unseen(text: str) -> str:
    return f'<span class="amo-unseen">{escape(text)}</span>'
