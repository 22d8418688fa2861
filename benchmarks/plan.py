"""How much is measured, and with what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.server import Server


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured.

    Attributes
    ----------
    small, large, huge : int
        Sizes of catalogues.
    paged : int
        The size of the one that is far away: 40 pages, of which the last is not full.
    burst : int
        The size of one whose pages fit into a second's permits.
    latencies : tuple of float
        How far away, in seconds there and back.
    runs, few, starts : int
        How often what is short is measured, what takes long, and what is over at once.
    quick : int
        How often in a row where the processor is measured, and others take much longer.
    clean_runs : int
        Loads at a limit, of which not one may be refused a request.
    at_once : int
        How many of these wait at the same time.
    rest : float
        Seconds after which no request is counted any more.
    """

    small: int = 10_000
    large: int = 100_000
    huge: int = 1_000_000
    paged: int = 9_999
    burst: int = 1_750
    latencies: tuple[float, ...] = (0.0, 0.1, 0.3)
    runs: int = 7
    few: int = 3
    starts: int = 21
    quick: int = 3
    clean_runs: int = 50
    at_once: int = 12
    rest: float = 1.1


#: Whether all of it runs, in seconds; the numbers say nothing.
QUICK = Plan(
    small=300,
    large=500,
    huge=700,
    paged=600,
    burst=500,
    latencies=(0.0, 0.01),
    runs=1,
    few=1,
    starts=1,
    clean_runs=2,
    at_once=2,
    rest=0.0,
)


@dataclass(frozen=True)
class Bench:
    """What the cases share: how much, the server, a folder for files, and the rivals that are installed."""

    plan: Plan
    server: Server
    folder: Path
    rivals: frozenset[str]
