from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from labs import SECONDS, Notebook, running
from looks import ASKEW, CONTRAST, DELAY
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

SCREENS = Path(__file__).parents[2] / "build" / "screens"
HOSTILE = '<img src=x onerror="document.title=`hacked`">'
CATALOG = f"""\
import dataclasses

import pandas as pd

import amoexplore as amo

amo.set_language("en")
account = amo.connect()
loaded = amo.load_catalog(account)
names = ['{HOSTILE}', "очень_длинно_" * 400, "\\u202eשם משתמש (x)", r"$\\href{{javascript:alert(1)}}{{x}}$"]
hostile = loaded.widgets.head(4).assign(code=names, version=names, id=[-4, -3, -2, -1], rating=4.9)
catalog = dataclasses.replace(loaded, widgets=pd.concat([loaded.widgets, hostile], ignore_index=True))"""
BROWSER = "browser = amo.forms.browse(catalog, account)\nbrowser"
SELECTION = "print(len(browser.selection), *browser.selection['code'].head(3))"


@pytest.fixture
def notebook(tmp_path: Path, page: Page) -> Iterator[Notebook]:
    """Return a notebook with a browser of 300 widgets, and of four with hostile names."""
    page.set_viewport_size({"width": 1200, "height": 1350})
    with running(tmp_path) as address:
        yield Notebook(page, address, tmp_path / "notebooks" / "browse.ipynb", CATALOG, BROWSER, SELECTION)


@pytest.fixture
def screen(page: Page) -> Callable[[str], None]:
    """Return what keeps a picture of the page."""
    SCREENS.mkdir(parents=True, exist_ok=True)

    def take(name: str) -> None:
        page.locator(".amo-browser").evaluate("element => element.scrollIntoView()")
        page.screenshot(path=SCREENS / f"browse_{name}.png")

    return take


def state(browser: Locator, *lines: str) -> None:
    """Wait until the browser says this of its table."""
    for line in lines:
        expect(browser.get_by_role("status").get_by_text(line)).to_be_visible()


def codes(browser: Locator) -> list[str]:
    """Return the codes that the table shows."""
    return browser.get_by_role("rowheader").all_inner_texts()


def chart(browser: Locator, said: str) -> None:
    """Wait until the chart says this to those who can't see it."""
    expect(browser.get_by_role("img")).to_have_attribute("alt", re.compile(re.escape(said)), timeout=15 * SECONDS)


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until this has the focus."""
    for _ in range(60):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no Tab leads to {wanted}")


def selection(page: Page) -> str:
    """Run the cell that prints the selection; returns what it prints."""
    cell = page.locator(".jp-Cell", has_text=SELECTION)
    cell.locator(".cm-content").click()
    output = cell.locator(".jp-OutputArea-output")
    before = cell.locator(".jp-InputPrompt").inner_text()
    page.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-InputPrompt")).not_to_have_text(before)
    expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))
    return output.inner_text().strip()


def test_browse(
    notebook: Notebook,
    page: Page,
    screen: Callable[[str], None],
    pictures: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """A widget is found, compared in a chart, ticked and given to the install form, as people do it."""
    notebook.run()
    browser = page.locator(".amo-browser")
    state(browser, "Page 1 of 13 · widgets: 304 of 304 · ticked: 0", "In the order of the catalogue")
    chart(browser, "n = 274, 30 unrated")

    by_keyboard(page, browser)
    screen("keyboard")
    page.locator(".jp-Cell-outputArea", has=browser).screenshot(path=pictures / "05_browse.png")
    assert selection(page) == "1 amo_dropbox"

    hostile_names(page, browser)
    screen("hostile")

    browser.get_by_role("button", name="Untick all").click()
    expect(browser.get_by_role("checkbox", name=HOSTILE)).not_to_be_checked()
    browser.get_by_role("button", name="Reset the filters").click()
    state(browser, "Page 1 of 13 · widgets: 304 of 304 · ticked: 0")
    by_mouse(browser)
    for what, control, text in (
        ("sort", browser.get_by_role("button", name="Version"), None),
        ("page", browser.get_by_role("button", name="Next page"), None),
        ("search", browser.get_by_label("Search"), "cr"),
    ):
        record_property(f"milliseconds for a {what}", page.evaluate(DELAY, [control.element_handle(), text]))

    dark_and_narrow(notebook, page, browser, screen)


def by_keyboard(page: Page, browser: Locator) -> None:
    """Filter, sort, turn, tick and open the form without a mouse; the focus stays where it is."""
    browser.get_by_label("Search").focus()
    page.keyboard.type("amo_")
    page.keyboard.press("Tab")
    page.keyboard.type("2,5")
    tab_to(page, browser.get_by_label("Digital Pipeline"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    state(browser, "Page 1 of 1 · widgets: 11 of 304 · ticked: 0")
    tab_to(page, browser.get_by_label("Chart of"))
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    chart(browser, "Rating and settings: n = 11, 0 unrated")
    rating = browser.get_by_role("button", name="Rating")
    tab_to(page, rating)
    page.keyboard.press("Enter")
    expect(browser.get_by_role("button", name="Rating: highest first")).to_be_focused()
    page.keyboard.press("Space")
    expect(browser.get_by_role("button", name="Rating: lowest first")).to_be_focused()
    expect(browser.get_by_role("columnheader", name="Rating")).to_have_attribute("aria-sort", "ascending")
    state(browser, "Sorted by Rating, lowest first")
    tick = browser.get_by_role("checkbox", name="amo_dropbox")
    tab_to(page, tick)
    page.keyboard.press("Space")
    state(browser, "ticked: 1")
    expect(tick).to_be_focused()
    form = browser.get_by_role("button", name=re.compile("Open the install form of .amo_dropbox"))
    tab_to(page, form)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Widget amo_dropbox in sandbox on this machine")).to_be_visible()
    expect(page.get_by_role("button", name="Install into sandbox on this machine")).to_be_visible()


def hostile_names(page: Page, browser: Locator) -> None:
    """Names that would be HTML or formulas are texts in rows like all others."""
    browser.get_by_label("Search").fill("-")
    browser.get_by_label("Rating from").fill("4.9")
    browser.get_by_label("Rating from").press("Enter")
    browser.get_by_label("Digital Pipeline").select_option("any")
    state(browser, "widgets: 4 of 304 · ticked: 1, left out: 1")
    browser.get_by_role("checkbox", name=HOSTILE).check()
    state(browser, "ticked: 2, left out: 1")
    chart(browser, HOSTILE)
    assert page.title() != "hacked"
    assert browser.locator("img").count() == 1
    assert browser.locator("script, a, mjx-container, .MathJax").count() == 0
    assert browser.evaluate(ASKEW) <= 1
    assert browser.evaluate("element => element.scrollWidth - element.clientWidth") == 0
    assert browser.get_by_role("table").bounding_box()["height"] < 5 * 28  # type: ignore[index]


def by_mouse(browser: Locator) -> None:
    """Pages turn, ticks outlive them, and an answer that can't be is said under its field."""
    first = codes(browser)
    browser.get_by_role("button", name="Next page").dblclick()
    state(browser, "Page 3 of 13")
    third = codes(browser)
    assert set(first).isdisjoint(third)
    browser.get_by_role("checkbox", name=third[3]).check()
    browser.get_by_role("button", name="Previous page").click()
    state(browser, "Page 2 of 13", "ticked: 1")
    browser.get_by_role("button", name="Code").click()
    state(browser, "Page 1 of 13", "Sorted by Code, A to Z")
    assert codes(browser) == sorted(codes(browser))
    low = browser.get_by_label("Rating from")
    low.fill("many")
    low.press("Enter")
    expect(browser.get_by_role("alert").get_by_text("'many' is no number")).to_be_visible()
    low.fill("")
    low.press("Enter")
    expect(browser.get_by_role("alert")).to_have_count(0)


def dark_and_narrow(notebook: Notebook, page: Page, browser: Locator, screen: Callable[[str], None]) -> None:
    """In the dark all can be read; in a narrow window the table scrolls beside its ticks, and nothing else does."""
    assert browser.evaluate(CONTRAST) >= 4.5
    notebook.menu("Settings", "Theme", "JupyterLab Dark")
    page.wait_for_function("e => getComputedStyle(e).color.match(/\\d+/)[0] > 128", arg=browser.element_handle())
    assert browser.evaluate(CONTRAST) >= 4.5
    screen("dark")
    page.set_viewport_size({"width": 420, "height": 1350})
    required = browser.get_by_role("button", name="Required")
    required.focus()
    expect(required).to_be_in_viewport()
    assert browser.evaluate(ASKEW.replace("button", "button:nth-child(n + 3)").replace("> *", "> td")) <= 1
    assert browser.evaluate("element => element.scrollWidth - element.clientWidth") == 0
    expect(browser.get_by_role("checkbox").first).to_be_in_viewport()
    screen("narrow")
