"""What takes a process: memory, streaming, imports, and the whole command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import msgspec
import pandas as pd

from benchmarks import catalogue, ours
from benchmarks.far import FIRST, KNOWN, in_ms, two_accounts
from benchmarks.memory import Taken
from benchmarks.report import Goal, Section, shown
from benchmarks.timing import interleaved

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.far import Urls
    from benchmarks.plan import Bench

_MB = 1_000_000
_ROOT = Path(__file__).parent.parent
_SCRIPT = "script by hand"


def memory(bench: Bench) -> Section:
    """Measure the peak of memory, above what the process has after its imports and a small load."""
    large, huge = bench.plan.large, bench.plan.huge
    typed = _median([_taken(bench, "typed", large)])
    held = _median([_taken(bench, "hold", large)])
    runs = [(_taken(bench, "hold", huge), _taken(bench, "stream", huge)) for _ in range(bench.plan.few)]
    holding, streaming = (_median(list(each)) for each in zip(*runs, strict=True))
    goals = [
        Goal(f"Peak of memory at {large:,}, beside by hand, typed", held.peak / typed.peak, most=0.25),
        Goal(f"Peak of memory streaming {huge:,} to Parquet", streaming.peak / _MB, most=50, unit=" MB"),
        Goal(f"Time of streaming {huge:,}, beside holding it", streaming.seconds / holding.seconds, most=1),
    ]
    rows = [
        ["by hand, typed", f"{large:,}", *_per_widget(typed, large)],
        ["amoexplore", f"{large:,}", *_per_widget(held, large)],
        ["amoexplore", f"{huge:,}", *_per_widget(holding, huge)],
        ["amoexplore, to Parquet", f"{huge:,}", *_per_widget(streaming, huge)],
    ]
    words = "A process for each load over HTTP; its peak above what it had after imports and a load of one page."
    return Section("Memory", words, ["way", "widgets", "peak, MB", "bytes a widget"], rows, goals)


def _taken(bench: Bench, way: str, size: int) -> Taken:
    urls = [bench.server.serve(size=size), bench.server.serve(size=catalogue.LIMIT)]
    command = [sys.executable, "-m", "benchmarks.memory", way, *urls, str(bench.folder)]
    return msgspec.json.decode(_run(command), type=Taken)


def _median(each: list[Taken]) -> Taken:
    return Taken(median(one.seconds for one in each), int(median(one.peak for one in each)))


def _per_widget(taken: Taken, size: int) -> list[str]:
    return [shown(taken.peak / _MB), f"{taken.peak / size:,.0f}"]


def importing(bench: Bench) -> Section:
    """Measure what an import adds to the start of an interpreter."""
    sources = {
        "nothing": "pass",
        "amoexplore": "import amoexplore",
        "requests": "import requests",
        "pandas": "import pandas",
    }
    ways = {name: lambda _, source=source: _run([sys.executable, "-c", source]) for name, source in sources.items()}
    seconds = interleaved(ways, bench.plan.starts, lambda: None)
    added = {name: (taken - seconds["nothing"]) * 1000 for name, taken in seconds.items() if name != "nothing"}
    rows = [[name, f"{taken:.1f}"] for name, taken in added.items()]
    goal = Goal("`import amoexplore`, above a bare interpreter", added["amoexplore"], most=5, unit=" ms")
    return Section("Import", "Above an interpreter that imports nothing.", ["import", "ms"], rows, [goal])


def command(bench: Bench) -> Section:
    """Measure `amoexplore load --to x.csv` beside a script that does the same, as whole processes."""
    latency = bench.plan.latencies[1]
    ways: dict[str, Callable[[Urls], object]] = {
        _SCRIPT: lambda urls: _script(urls.known, bench.folder / "script.csv"),
        FIRST: lambda urls: _command(urls.fresh, bench.folder / "first.csv"),
        KNOWN: lambda urls: _command(urls.known, bench.folder / "known.csv"),
    }
    measured, goals = {}, []
    for size, least in ((bench.plan.burst - 1, 4), (bench.plan.paged, 8)):
        urls = two_accounts(bench, size=size, latency=latency)
        pages, seconds = catalogue.page_count(size), interleaved(ways, bench.plan.few, urls)
        _demand_same(bench.folder)
        measured[pages] = seconds
        for name in (FIRST, KNOWN):
            what = f"`amoexplore load --to x.csv`, {pages} pages, {name.partition(', ')[2]}: as fast as a script"
            goals.append(Goal(what, seconds[_SCRIPT] / seconds[name], least=least))
    rows = [[name, *(shown(times[_SCRIPT] / times[name]) for times in measured.values())] for name in ways]
    words = (
        f"From the start of the process to its end, at {in_ms(latency)}, for a file of the widgets; the script leaves "
        "the settings alone."
    )
    return Section("The command", words, ["× as fast as the script", *(f"{n} pages" for n in measured)], rows, goals)


def _script(url: str, path: Path) -> None:
    _run([sys.executable, str(Path(__file__).with_name("by_hand.py")), url, str(path)])


def _command(url: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    program = str(Path(sys.executable).with_name("amoexplore"))
    _run([program, "load", "--to", str(path)], AMOEXPLORE_URL=url)


def _demand_same(folder: Path) -> None:
    script = pd.read_csv(folder / "script.csv")
    for name in ("first.csv", "known.csv"):
        ours_read = pd.read_csv(folder / name)
        pd.testing.assert_frame_equal(ours_read, script[list(ours_read)])


def _run(command: list[str], **variables: str) -> bytes:
    environment = {**os.environ, "AMOEXPLORE_TOKEN": ours.TOKEN, **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    done = subprocess.run(command, env=environment, cwd=_ROOT, check=False, capture_output=True)  # noqa: S603  our own
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return done.stdout
