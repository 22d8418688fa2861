"""A token that is renewed in processes which are killed, each at a later step; run by test_oauth.

Usage: python killed_saves.py URL; for each line on its standard input that has a number, a child renews the stored pair
of the account, and kills itself before the number-th step. Steps are before and after each call by which a renewal does
anything: files opened, written, synced, renamed, removed, locks, requests. Prints which signal ended the child, or 0.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from filelock import FileLock
from steps import Steps

import amoexplore as amo
from amoexplore.transport import Transport

url = sys.argv[1]
steps = Steps()


os.open, os.fdopen, os.fsync = steps.around(os.open), steps.around(os.fdopen), steps.around(os.fsync)
for owner, names in ((Path, ("replace", "unlink")), (FileLock, ("acquire", "release")), (Transport, ("send",))):
    for name in names:
        setattr(owner, name, steps.around(getattr(owner, name)))

for line in sys.stdin:
    steps.last = int(line)
    child = os.fork()
    if not child:
        account = amo.connect(url)
        account.token._renew(account.token._pair.access_token)  # type: ignore[attr-defined]
        os._exit(0)
    sys.stdout.write(f"{os.WTERMSIG(os.waitpid(child, 0)[1])}\n")
    sys.stdout.flush()
