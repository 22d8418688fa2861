"""A handful of widgets side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import rcParams
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from amoexplore.charts import data as tidy
from amoexplore.charts import ink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from amoexplore.comparisons import AnyCatalog

#: The most widgets that are compared in one chart.
HANDFUL = 12
#: The least inches of a figure.
LEAST = 7.5
#: Inches that the panels take, so that their labels do not cover each other; the names beside them have the others.
_PANELS = 6.3


def compare(
    data: AnyCatalog | pd.DataFrame, codes: Sequence[str], *, decimal_comma: bool = False, width: float = 9
) -> ink.Figure:
    """Draw widgets side by side: rating, required and optional settings, and flags, a panel each.

    Parameters
    ----------
    data : Catalog or DataFrame
        A catalog or its ``widgets``: all of them, as the ratings are shown beside their median.
    codes : sequence of str
        Which widgets, at most 12, from top to bottom.
    decimal_comma : bool
        Write 2,8 for 2.8.
    width : float
        Of the figure, in inches, at least 7.5; below 9 long names are cut to what has room. Its height follows the
        number of widgets.

    Returns
    -------
    Figure
        Which a notebook shows as the result of its cell, and pyplot does not know.

    Raises
    ------
    UnknownWidget
        If a code is not in the catalogue.
    ValueError
        If there are more than 12 codes, or the figure is too narrow for its labels.
    """
    chosen = tidy.compare(data, codes)
    if len(chosen) > HANDFUL:
        raise ValueError(
            f"compare draws a handful of widgets, at most {HANDFUL}, not {len(chosen)}: amo.rank finds the best."
        )
    if width < LEAST:
        raise ValueError(
            f"compare needs {LEAST} inches or more for its labels, not {width}: a picture can be scaled down later."
        )
    figure = ink.Figure(figsize=(width, 1.1 + 0.5 * max(len(chosen), 1)), layout="constrained")
    if not len(chosen):
        ink.empty(figure.add_subplot(), "No widgets to compare", "No code was given.")
        return figure
    panels = figure.subplots(1, 3, sharey=True, width_ratios=[2.7, 2.1, 3])
    ratings = tidy.rating_values(tidy.read(data, ["rating"]))
    median = float(np.nanmedian(ratings)) if not np.isnan(ratings).all() else None
    _ratings(panels[0], chosen, median, decimal_comma=decimal_comma)
    _settings(panels[1], chosen)
    _flags(panels[2], chosen)
    room = width - _PANELS
    names = (_fitting(code, room) for code in chosen["code"])
    versions = (_fitting(version, room) for version in chosen["version"].fillna(""))
    ink.rows(panels[0], map("\n".join, zip(names, versions, strict=True)), range(len(chosen)))
    told = "; ".join(_told(row, decimal_comma=decimal_comma) for row in tidy.rows(chosen))
    ink.describe(panels[0], f"Comparison of {ink.plural(len(chosen), 'widget')}. {told}.")
    return figure


def _fitting(text: str, room: float) -> str:
    """Return a text as it can be drawn, cut to this many inches: letters are of all widths."""
    font = FontProperties(size=rcParams["ytick.labelsize"])
    for letters in range(ink.LABEL_WIDTH, 2, -1):
        (label,) = ink.labels([text], letters)
        points, *_ = text_to_path.get_text_width_height_descent(label, font, ismath=False)
        if points <= 72 * room:
            break
    return label


def _ratings(ax: Axes, chosen: pd.DataFrame, median: float | None, *, decimal_comma: bool) -> None:
    values = tidy.rating_values(chosen)
    bars = ax.barh(range(len(values)), np.nan_to_num(values), 0.62, color=ink.BLUE)
    texts = ["unrated" if np.isnan(value) else ink.decimal(value, decimal_comma=decimal_comma) for value in values]
    ink.bar_texts(ax, bars, texts)
    note = ""
    if median is not None:
        ax.axvline(median, color=ink.VERMILLION, linestyle="--", linewidth=1.5)
        note = f"dashed: the median of all, {ink.decimal(median, decimal_comma=decimal_comma)}"
    ax.set_xlim(0, max(tidy.STARS, np.nan_to_num(values).max()) * 1.1)
    ink.dress(ax, "Rating", note)
    ink.stars(ax, "x", decimal_comma=decimal_comma)


def _settings(ax: Axes, chosen: pd.DataFrame) -> None:
    rows, ground = range(len(chosen)), ax.get_facecolor()
    required, optional = (chosen[name].fillna(0).to_numpy(dtype=int) for name in ("required", "optional"))
    ax.barh(rows, required, 0.62, color=ink.BLUE, edgecolor=ground)
    bars = ax.barh(rows, optional, 0.62, required, color=ink.SKY, edgecolor=ground, hatch="////")
    ink.bar_texts(ax, bars, [_demand(row) for row in tidy.rows(chosen)])
    ax.set_xlim(0, max((required + optional).max() * 1.3, 1))
    ink.dress(ax, "Settings", "required + optional")
    ink.counts(ax)


def _demand(row: Any, *, between: str = " + ", after: str = "") -> str:
    if pd.isna(row.required) or pd.isna(row.optional):
        return "settings unknown" if after else "unknown"
    return f"{row.required}{between}{row.optional}{after}"


def _flags(ax: Axes, chosen: pd.DataFrame) -> None:
    for column, flag in enumerate(tidy.FLAGS):
        for row, value in enumerate(chosen[flag]):
            look: dict[str, Any] = (
                {"marker": "$?$", "color": "0.5"}
                if pd.isna(value)
                else {"markerfacecolor": ink.BLUE if value else "none"}
            )
            ax.plot(column, row, **{"marker": "o", "markersize": 10, "markeredgecolor": ink.BLUE, **look})
    ink.dress(ax, "Flags", "filled: yes, hollow: no")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set_xticks(range(len(tidy.FLAGS)), [name.replace(" ", "\n") for name in tidy.FLAGS.values()], fontsize=9)
    ax.set_xlim(-0.5, len(tidy.FLAGS) - 0.5)


def _told(row: Any, *, decimal_comma: bool) -> str:
    rating = "unrated" if pd.isna(row.rating) else f"rating {ink.decimal(row.rating, decimal_comma=decimal_comma)}"
    flags = [name for flag, name in tidy.FLAGS.items() if not pd.isna(getattr(row, flag)) and getattr(row, flag)]
    demand = _demand(row, between=" required and ", after=" optional settings")
    return ", ".join([f"{row.code}: {rating}", demand, *flags])
