"""Snapshots in processes that are killed, each at a later step; run by test_snapshots and test_s3.

Usage: python killed_snapshot.py URL TOKEN WHERE; a step is: a folder made, a file written, a folder renamed, each of
them done.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from steps import Steps

import amoexplore as amo
from amoexplore import places

url, token, where = sys.argv[1:4]
steps = Steps()
if where.startswith("s3:"):
    import_module("s3fs")  # before the forks: it takes a second


def job() -> None:
    """Load the catalogue, and write it."""
    catalog = amo.load_catalog(amo.Account(url, token), progress=False)
    if isinstance(there := places.place(where), places.Elsewhere):
        there._system.pipe_file = steps.around(there._system.pipe_file)  # one for all that have this address
    for name in ("mkdir", "write_bytes", "rename"):
        setattr(Path, name, steps.around(getattr(Path, name)))
    amo.snapshot(catalog, where)


steps.run(job)
