"""A chart that follows: drawn once its data have come to rest, however often they change."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from amoexplore import charts
from amoexplore.charts.ink import Figure
from amoexplore.comparisons import AnyCatalog, among
from amoexplore.forms import clicks
from amoexplore.forms.captions import caption, has_decimal_comma

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes

    from amoexplore.forms.fields import Owner

#: The charts that there are.
CHARTS = ("ratings", "ratings_by", "rating_vs_burden", "setting_types")

_REST = 0.15  # seconds
_SIZE, _SHARPNESS = (5.8, 3.8), 144  # inches, pixels an inch


@dataclass(frozen=True)
class Part:
    """A part of a catalogue, which is a catalogue, too.

    Attributes
    ----------
    widgets : DataFrame
    """

    widgets: pd.DataFrame
    _all_settings: pd.DataFrame

    @property
    def settings(self) -> pd.DataFrame:
        """The settings of these widgets."""
        return self._all_settings[among(self._all_settings["code"], self.widgets["code"])]


class ChartPanel:
    """A chart of some widgets, and a choice of which.

    Parameters
    ----------
    part : callable
        Returns what is to be drawn.
    owner : Owner

    Attributes
    ----------
    box
        What is shown.
    """

    def __init__(self, part: Callable[[], AnyCatalog], owner: Owner) -> None:
        self._part = part
        self._turn = clicks.Turn()
        self._lock = threading.Lock()
        self._asked = self._drawn = 0
        self._draw = owner.guard(self.draw)
        self._choice = widgets.Dropdown(
            options=[(caption(name), name) for name in CHARTS], description=caption("chart")
        )
        self._choice.observe(owner.guard(lambda _: self.follow()), names="value")
        self._picture = widgets.HTML()
        self.box = widgets.VBox([self._choice, self._picture])

    @property
    def kind(self) -> str:
        """Which chart is drawn: one of CHARTS."""
        return str(self._choice.value)

    @kind.setter
    def kind(self, name: str) -> None:
        if name not in CHARTS:
            raise ValueError(f"No chart {name!r} here; there are: {', '.join(CHARTS)}. amo.charts has more.")
        self._choice.value = name

    def follow(self) -> None:
        """Draw in the background, once no one has asked for a moment."""
        self._asked += 1
        if self._turn.take():
            clicks.in_background(self._draw_rested)

    def draw(self) -> None:
        """Draw now."""
        with self._lock:
            self._drawn = self._asked
            figure = Figure(figsize=_SIZE, dpi=_SHARPNESS, layout="constrained")
            _draw(self.kind, self._part(), figure.add_subplot())
            picture = b64encode(figure._repr_png_()).decode("ascii")
            alt = escape(charts.alt_text(figure))
            self._picture.value = f'<img alt="{alt}" src="data:image/png;base64,{picture}">'

    def _draw_rested(self) -> None:
        asked = 0
        while asked != self._asked:
            asked = self._asked
            time.sleep(_REST)
        self._turn.give()
        if self._drawn != self._asked:  # a cell may have drawn meanwhile
            self._draw()


def _draw(kind: str, part: AnyCatalog, ax: Axes) -> None:
    comma = {} if kind == "setting_types" else {"decimal_comma": has_decimal_comma()}
    getattr(charts, kind)(part, ax=ax, **comma)
