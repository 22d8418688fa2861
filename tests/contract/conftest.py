from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from amoexplore.sandbox import Sandbox


@pytest.fixture
def own(changing: Sandbox) -> Sandbox:
    """Return a sandbox of 300 widgets on which nobody has done anything, for a test that writes."""
    changing.reset()
    return changing
