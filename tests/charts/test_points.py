from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import amoexplore as amo
from amoexplore import errors
from amoexplore.charts import ink
from amoexplore.charts.labels import Labels
from amoexplore.charts.points import DOTS, GROUPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from amoexplore import Catalog

#: A code that matplotlib would make a formula of, and that has no room.
ODD = "a$b$c_" + 30 * "x"


def labels(ax: Axes) -> Labels:
    """Return the names of the points."""
    (found,) = ax.findobj(Labels)
    assert isinstance(found, Labels)
    return found


def test_ratings_by_flag(catalog: Catalog) -> None:
    """A row a group with a dot for each rating, and below it the range, the middle half and the median."""
    spread = amo.charts.data.ratings_by(catalog)
    ax = amo.charts.ratings_by(catalog)
    dots, *boxes = ax.lines
    for row, group in enumerate(spread.itertuples()):
        flags = catalog.widgets["is_lead_source"] == (group.group == "yes")
        expected = catalog.widgets.loc[flags, "rating"].dropna()
        drawn = [x for x, y in zip(dots.get_xdata(), dots.get_ydata(), strict=True) if np.ceil(y) == row]
        assert sorted(drawn) == pytest.approx(sorted(expected))
        whole, half, median = boxes[3 * row : 3 * row + 3]
        assert list(whole.get_xdata()) == [group.lowest, group.highest]
        assert list(half.get_xdata()) == [group.lower_quartile, group.upper_quartile]
        assert list(median.get_xdata()) == [group.median]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["yes\n89 of 99 rated", "no\n181 of 201 rated"]


@pytest.mark.parametrize("rated", [True, False])
@pytest.mark.parametrize("by", ["цена $ и $", r"a$\frac{$", "a column of a very long name: " + "x" * 40])
def test_any_name_of_a_column(catalog: Catalog, by: str, *, rated: bool) -> None:
    """A column's name is no formula in the title, nor longer than there is room for; the words have it as it is."""
    widgets = catalog.widgets.rename(columns={"is_lead_source": by})
    ax = amo.charts.ratings_by(widgets if rated else widgets.assign(rating=np.nan), by=by)
    ax.figure.draw_without_rendering()
    assert ax.get_title(loc="left").startswith(f"Ratings by {ink.labels([by])[0]}: n = ")
    assert f"Ratings by {by}: n = " in amo.charts.alt_text(ax)


def test_no_two_dots_are_at_one_place(catalog: Catalog) -> None:
    """Equal ratings are piled up, by the same step in each row: every widget can be seen, and piles compared."""
    dots = amo.charts.ratings_by(catalog).lines[0]
    places = set(zip(dots.get_xdata(), dots.get_ydata(), strict=True))
    assert len(places) == len(dots.get_xdata()) == 270
    steps = np.unique(np.diff(np.unique(dots.get_ydata())).round(6))
    assert len(steps) == 2  # from dot to dot, and from row to row


def test_few_ratings_have_no_box() -> None:
    """Four ratings have no quartiles worth drawing; five do, and the note says so where there are any."""
    frame = pd.DataFrame({"rating": pd.array([1, 2, 3, 4] * 2 + [5], "Float64")})
    ax = amo.charts.ratings_by(frame, ["few"] * 4 + ["enough"] * 5)
    assert len(ax.lines) == 1 + 3
    assert [text.get_text() for text in ax.texts] == ["below the ratings: their middle half, with the median"]
    assert not amo.charts.ratings_by(frame[:8], ["few"] * 4 + ["few, too"] * 4).texts


def test_many_groups() -> None:
    """The largest groups are drawn, among equal ones the first, and the axis tells how many are left out."""
    sizes = {f"группа {number}": 2 + (number > 15) for number in range(20)}
    groups = [group for group, size in sizes.items() for _ in range(size)]
    frame = pd.DataFrame({"rating": pd.array(np.linspace(0, 5, len(groups)), "Float64")})
    ax = amo.charts.ratings_by(frame, groups)
    drawn = {label.get_text().split("\n")[0] for label in ax.get_yticklabels()}
    assert drawn == {*[*sizes][16:], *[*sizes][: GROUPS - 4]}
    assert ax.get_xlabel() == "rating (8 other groups left out)"


def test_many_widgets_are_bars() -> None:
    """Beyond some hundreds a pile is one bar, as long as it has widgets."""
    ratings = [1.0] * 300 + [4.5] * 150
    assert len(ratings) > DOTS
    frame = pd.DataFrame({"rating": pd.array(ratings, "Float64"), "is_lead_source": pd.array([True] * 450, "boolean")})
    (piles,) = amo.charts.ratings_by(frame, marker="s").collections  # bars have no marker
    low, high = (path.get_extents() for path in piles.get_paths())
    assert low.height / high.height == pytest.approx(2)
    assert (low.x0 + low.x1) / 2 == pytest.approx(1.0)


def test_a_high_pile_is_a_bar() -> None:
    """Forty widgets of one rating would be a line of dots."""
    ax = amo.charts.ratings_by(pd.DataFrame({"rating": pd.array([4.0] * 40, "Float64")}), ["a"] * 40)
    assert len(ax.collections) == 1


def test_settings_burden(catalog: Catalog) -> None:
    """Each pair has a cell with its number in it, required from left to right and optional upwards."""
    cells = amo.charts.data.settings_burden(catalog)
    ax = amo.charts.settings_burden(catalog)
    written = {text.get_position(): text.get_text() for text in ax.texts[: len(cells)]}
    assert written == {(row.required + 0.5, row.optional + 0.5): str(row.widgets) for row in cells.itertuples()}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("required settings", "optional settings")
    assert ax.texts[-1].get_text() == "96 widgets (32\u202f%) require none"


def test_words_of_the_most_frequent() -> None:
    """Words that name the first of what is equally frequent say that there are more."""
    equal = pd.DataFrame({"settings_count": [0, 1, 2, 3], "required_count": 0})
    assert " none. Among the most frequent: 0 required and 0 " in amo.charts.alt_text(amo.charts.settings_burden(equal))
    assert " none. Most frequent: 0 required and 0 " in amo.charts.alt_text(amo.charts.settings_burden(equal[:3]))
    for rows, words in ((5, "Among the most frequent together: "), (4, "Most frequent together: ")):
        flags = pd.DataFrame({flag: np.arange(rows) == number for number, flag in enumerate(amo.charts.data.FLAGS)})
        assert f". {words}" in amo.charts.alt_text(amo.charts.flags(flags))


def test_settings_burden_of_very_many_settings() -> None:
    """Ten and more settings share the last row and column, which say so, and no widget is lost."""
    frame = pd.DataFrame({"settings_count": [60, 12, 0], "required_count": [40, 12, 0]})
    ax = amo.charts.settings_burden(frame)
    assert [label.get_text() for label in ax.get_xticklabels()][-1] == "10+"
    assert sum(int(text.get_text()) for text in ax.texts[:-1]) == 3


def test_unknown_counts(catalog: Catalog) -> None:
    """Widgets whose numbers of settings are missing are told, not lost: in the title, and in the comparison."""
    widgets = catalog.widgets.astype({"required_count": "Int64", "settings_count": "Int64"})
    widgets.loc[:3, ["required_count", "settings_count"]] = pd.NA
    assert amo.charts.settings_burden(widgets).get_title(loc="left") == "Settings demanded by 296 widgets, 4 unknown"
    assert "n = 266" in amo.charts.rating_vs_burden(widgets).get_title(loc="left")
    _, settings, _ = amo.charts.compare(widgets, ["amo_dropbox", "amo_zoom"]).axes
    assert [text.get_text() for text in settings.texts[:2]] == ["unknown", "0 + 1"]


def test_rating_vs_burden(catalog: Catalog) -> None:
    """Each rated widget is a dot at its rating, in the pile of its number of required settings."""
    ax = amo.charts.rating_vs_burden(catalog)
    dots, named = ax.lines
    rated = catalog.widgets.dropna(subset="rating")
    assert sorted(dots.get_ydata()) == pytest.approx(sorted(rated["rating"]))
    assert np.bincount(np.floor(dots.get_xdata()).astype(int)).tolist() == np.bincount(rated["required_count"]).tolist()
    assert len(set(zip(dots.get_xdata(), dots.get_ydata(), strict=True))) == len(rated)
    best = rated.groupby("required_count")["rating"].max()
    assert [*named.get_ydata()] == best.tolist()


def test_the_best_are_named(catalog: Catalog) -> None:
    """Unless others are asked for, the best rated for each number of settings are named."""
    names = [text.get_text() for text in labels(amo.charts.rating_vs_burden(catalog)).texts]
    assert names[0] == "shablony_lada"
    assert len(names) == catalog.widgets["required_count"].nunique()


def test_all_of_a_few_are_named(catalog: Catalog) -> None:
    """Up to twenty widgets are all named, those at one place together."""
    few = catalog.widgets.dropna(subset="rating").head(12)
    names = [text.get_text() for text in labels(amo.charts.rating_vs_burden(few)).texts]
    alone = amo.charts.data.rating_vs_burden(few).query("widgets == 1")["code"].tolist()
    assert set(ink.labels(alone)) <= set(names)
    assert sum(" more" in name for name in names) == len(names) - len(alone)


def test_label(catalog: Catalog) -> None:
    """The widgets asked for are named; one without a rating has no place to stand at."""
    ax = amo.charts.rating_vs_burden(catalog, label=["gotoconnect", "nvoip", "amo_asterisk"])
    assert sorted(text.get_text() for text in labels(ax).texts) == ["amo_asterisk", "gotoconnect"]
    assert "gotoconnect: rating 4.6, 4 required" in amo.charts.alt_text(ax)


def test_unrated_label_is_told(catalog: Catalog) -> None:
    """Who asks for a widget without a rating reads that it has none; otherwise the note says what is marked."""
    assert "without a rating: nvoip" in amo.charts.alt_text(amo.charts.rating_vs_burden(catalog, label=["nvoip"]))
    odd = amo.charts.rating_vs_burden(catalog.widgets.replace("nvoip", ODD), label=[ODD])
    assert f"without a rating: {ODD}" in amo.charts.alt_text(odd)
    assert odd.texts[-1].get_text() == f"without a rating: {ink.labels([ODD])[0]}"
    asked_for = amo.charts.alt_text(amo.charts.rating_vs_burden(catalog, label=iter(["gotoconnect"])))
    assert "marked" not in asked_for
    ax = amo.charts.rating_vs_burden(catalog)
    assert "marked: the best rated of each column" in [text.get_text() for text in ax.texts]


def test_names_cover_no_bars(catalog: Catalog) -> None:
    """Where piles are bars, names keep away from them."""
    many = catalog.widgets.sample(20_000, replace=True, random_state=1, ignore_index=True)
    ax = amo.charts.rating_vs_burden(many)
    ax.figure.draw_without_rendering()
    bars = [path.get_extents(ax.transData) for path in ax.collections[0].get_paths()]
    boxes = [text.get_window_extent() for text in labels(ax).texts if text.get_visible()]
    assert boxes
    assert not any(box.overlaps(bar) for box in boxes for bar in bars)


def test_names_follow_the_view(catalog: Catalog) -> None:
    """A point that is out of the view has no name there."""
    ax = amo.charts.rating_vs_burden(catalog.widgets.dropna(subset="rating").head(12))
    ax.set(xlim=(0.1, 3), ylim=(2.9, 3.3))
    ax.figure.draw_without_rendering()
    found = labels(ax)
    seen = [0.1 <= x <= 3 and 2.9 <= y <= 3.3 for x, y in found.points]
    assert not any(text.get_visible() and not is_seen for text, is_seen in zip(found.texts, seen, strict=True))


def test_very_many_required_settings() -> None:
    """Ten and more required settings share the last column, and no widget is lost."""
    frame = pd.DataFrame({"code": ["a", "b", "c"], "rating": [4.0, 4.0, 3.0], "required_count": [10, 300, 2]})
    ax = amo.charts.rating_vs_burden(frame)
    assert [label.get_text() for label in ax.get_xticklabels()][-1] == "10+"
    assert len(ax.lines[0].get_xdata()) == 3
    assert {text.get_text() for text in labels(ax).texts} == {"a, b", "c"}


def test_the_last_column_has_one_best_rating() -> None:
    """Of all that share the last column the best rated are marked, and no other."""
    frame = pd.DataFrame({"code": [f"w{number}" for number in range(24)], "rating": 1.0, "required_count": range(24)})
    frame.loc[[12, 20], "rating"] = 4.0
    ax = amo.charts.rating_vs_burden(frame)
    assert [*ax.lines[1].get_ydata()] == [1.0] * 10 + [4.0]
    assert labels(ax).texts[-1].get_text() == "w12, w20"


@pytest.mark.parametrize("cmap", ["Blues", "Blues_r", "viridis", "Greys"])
def test_numbers_stand_out_from_their_cells(catalog: Catalog, cmap: str) -> None:
    """Whatever the colours, a number is dark on a bright cell and bright on a dark one."""
    ax = amo.charts.settings_burden(catalog, cmap=cmap)
    cells = amo.charts.data.settings_burden(catalog).set_index(["required", "optional"])["widgets"]
    for text in ax.texts[: len(cells)]:
        x, y = text.get_position()
        ground = ax.collections[0].to_rgba(cells[int(x), int(y)])
        assert abs(np.mean(ground[:3]) - (text.get_color() == "white")) > 0.4


def test_another_norm(catalog: Catalog) -> None:
    """Colours can be spread by a logarithm."""
    assert amo.charts.settings_burden(catalog, norm=LogNorm()).collections[0].norm.vmin == 7


def test_label_unknown(catalog: Catalog) -> None:
    """A code that is not there is told, with those that are spelled alike."""
    with pytest.raises(errors.UnknownWidget, match="Did you mean amo_asterisk"):
        amo.charts.rating_vs_burden(catalog, label=["amo_asterik"])


@pytest.mark.parametrize("size", [(7, 4.6), (4, 3), (12, 8)])
def test_labels_cover_nothing(catalog: Catalog, size: tuple[float, float]) -> None:
    """In any size names overlap neither each other nor a dot, and stay inside of the Axes."""
    few = catalog.widgets.dropna(subset="rating").head(18)
    ax = amo.charts.rating_vs_burden(few)
    ax.figure.set_size_inches(size)
    ax.figure.draw_without_rendering()
    found = labels(ax)
    boxes = [text.get_window_extent() for text in found.texts if text.get_visible()]
    assert len(boxes) >= 4
    assert not any(one.overlaps(other) for number, one in enumerate(boxes) for other in boxes[:number])
    dots = ax.transData.transform(found.taken[:, :2])
    assert not any(box.contains(*dot) for box in boxes for dot in dots)
    inside = ax.get_window_extent()
    assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)


def test_labels_use_lines_where_they_are_far() -> None:
    """In a crowd every name still stands somewhere, joined by a line to what it names."""
    ratings = [3.0 + number / 10 for number in range(12)]
    frame = pd.DataFrame(
        {"code": [f"телефония_{number}" for number in range(12)], "rating": pd.array(ratings, "Float64")}
    )
    ax = amo.charts.rating_vs_burden(frame.assign(required_count=0))
    ax.figure.set_size_inches(7, 3)
    ax.figure.draw_without_rendering()
    found = labels(ax)
    assert all(text.get_visible() for text in found.texts)
    assert any(line.get_visible() for line in found.lines)


@pytest.mark.parametrize("other", [(112, 150), (112, 152)])
def test_lines_lead_past_other_marks(other: tuple[int, int]) -> None:
    """The line that joins a name to its point goes through no other marked point, whose it would seem."""
    ax = Figure(figsize=(5, 4), dpi=72).add_axes((0, 0, 1, 1), xlim=(0, 360), ylim=(0, 288))  # in points
    taken = np.array([(0, 0, 360, 138), (0, 0, 80, 288), (0, 162, 360, 172), (*other, *other)])
    found = Labels(ax, np.array([(100, 150), other]), ["name", ""], taken)
    ax.figure.draw_without_rendering()
    assert found.texts[0].get_position() == pytest.approx((100, 178))


def test_hidden_labels_are_not_drawn(catalog: Catalog) -> None:
    """What the user hides stays hidden."""
    ax = amo.charts.rating_vs_burden(catalog)
    labels(ax).set_visible(False)
    ax.figure.draw_without_rendering()
    assert labels(ax).texts[0].get_position() == (0, 0)
