"""Charts that show each widget where it is, and piles of them where they are many: ratings by group, and by burden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib import rcParams
from matplotlib.cbook import normalize_kwargs
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.lines import Line2D

from amoexplore.charts import data as tidy
from amoexplore.charts import ink
from amoexplore.charts.labels import Labels
from amoexplore.comparisons import FEW, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from amoexplore.comparisons import AnyCatalog

#: Above this many widgets a pile is one bar, not a dot a widget.
DOTS = 400
#: And above this height of any pile.
PILE = 30
#: The most groups that a chart shows.
GROUPS = 12
#: How far a dot is from its neighbour in a pile, at most, where rows and columns are 1 apart.
STEP = 0.07
#: Up to this many widgets are all named.
ALL_NAMED = 20
#: How one widget is drawn.
DOT = {"marker": "o", "linestyle": "", "markersize": 4, "color": ink.BLUE, "alpha": 0.8}


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
        For the dots, :meth:`matplotlib.axes.Axes.plot`, or for the bars that stand for them in large catalogues,
        :class:`matplotlib.collections.PolyCollection`.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If ``by`` is neither a column nor a group for each widget.
    """
    spread = tidy.ratings_by(data, by)
    widgets = tidy.read(data, ["rating"])
    values, groups = tidy.rating_values(widgets), tidy.groups(widgets, by)
    sizes = groups.groupby(groups, sort=False).size().sort_values(ascending=False, kind="stable")
    shown = spread[spread["group"].isin(sizes.index[:GROUPS])].reset_index(drop=True)
    rated = int(spread["rated"].sum())
    of = tidy.FLAGS.get(by, by) if isinstance(by, str) else "group"
    counted = f"n = {ink.count(rated)}, {ink.count(len(widgets) - rated)} unrated"
    title, whole = (f"Ratings by {name}: {counted}" for name in (*ink.labels([of]), of))
    ax = ink.axes(ax, 1.2 + 0.9 * len(shown))
    if not rated:
        why = "No widget has a rating." if len(widgets) else "There are no widgets."
        return ink.empty(ax, title, why, f"{whole}. {why}")
    members = [values[(groups == group).to_numpy() & ~np.isnan(values)] for group in shown["group"]]
    _piles(ax, members, **kwargs)
    enough = shown[shown["rated"] >= FEW]
    for row in tidy.rows(enough):
        _box(ax, row)
    ink.dress(ax, title, "below the ratings: their middle half, with the median" if len(enough) else "")
    _name_groups(ax, shown)
    ink.stars(ax, "x", decimal_comma=decimal_comma)
    _on_scale(ax, values, "x")
    rest = len(spread) - len(shown)
    ax.set_xlabel(f"rating ({ink.plural(rest, 'other group')} left out)" if rest else "rating")
    told = "; ".join(_told(row, decimal_comma=decimal_comma) for row in tidy.rows(shown))
    ink.describe(ax, f"Dot chart. {whole}. {told}.")
    return ax


def _name_groups(ax: Axes, shown: pd.DataFrame) -> None:
    rated = [f"{ink.count(row.rated)} of {ink.count(row.widgets)} rated" for row in tidy.rows(shown)]
    ax.set_yticks(range(len(shown)), map("\n".join, zip(ink.labels(shown["group"]), rated, strict=True)))
    ax.set_ylim(len(shown) - 0.65, -0.65)


def _on_scale(ax: Axes, values: np.ndarray[Any, Any], axis: Literal["x", "y"]) -> None:
    """Show the whole scale of ratings, unless some are beyond it."""
    if np.nanmin(values) >= 0 and np.nanmax(values) <= tidy.STARS:
        ax.set(**{f"{axis}lim": (-0.15, tidy.STARS + 0.15)})


def _told(row: Any, *, decimal_comma: bool) -> str:
    median = "none" if pd.isna(row.median) else ink.decimal(row.median, decimal_comma=decimal_comma)
    return f"{row.group}: {row.rated} of {row.widgets} rated, median {median}"


def _piles(ax: Axes, members: Sequence[np.ndarray[Any, Any]], **kwargs: Any) -> None:
    """Draw the values of each row in tenths, equal ones piled up: a dot each, or a bar for all."""
    piles = [np.unique(values.round(1), return_counts=True) for values in members]
    tenths, counts = (np.concatenate(parts) for parts in zip(*piles, strict=True))
    rows = np.repeat(np.arange(len(piles)), [len(tenths) for tenths, _ in piles])
    step = min(STEP, 0.6 / counts.max())
    if _are_dots(counts):
        ax.plot(
            np.repeat(tenths, counts), np.repeat(rows, counts) - step * _places(counts), **ink.look(DOT, kwargs, Line2D)
        )
    else:
        _bars(ax, np.column_stack([tenths - 0.05, rows - step * counts, tenths + 0.05, rows]), **kwargs)


def _are_dots(counts: np.ndarray[Any, Any]) -> bool:
    return bool(counts.sum() <= DOTS and counts.max() <= PILE)


def _places(counts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the place of each widget in its pile, from 0."""
    return np.concatenate([np.arange(count) for count in counts])


def _bars(ax: Axes, boxes: np.ndarray[Any, Any], **kwargs: Any) -> None:
    """Draw boxes, each x0, y0, x1, y1, as one artist: thousands of them take no time."""
    look = {"facecolor": ink.BLUE, "edgecolor": "none"}
    of_dots = {name for name in normalize_kwargs(kwargs, Line2D) if name.startswith("marker")}
    asked_for = {name: value for name, value in normalize_kwargs(kwargs, Line2D).items() if name not in of_dots}
    corners = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
    ax.add_collection(PolyCollection(list(corners), **ink.look(look, asked_for, PolyCollection)))
    ax.autoscale_view()


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
    given = len(tidy.read(data, []))
    unknown = f", {ink.count(given - total)} unknown" if given > total else ""
    title = f"Settings demanded by {ink.plural(total, 'widget')}{unknown}"
    ax = ink.axes(ax)
    if not total:
        return ink.empty(ax, title, "No widget tells its settings." if given else "There are no widgets.")
    _cells(ax, cells, **kwargs)
    free = int(cells.loc[cells["required"] == 0, "widgets"].sum())
    note = f"{ink.plural(free, 'widget')} ({ink.percent(free / total)}) require none"
    ink.dress(ax, title, note)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="required settings", ylabel="optional settings")
    most, top = tidy.most(cells, 3)
    told = "; ".join(
        f"{row.required} required and {row.optional} optional: {ink.plural(row.widgets, 'widget')}"
        for row in tidy.rows(top)
    )
    ink.describe(ax, f"Table of counts. {title}: {note}. {most}: {told}.")
    return ax


def _cells(ax: Axes, cells: pd.DataFrame, **kwargs: Any) -> None:
    """Draw a cell for each pair, the darker the more widgets it has, and write their number into it."""
    x, y = (cells[name].clip(0, tidy.LAST).to_numpy(dtype=int) for name in ("required", "optional"))
    table = np.zeros((y.max() + 1, x.max() + 1), dtype=int)
    np.add.at(table, (y, x), cells["widgets"])
    look = {"cmap": "Blues", "edgecolor": ax.get_facecolor(), "linewidth": 2} | (
        {} if "norm" in kwargs else {"vmin": 0}
    )
    mesh = ax.pcolormesh(np.ma.masked_equal(table, 0), **ink.look(look, kwargs, QuadMesh))
    for (row, column), number in np.ndenumerate(table):
        if number:
            is_dark = np.dot(mesh.to_rgba(number)[:3], (0.299, 0.587, 0.114)) < 0.5  # noqa: PLR2004  how bright eyes see it
            color = "white" if is_dark else "black"
            ax.text(column + 0.5, row + 0.5, ink.count(number), ha="center", va="center", color=color)
    for axis, size in ((ax.xaxis, table.shape[1]), (ax.yaxis, table.shape[0])):
        axis.set_ticks(np.arange(size) + 0.5, [_number(value) for value in range(size)])


def rating_vs_burden(
    data: AnyCatalog | pd.DataFrame,
    *,
    label: Iterable[str] = (),
    ax: Axes | None = None,
    decimal_comma: bool = False,
    **kwargs: Any,
) -> Axes:
    """Draw the ratings of widgets over the number of settings that each requires.

    Parameters
    ----------
    data : Catalog or DataFrame
        A catalog, its ``widgets``, or a part of them.
    label : iterable of str
        Codes of widgets to name. By default the best rated of each column are named, and all if there are at most
        20; what finds no place goes without its name.
    ax : Axes, optional
        Where to draw; by default a new figure.
    decimal_comma : bool
        Write 2,8 for 2.8.
    **kwargs
        For the dots, :meth:`matplotlib.axes.Axes.plot`, or for the bars that stand for them in large catalogues,
        :class:`matplotlib.collections.PolyCollection`.

    Returns
    -------
    Axes
    """
    cells = tidy.rating_vs_burden(data)
    widgets = tidy.read(data, ["code"])
    chosen = rows_of(widgets, label)
    names = _asked_for(chosen) if len(chosen) else _names(cells)
    rated = int(cells["widgets"].sum())
    title = f"Rating and settings: n = {ink.count(rated)}, {ink.count(len(widgets) - rated)} unrated"
    ax = ink.axes(ax, 4.6)
    if not rated:
        return ink.empty(ax, title, "No widget has a rating." if len(widgets) else "There are no widgets.")
    _columns(ax, cells.assign(required=cells["required"].clip(upper=tidy.LAST)), names, **kwargs)
    marked = "" if rated <= ALL_NAMED or len(chosen) else "marked: the best rated of each column"
    unrated = chosen["code"][np.isnan(tidy.rating_values(chosen))]
    note, whole = (
        f"without a rating: {', '.join(codes)}" if len(unrated) else marked for codes in (ink.labels(unrated), unrated)
    )
    ink.dress(ax, title, note, values="y")
    ink.stars(ax, "y", decimal_comma=decimal_comma)
    _on_scale(ax, cells["rating"].to_numpy(dtype=float), "y")
    last = min(int(cells["required"].max()), tidy.LAST)
    ax.set_xticks(range(last + 1), [_number(value) for value in range(last + 1)])
    ax.set_xlim(-0.3, last + 0.97)
    ax.set(xlabel="required settings", ylabel="rating")
    told = "; ".join(
        f"{row.text}: rating {ink.decimal(row.rating, decimal_comma=decimal_comma)}, {row.required} required"
        for row in tidy.rows(names)
    )
    ink.describe(ax, f"Dot chart. {'. '.join(filter(None, [title, whole, told]))}.")
    return ax


def _number(settings: int) -> str:
    """Return a number of settings as the axes have it: from LAST on they share a place."""
    return f"{settings}+" if settings == tidy.LAST else str(settings)


def _names(cells: pd.DataFrame) -> pd.DataFrame:
    """Return what is named unless something else is asked for."""
    if cells["widgets"].sum() > ALL_NAMED:
        cells = cells[cells["best"]]
    texts = [_text(*cell) for cell in zip(cells["code"], cells["widgets"], strict=True)]
    return cells[["required", "rating"]].assign(text=texts)


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
    required = tidy.whole_numbers(chosen, "required_count")
    ratings = tidy.rating_values(chosen).round(1)
    rated = pd.DataFrame({"required": required, "rating": ratings, "text": chosen["code"]}).dropna()
    return rated.groupby(["required", "rating"])["text"].agg(", ".join).reset_index()


def _columns(ax: Axes, cells: pd.DataFrame, names: pd.DataFrame, **kwargs: Any) -> None:
    """Draw a pile to the right of each number of settings, and the names of some of them."""
    pairs = cells.groupby(["required", "rating"], as_index=False)["widgets"].sum()
    x, y = (pairs[name].to_numpy(dtype=float) for name in ("required", "rating"))
    counts = pairs["widgets"].to_numpy(dtype=int)
    step = min(STEP, 0.85 / counts.max())
    if _are_dots(counts):
        dots = np.column_stack([np.repeat(x, counts) + step * _places(counts), np.repeat(y, counts)])
        ax.plot(*dots.T, **ink.look(DOT, kwargs, Line2D))
        taken = np.hstack([dots, dots])
    else:
        taken = np.column_stack([x, y - 0.05, x + step * counts, y + 0.05])
        _bars(ax, taken, **kwargs)
    shared = names.assign(required=names["required"].clip(upper=tidy.LAST)).groupby(["required", "rating"])["text"]
    named = pairs.merge(shared.agg(", ".join).reset_index(), on=["required", "rating"])
    ends = np.column_stack([named["required"] + step * (named["widgets"] - 1), named["rating"]]).astype(float)
    ax.plot(*ends.T, marker="o", linestyle="", markersize=7, color=ink.ORANGE, markeredgecolor=rcParams["text.color"])
    Labels(ax, ends, ink.labels(named["text"]), taken)
