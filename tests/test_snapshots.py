from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as run
from scripted import TOKEN, catalogue, widget
from steps import NEVER, killed
from tables import Tables, catalogues

import amoexplore as amo
from amoexplore import Account, Catalog, errors
from amoexplore.columns import SETTINGS, WIDGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amoexplore import Sandbox

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
FOLDER = "taken=2026-01-01T00-00-00.000000Z/account=sandbox%20on%20this%20machine"


@pytest.fixture(scope="module")
def catalog(sandbox: Sandbox) -> Catalog:
    """Return the sandbox's catalogue."""
    return amo.load_catalog(Account(sandbox.url, sandbox.token))


@pytest.fixture
def memory() -> Iterator[str]:
    """Return an address in memory, which is empty again afterwards."""
    from fsspec.implementations.memory import MemoryFileSystem  # noqa: PLC0415  few tests need it

    yield "memory://snapshots"
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def test_snapshot(account: Account, tmp_path: Path) -> None:
    """An account is loaded and written beside nothing, and the same comes back, with what the load did."""
    before = datetime.now(UTC)
    where = amo.snapshot(account, tmp_path / "new" / "snapshots")
    catalog = amo.history(tmp_path / "new" / "snapshots").catalog()
    loaded = amo.load_catalog(account)
    pd.testing.assert_frame_equal(loaded.widgets, catalog.widgets)
    pd.testing.assert_frame_equal(loaded.settings, catalog.settings)
    assert (catalog.report.account, catalog.report.pages, catalog.report.widgets) == (account.name, 2, 300)
    manifest = json.loads((Path(where) / "manifest.json").read_text(encoding="utf-8"))
    assert before <= datetime.fromisoformat(manifest["taken"]) <= datetime.now(UTC)
    assert sorted(path.name for path in (tmp_path / "new" / "snapshots").iterdir()) == [Path(where).parent.name]


def test_layout(catalog: Catalog, tmp_path: Path) -> None:
    """A snapshot is a folder by time and account, with two tables and a manifest that counts and sums them up."""
    assert str(tmp_path / FOLDER) == amo.snapshot(catalog, str(tmp_path), taken=NEW_YEAR)
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == [
        "manifest.json",
        "settings.parquet",
        "widgets.parquet",
    ]
    manifest = json.loads((tmp_path / FOLDER / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["schema"], manifest["account"]) == (1, "sandbox on this machine")
    assert {name: (file["rows"], file["size"]) for name, file in manifest["files"].items()} == {
        f"{table}.parquet": (rows, (tmp_path / FOLDER / f"{table}.parquet").stat().st_size)
        for table, rows in (("widgets", 300), ("settings", len(catalog.settings)))
    }


@pytest.mark.parametrize("taken", ["2026-01-01", NEW_YEAR.date(), timedelta(days=1), 5, pd.NaT])
def test_no_moment(catalog: Catalog, tmp_path: Path, taken: object) -> None:
    """What is no moment is refused before anything is done, with what is one."""
    with pytest.raises(ValueError, match=r"taken is a moment.* add tzinfo=datetime\.UTC"):
        amo.snapshot(catalog, tmp_path / "none", taken=taken)  # type: ignore[arg-type]
    assert not (tmp_path / "none").exists()


def test_times_are_in_utc(catalog: Catalog, tmp_path: Path) -> None:
    """A moment of another zone is the same moment; one without a zone is refused before anything is done."""
    moscow = datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))
    assert str(tmp_path / FOLDER) == amo.snapshot(catalog, tmp_path, taken=moscow)
    with pytest.raises(ValueError, match=r"add tzinfo=datetime\.UTC"):
        amo.snapshot(catalog, tmp_path / "none", taken=datetime(2026, 1, 1))  # noqa: DTZ001  what is refused
    assert not (tmp_path / "none").exists()
    odd = timezone(timedelta(hours=1, seconds=17))  # which ISO 8601 has no letters for
    for taken in (datetime(2026, 1, 1, 2, 0, 17, tzinfo=odd), pd.Timestamp("2026-01-01T04:00:00.000000999+02:00")):
        amo.snapshot(catalog, tmp_path, taken=taken)
    assert amo.history(tmp_path).snapshots["taken"].dt.hour.tolist() == [0, 1, 2]
    with pytest.raises(errors.NoSnapshot, match="taken 2026-01-01 00:00 UTC"):
        amo.history(tmp_path).catalog("2025-12-31")


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_never_overwrites(catalog: Catalog, tmp_path: Path, memory: str, kind: str) -> None:
    """A second snapshot of an account and moment is refused, and the first one stays; another account's is not."""
    where = str(tmp_path) if kind == "local" else memory
    amo.snapshot(catalog, where, taken=NEW_YEAR)
    fewer = replace(catalog, widgets=catalog.widgets.head(3), settings=catalog.settings.head(0))
    with pytest.raises(errors.SnapshotExists, match="stays as it is"):
        amo.snapshot(fewer, where, taken=NEW_YEAR)
    amo.snapshot(replace(fewer, report=replace(fewer.report, account="b.amocrm.ru")), where, taken=NEW_YEAR)
    assert amo.history(where).snapshots["widgets"].tolist() == [3, 300]


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_at_the_same_time(catalog: Catalog, tmp_path: Path, memory: str, kind: str) -> None:
    """Of snapshots that are taken at one moment one is written, whole; those of now do not collide."""
    where = str(tmp_path) if kind == "local" else memory
    start, told = threading.Barrier(6), []

    def take(taken: datetime | None) -> None:
        start.wait()
        try:
            amo.snapshot(catalog, where, taken=taken)
        except errors.SnapshotExists:
            told.append("exists")

    threads = [
        threading.Thread(target=take, args=[taken]) for taken in (NEW_YEAR, NEW_YEAR, NEW_YEAR, None, None, None)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = amo.history(where)
    assert (len(history.snapshots), len(history.check()), told) == (4, 0, ["exists", "exists"])


def test_killed_at_any_step(sandbox: Sandbox, tmp_path: Path) -> None:
    """Whenever a snapshot is killed it is there whole or not at all, and the next one works."""
    with killed("killed_snapshot.py", sandbox.url, sandbox.token, tmp_path) as killed_at:
        steps = killed_at(NEVER)
        assert steps == 14
        assert [killed_at(step) for step in range(steps)] == [None] * steps
        with pytest.warns(errors.DamagedSnapshotWarning):
            history = amo.history(tmp_path)
        assert set(history.damaged["why"]) == {"it is unfinished: its writing was cut off, or goes on"}
        assert len(history.snapshots) == 2  # the first, and the one that was killed when all was done
        assert [len(history.catalog(taken).widgets) for taken in history.snapshots["taken"]] == [300, 300]
        assert history.check().equals(history.damaged)
        assert killed_at(NEVER) == steps


def test_nothing_of_a_load_that_failed(tmp_path: Path) -> None:
    """Where the catalogue can't be loaded there is no snapshot, nor a part of one."""
    with (
        catalogue([widget(1)] * 250, [widget(1)] * 250, always_next=True) as server,
        pytest.raises(errors.RepeatedPage),
    ):
        amo.snapshot(server.account(), tmp_path / "snapshots")
    assert not (tmp_path / "snapshots").exists()


def test_no_secret(sandbox: Sandbox, tmp_path: Path) -> None:
    """Neither token nor values of settings are in any file of a snapshot."""
    account = Account(sandbox.url, sandbox.token, write=False)
    where = Path(amo.snapshot(account, tmp_path))
    for file in where.iterdir():
        content = file.read_bytes()
        assert not any(text.encode() in content for text in (sandbox.token, TOKEN, "eXaMp1E", "Bearer"))


def test_no_catalogue(catalog: Catalog, tmp_path: Path) -> None:
    """What is no whole catalogue is refused: a column less, or a widget that is there twice."""
    without = replace(catalog, widgets=catalog.widgets.drop(columns="rating"))
    twice = replace(catalog, widgets=pd.concat([catalog.widgets.head(2), catalog.widgets.head(1)]))
    for odd, why in ((without, "have no rating"), (twice, "the same code more than once")):
        with pytest.raises(ValueError, match=why):
            amo.snapshot(odd, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_unreadable_values_are_kept(tmp_path: Path) -> None:
    """What a load could not read stands in the report that comes back."""
    odd = [widget(1, rating="??"), widget(2, unheard_of=1), widget(1)]
    with catalogue(odd) as server, pytest.warns(errors.UnreadableValueWarning):
        amo.snapshot(server.account(), tmp_path)
    report = amo.history(tmp_path).catalog().report
    assert report.unreadable[["widget", "field", "raw"]].to_numpy().tolist() == [["widget_1", "rating", '"??"']]
    assert report.repeated["code"].tolist() == ["widget_1"]
    assert report.unknown_fields == {"widget.unheard_of": 1}


def test_another_package_is_named(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address whose package is missing says what to install."""
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(import_module("fsspec.registry")._registry, "s3", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'amoexplore\[s3\]'"):
        amo.snapshot(catalog, "s3://bucket/snapshots")


@run(max_examples=25, deadline=None)
@given(catalogues())
def test_round_trip(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory, tables: Tables) -> None:
    """Whatever stands in a catalogue comes back, with the dtypes of every catalogue."""
    where = tmp_path_factory.mktemp("snapshots")
    amo.snapshot(Catalog(*tables, catalog.report), where)
    back = amo.history(where).catalog()
    pd.testing.assert_frame_equal(tables.widgets, back.widgets)
    pd.testing.assert_frame_equal(tables.settings, back.settings)
    assert back.widgets.dtypes.astype(str).to_dict() == WIDGETS
    assert back.settings.dtypes.astype(str).to_dict() == SETTINGS
