"""JupyterLab on the notebooks, with a sandbox beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from amoexplore.connections import TOKEN_VARIABLE, URL_VARIABLE, is_configured
from amoexplore.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKAGE = Path(__file__).parent
# Holds where the user has chosen nothing: JupyterLab would ask whether it may look for news on the internet.
_DEFAULTS = _PACKAGE / "jupyter"


def run(folder: Path | None, options: Sequence[str] = ()) -> None:
    """Open JupyterLab on the notebooks; returns when it has ended.

    Without AMOEXPLORE_URL a sandbox runs beside it, and all notebooks share that one. Ctrl-C ends both.

    Parameters
    ----------
    folder : Path or None
        Where the notebooks are; those that are missing are copied there, none is overwritten. By default the checkout's
        own folder, or ``amoexplore-notebooks`` here if the package is installed.
    options : sequence of str
        Options of JupyterLab's own.

    Raises
    ------
    ImportError
        If JupyterLab is not installed.
    ConfigurationError
        If only one of AMOEXPLORE_URL and AMOEXPLORE_TOKEN is set.
    ChildProcessError
        If JupyterLab did not end well.
    """
    if find_spec("jupyterlab") is None:
        raise ImportError("JupyterLab is not installed. pip install 'amoexplore[lab]' brings it.")
    has_account = is_configured()
    root = notebooks(folder)
    with ExitStack() as stack:
        paths = filter(None, [os.environ.get("JUPYTER_CONFIG_PATH"), str(_DEFAULTS)])
        environment = {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}
        if not has_account:
            sandbox = stack.enter_context(Sandbox())
            environment |= {URL_VARIABLE: sandbox.url, TOKEN_VARIABLE: sandbox.token}
        status = _wait(_jupyter(root, options, environment))
    if status:
        raise ChildProcessError(f"JupyterLab ended with status {status}; what it printed says why.")


def notebooks(folder: Path | None) -> Path:
    """Return the folder of the notebooks, with those of this package in it."""
    in_checkout = (_PACKAGE.parent / "pyproject.toml").exists()
    source = (_PACKAGE.parent if in_checkout else _PACKAGE) / "notebooks"
    if folder is None and in_checkout:
        return source
    folder = folder or Path("amoexplore-notebooks")
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in source.glob("*.ipynb"):
        if not (folder / notebook.name).exists():
            shutil.copy(notebook, folder)
    return folder.resolve()


def _jupyter(root: Path, options: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={root}",
        "--LabApp.default_url=/lab/tree/01_catalogue.ipynb",
        *(["--allow-root"] if _is_root() else []),
        *options,
    ]
    # In a session of its own: the terminal's Ctrl-C must not reach JupyterLab, which would ask whether it is meant.
    return subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603  our own command


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _wait(jupyter: subprocess.Popen[bytes]) -> int:
    try:
        return jupyter.wait()
    except BaseException:
        jupyter.terminate()
        with suppress(BaseException):  # a second Ctrl-C is as good as a minute's patience
            jupyter.wait(timeout=60)
        jupyter.kill()
        jupyter.wait()
        raise
