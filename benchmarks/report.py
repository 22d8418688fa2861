"""What was measured, as a page of Markdown."""

from __future__ import annotations

import math
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PACKAGES = ("amoexplore", "msgspec", "pyarrow", "pandas", "requests", "dlt", "polars")


@dataclass(frozen=True)
class Goal:
    """What is to be reached, and what was."""

    what: str
    measured: float
    least: float = -math.inf
    most: float = math.inf
    unit: str = " ×"

    @property
    def is_met(self) -> bool:
        """Whether it was reached, before rounding."""
        return self.least <= self.measured <= self.most

    def row(self) -> list[str]:
        """Return its row of the table."""
        bound = f"≥ {self.least:g}" if self.least > -math.inf else f"≤ {self.most:g}"
        return [self.what, bound + self.unit, shown(self.measured) + self.unit, "yes" if self.is_met else "**no**"]


@dataclass(frozen=True)
class Section:
    """One thing that was measured: a table with its heading, and what was to be reached."""

    title: str
    words: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal] = field(default_factory=list)

    def __str__(self) -> str:
        return f"## {self.title}\n\n{self.words}\n\n{_table(self.head, self.rows)}\n"


def shown(number: float) -> str:
    """Return a number with as many places as say something."""
    if number == int(number):
        return f"{number:,.0f}"
    if abs(number) < 10:  # noqa: PLR2004  what has one digit before the point
        return f"{number:.2f}"
    return f"{number:.1f}" if abs(number) < 100 else f"{number:,.0f}"  # noqa: PLR2004


_ABOUT = """# How fast it is

`make bench` measures all of this and writes this page. Every number stands beside one that was measured in the same
run, the ways taking turns, and is a ratio of medians: what is compared holds elsewhere, the seconds of one machine do
not.

{run}.

*By hand* is what an analyst writes: a loop over the pages with requests, `json_normalize` twice, concat. *Typed*, it
also parses ratings, counts settings and gives each column its dtype. *Floor* is what no loader can do without: bytes
that are in memory already, msgspec, Arrow. All ways are checked to give the same values. The server is on the same
machine: no TLS, no HTTP/2, not the real service.

## Targets

{met} of {count} are met.

{goals}
"""


def page(sections: Sequence[Section], seconds: float) -> str:
    """Return the page."""
    goals = [goal for section in sections for goal in section.goals]
    about = _ABOUT.format(
        run=f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, in {seconds / 60:.0f} minutes; {_versions()}",
        met=sum(goal.is_met for goal in goals),
        count=len(goals),
        goals=_table(["what", "target", "measured", "met"], [goal.row() for goal in goals]),
    )
    return "\n".join([about, *map(str, sections)])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine() -> str:
    return f"{os.cpu_count()} cores ({_processor()}), {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    text = information.read_text(encoding="utf-8") if information.exists() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _versions() -> str:
    return ", ".join(f"{name} {found}" for name in _PACKAGES if (found := _version(name)))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
