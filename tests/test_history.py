from __future__ import annotations

import json
import re
import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st
from tables import Tables, catalogues, settings, widgets

import amoexplore as amo
from amoexplore import Account, Catalog, History, errors, moments, queries
from amoexplore.columns import SETTINGS, WIDGETS
from amoexplore.comparisons import CHANGES
from amoexplore.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

    from amoexplore import Report, Sandbox

STORED = Path(__file__).parent / "data" / "history"
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="session")
def report(sandbox: Sandbox) -> Report:
    """Return what some load did, of an account of its own."""
    return replace(amo.load_catalog(Account(sandbox.url, sandbox.token)).report, account="a.amocrm.ru")


@pytest.fixture
def days(report: Report, tmp_path: Path) -> Callable[..., History]:
    """Return what takes snapshots of one day after the other, and gives their history."""

    def take(*tables: Tables, account: str = "a.amocrm.ru", begin: datetime = NEW_YEAR) -> History:
        for day, each in enumerate(tables):
            amo.snapshot(Catalog(*each, replace(report, account=account)), tmp_path, taken=begin + day * DAY)
        return amo.history(tmp_path)

    return take


def rated(**ratings: float | None) -> Tables:
    """Return a catalogue of these widgets."""
    return Tables(widgets(*({"code": code, "rating": rating} for code, rating in ratings.items())), settings())


def listed(frame: pd.DataFrame) -> list[list[object]]:
    """Return the rows, times as their days, None for what is missing."""
    plain = frame.copy()
    for name in plain.select_dtypes("datetimetz"):
        plain[name] = plain[name].dt.strftime("%m-%d")
    return plain.astype("object").where(plain.notna(), None).to_numpy().tolist()


def test_catalog_at(days: Callable[..., History]) -> None:
    """A day means its end, a time that moment, nothing the last; before the first there is none."""
    history = days(rated(a=1), rated(a=2), rated(a=3), begin=NEW_YEAR + timedelta(hours=23))
    for at, rating in {
        "2026-01-01": 1,
        date(2026, 1, 2): 2,
        "2026-01-02T22:59": 1,
        "2026-01-02T23:00": 2,
        "2026-01-03T02:00+03:00": 2,
        datetime(2026, 1, 3, 22, tzinfo=UTC): 2,
        pd.Timestamp("2026-02-01"): 3,
        None: 3,
    }.items():
        assert history.catalog(at).widgets["rating"].tolist() == [rating], at
    with pytest.raises(errors.NoSnapshot, match="the first one was taken 2026-01-01 23:00 UTC"):
        history.catalog("2025-12-31")


def test_moments() -> None:
    """How long ago is counted from now; what is no moment says what is."""
    assert abs(moments.beginning("30d") - (datetime.now(UTC) - 30 * DAY)) < timedelta(minutes=1)
    assert abs(moments.end(timedelta(hours=12)) - (datetime.now(UTC) - DAY / 2)) < timedelta(minutes=1)
    assert (moments.beginning("2026-01-01"), moments.end("2025-12-31")) == (
        NEW_YEAR,
        NEW_YEAR - timedelta(microseconds=1),
    )
    assert moments.end("9999-12-31") == datetime.max.replace(tzinfo=UTC)
    wrong: list[Any] = ["yesterday", "", "30", "2026-13-01", "5 apples", "999999d", "0001-01-01T00:00+01:00", 30]
    for moment in wrong:
        with pytest.raises(ValueError, match="is no moment: write a day"):
            moments.beginning(moment)


def test_several_accounts(days: Callable[..., History]) -> None:
    """Where there are several accounts one has to be named for a catalogue, and can be for all else."""
    days(rated(a=1), rated(a=2))
    history = days(rated(b=4), rated(b=5, c=1), account="b.amocrm.ru")
    with pytest.raises(errors.NoSnapshot, match=r"name one with account=…, of a\.amocrm\.ru, b\.amocrm\.ru"):
        history.catalog()
    with pytest.raises(errors.NoSnapshot, match=r"no snapshot of c\.amocrm\.ru; there are of a\.amocrm\.ru, b"):
        history.changes(account="c.amocrm.ru")
    assert history.catalog(account="b.amocrm.ru").widgets["code"].tolist() == ["b", "c"]
    assert listed(history.changes()) == [
        ["01-02", "a.amocrm.ru", "changed", "a", None, "rating", 1.0, 2.0],
        ["01-02", "b.amocrm.ru", "added", "c", None, None, None, None],
        ["01-02", "b.amocrm.ru", "changed", "b", None, "rating", 4.0, 5.0],
    ]
    assert len(history.changes(account="b.amocrm.ru")) == 2
    assert history.ratings("b")["account"].unique().tolist() == ["b.amocrm.ru"]
    assert listed(history.spans("rating", account="a.amocrm.ru")) == [
        ["a.amocrm.ru", "a", 1.0, "01-01", "01-02"],
        ["a.amocrm.ru", "a", 2.0, "01-02", None],
    ]


def test_one_widget_in_two_accounts(days: Callable[..., History]) -> None:
    """What one account has last and the next one has first is no change, and two spans."""
    days(rated(a=1), rated(a=2))
    history = days(rated(a=2), rated(a=2), account="b.amocrm.ru")
    assert len(history.changes()) == 1
    assert listed(history.spans("rating"))[1:] == [
        ["a.amocrm.ru", "a", 2.0, "01-02", None],
        ["b.amocrm.ru", "a", 2.0, "01-01", None],
    ]


def test_changes_of_a_time(days: Callable[..., History]) -> None:
    """Changes are those that snapshots after the beginning show, from what was known at it, up to the end."""
    history = days(*(rated(a=rating) for rating in range(6)))
    news = history.changes()["new"].tolist()
    assert news == [1, 2, 3, 4, 5]
    assert history.changes("2026-01-03")["new"].tolist() == [3, 4, 5]
    assert history.changes("2026-01-03T12:00")["new"].tolist() == [3, 4, 5]
    assert history.changes(until="2026-01-03")["new"].tolist() == [1, 2]
    assert history.changes("2026-01-02", "2026-01-04")["new"].tolist() == [2, 3]
    assert history.changes("2025-01-01")["new"].tolist() == news
    assert history.changes("2027-01-01").empty
    assert history.changes(until="2025-01-01").dtypes.astype(str).to_dict() == {
        "taken": "datetime64[us, UTC]",
        "account": "str",
        **CHANGES,
    }


def test_what_returns(days: Callable[..., History]) -> None:
    """A widget that went and came back, and a value that did, are a span each time."""
    history = days(rated(a=1, b=1), rated(a=2), rated(a=1, b=1), rated(a=1, b=1))
    assert listed(history.spans("rating")) == [
        ["a.amocrm.ru", "a", 1.0, "01-01", "01-02"],
        ["a.amocrm.ru", "a", 2.0, "01-02", "01-03"],
        ["a.amocrm.ru", "a", 1.0, "01-03", None],
        ["a.amocrm.ru", "b", 1.0, "01-01", "01-02"],
        ["a.amocrm.ru", "b", 1.0, "01-03", None],
    ]
    assert history.spans("rating").equals(history.spans("rating", "rating"))


def test_ratings(days: Callable[..., History]) -> None:
    """A row a snapshot, in the order of the codes; a code that was never there is named with its likes."""
    history = days(rated(alpha=1, beta=None), rated(alpha=2, beta=3), rated(alpha=2))
    found = history.ratings(["beta", "alpha"])
    assert found.dtypes.astype(str).to_dict() == {
        "taken": "datetime64[us, UTC]",
        "account": "str",
        "code": "str",
        "rating": "Float64",
    }
    assert listed(found.drop(columns="account")) == [
        ["01-01", "beta", None],
        ["01-02", "beta", 3.0],
        ["01-01", "alpha", 1.0],
        ["01-02", "alpha", 2.0],
        ["01-03", "alpha", 2.0],
    ]
    with pytest.raises(errors.UnknownWidget, match="Did you mean alpha"):
        history.ratings("alpa")


@pytest.mark.parametrize("codes", [[1], ["alpha", None], [["alpha"]]])
def test_ratings_of_what_is_no_code(days: Callable[..., History], codes: list[Any]) -> None:
    """What is no text is no code; the error says so, and which it is."""
    with pytest.raises(TypeError, match=re.escape(f"codes of widgets, such as 'amo_dropbox'; {codes[-1]!r} is none")):
        days(rated(alpha=1)).ratings(codes)


def by_code(tables: Tables) -> Tables:
    """Return the frames in the order of codes."""
    return Tables(*(frame.sort_values("code", kind="stable") for frame in tables))


@run(max_examples=20, deadline=None)
@given(st.lists(catalogues(), min_size=1, max_size=6))
def test_changes_are_those_of_each_pair(
    report: Report, tmp_path_factory: pytest.TempPathFactory, sequence: list[Tables]
) -> None:
    """The changes of a history are those of each catalogue and the next one, with the time of the next one."""
    where = tmp_path_factory.mktemp("snapshots")
    for day, tables in enumerate(sequence):
        amo.snapshot(Catalog(*tables, report), where, taken=NEW_YEAR + day * DAY)
    wanted = [
        [f"01-{day + 1:02}", report.account, *row]
        for day, (before, after) in enumerate(pairwise(sequence), start=1)
        for row in listed(amo.changes(by_code(before), by_code(after)))
    ]
    assert wanted == listed(amo.history(where).changes())


@run(max_examples=20, deadline=None)
@given(
    st.lists(catalogues(), min_size=1, max_size=6), st.sampled_from([(), ("rating",), ("version", "is_lead_source")])
)
def test_spans_cover_and_never_overlap(
    report: Report, tmp_path_factory: pytest.TempPathFactory, sequence: list[Tables], columns: tuple[str, ...]
) -> None:
    """At each snapshot the spans that hold are its rows, no more and no fewer; and no span could be longer."""
    where = tmp_path_factory.mktemp("snapshots")
    times = [NEW_YEAR + day * DAY for day in range(len(sequence))]
    for taken, tables in zip(times, sequence, strict=True):
        amo.snapshot(Catalog(*tables, report), where, taken=taken)
    spans = amo.history(where).spans(*columns)
    names = ["code", *(columns or [name for name in WIDGETS if name != "code"])]
    for taken, tables in zip(times, sequence, strict=True):
        holds = spans[(spans["valid_from"] <= taken) & ~(spans["valid_to"] <= taken)]
        assert sorted(map(repr, listed(tables.widgets[names]))) == sorted(map(repr, listed(holds[names])))
    ends = spans.astype("object").where(spans.notna(), None)
    begun = {repr([*row[names], row["valid_from"]]) for _, row in ends.iterrows()}
    assert not any(repr([*row[names], row["valid_to"]]) in begun for _, row in ends.iterrows())


#: How long a row stands or is gone: often about 120 snapshots, whose bits are one number.
LENGTHS = st.sampled_from([1, 2, 119, 120, 121, 240]) | st.integers(1, 130)


@run(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 130), st.lists(LENGTHS, min_size=1, max_size=7)), min_size=1, max_size=4))
def test_runs_of_any_length(rows: list[tuple[int, list[int]]]) -> None:
    """A row stood from where it is first to where it is no longer, also across any number of snapshots."""
    wanted = [
        (f"row {nth}", first, past)
        for nth, (begin, lengths) in enumerate(rows)
        for first, past in list(pairwise(accumulate(lengths, initial=begin)))[::2]
    ]
    there = [(code, n) for code, first, past in wanted for n in range(first, past)]
    with duckdb.connect() as opened:
        opened.execute("CREATE SCHEMA inside")
        opened.execute(
            "CREATE TABLE inside.widgets AS SELECT unnest(?::VARCHAR[]) AS code, unnest(?::INTEGER[]) AS n",
            [*map(list, zip(*there, strict=True))],
        )
        found = opened.sql(queries.runs("widgets", ["code"])).fetchall()
    assert sorted(found) == sorted(wanted)


def test_query(days: Callable[..., History]) -> None:
    """SQL sees the frames' columns behind taken and account, in UTC, and gives dtypes that have a missing value."""
    history = days(rated(a=1, b=None), rated(a=2))
    found = history.query(
        "SELECT taken, count(*) AS n, sum(id) AS s, avg(rating) AS r FROM widgets GROUP BY 1 ORDER BY 1"
    )
    assert listed(found) == [["01-01", 2, 1, 1.0], ["01-02", 1, 0, 2.0]]
    assert [*found.dtypes.astype(str)] == ["datetime64[us, UTC]", "Int64", "Int64", "Float64"]
    assert history.query("FROM widgets LIMIT 0").columns.tolist() == ["taken", "account", *WIDGETS]
    assert history.query("FROM settings LIMIT 0").columns.tolist() == ["taken", "account", *SETTINGS]
    assert history.query("FROM snapshots ORDER BY taken").equals(
        history.snapshots.astype({"widgets": "Int64", "settings": "Int64"})
    )
    assert history.query("SELECT code FROM widgets WHERE rating > ?", [1.5])["code"].tolist() == ["a"]
    assert history.query("PIVOT widgets ON code IN ('a', 'b') USING first(rating) GROUP BY taken").shape == (2, 3)
    assert history.query("SELECT 20000000000000000000 AS large, sum(1) AS small").to_numpy().tolist() == [[2e19, 1]]
    assert history.query("EXPLAIN SELECT 1 FROM snapshots").columns.tolist() == ["explain_key", "explain_value"]


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{out}'",
        "COPY widgets TO 'snapshots://widgets/0' (FORMAT parquet, USE_TMP_FILE false)",
        "WITH x AS (COPY (SELECT 1 AS a) TO 'snapshots://widgets/0' (FORMAT parquet, USE_TMP_FILE false)) FROM x",
        "WITH x AS (COPY (SELECT 1 AS a) TO '{out}') SELECT * FROM x",
        "WITH x AS (COPY (SELECT 1 AS a) TO '{file}' (FORMAT parquet, USE_TMP_FILE false)) SELECT * FROM x",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'",
        "EXPORT DATABASE '{out}'",
        "ATTACH '{out}'",
        "CALL enable_logging(storage => 'file', storage_path => '{out}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM read_parquet('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
        "SELECT * FROM secret_frame",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SELECT 1; SELECT 2",
        "SELECT",
        "",
        "SELECT nothing FROM widgets",
        "SELECT DATE 'infinity'",
        "SELECT union_value(a := 1)",
    ],
)
def test_a_query_only_reads(days: Callable[..., History], tmp_path: Path, sql: str) -> None:
    """No query writes a file, reads another one, reaches a network or sees a variable; the error says what there is."""
    secret_frame = pd.DataFrame({"a": [1]})
    history = days(rated(a=1))
    (file,) = tmp_path.rglob("widgets.parquet")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    with pytest.raises(errors.QueryFailed) as told:
        history.query(sql.format(out=tmp_path / "out.csv", file=file))
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    assert "SELECT" in str(told.value) or "widgets, settings and snapshots" in str(told.value)
    assert len(secret_frame) == 1


@pytest.mark.parametrize("name", ["it's [all] * Рынок?", r"back\slash", r"a\[1]*", r"\[", "?\\"])
def test_folders_of_any_name(days: Callable[..., History], tmp_path: Path, name: str) -> None:
    """Quotes, brackets, stars, backslashes and Cyrillic in a folder's name are letters like others."""
    days(rated(a=1), rated(a=2))
    odd = tmp_path / name
    odd.mkdir()
    for folder in tmp_path.glob("taken=*"):
        shutil.move(folder, odd)
    assert len(amo.history(odd).changes()) == 1
    assert len(amo.history(odd).query("FROM widgets")) == 2


def spoil(folder: Path, how: str) -> None:
    """Damage a snapshot."""
    account = next(folder.iterdir())
    table, manifest = account / "widgets.parquet", account / "manifest.json"
    content = table.read_bytes()
    told = json.loads(manifest.read_text(encoding="utf-8"))
    match how:
        case "cut off":
            table.write_bytes(content[:-1])
        case "other bytes":
            table.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
        case "lost table":
            table.unlink()
        case "lost manifest":
            manifest.unlink()
        case "broken manifest":
            manifest.write_text("{", encoding="utf-8")
        case "of a newer version":
            manifest.write_text(json.dumps(told | {"schema": 2, "files": "elsewhere"}), encoding="utf-8")
        case "no files":
            manifest.write_text(json.dumps(told | {"files": {}}), encoding="utf-8")
        case "another's":
            account.rename(account.with_name("account=b.amocrm.ru"))


def opened(where: Path) -> tuple[History, pd.DataFrame]:
    """Return a history and its changes, for which all of it is read."""
    history = amo.history(where)
    return history, history.changes()


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("cut off", r"widgets\.parquet has \d+ bytes, and \d+ were written"),
        ("other bytes", r"widgets\.parquet is not what was written: its SHA-256 is another"),
        ("lost table", r"widgets\.parquet is missing"),
        ("lost manifest", "it is unfinished: its writing was cut off, or goes on"),
        ("broken manifest", "its manifest can't be read: .+"),
        ("of a newer version", "its schema is 2, and this amoexplore reads up to 1: install a newer one"),
        ("no files", r"its manifest names no widgets\.parquet"),
        ("another's", r"its manifest is that of taken=2026-01-02T00-00-00\.000000Z/account=a\.amocrm\.ru"),
    ],
)
def test_damaged_snapshots(days: Callable[..., History], tmp_path: Path, how: str, why: str) -> None:
    """A damaged snapshot is named, with the reason, and left out of everything; the others are read."""
    days(rated(a=1), rated(a=2), rated(a=3))
    spoil(tmp_path / "taken=2026-01-02T00-00-00.000000Z", how)
    with pytest.warns(errors.DamagedSnapshotWarning, match=r"Left out: .*taken=2026-01-02T.* \("):
        history, found = opened(tmp_path)
    assert listed(found)[0][5:] == ["rating", 1.0, 3.0]
    assert history.damaged["why"].str.fullmatch(why).tolist() == [True]
    assert history.damaged["snapshot"].str.contains("taken=2026-01-02T").all()
    assert history.query("SELECT count(*) FROM widgets").squeeze() == 2
    assert history.catalog("2026-01-02").widgets["rating"].tolist() == [1]
    assert history.snapshots["taken"].dt.day.tolist() == [1, 3]


def test_what_is_gone_when_it_is_read(days: Callable[..., History], tmp_path: Path) -> None:
    """A file that was there when the history was opened, and is no longer, is one that can't be read."""
    history = days(rated(a=1), rated(a=2))
    (tmp_path / "taken=2026-01-01T00-00-00.000000Z" / "account=a.amocrm.ru" / "settings.parquet").unlink()
    with pytest.warns(errors.DamagedSnapshotWarning):
        assert history.check()["why"].tolist() == ["settings.parquet can't be read: FileNotFoundError"]


def test_all_damaged(days: Callable[..., History], tmp_path: Path) -> None:
    """Where no snapshot is whole there is no history, also if that is found later; it can be looked at all the same."""
    history = days(rated(a=1))
    spoil(next(tmp_path.iterdir()), "other bytes")
    with pytest.warns(errors.DamagedSnapshotWarning), pytest.raises(errors.NoSnapshot):
        history.query("FROM widgets")
    assert repr(history).splitlines()[3:] == ["  from       –", "  to         –", "  left out   1"]
    assert history._repr_html_().count("–") == 2


@pytest.mark.parametrize(
    "ask",
    [
        lambda history: history.changes()["new"].tolist() == [4.0],
        lambda history: history.spans("rating")["rating"].tolist() == [3.0, 4.0],
        lambda history: history.query("SELECT rating FROM widgets ORDER BY taken")["rating"].tolist() == [3.0, 4.0],
    ],
)
def test_what_is_tidied_up(days: Callable[..., History], tmp_path: Path, ask: Callable[[History], bool]) -> None:
    """Snapshots that were read, and deleted since, are named and left out of what is asked next."""
    history = days(rated(a=1), rated(a=2), rated(a=3), rated(a=4))
    assert len(history.changes()) == 3
    first, second, *_ = sorted(tmp_path.iterdir())
    shutil.rmtree(first)
    next(second.rglob("widgets.parquet")).write_bytes(b"PAR1")
    with pytest.warns(errors.DamagedSnapshotWarning):
        assert ask(history)
    with warnings.catch_warnings():
        warnings.simplefilter("error", errors.DamagedSnapshotWarning)  # once
        assert ask(history)
    assert history.damaged["why"].str.partition(".parquet ")[2].tolist() == [
        "can't be read: FileNotFoundError",
        "is not what was written: its SHA-256 is another",
    ]


def test_threads_read_what_is_elsewhere_once(days: Callable[..., History], tmp_path: Path) -> None:
    """Threads that ask at once fetch each file once, and none reads what another one is about to write."""
    days(*(rated(a=rating) for rating in range(1, 5)))
    from fsspec.implementations.memory import MemoryFileSystem  # noqa: PLC0415  few tests need it

    system = MemoryFileSystem()
    system.put(str(tmp_path) + "/", "/threads", recursive=True)
    history = amo.history("memory://threads")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: len(history.changes()), range(8))) == [3] * 8
    system.rm("/threads", recursive=True)


def test_the_first_damaged_ones_are_named(days: Callable[..., History], tmp_path: Path) -> None:
    """A warning names five damaged snapshots, counts the others, and stands where the history was opened."""
    days(*(rated(a=rating) for rating in range(8)))
    for folder in sorted(tmp_path.iterdir())[:7]:
        spoil(folder, "lost table")
    with pytest.warns(errors.DamagedSnapshotWarning) as told:
        amo.history(tmp_path)
    said = str(told[0].message)
    assert said.count("widgets.parquet is missing") == 5
    assert said.endswith(" and 2 more, which amo.history(…).damaged lists.")
    assert told[0].filename == __file__


def test_no_snapshots(tmp_path: Path) -> None:
    """An empty folder and one that does not exist are said to have no snapshot, and how to take one."""
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    for where in (tmp_path, tmp_path / "none", "memory://none"):
        with pytest.raises(errors.NoSnapshot, match=r"amo\.snapshot\(account, …\) takes one"):
            amo.history(where)


def test_what_else_lies_there(days: Callable[..., History], tmp_path: Path) -> None:
    """Files of the user's own beside snapshots are nobody's business."""
    days(rated(a=1))
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "a.png").write_bytes(b"")
    (next(tmp_path.glob("taken=*")) / ".DS_Store").write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(amo.history(tmp_path).snapshots) == 1


def test_elsewhere_is_fetched_once(days: Callable[..., History], tmp_path: Path) -> None:
    """What is elsewhere is read once, when it is needed, and gone from this machine with its history."""
    days(rated(a=1), rated(a=2))
    from fsspec.implementations.memory import MemoryFileSystem  # noqa: PLC0415  this test alone needs it

    system = MemoryFileSystem()
    system.put(str(tmp_path) + "/", "/fetched", recursive=True)
    shelf = Shelf("memory://fetched")
    shelf.look()
    history = History(shelf)
    assert shelf._place._fetched is None
    for _ in range(2):
        assert len(history.changes()) == 1
        system.rm("/fetched", recursive=True) if system.exists("/fetched") else None
    fetched = shelf._place._fetched
    assert fetched is not None
    assert len(list(fetched.rglob("*.parquet"))) == 4
    del history, shelf
    assert not fetched.exists()


def test_display(days: Callable[..., History], tmp_path: Path) -> None:
    """A history shows where it is, how many snapshots it has and of what time."""
    history = days(rated(a=1), rated(a=2))
    assert repr(history).splitlines() == [
        f"History of {tmp_path}",
        "  snapshots  2",
        "  accounts   1",
        "  from       2026-01-01 00:00 UTC",
        "  to         2026-01-02 00:00 UTC",
        "  left out   0",
    ]
    assert "2026-01-02 00:00 UTC" in history._repr_html_()


def test_stored_history_stays_readable() -> None:
    """Snapshots of schema 1, as they were written on the day it was made, are read for ever."""
    history = amo.history(STORED)
    assert history.check().empty
    assert listed(history.snapshots) == [["11-01", "example.amocrm.ru", 3, 6], ["11-22", "example.amocrm.ru", 4, 9]]
    assert listed(history.changes()) == [
        ["11-22", "example.amocrm.ru", "added", "amo_zadarma", None, None, None, None],
        ["11-22", "example.amocrm.ru", "changed", "amo_dropbox", None, "rating", 2.8, 2.9],
        ["11-22", "example.amocrm.ru", "changed", "amo_asterisk", "login", "name", "Логин", "Имя пользователя"],
    ]
    catalog = history.catalog("2026-11-01")
    assert catalog.widgets.dtypes.astype(str).to_dict() == WIDGETS
    assert catalog.settings.dtypes.astype(str).to_dict() == SETTINGS
    assert catalog.widgets["code"].tolist() == ["amo_dropbox", "amo_mailchimp", "amo_asterisk"]
    assert (catalog.report.account, catalog.report.pages) == ("example.amocrm.ru", 1)
