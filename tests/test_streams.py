from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from scripted import ScriptedServer, answer, catalogue, listing, problem, widget

import amoexplore as amo
from amoexplore import Account, Sandbox, digests, errors, export, frames
from amoexplore.seen import Seen
from amoexplore.streams import CsvFile, ParquetFile, stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scripted import Request


def test_pages_are_the_catalogue(account: Account) -> None:
    """The pages in a row are the frames of a load, and each says what it is."""
    catalog = amo.load_catalog(account)
    pages = list(amo.iter_pages(account, limit=70))
    assert [page.number for page in pages] == [1, 2, 3, 4, 5]
    pd.testing.assert_frame_equal(pd.concat([page.widgets for page in pages], ignore_index=True), catalog.widgets)
    pd.testing.assert_frame_equal(pd.concat([page.settings for page in pages], ignore_index=True), catalog.settings)
    for name, frame in {"widgets": catalog.widgets, "settings": catalog.settings}.items():
        table = pa.concat_tables([page.tables[name] for page in pages])
        pd.testing.assert_frame_equal(table.to_pandas(), frame)
    assert repr(pages[4]) == f"<CatalogPage 5: 20 widgets, {len(pages[4].settings)} settings>"


def test_pages_are_asked_for_when_they_are_wanted(sandbox: Sandbox, account: Account) -> None:
    """Who stops at the second page has asked a fast server for no third one."""
    before = len(sandbox.requests)
    pages = amo.iter_pages(account, limit=70)
    assert [next(pages).number, next(pages).number] == [1, 2]
    assert len(sandbox.requests) - before == 2


def test_a_page_tells_what_was_odd() -> None:
    """Values that could not be read and widgets that came again are the page's; a warning names the first."""
    with catalogue([widget(1), widget(2)], [widget(2), widget(3, rating="?")], [widget(4)]) as server:
        with pytest.warns(errors.UnreadableValueWarning, match=r"page\.report\.unreadable lists them all"):
            pages = list(amo.iter_pages(server.account(), limit=2))
        with pytest.raises(errors.UnreadableValue):
            list(amo.iter_pages(server.account(), limit=2, on_bad="raise"))
    assert [page.widgets["id"].tolist() for page in pages] == [[1, 2], [3], [4]]
    assert pages[1].report.repeated.to_numpy().tolist() == [["widget_2", 2, 1, 2]]
    assert pages[1].report.unreadable["field"].tolist() == ["rating"]


def test_wrong_words_are_told_before_anything_is_sent(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    """A misspelled option, and a file that can't be, are errors at once."""
    before = len(sandbox.requests)
    with pytest.raises(ValueError, match="'coerce' or 'raise'"):
        amo.iter_pages(account, on_bad="ignore")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"must end in \.parquet"):
        amo.load_to_parquet(account, tmp_path / "x.csv")
    with pytest.raises(FileNotFoundError, match="no folder"):
        amo.load_to_parquet(account, tmp_path / "no" / "x.parquet")
    with pytest.raises(IsADirectoryError, match="is a folder: name a file in it"):
        amo.load_to_parquet(account, "")
    with pytest.raises(TypeError, match=r"the name of a file, such as 'market\.parquet', not of type NoneType"):
        amo.load_to_parquet(account, None)  # type: ignore[arg-type]
    assert len(sandbox.requests) == before


def test_a_link_that_leads_nowhere(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    """A link to itself, for either file, is told before anything is sent, and stays."""
    before = len(sandbox.requests)
    for name in ("x.parquet", "y.settings.parquet"):
        (tmp_path / name).symlink_to(name)
        with pytest.raises(OSError, match=rf"{name} is a link that leads back to itself: name another file"):
            amo.load_to_parquet(account, tmp_path / name.replace(".settings", ""))
        assert (tmp_path / name).is_symlink()
    assert len(sandbox.requests) == before


def test_two_parquet_files(account: Account, tmp_path: Path) -> None:
    """Both files give the frames of a load, dtypes and all."""
    catalog = amo.load_catalog(account)
    report = amo.load_to_parquet(account, str(tmp_path / "market.parquet"), limit=50)
    assert sorted(path.name for path in tmp_path.glob("*.parquet")) == ["market.parquet", "market.settings.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "market.parquet"), catalog.widgets)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "market.settings.parquet"), catalog.settings)
    assert (report.widgets, report.settings) == (len(catalog.widgets), len(catalog.settings))
    assert (report.pages, report.requests, report.retries) == (6, 7, 0)


def test_an_empty_catalogue_has_its_columns(tmp_path: Path) -> None:
    """Without a widget the files have all columns, and the CSV its heading."""
    with catalogue() as server:
        amo.load_to_parquet(server.account(), tmp_path / "x.parquet")
        export.load(server.account(), tmp_path / "x.csv")
    dtypes = pd.read_parquet(tmp_path / "x.parquet").dtypes
    assert {name: str(dtype) for name, dtype in dtypes.items()} == frames.WIDGETS
    assert (tmp_path / "x.csv").read_text("utf-8-sig").split() == [",".join(frames.WIDGETS)]


def test_row_groups(tmp_path: Path) -> None:
    """A group has thousands of rows, however small the pages are."""
    with Sandbox(size=12_000) as sandbox:
        amo.load_to_parquet(Account(sandbox.url, sandbox.token), tmp_path / "x.parquet")
    for name in ("x.parquet", "x.settings.parquet"):
        meta = parquet.ParquetFile(tmp_path / name).metadata
        sizes = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
        assert all(2_500 <= size <= 10_000 for size in sizes[:-1])
        assert len(sizes) >= 3


def test_a_failure_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    """A load that breaks off in the middle changes neither file."""
    path = tmp_path / "x.parquet"
    path.write_text("before")

    def script(request: object) -> bytes:
        page = request.page  # type: ignore[attr-defined]
        return answer(listing([widget(page)], page=page, limit=1, more=True)) if page < 3 else problem(402)

    with ScriptedServer(script) as server, pytest.raises(errors.PaymentRequired):
        amo.load_to_parquet(server.account(), path, limit=1)
    assert path.read_text() == "before"
    assert [path] == list(tmp_path.glob("*x*"))


def test_a_group_that_finds_no_room_leaves_both_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong with a group that is written while the load goes on ends it."""
    paths = [tmp_path / "x.parquet", tmp_path / "x.settings.parquet"]
    for path in paths:
        path.write_text("before")
    write = parquet.ParquetWriter.write_table

    def full(writer: parquet.ParquetWriter, group: pa.Table) -> None:
        write(writer, group)
        if "rating" in group.column_names:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(parquet.ParquetWriter, "write_table", full)
    with Sandbox(size=6_000) as sandbox, pytest.raises(OSError, match="No space"):
        amo.load_to_parquet(Account(sandbox.url, sandbox.token), paths[0])
    assert [path.read_text("latin-1") for path in paths] == ["before", "before"]
    assert len(sandbox.requests) < 24


class _Full(ParquetFile):
    """A file whose last rows find no room, where it is one of widgets."""

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        if "settings" not in self._path.name:
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_that_fails_at_its_end_leaves_both_as_they_were(account: Account, tmp_path: Path) -> None:
    """Neither file takes its place before both are written to the end."""
    paths: dict[Any, Path] = {"widgets": tmp_path / "x.parquet", "settings": tmp_path / "x.settings.parquet"}
    for path in paths.values():
        path.write_text("before")
    with pytest.raises(OSError, match="No space"):
        stream(account, paths, _Full)
    assert [path.read_text("latin-1") for path in paths.values()] == ["before", "before"]


class _Broken(CsvFile):
    """A file that takes no rows."""

    def add(self, _: object) -> None:
        raise OSError(errno.EIO, "Input/output error")


def test_ctrl_c_beside_a_failure(tmp_path: Path, interrupt: Callable[[], None]) -> None:
    """A Ctrl-C that comes while the next page is awaited is raised, though its file breaks the load off before."""

    def script(request: Request) -> bytes:
        if request.page == 3:
            interrupt()
        return answer(listing([widget(request.page)], page=request.page, limit=1, more=True))

    with ScriptedServer(script) as server, pytest.raises(KeyboardInterrupt) as raised:
        stream(server.account(), {"widgets": tmp_path / "x.csv"}, _Broken, limit=1)
    assert isinstance(raised.value.__context__, OSError)
    assert not list(tmp_path.glob("*x*"))


def test_a_file_is_not_closed_while_it_is_written(tmp_path: Path) -> None:
    """A thread that Ctrl-C left behind writes to the end before its file is closed, and nothing after that."""
    begun, go_on, said = threading.Event(), threading.Event(), []

    class Slow(CsvFile):
        def add(self, part: Any) -> None:
            begun.set()
            go_on.wait()
            said.append(part)

        def close(self) -> None:
            said.append("closed")
            super().close()

    file: Any = Slow(tmp_path / "x.csv", "widgets")
    writing = threading.Thread(target=file.take, args=["rows"])
    closing = threading.Thread(target=file.__exit__)
    writing.start()
    assert begun.wait(10)
    closing.start()
    closing.join(0.1)  # without a lock it would be over by then
    go_on.set()
    for thread in (writing, closing):
        thread.join()
    file.take("more rows")
    assert said == ["rows", "closed"]


def test_an_interrupt_loses_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of codes is there still when taking in more of them is interrupted."""
    known = digests.Digests()
    known.add([(1, ["a", "b"])])
    with monkeypatch.context() as patch:
        patch.setattr(digests.np, "insert", raising)
        with pytest.raises(KeyboardInterrupt):
            known.add([(2, ["c"])])
    known.add([(2, ["c"])])
    assert known.first_pages(["b", "c", "d", "a"]) == {"b": 1, "c": 2, "a": 1}


def raising(*_: object) -> None:
    """Do as Ctrl-C does."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("decimal_comma", [False, True])
def test_csv_is_that_of_pandas(tmp_path: Path, *, decimal_comma: bool) -> None:
    """The CSV, written page by page, is byte for byte what pandas writes of the whole frame, with Excel's line ends."""
    odd = widget(2, code='a;b,"c"', version="1\n2", rating=None, pipeline_id=5, is_crm_template=None)
    with catalogue([widget(1), odd, widget(3, client_uuid="", rating="4")]) as server:
        expected = amo.load_widgets(server.account())
        export.load(server.account(), tmp_path / "x.csv", decimal_comma=decimal_comma)
    options = {"lineterminator": "\r\n"} | ({"decimal": ",", "sep": ";"} if decimal_comma else {})
    expected.to_csv(tmp_path / "y.csv", index=False, encoding="utf-8-sig", **options)  # type: ignore[call-overload]
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()


def test_line_breaks_in_a_value_break_no_row_of_a_csv(tmp_path: Path) -> None:
    """Whatever a line can end with stands in quotes where it is part of a value."""
    versions = ["1\r2", "1\n2", "1\r\n2"]
    with catalogue([widget(number, version=version) for number, version in enumerate(versions)]) as server:
        export.load(server.account(), tmp_path / "x.csv")
        export.write_frame(amo.load_widgets(server.account()), tmp_path / "y.csv")
    for name in ("x.csv", "y.csv"):
        assert pd.read_csv(tmp_path / name)["version"].tolist() == versions


@pytest.mark.parametrize("together", [250_000, 20_000])
def test_seen_widgets(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code is seen again wherever it was first, also once there are too many to keep as they came, or in one run."""
    monkeypatch.setattr("amoexplore.digests._LONG", together)
    seen = Seen()
    for page in range(1, 601):
        codes = [f"{page}-{n}" for n in range(250)]
        assert seen.take(codes, page) == {}
    assert seen.take(["1-0", "new", "600-249", "300-7"], 601) == {"1-0": 1, "600-249": 600, "300-7": 300}
    assert seen.take(["x", "300-7", "x", "new", "300-7"], 602) == {"x": 602, "300-7": 300, "new": 601}
    assert seen.take(["x", "y"], 603) == {"x": 602}
    assert Seen().take([], 1) == {}


SPY = """
import sys
import amoexplore
assert not {"typing", "requests", "pandas", "msgspec"} & sys.modules.keys(), sorted(sys.modules)
from amoexplore import connections, export, load, streams
slow = {"pandas", "pyarrow", "numpy", "tqdm", "matplotlib", "ipywidgets", "asyncio", "filelock"} & sys.modules.keys()
assert not slow, slow
"""


def test_a_csv_needs_no_pandas(tmp_path: Path, sandbox: Sandbox) -> None:
    """A load into a CSV imports nothing of what takes longest to import, from its beginning to its end."""
    path = tmp_path / "x.csv"
    source = f"""
import sys
from pathlib import Path
from amoexplore import Account, export
export.load(Account({sandbox.url!r}, {sandbox.token!r}), Path({str(path)!r}))
assert not {{"pandas", "pyarrow", "numpy"}} & sys.modules.keys(), sorted(sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-S", "-c", source], check=True, env=environment)
    assert len(path.read_text("utf-8-sig").splitlines()) == 1 + sandbox.size


def test_two_threads_import_nothing_at_once(sandbox: Sandbox) -> None:
    """What a thread imports while page 1 is on its way is not imported by another one meanwhile.

    Ctrl-C may leave the lock of all imports with the thread that it broke into, and the other one waiting for ever.
    """
    source = f"""
import builtins, threading
from amoexplore import Account, load_catalog
imported, real = [], builtins.__import__
def spy(name, *more, **options):
    if name == "amoexplore.frames" and threading.current_thread() is threading.main_thread():
        imported.append([thread.name for thread in threading.enumerate() if "import" in thread.name])
    return real(name, *more, **options)
builtins.__import__ = spy
assert len(load_catalog(Account({sandbox.url!r}, {sandbox.token!r})).widgets) == {sandbox.size}
assert imported and not any(imported), imported
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-S", "-c", source], check=True, env=environment)


def test_nothing_is_imported_before_it_is_needed() -> None:
    """The package itself imports nothing, and what a load begins with nothing that takes long."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-S", "-c", SPY], check=True, env=environment)
