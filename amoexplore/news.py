"""What changed in the marketplace, told outside of a notebook: a table, a file, or a page for a browser."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib import style
from matplotlib.figure import Figure

from amoexplore import charts, export, files, moments, svg, webpage
from amoexplore.account import SANDBOX
from amoexplore.charts import ink
from amoexplore.past import history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SUFFIXES = (".html", ".htm", ".csv", ".xlsx")

#: Inches of a chart.
_SIZE = (9.6, 4.2)
#: The most rows that a page has: a browser takes its time for more, and nobody reads them.
_ROWS = 5000
#: What stands for the key of a setting that has none: where nothing stands, the widget itself is meant.
_NO_KEY = "(no key)"


def check(path: Path) -> None:
    """Raise what writing would raise later, after a long read."""
    files.check(path, SUFFIXES)


class Told:
    """The changes between snapshots, and between which.

    Parameters
    ----------
    where, since, until, account
        As for ``amo.history`` and its ``changes``.
    """

    def __init__(self, where: str, *, since: str | None, until: str | None, account: str | None) -> None:
        past = history(where)
        found = past.changes(since, until, account=account)
        self.changes = found.assign(setting=found["setting"].replace("", _NO_KEY))
        taken = past.snapshots if account is None else past.snapshots[past.snapshots["account"] == account]
        within = pd.Series(data=True, index=taken.index)
        if since is not None:
            within &= taken["taken"] > moments.beginning(since)
        if until is not None:
            within &= taken["taken"] <= moments.end(until)
        self.accounts = [*dict.fromkeys(taken["account"])]
        self.snapshots = int(within.sum())
        self.times = taken.loc[within, "taken"]

    def counts(self) -> str:
        """Return how many changes there are, of how many snapshots."""
        return f"{ink.plural(len(self.changes), 'change')} in {ink.plural(self.snapshots, 'snapshot')}"

    def as_text(self, *, decimal_comma: bool = False) -> str:
        """Return a table for the terminal, and in a line what it is of."""
        if self.changes.empty:
            return f"Nothing has changed: {self._between()}."
        shown = _readable(self.changes, decimal_comma=decimal_comma)
        if len(self.accounts) == 1:
            shown = shown.drop(columns="account")
        return f"{export.as_text(shown)}\n{ink.plural(len(shown), 'change')}: {self._between()}."

    def write(self, path: Path, *, decimal_comma: bool = False) -> None:
        """Write a page, a CSV or an Excel file, by the ending of the name; it is there whole or not at all."""
        check(path)
        if path.suffix.lower() in webpage.SUFFIXES:
            page = self.render(decimal_comma=decimal_comma)
            with files.whole(path) as unfinished:
                unfinished.write_text(page, encoding="utf-8", newline="\n")
        else:
            export.write_frame(self.changes, path, decimal_comma=decimal_comma)

    def render(self, *, decimal_comma: bool = False) -> str:
        """Return the page: what changed, in two charts and a table, the latest first."""
        latest = self.changes.iloc[::-1].sort_values("taken", ascending=False, kind="stable").head(_ROWS)
        return webpage.page(
            "changes.html",
            accounts=self.accounts,
            is_sandbox=SANDBOX in self.accounts,
            between=self._between(),
            total=len(self.changes),
            figures=self._figures(),
            rows=_readable(latest, decimal_comma=decimal_comma).itertuples(),
        )

    def _between(self) -> str:
        if not self.snapshots:
            return "no snapshot was taken in this time"
        first, last = (f"{moment:%Y-%m-%d %H:%M}" for moment in (self.times.min(), self.times.max()))
        return f"{ink.plural(self.snapshots, 'snapshot')}, {first} to {last} UTC"

    def _figures(self) -> Iterator[dict[str, Any]]:
        drawn: dict[str, Callable[..., Any]] = {
            "What kinds of changes are there?": charts.changes,
            "When did widgets come and go?": charts.arrivals,
        }
        for number, (question, draw) in enumerate(drawn.items()):
            with style.context("default"):
                figure = Figure(figsize=_SIZE, layout="constrained")
                ax = draw(self.changes, ax=figure.subplots())
                yield {"question": question, "svg": svg.inline(figure, name=f"chart{number}", alt=charts.alt_text(ax))}


def _readable(changes: pd.DataFrame, *, decimal_comma: bool) -> pd.DataFrame:
    """Return the changes as texts; what is missing is empty."""
    text = partial(_text, decimal_comma=decimal_comma)
    shown = changes.assign(taken=changes["taken"].dt.strftime("%Y-%m-%d %H:%M"))
    return pd.DataFrame({name: column.map(text).astype("str") for name, column in shown.items()})


def _text(value: Any, *, decimal_comma: bool) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace(".", ",") if decimal_comma and isinstance(value, float) else str(value)
