"""How close to 7 requests a second several notebooks come together, and whether one request is refused.

Each of three processes calls from eight threads, all on one account of a sandbox that counts as amoCRM does: at most 7
requests in any second of the clock, wherever it begins.

Usage: python burst.py [CALLS] [SECONDS OF LATENCY] [PROCESSES] [THREADS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from amoexplore import Sandbox

RATE = 7
SCRIPT = Path(__file__).parent.parent / "tests" / "support" / "calling.py"


def main(calls: int = 200, latency: float = 0.1, processes: int = 3, threads: int = 8) -> None:
    """Measure and print."""
    with Sandbox(rate=RATE) as sandbox, sandbox.faults.latency(seconds=latency), tempfile.TemporaryDirectory() as state:
        callers = [
            _caller(sandbox, calls * (n + 1) // processes - calls * n // processes, threads, state)
            for n in range(processes)
        ]
        for caller in callers:
            caller.stdout.readline()  # type: ignore[union-attr]
        started = time.perf_counter()
        for caller in callers:
            caller.stdin.write("go\n")  # type: ignore[union-attr]
            caller.stdin.flush()  # type: ignore[union-attr]
        ended = [caller.wait() for caller in callers]
        took = time.perf_counter() - started
        answered = Counter(request.status for request in sandbox.requests)
    shortest = (calls - 1) / RATE + latency
    print(
        f"{calls} calls from {processes} processes of {threads} threads at {latency:g} s of latency: {dict(answered)}"
    )
    print(f"{took:.2f} s; at {RATE} a second they take {shortest:.2f} s at the least: {took / shortest:.3f} ×")
    sys.exit(any(ended) or set(answered) != {200})


def _caller(sandbox: Sandbox, calls: int, threads: int, state: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), sandbox.url, sandbox.token, str(calls), str(threads)]
    environment = {**os.environ, "AMOEXPLORE_STATE": state}
    return subprocess.Popen(  # noqa: S603  our own script
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, float, int, int), sys.argv[1:], strict=False)))
