"""Ways to get tokens that hold none: what workers of a cluster are given."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class InFile:
    """Reads an account's token from a file of tokens by address."""

    path: str

    def __call__(self, address: str) -> str:
        """Return the token."""
        found: str = json.loads(Path(self.path).read_text(encoding="utf-8"))[address]
        return found


@dataclass(frozen=True)
class Killed(InFile):
    """Does so, but kills the worker instead at one account: once if a mark is left, else always; never who made it."""

    fatal: str
    mark: str = ""
    spared: int = field(default_factory=os.getpid)

    def __call__(self, address: str) -> str:
        """Return the token, if at all."""
        is_due = address == self.fatal and os.getpid() != self.spared
        if is_due and not (self.mark and Path(self.mark).exists()):
            if self.mark:
                Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(address)
