"""What all charts have in common."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import TYPE_CHECKING, Any
from unittest import mock

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from PIL import Image

import amoexplore as amo
from amoexplore.charts import ink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.axes import Axes

    from amoexplore import Catalog

HOSTILE = [
    "телефония «Юг»",
    "$x_1^$ and $$",
    "emoji 🎉 漢字",
    "שלום\u202eabc",
    "line\nbreak\ttab",
    "%s {0} \\frac",
    "x" * 5000,
    "",
]


def changes(catalog: Catalog) -> pd.DataFrame:
    """Return some changes of the catalogue."""
    rated = catalog.widgets.dropna(subset="rating").head(9)
    rows = [
        ("changed", row.code, pd.NA, "rating", row.rating, row.rating + (1 if number % 3 else -1))
        for number, row in enumerate(rated.itertuples())
    ]
    rows += [("added", "новый", pd.NA, pd.NA, pd.NA, pd.NA), ("removed", "old", "key", pd.NA, pd.NA, pd.NA)]
    return pd.DataFrame(rows, columns=["change", "code", "setting", "field", "old", "new"])


def over_time(catalog: Catalog) -> pd.DataFrame:
    """Return how some widgets of the catalogue were rated, as a history says it."""
    rated = catalog.widgets.dropna(subset="rating").head(3)
    times = pd.date_range("2026-01-31", periods=3, freq="30D", tz="UTC", unit="us")
    rows = [
        (taken, "a.amocrm.ru", row.code, row.rating + step / 10)
        for number, row in enumerate(rated.itertuples())
        for step, taken in enumerate(times)
        if step <= number
    ]
    frame = pd.DataFrame(rows, columns=["taken", "account", "code", "rating"])
    return frame.astype({"account": "str", "code": "str", "rating": "Float64"})


def dated_changes(catalog: Catalog) -> pd.DataFrame:
    """Return changes as a history says them, the last of all first."""
    frame = changes(catalog).iloc[::-1].assign(setting=pd.NA)
    frame["change"] = ["removed" if number % 3 == 1 else "added" for number in range(len(frame))]
    frame.insert(0, "taken", pd.date_range("2026-01-31", periods=len(frame), freq="D", tz="UTC", unit="us"))
    frame.insert(1, "account", "a.amocrm.ru")
    return frame


#: Charts that read what an account's history or two catalogues say, not a catalogue.
OF_CHANGES = {"arrivals", "changes", "rating_over_time"}

#: Each chart, and what it reads.
CHARTS: dict[str, Callable[[Catalog], Any]] = {
    "ratings": lambda catalog: catalog.widgets,
    "ratings_by": lambda catalog: catalog.widgets,
    "flags": lambda catalog: catalog.widgets,
    "settings_burden": lambda catalog: catalog.widgets,
    "setting_types": lambda catalog: catalog.settings,
    "rating_vs_burden": lambda catalog: catalog.widgets,
    "changes": changes,
    "rating_over_time": over_time,
    "arrivals": dated_changes,
}


@pytest.fixture(params=CHARTS)
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of each chart that is drawn into one Axes."""
    return str(request.param)


def draw(name: str, data: Any, **options: Any) -> Axes:
    """Draw a chart, and all of its figure; a warning is an error."""
    ax: Axes = getattr(amo.charts, name)(data, **options)
    ax.figure.get_figure(root=True).draw_without_rendering()
    return ax


def test_every_chart_is_tested() -> None:
    """The table above has all charts but compare, which is a figure."""
    others = {"alt_text", "compare", "data"}
    assert set(amo.charts.__all__) - others == set(CHARTS)
    assert all(callable(getattr(amo.charts.data, name)) for name in [*CHARTS, "compare"])


def test_catalog_or_frame(catalog: Catalog, name: str) -> None:
    """A catalog is as good as the frame that the chart reads of it."""
    if name not in OF_CHANGES:
        by_catalog, by_frame = draw(name, catalog), draw(name, CHARTS[name](catalog))
        assert amo.charts.alt_text(by_catalog) == amo.charts.alt_text(by_frame)


def test_nothing_but_the_given_axes(catalog: Catalog, name: str) -> None:
    """With ax the chart returns it, opens no figure, shows nothing, and touches neither its neighbour nor rcParams."""
    figure = Figure()
    mine, neighbour = figure.subplots(1, 2)
    settings, children = dict(mpl.rcParams), len(neighbour.get_children())
    returned = getattr(amo.charts, name)(CHARTS[name](catalog), ax=mine)
    assert returned is mine
    assert plt.get_fignums() == []
    assert settings == dict(mpl.rcParams)
    assert figure.axes == [mine, neighbour]
    assert children == len(neighbour.get_children())
    assert not neighbour.get_title(loc="left")


def test_new_figure(catalog: Catalog, name: str) -> None:
    """Without ax there is a new figure each time, which pyplot knows, so that a notebook shows it."""
    first, second = draw(name, CHARTS[name](catalog)), draw(name, CHARTS[name](catalog))
    assert first.figure is not second.figure
    assert len(plt.get_fignums()) == 2


def test_never_shows(catalog: Catalog, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No chart calls show."""
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("shown"))
    monkeypatch.setattr(Figure, "show", lambda _: pytest.fail("shown"))
    draw(name, CHARTS[name](catalog))


def test_kwargs_reach_the_artists(catalog: Catalog, name: str) -> None:
    """What matplotlib is to do otherwise, it does."""
    if name == "settings_burden":
        assert draw(name, catalog, cmap="Greens").collections[0].get_cmap().name == "Greens"
        return
    ax = draw(name, CHARTS[name](catalog), color="#123456")
    colors = [patch.get_facecolor() for patch in ax.patches] + [line.get_color() for line in ax.lines]
    assert any(mpl.colors.same_color(color, "#123456") for color in colors)


def test_kwargs_have_all_their_names(catalog: Catalog, name: str) -> None:
    """What matplotlib has two names for, it takes by both."""
    ax = draw(name, CHARTS[name](catalog), lw=3)
    widths = [np.ravel(artist.get_linewidth()) for artist in [*ax.patches, *ax.lines, *ax.collections]]
    assert 3 in np.concatenate(widths)


def test_the_frame_is_left_as_it_was(catalog: Catalog, name: str) -> None:
    """A chart reads its frame and changes nothing in it."""
    data = CHARTS[name](catalog)
    before = data.copy(deep=True)
    draw(name, data)
    pd.testing.assert_frame_equal(data, before)


def test_empty(catalog: Catalog, name: str) -> None:
    """An empty frame gives a chart that says so, in its middle and in its alternative text."""
    ax = draw(name, CHARTS[name](catalog).iloc[:0])
    (text,) = ax.texts
    assert text.get_text() in {"There are no widgets.", "There are no settings.", "Nothing has changed."}
    assert text.get_text() in amo.charts.alt_text(ax)
    assert ax.get_title(loc="left").count("0")


def test_one_row(catalog: Catalog, name: str) -> None:
    """One widget is enough."""
    ax = draw(name, CHARTS[name](catalog).iloc[[0]])
    assert len(ax.patches) + len(ax.lines) + len(ax.collections) >= 1
    assert " 1" in ax.get_title(loc="left") or ax.get_title(loc="left").startswith("1 ")


@pytest.mark.parametrize("name", ["ratings", "ratings_by", "rating_vs_burden"])
def test_no_rating_at_all(catalog: Catalog, name: str) -> None:
    """Where no widget is rated, as on Kommo, the chart says so."""
    unrated = catalog.widgets.assign(rating=pd.array([pd.NA] * 300, "Float64"))
    ax = draw(name, unrated)
    assert [text.get_text() for text in ax.texts] == ["No widget has a rating."]
    assert ax.get_title(loc="left").endswith("n = 0, 300 unrated")


@pytest.mark.parametrize("name", ["ratings", "ratings_by", "rating_vs_burden"])
def test_title_tells_rated_and_unrated(catalog: Catalog, name: str) -> None:
    """N and the number of unrated widgets stand in the title."""
    assert draw(name, catalog).get_title(loc="left").endswith("n = 270, 30 unrated")


@pytest.mark.parametrize("name", ["ratings", "ratings_by", "rating_vs_burden"])
def test_decimal_comma(catalog: Catalog, name: str) -> None:
    """On request ratings are written as in Russian texts: on the axis, in the note and in the alternative text."""
    ax = draw(name, catalog, decimal_comma=True)
    (ax.yaxis if name == "rating_vs_burden" else ax.xaxis).set_ticks([0, 2.5])
    ax.figure.draw_without_rendering()
    ticks = (ax.yaxis if name == "rating_vs_burden" else ax.xaxis).get_ticklabels()
    assert [tick.get_text() for tick in ticks] == ["0", "2,5"]
    shown = " ".join([amo.charts.alt_text(ax), *(text.get_text() for text in ax.texts)])
    assert "3,2" in shown or "4,8" in shown
    assert "." not in shown.replace(". ", "").rstrip(".")


def test_hostile_texts(catalog: Catalog, name: str) -> None:
    """Cyrillic, dollars, emoji, line breaks and 5,000 characters are drawn without a warning, on one short line."""
    data = CHARTS[name](catalog).copy()
    texts = [HOSTILE[number % len(HOSTILE)] for number in range(len(data))]
    data["code"] = texts
    if name == "setting_types":
        data["type"] = texts
    if name == "changes":
        data["field"] = texts
    options: dict[str, Any] = {"by": texts} if name == "ratings_by" else {}
    options |= {"label": HOSTILE} if name == "rating_vs_burden" else {}
    ax = draw(name, data, **options)
    shown = [label.get_text() for label in [*ax.get_yticklabels(), *ax.texts]]
    assert all(len(line) < 80 for label in shown for line in label.split("\n"))


def test_cyrillic_is_drawn(catalog: Catalog) -> None:
    """Cyrillic labels stand there letter for letter."""
    ax = draw("ratings_by", catalog, by=["Телефония, ₽"] * 300)
    assert ax.get_yticklabels()[0].get_text() == "Телефония, ₽\n270 of 300 rated"


def test_other_index(catalog: Catalog, name: str) -> None:
    """A chart counts rows, whatever their index."""
    data = CHARTS[name](catalog)
    words = amo.charts.alt_text(draw(name, data.set_axis([7] * len(data))))
    assert words == amo.charts.alt_text(draw(name, data))


def test_large(catalog: Catalog) -> None:
    """100,000 widgets are binned: not an artist a widget, and every one of them counted."""
    many = catalog.widgets.sample(100_000, replace=True, random_state=1, ignore_index=True)
    many["code"] = [f"code_{number}" for number in range(100_000)]
    many["required_count"] = np.arange(100_000) % 300
    many["settings_count"] = many["required_count"]
    many["rating"] = many["rating"] * 20
    for name in ("ratings", "ratings_by", "flags", "settings_burden", "rating_vs_burden"):
        ax = draw(name, many)
        assert len(ax.get_children()) < 500
        assert all(len(line.get_xdata()) < 500 for line in ax.lines)
    rated = many["rating"].count()
    assert amo.charts.data.ratings(many)["widgets"].sum() == len(many)
    assert amo.charts.data.ratings_by(many)["rated"].sum() == rated
    assert amo.charts.data.flags(many).query("count_of == 'together'")["widgets"].sum() == len(many)
    assert amo.charts.data.settings_burden(many)["widgets"].sum() == len(many)
    assert amo.charts.data.rating_vs_burden(many)["widgets"].sum() == rated
    assert f"n = {ink.count(rated)}" in draw("ratings", many).get_title(loc="left")


def test_dark_background(catalog: Catalog, name: str) -> None:
    """Texts take the colour of the user's style, so that they are legible on dark ground."""
    with plt.style.context("dark_background"):
        ax = draw(name, CHARTS[name](catalog))
        assert all(mpl.colors.same_color(text.get_color(), "white") for text in [ax.title, *ax.get_yticklabels()])


def test_alt_text(catalog: Catalog, name: str, tmp_path: Path) -> None:
    """Each chart says itself in words; a figure's repr, its output in a notebook and its files have them."""
    ax = draw(name, CHARTS[name](catalog))
    words = amo.charts.alt_text(ax)
    assert ax.get_title(loc="left") in words
    assert repr(ax.figure) == words == amo.charts.alt_text(ax.figure)
    assert ax.figure._repr_mimebundle_() == ({}, {"image/png": {"alt": words}})
    ax.figure.savefig(tmp_path / "chart.png")
    assert Image.open(tmp_path / "chart.png").text["Description"] == words  # type: ignore[attr-defined]
    ax.figure.savefig(tmp_path / "chart.svg")
    assert "<dc:description>" in (tmp_path / "chart.svg").read_text(encoding="utf-8")


def test_alt_text_of_a_figure(catalog: Catalog) -> None:
    """A figure of several charts says them all; one without charts says nothing, and has its usual repr."""
    figure = Figure()
    left, right = figure.subplots(1, 2)
    amo.charts.ratings(catalog, ax=left)
    amo.charts.flags(catalog, ax=right)
    assert f"{amo.charts.alt_text(left)} {amo.charts.alt_text(right)}" == amo.charts.alt_text(figure)
    assert amo.charts.alt_text(Figure()) == ""
    assert repr(ink.Figure()).startswith("<Figure size")


def test_alt_text_goes_with_its_chart(catalog: Catalog, name: str) -> None:
    """It is pickled and copied with its figure, and gone when the Axes are cleared."""
    ax = draw(name, CHARTS[name](catalog))
    words = amo.charts.alt_text(ax)
    assert amo.charts.alt_text(pickle.loads(pickle.dumps(ax.figure))) == words  # noqa: S301  pickled just now
    assert amo.charts.alt_text(copy.deepcopy(ax.figure)) == words
    ax.clear()
    assert amo.charts.alt_text(ax) == ""


@pytest.mark.parametrize("file", ["chart.png", "chart.PNG", "chart", "folder.x/chart"])
def test_alt_text_whatever_the_file_is_called(catalog: Catalog, tmp_path: Path, file: str) -> None:
    """A PNG has its description also where its name ends otherwise or not at all."""
    (tmp_path / "folder.x").mkdir()
    amo.charts.ratings(catalog).figure.savefig(tmp_path / file)
    (written,) = (path for path in tmp_path.rglob("chart*"))
    assert Image.open(written).text["Description"].startswith("Histogram")  # type: ignore[attr-defined]


def test_all_that_is_written_is_inside(catalog: Catalog, name: str) -> None:
    """In a figure of its own nothing that is written reaches beyond the figure."""
    ax = draw(name, CHARTS[name](catalog))
    whole = ax.figure.bbox
    beyond = [
        tick.label1 for tick in ax.xaxis.get_major_ticks() if not ax.get_xlim()[0] <= tick.get_loc() <= ax.get_xlim()[1]
    ]
    for text in {*ax.findobj(Text)} - {*beyond}:
        box = text.get_window_extent()
        assert not text.get_text() or (whole.x0 <= box.x0 and box.x1 <= whole.x1), text


def test_a_note_ends_with_its_figure(catalog: Catalog) -> None:
    """Where there is no room for all of a note, as much of it is drawn as there is room for, and it comes back."""
    ax = amo.charts.ratings(catalog)
    ax.figure.set_size_inches(3, 3)
    note = ax.texts[-1]
    drawn = []
    with mock.patch.object(Annotation, "draw", lambda text, _: drawn.append(text.get_text())):
        note.draw(ax.figure.canvas.get_renderer())
    assert drawn[0].endswith("…")
    assert note.get_text().startswith(drawn[0].rstrip("…"))
    assert note.get_text().endswith("3.9")


@pytest.mark.parametrize(
    ("number", "of", "share"),
    [(0, 9, "0"), (1, 200, "< 1"), (1, 201, "< 1"), (1, 199, "1"), (199, 200, "> 99"), (197, 200, "98"), (9, 9, "100")],
)
def test_shares(number: int, of: int, share: str) -> None:
    """What is not nothing is never called 0 %, and what is not all never 100 %."""
    assert ink.percent(number / of) == f"{share} %".replace(" ", ink.NARROW_SPACE)


def test_saving_to_any_format(catalog: Catalog, tmp_path: Path) -> None:
    """The metadata fit the format, and the user's own come first."""
    figure = amo.charts.ratings(catalog).figure
    for suffix in ("png", "svg", "pdf", "jpg"):
        figure.savefig(tmp_path / f"chart.{suffix}")
    figure.savefig(tmp_path / "own.svg", metadata={"Description": "mine"})
    assert "mine" in (tmp_path / "own.svg").read_text(encoding="utf-8")


def test_in_a_subfigure(catalog: Catalog) -> None:
    """A chart can stand in a part of a figure."""
    whole = Figure(layout="constrained")
    left, _ = whole.subfigures(1, 2)
    draw("rating_vs_burden", catalog, ax=left.subplots())


def test_works_without_warnings_in_a_tiny_axes(catalog: Catalog, name: str) -> None:
    """Very small Axes are no reason to fail: labels that find no place are left out."""
    figure = Figure(figsize=(1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(name, CHARTS[name](catalog), ax=figure.subplots())


def test_numbers_behind_a_chart_print_well(catalog: Catalog, name: str) -> None:
    """The tidy frame has one row a thing that is drawn, and no index that means something."""
    table = getattr(amo.charts.data, name)(CHARTS[name](catalog))
    assert table.index.equals(pd.RangeIndex(len(table)))
    assert not any(np.issubdtype(dtype, np.object_) for dtype in table.dtypes if isinstance(dtype, np.dtype))
