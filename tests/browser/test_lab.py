from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SECONDS = 1000  # Playwright counts in milliseconds


def test_catalogue_notebook(lab: str, page: Page, pictures: Path) -> None:
    """What a newcomer sees: 01_catalogue runs from top to bottom in JupyterLab, on the sandbox beside it."""
    page.goto(f"{lab}/workspaces/catalogue/tree/01_catalogue.ipynb?token=lab-token&reset")
    page.locator(".jp-Notebook").wait_for(timeout=60 * SECONDS)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60 * SECONDS)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Restart Kernel and Run All Cells…").click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    report = page.locator(".jp-OutputArea-output caption", has_text="Load report")
    report.wait_for(timeout=60 * SECONDS)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60 * SECONDS)
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert "sandbox on this machine" in report.locator("xpath=..").inner_text()

    page.keyboard.press("Control+b")  # the file browser is no part of the picture
    for name, title in [("01_catalogue_load", "Load"), ("01_catalogue", "Two widgets side by side")]:
        heading = page.get_by_role("heading", name=title, exact=True)
        heading.evaluate("element => element.scrollIntoView()")
        expect(heading).to_be_in_viewport()
        page.screenshot(path=pictures / f"{name}.png")
