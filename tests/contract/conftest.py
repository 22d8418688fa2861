from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amoexplore.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def writable() -> Iterator[Sandbox]:
    """Return the sandbox that `own` brings back to its beginning."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def own(writable: Sandbox) -> Sandbox:
    """Return a sandbox of 300 widgets on which nobody has done anything, for a test that writes."""
    writable.reset()
    return writable
