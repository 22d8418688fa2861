from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import pytest

import amoexplore as amo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amoexplore import Catalog, Sandbox

mpl.use("agg")


@pytest.fixture(scope="session")
def catalog(sandbox: Sandbox) -> Catalog:
    """Return the sandbox's catalogue: 300 widgets, 30 of them unrated."""
    return amo.load_catalog(amo.Account(sandbox.url, sandbox.token))


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    """Close what a test has drawn."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  the backend is chosen first

    yield
    plt.close("all")
