from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import requests

from amoexplore import pacer

# Behind everything else: where the wheel is to be tested, the checkout's package stays out of it.
sys.path.append(str(Path(__file__).parent.parent))

from benchmarks import by_hand, catalogue, rivals
from benchmarks.__main__ import CASES
from benchmarks.plan import QUICK, Bench
from benchmarks.report import Goal, page
from benchmarks.server import Counts, Server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Keep what other tests have left out of the search for garbage before each measurement, which it makes long."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Return the benchmarks' server."""
    with Server() as server:
        yield server


@pytest.mark.parametrize("name", CASES)
def test_every_case_runs(server: Server, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each case measures what it says, and finds its place on the page."""
    monkeypatch.setattr(pacer, "clock", pacer.Clock())  # what is measured is time
    section = CASES[name](Bench(QUICK, server, tmp_path, frozenset()))
    written = page([section], 60.0)
    assert all(goal.measured >= 0 or goal.unit == " ms" for goal in section.goals)
    assert {len(row) for row in section.rows} == {len(section.head)}
    assert f"## {section.title}\n" in written
    assert all(goal.what in written for goal in section.goals)


@pytest.mark.parametrize("size", [1, 250, 251, 10_250])
def test_a_catalogue_has_every_widget_once(size: int) -> None:
    """A catalogue of any size has as many ids and codes, and names no page after its last."""
    pages = [json.loads(body) for body in catalogue.pages(size)]
    widgets = [widget for page in pages for widget in page["_embedded"]["widgets"]]
    assert len(pages) == catalogue.page_count(size)
    assert (len({w["id"] for w in widgets}), len({w["code"] for w in widgets})) == (size, size)
    assert ["next" in page["_links"] for page in pages] == [True] * (len(pages) - 1) + [False]


def test_after_the_last_page_there_is_nothing(server: Server) -> None:
    """A page past the end answers 204, as the API does."""
    assert requests.get(f"{server.serve(size=250)}/api/v4/widgets?page=2", timeout=9).status_code == 204


def test_the_server_counts_what_it_refuses(server: Server) -> None:
    """More than the limit within a second is refused, and told."""
    url = server.serve(size=250, rate=3)
    answers = [requests.get(url, timeout=9).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert server.counts(url) == Counts(answered=3, refused=2)


def test_without_bursts_two_requests_are_one_too_many(server: Server) -> None:
    """Where bursts are not allowed, the second of two requests in a row is refused."""
    url = server.serve(size=250, rate=1, spaced=True)
    assert [requests.get(url, timeout=9).status_code for _ in range(2)] == [200, 429]


def test_connections_are_cold_and_end(server: Server) -> None:
    """A connection's first request takes longer, and its last answer says that it is the last."""
    url = server.serve(size=250, cold=0.2, keep=2)
    session, seconds, said = requests.Session(), [], []
    for _ in range(3):
        started = time.perf_counter()
        said.append(session.get(url, timeout=9).headers.get("Connection"))
        seconds.append(time.perf_counter() - started)
    assert [taken > 0.2 for taken in seconds] == [True, False, True]
    assert said == [None, "close", None]


def test_the_floor_and_the_hand_written_loop_agree() -> None:
    """What is compared gives the same values, and one that does not is found."""
    bodies = catalogue.pages(600)
    widgets, settings = by_hand.typed(bodies)
    rivals.demand_same((widgets, settings), rivals.floor(bodies))
    wrong = widgets.assign(rating=widgets["rating"] + 1)
    with pytest.raises(ValueError, match="Not the same values"):
        rivals.demand_same((wrong, settings), rivals.floor(bodies))
    with pytest.raises(ValueError, match="Not the same values"):
        rivals.demand_same((widgets, settings.iloc[::-1]), rivals.floor(bodies))


def test_the_script_writes_what_the_loop_loads(server: Server) -> None:
    """The script for a file of widgets has the values of the loop for both tables."""
    url = server.serve(size=300)
    pd.testing.assert_frame_equal(by_hand.widgets_only(by_hand.fetched(url)), by_hand.typed(by_hand.fetched(url))[0])


@pytest.mark.parametrize(
    ("goal", "row"),
    [
        (Goal("a", 3.004, least=3), ["a", "≥ 3 ×", "3.00 ×", "yes"]),
        (Goal("b", 2.996, least=3), ["b", "≥ 3 ×", "3.00 ×", "**no**"]),
        (Goal("c", 48.2, most=50, unit=" MB"), ["c", "≤ 50 MB", "48.2 MB", "yes"]),
        (Goal("d", 1, most=0, unit=""), ["d", "≤ 0", "1", "**no**"]),
    ],
)
def test_a_goal_is_met_or_not(goal: Goal, row: list[str]) -> None:
    """The page is honest about a target that was missed, however near."""
    assert goal.row() == row
