"""A snapshot in a process that is killed at a step of its own; run by test_snapshots and test_s3.

Usage: python killed_snapshot.py URL TOKEN WHERE STEP; kills itself before the STEP-th of: a folder made, a file
written, a folder renamed, each of them done. Prints how many steps there are if it is not killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from steps import Steps

import amoexplore as amo
from amoexplore import snapshots

url, token, where = sys.argv[1:4]
steps = Steps(int(sys.argv[4]))


catalog = amo.load_catalog(amo.Account(url, token), progress=False)
system, _ = snapshots.address(where)
system.pipe_file = steps.around(system.pipe_file)
for name in ("mkdir", "write_bytes", "rename"):
    setattr(Path, name, steps.around(getattr(Path, name)))
amo.snapshot(catalog, where)
sys.stdout.write(str(steps.count))
