from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
TOKEN = "lab-token"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Chromium: the system's, or Playwright's own. Without one the test is skipped, but never in CI."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  a machine without a browser needs no Playwright

    with sync_playwright() as playwright:
        names = ("chromium", "chromium-browser", "google-chrome")
        found = next(filter(None, map(shutil.which, names)), playwright.chromium.executable_path)
        if not Path(found).exists():
            (pytest.fail if os.environ.get("CI") else pytest.skip)("no Chromium on this machine: make browser")
        chromium = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """Run ``amoexplore lab`` as ``make lab`` does; yields the address of JupyterLab, and stops all with one Ctrl-C."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AMOEXPLORE_", "JUPYTER"))}
    environment |= {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    with subprocess.Popen(
        [
            *(Path(sys.executable).with_name("amoexplore"), "lab", "--notebooks", tmp_path / "notebooks"),
            *("--", "--no-browser", "--ServerApp.port=0", f"--IdentityProvider.token={TOKEN}"),
            f"--LabApp.workspaces_dir={tmp_path / 'workspaces'}",
            f"--LabApp.user_settings_dir={tmp_path / 'settings'}",
        ],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if address := re.search(r"http://127\.0\.0\.1:\d+/lab", line):
                break
        else:
            pytest.fail("".join(said))
        yield address[0]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return an empty page of the browser."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return where screenshots go: AMOEXPLORE_PICTURES, or a folder of the test's own."""
    return Path(os.environ.get("AMOEXPLORE_PICTURES", tmp_path))
