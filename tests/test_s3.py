from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import s3fs
from moto.server import ThreadedMotoServer
from steps import killed

import amoexplore as amo
from amoexplore import Account, Catalog, errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amoexplore import Sandbox

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
FOLDER = "taken=2026-01-01T00-00-00.000000Z/account=sandbox%20on%20this%20machine"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Return the address of an S3 server on this machine."""
    running = ThreadedMotoServer(port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of an empty bucket; its keys are where S3's own tools look for them."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "canary-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    system = s3fs.S3FileSystem()
    system.mkdir("market")
    yield "s3://market/snapshots"
    system.rm("market", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def catalog(sandbox: Sandbox) -> Catalog:
    """Return the sandbox's catalogue."""
    return amo.load_catalog(Account(sandbox.url, sandbox.token))


def test_history_on_s3(catalog: Catalog, bucket: str) -> None:
    """Snapshots in a bucket are written, listed and asked as those in a folder."""
    fewer = Catalog(catalog.widgets.iloc[1:], catalog.settings.iloc[1:], catalog.report)
    for day, each in enumerate((catalog, fewer, catalog)):
        told = amo.snapshot(each, bucket, taken=NEW_YEAR + timedelta(days=day))
    assert told == f"s3://market/snapshots/{FOLDER}".replace("01-01T", "01-03T")
    history = amo.history(bucket)
    assert repr(history).startswith("History of s3://market/snapshots\n")
    assert history.snapshots["widgets"].tolist() == [300, 299, 300]
    assert history.changes()["change"].tolist() == ["removed", "added"]
    assert history.query("SELECT count(*) FROM widgets").squeeze() == 899
    pd.testing.assert_frame_equal(catalog.widgets, history.catalog().widgets)
    assert history.check().empty


def test_never_overwrites(catalog: Catalog, bucket: str) -> None:
    """A second snapshot of an account and moment is refused by the bucket itself."""
    amo.snapshot(catalog, bucket, taken=NEW_YEAR)
    with pytest.raises(errors.SnapshotExists):
        amo.snapshot(catalog, bucket, taken=NEW_YEAR)
    assert amo.history(bucket).check().empty


def test_killed_at_any_step(sandbox: Sandbox, bucket: str) -> None:
    """Where a rename is none, a snapshot without its manifest is none."""
    with killed("killed_snapshot.py", sandbox.url, sandbox.token, bucket) as killed_at:
        assert [killed_at(step) for step in range(7)] == [None] * 6 + [6]
    with pytest.warns(errors.DamagedSnapshotWarning):
        history = amo.history(bucket)
    assert history.damaged["why"].tolist() == ["it is unfinished: its writing was cut off, or goes on"] * 4
    assert len(history.snapshots) == 2  # one killed when all was done, and one that was not
    assert len(history.check()) == 4


def test_damaged_on_s3(catalog: Catalog, bucket: str) -> None:
    """Other bytes of the same number are found when they are read."""
    for day in range(2):
        amo.snapshot(catalog, bucket, taken=NEW_YEAR + timedelta(days=day))
    system = s3fs.S3FileSystem()
    path = f"market/snapshots/{FOLDER}/widgets.parquet"
    system.pipe_file(path, b"x" * system.size(path))
    history = amo.history(bucket)
    with pytest.warns(errors.DamagedSnapshotWarning, match="its SHA-256 is another"):
        history.check()
    assert len(history.snapshots) == 1


def test_a_bucket_that_is_missing(catalog: Catalog, bucket: str) -> None:
    """Where there is no such bucket, that is told with its address, and none is made."""
    missing = bucket.replace("market", "nomarket")
    with pytest.raises(errors.PlaceFailed, match=f"^{missing}: .*bucket does not exist.* Check the address"):
        amo.snapshot(catalog, missing)
    assert s3fs.S3FileSystem().ls("") == ["market"]


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_EC2_METADATA_DISABLED": "true"}, "Unable to locate credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, "Could not connect"),
    ],
)
def test_a_bucket_that_cannot_be_reached(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: dict[str, str | None], why: str
) -> None:
    """Without keys or without an answer an error of the tree says where they are looked for, before a load."""
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for name, value in change.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    s3fs.S3FileSystem.clear_instance_cache()
    before = len(sandbox.requests)
    for ask in (amo.history, lambda where: amo.snapshot(Account(sandbox.url, sandbox.token), where)):
        with pytest.raises(errors.PlaceFailed, match=rf"^s3://market/snapshots: .*{why}.*AWS_ACCESS_KEY_ID"):
            ask("s3://market/snapshots")
    assert len(sandbox.requests) == before
    s3fs.S3FileSystem.clear_instance_cache()
