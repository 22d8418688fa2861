from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from matplotlib.dates import num2date

import amoexplore as amo
from amoexplore.charts import data
from amoexplore.charts.labels import Labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def ratings(**widgets: list[float | None]) -> pd.DataFrame:
    """Return these ratings of each widget, month by month, as a history says them."""
    rows = [
        (pd.Timestamp(2026, month, 1, tz="UTC"), "a.amocrm.ru", code, rating)
        for code, each in widgets.items()
        for month, rating in enumerate(each, start=1)
    ]
    frame = pd.DataFrame(rows, columns=["taken", "account", "code", "rating"])
    return frame.astype({"account": "str", "code": "str", "rating": "Float64"})


def changes(*rows: tuple[int, str, str]) -> pd.DataFrame:
    """Return changes as a history says them: a day, what happened, and to which setting if to any."""
    frame = pd.DataFrame(rows, columns=["day", "change", "setting"])
    taken = pd.Timestamp(2025, 12, 31, tz="UTC") + pd.to_timedelta(frame.pop("day"), "days")
    told = {"account": "a.amocrm.ru", "code": "a", "field": None, "old": None, "new": None}
    return frame.assign(taken=taken, setting=frame["setting"].replace("", None), **told)


def test_one_widget() -> None:
    """Of one widget the title says how it moved, and not that it moved more than itself."""
    titles = [amo.charts.rating_over_time(ratings(a=each)).get_title(loc="left") for each in ([1, 2], [2, 1], [1, 1])]
    assert titles == [
        f"Ratings of 1 widget: {how}" for how in ("a rose, 1.0 to 2.0", "a fell, 2.0 to 1.0", "the same at the end")
    ]


def test_long_names_have_room() -> None:
    """Each line has its name, also a long one, and first the one that moved most."""
    widgets = {f"widget_with_long_code_{n:02}": [1 + n / 3, 1 + n / 3 + (n == 5) / 5] for n in range(8)}
    ax = amo.charts.rating_over_time(ratings(**widgets))
    ax.figure.canvas.draw()
    (labels,) = (each for each in ax.artists if isinstance(each, Labels))
    assert [text.get_visible() for text in labels.texts] == [True] * 8
    assert labels.texts[0].get_text() == "widget_with_long_code_05"


def test_what_a_file_gave_back(tmp_path: Path) -> None:
    """What a history said is drawn, too, when it was a file of text meanwhile."""
    rated, changed = ratings(a=[1, 2]), changes((1, "added", ""), (2, "removed", ""))
    for name, table, draw in (("r", rated, amo.charts.rating_over_time), ("c", changed, amo.charts.arrivals)):
        table.to_csv(tmp_path / name, index=False)
        drawn = [draw(each).get_title(loc="left") for each in (table, pd.read_csv(tmp_path / name))]
        assert drawn[0] == drawn[1]


def test_numbers_of_ratings() -> None:
    """By widget and time; what is not rated is in no row."""
    table = data.rating_over_time(ratings(b=[1, None, 2], a=[3]))
    assert table["widget"].tolist() == ["a", "b", "b"]
    assert table["rating"].tolist() == [3, 1, 2]
    assert table["taken"].dt.month.tolist() == [1, 1, 3]


def test_one_widget_in_two_accounts() -> None:
    """Where there are several accounts a line is a widget in one of them."""
    two = pd.concat([ratings(a=[1, 2]), ratings(a=[3, 4]).assign(account="b.amocrm.ru")])
    assert data.rating_over_time(two)["widget"].unique().tolist() == ["a, a.amocrm.ru", "a, b.amocrm.ru"]


@pytest.mark.parametrize(
    ("widgets", "finding"),
    [
        ({"a": [1, 2], "b": [5, 3.5]}, "b fell most, 5.0 to 3.5"),
        ({"a": [1, 2.5], "b": [5, 4]}, "a rose most, 1.0 to 2.5"),
        ({"a": [1, 5, 1], "b": [2]}, "none is another at the end"),
        ({"a": [1.0, 1.3], "b": [3.7, 3.4]}, "2 moved most, by 0.3"),
        ({"a": [3.401, 3.404], "b": [2]}, "none is another at the end"),
        ({"a": [3.401, 3.404], "b": [2.496, 2.504]}, "none is another at the end"),
    ],
)
def test_title_says_what_moved(widgets: dict[str, list[float | None]], finding: str) -> None:
    """The title names the widget that moved most, from its first rating to its last."""
    assert amo.charts.rating_over_time(ratings(**widgets)).get_title(loc="left") == f"Ratings of 2 widgets: {finding}"


def test_lines() -> None:
    """A line a widget, with a point where a snapshot was, that holds until the next one."""
    ax = amo.charts.rating_over_time(ratings(a=[1, None, 2], b=[4, 4, 4]))
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 2], [4, 4, 4]]
    assert [moment.month for moment in num2date(ax.lines[0].get_xdata(orig=False))] == [1, 3]
    assert {line.get_drawstyle() for line in ax.lines} == {"steps-post"}
    looks = {(line.get_color(), line.get_marker()) for line in ax.lines}
    assert len(looks) == len({marker for _, marker in looks}) == 2


@pytest.mark.parametrize(
    ("times", "span"),
    [
        (["2026-11-10", "2026-11-20T09:30"], "2026-11-10 to 2026-11-20"),
        (["2026-11-10T03:00", "2026-11-10T19:30"], "2026-11-10 03:00 to 2026-11-10 19:30"),
        (["2026-11-10T03:00"] * 2, "2026-11-10 03:00"),
    ],
)
def test_span(times: list[str], span: str) -> None:
    """The axis of time names the span with its year, within a day by the minute; of ratings the words do so, too."""
    taken = pd.to_datetime(times, format="ISO8601", utc=True)
    rated = amo.charts.rating_over_time(ratings(a=[1, 2]).assign(taken=taken))
    came = amo.charts.arrivals(changes((1, "added", ""), (2, "added", "")).assign(taken=taken))
    assert rated.get_xlabel() == came.get_xlabel() == f"time of the snapshot, UTC: {span}"
    assert amo.charts.alt_text(rated).startswith(f"Lines over time, {span}. Ratings of 1 widget: ")


def test_rating_over_time_of_one_snapshot() -> None:
    """One moment is drawn on an axis of about a day."""
    left, right = amo.charts.rating_over_time(ratings(a=[1], b=[2])).get_xlim()
    assert 1 <= right - left < 2


def test_many_lines() -> None:
    """Of more than eight widgets those that moved most are drawn, and the note says so; the unrated are counted."""
    many = {f"w{number}": [3, 3 + number / 10] for number in range(12)} | {"none": [None]}
    ax = amo.charts.rating_over_time(ratings(**many))
    assert sorted(line.get_ydata()[-1] for line in ax.lines) == [3.4, 3.5, 3.6, 3.7, 3.8, 3.9, 4.0, 4.1]
    assert ax.texts[-1].get_text() == "the 8 that moved most; 1 other widget without a rating"


def test_many_lines_that_moved_alike() -> None:
    """Where others moved as far as the last one that is drawn, the note says how many of how many are."""
    alike = {f"w{number}": [3, 3.5 if number < 9 else 4] for number in range(12)}
    assert amo.charts.rating_over_time(ratings(**alike)).texts[-1].get_text() == "8 of 12 shown"


def test_the_unrated_of_two_accounts() -> None:
    """The note counts as the title does: a widget in two accounts twice, rated or not."""
    first = ratings(a=[1, 2], b=[None])
    ax = amo.charts.rating_over_time(pd.concat([first, ratings(a=[None], b=[None]).assign(account="b.amocrm.ru")]))
    assert ax.get_title(loc="left").startswith("Ratings of 1 widget: ")
    assert ax.texts[-1].get_text() == "3 other widgets without a rating"


def test_words_have_whole_names() -> None:
    """The alternative text has names as they are: not cut, and not written as matplotlib wants them."""
    name = "a$b$c_" + 30 * "x"
    ax = amo.charts.rating_over_time(ratings(**{name: [1, 2]}))
    assert amo.charts.alt_text(ax).count(name) == 2
    assert ax.get_title(loc="left") == r"Ratings of 1 widget: a\$b\$c_xxxxxx…xxxxxxxxxxx rose, 1.0 to 2.0"


def test_nobody_is_rated() -> None:
    """Where no widget has a rating, the chart says that."""
    ax = amo.charts.rating_over_time(ratings(a=[None, None]))
    assert [text.get_text() for text in ax.texts] == ["No widget has a rating."]


def test_arrivals() -> None:
    """Bars up and down by the day on which a snapshot showed it; settings and values are no arrivals."""
    table = changes((2, "added", ""), (2, "added", ""), (2, "removed", ""), (5, "removed", ""), (5, "added", "login"))
    assert data.arrivals(table)[["came", "went"]].to_numpy().tolist() == [[2, 1], [0, 1]]
    ax = amo.charts.arrivals(table)
    assert ax.get_title(loc="left") == "2 widgets came and 2 went"
    assert [bar.get_height() for bar in ax.patches] == [2, 0, -1, -1]
    assert [text.get_text() for text in ax.texts if text.get_text()][:3] == ["+2", "−1", "−1"]


def test_what_went_is_counted() -> None:
    """The axis counts the widgets that went, too: no number of widgets is less than none."""
    ax = amo.charts.arrivals(changes((2, "removed", ""), (3, "removed", "")))
    ax.figure.draw_without_rendering()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["2", "1", "0"]


@pytest.mark.parametrize("dpi", [60, 100, 220])
@pytest.mark.parametrize("days", [range(1, 32), [1, 2, 200], [1, 2, 3]])
def test_numbers_cover_nothing(days: Sequence[int], dpi: int) -> None:
    """Numbers cover neither each other nor a bar: where bars stand too close those of the longest ones are left."""
    many = [(day, change, "") for day in days for change in ["added", "removed"] for _ in range(11 + day % 3)]
    ax = amo.charts.arrivals(changes(*many))
    ax.figure.set_dpi(dpi)
    for _ in range(2):
        ax.figure.canvas.draw()
        shown = [text for text in ax.texts if re.match("[+−]", text.get_text()) and text.get_visible()]
        boxes = [text.get_window_extent() for text in shown]
        assert not any(one.overlaps(other) for number, one in enumerate(boxes) for other in boxes[:number])
        assert not any(box.overlaps(bar.get_window_extent()) for box in boxes for bar in ax.patches)
        assert {"+13", "−13"} <= {text.get_text() for text in shown}
        assert len(shown) == 6 or len(days) > 3 or 200 in days


def test_nobody_came_or_went() -> None:
    """Changes without arrivals are told from no changes."""
    ax = amo.charts.arrivals(changes((2, "changed", "")))
    assert [text.get_text() for text in ax.texts] == ["No widget came or went."]


@pytest.mark.parametrize(("name", "call"), [("rating_over_time", "ratings"), ("arrivals", "changes")])
def test_another_frame(name: str, call: str) -> None:
    """A frame of something else is refused with the call that gives the right one."""
    with pytest.raises(TypeError, match=rf"takes what history\.{call}\("):
        getattr(amo.charts, name)(pd.DataFrame({"code": ["a"]}))
