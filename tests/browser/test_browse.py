from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from labs import SECONDS, Notebook, running
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SCREENS = Path(__file__).parents[2] / "build" / "screens"
BEGIN = """
import dataclasses

import pandas as pd

import amoexplore as amo

amo.set_language("en")
account = amo.connect()
loaded = amo.load_catalog(account)
hostile = ['<img src=x onerror="document.title=`hacked`">', "очень_длинно_" * 400, "\\u202eשם משתמש (x)",
           r"$\\href{javascript:alert(1)}{x}$"]
more = loaded.widgets.head(4).assign(code=hostile, version=hostile, id=[1, 2, 3, 4], rating=pd.NA)
catalog = dataclasses.replace(loaded, widgets=pd.concat([more, loaded.widgets], ignore_index=True))
"""
BROWSER = "browser = amo.forms.browse(catalog, account)\nbrowser"
SELECTION = "print(len(browser.selection), *browser.selection['code'].head(3))"


def test_browse(tmp_path: Path, page: Page) -> None:
    """All"""
    SCREENS.mkdir(parents=True, exist_ok=True)
    with running(tmp_path) as address:
        notebook = Notebook(page, address, tmp_path / "notebooks" / "browse.ipynb", BEGIN, BROWSER)
        try:
            notebook.run()
        except Exception:
            page.screenshot(path=SCREENS / "x0.png")
            raise
        browser = page.locator(".amo-browser")
        browser.scroll_into_view_if_needed()
        page.wait_for_timeout(1500)
        page.set_viewport_size({"width": 1280, "height": 1500})
        page.set_viewport_size({"width": 1280, "height": 1500})
        page.screenshot(path=SCREENS / "x1.png")
        browser.get_by_role("button", name="rating").click()
        browser.get_by_label("Search").fill("amo_")
        page.wait_for_timeout(1500)
        browser.get_by_role("checkbox", name="amo_dropbox").check()
        page.wait_for_timeout(500)
        page.screenshot(path=SCREENS / "x2.png")
        browser.get_by_role("button", name="Reset").click()
        browser.get_by_role("button", name="Z to A").or_(browser.get_by_role("button", name="code")).first.click()
        page.set_viewport_size({"width": 420, "height": 1500})
        page.wait_for_timeout(1500)
        page.screenshot(path=SCREENS / "x3.png")
        browser.get_by_role("button", name="Required").focus()
        page.wait_for_timeout(500)
        page.screenshot(path=SCREENS / "x3b.png")
        notebook.menu("Settings", "Theme", "JupyterLab Dark")
        page.wait_for_timeout(1500)
        page.set_viewport_size({"width": 1280, "height": 1500})
        page.wait_for_timeout(1500)
        page.screenshot(path=SCREENS / "x4.png")
        browser.get_by_label("Chart of").select_option("Rating and required settings")
        browser.get_by_role("button", name="Open the install form").click()
        page.wait_for_timeout(1500)
        page.screenshot(path=SCREENS / "x5.png")
