from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from subprocess import PIPE
from typing import TYPE_CHECKING

import openpyxl
import pytest
from programs import AMOEXPLORE, program
from tables import settings, widgets

import amoexplore as amo
from amoexplore import Account, Catalog
from amoexplore.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from amoexplore import Sandbox

HOSTILE = "<script>alert(1)</script>"
NOW = datetime.now(UTC)


@pytest.fixture
def where(account: Account, tmp_path: Path) -> Path:
    """Return a folder of three snapshots: of 40 days ago, of 10 days ago, of yesterday."""
    report = replace(amo.load_catalog(account).report, account="a.amocrm.ru")
    for days, rows in {
        40: [{"code": "телефония", "rating": 2.8}, {"code": "b"}],
        10: [{"code": "телефония", "rating": 3.4}, {"code": "b"}],
        1: [{"code": "телефония", "rating": 3.4, "is_lead_source": True}, {"code": HOSTILE}],
    }.items():
        catalog = Catalog(widgets(*rows), settings(), report)
        amo.snapshot(catalog, tmp_path / "snapshots", taken=NOW - timedelta(days=days))
    return tmp_path / "snapshots"


@pytest.fixture
def environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the two variables to the sandbox."""
    monkeypatch.setenv("AMOEXPLORE_URL", sandbox.url)
    monkeypatch.setenv("AMOEXPLORE_TOKEN", sandbox.token)


@pytest.mark.usefixtures("environment")
def test_snapshot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes a snapshot, and says where and of how much, in a line."""
    for _ in range(2):
        assert main(["snapshot", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(re.fullmatch(rf"{tmp_path}/taken=.*: 300 widgets, 589 settings\.", line) for line in lines)
    assert main(["changes", str(tmp_path)]) == 0
    assert re.fullmatch(r"Nothing has changed: 2 snapshots, .* UTC\.\n", capsys.readouterr().out)


@pytest.mark.usefixtures("environment")
def test_where_is_checked_before_the_load(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that can't be written to is told at once, and not after a catalogue was loaded."""
    before = len(sandbox.requests)
    assert main(["snapshot", "s4://bucket/snapshots"]) == 1
    assert "Protocol not known: s4. Give a folder, or an address of fsspec" in capsys.readouterr().err
    assert len(sandbox.requests) == before


def test_changes_as_a_table(where: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --to it is a table, with what it is of below."""
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["changes", str(where), "--decimal-comma"]) == 0
    *table, last = capsys.readouterr().out.splitlines()
    assert [re.split(" {2,}", line.rstrip())[1:] for line in table[1:3]] == [
        [f"{NOW - timedelta(days=10):%Y-%m-%d %H:%M}", "changed", "телефония", "rating", "2,8", "3,4"],
        [f"{NOW - timedelta(days=1):%Y-%m-%d %H:%M}", "added", HOSTILE],
    ]
    assert re.fullmatch(r"4 changes: 3 snapshots, .* to .* UTC\.", last)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--since", "30d"], 4),
        (["--since", "5d"], 3),
        (["--until", "5d"], 1),
        (["--since", "30d", "--until", "5d"], 1),
        (["--account", "a.amocrm.ru"], 4),
    ],
)
def test_changes_of_a_time(where: Path, tmp_path: Path, options: list[str], found: int) -> None:
    """Both ends and the account are as in history.changes."""
    assert main(["changes", str(where), *options, "--to", str(tmp_path / "c.csv")]) == 0
    assert len((tmp_path / "c.csv").read_text(encoding="utf-8-sig").splitlines()) == found + 1


def test_csv(where: Path, tmp_path: Path) -> None:
    """A CSV has the times with their zone, and on request the commas of a Russian Excel."""
    assert main(["changes", str(where), "--since", "30d", "--until", "5d", "--to", str(tmp_path / "c.csv")]) == 0
    assert main(["changes", str(where), "--until", "5d", "--decimal-comma", "--to", str(tmp_path / "d.csv")]) == 0
    point, comma = ((tmp_path / name).read_text(encoding="utf-8-sig").splitlines()[1] for name in ("c.csv", "d.csv"))
    taken = (NOW - timedelta(days=10)).isoformat(sep=" ")
    assert point == f"{taken},a.amocrm.ru,changed,телефония,,rating,2.8,3.4"
    assert comma == f"{taken};a.amocrm.ru;changed;телефония;;rating;2,8;3,4"


def test_excel(where: Path, tmp_path: Path) -> None:
    """An Excel file has times and numbers as such."""
    assert main(["changes", str(where), "--to", str(tmp_path / "c.xlsx")]) == 0
    rows = list(openpyxl.load_workbook(tmp_path / "c.xlsx").active.iter_rows(values_only=True))
    assert rows[0] == ("taken", "account", "change", "code", "setting", "field", "old", "new")
    assert abs(rows[1][0] - (NOW - timedelta(days=10)).replace(tzinfo=None)) < timedelta(milliseconds=1)
    assert rows[1][1:] == ("a.amocrm.ru", "changed", "телефония", None, "rating", 2.8, 3.4)


@pytest.mark.parametrize("name", ["c.csv", "c.xlsx", "c.html", None])
def test_setting_without_a_key(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str | None
) -> None:
    """A setting without a key that went is not told as if its widget had."""
    report = amo.load_catalog(account).report
    for days, fields in {2: [{"key": None}], 1: []}.items():
        catalog = Catalog(widgets({}), settings(*fields), report)
        amo.snapshot(catalog, tmp_path / "snapshots", taken=NOW - timedelta(days=days))
    path = tmp_path / str(name)
    assert main(["changes", str(tmp_path / "snapshots"), *(["--to", str(path)] if name else [])]) == 0
    if name == "c.xlsx":
        told = str(list(openpyxl.load_workbook(path).active.iter_rows(values_only=True)))
    else:
        told = path.read_text(encoding="utf-8-sig") if name else capsys.readouterr().out
    assert "(no key)" in told


def test_page(where: Path, tmp_path: Path) -> None:
    """The page is whole in itself, says what it is of, escapes what is not ours, and has the latest first."""
    assert main(["changes", str(where), "--to", str(tmp_path / "c.html"), "--decimal-comma"]) == 0
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'; style-src 'sha256-" in page
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    assert page.count("<figure") == 2
    assert page.index("is_lead_source") < page.index("2,8")
    assert "Made up." not in page


def test_page_of_nothing(where: Path, tmp_path: Path) -> None:
    """A time in which nothing happened is a page that says so."""
    assert main(["changes", str(where), "--since", "1h", "--to", str(tmp_path / "c.html")]) == 0
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert "Nothing has changed." in page
    assert "no snapshot was taken in this time" in page


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--since", "soon"], "write a day (2026-11-01)"),
        (["--account", "b.amocrm.ru"], "there are of a.amocrm.ru"),
        (["--to", "c.parquet"], "must end in .html, .htm, .csv, .xlsx"),
        (["--to", "c.xlsx", "--decimal-comma"], "an Excel file holds numbers as numbers"),
    ],
)
def test_what_is_wrong(where: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str) -> None:
    """A wrong option is told in a line, with what would be right."""
    assert main(["changes", str(where), *arguments]) == 1
    told = capsys.readouterr().err
    assert why in told
    assert told.count("\n") == 1


def test_no_snapshots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without snapshots is told in a line, too."""
    assert main(["changes", str(tmp_path)]) == 1
    assert "amo.snapshot(account, …) takes one" in capsys.readouterr().err


def test_warnings_are_lines(where: Path, tmp_path: Path) -> None:
    """What is left out is told in a line of its own, without the place in the program where that was found."""
    shutil.copytree(where, tmp_path / "copy")
    next((tmp_path / "copy").rglob("manifest.json")).unlink()
    with program(AMOEXPLORE, "changes", tmp_path / "copy", stderr=PIPE) as running:
        _, told = running.communicate(timeout=60)
    assert re.fullmatch(r"amoexplore: Left out: .*taken=.* \(it is unfinished: .*\)\.\n", told)
