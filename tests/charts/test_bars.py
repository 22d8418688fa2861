from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

import amoexplore as amo

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from amoexplore import Catalog


def texts(ax: Axes) -> list[str]:
    """Return what is written inside of the Axes."""
    return [text.get_text() for text in ax.texts]


def ticks(ax: Axes) -> list[str]:
    """Return the labels of the rows, from top to bottom."""
    return [label.get_text() for label in sorted(ax.get_yticklabels(), key=lambda label: label.get_position()[1])]


def test_ratings(catalog: Catalog) -> None:
    """A bar half a star wide for each row of the numbers, as high as it has widgets, with its number above."""
    bins = amo.charts.data.ratings(catalog).iloc[:-1]
    ax = amo.charts.ratings(catalog)
    assert [bar.get_x() for bar in ax.patches] == bins["low"].tolist()
    assert [bar.get_width() for bar in ax.patches] == [0.5] * 10
    assert [bar.get_height() for bar in ax.patches] == bins["widgets"].tolist()
    assert texts(ax)[:10] == [str(number) for number in bins["widgets"]]


def test_ratings_median(catalog: Catalog) -> None:
    """A dashed line stands at the median, in its bar; the note names it with the middle half."""
    ax = amo.charts.ratings(catalog)
    rating = catalog.widgets["rating"].dropna().astype(float)
    (line,) = ax.lines
    assert set(line.get_xdata()) == {rating.median()}
    assert line.get_linestyle() == "--"
    bar = next(bar for bar in ax.patches if bar.get_x() <= rating.median() < bar.get_x() + bar.get_width())
    assert max(line.get_ydata()) == bar.get_height()
    assert rating.quantile([0.25, 0.5, 0.75]).round(3).tolist() == [2.225, 3.2, 3.9]
    assert texts(ax)[-1] == "median 3.2 (dashed); half of the ratings lie between 2.23 and 3.9"


def test_ratings_without_widgets_have_no_label() -> None:
    """Empty bars carry no zero."""
    ax = amo.charts.ratings(pd.DataFrame({"rating": pd.array([4.2, 4.3], "Float64")}))
    assert texts(ax)[:10] == ["", "", "", "", "", "", "", "", "2", ""]


def test_flags(catalog: Catalog) -> None:
    """Two parts from top to bottom, told apart by hatches; each bar with its number and share."""
    counted = amo.charts.data.flags(catalog)
    ax = amo.charts.flags(catalog)
    assert [bar.get_width() for bar in ax.patches] == counted["widgets"].tolist()
    assert [bar.get_hatch() is None for bar in ax.patches] == (counted["count_of"] == "each").tolist()
    assert ticks(ax) == counted["flags"].tolist()
    assert texts(ax)[0] == f"{counted['widgets'][0]} (33\u202f%)"
    assert texts(ax)[len(counted) - 1].endswith("(<\u202f1\u202f%)")
    assert ax.yaxis_inverted()


def test_note_of_flags_beside_the_longest_labels() -> None:
    """Where all combinations of flags occur, whose labels leave the least room, the note is not cut."""
    flags = pd.DataFrame(list(itertools.product([True, False], repeat=4)), columns=[*amo.charts.data.FLAGS])
    ax = amo.charts.flags(flags)
    ax.figure.draw_without_rendering()
    assert texts(ax)[-1] == "plain: each, hatched: exactly these"
    assert ax.texts[-1].get_window_extent().x1 <= ax.figure.bbox.x1


def test_setting_types(catalog: Catalog) -> None:
    """Required and optional follow each other in one bar, told apart by hatches."""
    counted = amo.charts.data.setting_types(catalog)
    ax = amo.charts.setting_types(catalog)
    required, optional = ax.patches[: len(counted)], ax.patches[len(counted) :]
    assert [bar.get_width() for bar in required] == counted["required"].tolist()
    assert [bar.get_width() for bar in optional] == counted["optional"].tolist()
    assert [bar.get_x() for bar in optional] == counted["required"].tolist()
    assert {bar.get_hatch() for bar in required} == {None}
    assert None not in {bar.get_hatch() for bar in optional}
    assert texts(ax)[0] == f"{counted['required'][0]} + {counted['optional'][0]} in {counted['widgets'][0]} widgets"
    assert ticks(ax) == counted["type"].tolist()


def test_changes() -> None:
    """One bar a kind of change; added and removed have a sign, and every kind a look of its own."""
    rows: list[tuple[Any, ...]] = [("added", code, pd.NA, pd.NA, pd.NA, pd.NA) for code in "abc"]
    rows += [("removed", "d", pd.NA, pd.NA, pd.NA, pd.NA), ("changed", "e", pd.NA, "rating", 2.0, 3.0)]
    ax = amo.charts.changes(pd.DataFrame(rows, columns=["change", "code", "setting", "field", "old", "new"]))
    assert [bar.get_width() for bar in ax.patches] == [3, 1, 1]
    assert ticks(ax) == ["widget added", "widget removed", "rating rose"]
    assert texts(ax) == ["+3", "−1", "1"]
    assert len({bar.get_hatch() for bar in ax.patches}) == 3
    assert ax.get_title(loc="left") == "5 changes of 5 widgets"


def test_thousands_are_apart() -> None:
    """Large counts are legible."""
    ax = amo.charts.ratings(pd.DataFrame({"rating": pd.array([4.2] * 12345, "Float64")}))
    assert "12\u202f345" in texts(ax)
    assert "n = 12\u202f345" in ax.get_title(loc="left")


@pytest.mark.parametrize("name", ["ratings", "flags", "setting_types"])
def test_counts_are_whole(catalog: Catalog, name: str) -> None:
    """An axis that counts has no fractions, not even for one widget."""
    part = catalog.settings if name == "setting_types" else catalog.widgets
    ax = getattr(amo.charts, name)(part.iloc[[0]])
    axis = ax.yaxis if name == "ratings" else ax.xaxis
    assert all(float(tick).is_integer() for tick in axis.get_major_locator()())


def test_drawn_twice_into_one_axes(catalog: Catalog) -> None:
    """A second chart in the same Axes does not stand on its head, nor does one beside another that shares its axis."""
    for chart, data in ((amo.charts.flags, catalog.widgets), (amo.charts.setting_types, catalog.settings)):
        ax = chart(data)
        chart(data, ax=ax)
        assert ax.yaxis_inverted()


def test_shared_axes_are_wide_enough_for_both(catalog: Catalog) -> None:
    """Of two charts that share an axis the smaller one cuts no bars of the other, and an empty one leaves the ticks."""
    left, right = Figure().subplots(1, 2, sharex=True, sharey=True)
    amo.charts.setting_types(catalog.settings, ax=left)
    amo.charts.setting_types(catalog.settings.head(20), ax=right)
    assert left.get_xlim()[1] > max(bar.get_x() + bar.get_width() for bar in left.patches)
    left, right = Figure().subplots(1, 2, sharex=True, sharey=True)
    ticks = amo.charts.ratings(catalog, ax=left).get_xticks().tolist()
    amo.charts.ratings(catalog.widgets.iloc[:0], ax=right)
    assert left.get_xticks().tolist() == ticks


def test_many_types_of_settings(catalog: Catalog) -> None:
    """The most frequent types have a row each, and all others one together: no setting is lost."""
    settings = catalog.settings.assign(type=[f"тип {number % 50}" for number in range(len(catalog.settings))])
    ax = amo.charts.setting_types(settings)
    assert len(ticks(ax)) == 21
    assert ticks(ax)[-1] == "30 other types"
    assert sum(bar.get_width() for bar in ax.patches) == len(settings)


def test_other_types_of_one_widget() -> None:
    """A widget that has several of the other types is one widget; settings without a type are of one more."""
    types = [*(f"type {number % 24}" for number in range(48)), *[None] * 3]
    settings = pd.DataFrame({"code": ["a"] * 48 + ["b"] * 3, "type": types, "is_required": True})
    ax = amo.charts.setting_types(settings)
    assert (ticks(ax)[0], ticks(ax)[-1]) == ("unknown", "5 other types")
    assert texts(ax)[20] == "10 + 0 in 1 widget"
