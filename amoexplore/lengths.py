"""How many pages accounts had when they were loaded last: all of them can be asked for at once then.

What is remembered may be wrong: it costs a few requests then, and nothing else.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from amoexplore.files import state_folder

if TYPE_CHECKING:
    from pathlib import Path

    from amoexplore.account import Account


def known(account: Account, limit: int) -> int:
    """Return how many pages there were; 0 if nobody knows."""
    with suppress(OSError, ValueError):
        return max(0, int(_path(account, limit).read_text(encoding="ascii")))
    return 0


def remember(account: Account, limit: int, pages: int) -> None:
    """Keep how many pages there were."""
    path = _path(account, limit)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(str(pages), encoding="ascii")


def _path(account: Account, limit: int) -> Path:
    digest = hashlib.sha256(f"{account.url}\n{account.token.client}\n{limit}".encode()).hexdigest()
    return state_folder() / "pages" / digest[:32]
