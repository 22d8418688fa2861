"""Many accounts in two frames."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pandas as pd
from tqdm.auto import tqdm

from amoexplore import display
from amoexplore.account import Account, require_limit
from amoexplore.errors import ConfigurationError, UnreadableValueWarning
from amoexplore.hosts import account_address
from amoexplore.load import PATIENCE, require_on_bad
from amoexplore.members import Loaded, Manner, Member, Unusable, nothing, report_of
from amoexplore.models import Secret
from amoexplore.overlaps import overlap_of
from amoexplore.pacer import Together
from amoexplore.progress import DEFAULT_LIMIT
from amoexplore.tokens import MaskedText, Token
from amoexplore.transport import checked_pace

if TYPE_CHECKING:
    from distributed import Client

    from amoexplore.members import Access
    from amoexplore.transport import Pace

Accounts: TypeAlias = "Mapping[str, Access] | Iterable[Account | str]"

#: What looks like an address, be it one or not. A token has no dots, or parts that are longer.
_NAME = re.compile(r"(https?://)?[\w-]{1,63}(\.[\w-]{1,63})+(:[0-9]{1,5})?/?")

#: Accounts that are loaded at once.
WORKERS = 8


@dataclass(frozen=True, eq=False)
class Fleet:
    """The catalogues of many accounts, and what their loads did.

    Attributes
    ----------
    widgets, settings : DataFrame
        As those of a ``Catalog``, with the account's host in the first column, ``account``; account after account, in
        the order in which they were given. Of Dask if Dask loaded them.
    report : DataFrame
        One row an account: ``status`` is ok or failed, ``error`` and ``advice`` say why and what to do; pages,
        requests, seconds, widgets, settings, and how many values could not be read.
    """

    widgets: Any
    settings: Any
    report: pd.DataFrame
    _client: Client | None = None

    @property
    def failed(self) -> pd.DataFrame:
        """The rows of the report of those that failed: they have no rows in the two frames."""
        return self.report[self.report["status"] == "failed"].reset_index(drop=True)

    def overlap(self) -> pd.DataFrame:
        """Return which accounts have which widgets: a row for each that any has installed, the most common first.

        Returns
        -------
        DataFrame
            ``code``; ``accounts``, how many have it installed; ``share`` of all that were loaded; ``have`` and
            ``lack``, which have it and which could have it, as tuples.

        Raises
        ------
        ConfigurationError
            If Dask loaded them, and the client is closed by now.

        Examples
        --------
        Who lacks what most have:

        >>> fleet.overlap().query("share > 0.5").explode("lack")[["lack", "code"]]  # doctest: +SKIP
        """
        used = self.widgets[["account", "code", "is_active_in_account"]]
        if self._client:
            from amoexplore import clusters  # noqa: PLC0415  an extra

            used = clusters.computed(used, self._client)
        return overlap_of(used, len(self.report) - len(self.failed))

    def __repr__(self) -> str:
        return f"<Fleet of {', '.join(f'{count} {name}' for name, count in self._counts().items())}>"

    def _repr_html_(self) -> str:
        return display.card("Fleet", self._counts())

    def _counts(self) -> dict[str, int]:
        sums = {name: int(self.report[name].sum()) for name in ("widgets", "settings")}
        return {"accounts": len(self.report), "failed": len(self.failed), **sums}


def load_fleet(  # noqa: PLR0913  all but the first by name, each with a default
    accounts: Accounts,
    *,
    engine: Literal["threads", "dask"] | Client = "threads",
    workers: int = WORKERS,
    limit: int = DEFAULT_LIMIT,
    on_bad: Literal["coerce", "raise"] = "coerce",
    pace: Pace = "auto",
    total: Pace = "auto",
    progress: bool | None = None,
) -> Fleet:
    """Load the catalogues of many accounts. A failure of one is a row in the report, and not the end.

    Parameters
    ----------
    accounts : mapping, or iterable of Account or str
        Addresses, whose tokens ``amo.login`` has stored; or a mapping from addresses to tokens or to a function that
        takes an address and returns its token; or accounts.
    engine : "threads", "dask" or distributed.Client
        Where to load: in threads of this process, or on the workers of a cluster: the one given, or the newest Client
        of this process. Nothing but addresses and the functions that get tokens travels there; workers without such a
        function look into their own store. ``frame.compute()`` asks the newest Client, too; for another one's frames
        there is ``client.compute(frame).result()``.
    workers : int
        How many accounts are loaded at once in threads; a cluster has its own.
    limit, on_bad
        As ``load_catalog`` takes them.
    pace : int or None, optional
        Of each account, see ``Account``; accounts that are given as such keep theirs.
    total : int or None, optional
        At most so many requests in any second to all accounts together, of all processes of this machine; a cluster of
        several machines divides it among them. Renewals of stored tokens, a request or two an account, are not counted.
        None is no such limit. By default 7 for Kommo's accounts, as Kommo counts by the caller's address, and none for
        amoCRM's, which counts by account and integration.
    progress : bool, optional
        Show how far the load is. By default after a second.

    Returns
    -------
    Fleet
        Its dtypes are those of a Catalog, whatever came.

    Raises
    ------
    ConfigurationError
        If tokens would travel, or there is no cluster, or none that can load: its client is closed or asynchronous, or
        no worker comes where there is a pace of all.
    TypeError, ValueError
        If these are no accounts, one is there twice, or a number can't be one.
    """
    hidden, accounts = Secret(accounts), ()  # from here on no traceback shows the tokens
    members = _members(hidden)
    _demand_workers(workers)
    require_limit(limit)
    require_on_bad(on_bad)
    manner = Manner(limit, on_bad, checked_pace(pace), checked_pace(total, "total"))
    if engine == "threads":
        fleet = _fleet(_on_threads(members, manner, workers=workers, progress=progress))
    else:
        from amoexplore import clusters  # noqa: PLC0415  an extra

        client = clusters.client_of(engine)
        bar = _bar(len(members), progress=progress)
        fleet = Fleet(*clusters.load(members, manner, client=client, bar=bar), client)
    _warn(fleet)
    return fleet


def _warn(fleet: Fleet) -> None:
    """Warn whoever called the function that calls this one of values that can't be read, once."""
    unreadable = int(fleet.report["unreadable"].sum())
    if unreadable:
        warnings.warn(
            f"Not readable, now NA: {display.counted(unreadable, 'value')}. fleet.report says of which accounts, and "
            "load_catalog of each which they are.",
            UnreadableValueWarning,
            stacklevel=3,
        )


def _members(accounts: Secret) -> list[Member]:
    kind = type(accounts.reveal())
    if issubclass(kind, str | Account) or not issubclass(kind, Iterable):
        raise TypeError(
            f"load_fleet takes many accounts, in a list or a mapping, not {kind.__name__}; load_catalog loads one."
        )
    members = [_member(one, access) for one, access in _masked(accounts)]
    hosts = [member.host for member in members]
    if twice := next((host for host in hosts if hosts.count(host) > 1), None):
        raise ValueError(f"{twice} is there twice: each account once, as its rows are known by its host.")
    return members


def _masked(accounts: Secret) -> list[tuple[Account | str | Unusable, Any]]:
    given = accounts.reveal()
    pairs = given.items() if isinstance(given, Mapping) else ((one, None) for one in given)
    return [(_named(one, number), _hidden(access)) for number, (one, access) in enumerate(pairs, 1)]


def _hidden(access: Any) -> Any:
    """Return what was given for a token, which no repr shows."""
    if isinstance(access, str):
        return MaskedText(access)
    is_usable = access is None or isinstance(access, Token | Account) or callable(access)
    return access if is_usable else Unusable(type(access).__name__)


def _named(one: object, number: int) -> Account | str | Unusable:
    """Return the account as it was given; but by its number what is no address and may be a token, or hold one."""
    if not isinstance(one, str):
        return one if isinstance(one, Account) else Unusable(type(one).__name__)
    if _NAME.fullmatch(one):
        return one
    try:
        account_address(one)
    except ConfigurationError:
        return f"(number {number}: no address)"
    return one


def _member(one: Account | str | Unusable, access: Any) -> Member:
    if isinstance(one, Account):
        return Member(one.url, one)
    if isinstance(one, Unusable):
        raise TypeError(f"An account is an Account or its address, not {one.kind}.")
    return Member(one, access)


def _demand_workers(workers: object) -> None:
    if not isinstance(workers, Integral) or workers < 1:
        raise ValueError(f"workers is a whole number of accounts at once, from 1 on, not {workers!r}.")


def _on_threads(members: list[Member], manner: Manner, *, workers: int, progress: bool | None) -> list[Loaded]:
    rates = {manner.rate(member.host) for member in members}
    among = {rate: Together(rate) for rate in rates}
    with _bar(len(members), progress=progress) as bar, ThreadPoolExecutor(workers, "amoexplore-fleet") as pool:
        try:
            futures = [pool.submit(member.run, manner, among[manner.rate(member.host)]) for member in members]
            for future in as_completed(futures):
                future.result()
                bar.update()
        except BaseException:
            for together in among.values():
                together.ended.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _fleet(loads: list[Loaded]) -> Fleet:
    # A frame of no account has all columns, and concat takes dtypes from the first.
    widgets = [load.widgets for load in loads if len(load.widgets)] or [nothing().widgets]
    settings = [load.settings for load in loads if len(load.settings)] or [nothing().settings]
    return Fleet(
        pd.concat(widgets, ignore_index=True),
        pd.concat(settings, ignore_index=True),
        report_of([load.row for load in loads]),
    )


class _Bar(tqdm):  # type: ignore[type-arg]  # it counts, and iterates over nothing
    #: No thread looks after it.
    monitor_interval = 0


def _bar(count: int, *, progress: bool | None) -> _Bar:
    return _Bar(
        total=count, desc="accounts", unit="", delay=PATIENCE if progress is None else 0, disable=progress is False
    )
