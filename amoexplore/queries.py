"""SQL over the files of snapshots, by DuckDB, which can read them and nothing else."""

from __future__ import annotations

from contextlib import closing, contextmanager
from glob import escape
from io import FileIO
from itertools import chain
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa
from fsspec import AbstractFileSystem

from amoexplore.columns import SETTINGS, WIDGETS
from amoexplore.errors import QueryFailed
from amoexplore.snapshots import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from amoexplore.shelf import Snapshot

#: What of each table is compared.
COMPARED = {
    "widgets": [name for name in WIDGETS if name not in ("settings_count", "required_count")],
    "settings": [name for name in SETTINGS if name != "widget_id"],
}

#: The digits of a snapshot's number before a code.
DIGITS = 9

_CONFIG: dict[str, Any] = {
    "python_enable_replacements": False,  # a name is a table, never a variable of whoever calls
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_persistent_secrets": False,
    "temp_directory": "",
}
#: Statements that only read; what they call on the way is held back by the locked configuration.
_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}

#: The rows that stood unchanged from one snapshot to another: the number of the first that has it, and that of the
#: first that no longer has it. Rows are told apart by a hash of 64 bits, which is much faster than by their texts, and
#: which snapshots have a row by bits, of 120 snapshots in one number, which are faster and smaller than a list: mostly
#: all stand together, and each is looked at only if there is a gap. Where a run goes on from one number to the next,
#: its end and its beginning cancel out.
_RUNS = """
    SELECT {columns}, unnest(turns[1:-:2]) AS first, unnest(turns[2:-:2]) AS past
    FROM (
        SELECT *, [n FOR n, k IN ends IF n IS DISTINCT FROM ends[k - 1] AND n IS DISTINCT FROM ends[k + 1]] AS turns
        FROM (
            SELECT unnest(any_value(same)), list_sort(flatten(list(
                CASE WHEN bits & (bits + lowest) = 0 THEN [begun, begun + bit_count(bits)]
                ELSE [120 * part + k FOR k IN range(121) IF xor(bits, bits << 1) >> k & 1 = 1] END
            ))) AS ends
            FROM (
                SELECT *, bits & -bits AS lowest, 120 * part + bit_count(lowest - 1) AS begun
                FROM (
                    SELECT hash({columns}) AS hashed, n // 120 AS part, any_value({{{values}}}) AS same,
                        bit_or(1::HUGEINT << n % 120) AS bits
                    FROM inside.{table} GROUP BY hashed, part
                )
            )
            GROUP BY hashed
        )
    )
"""

_PANDAS = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.float32(): pd.Float32Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.string(): pd.StringDtype(na_value=float("nan")),
    pa.large_string(): pd.StringDtype(na_value=float("nan")),
}


class _File(FileIO):
    """A file that closes itself: DuckDB drops its files without closing them, and Python would warn of each."""

    def __del__(self) -> None:
        self.close()


class _Files(AbstractFileSystem):
    """The only files that DuckDB can open, and for reading only: its own list of allowed files allows writing, too."""

    protocol = "snapshots"
    cachable = False

    def __init__(self, files: Mapping[str, Path]) -> None:
        super().__init__()
        self._files = files

    def _open(self, path: str, mode: str = "rb", **_: object) -> Any:
        del mode  # whatever is asked for
        return _File(self._files[self._strip_protocol(path)])

    def info(self, path: str, **_: object) -> dict[str, object]:
        """Return the name and size of a file."""
        name = self._strip_protocol(path)
        if name not in self._files:
            raise FileNotFoundError(path)
        return {"name": name, "size": self._files[name].stat().st_size, "type": "file"}

    def modified(self, path: str) -> Any:
        """Return when a file was written, which for DuckDB's cache is always the same: it never changes."""
        del path
        return pd.Timestamp(0, tz="UTC").to_pydatetime()


@contextmanager
def connection(
    snapshots: Sequence[Snapshot], files: Mapping[str, Mapping[str, Path]]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection for our own SQL, that has the tables of ``files`` in ``inside``, with numbers of snapshots.

    Parameters
    ----------
    snapshots : sequence of Snapshot
        An account after the other, each in the order of time.
    files : mapping
        For each table the file of each snapshot, by its path.
    """
    paths = {table: [str(of[each.path]) for each in snapshots] for table, of in files.items()}
    with _opened(snapshots) as opened:
        if any("\\" in path and path != escape(path) for path in chain.from_iterable(paths.values())):
            # Where DuckDB looks for what a name may mean, it takes a backslash for the end of a folder's name.
            _view_through_python(opened, snapshots, files)
        else:
            for table in files:
                _view(opened, table, [escape(path) for path in paths[table]])
        yield opened


@contextmanager
def guarded(
    snapshots: Sequence[Snapshot], files: Mapping[str, Mapping[str, Path]]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection for anybody's SQL: it can read the files, and reach nothing else."""
    with _opened(snapshots) as opened:
        names = _view_through_python(opened, snapshots, files)
        opened.execute("CREATE VIEW snapshots AS SELECT * EXCLUDE (n) FROM inside.numbered")
        for table in files:
            opened.execute(
                f"CREATE VIEW {table} AS SELECT taken, account, {quoted(TABLES[table][0])} "
                f"FROM inside.{table} JOIN inside.numbered USING (n)"
            )
        opened.execute("SET allowed_paths = " + _literal(names))
        opened.execute("SET enable_external_access = false")
        opened.execute("SET lock_configuration = true")
        yield opened


@contextmanager
def _opened(snapshots: Sequence[Snapshot]) -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect(config=_CONFIG)) as opened:
        opened.execute("SET TimeZone = 'UTC'")
        opened.execute("CREATE SCHEMA inside")
        _number(opened, snapshots)
        yield opened


def _number(opened: duckdb.DuckDBPyConnection, snapshots: Sequence[Snapshot]) -> None:
    """Give each snapshot a number: of an account one after the other, and between two accounts one is free."""
    accounts = {account: nth for nth, account in enumerate(dict.fromkeys(each.manifest.account for each in snapshots))}
    numbers = [at + accounts[each.manifest.account] for at, each in enumerate(snapshots)]
    numbered = pa.table(
        {
            "n": pa.array(numbers, pa.int32()),
            "taken": pa.array([each.manifest.taken for each in snapshots], pa.timestamp("us", "UTC")),
            "account": pa.array([each.manifest.account for each in snapshots], pa.string()),
            **{
                table: pa.array([each.manifest.files[f"{table}.parquet"].rows for each in snapshots], pa.int64())
                for table in TABLES
            },
        }
    )
    opened.register("given", numbered)
    opened.execute("CREATE TABLE inside.numbered AS SELECT * FROM given")
    opened.unregister("given")
    opened.execute("SET VARIABLE numbers = ?", [numbers])


def _view(opened: duckdb.DuckDBPyConnection, table: str, paths: Sequence[str]) -> None:
    """Make a table of these files; long lists are variables, as SQL would be parsed anew with each use of the view."""
    opened.execute(f"SET VARIABLE {table}_files = ?", [paths])
    # A list that is looked into once a file is faster than a join for each row.
    opened.execute(f"""
        CREATE VIEW inside.{table} AS
        SELECT getvariable('numbers')[file_index::BIGINT + 1] AS n, {quoted(TABLES[table][0])}
        FROM read_parquet(getvariable('{table}_files'), hive_partitioning = false)
    """)  # what folders say, manifests say, too


def _view_through_python(
    opened: duckdb.DuckDBPyConnection, snapshots: Sequence[Snapshot], files: Mapping[str, Mapping[str, Path]]
) -> list[str]:
    """Make the tables of files that only Python opens; returns the names that they have for DuckDB."""
    named = {f"{table}/{number}": of[each.path] for table, of in files.items() for number, each in enumerate(snapshots)}
    opened.register_filesystem(_Files(named))
    for table in files:
        _view(opened, table, [f"snapshots://{table}/{number}" for number in range(len(snapshots))])
    return [f"snapshots://{name}" for name in named]


def _literal(texts: Iterable[str]) -> str:
    return "[" + ", ".join("'" + text.replace("'", "''") + "'" for text in texts) + "]"


def quoted(columns: Iterable[str]) -> str:
    """Return columns as SQL names them."""
    return ", ".join(f'"{column}"' for column in columns)


def asked(opened: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] | None = None) -> pd.DataFrame:
    """Return what somebody's SQL gives.

    Raises
    ------
    QueryFailed
        If it can't be understood, does anything but read, or gives what no frame can hold.
    TypeError
        If it is no text.
    """
    if not isinstance(sql, str):
        raise TypeError(f"A query is a text, such as 'FROM widgets', not of type {type(sql).__name__}.")
    try:
        statements = opened.extract_statements(sql)
        if len(statements) == 1 and statements[0].type in _READING:
            return answer(opened, sql, parameters)
        why = "A query is one statement that reads, such as SELECT …; this is another, or more than one."
    except (duckdb.Error, pa.ArrowException, ValueError) as error:
        why = f"{error}\nThere are the tables widgets, settings and snapshots; each has the columns taken and account."
    raise QueryFailed(why)


def answer(opened: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] | None = None) -> pd.DataFrame:
    """Return what SQL gives, with dtypes that have a missing value."""
    table = opened.sql(sql, params=parameters).to_arrow_table()
    for at, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):  # what DuckDB makes of a sum of whole numbers
            table = table.set_column(at, field.name, _number_of(table.column(at)))
    frame: pd.DataFrame = table.to_pandas(types_mapper=_PANDAS.get)
    return frame


def _number_of(decimals: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals as numbers: whole ones as such, as far as 64 bits go."""
    try:
        return decimals.cast(pa.int64() if decimals.type.scale == 0 else pa.float64())
    except pa.ArrowInvalid:
        return decimals.cast(pa.float64())


def runs(table: str, columns: Iterable[str]) -> str:
    """Return the SQL for the rows that stood unchanged: these columns, and ``first`` and ``past`` by number."""
    columns = list(columns)
    values = ", ".join(f"'{column}': \"{column}\"" for column in columns)
    return _RUNS.format(columns=quoted(columns), values=values, table=table)


def sides(opened: duckdb.DuckDBPyConnection) -> Iterator[dict[str, pd.DataFrame]]:
    """Yield the rows before, then after, of all widgets that changed from one snapshot to the next.

    Of the settings they are those of widgets of whose settings any changed, came or went. Each code has the number of
    the later snapshot before it, in ``DIGITS``; they come in the order of both.
    """
    # Of one query DuckDB reads and compares both tables at once, which keeps all cores busy.
    found = answer(opened, " UNION ALL BY NAME ".join(map(_around_changes, COMPARED)) + " ORDER BY code, position")
    for side in ("before", "after"):
        yield {table: found.loc[found[side] & (found["of"] == table), columns] for table, columns in COMPARED.items()}


def _around_changes(table: str) -> str:
    """Return the SQL for the rows of a table for :func:`sides`: on which sides each stood, and of which table it is."""
    return f"""
        SELECT '{table}' AS of, first < n AS before, n < past AS after,
            * EXCLUDE (first, past, n) REPLACE (lpad(n::VARCHAR, {DIGITS}, '0') || code AS code)
        FROM (
            WITH runs AS MATERIALIZED ({runs(table, COMPARED[table])}), turns AS (
                SELECT code, n FROM (SELECT code, first AS n FROM runs UNION SELECT code, past FROM runs)
                WHERE n IN (SELECT n FROM inside.numbered) AND n - 1 IN (SELECT n FROM inside.numbered)
            )
            FROM runs JOIN turns USING (code) WHERE n BETWEEN first AND past
        )
    """
