"""The catalogue page by page: to go through, or into files, with no more than a few pages in memory."""

from __future__ import annotations

import csv
import os
import threading
import time
from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from amoexplore import files, rows
from amoexplore.display import counted
from amoexplore.load import begun, check, read, warn
from amoexplore.parts import Part, Reader, joined
from amoexplore.progress import DEFAULT_LIMIT
from amoexplore.reports import Tally
from amoexplore.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

    from amoexplore.account import Account
    from amoexplore.columns import Columns, TableName
    from amoexplore.frames import Batches
    from amoexplore.reports import Report
    from amoexplore.wire import Page

    Tables: TypeAlias = dict[TableName, pa.Table]


@dataclass(frozen=True, eq=False)
class CatalogPage:
    """One page of the catalogue.

    Attributes
    ----------
    number : int
        From 1.
    widgets, settings : DataFrame
        Its rows of ``catalog.widgets`` and ``catalog.settings``, with the same dtypes; made when asked for.
    tables : dict of Table
        The same as Arrow has it, by "widgets" and "settings".
    report : Report
        What could not be read, or came again.
    """

    number: int
    report: Report
    _part: Part[Columns]

    @cached_property
    def widgets(self) -> pd.DataFrame:
        """One row a widget."""
        return self._frame("widgets")

    @cached_property
    def settings(self) -> pd.DataFrame:
        """One row a field of a settings_template."""
        return self._frame("settings")

    @cached_property
    def tables(self) -> Tables:
        """Both, as Arrow has them."""
        from amoexplore.frames import table  # noqa: PLC0415  not before a page has come

        return {"widgets": table("widgets", [self._in_arrow]), "settings": table("settings", [self._in_arrow])}

    def _frame(self, name: TableName) -> pd.DataFrame:
        from amoexplore.frames import frame  # noqa: PLC0415  not before a page has come

        return frame(name, [self._in_arrow])

    @cached_property
    def _in_arrow(self) -> Part[Batches]:
        from amoexplore.frames import in_arrow  # noqa: PLC0415  not before a page has come

        return in_arrow([self._part])

    def __repr__(self) -> str:
        counts = f"{counted(self.report.widgets, 'widget')}, {counted(self.report.settings, 'setting')}"
        return f"<CatalogPage {self.number}: {counts}>"


def iter_pages(
    account: Account,
    *,
    limit: int = DEFAULT_LIMIT,
    on_bad: Literal["coerce", "raise"] = "coerce",
    progress: bool | None = None,
) -> Iterator[CatalogPage]:
    """Go through the catalogue page by page, of which a few are in memory at a time.

    Parameters
    ----------
    account, limit, on_bad, progress
        As of :func:`load_catalog`.

    Yields
    ------
    CatalogPage
        In order. A widget that had come before is left out, so that a page may be shorter than it came.

    Raises
    ------
    UnreadableValue, RepeatedPage, AmoError
        As :func:`load_catalog` does, where it comes to that.
    """
    check(account, on_bad)
    return _pages(account, limit, on_bad=on_bad, progress=progress)


def _pages(account: Account, limit: int, *, on_bad: str, progress: bool | None) -> Iterator[CatalogPage]:
    with Walk(account, limit) as walk:
        for number, part in enumerate(read(begun(walk), Reader(), on_bad=on_bad, progress=progress), 1):
            sent = part.tally.requests
            report = part.tally.report(account.name, sent, sent - 1, part.tally.waited)
            warn(report, "page.report")
            yield CatalogPage(number, report, part)


def load_to_parquet(
    account: Account,
    path: str | Path,
    *,
    limit: int = DEFAULT_LIMIT,
    on_bad: Literal["coerce", "raise"] = "coerce",
    progress: bool | None = None,
) -> Report:
    """Load the whole catalogue into two Parquet files, without holding it in memory.

    Parameters
    ----------
    account, limit, on_bad, progress
        As of :func:`load_catalog`.
    path : str or Path
        Where the widgets go, such as ``market.parquet``; the settings go beside it, into ``market.settings.parquet``.
        Both are there once the load is over, or they are as before.

    Returns
    -------
    Report
        ``pandas.read_parquet`` gives the very frames of :func:`load_catalog`.

    Raises
    ------
    ValueError, OSError
        If there can be no such file; nothing was sent then.
    UnreadableValue, RepeatedPage, AmoError
        As :func:`load_catalog` does.
    """
    check(account, on_bad)
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is the name of a file, such as 'market.parquet', not of type {type(path).__name__}.")
    path = Path(path)
    files.check(path, [".parquet"])
    paths: dict[TableName, Path] = {"widgets": path, "settings": settings_path(path)}
    files.check(paths["settings"], [".parquet"])
    return stream(account, paths, ParquetFile, limit=limit, on_bad=on_bad, progress=progress)


def settings_path(path: Path) -> Path:
    """Return where the settings go if the widgets go there."""
    return path.with_name(f"{path.stem}.settings{path.suffix}")


def stream(account: Account, paths: Mapping[TableName, Path], kind: type[TableFile], **options: Any) -> Report:
    """Load tables into files of a kind, each there whole in the end, or not at all; options as of load_to_parquet.

    A part is written while the next one comes.
    """
    started = time.perf_counter()
    walk = Walk(account, options.pop("limit", DEFAULT_LIMIT))
    tally = Tally()
    with ExitStack() as stack:
        unfinished = {table: stack.enter_context(files.whole(path)) for table, path in paths.items()}
        # Left before any of those is: no file takes its place before all are written to the end.
        writers = [stack.enter_context(kind(path, table)) for table, path in unfinished.items()]
        # One for all: each thread has memory of its own, and keeps it.
        thread = stack.enter_context(ThreadPoolExecutor(1))
        written: Future[None] | None = None
        with walk:  # not where its pages are yielded: what a generator raises that is left to itself is lost
            for part in _groups(kind, walk, tuple(paths), **options):
                tally.add(part.tally)
                if written:
                    written.result()  # or what went wrong with it
                written = thread.submit(_add, writers, part)
        if written:
            written.result()
    report = tally.report(account.name, walk.sent, walk.failed, time.perf_counter() - started)
    warn(report, "report")
    return report


def _groups(kind: type[TableFile], walk: Walk, tables: Sequence[TableName], **options: Any) -> Iterator[Part[Any]]:
    """Yield what such a file takes, of some pages at a time."""
    reader = Reader()
    walk.meanwhile = reader.read_ahead
    held: list[Part[Columns]] = []
    for part in read(kind.begun(walk), reader, **options):
        held.append(part)
        if sum(page.tally.widgets for page in held) >= kind.together:
            yield kind.made(held, tables)
            held = []
    if held:
        yield kind.made(held, tables)


def _add(writers: Iterable[TableFile], part: Part[Any]) -> None:
    for writer in writers:
        writer.take(part)


class TableFile(ABC):
    """Takes the rows of a table, some pages at a time, into a file."""

    #: At least so many widgets at a time.
    together: int

    @staticmethod
    def begun(walk: Walk) -> Iterable[Page]:
        """Begin to walk, and import meanwhile what is needed."""
        return walk

    @staticmethod
    @abstractmethod
    def made(pages: Sequence[Part[Columns]], tables: Iterable[TableName]) -> Part[Any]:
        """Return what :meth:`add` takes, of pages that follow one another and for files of these tables."""

    def __init__(self, path: Path, table: TableName) -> None:
        self._path, self._table = path, table
        self._turn = threading.Lock()
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def take(self, part: Part[Any]) -> None:
        """Take in the rows of a part, unless all is over."""
        with self._turn:
            if not self._is_over:
                self.add(part)

    def __exit__(self, *_: object) -> None:
        # After Ctrl-C a thread may be writing still, or about to: a file that is closed meanwhile would crash Python.
        with self._turn:
            self._is_over = True
            self.close()

    @abstractmethod
    def add(self, part: Part[Any]) -> None:
        """Take in the rows of a part."""

    @abstractmethod
    def close(self) -> None:
        """Write what is left, and close the file."""


class ParquetFile(TableFile):
    """Takes groups of rows into a Parquet file."""

    #: Of fewer its footer grows, more of them are held in memory.
    together = 2_500
    #: In which values come again and again: looking for that in the others takes a fifth of the time of writing.
    _repetitive = ("version", "rating", "pipeline_id", "settings_count", "required_count", "key", "name", "type")
    _writer: Any = None

    @staticmethod
    def begun(walk: Walk) -> Iterable[Page]:
        """Begin to walk, and import meanwhile what is needed."""
        return begun(walk)

    @staticmethod
    def made(pages: Sequence[Part[Columns]], tables: Iterable[TableName]) -> Part[Tables]:
        """Return these tables, as Arrow has them."""
        from amoexplore.frames import in_arrow, table  # noqa: PLC0415  not before a page has come

        part = in_arrow(pages)
        return Part({name: table(name, [part]) for name in tables}, part.tally)

    def add(self, part: Part[Tables]) -> None:
        """Take in the rows of a part, as a group."""
        from pyarrow import parquet  # noqa: PLC0415  not before a page has come

        group = part.rows[self._table]
        self._writer = self._writer or parquet.ParquetWriter(
            self._path, group.schema, use_dictionary=list(self._repetitive)
        )
        self._writer.write_table(group)

    def close(self) -> None:
        """Write the footer, and close the file."""
        if self._writer:
            self._writer.close()


class CsvFile(TableFile):
    """Takes rows into a CSV file, as pandas writes them."""

    together = 1
    separator, decimal = ",", "."

    def __init__(self, path: Path, table: TableName) -> None:
        super().__init__(path, table)
        # The byte order mark is how Excel knows that Cyrillic is UTF-8.
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        # Lines end as in Excel's: of what can break a line, only what is in this is quoted before Python 3.13.
        self._rows = csv.writer(self._file, delimiter=self.separator, lineterminator="\r\n")
        self._is_empty = True

    @staticmethod
    def made(pages: Sequence[Part[Columns]], tables: Iterable[TableName]) -> Part[Columns]:
        """Return these pages as one part."""
        del tables  # of columns each of them is made
        return joined(pages)

    def add(self, part: Part[Columns]) -> None:
        """Take in the rows of a part."""
        columns = rows.table(self._table, part.rows)
        if self._is_empty:
            self._rows.writerow(columns)
            self._is_empty = False
        self._rows.writerows(zip(*map(self._cells, columns.values()), strict=True))

    def close(self) -> None:
        """Write what is left, and close the file."""
        self._file.close()

    def _cells(self, column: Sequence[Any]) -> Sequence[Any]:
        if self.decimal == ".":
            return column
        return [str(cell).replace(".", self.decimal) if isinstance(cell, float) else cell for cell in column]


class RussianCsvFile(CsvFile):
    """The same as Excel in a Russian locale reads it: ``2,8``, separated by semicolons."""

    separator, decimal = ";", ","
