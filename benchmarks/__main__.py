"""Measure everything, or the cases that are named, and write the page.

Usage: python -m benchmarks [--quick] [--clean-runs N] [--to FILE] [CASE …]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from benchmarks import far, limited, near, processes, report
from benchmarks.plan import QUICK, Bench, Plan
from benchmarks.server import Server

CASES = {
    "decoding": near.decoding,
    "whole-job": near.whole_job,
    "growth": near.growth,
    "latency": far.latencies,
    "burst": far.burst,
    "rolling": limited.rolling,
    "spaced": limited.spaced,
    "memory": processes.memory,
    "import": processes.importing,
    "command": processes.command,
}
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def main() -> None:
    """Measure, print, and write the page if all was measured."""
    options = _options()
    started = time.perf_counter()
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        # What is remembered of accounts is none of the home folder's.
        os.environ["AMOEXPLORE_STATE"] = str(Path(folder, "state"))
        rivals = frozenset(name for name in ("dlt", "polars") if find_spec(name))
        bench = Bench(options.plan, server, Path(folder), rivals)
        sections = []
        for name in options.cases or CASES:
            sections.append(CASES[name](bench))
            print(f"{time.perf_counter() - started:.0f} s: {name}", flush=True)
    written = report.page(sections, time.perf_counter() - started)
    print(written)
    if not options.cases:
        options.to.write_text(written, encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether it runs; the numbers say nothing")
    parser.add_argument("--clean-runs", type=int, metavar="N", help="loads under 7 a second (default: 50)")
    parser.add_argument("--to", type=Path, default=PAGE, metavar="FILE", help="default: docs/performance.md")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; default: all, into the page")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"there is no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    options.plan = QUICK if options.quick else Plan()
    if options.clean_runs:
        options.plan = replace(options.plan, clean_runs=options.clean_runs)
    return options


if __name__ == "__main__":
    main()
