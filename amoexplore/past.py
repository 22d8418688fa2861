"""What stood in the marketplace and when: the snapshots of a folder, as catalogues, as changes and by SQL."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd

from amoexplore import display, moments, queries
from amoexplore.columns import WIDGETS
from amoexplore.comparisons import CHANGES, changes, demand, unknown_widget
from amoexplore.errors import NoSnapshot
from amoexplore.reports import Catalog, Report
from amoexplore.shelf import Shelf
from amoexplore.snapshots import TABLES
from amoexplore.wire import Unreadable

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from amoexplore.moments import Moment
    from amoexplore.shelf import Snapshot

_TIME = "datetime64[us, UTC]"


def history(where: str | os.PathLike[str]) -> History:
    """Return what the snapshots of a folder tell.

    Parameters
    ----------
    where : str or path
        The folder or fsspec address that ``amo.snapshot`` writes to.

    Raises
    ------
    NoSnapshot
        If there is no whole snapshot.

    Warns
    -----
    DamagedSnapshotWarning
        If some are unfinished or damaged; they are left out.
    """
    shelf = Shelf(where)
    shelf.look()
    return History(shelf)


class History:
    """The snapshots of a folder, as :func:`history` found them; times are in UTC.

    Manifests and sizes are checked when it is opened, and what a file holds when it is first read. ``account`` is for
    each method the name of an account; by default all of them.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._of(None)

    @property
    def snapshots(self) -> pd.DataFrame:
        """The whole snapshots: ``taken``, ``account``, and how many ``widgets`` and ``settings`` each has."""
        rows = [
            (
                each.manifest.taken,
                each.manifest.account,
                *(each.manifest.files[f"{name}.parquet"].rows for name in TABLES),
            )
            for each in self._shelf.snapshots
        ]
        dtypes = {"taken": _TIME, "account": "str", "widgets": "int64", "settings": "int64"}
        return pd.DataFrame(rows, columns=[*dtypes]).astype(dtypes)

    @property
    def damaged(self) -> pd.DataFrame:
        """What was found unfinished or damaged so far, and is left out: ``snapshot``, ``why``."""
        return pd.DataFrame(self._shelf.damaged.items(), columns=["snapshot", "why"], dtype="str")

    def __repr__(self) -> str:
        return "\n".join([f"History of {self._shelf.address}", *(f"  {k:<10} {v}" for k, v in self._facts().items())])

    def _repr_html_(self) -> str:
        return display.card(f"History of {self._shelf.address}", self._facts())

    def check(self) -> pd.DataFrame:
        """Read every file of every snapshot, and return :attr:`damaged`."""
        for table in TABLES:
            self._shelf.files(table, self._shelf.snapshots)
        return self.damaged

    def query(self, sql: str, parameters: Sequence[object] | None = None) -> pd.DataFrame:
        """Return what a query gives.

        Parameters
        ----------
        sql : str
            In DuckDB's SQL, over the tables ``widgets`` and ``settings``, which have the columns of a catalogue's
            frames and ``taken`` and ``account``, and ``snapshots``. It can reach no other file, no network and no
            variable of Python's, and it can write nothing.
        parameters : sequence, optional
            The values for ``?``.

        Raises
        ------
        QueryFailed
            If DuckDB can't run it, or it does more than read.
        """
        with queries.guarded(*self._undamaged(self._shelf.snapshots, TABLES)) as opened:
            return queries.asked(opened, sql, parameters)

    def catalog(self, at: Moment | None = None, *, account: str | None = None) -> Catalog:
        """Return the catalogue as it was.

        Parameters
        ----------
        at : str, date, datetime or timedelta, optional
            A day such as ``"2026-11-01"`` means its end: the last snapshot that was taken before midnight, UTC. A time
            without a zone is in UTC; ``"30d"`` is 30 days ago. By default the last snapshot.
        account : str, optional
            Needed where there are several.

        Raises
        ------
        NoSnapshot
            If there was none yet, or there are several accounts and none is named.
        """
        until = None if at is None else moments.end(at)
        while True:
            chosen = self._last(until, account)
            files = [self._shelf.files(table, [chosen]) for table in TABLES]
            if all(files):
                widgets, settings = (pd.read_parquet(found[chosen.path]) for found in files)
                return Catalog(widgets, settings, _report(chosen))

    def changes(
        self, since: Moment | None = None, until: Moment | None = None, *, account: str | None = None
    ) -> pd.DataFrame:
        """Return what changed from each snapshot to the next one of its account: one row a change.

        Parameters
        ----------
        since, until : str, date, datetime or timedelta, optional
            What snapshots show that were taken after ``since``, up to ``until``, beginning with what was known at
            ``since``. A day is its first moment, and for ``until`` its last; ``"30d"`` is 30 days ago. By default from
            the first to the last.

        Returns
        -------
        DataFrame
            ``taken`` of the snapshot that shows the change, ``account``, and the columns of ``amo.changes``, which mean
            the same here. In the order of time; of a snapshot as ``amo.changes`` has them, but by codes.
        """
        chosen = list(self._between(since, until, account)) or self._of(account)[:1]  # one alone shows no change
        with self._connection(chosen) as opened:
            before, after = (_Side(**frames) for frames in queries.sides(opened))
            found = changes(before, after)
            numbered = queries.answer(opened, "SELECT n, taken, account FROM inside.numbered").set_index("n")
        code = found["code"].str
        times = numbered.reindex(code[: queries.DIGITS].astype("int64")).reset_index(drop=True)
        told = times.astype({"taken": _TIME, "account": "str"}).join(found.assign(code=code[queries.DIGITS :]))
        return told[["taken", "account", *CHANGES]].sort_values(["taken", "account"], kind="stable", ignore_index=True)

    def ratings(self, codes: str | Iterable[str], *, account: str | None = None) -> pd.DataFrame:
        """Return how these widgets were rated: ``taken``, ``account``, ``code``, ``rating``, a row a snapshot.

        Raises
        ------
        UnknownWidget
            If no snapshot has one of the codes.
        TypeError
            If one is no text.
        """
        codes = [codes] if isinstance(codes, str) else list(codes)
        for code in codes:
            if not isinstance(code, str):
                raise TypeError(f"ratings takes the codes of widgets, such as 'amo_dropbox'; {code!r} is none.")
        codes = list(dict.fromkeys(codes))
        with self._connection(self._of(account), "widgets") as opened:
            found = queries.answer(
                opened,
                "SELECT taken, account, code, rating FROM inside.widgets JOIN inside.numbered USING (n) "
                "WHERE list_contains(?, code) ORDER BY list_position(?, code), account, taken",
                [codes, codes],
            )
            if missing := [code for code in codes if code not in set(found["code"])]:
                raise unknown_widget(
                    missing[0], set(queries.answer(opened, "SELECT DISTINCT code FROM inside.widgets")["code"])
                )
        return found.astype({"taken": _TIME, "account": "str", "code": "str"})

    def spans(self, *columns: str, account: str | None = None) -> pd.DataFrame:
        """Return from when to when each widget was as it was.

        Parameters
        ----------
        *columns : str
            What of it to look at, such as ``"rating"``; by default all.

        Returns
        -------
        DataFrame
            ``account``, ``code``, the columns, ``valid_from``: when the first snapshot was taken that has these values,
            and ``valid_to``: when the first one was that has not; NaT if they stand in the last. By account, code and
            time.
        """
        for name in columns:
            if not isinstance(name, str):
                raise TypeError(f"spans takes names of columns, as in spans('rating', 'version'), not {name!r}.")
        demand(pd.DataFrame(columns=[*WIDGETS]), columns)
        of = [name for name in dict.fromkeys(columns or WIDGETS) if name != "code"]
        with self._connection(self._of(account), "widgets") as opened:
            found = queries.answer(
                opened,
                f"""
                SELECT begun.account, code, {"".join(f'"{name}", ' for name in of)}
                    begun.taken AS valid_from, ended.taken AS valid_to
                FROM ({queries.runs("widgets", ["code", *of])})
                JOIN inside.numbered begun ON begun.n = first LEFT JOIN inside.numbered ended ON ended.n = past
                ORDER BY begun.account, code, valid_from
                """,  # noqa: S608  names of columns, which were looked up
            )
        times = {"account": "str", "valid_from": _TIME, "valid_to": _TIME}
        return found.astype(times | {name: WIDGETS[name] for name in ("code", *of)})

    def _facts(self) -> dict[str, object]:
        table = self.snapshots
        return {
            "snapshots": len(table),
            "accounts": table["account"].nunique(),
            "from": _shown(table["taken"].min()),
            "to": _shown(table["taken"].max()),
            "left out": len(self._shelf.damaged),
        }

    def _of(self, account: str | None) -> list[Snapshot]:
        """Return the snapshots of an account, or all."""
        there = self._shelf.snapshots
        if not there:
            raise NoSnapshot(
                f"There is no whole snapshot at {self._shelf.address}. amo.snapshot(account, …) takes one."
            )
        chosen = [each for each in there if account in (None, each.manifest.account)]
        if not chosen:
            raise NoSnapshot(f"There is no snapshot of {account}; there are of {self._accounts()}.")
        return chosen

    def _accounts(self) -> str:
        return ", ".join(dict.fromkeys(each.manifest.account for each in self._shelf.snapshots))

    def _last(self, until: datetime | None, account: str | None) -> Snapshot:
        chosen = self._of(account)
        if len({each.manifest.account for each in chosen}) > 1:
            raise NoSnapshot(
                f"There are snapshots of several accounts: name one with account=…, of {self._accounts()}."
            )
        before = [each for each in chosen if until is None or each.manifest.taken <= until]
        if not before:
            first = chosen[0].manifest.taken
            raise NoSnapshot(f"There was no snapshot yet: the first one was taken {first:%Y-%m-%d %H:%M} UTC.")
        return before[-1]

    def _between(self, since: Moment | None, until: Moment | None, account: str | None) -> Iterator[Snapshot]:
        """Yield the snapshots of a time, of each account the one before them first."""
        after = None if since is None else moments.beginning(since)
        up_to = None if until is None else moments.end(until)
        for _, group in groupby(self._of(account), key=lambda each: each.manifest.account):
            there = [each for each in group if up_to is None or each.manifest.taken <= up_to]
            before = sum(after is not None and each.manifest.taken <= after for each in there)
            yield from there[max(before - 1, 0) :]

    def _connection(self, snapshots: Sequence[Snapshot], *tables: str) -> AbstractContextManager[DuckDBPyConnection]:
        return queries.connection(*self._undamaged(snapshots, tables or TABLES))

    def _undamaged(
        self, snapshots: Iterable[Snapshot], tables: Iterable[str]
    ) -> tuple[list[Snapshot], dict[str, dict[str, Path]]]:
        """Return what of these snapshots is undamaged, and their files of these tables."""
        files = {table: self._shelf.files(table, snapshots) for table in tables}
        self._of(None)  # all may be damaged
        return [each for each in snapshots if all(each.path in found for found in files.values())], files


def _shown(moment: Any) -> str:
    return "–" if pd.isna(moment) else f"{moment:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class _Side:
    """One side of ``changes``: many pairs of snapshots as one, each code with the number of its pair before it."""

    widgets: pd.DataFrame
    settings: pd.DataFrame


def _report(snapshot: Snapshot) -> Report:
    """Return what the load did; what was not counted yet when it was stored is 0."""
    stored = snapshot.manifest.report
    values = {each.name: stored.get(each.name, 0) for each in fields(Report)}
    listed = tuple(Unreadable(*row) for row in stored["unreadable"]["data"])
    again = tuple((code, number, first, second) for code, number, first, second in stored["repeated"]["data"])
    return Report(**values | {"listed": listed, "again": again})
