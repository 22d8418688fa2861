from __future__ import annotations

import asyncio
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import cloudpickle
import distributed
import pandas as pd
import pytest
from access import InFile, Killed
from pairs_of import stored

import amoexplore as amo
from amoexplore import Account, Sandbox, clusters, errors
from amoexplore.sandbox import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def many() -> Iterator[Sandbox]:
    """Return a sandbox of several accounts."""
    with Sandbox(accounts=8, size=70) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the workers keep what processes share."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def client(state: Path) -> Iterator[distributed.Client]:
    """Return a cluster of two worker processes on this machine, which ends with the tests."""
    with (
        pytest.MonkeyPatch.context() as patch,
        distributed.LocalCluster(
            n_workers=0, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        patch.setenv("AMOEXPLORE_STATE", str(state))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        cluster.scale(2)
        client.wait_for_workers(2)
        yield client


@pytest.fixture
def access(many: Sandbox, tmp_path: Path) -> dict[str, InFile]:
    """Return the accounts, and how their tokens are got from a file."""
    return dict.fromkeys(many.accounts, InFile(saved(many, tmp_path)))


def saved(sandbox: Sandbox, folder: Path) -> str:
    """Return where the tokens of a sandbox are now saved."""
    path = folder / "tokens.json"
    path.write_text(json.dumps(dict(sandbox.accounts)), encoding="utf-8")
    return str(path)


def load(accounts: Any, client: distributed.Client, **options: Any) -> amo.Fleet:
    """Load a fleet on the cluster, in small pages."""
    return amo.load_fleet(accounts, engine=client, **{"limit": 40, "progress": False} | options)


def computed(frame: Any, client: distributed.Client) -> pd.DataFrame:
    """Return a frame of Dask as one of pandas, with rows numbered from one end to the other."""
    whole: pd.DataFrame = client.compute(frame).result().reset_index(drop=True)
    return whole


@contextmanager
def tracked(client: distributed.Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Yield all that is sent to the scheduler in the meantime, serialised."""
    sent: list[bytes] = []
    send = client._send_to_scheduler

    def noting(message: Any) -> None:
        for value in message.values():
            sent.append(repr(value).encode())
            sent.extend(map(bytes, getattr(value, "frames", ())))
        send(message)

    with monkeypatch.context() as patch:
        patch.setattr(client, "_send_to_scheduler", noting)
        yield sent


def test_frames_are_those_of_threads(many: Sandbox, access: dict[str, InFile], client: distributed.Client) -> None:
    """A cluster gives the same rows in the same order with the same dtypes, a partition an account."""
    here, there = amo.load_fleet(many.accounts, limit=40), load(access, client)
    for name in ("widgets", "settings"):
        frame = getattr(there, name)
        assert frame.npartitions == len(many.accounts)
        assert frame.dtypes.equals(getattr(here, name).dtypes)
        pd.testing.assert_frame_equal(getattr(here, name), computed(frame, client))
    columns = ["account", "status", "pages", "widgets", "settings"]
    pd.testing.assert_frame_equal(here.report[columns], there.report[columns])
    pd.testing.assert_frame_equal(here.overlap(), there.overlap())


def first_pages(sandbox: Sandbox) -> int:
    """Return how often a first page was asked for: once a load, however many are asked for ahead."""
    return sum("page=1&" in logged.target for logged in sandbox.requests)


def test_each_account_is_loaded_once(many: Sandbox, access: dict[str, InFile], client: distributed.Client) -> None:
    """Frames stay where they were loaded: what is made of them asks no account again."""
    before = first_pages(many)
    fleet = load(access, client)
    for frame in (fleet.widgets, fleet.settings, fleet.widgets["rating"].mean()):
        client.compute(frame).result()
    assert first_pages(many) - before == len(many.accounts)


def test_no_token_travels(
    many: Sandbox, access: dict[str, InFile], client: distributed.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No token is in what is sent, in the graph, in a result, or in what scheduler and workers log and show."""
    bad = next(iter(many.accounts)).replace("account1", "nobody")
    no_token = {"http://other.localhost:1": tuple(many.accounts.values())}
    with tracked(client, monkeypatch) as sent:
        fleet = load(access | {bad: next(iter(access.values()))} | no_token, client)
        whole = client.compute(fleet.widgets).result()

    def shown(dask_scheduler: Any) -> str:
        tasks = dask_scheduler.tasks.values()
        specs = b"".join(cloudpickle.dumps(task.run_spec) for task in tasks)
        return f"{dask_scheduler.get_events()}{[repr(task) for task in tasks]}{specs!r}"

    places = [
        *sent,
        cloudpickle.dumps(fleet.widgets),
        cloudpickle.dumps(whole),
        client.run_on_scheduler(shown).encode(),
        repr(client.get_scheduler_logs()).encode(),
        repr(client.get_worker_logs()).encode(),
        fleet.report.to_csv().encode(),
    ]
    everything = b"\n".join(places)
    assert next(iter(many.accounts)).encode() in b"".join(sent)  # the loads are in what was looked through
    assert client.run_on_scheduler(shown).count("load_fleet-") >= len(many.accounts)
    assert [token for token in many.accounts.values() if token.encode() in everything] == []


def test_what_would_take_tokens_along_is_refused(many: Sandbox, client: distributed.Client) -> None:
    """Tokens, accounts that have them, and functions that do, are told what travels instead; nothing is sent."""
    tokens = dict(many.accounts)
    (account, *_) = (Account(*item) for item in tokens.items())
    before = len(many.requests)
    for accounts, words in (
        (many.accounts, "was given with its token"),
        ([Account(*item) for item in tokens.items()], "was given with its token"),
        ({address: Account(address, token).token for address, token in tokens.items()}, "was given with its token"),
        (dict.fromkeys(tokens, lambda address: tokens[address]), "has it in itself"),
        (dict.fromkeys(["http://none.localhost:1", *tokens], lambda address: tokens[address]), "has it in itself"),
        (dict.fromkeys(tokens, lambda address: Account(address, tokens[address]).token), "has it in itself"),
        (dict.fromkeys(tokens, lambda _: account.token), "can't travel"),
    ):
        with pytest.raises(errors.ConfigurationError, match=words) as raised:
            load(accounts, client)
        assert not any(token in str(raised.value) for token in tokens.values())
    assert len(many.requests) == before


def test_stored_tokens(many: Sandbox, client: distributed.Client, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of addresses alone the workers find the tokens in their own store; who is not there is a row."""
    monkeypatch.setenv("AMOEXPLORE_STATE", str(state))
    stored(many)
    fleet = load([many.url, *list(many.accounts)[:1]], client)
    assert fleet.report[["status", "widgets"]].to_numpy().tolist() == [["ok", 70], ["failed", 0]]
    assert "none is stored here" in fleet.failed["advice"][0]


def test_no_account_that_could_be_loaded(many: Sandbox, client: distributed.Client) -> None:
    """A fleet without rows has all columns and the dtypes of any."""
    fleet = load([next(iter(many.accounts))], client)
    expected = amo.load_fleet({})
    assert fleet.failed["error"].tolist() == ["ConfigurationError"]
    pd.testing.assert_frame_equal(expected.widgets, computed(fleet.widgets, client))
    pd.testing.assert_frame_equal(expected.settings, computed(fleet.settings, client))


def test_pace_of_all_holds_across_workers(tmp_path: Path, client: distributed.Client) -> None:
    """A server that counts by address refuses nothing while two processes keep the pace of all together."""
    with Sandbox(accounts=24, size=1, rate=Limits(rate=12, address_rate=12)) as sandbox:
        access = dict.fromkeys(sandbox.accounts, InFile(saved(sandbox, tmp_path)))
        fleet = load(access, client, total=12)
        statuses = [logged.status for logged in sandbox.requests]
    assert (len(fleet.failed), statuses) == (0, [200] * 24)


@pytest.mark.parametrize(
    ("rate", "machines", "expected"),
    [
        (None, ["a", "a", "b"], None),
        (9, ["a", "c", "b", "c"], ["a", "b", "c"]),
        (2, ["c", "b", "a"], ["a", "b"]),
    ],
)
def test_pace_of_all_is_divided_among_machines(
    rate: int | None, machines: list[str], expected: list[str] | None
) -> None:
    """No more machines are used than there are requests a second, so that each sends one; and none that come later."""

    class Cluster:
        def scheduler_info(self, *, n_workers: int) -> dict[str, Any]:
            assert n_workers == -1
            return {"workers": {str(number): {"host": host} for number, host in enumerate(machines)}}

    manner = clusters.Manner(250, "coerce", "auto", rate)
    assert expected == clusters._machines(Cluster(), [clusters.Member("a.amocrm.ru")], manner)  # type: ignore[arg-type]


def test_pace_of_all_where_no_worker_is_yet(access: dict[str, InFile], monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that starts workers once there is something to do does so before the pace is divided; or it is told."""
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None, silence_logs=50) as cluster,
        distributed.Client(cluster, set_as_default=False) as none_yet,
    ):
        monkeypatch.setattr(clusters, "_PATIENCE", 0.05)
        with pytest.raises(errors.ConfigurationError, match=r"No worker .* has come within 0.05 s"):
            load(access, none_yet, total=1000)
        monkeypatch.setattr(clusters, "_PATIENCE", 30)
        cluster.adapt(minimum=0, maximum=1, interval="50ms")
        assert load(access, none_yet, total=1000).failed.empty


def test_asynchronous_client(access: dict[str, InFile], client: distributed.Client) -> None:
    """A client of coroutines can't wait for a load, and is refused before anything is sent."""

    async def loading() -> None:
        async with distributed.Client(client.scheduler.address, asynchronous=True, set_as_default=False) as waiting:
            with pytest.raises(errors.ConfigurationError, match=r"asynchronous.*distributed\.Client\(address\)"):
                load(access, waiting)

    with ThreadPoolExecutor(1) as pool:  # in the tests' own thread a loop may be running already, the browser's
        pool.submit(asyncio.run, loading()).result()


def test_closed_client(access: dict[str, InFile], client: distributed.Client) -> None:
    """A client that is closed loads nothing, nor has it the frames any more that it loaded before."""
    with distributed.Client(client.scheduler.address, set_as_default=False) as closed:
        fleet = load(access, closed)
    with pytest.raises(errors.ConfigurationError, match="The client is closed"):
        load(access, closed)
    with pytest.raises(errors.ConfigurationError, match=r"The client is closed.*load_fleet"):
        fleet.overlap()


def test_killed_worker(many: Sandbox, tmp_path: Path, client: distributed.Client) -> None:
    """A worker that is killed in the middle of a load costs nothing but time."""
    fatal, mark = list(many.accounts)[4], tmp_path / "mark"
    access = Killed(saved(many, tmp_path), fatal, str(mark))
    before = set(client.run(os.getpid).values())
    fleet = load(dict.fromkeys(many.accounts, access), client)
    assert mark.exists()
    expected = amo.load_fleet(many.accounts, limit=40)
    assert fleet.failed.empty
    pd.testing.assert_frame_equal(expected.widgets, computed(fleet.widgets, client))
    client.wait_for_workers(2)
    assert len(before - set(client.run(os.getpid).values())) == 1


def test_frames_outlive_a_worker(many: Sandbox, access: dict[str, InFile], client: distributed.Client) -> None:
    """What a worker held that is killed after the load is loaded anew."""
    fleet = load(access, client)
    client.wait_for_workers(2)
    os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)
    assert len(computed(fleet.widgets, client)) == 70 * len(many.accounts)


def test_account_that_kills_every_worker(many: Sandbox, tmp_path: Path, client: distributed.Client) -> None:
    """An account that no worker survives is a row, and the others are loaded, also those that it took along."""
    fatal = list(many.accounts)[1]
    access = Killed(saved(many, tmp_path), fatal)
    client.wait_for_workers(2)
    client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))
    fleet = load(dict.fromkeys(many.accounts, access), client)
    assert fleet.failed[["account", "error"]].to_numpy().tolist() == [[fatal.removeprefix("http://"), "KilledWorker"]]
    assert fleet.report["widgets"].sum() == 7 * 70 == len(computed(fleet.widgets, client))
    client.wait_for_workers(2)
