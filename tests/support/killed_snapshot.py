"""A snapshot in a process that is killed at a step of its own; run by test_snapshots and test_s3.

Usage: python killed_snapshot.py URL TOKEN WHERE STEP; kills itself before the STEP-th of: a folder made, a file
written, a folder renamed, each of them done. Prints how many steps there are if it is not killed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import amoexplore as amo
from amoexplore import snapshots

if TYPE_CHECKING:
    from collections.abc import Callable

url, token, where, last = *sys.argv[1:4], int(sys.argv[4])
steps = 0


def step() -> None:
    """Count, and die if it is time."""
    global steps  # noqa: PLW0603  a script's own count
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)
    steps += 1


def stepping(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method with a step before it and one after it."""

    def stepped(*arguments: Any, **options: Any) -> Any:
        step()
        result = method(*arguments, **options)
        step()
        return result

    return stepped


catalog = amo.load_catalog(amo.Account(url, token), progress=False)
system, _ = snapshots.address(where)
system.pipe_file = stepping(system.pipe_file)
for name in ("mkdir", "write_bytes", "rename"):
    setattr(Path, name, stepping(getattr(Path, name)))
amo.snapshot(catalog, where)
sys.stdout.write(str(steps))
