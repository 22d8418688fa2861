"""Many accounts on the workers of a cluster."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from amoexplore.account import Account
from amoexplore.errors import ConfigurationError
from amoexplore.members import Loaded, Manner, Member, nothing, report_of
from amoexplore.pacer import Together
from amoexplore.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from distributed import Client, Future
    from tqdm import tqdm

try:
    import cloudpickle
    import dask
    import dask.dataframe as dd
    import distributed
except ImportError as error:
    raise ConfigurationError(
        f"Dask is not complete here ({error}): pip install 'amoexplore[dask]' brings it. "
        'load_fleet(accounts) with engine="threads" needs none.'
    ) from None

#: What the cluster's displays call the loads.
_NAME: Final = "load_fleet"

#: How many further accounts a function is asked for before it travels: one that asks a far vault may take its time.
_ASKED: Final = 9

#: How long to wait for the first worker, in seconds: a cloud may have to start a machine for it.
_PATIENCE: Final = 600.0

_ADVICE: Final = (
    "Tokens do not travel to workers, whose logs and displays would have them. Give addresses, whose tokens amo.login "
    "has stored there, or a mapping from addresses to a function that reads the token where it runs: from a file, say."
)


def load(
    members: list[Member], manner: Manner, *, client: Client, bar: tqdm[Any]
) -> tuple[dd.DataFrame, dd.DataFrame, pd.DataFrame]:
    """Return the two frames, each account a partition that stays where it was loaded, and the report.

    Each account is loaded once, by one worker. If that one dies another does it anew.

    Raises
    ------
    ConfigurationError
        If tokens would travel, or no worker has come where a pace of all is divided among them.
    """
    _demand_that_no_token_travels(members)
    machines = _machines(client, members, manner)
    start = partial(client.map, _run, manner=manner, among=len(machines or ()), workers=machines, pure=False)
    futures = start(members, key=_keys(members))
    try:
        with bar:
            _await(client, futures, bar.update)
        _load_alone(client, members, futures, start)
        rows = _rows(client, members, futures)
    except BaseException:
        client.cancel(futures, force=True)
        raise
    whole = [future for future, row in zip(futures, rows, strict=True) if row["status"] == "ok"]
    return _frame("widgets", whole), _frame("settings", whole), report_of(rows)


def client_of(given: Any) -> Client:
    """Return the Client that was given, or the newest one of this process.

    Raises
    ------
    ConfigurationError
        If there is none, or none that can load.
    ValueError
        If something else was given.
    """
    client = given if isinstance(given, distributed.Client) else _newest(given)
    if client.asynchronous:
        raise ConfigurationError(
            "The client is asynchronous, and would be waited for in vain: give load_fleet one of its own, "
            "distributed.Client(address), and call it in a thread, such as by asyncio.to_thread."
        )
    _demand_running(client)
    return client


def computed(frame: dd.DataFrame, client: Client) -> pd.DataFrame:
    """Return a frame that the client has loaded, as one of pandas.

    Raises
    ------
    ConfigurationError
        If the client is closed.
    """
    _demand_running(client)
    whole: pd.DataFrame = client.compute(frame).result()
    return whole


def _demand_running(client: Client) -> None:
    if client.status != "running":
        raise ConfigurationError(
            f"The client is {client.status}, and what it has loaded is gone: distributed.Client(address) connects "
            "another one, for load_fleet to load with anew."
        )


def _newest(given: Any) -> Client:
    if given != "dask":
        raise ValueError(
            f'engine is "threads", "dask" or a distributed.Client, not {type(given).__name__} {given!r:.40}.'
        )
    try:
        client: Client = distributed.default_client()
    except ValueError:
        raise ConfigurationError(
            "There is no cluster: client = distributed.Client() starts one on this machine, and "
            "distributed.Client(address) connects to another."
        ) from None
    return client


def _demand_that_no_token_travels(members: list[Member]) -> None:
    functions: dict[int, list[Member]] = {}
    for member in members:
        if isinstance(member.access, str | Token | Account):
            raise ConfigurationError(f"{member.host} was given with its token. {_ADVICE}")
        if member.access is not None:
            functions.setdefault(id(member.access), []).append(member)
    for member, *others in functions.values():
        try:
            pickled = cloudpickle.dumps(member.access)
        except Exception as error:  # noqa: BLE001  whatever says of itself that it does not travel
            why = type(error).__name__
            raise ConfigurationError(f"What gets the token of {member.host} can't travel ({why}). {_ADVICE}") from None
        # Of those that share a function not the first alone: it may know nothing of that one.
        if any(one.carries_its_token(pickled) for one in (member, *others[:_ASKED])):
            raise ConfigurationError(f"What gets the token of {member.host} has it in itself. {_ADVICE}")


def _machines(client: Client, members: list[Member], manner: Manner) -> list[str] | None:
    """Return the machines among which the pace of all is divided, and which alone may load; None if there is none."""
    rates = [rate for member in members if (rate := manner.rate(member.host))]
    if not rates:
        return None
    if not (machines := _hosts(client)):
        _await_worker(client)
        if not (machines := _hosts(client)):  # it has gone again
            raise _no_worker()
    return machines[: min(rates)]


def _hosts(client: Client) -> list[str]:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return sorted({worker["host"] for worker in workers})


def _await_worker(client: Client) -> None:
    """Return once there is a worker; a cluster that adapts starts none before it has something to do."""
    task = client.submit(int, pure=False)
    try:
        task.result(_PATIENCE)
    except distributed.TimeoutError:
        raise _no_worker() from None
    finally:
        client.cancel(task)


def _no_worker() -> ConfigurationError:
    return ConfigurationError(
        f"No worker of the cluster has come within {_PATIENCE:g} s, or none stays, and a pace of all accounts is "
        "divided among their machines: start some, such as by cluster.scale(2)."
    )


def _run(member: Member, manner: Manner, among: int) -> Loaded:
    """Load an account on a worker."""
    rate = manner.rate(member.host)
    return member.run(manner, _together(rate and max(1, rate // among)))


@cache
def _together(rate: int | None) -> Together:
    return Together(rate)


def _keys(members: list[Member]) -> list[str]:
    return [f"{_NAME}-{uuid4().hex[:12]}-{member.host}" for member in members]


def _await(client: Client, futures: list[Future[Loaded]], tell: Callable[[], object] = int) -> None:
    for _ in distributed.as_completed(futures, loop=client.loop):
        tell()


def _load_alone(
    client: Client, members: list[Member], futures: list[Future[Loaded]], start: Callable[..., list[Future[Loaded]]]
) -> None:
    """Load anew, one at a time, what was lost with its workers: another account on these may have killed them."""
    fatal = set()
    while lost := [number for number in range(len(futures)) if _is_killed(futures[number]) and number not in fatal]:
        number = lost[0]
        (futures[number],) = start([members[number]], key=_keys([members[number]]))
        _await(client, futures)
        if _is_killed(futures[number]):
            fatal.add(number)


def _is_killed(future: Future[Loaded]) -> bool:
    return future.status == "error" and isinstance(future.exception(), distributed.KilledWorker)


def _rows(client: Client, members: list[Member], futures: list[Future[Loaded]]) -> list[dict[str, Any]]:
    """Return the rows of the report, once all are loaded."""
    loaded = [future for future in futures if future.status != "error"]
    rows = dict(zip(loaded, client.gather(client.map(_row, loaded, pure=False)), strict=True))
    return [rows.get(future) or _lost(member, future) for member, future in zip(members, futures, strict=True)]


def _lost(member: Member, future: Future[Loaded]) -> dict[str, Any]:
    if not _is_killed(future):
        raise future.exception()
    return member.failed(
        "KilledWorker",
        f"Each worker that loaded {member.host} was killed, also where it was alone. Have they memory enough? "
        "Load it anew.",
    ).row


def _row(loaded: Loaded) -> dict[str, Any]:
    return loaded.row


def _part(loaded: Loaded, frame: str) -> pd.DataFrame:
    part: pd.DataFrame = getattr(loaded, frame)
    return part


def _frame(name: str, futures: list[Future[Loaded]]) -> dd.DataFrame:
    empty = _part(nothing(), name)
    # The dtypes are those of a catalogue, also of texts.
    with dask.config.set({"dataframe.convert-string": False}):
        if futures:
            frame: dd.DataFrame = dd.from_map(_part, futures, frame=name, meta=empty)
        else:
            frame = dd.from_pandas(empty, npartitions=1)
    return frame
