"""Loads 500 accounts of 300 widgets on threads and on two worker processes, and compares the frames.

Usage: python fleet.py [ACCOUNTS [WIDGETS]]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from distributed import Client, LocalCluster

import amoexplore as amo

ACCOUNTS, WIDGETS = 500, 300
#: A process of its own, as a server has: what it takes is not what the load takes.
SERVER = """
import json, sys
from amoexplore import Sandbox
with Sandbox(accounts=int(sys.argv[1]), size=int(sys.argv[2])) as sandbox:
    print(json.dumps(dict(sandbox.accounts)), flush=True)
    sys.stdin.read()
    print(open("/proc/self/statm").read().split()[1] if sys.platform == "linux" else "", flush=True)
"""


def token_of(address: str, path: str) -> str:
    """Return an account's token, where a worker runs."""
    found: str = json.loads(Path(path).read_text(encoding="utf-8"))[address]
    return found


def main(accounts: int, widgets: int) -> None:
    """Measure and print."""
    server = subprocess.Popen(  # noqa: S603  this script's own
        [sys.executable, "-c", SERVER, str(accounts), str(widgets)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout  # noqa: S101  there is, as asked for
    tokens = json.loads(server.stdout.readline())
    print(f"{accounts} accounts of {widgets} widgets")
    here = _told("threads", lambda: amo.load_fleet(tokens, progress=False))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'':10} {len(here.failed)} failed, {peak:.0f} MB at the most, imports and frames included")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens.json"
        path.write_text(json.dumps(tokens), encoding="utf-8")
        access = dict.fromkeys(tokens, partial(token_of, path=str(path)))
        with (
            LocalCluster(
                n_workers=2, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs="ERROR"
            ) as cluster,
            Client(cluster) as client,
        ):
            there = _told("dask", lambda: amo.load_fleet(access, engine=client, progress=False))
            frames = _told("gathered", lambda: client.gather(client.compute([there.widgets, there.settings])))
            overlap = _told("overlap", there.overlap)
    for name, frame in zip(("widgets", "settings"), frames, strict=True):
        pd.testing.assert_frame_equal(getattr(here, name), frame.reset_index(drop=True))
        print(f"{name:10} {len(frame):7} rows, equal")
    pd.testing.assert_frame_equal(here.overlap(), overlap)
    pages, _ = server.communicate()
    print(f"{'server':10} {int(pages) * resource.getpagesize() / 2**20:.0f} MB" if pages.strip() else "")


def _told(name: str, act: Any) -> Any:
    before = time.perf_counter()
    result = act()
    print(f"{name:10} {time.perf_counter() - before:7.1f} s  {result if isinstance(result, amo.Fleet) else ''}")
    return result


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]), *(ACCOUNTS, WIDGETS)[len(sys.argv) - 1 :])
