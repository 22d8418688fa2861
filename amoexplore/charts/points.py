"""Charts that show each widget where it is, and piles of them where they are many: ratings by group, and by burden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import rcParams
from matplotlib.collections import QuadMesh
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from amoexplore.charts import data as tidy
from amoexplore.charts import ink
from amoexplore.charts.labels import Labels
from amoexplore.comparisons import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from amoexplore.comparisons import AnyCatalog

#: Above this many widgets a pile is one bar, not a dot a widget.
DOTS = 400
#: The most groups that a chart shows.
GROUPS = 12
#: Fewer ratings than these have no quartiles worth drawing.
FEW = 5
#: How far a dot is from its neighbour in a pile, at most, where rows and columns are 1 apart.
STEP = 0.07
#: Settings from here on share the last row and column.
LAST = 10
#: Up to this many widgets are all named.
ALL_NAMED = 20
#: How one widget is drawn.
DOT = {"marker": "o", "linestyle": "", "markersize": 4, "color": ink.BLUE, "alpha": 0.8}
#: How many widgets at one place are drawn.
PILE = {"color": ink.BLUE, "edgecolor": "none"}


def ratings_by(
    data: AnyCatalog | pd.DataFrame,
    by: str | Sequence[object] | pd.Series[Any] = "is_lead_source",
    *,
    ax: Axes | None = None,
    decimal_comma: bool = False,
    **kwargs: Any,
) -> Axes:
    """Draw the ratings of each group: all of them, and below them their middle half with its median.

    Parameters
    ----------
    data : Catalog or DataFrame
        A catalog, its ``widgets``, or a part of them.
    by : str, Series or sequence
        A column, such as a flag, or a group for each widget. Of more than 12 groups the largest are drawn.
    ax : Axes, optional
        Where to draw; by default a new figure.
    decimal_comma : bool
        Write 2,8 for 2.8.
    **kwargs
        For the dots, :meth:`matplotlib.axes.Axes.plot`, or for the bars, :meth:`matplotlib.axes.Axes.bar`, that stand
        for them in large catalogues.

    Returns
    -------
    Axes
    """
    spread = tidy.ratings_by(data, by)
    shown = spread[spread["widgets"].rank(method="first", ascending=False) <= GROUPS].reset_index(drop=True)
    widgets = tidy.read(data, ["rating"])
    values, groups = tidy.rating_values(widgets), tidy.groups(widgets, by)
    rated = int(spread["rated"].sum())
    of = tidy.FLAGS.get(by, by) if isinstance(by, str) else "group"
    title = f"Ratings by {of}: n = {ink.count(rated)}, {ink.count(len(widgets) - rated)} unrated"
    ax = ink.axes(ax, 1.2 + 0.9 * len(shown))
    if not rated:
        return ink.empty(ax, title, "No widget has a rating." if len(widgets) else "There are no widgets.")
    members = [values[(groups == group).to_numpy() & ~np.isnan(values)] for group in shown["group"]]
    _piles(ax, members, is_small=rated <= DOTS, **kwargs)
    for row in tidy.rows(shown[shown["rated"] >= FEW]):
        _box(ax, row)
    rest = len(spread) - len(shown)
    left_out = f"; {ink.plural(rest, 'smaller group')} left out" if rest else ""
    ink.headline(ax, title, f"below the ratings: their middle half, with the median{left_out}")
    _name_groups(ax, shown)
    ink.undress(ax)
    ink.stars(ax, "x", decimal_comma=decimal_comma)
    _on_scale(ax, values, "x")
    ax.set_xlabel("rating")
    told = "; ".join(_told(row, decimal_comma=decimal_comma) for row in tidy.rows(shown))
    ink.describe(ax, f"Dot chart. {title}. {told}.")
    return ax


def _name_groups(ax: Axes, shown: pd.DataFrame) -> None:
    rated = [f"{ink.count(row.rated)} of {ink.count(row.widgets)} rated" for row in tidy.rows(shown)]
    ax.set_yticks(range(len(shown)), map("\n".join, zip(ink.labels(shown["group"]), rated, strict=True)))
    ax.set_ylim(len(shown) - 0.65, -0.65)


def _on_scale(ax: Axes, values: np.ndarray[Any, Any], axis: str) -> None:
    """Show the whole scale of ratings, unless some are beyond it."""
    if np.nanmin(values) >= 0 and np.nanmax(values) <= tidy.STARS:
        ax.set(**{f"{axis}lim": (-0.15, tidy.STARS + 0.15)})


def _told(row: Any, *, decimal_comma: bool) -> str:
    median = "none" if pd.isna(row.median) else ink.decimal(row.median, decimal_comma=decimal_comma)
    return f"{row.group}: {row.rated} of {row.widgets} rated, median {median}"


def _piles(ax: Axes, members: Sequence[np.ndarray[Any, Any]], *, is_small: bool, **kwargs: Any) -> None:
    """Draw the values of each row in tenths, equal ones piled up: a dot each, or a bar for all."""
    piles = [np.unique(values.round(1), return_counts=True) for values in members]
    step = min(STEP, 0.6 / max(counts.max(initial=1) for _, counts in piles))
    for row, (tenths, counts) in enumerate(piles):
        if is_small:
            places = np.concatenate([np.arange(count) for count in counts]) if len(counts) else counts
            ax.plot(np.repeat(tenths, counts), row - step * places, **ink.look(DOT, kwargs, Line2D))
        else:
            ax.bar(tenths, -step * counts, 0.1, bottom=row, **ink.look(PILE, kwargs, Patch))


def _box(ax: Axes, row: Any) -> None:
    y = row.Index + 0.16
    ax.plot([row.lowest, row.highest], [y, y], color=ink.ORANGE, linewidth=1.2)
    ax.plot([row.lower_quartile, row.upper_quartile], [y, y], color=ink.ORANGE, linewidth=8, solid_capstyle="butt")
    ax.plot([row.median], [y], marker="|", color=rcParams["text.color"], markersize=13, markeredgewidth=2)


def settings_burden(data: AnyCatalog | pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw how many widgets demand how many required and optional settings.

    Parameters
    ----------
    data : Catalog or DataFrame
        A catalog, its ``widgets``, or a part of them.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        For :meth:`matplotlib.axes.Axes.pcolormesh`.

    Returns
    -------
    Axes
    """
    cells = tidy.settings_burden(data)
    total = int(cells["widgets"].sum())
    title = f"Settings demanded by {ink.plural(total, 'widget')}"
    ax = ink.axes(ax)
    if not total:
        return ink.empty(ax, title, "There are no widgets.")
    _cells(ax, cells, **kwargs)
    free = int(cells.loc[(cells["required"] == 0), "widgets"].sum())
    note = f"{ink.plural(free, 'widget')} ({ink.percent(free / total)}) can be installed without any settings"
    ink.headline(ax, title, note)
    ink.undress(ax)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="required settings", ylabel="optional settings")
    top = cells.nlargest(3, "widgets")
    told = "; ".join(
        f"{row.required} required and {row.optional} optional: {ink.plural(row.widgets, 'widget')}"
        for row in tidy.rows(top)
    )
    ink.describe(ax, f"Table of counts. {title}: {note}. Most frequent: {told}.")
    return ax


def _cells(ax: Axes, cells: pd.DataFrame, **kwargs: Any) -> None:
    """Draw a cell for each pair, the darker the more widgets it has, and write their number into it."""
    x, y = (cells[name].clip(0, LAST).to_numpy(dtype=int) for name in ("required", "optional"))
    table = np.zeros((y.max() + 1, x.max() + 1), dtype=int)
    np.add.at(table, (y, x), cells["widgets"])
    look = {"cmap": "Blues", "vmin": 0, "edgecolor": ax.get_facecolor(), "linewidth": 2}
    ax.pcolormesh(np.ma.masked_equal(table, 0), **ink.look(look, kwargs, QuadMesh))
    for (row, column), number in np.ndenumerate(table):
        if number:
            color = "white" if number > table.max() * 0.55 else "black"
            ax.text(column + 0.5, row + 0.5, ink.count(number), ha="center", va="center", color=color)
    for axis, size in ((ax.xaxis, table.shape[1]), (ax.yaxis, table.shape[0])):
        axis.set_ticks(np.arange(size) + 0.5, [f"{value}+" if value == LAST else str(value) for value in range(size)])


def rating_vs_burden(
    data: AnyCatalog | pd.DataFrame,
    *,
    label: Sequence[str] = (),
    ax: Axes | None = None,
    decimal_comma: bool = False,
    **kwargs: Any,
) -> Axes:
    """Draw the ratings of widgets over the number of settings that each requires.

    Parameters
    ----------
    data : Catalog or DataFrame
        A catalog, its ``widgets``, or a part of them.
    label : sequence of str
        Codes of widgets to name. By default the best rated for each number of settings are named, and all if there are
        at most 20.
    ax : Axes, optional
        Where to draw; by default a new figure.
    decimal_comma : bool
        Write 2,8 for 2.8.
    **kwargs
        For the dots, :meth:`matplotlib.axes.Axes.plot`, or for the bars, :meth:`matplotlib.axes.Axes.barh`, that stand
        for them in large catalogues.

    Returns
    -------
    Axes
    """
    cells = tidy.rating_vs_burden(data)
    widgets = tidy.read(data, ["code"])
    names = _names(cells) if not len(label) else _asked_for(rows_of(widgets, label))
    rated = int(cells["widgets"].sum())
    title = f"Rating and required settings: n = {ink.count(rated)}, {ink.count(len(widgets) - rated)} unrated"
    ax = ink.axes(ax, 4.6)
    if not rated:
        return ink.empty(ax, title, "No widget has a rating." if len(widgets) else "There are no widgets.")
    step = min(STEP, 0.85 / cells["widgets"].max())
    dots = _columns(ax, cells, step, is_small=rated <= DOTS, **kwargs)
    _name(ax, cells.merge(names, on=["required", "rating"]), dots, step)
    note = "named: the best rated of each column" if not len(label) and rated > ALL_NAMED else ""
    ink.headline(ax, title, note)
    ink.undress(ax, values="y")
    ink.stars(ax, "y", decimal_comma=decimal_comma)
    ink.counts(ax)
    _on_scale(ax, cells["rating"].to_numpy(dtype=float), "y")
    ax.set_xlim(-0.3, cells["required"].max() + 0.97)
    ax.set(xlabel="required settings", ylabel="rating")
    told = "; ".join(
        f"{row.text}: rating {ink.decimal(row.rating, decimal_comma=decimal_comma)}, {row.required} required"
        for row in tidy.rows(names)
    )
    ink.describe(ax, f"Dot chart. {title}. {told}.")
    return ax


def _names(cells: pd.DataFrame) -> pd.DataFrame:
    """Return what is named unless something else is asked for."""
    if cells["widgets"].sum() > ALL_NAMED:
        cells = cells[cells["best"]]
    return cells[["required", "rating"]].assign(
        text=[_text(*cell) for cell in zip(cells["code"], cells["widgets"], strict=True)]
    )


def _text(code: str, widgets: int) -> str:
    match widgets:
        case 1:
            return code
        case 2 | 3:
            return f"{code} and {widgets - 1} more"
        case _:
            return ink.plural(widgets, "widget")


def _asked_for(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return widgets by their pairs; those of one pair share a name, those without a rating have no place."""
    rated = pd.DataFrame(
        {"required": chosen["required_count"], "rating": tidy.rating_values(chosen).round(1), "text": chosen["code"]}
    ).dropna()
    return rated.groupby(["required", "rating"])["text"].agg(", ".join).reset_index()


def _columns(ax: Axes, cells: pd.DataFrame, step: float, *, is_small: bool, **kwargs: Any) -> np.ndarray[Any, Any]:
    """Draw a pile to the right of each number of settings; returns where its dots or its bars' ends are."""
    x, y, counts = (cells[name].to_numpy(dtype=float) for name in ("required", "rating", "widgets"))
    if not is_small:
        ax.barh(y, step * counts, 0.1, left=x, **ink.look(PILE, kwargs, Patch))
        return np.column_stack([x + step * counts, y])
    repeats = counts.astype(int)
    places = np.concatenate([np.arange(number) for number in repeats])
    dots = np.column_stack([np.repeat(x, repeats) + step * places, np.repeat(y, repeats)])
    ax.plot(*dots.T, **ink.look(DOT, kwargs, Line2D))
    return dots


def _name(ax: Axes, named: pd.DataFrame, dots: np.ndarray[Any, Any], step: float) -> None:
    x = named["required"] + step * (named["widgets"] - 1)
    points = np.column_stack([x, named["rating"]]).astype(float)
    ax.plot(*points.T, marker="o", linestyle="", markersize=7, color=ink.ORANGE, markeredgecolor=rcParams["text.color"])
    Labels(ax, points, ink.labels(named["text"]), dots)
