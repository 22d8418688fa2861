"""What one load takes, in a process of its own: prints seconds and the peak of memory above what was there before it.

Usage: python -m benchmarks.memory WAY URL SMALL_URL FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from benchmarks import ours
from benchmarks.timing import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable

_STATUS, _FORGET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Taken(Struct):
    """What a load took: seconds, and bytes at the peak."""

    seconds: float
    peak: int


def taken(load: Callable[[str], object], url: str, small: str) -> Taken:
    """Load a small catalogue, for all that is imported and opened once, and then the one that is measured."""
    load(small)
    _FORGET_PEAK.write_text("5", encoding="ascii")
    before = _memory("VmRSS")
    seconds = seconds_of(lambda: load(url))
    return Taken(seconds, _memory("VmHWM") - before)


def _memory(name: str) -> int:
    """Return bytes in memory; getrusage's peak would have that of the parent process in it."""
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def _way(name: str, folder: Path) -> Callable[[str], object]:
    if name == "hold":
        return ours.load
    if name == "stream":
        return lambda url: ours.stream(url, folder / "streamed.parquet")
    from benchmarks import by_hand  # noqa: PLC0415  what is not used is not in memory

    return lambda url: by_hand.typed(by_hand.fetched(url))


if __name__ == "__main__":
    result = taken(_way(sys.argv[1], Path(sys.argv[4])), *sys.argv[2:4])
    print(msgspec.json.encode(result).decode())
