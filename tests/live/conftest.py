from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest

from amoexplore import Account, connect
from amoexplore.hosts import is_loopback

# Nothing here is collected but by `make live`.
collect_ignore_glob = [] if os.environ.get("AMOEXPLORE_LIVE") else ["test_*.py"]


@pytest.fixture(autouse=True)
def nothing_of_the_developers() -> None:
    """Let the environment's account in: that is what `make live` is for."""


@pytest.fixture(autouse=True)
def clock() -> None:
    """Wait as long as the pace demands."""


@pytest.fixture(scope="session")
def real() -> Account:
    """Return the real account that the environment names, closed for writing."""
    url, token = (os.environ.get(name, "") for name in ("AMOEXPLORE_URL", "AMOEXPLORE_TOKEN"))
    if not url or not token or is_loopback(urlsplit(url).hostname or ""):
        pytest.fail("make live reads a real account: set AMOEXPLORE_URL and AMOEXPLORE_TOKEN to one.")
    return connect(url, token, write=False)
