"""What a load gives: a Catalog of two frames, and a Report of what it did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

from msgspec import structs

from amoexplore import display
from amoexplore.wire import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd


@dataclass(frozen=True, eq=False)
class Report:
    """What a load did.

    Attributes
    ----------
    account : str
        Where from.
    pages, requests, retries : int
        Pages with widgets; requests sent, also for pages that there were not; how many of them failed, and were sent
        again.
    seconds, waited : float
        From the first request to the last row; and what of it was waiting, for the pace or before another try.
    widgets, settings : int
        Rows of the two frames.
    unknown_fields : dict
        Fields that the API's page does not name, and how often they came.
    unknown_types : dict
        Types of settings that the API's page does not name, and how often they came.
    unreadable : DataFrame
        Values that became NA (page, widget, field, raw); also entries without an id or a code, which no frame can hold.
    repeated : DataFrame
        Widgets that came more than once (code, id, first_page, again_page); the first is kept.
    """

    account: str
    pages: int
    requests: int
    retries: int
    seconds: float
    waited: float
    widgets: int
    settings: int
    unknown_fields: dict[str, int]
    unknown_types: dict[str, int]
    listed: tuple[Unreadable, ...] = ()
    again: tuple[tuple[str, int, int, int], ...] = ()

    @cached_property
    def unreadable(self) -> pd.DataFrame:
        """Values that became NA, and entries that no frame can hold."""
        import pandas as pd  # noqa: PLC0415  imported while the network is asked

        values = [structs.astuple(value) for value in self.listed]
        return pd.DataFrame(values, columns=Unreadable.__struct_fields__)

    @cached_property
    def repeated(self) -> pd.DataFrame:
        """Widgets that came more than once."""
        import pandas as pd  # noqa: PLC0415  imported while the network is asked

        return pd.DataFrame(self.again, columns=["code", "id", "first_page", "again_page"])

    def _rows(self) -> dict[str, object]:
        return {
            "account": self.account,
            "pages": self.pages,
            "requests": self.requests,
            "retries": self.retries,
            "seconds": f"{self.seconds:.2f}",
            **({"waited": f"{self.waited:.2f}"} if self.waited >= 0.01 else {}),  # noqa: PLR2004  what two places show
            "widgets": self.widgets,
            "settings": self.settings,
            "unreadable values": len(self.listed),
            "repeated widgets": len(self.again),
            "unknown fields": _counted(self.unknown_fields),
            "unknown types": _counted(self.unknown_types),
        }

    def __repr__(self) -> str:
        return "\n".join(["Load report", *(f"  {name:<18} {value}" for name, value in self._rows().items())])

    def _repr_html_(self) -> str:
        return display.card("Load report", self._rows())


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} × {count}" for name, count in counts.items()) or "none"


@dataclass(frozen=True, eq=False)
class Catalog:
    """The catalogue as two frames, and what the load did.

    Attributes
    ----------
    widgets : DataFrame
        One row a widget.
    settings : DataFrame
        One row a field of a settings_template.
    report : Report
    """

    widgets: pd.DataFrame
    settings: pd.DataFrame
    report: Report

    def __repr__(self) -> str:
        counts = f"{display.counted(len(self.widgets), 'widget')}, {display.counted(len(self.settings), 'setting')}"
        return f"<Catalog of {self.report.account}: {counts}>"

    def _repr_html_(self) -> str:
        installed = int(self.widgets["is_active_in_account"].sum())
        rated = int(self.widgets["rating"].count())
        rows = {"widgets": len(self.widgets), "installed": installed, "rated": rated, "settings": len(self.settings)}
        return display.card(f"Catalog of {self.report.account}", rows)


@dataclass
class Tally:
    """What pages come to, without their rows.

    Attributes
    ----------
    fresh : list of int
        How many widgets each of them had that had not come before.
    filled : int
        How many had any, new or not.
    settings : int
        Settings of the fresh widgets.
    requests, waited
        Requests and seconds of waiting that they took.
    unreadable : list of Unreadable
        Values that became NA, and entries without an id or a code, which are left out.
    repeated : list of tuple
        Widgets that came again: code, id, page where the code was first, page where it came again; the first is kept.
    unknown, types : Counter
        Fields and types of settings that nobody knows.
    """

    fresh: list[int] = field(default_factory=list)
    filled: int = 0
    settings: int = 0
    requests: int = 0
    waited: float = 0.0
    unreadable: list[Unreadable] = field(default_factory=list)
    repeated: list[tuple[str, int, int, int]] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, tallies: Iterable[Tally]) -> Self:
        """Return what all of them come to."""
        whole = cls()
        for tally in tallies:
            whole.add(tally)
        return whole

    def add(self, more: Tally) -> None:
        """Count more pages."""
        self.fresh += more.fresh
        self.filled += more.filled
        self.settings += more.settings
        self.requests += more.requests
        self.waited += more.waited
        self.unreadable += more.unreadable
        self.repeated += more.repeated
        self.unknown.update(more.unknown)
        self.types.update(more.types)

    @property
    def widgets(self) -> int:
        """How many widgets had not come before."""
        return sum(self.fresh)

    def report(self, account: str, requests: int, failed: int, seconds: float) -> Report:
        """Return the report of a load that took so many requests, of which so many failed."""
        return Report(
            account,
            self.filled,
            requests,
            failed,
            seconds,
            self.waited,
            self.widgets,
            self.settings,
            dict(self.unknown),
            dict(self.types),
            tuple(self.unreadable),
            tuple(self.repeated),
        )
