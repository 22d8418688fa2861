"""How fast a year of snapshots is asked for its changes, beside the time that DuckDB needs to just read the files.

A year of days is made from the sandbox's catalogue: widgets come and go, ratings and versions move, settings get other
names. Then, in turns: DuckDB reads every value of every file and keeps none; it hands them all over; a history that has
checked all files says what changed; one is opened anew, checks all files, and says it. The ratio of the medians is what
counts.

Usage: python history.py [DAYS] [WIDGETS] [RUNS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

import amoexplore as amo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
#: Changes a day: widgets that go (as many come), ratings, versions, names of settings.
GO, RATINGS, VERSIONS, NAMES = 2, 30, 10, 3


def year(days: int, size: int) -> Iterator[amo.Catalog]:
    """Yield a catalogue a day."""
    with amo.Sandbox(size=size * 4 // 3) as sandbox:
        catalog = amo.load_catalog(amo.connect(sandbox.url, sandbox.token), progress=False)
    widgets, settings = catalog.widgets, catalog.settings
    chance = np.random.default_rng(0)
    is_there = np.zeros(len(widgets), dtype=bool)
    is_there[chance.choice(len(widgets), size, replace=False)] = True
    for day in range(days):
        there = widgets[is_there]
        yield amo.Catalog(there, settings[settings["code"].isin(there["code"])], catalog.report)
        gone, fresh = (chance.choice(np.flatnonzero(part), GO, replace=False) for part in (is_there, ~is_there))
        is_there[gone], is_there[fresh] = False, True
        rated = chance.choice(len(widgets), RATINGS, replace=False)
        widgets.loc[rated, "rating"] = chance.integers(0, 51, RATINGS) / 10
        widgets.loc[chance.choice(len(widgets), VERSIONS, replace=False), "version"] = f"2.{day}.0"
        settings.loc[chance.choice(len(settings), NAMES, replace=False), "name"] = f"Поле {day}"


def read(where: Path, *, hand_over: bool = False) -> None:
    """Let DuckDB read every value of every file."""
    with duckdb.connect() as opened:
        for table in ("widgets", "settings"):
            files = f"read_parquet('{where}/*/*/{table}.parquet', hive_partitioning = false)"
            if hand_over:
                opened.sql(f"SELECT * FROM {files}").to_arrow_table()  # noqa: S608  a folder of this script's own
            else:
                opened.sql(f"SELECT count(COLUMNS(*)) FROM {files}").fetchall()  # noqa: S608


def timed(job: Callable[[], Any]) -> float:
    """Return the seconds that a job takes."""
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def main(days: int = 365, size: int = 3000, runs: int = 9) -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        for day, catalog in enumerate(year(days, size)):
            amo.snapshot(catalog, where, taken=BEGINNING + timedelta(days=day))
        checked = amo.history(where)
        checked.check()
        jobs: dict[str, Callable[[], Any]] = {
            "DuckDB reads every value": lambda: read(where),
            "DuckDB hands every value over": lambda: read(where, hand_over=True),
            "history opened": lambda: amo.history(where),
            "changes, all files checked before": checked.changes,
            "history opened, changes": lambda: amo.history(where).changes(),
            "history opened, spans of ratings": lambda: amo.history(where).spans("rating"),
        }
        seconds: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(runs):
            for name, job in jobs.items():
                seconds[name].append(timed(job))
        megabytes = sum(file.stat().st_size for file in where.rglob("*.parquet")) / 1e6
        found = len(amo.history(where).changes())
        print(
            f"{days} snapshots of {size} widgets, {megabytes:.0f} MB, {found} changes; medians of {runs} runs in turns"
        )
    floor = median(seconds["DuckDB reads every value"])
    for name, taken in seconds.items():
        print(f"{name:<34} {median(taken):6.3f} s  {median(taken) / floor:5.2f} ×")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
