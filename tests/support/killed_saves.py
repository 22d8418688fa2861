"""A token that is renewed in processes which are killed, each at a later step; run by test_oauth.

Usage: python killed_saves.py URL; steps are before and after each call by which a renewal does anything: files opened,
written, synced, renamed, removed, locks, requests.
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


def job() -> None:
    """Renew the stored pair of the account."""
    account = amo.connect(url)
    account.token._renew(account.token._pair.access_token)  # type: ignore[attr-defined]


steps.run(job)
