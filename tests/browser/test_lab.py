from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from labs import SECONDS, TOKEN, end_kernels, running
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

#: Whether a heading stands at the top, and what follows it is drawn; JupyterLab scrolls, too, when outputs come, and
#: draws a cell once it is to be seen, so this is asked until it has been so for some frames.
SCROLLED = """title => {
  const heading = [...document.querySelectorAll("h2")].find(h => h.textContent.replace("¶", "") === title);
  heading?.scrollIntoView();
  const following = heading?.closest(".jp-Cell").nextElementSibling;
  const is_there = Math.abs(heading?.getBoundingClientRect().top - 100) < 30 && following?.innerText?.trim();
  window.frames_there = is_there ? (window.frames_there ?? 0) + 1 : 0;
  return window.frames_there > 30;
}"""

#: Of each notebook the last output, and the headings that a picture is taken at.
NOTEBOOKS = [
    ("01_catalogue", "unknown types", {"01_catalogue_load": "Load", "01_catalogue": "Two widgets side by side"}),
    ("02_install", "uninstall amo_asterisk", {"02_install": "A trial"}),
    ("03_bots", "continue marketingbot", {"03_bots": "On it goes"}),
    (
        "04_compare",
        "An install asks for",
        {"04_compare": "Are they any good?", "04_finalists": "The finalists side by side"},
    ),
    ("05_forms", "Sandbox of 300 widgets, not running", {}),
    ("06_history", "crm_salon_raduga", {"06_history": "How ratings moved"}),
    ("07_many_accounts", "stopped", {"07_many_accounts": "Who has what"}),
]


@pytest.fixture(scope="module")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run ``amoexplore lab`` as ``make lab`` does, once for all notebooks; returns the address of JupyterLab."""
    with running(tmp_path_factory.mktemp("lab")) as address:
        yield address


@pytest.fixture
def lab(running_lab: str) -> Iterator[str]:
    """Return it, and end all kernels afterwards."""
    yield running_lab
    end_kernels(running_lab)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook[0])
def test_notebook(lab: str, page: Page, pictures: Path, notebook: tuple[str, str, dict[str, str]]) -> None:
    """What a newcomer sees: each notebook runs from top to bottom in JupyterLab, on the sandbox beside it."""
    name, last, headings = notebook
    page.goto(f"{lab}/workspaces/{name}/tree/{name}.ipynb?token={TOKEN}&reset")
    page.locator(".jp-Notebook").wait_for(timeout=60 * SECONDS)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60 * SECONDS)
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    page.get_by_text("Clear Outputs of All Cells").click()
    expect(page.locator(".jp-OutputArea-output")).to_have_count(0)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Restart Kernel and Run All Cells…").click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.locator(".jp-OutputArea-output", has_text=last).last.wait_for(timeout=60 * SECONDS)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60 * SECONDS)
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0

    page.keyboard.press("Control+b")  # the file browser is no part of the picture
    for picture, title in headings.items():
        page.wait_for_function(SCROLLED, arg=title)
        page.screenshot(path=pictures / f"{picture}.png")
