from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import amoexplore as amo
from amoexplore import Account, Catalog, errors
from amoexplore.cli import main
from amoexplore.places import Elsewhere, place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amoexplore import Sandbox

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalog(sandbox: Sandbox) -> Catalog:
    """Return the sandbox's catalogue, as some account's."""
    loaded = amo.load_catalog(Account(sandbox.url, sandbox.token))
    return replace(loaded, report=replace(loaded.report, account="a.amocrm.ru"))


@pytest.fixture
def empty_memory() -> Iterator[None]:
    """Leave nothing in memory."""
    yield
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("http://anna:canary@127.0.0.1:9/s/", "http://127.0.0.1:9/s"),
        ("http://anna:can@ary@127.0.0.1:9/s", "http://127.0.0.1:9/s"),
        ("http://127.0.0.1:9/s?sig=canary", "http://127.0.0.1:9/s"),
        ("memory://s", "memory://s"),
        ("/", "/"),
    ],
)
def test_addresses_hide_what_is_private(where: str, shown: str) -> None:
    """An address is shown without what a user, a password or a signature of it was, and goes on as it began."""
    there = place(where)
    assert there.shown(there.root) == shown
    if "?" not in where:
        assert there.shown(f"{there.root}/taken=1") == f"{shown.rstrip('/')}/taken=1"


def test_containers_of_azure_are_no_users() -> None:
    """What stands before the host of Azure's addresses is a part of them."""
    where = "abfs://market@acct.dfs.core.windows.net/snapshots"
    assert Elsewhere("market/snapshots", MemoryFileSystem(), where).shown("market/snapshots/x") == f"{where}/x"


def test_what_connects_at_once(catalog: Catalog) -> None:
    """A place that is connected to as soon as it is named is told as any other."""
    with pytest.raises(errors.PlaceFailed, match=r"^ftp://127\.0\.0\.1:9/s: Connection refused\. Check the address"):
        amo.snapshot(catalog, "ftp://anna:canary@127.0.0.1:9/s")


def test_what_cannot_be_reached_hides_it_too(catalog: Catalog) -> None:
    """Where nobody answers, that is told before a load, without the password."""
    for ask in (lambda where: amo.snapshot(catalog, where), amo.history):
        with pytest.raises(errors.PlaceFailed, match=r"^http://127\.0\.0\.1:9/s: .*Check the address") as failed:
            ask("http://anna:canary@127.0.0.1:9/s")
        assert "canary" not in str(failed.value)


@pytest.mark.parametrize("where", ["s3://KEY:can/ary@bucket/x", "s3://KEY@bucket/x", "s3://", "s3:///x"])
def test_addresses_of_s3(where: str) -> None:
    """An address of S3 has a bucket and no keys; what is wrong with it is told without them."""
    with pytest.raises(ValueError, match="AWS_ACCESS_KEY_ID") as told:
        amo.history(where)
    assert "KEY@" not in str(told.value)
    assert "ary" not in str(told.value)


def test_links_are_followed(catalog: Catalog, tmp_path: Path) -> None:
    """A snapshot that was moved away, and has a link in its place, is there; a link to nowhere is named."""
    for day in range(3):
        amo.snapshot(catalog, tmp_path / "here", taken=NEW_YEAR + timedelta(days=day))
    first, second, _ = sorted((tmp_path / "here").iterdir())
    for day in (first, second):
        day.rename(tmp_path / day.name)
        day.symlink_to(tmp_path / day.name)
    assert len(amo.history(tmp_path / "here").snapshots) == 3
    (tmp_path / second.name).rename(tmp_path / "unplugged")
    with pytest.warns(errors.DamagedSnapshotWarning, match=r"02T.* \(it can't be read: FileNotFoundError\)"):
        assert len(amo.history(tmp_path / "here").snapshots) == 2
    third = next((tmp_path / "here").glob("taken=2026-01-03*/account=*"))
    (third / ".#manifest.json").symlink_to(tmp_path / "nowhere")  # an editor's
    (first / "account=b.amocrm.ru").symlink_to(first)  # back and forth
    with pytest.warns(errors.DamagedSnapshotWarning):
        assert len(amo.history(tmp_path / "here").snapshots) == 2


def test_what_cannot_be_read_is_no_empty_history(tmp_path: Path) -> None:
    """Where a folder can't be read, that is said, and not that there is no snapshot in it."""
    (tmp_path / "snapshots").symlink_to(tmp_path / "snapshots")
    with pytest.raises(errors.PlaceFailed, match=r"/snapshots: Too many levels of symbolic links\. Name a folder"):
        amo.history(tmp_path / "snapshots")


def test_a_place_is_tried_before_the_load(sandbox: Sandbox, tmp_path: Path) -> None:
    """Where no folder can be made, a link to nowhere too, nothing is loaded; what can be made is not made yet."""
    (tmp_path / "link").symlink_to(tmp_path / "unplugged" / "snapshots")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    before = len(sandbox.requests)
    for name, why in (("link", "No such file"), ("file", "Not a directory"), ("file/snapshots", "Not a directory")):
        with pytest.raises(errors.PlaceFailed, match=rf"/{name}: {why}.*\. Name a folder that can be"):
            amo.snapshot(Account(sandbox.url, sandbox.token), tmp_path / name)
    assert len(sandbox.requests) == before
    place(tmp_path / "new" / "folder").check()
    assert not (tmp_path / "new").exists()


def test_a_failed_write_leaves_nothing(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a disk is full in the middle there is no folder of the snapshot, not even an empty one."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(errors.PlaceFailed, match=rf"^{tmp_path}: No space left on device\. Name a folder"):
        amo.snapshot(catalog, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("empty_memory")
def test_an_unfinished_one_is_no_snapshot(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who tries again where a write elsewhere was cut off is told that an unfinished one stands there."""
    write = MemoryFileSystem.pipe_file

    def cut_off(self: Any, path: str, *rest: Any, **more: Any) -> None:
        if path.endswith("settings.parquet"):
            raise ConnectionError("canary://anna:canary@host/ is gone")
        write(self, path, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "pipe_file", cut_off)
        with pytest.raises(errors.PlaceFailed, match=r"^memory://s: ConnectionError: canary://host/ is gone\. Check"):
            amo.snapshot(catalog, "memory://s", taken=NEW_YEAR)
    with pytest.raises(errors.SnapshotExists, match=r"unfinished snapshot.*: memory://s/taken=2026-01-01T.* Delete it"):
        amo.snapshot(catalog, "memory://s", taken=NEW_YEAR)


@pytest.mark.usefixtures("empty_memory")
def test_who_may_only_write_writes(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that may write and not list take snapshots; what is there they can't tell."""

    def denied(*_: object, **__: object) -> None:
        raise PermissionError("Access Denied")

    with monkeypatch.context() as patch:
        for name in ("ls", "find"):
            patch.setattr(MemoryFileSystem, name, denied)
        amo.snapshot(catalog, "memory://s", taken=NEW_YEAR)
        with pytest.raises(errors.PlaceFailed, match=r"^memory://s: PermissionError: Access Denied\. Check"):
            amo.history("memory://s")
    assert len(amo.history("memory://s").snapshots) == 1


class _NeedsFolders(MemoryFileSystem):  # type: ignore[misc]  # fsspec ships no types
    """What writes no file where there is no folder for it, as FTP does."""

    protocol = "folders"

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **more: Any) -> None:
        """Write a file into a folder that is there."""
        path = self._strip_protocol(path)
        if not self.isdir(self._parent(path)):
            raise RuntimeError("553 Could not create file.")
        super().pipe_file(path, value, mode=mode, **more)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(re.sub("^folders:/?/?", "", path)))


@pytest.mark.usefixtures("empty_memory")
def test_folders_are_made_where_they_are_needed(catalog: Catalog) -> None:
    """Also a file system that writes into folders only takes snapshots."""
    fsspec.register_implementation("folders", _NeedsFolders, clobber=True)
    for day in range(2):
        amo.snapshot(catalog, "folders://all/mine", taken=NEW_YEAR + timedelta(days=day))
    history = amo.history("folders://all/mine")
    assert (len(history.snapshots), len(history.check())) == (2, 0)


def test_the_command_says_it_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A place that can't be reached is no traceback."""
    assert main(["changes", "http://anna:canary@127.0.0.1:9/s"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("amoexplore: http://127.0.0.1:9/s: ")
    assert "canary" not in told
