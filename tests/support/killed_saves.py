"""A token that is renewed in processes which are killed, each at a later step; run by test_oauth.

Usage: python killed_saves.py URL; for each line on its standard input that has a number, a child renews the stored pair
of the account, and kills itself before the number-th step. Steps are before and after each call by which a renewal does
anything: files opened, written, synced, renamed, removed, locks, requests. Prints which signal ended the child, or 0.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

import amoexplore as amo
from amoexplore.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

url = sys.argv[1]
last = steps = 0


def step() -> None:
    """Count, and die if it is time."""
    global steps  # noqa: PLW0603  a script's own count
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)
    steps += 1


def stepping(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with a step before it and one after it."""

    def stepped(*arguments: Any, **options: Any) -> Any:
        step()
        result = function(*arguments, **options)
        step()
        return result

    return stepped


os.open, os.fdopen, os.fsync = stepping(os.open), stepping(os.fdopen), stepping(os.fsync)
for owner, names in ((Path, ("replace", "unlink")), (FileLock, ("acquire", "release")), (Transport, ("send",))):
    for name in names:
        setattr(owner, name, stepping(getattr(owner, name)))

for line in sys.stdin:
    last = int(line)
    child = os.fork()
    if not child:
        account = amo.connect(url)
        account.token._renew(account.token._pair.access_token)  # type: ignore[attr-defined]
        os._exit(0)
    sys.stdout.write(f"{os.WTERMSIG(os.waitpid(child, 0)[1])}\n")
    sys.stdout.flush()
