from __future__ import annotations

import dataclasses
import math
import re
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import tables
from fronts import fill, find, html, parts, press, settle, shown
from hypothesis import given, settings
from hypothesis import strategies as st
from ipywidgets import Checkbox, Dropdown

import amoexplore as amo
from amoexplore import Account, errors
from amoexplore.forms import chart_panel, filters, grid
from amoexplore.forms.fields import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amoexplore import Catalog, Sandbox
    from amoexplore.forms import Browser

mpl.use("agg")

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="session")
def catalog(sandbox: Sandbox) -> Catalog:
    """Return the sandbox's catalogue: 300 widgets, 30 of them unrated."""
    return amo.load_catalog(Account(sandbox.url, sandbox.token))


@pytest.fixture
def browser(catalog: Catalog, account: Account) -> Browser:
    """Return a browser of it that can install."""
    return amo.forms.browse(catalog, account)


def small(*rows: dict[str, Any], fields: tuple[dict[str, Any], ...] = ()) -> Browser:
    """Return a browser of a few widgets."""
    return amo.forms.browse(tables.Tables(tables.widgets(*rows), tables.settings(*fields)))


def chosen(browser: Browser, name: str) -> Any:
    """Return a list to choose from."""
    (found,) = (one for one in parts(browser) if isinstance(one, Dropdown) and name in one.description)
    return found


def choose(browser: Browser, name: str, answer: str) -> None:
    """Choose from a list, as the browser tells it."""
    one = chosen(browser, name)
    one.set_state({"index": [label for label, _ in one.options].index(answer)})


def tick(browser: Browser, code: str, *, on: bool = True) -> None:
    """Click the tick of a row."""
    find(browser, f"Tick \u2068{code}\u2069").set_state({"value": on})


def rows(browser: Browser) -> list[list[str]]:
    """Return the cells of the table that is shown."""
    (body,) = re.findall("<tbody>(.*)</tbody>", html(browser))
    return [
        [re.sub("<[^>]*>", "", cell) for cell in re.findall("<t[hd].*?</t[hd]>", row)] for row in body.split("</tr>")
    ][:-1]


def column(browser: Browser, name: str) -> list[str]:
    """Return a column of the table that is shown."""
    at = list(grid.COLUMNS).index(name)
    return [row[at] for row in rows(browser)]


def alt(browser: Browser) -> str:
    """Return the chart in words."""
    settle()
    (text,) = re.findall('<img alt="(.*?)"', html(browser))
    return str(text)


def test_at_first_all_is_selected(browser: Browser, catalog: Catalog) -> None:
    """Without a filter and without a tick the selection is the catalogue's frame; what is done to it stays outside."""
    pd.testing.assert_frame_equal(browser.selection, catalog.widgets)
    taken = browser.selection
    taken["code"] = "other"
    pd.testing.assert_frame_equal(browser.selection, catalog.widgets)
    assert repr(browser) == "<Browser of 300 widgets: 300 shown, 0 ticked>"
    assert browser._repr_mimebundle_()["text/plain"] == repr(browser)


def test_inputs_and_cells_take_the_same_path(browser: Browser, catalog: Catalog) -> None:
    """What is typed and chosen leaves the same widgets as ``filter``, which shows its values in the inputs."""
    fill(browser, "Search", "AMO_")
    fill(browser, "Rating from", "2,5")
    fill(browser, "Rating to", "4")
    choose(browser, "Digital Pipeline", "yes")
    choose(browser, "Asks for \u2068pass", "no")
    typed = browser.selection
    widgets = catalog.widgets
    asking = catalog.settings.loc[catalog.settings["type"] == "pass", "code"]
    wanted = widgets[
        widgets["code"].str.contains("amo_")
        & widgets["rating"].between(2.5, 4).fillna(value=False)
        & widgets["is_work_with_dp"]
        & ~widgets["code"].isin(asking)
    ]
    assert len(wanted) > 3
    pd.testing.assert_frame_equal(typed, wanted)
    assert len(browser.clear()) == 300
    assert find(browser, "Rating from").value == ""
    again = browser.filter(search="amo_", rating=(2.5, 4), flags={"is_work_with_dp": True}, types={"pass": False})
    pd.testing.assert_frame_equal(again, typed)
    assert find(browser, "Rating from").value == "2.5"
    assert find(browser, "Asks for \u2068pass").value == "no"
    assert column(browser, "code") == [*typed["code"]]


answers = st.sampled_from([True, False, None])


@settings(max_examples=60)
@given(
    tables.catalogues(),
    st.sampled_from(["", "a", "B", "1", "a 1", "x"]),
    st.tuples(st.sampled_from([None, 0.3, 2.8]), st.sampled_from([None, 3.4, 5])),
    st.dictionaries(st.sampled_from(tables.FLAGS), answers),
    st.dictionaries(st.sampled_from(["text", "pass"]), answers),
)
def test_filters(
    catalog: tables.Tables,
    search: str,
    rating: tuple[float | None, float | None],
    flags: Mapping[str, bool | None],
    types: Mapping[str, bool | None],
) -> None:
    """A widget fits if it fits each filter; an unknown rating is in no range, an unknown flag neither yes nor no."""
    of = filters.Filters(catalog, Owner(lambda: None, lambda callback: callback))
    types = {name: answer for name, answer in types.items() if name in set(catalog.settings["type"].dropna())}
    of.set(search, rating, flags, types)
    low, high = rating

    def fits(widget: Any) -> bool:
        asked = set(catalog.settings.loc[catalog.settings["code"] == widget.code, "type"])
        text = f"{widget.code} {widget.id}"
        known = not pd.isna(widget.rating)
        return (
            all(word in text for word in search.lower().split())
            and (low is None or (known and widget.rating >= low))
            and (high is None or (known and widget.rating <= high))
            and all(a is None or (not pd.isna(widget[f]) and bool(widget[f]) == a) for f, a in flags.items())
            and all(a is None or (name in asked) == a for name, a in types.items())
        )

    assert [*of.fits()] == [fits(widget) for _, widget in catalog.widgets.iterrows()]


def test_search_by_id(browser: Browser) -> None:
    """An id finds its widget; several words are all wanted, whatever their order and case."""
    assert [*browser.filter(search="972")["code"]].count("amo_asterisk") == 1
    assert [*browser.filter(search="STERISK 972 amo")["code"]] == ["amo_asterisk"]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("two", "", "'two' is no number, such as 2.5 or 2,5"),
        ("1", HOSTILE, f"'{HOSTILE}' is no number, such as 2.5 or 2,5"),
        ("4", "2", "2 is less than where the range begins"),
        ("1", "0,5", "0,5 is less than where the range begins"),
    ],
)
def test_no_range(browser: Browser, low: str, high: str, said: str) -> None:
    """What is no range is said to be none, and the former one stays; a correction takes the message away."""
    fill(browser, "Rating from", "1")
    fill(browser, "Rating to", high if low == "4" else "5")
    former = len(browser.selection)
    fill(browser, "Rating from", low)
    fill(browser, "Rating to", high)
    assert said in shown(browser)
    assert len(browser.selection) == former
    browser.filter(search="amo_")
    assert said in shown(browser)
    assert len(browser.selection) < former
    fill(browser, "Rating from", "1")
    fill(browser, "Rating to", "5")
    assert said not in shown(browser)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rating": 3}, r"has two ends, such as \(2, 4\)"),
        ({"rating": (1, 2, 3)}, r"has two ends, such as \(2, 4\)"),
        ({"rating": (4, 2)}, "2 is less than where the range begins"),
        ({"rating": ("x", None)}, "is no number"),
        ({"flags": {"is_lead": True}}, "No flag 'is_lead' to filter by; there are: is_lead_source, "),
        ({"flags": {"is_lead_source": "yes"}}, "is to be True, False or None"),
        ({"flags": {"is_lead_source": [1]}}, "is to be True, False or None"),
        ({"flags": [1]}, r"by flag is a dict, such as \{'is_lead_source': True\}, not \[1\]"),
        ({"types": "pass"}, r"by type of settings is a dict, such as \{'text': True\}, not 'pass'"),
        ({"search": 5}, "search is a text, not 5"),
        ({"types": {"colour": True}}, "No type of settings 'colour' to filter by; there are: text, pass, "),
    ],
)
def test_wrong_filters(browser: Browser, wrong: dict[str, Any], message: str) -> None:
    """What can't be filtered by is said, with what can; nothing changes then."""
    browser.filter(search="amo_", rating=(2, None))
    former = browser.selection
    with pytest.raises(ValueError, match=message):
        browser.filter(**{"search": "other", **wrong})
    assert find(browser, "Search").value == "amo_"
    pd.testing.assert_frame_equal(browser.selection, former)


def test_a_very_small_number(browser: Browser) -> None:
    """A range may begin at a number that Python writes with a power of ten."""
    assert browser.filter(rating=(0.00001, None))["rating"].min() > 0
    assert find(browser, "Rating from").value == "0.00001"


def test_filters_not_named_stay(browser: Browser) -> None:
    """A filter that is not given stays as it is; of one that is given all that is not named is let be."""
    browser.filter(flags={"is_lead_source": True})
    one = len(browser.filter(search="a"))
    assert one < len(browser.filter(search=""))
    assert chosen(browser, "Lead source").value == "yes"
    browser.filter(flags={"is_crm_template": False})
    assert chosen(browser, "Lead source").value == "any"


@pytest.mark.parametrize("by", grid.COLUMNS)
def test_sorted_as_ranked(browser: Browser, catalog: Catalog, by: str) -> None:
    """A column's button sorts as ``amo.rank`` does, its second press the other way; the words say which."""
    best, other = (amo.forms.captions.caption(key) for key in grid.COLUMNS[by])
    name = amo.forms.captions.caption(by)
    browser._grid._heads[by].click()
    assert [*browser.selection.index] == [*amo.rank(catalog, by).index]
    assert browser._grid._heads[by].description == f"{name}: {best}"
    assert browser._grid._heads[by].tooltip == f"Sort by {name}, {other}"
    assert f"Sorted by {name}, {best}" in shown(browser)
    browser._grid._heads[by].click()
    assert f"Sorted by {name}, {other}" in shown(browser)
    pd.testing.assert_frame_equal(browser.sort(by, reverse=True), browser.selection)
    browser._grid._heads[by].click()
    assert [*browser.selection.index] == [*amo.rank(catalog, by).index]


def test_versions_and_missing_values() -> None:
    """1.10 is newer than 1.9; what is missing or unreadable is last both ways, and equal ones keep their order."""
    versions = ["1.9", None, "1.10", "v?", "1.9", "0.3"]
    browser = small(*({"version": version, "rating": None if version is None else 1} for version in versions))
    assert [*browser.sort("version").index] == [2, 0, 4, 5, 1, 3]
    assert [*browser.sort("version", reverse=True).index] == [5, 0, 4, 2, 1, 3]
    assert [*browser.sort("rating", reverse=True).index] == [0, 2, 3, 4, 5, 1]
    assert column(browser, "rating") == ["1.0"] * 5 + ["–unknown"]
    with pytest.raises(ValueError, match="No column 'ratin'"):
        browser.sort("ratin")


def test_sort_for_screen_readers(browser: Browser) -> None:
    """The table has a head of its own, which says what it is sorted by; each row is named by its code."""
    browser.sort("rating")
    heads = re.findall('<th scope="col"[^>]*>', html(browser))
    assert [re.findall('aria-sort="(.*)"', head) for head in heads] == [[], [], ["descending"], *[[]] * 6]
    browser.sort("code")
    assert html(browser).count('aria-sort="ascending"') == 1
    assert html(browser).count('<th scope="row"') == 25
    assert f'title="{browser.selection["code"].iloc[0]}"' in html(browser)


def test_pages(browser: Browser, catalog: Catalog) -> None:
    """Buttons and cells turn pages of 25 rows; a filter and a sort go back to the first one."""
    assert [line for line in shown(browser) if "age" in line or "order" in line] == [
        "Page 1 of 12 · widgets: 300 of 300 · ticked: 0",
        "In the order of the catalogue",
    ]
    assert find(browser, "Previous page").disabled
    press(browser, "Next page")
    assert browser.page == 2
    assert column(browser, "code") == [*catalog.widgets["code"][25:50]]
    browser.page = 12
    assert find(browser, "Next page").disabled
    find(browser, "Next page").click()  # the second half of a double click
    assert browser.page == 12
    assert not any("Unexpected" in line for line in shown(browser))
    for wrong in (0, 13, 1.5, math.nan, "1", None):
        with pytest.raises(ValueError, match=f"There is no page {wrong!r}, but 1 to 12"):
            browser.page = wrong  # type: ignore[assignment]
        assert browser.page == 12
    browser.page = np.int64(11)  # type: ignore[assignment]
    assert browser.page == 11
    browser.sort("rating")
    assert browser.page == 1
    browser.page = 3
    fill(browser, "Search", "amo_")
    assert (browser.page, browser.pages) == (1, 2)


def test_nothing_fits(browser: Browser) -> None:
    """Where no widget is left the browser says so, and what to do; so it does for an empty catalogue."""
    for empty in (browser, small()):
        assert empty.filter(search="nothing like it").empty
        assert "No widget is left: loosen the filters." in shown(empty)
        assert empty.pages == 1
        assert "There are no widgets." in alt(empty)
    assert [*browser.selection.dtypes] == [*browser.clear().dtypes]


def test_ticks_outlive_all(browser: Browser) -> None:
    """What is ticked is selected, in the order of the table, through sorting, paging and filtering; until unticked."""
    press(browser, "Next page")
    tick(browser, column(browser, "code")[0])
    browser.page = 1
    tick(browser, "amo_dropbox")
    tick(browser, "amo_mailchimp")
    assert browser.ticked[:2] == ["amo_dropbox", "amo_mailchimp"]
    assert len(browser.ticked) == 3
    assert html(browser).count('<tr class="amo-ticked">') == 2
    browser.sort("rating")
    browser.filter(search="amo_mailchimp")
    assert [*browser.selection["rating"]] == sorted(browser.selection["rating"], reverse=True)
    assert "Page 1 of 1 · widgets: 1 of 300 · ticked: 3, left out: 2" in shown(browser)
    tick(browser, "amo_mailchimp", on=False)
    assert len(browser.ticked) == 2
    press(browser, "Untick all")
    assert browser.ticked == []
    assert [*browser.selection["code"]] == ["amo_mailchimp"]
    browser.clear()
    browser.sort("code")
    assert not any(one.value for one in parts(browser) if isinstance(one, Checkbox))


def test_ticked_from_a_cell(browser: Browser) -> None:
    """A cell ticks by codes; an unknown one is refused, and nothing changes."""
    browser.ticked = ["amo_zoom", "amo_dropbox"]
    assert browser.ticked == ["amo_dropbox", "amo_zoom"]
    assert find(browser, "Tick \u2068amo_zoom").value
    with pytest.raises(errors.UnknownWidget, match="Did you mean amo_zoom"):
        browser.ticked = ["amo_zom"]
    assert browser.ticked == ["amo_dropbox", "amo_zoom"]
    browser.ticked = []
    assert not find(browser, "Tick \u2068amo_zoom").value


def test_ticks_stay_with_their_widgets(browser: Browser) -> None:
    """A click on a tick counts for the widget that was seen, also if the table has changed meanwhile."""
    seen = find(browser, "Tick \u2068amo_dropbox")
    browser.page = 4
    seen.set_state({"value": True})
    assert browser.ticked == ["amo_dropbox"]


def test_hostile_texts() -> None:
    """What widgets are called is text: no HTML, no formula, not too long, and apart from what is beside it."""
    codes = [HOSTILE, "я" * 5000, "\u202eמשתמש", r"$\href{javascript:alert(1)}{x}$", "a\nb\x00c", "</table><b>"]
    fields = ({"code": HOSTILE, "type": HOSTILE}, {"code": HOSTILE, "type": "я" * 5000})
    browser = small(*({"code": code, "version": code} for code in codes), fields=fields)
    browser.chart = "rating_vs_burden"
    page = html(browser).replace(browser._panel._picture.value, "")
    assert "<img" not in page
    assert "&lt;img" in page
    assert page.count("</table>") == 1
    assert max(map(len, re.findall("[^<>]+", page))) < 200
    labels = [one.description for one in parts(browser) if getattr(one, "description", "")]
    assert max(map(len, labels)) < 200
    assert not any("$" in label or "\\" in label or "\u202e" in label for label in labels)
    assert "\u202e" not in page
    assert '<img alt="Dot chart.' in html(browser)
    browser.chart = "setting_types"
    assert html(browser).count("<img") == 1
    browser.filter(types={HOSTILE: True})
    assert [*browser.selection["code"]] == [HOSTILE]


def test_many_types() -> None:
    """Of very many types of settings the most frequent can be filtered by."""
    fields = tuple({"code": f"widget_{n % 2}", "type": f"type {n % 40}"} for n in range(100))
    browser = small({}, {}, fields=fields)
    asked = [one for one in parts(browser) if getattr(one, "description", "").startswith("Asks for")]
    assert len(asked) == filters.TYPES


def test_chart_follows(browser: Browser) -> None:
    """The chart, and its words, are those of what the filters leave."""
    assert "n = 270, 30 unrated" in alt(browser)
    fill(browser, "Search", "amo_asterisk")
    assert "n = 1, 0 unrated" in alt(browser)
    choose(browser, "Chart", "Types of settings")
    assert alt(browser).startswith("Bar chart. Types of 4 settings")
    browser.chart = "ratings_by"
    assert alt(browser).startswith("Dot chart. Ratings by lead source: n = 1")
    browser.clear()
    browser.chart = "rating_vs_burden"
    assert "n = 270, 30 unrated" in alt(browser)
    with pytest.raises(ValueError, match="No chart 'pie' here; there are: ratings, ratings_by"):
        browser.chart = "pie"


def test_charts_are_no_figures_of_pyplot(browser: Browser) -> None:
    """No chart is left for pyplot to show in a cell that has nothing to do with it."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  the backend is chosen first

    before = plt.get_fignums()
    browser.chart = "ratings_by"
    assert plt.get_fignums() == before


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many widgets each chart from now on has."""
    widgets: list[int] = []
    draw = chart_panel._draw

    def counted(kind: str, part: Any, ax: Any) -> None:
        widgets.append(len(part.widgets))
        draw(kind, part, ax)

    monkeypatch.setattr(chart_panel, "_draw", counted)
    return widgets


def test_many_events_are_one_chart(browser: Browser, drawn: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred changes of a filter are a hundred tables, and one chart: that of the last one."""
    rested = threading.Event()
    monkeypatch.setattr(chart_panel, "time", SimpleNamespace(sleep=lambda _: rested.wait()))
    for number in range(100):
        fill(browser, "Search", f"amo_{'x' * (number % 2)}")
    assert drawn == []
    rested.set()
    settle()
    assert drawn == [0]


def test_a_cell_waits_for_its_chart(browser: Browser, drawn: list[int]) -> None:
    """After a cell the chart is drawn, once."""
    left = len(browser.filter(search="amo_"))
    assert drawn == [left]
    settle()
    assert drawn == [left]


def test_changes_while_a_chart_is_drawn(browser: Browser, drawn: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes while a chart is drawn is in the next one: the last chart is of what is left."""
    begun, go_on = threading.Event(), threading.Event()
    draw = chart_panel._draw

    def waiting(*arguments: Any) -> None:
        begun.set()
        go_on.wait()
        draw(*arguments)

    monkeypatch.setattr(chart_panel, "_draw", waiting)
    fill(browser, "Search", "amo_")
    begun.wait()
    fill(browser, "Search", "amo_asterisk")
    assert column(browser, "code") == ["amo_asterisk"]
    go_on.set()
    settle()
    assert len(drawn) == 2
    assert drawn[-1] == 1


def test_no_more_than_a_page_is_shown(catalog: Catalog) -> None:
    """Of ten thousand widgets no more is made and sent than of thirty."""
    many = pd.concat([catalog.widgets] * 34, ignore_index=True)
    many["code"] += "_" + many.index.astype("str")
    browser = amo.forms.browse(dataclasses.replace(catalog, widgets=many))
    assert len(rows(browser)) == len([one for one in parts(browser) if isinstance(one, Checkbox)]) == 25
    assert browser.pages == 408
    assert len(browser._grid._boxes) == 25


def test_install(browser: Browser, changing: Sandbox) -> None:
    """The button opens the form of the one ticked widget under the table, and sends nothing by that."""
    tick(browser, "amo_asterisk")
    press(browser, "Open the install form of \u2068amo_asterisk\u2069")
    assert browser.form is not None
    assert browser.form.code == "amo_asterisk"
    assert browser.form.box in list(parts(browser))
    browser.ticked = ["amo_dropbox"]
    assert browser.install().code == "amo_dropbox"
    assert browser.form.code == "amo_dropbox"
    assert {logged.method for logged in changing.requests} == {"GET"}


def test_a_form_gives_way(browser: Browser) -> None:
    """What was typed into a form is gone once another one stands in its place."""
    browser.ticked = ["amo_asterisk"]
    first = browser.install()
    first.values = {"password": "canary"}
    browser.install()
    assert list(first.values) == []


def test_a_double_click_opens_one_form(browser: Browser, changing: Sandbox) -> None:
    """The second half of a double click opens nothing."""
    browser.ticked = ["amo_dropbox"]
    button = find(browser, "Open the install form")
    button.click()
    button.click()
    settle()
    assert len([logged for logged in changing.requests if "amo_dropbox" in logged.target]) == 1


def test_install_says_what_it_needs(browser: Browser, catalog: Catalog) -> None:
    """Without an account, or without exactly one tick, button and call say what to do; the next event takes it away."""
    needs = [
        (browser, "Tick the one widget that is to be installed; now 0 are ticked."),
        (browser, "Tick the one widget that is to be installed; now 2 are ticked."),
        (amo.forms.browse(catalog), "There is no account to install into: amo.forms.browse(catalog, account) has one"),
    ]
    for one, said in needs:
        press(one, "Open the install form")
        assert shown(one)[-1].startswith(said)
        with pytest.raises(errors.NotSent, match=re.escape(said)):
            one.install()
        assert one.form is None
        one.ticked = ["amo_dropbox", "amo_zoom"]
        find(one, "Search").set_state({"value": said})
        assert not any(line.startswith(said) for line in shown(one))


def test_install_of_what_is_gone(catalog: Catalog, account: Account) -> None:
    """A widget that the account no longer has is said not to be there, on the screen and by the call."""
    gone = catalog.widgets.head(1).assign(code="gone")
    browser = amo.forms.browse(dataclasses.replace(catalog, widgets=gone), account)
    browser.ticked = ["gone"]
    press(browser, "Open the install form")
    assert any("no such thing" in line for line in shown(browser))
    with pytest.raises(errors.NotFound):
        browser.install()
    assert not find(browser, "Open the install form").disabled


@pytest.mark.parametrize(
    ("where", "broken", "event"),
    [
        (filters.Filters, "fits", lambda browser: fill(browser, "Search", "x")),
        (grid.Grid, "turn_to", lambda browser: press(browser, "Next page")),
        (chart_panel.ChartPanel, "_part", lambda browser: choose(browser, "Chart", "Types of settings")),
    ],
)
def test_errors_of_callbacks_are_shown(
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    where: type,
    broken: str,
    event: Callable[[Browser], None],
) -> None:
    """What nobody foresaw becomes a message, also from the background."""

    def breaks(*_: object) -> None:
        raise RuntimeError(HOSTILE)

    monkeypatch.setattr(where, broken, breaks, raising=False)
    if broken == "_part":
        monkeypatch.setattr(browser._panel, "_part", breaks)
    event(browser)
    settle()
    assert shown(browser)[-1].startswith("Unexpected: RuntimeError.")


def test_russian(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Russian all is Russian, ratings with a decimal comma."""
    monkeypatch.setitem(amo.forms.captions._chosen, "language", "ru")
    browser = amo.forms.browse(catalog)
    browser.filter(rating=(2.8, 2.8))
    browser.sort("rating")
    assert set(column(browser, "rating")) == {"2,8"}
    assert "да" in set(column(browser, "is_lead_source"))
    assert "Сортировка: Рейтинг, от большего" in shown(browser)
    assert find(browser, "Рейтинг: от большего")
    assert "median 2,8" in alt(browser)
    assert find(browser, "Рейтинг от").value == "2,8"
    with pytest.raises(ValueError, match="2,5 меньше начала диапазона"):
        browser.filter(rating=(4, 2.5))


@pytest.mark.parametrize(
    "event",
    [
        lambda browser: press(browser, "Version"),
        lambda browser: press(browser, "Next page"),
        lambda browser: fill(browser, "Rating from", "x"),
        lambda browser: choose(browser, "Chart", "Ratings by lead source"),
        lambda browser: tick(browser, browser.selection["code"].iloc[1]),
        lambda browser: press(browser, "Open the install form"),
        lambda browser: browser.filter(search="amo_asterisk", rating=(2.8, 2.8)),
        lambda browser: browser.clear(),
        lambda browser: browser.sort("version"),
        lambda browser: setattr(browser, "page", 2),
        lambda browser: setattr(browser, "ticked", ["amo_asterisk"]),
        lambda browser: setattr(browser, "chart", "rating_vs_burden"),
        lambda browser: (setattr(browser, "ticked", ["amo_asterisk"]), browser.install()),
    ],
)
def test_a_browser_keeps_its_language(browser: Browser, event: Callable[[Browser], Any]) -> None:
    """A browser goes on in the language that it was made in, whether an input, a button or a cell calls."""
    browser.filter(rating=(1, 4.5))
    amo.set_language("ru")
    event(browser)
    settle()
    told = "\n".join([*shown(browser), *(getattr(one, "description", "") for one in parts(browser))])
    russian = [part for _, text in amo.forms.captions.CAPTIONS.values() for part in re.split(r"{\w+}", text)]
    assert [part for part in russian if re.search("[а-я]{3}", part) and part in told] == []
    assert not re.search(r"\d,\d", alt(browser))


def test_catalogues_only(catalog: Catalog) -> None:
    """A frame, or anything else that is no catalogue, is refused with what to give instead."""
    for wrong in (catalog.widgets, None, "catalog"):
        with pytest.raises(TypeError, match=r"browse takes a catalogue, such as amo.load_catalog\(account\)"):
            amo.forms.browse(wrong)  # type: ignore[arg-type]


def test_events_at_the_same_time(browser: Browser) -> None:
    """Events that overlap, as those on a new kernel do, leave the table as the last filters want it."""
    words = ["amo_", "zoom", "a", "asterisk", "1", ""]
    threads = [threading.Thread(target=fill, args=(browser, "Search", word)) for word in words * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settle()
    last = find(browser, "Search").value
    kept = browser._grid._kept
    np.testing.assert_array_equal(kept, browser._filters.fits())
    assert column(browser, "code") == [*browser.filter(search=last)["code"].head(25)]
