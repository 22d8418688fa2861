"""How fast a catalogue becomes two typed DataFrames, beside what an analyst writes by hand.

Both load the same pages over HTTP from the same server, in turns, in one process; the ratio of the medians is what
counts, not the seconds of this machine.

Usage: python load.py [SIZE] [RUNS]
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pandas as pd
import requests

from amoexplore import Account, Sandbox, load_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "benchmark"  # noqa: S105  the server asks for none
FLAGS = ["is_lead_source", "is_work_with_dp", "is_crm_template", "is_active_in_account"]
Frames = tuple[pd.DataFrame, pd.DataFrame]


def by_hand(url: str) -> Frames:
    """Load as an analyst writes it: a loop, json_normalize twice, ratings parsed, astype, concat."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {TOKEN}"
    widgets, settings = [], []
    page = 1
    while True:
        response = session.get(f"{url}/api/v4/widgets", params={"page": page, "limit": 250}, timeout=30)
        response.raise_for_status()
        if response.status_code == 204:  # noqa: PLR2004
            break
        body = response.json()
        records = body["_embedded"]["widgets"]
        widgets.append(pd.json_normalize(records))
        settings.append(pd.json_normalize(records, "settings_template", ["id", "code"], meta_prefix="widget_"))
        if "next" not in body["_links"]:
            break
        page += 1
    return typed_widgets(pd.concat(widgets)), typed_settings(pd.concat(settings))


def typed_widgets(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns their dtypes."""
    frame = frame.reset_index(drop=True)
    frame["rating"] = frame["rating"].apply(rating).astype("Float64")
    frame["settings_count"] = frame["settings_template"].apply(len)
    frame["required_count"] = frame["settings_template"].apply(lambda fields: sum(f["is_required"] for f in fields))
    dtypes = {"id": "int64", "code": "str", "version": "str", "client_uuid": "str", "pipeline_id": "Int64"}
    return frame.drop(columns="settings_template").astype(dtypes | dict.fromkeys(FLAGS, "boolean"))


def typed_settings(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns their dtypes."""
    frame = frame.reset_index(drop=True)
    frame["position"] = frame.groupby("widget_id").cumcount()
    dtypes = {"widget_id": "int64", "widget_code": "str", "key": "str", "name": "str", "type": "str"}
    return frame.astype(dtypes | {"is_required": "boolean"})


def rating(value: object) -> float | None:
    """Read "2,8"."""
    return float(str(value).replace(",", ".")) if value not in (None, "") else None


def by_amoexplore(url: str) -> Frames:
    """Load with this package."""
    catalog = load_catalog(Account(url, TOKEN))
    return catalog.widgets, catalog.settings


@contextmanager
def server(size: int) -> Iterator[str]:
    """Run the lean server; yields its address."""
    script = Path(__file__).with_name("server.py")
    process = subprocess.Popen(  # noqa: S603  our own script
        [sys.executable, str(script), str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        port = process.stdout.readline().strip()  # type: ignore[union-attr]
        yield f"http://127.0.0.1:{port}"
        process.stdin.close()  # type: ignore[union-attr]


def same(ours: Frames, theirs: Frames) -> None:
    """Check that both ways say the same of every widget and every setting."""
    for mine, other in zip(ours, theirs, strict=True):
        columns = [name for name in mine.columns if name in other.columns]
        pd.testing.assert_frame_equal(mine[columns], other[columns])


def main(size: int = 10_000, runs: int = 15) -> None:
    """Measure and print."""
    ways = {"by hand": by_hand, "amoexplore": by_amoexplore}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with server(size) as url:
        same(by_amoexplore(url), by_hand(url))
        for _ in range(runs):
            for name, load in ways.items():
                started = time.perf_counter()
                load(url)
                seconds[name].append(time.perf_counter() - started)
    medians = {name: median(taken) for name, taken in seconds.items()}
    print(f"{size} widgets in pages of 250 to two typed DataFrames over HTTP, medians of {runs} interleaved runs")
    for name, taken in medians.items():
        print(f"{name:<12} {taken:7.3f} s  {medians['by hand'] / taken:5.2f} × by hand")
    with Sandbox() as sandbox:
        account = Account(sandbox.url, sandbox.token)
        taken = median(load_catalog(account).report.seconds for _ in range(runs))
    print(f"the default sandbox's {sandbox.size} widgets: {taken:.3f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
