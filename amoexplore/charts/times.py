"""Charts over time: how ratings moved, and which widgets came and went; of what a history says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from amoexplore.charts import data as tidy
from amoexplore.charts import ink
from amoexplore.charts.labels import Labels, Numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

#: The most widgets that have a line of their own: eyes tell no more apart.
LINES = 8
#: About how wide a letter of their names is, in points.
_POINTS = 5.5
_MARKERS = "os^DvPX*"
_CUT = 24


def rating_over_time(data: pd.DataFrame, *, ax: Axes | None = None, decimal_comma: bool = False, **kwargs: Any) -> Axes:
    """Draw how ratings moved: a line a widget, of at most eight those that moved most.

    Parameters
    ----------
    data : DataFrame
        Of ``history.ratings(codes)``.
    ax : Axes, optional
        Where to draw; by default a new figure.
    decimal_comma : bool
        Write 2,8 for 2.8.
    **kwargs
        For :meth:`matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes
    """
    moved = tidy.rating_over_time(data)
    # Rounded as they are shown: what is 3.4 twice has not moved, and of 3.4 to 3.7 and 1.0 to 1.3 neither is more.
    ends = moved.groupby("widget", sort=False)["rating"].agg(["first", "last"]).astype(float).round(2)
    distance = (ends["last"] - ends["first"]).abs().round(2).sort_values(ascending=False, kind="stable")
    order = distance.index
    ax = ink.axes(ax)
    if not len(ends):
        return ink.empty(
            ax, "Ratings of 0 widgets", "No widget has a rating." if len(data) else "There are no widgets."
        )
    most = order[0]
    found = partial(_finding, ends, distance, decimal_comma=decimal_comma)
    title, whole = (
        f"Ratings of {ink.plural(len(ends), 'widget')}: {found(name)}" for name in (*ink.labels([most], _CUT), most)
    )
    shown = [name for name in ends.index if name in order[:LINES]]
    _, _, _, _, yellow, *_, purple = mpl.color_sequences["okabe_ito"]
    colors = [ink.BLUE, ink.VERMILLION, ink.GREEN, ink.ORANGE, purple, ink.SKY, mpl.rcParams["text.color"], yellow]
    lines = [moved[moved["widget"] == name] for name in shown]
    for line, color, marker in zip(lines, colors, _MARKERS, strict=False):
        look = {"color": color, "marker": marker, "markersize": 5, "linewidth": 1.8, "drawstyle": "steps-post"}
        ax.plot(_dates(line["taken"]), line["rating"].to_numpy(dtype=float), **ink.look(look, kwargs, Line2D))
    points = [
        np.column_stack([_numbers(_dates(line["taken"])), line["rating"].to_numpy(dtype=float)]) for line in lines
    ]
    names = ink.labels(shown, _CUT)
    first = [shown.index(name) for name in order[:LINES]]  # the one that the title names has the first choice
    ends_at = np.array([points[at][-1] for at in first])
    Labels(ax, ends_at, [names[at] for at in first], np.hstack([np.vstack(points)] * 2))
    note = _note(distance, len(data.drop_duplicates(["account", "code"])) - len(ends))
    if not ax.dataLim.width:  # of one moment matplotlib makes years
        ax.set_xlim(ax.dataLim.x0 - 0.5, ax.dataLim.x0 + 0.5)
    left, right = ax.get_xlim()
    room = _room(ax, names)
    ax.set_xlim(left, right + room / (1 - room) * (right - left))
    ink.dress(ax, title, note, values="y")
    span = _over_time(ax, moved["taken"])
    ink.stars(ax, "y", decimal_comma=decimal_comma)
    ax.set_ylabel("rating")
    told = "; ".join(f"{name} {_from_to(ends.loc[name], decimal_comma=decimal_comma)}" for name in shown)
    ink.describe(ax, f"Lines over time, {span}. {whole}. {told}." + (f" {note[:1].upper()}{note[1:]}." if note else ""))
    return ax


def arrivals(data: pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw how many widgets came (up) and went (down), and when a snapshot first showed it.

    A bar whose number finds no room goes without it.

    Parameters
    ----------
    data : DataFrame
        Of ``history.changes()``.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        For :meth:`matplotlib.axes.Axes.bar`.

    Returns
    -------
    Axes
    """
    counted = tidy.arrivals(data)
    came, went = int(counted["came"].sum()), int(counted["went"].sum())
    title = f"{ink.plural(came, 'widget')} came and {ink.count(went)} went"
    ax = ink.axes(ax)
    if not len(counted):
        return ink.empty(ax, title, "No widget came or went." if len(data) else "Nothing has changed.")
    dates = _dates(counted["taken"])
    look: dict[str, Any] = {"width": _width(_numbers(dates)), "edgecolor": ax.get_facecolor()}
    up = ax.bar(dates, counted["came"], **ink.look(look | {"color": ink.GREEN}, kwargs, Patch))
    down_look = look | {"color": ink.VERMILLION, "hatch": "\\\\\\\\"}
    down = ax.bar(dates, -counted["went"], **ink.look(down_look, kwargs, Patch))
    texts = [
        *ink.bar_texts(ax, up, [f"+{ink.count(number)}" if number else "" for number in counted["came"]]),
        *ink.bar_texts(ax, down, [f"−{ink.count(number)}" if number else "" for number in counted["went"]]),
    ]
    longest_first = np.argsort(-counted[["came", "went"]].to_numpy().ravel("F"), kind="stable")
    Numbers(ax, [texts[at] for at in longest_first], [*up, *down])
    ax.axhline(0, color=mpl.rcParams["text.color"], linewidth=0.8, alpha=ink.FAINT)
    ax.margins(y=0.15)
    note = "when a snapshot first showed it: came (up, plain), went (down, hatched)"
    ink.dress(ax, title, note, values="y")
    _over_time(ax, counted["taken"])
    ink.counts(ax, "y")
    ax.set_ylabel("widgets")
    told = ", ".join(f"{row.taken:%Y-%m-%d} +{row.came} −{row.went}" for row in tidy.rows(counted.tail(12)))
    ink.describe(ax, f"Bars over time. {title}. Latest: {told}.")
    return ax


def _room(ax: Axes, names: Sequence[str]) -> float:
    """Return which part of the width names at the ends of lines take, at most half of it."""
    width = ax.get_window_extent().width * 72 / ax.figure.dpi
    return min(max(0.2, (_POINTS * max(map(len, names)) + 15) / width), 0.5)


def _finding(ends: pd.DataFrame, distance: pd.Series[float], name: str, *, decimal_comma: bool) -> str:
    """Return what a reader of the chart would find first; the widget that moved most goes by this name."""
    if not distance.iloc[0]:
        return "none is another at the end" if len(ends) > 1 else "the same at the end"
    moved = ends.loc[distance.index[0]]
    direction = "rose" if moved["last"] > moved["first"] else "fell"
    tied = int((distance == distance.iloc[0]).sum())
    if tied > 1:
        return f"{ink.count(tied)} moved most, by {ink.decimal(distance.iloc[0], decimal_comma=decimal_comma)}"
    most = " most" if len(ends) > 1 else ""
    return f"{name} {direction}{most}, {_from_to(moved, decimal_comma=decimal_comma)}"


def _note(distance: pd.Series[float], unrated: int) -> str:
    """Return what is not drawn."""
    notes = []
    if len(distance) > LINES:
        is_tied = distance.iloc[LINES - 1] == distance.iloc[LINES]
        notes.append(f"{LINES} of {ink.count(len(distance))} shown" if is_tied else f"the {LINES} that moved most")
    if unrated:
        notes.append(f"{ink.plural(unrated, 'other widget')} without a rating")
    return "; ".join(notes)


def _from_to(ends: Any, *, decimal_comma: bool) -> str:
    first, last = (ink.decimal(ends[name], decimal_comma=decimal_comma) for name in ("first", "last"))
    return f"{first} to {last}"


def _dates(times: pd.Series[pd.Timestamp]) -> np.ndarray[Any, Any]:
    """Return times as matplotlib draws them: in UTC, whatever zone its settings name."""
    return times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()


def _numbers(dates: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return dates as the numbers that matplotlib has for them."""
    return np.asarray(date2num(dates))  # type: ignore[no-untyped-call]


def _width(days: np.ndarray[Any, Any]) -> float:
    """Return how wide bars are that do not cover each other, but never so thin that nobody sees them."""
    if len(days) == 1:
        return 1.0
    return max(0.8 * float(np.diff(days).min()), float(np.ptp(days)) / 150)


def _over_time(ax: Axes, times: pd.Series[pd.Timestamp]) -> str:
    """Let an axis show time, and return the span that it names: its ticks tell neither year nor, often, month."""
    locator = AutoDateLocator(tz="UTC", minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    form = ConciseDateFormatter(locator, tz="UTC", show_offset=False)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(form)
    span = _span(times.min(), times.max())
    ax.set_xlabel(f"time of the snapshot, UTC: {span}")
    return span


def _span(first: pd.Timestamp, last: pd.Timestamp) -> str:
    """Return from when to when: in days, within one of them to the minute."""
    form = "%Y-%m-%d %H:%M" if first.date() == last.date() else "%Y-%m-%d"
    return " to ".join(dict.fromkeys(f"{moment:{form}}" for moment in (first, last)))
