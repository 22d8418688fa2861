"""The browser of a catalogue: filters, a table, a chart that follows, and the way to the install form."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np
import pandas as pd

from amoexplore import display
from amoexplore.account import require_account
from amoexplore.comparisons import AnyCatalog, rows_of
from amoexplore.errors import NotSent
from amoexplore.forms import clicks, style
from amoexplore.forms.base import Displayed
from amoexplore.forms.captions import caption, in_its_language, speaking, spoken
from amoexplore.forms.chart_panel import ChartPanel, Part
from amoexplore.forms.fields import Owner
from amoexplore.forms.filters import Filters
from amoexplore.forms.grid import Grid, Order
from amoexplore.forms.install_form import install

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from amoexplore.account import Account
    from amoexplore.forms.install_form import InstallForm


class Browser(Displayed):
    """A browser of a catalogue; made by ``amo.forms.browse``.

    What the inputs and buttons do, cells do with ``filter``, ``sort``, ``page``, ``ticked``, ``chart`` and ``install``,
    which raise what is wrong.

    Parameters
    ----------
    catalog : Catalog
    account : Account, optional
        To install into.

    Attributes
    ----------
    form : InstallForm or None
        The form that was opened last.
    box
        The widget that is shown, for layouts of one's own.
    """

    def __init__(self, catalog: AnyCatalog, account: Account | None = None) -> None:
        self._catalog = catalog
        self._account = account
        self.language = spoken()
        self.form: InstallForm | None = None
        self._lock = threading.RLock()
        self._turn = clicks.Turn()
        self._status, self._opened = widgets.HTML(), widgets.VBox()
        self._open = widgets.Button(description=caption("open install"), button_style="primary")
        self._open.on_click(self._guard(lambda _: self._open_once()))
        self._filters = Filters(catalog, Owner(self._filtered, self._guard))
        self._grid = Grid(catalog.widgets, Owner(self._name_button, self._guard))
        self._panel = ChartPanel(self._part, Owner(lambda: None, self._telling))
        beside = widgets.Box([self._filters.box, self._panel.box], _dom_classes=("amo-beside",))
        css = widgets.HTML(style.head("") + style.BROWSER_CSS)
        bar = widgets.Box([self._open], _dom_classes=("amo-bar",))
        main = [css, beside, self._grid.box, bar, self._status]
        self.box = widgets.VBox([widgets.VBox(main, _dom_classes=("amo-form", "amo-browser")), self._opened])
        self._grid.turn_to(1)
        self._panel.draw()

    @property
    def selection(self) -> pd.DataFrame:
        """The ticked widgets, or, if none is ticked, all that the filters leave; in the order of the table.

        Ticks outlive sorting, paging and filtering: a ticked widget is in the selection also where a filter hides it.
        A copy, with the columns, dtypes and index of ``catalog.widgets``.
        """
        return self._catalog.widgets.iloc[self._grid.chosen].copy()

    @property
    def ticked(self) -> list[str]:
        """Codes of the ticked widgets, in the order of the table; setting it ticks these and no others.

        Raises
        ------
        UnknownWidget
            When set, if the catalogue has no such code; nothing changes then.
        """
        return [*self.selection["code"]] if self._grid.ticked else []

    @ticked.setter
    @in_its_language
    def ticked(self, codes: Iterable[str]) -> None:
        found = self._catalog.widgets
        wanted = rows_of(found, codes)["code"]
        with self._lock:
            self._grid.tick(np.flatnonzero(found["code"].isin(wanted)).tolist())

    @property
    def page(self) -> int:
        """Which page of the table is shown, from 1 on; setting it turns to that one, or raises a ValueError."""
        return self._grid.page

    @page.setter
    @in_its_language
    def page(self, page: int) -> None:
        with self._lock:
            self._grid.turn_to(page)

    @property
    def pages(self) -> int:
        """How many pages of 25 rows the table has, at least one."""
        return self._grid.pages

    @property
    def chart(self) -> str:
        """Which chart follows: ratings, ratings_by, rating_vs_burden or setting_types; setting it draws another one."""
        return self._panel.kind

    @chart.setter
    @in_its_language
    def chart(self, name: str) -> None:
        with self._lock:
            self._panel.kind = name
        self._panel.draw()

    @in_its_language
    def filter(
        self,
        *,
        search: str | None = None,
        rating: tuple[float | None, float | None] | None = None,
        flags: Mapping[str, bool | None] | None = None,
        types: Mapping[str, bool | None] | None = None,
    ) -> pd.DataFrame:
        """Filter as the inputs do; what is not given stays as it is.

        Parameters
        ----------
        search : str
            Words that are all parts of the code or the id, in any case.
        rating : tuple
            Where the range begins and ends, both included; None for an open end. Widgets without a rating are in no
            range but ``(None, None)``.
        flags : dict
            Flag, such as ``is_lead_source``, to what it is to be; flags that are not named are let be anything. A flag
            that is unknown is neither True nor False.
        types : dict
            Type of settings, such as ``pass``, to whether the widget is to ask for any; ``{}`` lets all be.

        Returns
        -------
        DataFrame
            ``selection``.

        Raises
        ------
        ValueError
            If anything of it can't be; nothing changes then.
        """
        with self._lock:
            self._filters.set(search, rating, flags, types)
        self._panel.draw()  # which reads the rest under that lock
        return self.selection

    def clear(self) -> pd.DataFrame:
        """Let go of all filters, as the button does; ticks stay. Returns ``selection``."""
        return self.filter(search="", rating=(None, None), flags={}, types={})

    @in_its_language
    def sort(self, by: str, *, reverse: bool = False) -> pd.DataFrame:
        """Sort as the buttons of the table's head do, and turn to the first page.

        Parameters
        ----------
        by : str
            A column of the table. Best first, as ``amo.rank`` has it: high ratings, new versions, set flags, few
            settings, codes from A to Z. Missing values come last, and equal ones stay in the catalogue's order.
        reverse : bool
            The other way round; missing values still come last.

        Returns
        -------
        DataFrame
            ``selection``.

        Raises
        ------
        ValueError
            If the table has no such column.
        """
        with self._lock:
            self._grid.sort(Order(by, is_reversed=reverse))
            return self.selection

    @in_its_language
    def install(self) -> InstallForm:
        """Open the install form of the one ticked widget under the table, as the button does, and return it.

        Raises
        ------
        NotSent
            If none or several are ticked, or the browser has no account.
        NotFound, Unreachable, Refused
            As for ``amo.forms.install``.
        """
        code, account = self._to_install()
        self._open.disabled = True
        try:
            with clicks.ticking(lambda s: self._say(caption("opening", code=style.cut(code), seconds=s))):
                form = install(account, code)
        except Exception as error:
            self._fail(error)
            raise
        finally:
            self._open.disabled = False
        self._say("")
        if self.form:
            self.form.give_way()
        self.form = form
        self._opened.children = [form.box]
        return form

    def __repr__(self) -> str:
        counts = f"{len(self._grid.shown)} shown, {len(self._grid.ticked)} ticked"
        return f"<Browser of {display.counted(len(self._catalog.widgets), 'widget')}: {counts}>"

    def _part(self) -> Part:
        with self._lock:
            return Part(self._catalog.widgets.iloc[self._grid.shown], self._catalog.settings)

    def _filtered(self) -> None:
        self._grid.keep(self._filters.fits())
        self._panel.follow()

    def _name_button(self) -> None:
        ticked = self.ticked
        name = caption("open install of", code=style.label(ticked[0])) if len(ticked) == 1 else caption("open install")
        self._open.description = style.no_formula(name)

    def _to_install(self) -> tuple[str, Account]:
        if self._account is None:
            raise NotSent(caption("no account"))
        if len(self.ticked) != 1:
            raise NotSent(caption("tick one", number=len(self.ticked)))
        return self.ticked[0], self._account

    def _open_once(self) -> None:
        self._to_install()
        if self._turn.take():
            clicks.in_background(self._open_and_give)

    def _open_and_give(self) -> None:
        try:
            self.install()
        finally:
            self._turn.give()

    def _guard(self, callback: Callable[..., object]) -> Callable[..., object]:
        """Return a callback that runs alone, and takes away what was said before it."""
        telling = self._telling(callback)

        def guarded(*arguments: object) -> None:
            with self._lock:
                self._say("")
                telling(*arguments)

        return guarded

    def _telling(self, callback: Callable[..., object]) -> Callable[..., object]:
        """Return a callback whose errors are shown: in a callback they would vanish."""

        def telling(*arguments: object) -> None:
            with speaking(self.language):
                try:
                    callback(*arguments)
                except Exception as error:  # noqa: BLE001  whatever it is, it is shown
                    self._fail(error)

        return telling

    def _say(self, text: str) -> None:
        self._status.value = style.said(text, "busy")

    def _fail(self, error: Exception) -> None:
        self._status.value = style.failure(error, "browser.filter()")


def browse(catalog: AnyCatalog, account: Account | None = None) -> Browser:
    """Return a browser of a catalogue: filters, a sorted table, a chart that follows, and a way to the install form.

    Parameters
    ----------
    catalog : Catalog
        As it was loaded; the browser asks the account for nothing until the install form is opened.
    account : Account, optional
        What the install form installs into.

    Returns
    -------
    Browser
        To be displayed. ``browser.selection`` is what was found, as a DataFrame.

    Raises
    ------
    TypeError
        If it is no catalogue, such as one of its frames alone, or no account.
    """
    if account is not None:
        require_account(account)
    if isinstance(catalog, pd.DataFrame) or not isinstance(catalog, AnyCatalog):
        raise TypeError(
            "browse takes a catalogue, such as amo.load_catalog(account), which has widgets and settings; not "
            f"{type(catalog).__name__}. For a part of one: dataclasses.replace(catalog, widgets=part)."
        )
    return Browser(catalog, account)
