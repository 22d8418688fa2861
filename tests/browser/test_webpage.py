from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version
from playwright.sync_api import expect
from scripted import catalogue, setting, widget

import amoexplore as amo
from amoexplore import webpage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from amoexplore import Catalog, Sandbox

pytestmark = pytest.mark.browser

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalog(sandbox: Sandbox) -> Catalog:
    """Return the sandbox's catalogue."""
    return amo.load_catalog(amo.Account(sandbox.url, sandbox.token))


@pytest.fixture(scope="module")
def report(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its page."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    webpage.write(catalog, path, loaded=NOON)
    return path


@pytest.fixture
def watched(page: Page) -> Iterator[Page]:
    """Return a page that must ask for nothing but the file, and must not complain."""
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message) or dialog.dismiss())
    yield page
    assert (len(asked), asked[0].startswith("file://"), complaints) == (1, True, [])


def shown(page: Page, column: int) -> list[str]:
    """Return the texts of a column, from top to bottom; what is missing is an empty one."""
    cells = page.locator("#table tbody tr").evaluate_all(
        "(rows, column) => rows.map(row => row.cells[column]).map(cell => cell.matches('.na') ? '' : cell.textContent)",
        column,
    )
    return list(cells)


def control(page: Page, label: str) -> Locator:
    """Return a control of the filters."""
    return page.locator("#filters").get_by_label(label)


def by(page: Page, name: str) -> None:
    """Sort by a column."""
    page.locator("#table").get_by_role("button", name=name, exact=True).click()


def test_sorts_numbers_each_way(report: Path, watched: Page) -> None:
    """A click sorts by a column, the next one the other way round; what is missing is last both times."""
    watched.goto(report.as_uri())
    header = watched.locator("#table th", has_text="Rating")
    assert header.get_attribute("aria-sort") is None
    for direction, is_reversed in (("ascending", False), ("descending", True)):
        by(watched, "Rating")
        assert header.get_attribute("aria-sort") == direction
        ratings = shown(watched, 2)
        rated = [float(rating) for rating in ratings if rating]
        assert rated == sorted(rated, reverse=is_reversed)
        assert ratings[len(rated) :] == [""] * 30
    by(watched, "Code")
    assert header.get_attribute("aria-sort") is None
    assert watched.locator("[aria-sort]").count() == 1


def test_sorts_versions_as_versions(report: Path, catalog: Catalog, watched: Page) -> None:
    """Version 0.10 comes after 0.9, as in ``amo.rank``."""
    watched.goto(report.as_uri())
    newest = [Version(version) for version in amo.rank(catalog, by="version")["version"]]
    assert newest != sorted(newest, key=str, reverse=True)
    by(watched, "Version")
    assert [Version(version) for version in shown(watched, 1)] == newest[::-1]
    by(watched, "Version")
    assert [Version(version) for version in shown(watched, 1)] == newest


def test_sorts_texts_and_flags(report: Path, catalog: Catalog, watched: Page) -> None:
    """Codes are in the order of the alphabet; equal flags keep the order that was before."""
    watched.goto(report.as_uri())
    by(watched, "Code")
    codes = shown(watched, 0)
    assert codes != catalog.widgets["code"].tolist()
    assert sorted(codes) == sorted(catalog.widgets["code"])
    assert codes.index("amo_dropbox") < codes.index("amo_zoom") < codes.index("woocom")
    by(watched, "Installed")
    by(watched, "Installed")
    flags = shown(watched, 6)
    assert flags == sorted(flags, reverse=True)
    installed = shown(watched, 0)[: flags.count("yes")]
    assert installed == [code for code in codes if code in installed]


def test_filters(report: Path, catalog: Catalog, watched: Page) -> None:
    """All filters hold together, also while the table is sorted; the count says how many are left, aloud."""
    widgets = catalog.widgets
    watched.goto(report.as_uri())
    expect(watched.get_by_role("status")).to_have_text("300 of 300 widgets")
    control(watched, "Lead source").select_option("yes")
    control(watched, "Rating from").fill("3,5")
    control(watched, "Required at most").fill("1")
    wanted = widgets[
        widgets["is_lead_source"] & (widgets["rating"] >= 3.5).fillna(value=False) & (widgets["required_count"] <= 1)
    ]
    assert 0 < len(wanted) < 100
    expect(watched.get_by_role("status")).to_have_text(f"{len(wanted)} of 300 widgets")
    assert shown(watched, 0) == wanted["code"].tolist()
    by(watched, "Rating")
    assert sorted(shown(watched, 0)) == sorted(wanted["code"])
    control(watched, "Code").fill("AMO")
    assert sorted(shown(watched, 0)) == sorted(code for code in wanted["code"] if "amo" in code)


def test_each_flag_filters(report: Path, catalog: Catalog, watched: Page) -> None:
    """Each flag can be any, yes or no."""
    watched.goto(report.as_uri())
    for flag, name in webpage.FLAGS.items():
        choice = control(watched, name)
        for option, value in (("yes", True), ("no", False)):
            choice.select_option(option)
            assert shown(watched, 0) == catalog.widgets.loc[catalog.widgets[flag] == value, "code"].tolist()
        choice.select_option("any")
    expect(watched.get_by_role("status")).to_have_text("300 of 300 widgets")


def test_nothing_matches_and_clear(report: Path, watched: Page) -> None:
    """Where nothing matches the page says so, and one button brings all back; the order stays."""
    watched.goto(report.as_uri())
    by(watched, "Code")
    before = shown(watched, 0)
    control(watched, "Code").fill("no such widget")
    control(watched, "Installed").select_option("yes")
    expect(watched.get_by_text("No widget is like that")).to_be_visible()
    expect(watched.get_by_role("status")).to_have_text("0 of 300 widgets")
    watched.get_by_role("button", name="Clear").click()
    expect(watched.get_by_text("No widget is like that")).to_be_hidden()
    assert control(watched, "Installed").input_value() == ""
    assert shown(watched, 0) == before


def test_what_is_no_number_filters_nothing(report: Path, watched: Page) -> None:
    """A number that is none, yet or at all, is marked and leaves the table as it is."""
    watched.goto(report.as_uri())
    for typed in ("good", "-", ".5."):
        control(watched, "Rating from").fill(typed)
        assert watched.locator("input:invalid").count() == 1
        expect(watched.get_by_role("status")).to_have_text("300 of 300 widgets")


def test_keyboard_alone(report: Path, watched: Page) -> None:
    """Everything can be reached and done without a mouse, and the focus stays where it was."""
    watched.goto(report.as_uri())
    control(watched, "Code").focus()
    watched.keyboard.type("amo_")
    found = len(shown(watched, 0))
    assert 0 < found < 300
    for _ in range(7):
        watched.keyboard.press("Tab")
    assert watched.evaluate("document.activeElement.textContent") == "Clear"
    watched.keyboard.press("Enter")
    expect(watched.get_by_role("status")).to_have_text("300 of 300 widgets")
    watched.keyboard.press("Tab")
    assert watched.evaluate("document.activeElement.getAttribute('aria-label')") == "Table of all widgets"
    for name in ("Code", "Version", "Rating"):
        watched.keyboard.press("Tab")
        assert watched.evaluate("document.activeElement.textContent") == name
    watched.keyboard.press("Space")
    watched.keyboard.press("Enter")
    assert watched.locator("#table th", has_text="Rating").get_attribute("aria-sort") == "descending"
    assert watched.evaluate("document.activeElement.textContent") == "Rating"


def test_hostile_names_do_nothing(watched: Page, tmp_path: Path) -> None:
    """Names that are scripts run nowhere: not when the page opens, nor when it is sorted and filtered."""
    names = [
        "<script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        f"alert(1){'x' * 300}",
    ]
    widgets = [
        widget(number, code=name, version=name, settings_template=[setting(name=name, type=name)])
        for number, name in enumerate(names, 1)
    ]
    with catalogue(widgets) as server:
        webpage.write(amo.load_catalog(server.account()), tmp_path / "hostile.html", loaded=NOON)
    watched.goto((tmp_path / "hostile.html").as_uri())
    by(watched, "Code")
    control(watched, "Code").fill("alert(1)")
    assert sorted(shown(watched, 0)) == sorted(names)
    assert sorted(shown(watched, 9)) == sorted(names)
    assert watched.locator("img").count() == 0
    for width in (360, 1200):
        watched.set_viewport_size({"width": width, "height": 844})
        assert watched.evaluate("document.documentElement.scrollWidth") == width


def test_many_widgets_are_shown_in_part(catalog: Catalog, watched: Page, tmp_path: Path) -> None:
    """Of a long table the first rows are shown, and the others when they are asked for."""
    with amo.Sandbox(size=2100) as large:
        webpage.write(amo.load_catalog(amo.Account(large.url, large.token)), tmp_path / "large.html", loaded=NOON)
    watched.goto((tmp_path / "large.html").as_uri())
    expect(watched.get_by_role("status")).to_have_text("2\u202f100 of 2\u202f100 widgets, the first 2\u202f000 shown")
    assert len(shown(watched, 0)) == 2000
    watched.get_by_role("button", name="Show all").click()
    expect(watched.get_by_role("status")).to_have_text("2\u202f100 of 2\u202f100 widgets")
    assert len(shown(watched, 0)) == 2100
    expect(watched.get_by_role("button", name="Show all")).to_be_hidden()
    control(watched, "Code").fill("amo_dropbox")
    expect(watched.get_by_role("status")).to_have_text("1 of 2\u202f100 widgets")
    assert len(catalog.widgets) == 300


def test_without_scripts(report: Path, browser: Browser) -> None:
    """Where scripts are off the whole table stands there, without controls that would do nothing."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("#table tbody tr").count() == 300
    expect(page.locator("#table tbody tr").last).to_be_visible()
    expect(page.locator("#filters")).to_be_hidden()
    assert page.locator("#table button").count() == 0
    context.close()


@pytest.mark.parametrize("width", [360, 390, 768, 1200])
def test_fits_any_window(report: Path, watched: Page, width: int) -> None:
    """The page never scrolls sideways; what is too wide scrolls in a box of its own."""
    watched.set_viewport_size({"width": width, "height": 844})
    watched.goto(report.as_uri())
    assert watched.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [390, 1200])
def test_header_stays(report: Path, watched: Page, width: int) -> None:
    """However far one scrolls along the table, its header is in sight."""
    watched.set_viewport_size({"width": width, "height": 844})
    watched.goto(report.as_uri())
    watched.locator("#table tbody tr").nth(150).scroll_into_view_if_needed()
    expect(watched.locator("#table thead th").first).to_be_in_viewport()


def test_pictures(report: Path, watched: Page, pictures: Path) -> None:
    """What a manager sees: in a wide window, on a phone, and on paper."""
    watched.goto(report.as_uri())
    watched.screenshot(path=pictures / "report.png")
    control(watched, "Lead source").select_option("yes")
    by(watched, "Rating")
    by(watched, "Rating")
    watched.locator("#widgets").evaluate("heading => heading.scrollIntoView()")
    watched.screenshot(path=pictures / "report_table.png")
    watched.set_viewport_size({"width": 390, "height": 844})
    watched.locator("#widgets").evaluate("heading => heading.scrollIntoView()")
    watched.screenshot(path=pictures / "report_phone.png")
    watched.emulate_media(media="print")
    watched.set_viewport_size({"width": 700, "height": 990})
    for hidden in (watched.locator("#filters"), watched.get_by_role("navigation")):
        expect(hidden).to_be_hidden()
    watched.evaluate("scrollTo(0, 0)")
    watched.screenshot(path=pictures / "report_print.png")


def test_dark(report: Path, watched: Page) -> None:
    """In the dark the page is dark, its charts keep a light ground, and on paper it is light again."""
    ground = "getComputedStyle(document.querySelector({!r})).backgroundColor"
    watched.emulate_media(color_scheme="dark")
    watched.goto(report.as_uri())
    assert watched.evaluate(ground.format("html")) == "rgb(22, 22, 20)"
    assert watched.evaluate(ground.format("figure svg")) == "rgb(255, 255, 255)"
    watched.emulate_media(media="print")
    assert watched.evaluate(ground.format("html")) == "rgb(255, 255, 255)"
