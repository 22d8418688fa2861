"""Charts that count: ratings, flags, types of settings, changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from amoexplore.charts import data as tidy
from amoexplore.charts import ink
from amoexplore.comparisons import FEW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from amoexplore.comparisons import AnyCatalog

#: Inches that a row of a chart takes, and what title and axis take beside.
ROW, MARGIN = 0.34, 1.1
#: The most types of settings that have a row of their own.
TYPES = 20


def ratings(
    data: AnyCatalog | pd.DataFrame, *, ax: Axes | None = None, decimal_comma: bool = False, **kwargs: Any
) -> Axes:
    """Draw how many widgets have which rating; the title tells how many have none.

    Parameters
    ----------
    data : Catalog or DataFrame
        A catalog, its ``widgets``, or a part of them.
    ax : Axes, optional
        Where to draw; by default a new figure.
    decimal_comma : bool
        Write 2,8 for 2.8.
    **kwargs
        For :meth:`matplotlib.axes.Axes.bar`.

    Returns
    -------
    Axes
    """
    bins = tidy.ratings(data)
    values = tidy.rating_values(tidy.read(data, ["rating"]))
    rated = values[~np.isnan(values)]
    unrated = len(values) - len(rated)
    title = f"Ratings: n = {ink.count(len(rated))}, {ink.count(unrated)} unrated"
    ax = ink.axes(ax)
    if not len(rated):
        return ink.empty(ax, title, "No widget has a rating." if unrated else "There are no widgets.")
    shown = bins[:-1]
    low, high = (shown[end].to_numpy(dtype=float) for end in ("low", "high"))
    look = {"width": high - low, "align": "edge", "color": ink.BLUE, "edgecolor": ax.get_facecolor()}
    bars = ax.bar(low, shown["widgets"], **ink.look(look, kwargs, Patch))
    ink.bar_texts(ax, bars, [ink.count(number) if number else "" for number in shown["widgets"]])
    quartiles = [ink.decimal(value, decimal_comma=decimal_comma) for value in np.quantile(rated, [0.25, 0.5, 0.75])]
    middle = float(np.median(rated))
    top = shown.loc[shown["low"] <= middle, "widgets"].iloc[-1]  # its bar's, so as not to cross the number above
    ax.plot([middle, middle], [0, top], color=ink.ORANGE, linestyle="--", linewidth=2)
    half = f"; half of the ratings lie between {quartiles[0]} and {quartiles[2]}" if len(rated) >= FEW else ""
    note = f"median {quartiles[1]} (dashed){half}"
    ink.dress(ax, title, note, values="y")
    ink.stars(ax, "x", decimal_comma=decimal_comma)
    ink.counts(ax, "y")
    ax.set(xlabel="rating", ylabel="widgets", xticks=[*low, high[-1]])
    ink.describe(ax, f"Histogram of ratings. {title}; {note}.")
    return ax


def flags(data: AnyCatalog | pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw how many widgets have each flag, and how many have exactly which flags together.

    Parameters
    ----------
    data : Catalog or DataFrame
        A catalog, its ``widgets``, or a part of them.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        For :meth:`matplotlib.axes.Axes.barh`.

    Returns
    -------
    Axes
    """
    counted = tidy.flags(data)
    widgets = len(tidy.read(data, tidy.FLAGS))
    title = f"Flags of {ink.plural(widgets, 'widget')}"
    rows = len(counted)
    ax = ink.axes(ax, MARGIN + ROW * (rows + 1))
    if not widgets:
        return ink.empty(ax, title, "There are no widgets.")
    is_each = (counted["count_of"] == "each").to_numpy()
    places = np.arange(rows) + np.where(is_each, 0, 1)  # a free row between the two parts
    for part, look in ((is_each, {"color": ink.BLUE}), (~is_each, {"color": ink.SKY, "hatch": "////"})):
        chosen = counted[part]
        bars = ax.barh(places[part], chosen["widgets"], **_row(ax, look, kwargs))
        shares = zip(chosen["widgets"], chosen["share"], strict=True)
        ink.bar_texts(ax, bars, [f"{ink.count(number)} ({ink.percent(share)})" for number, share in shares])
    ink.rows(ax, ink.labels(counted["flags"], width=60), places)
    ax.margins(x=0.25)
    ink.dress(ax, title, "plain: each, hatched: exactly these")
    ink.counts(ax)
    ax.set_xlabel("widgets")
    told = ", ".join(f"{row.flags} {ink.count(row.widgets)}" for row in tidy.rows(counted[is_each]))
    most, top = tidy.most(counted[~is_each], 4)
    together = ", ".join(f"{row.flags} {ink.count(row.widgets)}" for row in tidy.rows(top))
    ink.describe(ax, f"Bar chart. {title}: {told}. {most} together: {together}.")
    return ax


def setting_types(data: AnyCatalog | pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw how often each type of setting is required, and how often it is optional.

    Parameters
    ----------
    data : Catalog or DataFrame
        A catalog, its ``settings``, or a part of them.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        For :meth:`matplotlib.axes.Axes.barh`.

    Returns
    -------
    Axes
    """
    counted = _first(tidy.setting_types(data), tidy.read(data, [], frame="settings"))
    total = int(counted["required"].sum() + counted["optional"].sum())
    title = f"Types of {ink.plural(total, 'setting')}"
    ax = ink.axes(ax, MARGIN + ROW * (len(counted) + 1))
    if not total:
        return ink.empty(ax, title, "There are no settings.")
    left = np.zeros(len(counted))
    for demand, look in (("required", {"color": ink.BLUE}), ("optional", {"color": ink.SKY, "hatch": "////"})):
        bars = ax.barh(range(len(counted)), counted[demand], left=left, **_row(ax, look, kwargs))
        left = left + counted[demand].to_numpy()
    ink.bar_texts(ax, bars, [_type_text(row) for row in tidy.rows(counted)])
    ink.rows(ax, ink.labels(counted["type"]), range(len(counted)))
    ax.margins(x=0.4)
    ink.dress(ax, title, "required (plain) + optional (hatched)")
    ink.counts(ax)
    ax.set_xlabel("settings")
    told = "; ".join(f"{row.type}: {_type_text(row)}" for row in tidy.rows(counted))
    ink.describe(ax, f"Bar chart. {title}, required + optional. {told}.")
    return ax


def _first(counted: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return the types that are drawn: the most frequent, and all others as one."""
    shown, others = counted.iloc[:TYPES], counted.iloc[TYPES:]
    if not len(others):
        return shown
    widgets = settings.loc[tidy.types(settings).isin(others["type"]), "code"].nunique()
    name = ink.plural(len(others), "other type")
    rest = others.sum(numeric_only=True).to_frame().T.assign(type=name, widgets=widgets)
    return pd.concat([shown, rest], ignore_index=True)


def _type_text(row: Any) -> str:
    return f"{ink.count(row.required)} + {ink.count(row.optional)} in {ink.plural(row.widgets, 'widget')}"


def changes(data: pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw how many changes there are of each kind.

    Parameters
    ----------
    data : DataFrame
        Of ``amo.changes``.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        For :meth:`matplotlib.axes.Axes.barh`.

    Returns
    -------
    Axes
    """
    counted = tidy.changes(data)
    title = f"{ink.plural(len(data), 'change')} of {ink.plural(data['code'].nunique(), 'widget')}"
    ax = ink.axes(ax, MARGIN + ROW * (len(counted) + 1))
    if not len(data):
        return ink.empty(ax, title, "Nothing has changed.")
    for kind, sign, look in (
        ("added", "+", {"color": ink.GREEN}),
        ("removed", "−", {"color": ink.VERMILLION, "hatch": "\\\\\\\\"}),
        ("changed", "", {"color": ink.BLUE, "hatch": "...."}),
    ):
        part = counted["change"] == kind
        bars = ax.barh(np.flatnonzero(part), counted["changes"][part], **_row(ax, look, kwargs))
        ink.bar_texts(ax, bars, [f"{sign}{ink.count(number)}" for number in counted["changes"][part]])
    ink.rows(ax, ink.labels(counted["what"]), range(len(counted)))
    ax.margins(x=0.12)
    ink.dress(ax, title)
    ink.counts(ax)
    ax.set_xlabel("changes")
    told = ", ".join(f"{row.what} {ink.count(row.changes)}" for row in tidy.rows(counted))
    ink.describe(ax, f"Bar chart. {title}: {told}.")
    return ax


def _row(ax: Axes, look: Mapping[str, Any], asked_for: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the bars of one look are drawn."""
    return ink.look({"height": 0.7, "edgecolor": ax.get_facecolor(), **look}, asked_for, Patch)
