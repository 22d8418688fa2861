from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amoexplore import Account, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Return one sandbox of 300 widgets for all tests that only read."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    """Return the administrator's account on the sandbox."""
    return Account(sandbox.url, sandbox.token)


@pytest.fixture(autouse=True)
def no_account_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a real account of who runs the tests out of them."""
    monkeypatch.delenv("AMOEXPLORE_URL", raising=False)
    monkeypatch.delenv("AMOEXPLORE_TOKEN", raising=False)
