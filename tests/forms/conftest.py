from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amoexplore import Account
from amoexplore.forms import captions

if TYPE_CHECKING:
    from amoexplore import Sandbox


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have forms speak English, whatever the machine speaks."""
    monkeypatch.setitem(captions._chosen, "language", "en")


@pytest.fixture
def account(changing: Sandbox) -> Account:
    """Return the administrator's account on a sandbox that is as new."""
    changing.reset()
    return Account(changing.url, changing.token)
