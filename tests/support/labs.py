"""JupyterLab with notebooks of a test's own, and what people do in it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
import requests
from programs import AMOEXPLORE, program
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Locator, Page

TOKEN = "lab-token"
SECONDS = 1000  # Playwright counts in milliseconds


@contextmanager
def running(folder: Path, settings: dict[str, Any] | None = None, **variables: str) -> Iterator[str]:
    """Run ``amoexplore lab`` in a folder; yields the address of JupyterLab, and stops all with one Ctrl-C.

    Parameters
    ----------
    folder : Path
        Where everything is kept; the notebooks are in ``notebooks``.
    settings : dict, optional
        Of JupyterLab's user, by plugin.
    **variables
        Of the environment.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AMOEXPLORE_", "JUPYTER"))}
    environment |= {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    environment |= {"AMOEXPLORE_STATE": str(folder / "state")} | variables
    for plugin, chosen in (settings or {}).items():
        extension, _, name = plugin.partition(":")
        path = folder / "settings" / extension / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(chosen))
    with program(
        *(AMOEXPLORE, "lab", "--notebooks", folder / "notebooks"),
        *("--", "--no-browser", "--ServerApp.port=0", f"--IdentityProvider.token={TOKEN}"),
        f"--LabApp.workspaces_dir={folder / 'workspaces'}",
        f"--LabApp.user_settings_dir={folder / 'settings'}",
        env=environment,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield _address(process)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        assert process.returncode == 130


def end_kernels(address: str, *, but: str = "") -> None:
    """End the kernels of all notebooks but this one."""
    api = address.removesuffix("/lab") + "/api/sessions"
    headers = {"Authorization": f"token {TOKEN}"}
    for session in requests.get(api, headers=headers, timeout=30).json():
        if session["name"] != f"{but}.ipynb":
            requests.delete(f"{api}/{session['id']}", headers=headers, timeout=30)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if address := re.search(r"http://127\.0\.0\.1:\d+/lab", line):
            # It names its address before it listens there.
            with requests.Session() as session:
                session.mount("http://", HTTPAdapter(max_retries=Retry(connect=9, backoff_factor=0.1)))
                session.get(address[0], params={"token": TOKEN}, timeout=60).raise_for_status()
            return address[0]
    return pytest.fail("".join(said))


def _notebook(cells: Sequence[str]) -> nbformat.NotebookNode:
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel}
    )


class Notebook:
    """A notebook of these cells, opened in JupyterLab, its kernel ready.

    Attributes
    ----------
    path : Path
    received : list of str
        The frames that came from the server.
    """

    def __init__(self, page: Page, lab: str, path: Path, *cells: str) -> None:
        self.page, self.path, self.received = page, path, []
        page.on("websocket", lambda socket: socket.on("framereceived", self._receive))
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(_notebook(cells), path)
        page.goto(f"{lab}/workspaces/{path.stem}/tree/{path.name}?token={TOKEN}&reset")
        page.locator(".jp-Notebook").wait_for(timeout=60 * SECONDS)
        self.wait_until_idle()
        page.keyboard.press("Control+b")  # the file browser is no part of a picture

    def _receive(self, frame: bytes | str) -> None:
        self.received.append(frame if isinstance(frame, str) else frame.decode("utf-8", "replace"))

    def wait_until_idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60 * SECONDS)

    def menu(self, name: str, *items: str) -> None:
        """Choose from a menu."""
        self.page.get_by_role("menuitem", name=name, exact=True).click()
        for item in items:
            self.page.locator(".lm-Menu-itemLabel", has_text=item).first.click()

    def cell(self, position: int) -> Locator:
        """Return a cell, from 0 on."""
        return self.page.locator(".jp-CodeCell").nth(position)

    def form(self, position: int) -> Locator:
        """Return the first form that a cell shows."""
        return self.cell(position).locator(".amo-form").first

    def run(self) -> Locator:
        """Run all cells; returns the form that the last one shows."""
        self.menu("Run", "Run All Cells")
        form = self.page.locator(".amo-form").last
        form.wait_for(timeout=30 * SECONDS)
        return form
