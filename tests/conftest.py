from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING

import hypothesis
import pytest
from clocks import Skipping

from amoexplore import Account, Sandbox, pacer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


# A busy machine is no fault of what is tested.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

# In the background of a shell the tests and all they start would ignore Ctrl-C; under nohup a closed terminal, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Return one sandbox of 300 widgets for all tests that only read."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def changing() -> Iterator[Sandbox]:
    """Return a sandbox for tests that write."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    """Return the administrator's account on the sandbox."""
    return Account(sandbox.url, sandbox.token)


@pytest.fixture
def interrupt() -> Iterator[Callable[[], None]]:
    """Return what presses Ctrl-C from any thread, wherever the main one is.

    But for one place: what Python calls when it collects garbage (Hypothesis takes the time of it) swallows exceptions.
    """
    gc.disable()
    yield lambda: os.kill(os.getpid(), signal.SIGINT)
    gc.enable()


@pytest.fixture(autouse=True)
def nothing_of_the_developers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep a real account of who runs the tests out of them, and the tests out of his home."""
    monkeypatch.delenv("AMOEXPLORE_URL", raising=False)
    monkeypatch.delenv("AMOEXPLORE_TOKEN", raising=False)
    monkeypatch.delenv("AMOEXPLORE_WRITE", raising=False)
    monkeypatch.delenv("AMOEXPLORE_CLIENT_SECRET", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("AMOEXPLORE_STATE", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Skipping:
    """Take the waiting out of tests: for the pace, and before something is sent again."""
    skipping = Skipping()
    monkeypatch.setattr(pacer, "clock", skipping)
    return skipping
