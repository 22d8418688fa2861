"""One account of many: how its token is got, and what came of its load. This is what travels to workers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import pandas as pd

from amoexplore.account import Account
from amoexplore.connections import stored_token
from amoexplore.errors import AmoError, ConfigurationError
from amoexplore.frames import frame
from amoexplore.hosts import account_address, is_counted_by_address
from amoexplore.load import catalog_of
from amoexplore.permits import RATE
from amoexplore.progress import Progress
from amoexplore.tokens import MaskedText, Token

if TYPE_CHECKING:
    from collections.abc import Callable

    from amoexplore.pacer import Together
    from amoexplore.transport import Pace


class Unusable(NamedTuple):
    """Stands for what was given and can't be used: its type alone, as it may hold a token."""

    kind: str


#: What a caller may be given for an account: its token, what gets it by the address, or None for the stored one.
Access: TypeAlias = "str | Token | Callable[[str], str | Token] | None"

#: The report of a fleet, one row an account.
REPORT: Final = {
    "account": "str",
    "status": "str",
    "error": "str",
    "advice": "str",
    "pages": "int64",
    "requests": "int64",
    "seconds": "float64",
    "widgets": "int64",
    "settings": "int64",
    "unreadable": "int64",
}


@dataclass(frozen=True)
class Manner:
    """How accounts are loaded: what ``load_fleet`` was told."""

    limit: int
    on_bad: Literal["coerce", "raise"]
    pace: Pace
    total: Pace

    def rate(self, host: str) -> int | None:
        """Return at which pace of all the account at a host is asked."""
        if self.total == "auto":
            return RATE if is_counted_by_address(host) else None
        return self.total


class Loaded(NamedTuple):
    """What came of a load: the two frames, which are empty if it failed, and its row of the report."""

    widgets: pd.DataFrame
    settings: pd.DataFrame
    row: dict[str, Any]


@dataclass(frozen=True)
class Member:
    """One account to load: where it is, and how its token is got; or the account itself."""

    address: str
    access: Access | Account | Unusable = None

    @property
    def host(self) -> str:
        """What the account is called: its host, or what was given for one."""
        try:
            return urlsplit(account_address(self.address)).netloc
        except ConfigurationError:
            return self.address

    def run(self, manner: Manner, together: Together) -> Loaded:
        """Return what came of the load; a failure is a row, too."""
        started = time.perf_counter()
        try:
            # Its connection is closed with it: hundreds of open ones are more than a process may have.
            account = self._connected(manner.pace).among(together)
            catalog = catalog_of(account, limit=manner.limit, on_bad=manner.on_bad, progress=False)
        except AmoError as error:
            came = error.progress if isinstance(error.progress, Progress) else Progress("", 0)
            return self.failed(
                type(error).__name__,
                error.message,
                pages=came.pages,
                requests=came.requests,
                seconds=time.perf_counter() - started,
            )
        report = catalog.report
        return self._loaded(
            catalog.widgets,
            catalog.settings,
            status="ok",
            pages=report.pages,
            requests=report.requests,
            seconds=report.seconds,
            unreadable=len(report.unreadable),
        )

    def failed(self, error: str, advice: str, **counts: float) -> Loaded:
        """Return what came of a load that failed; what had come is left out."""
        row = {"status": "failed", "error": error, "advice": advice, "pages": 0, "requests": 0, "seconds": 0.0}
        return self._loaded(frame("widgets", []), frame("settings", []), **row | counts)

    def carries_its_token(self, pickled: bytes) -> bool:
        """Return whether the function that gets the token brings it along, as far as it can be got here."""
        try:
            token = self._token()
            return (token if isinstance(token, Token) else Token(MaskedText(token))).is_in(pickled)
        except AmoError:
            return False

    def _loaded(self, widgets: pd.DataFrame, settings: pd.DataFrame, **row: Any) -> Loaded:
        counts = {"widgets": len(widgets), "settings": len(settings)}
        row = {"error": None, "advice": None, "unreadable": 0} | row | counts | {"account": self.host}
        return Loaded(_of(self.host, widgets), _of(self.host, settings), row)

    def _connected(self, pace: Pace) -> Account:
        if isinstance(self.access, Account):
            return self.access
        return Account(account_address(self.address), self._token(), write=False, pace=pace)

    def _token(self) -> str | Token:
        if self.access is None:
            return self._stored()
        token = _got(self.access, self.address) if callable(self.access) else self.access
        if isinstance(token, str | Token):
            return token
        kind = token.kind if isinstance(token, Unusable) else type(token).__name__
        raise ConfigurationError(
            f"There is no token for {self.host}: a token is a text, and there is something of type {kind}."
        )

    def _stored(self) -> Token:
        token = stored_token(account_address(self.address))
        if token is None:
            raise ConfigurationError(
                f"There is no token for {self.host}: none is stored here. amo.login({self.host!r}, …) stores one; or "
                "give load_fleet a mapping from addresses to tokens."
            )
        return token


def report_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return one row an account."""
    return pd.DataFrame(rows, columns=[*REPORT]).astype(REPORT)


def nothing() -> Loaded:
    """Return the two frames of no account."""
    return Loaded(_of("", frame("widgets", [])), _of("", frame("settings", [])), {})


def _of(host: str, frame: pd.DataFrame) -> pd.DataFrame:
    frame.insert(0, "account", pd.Series(host, frame.index, dtype="str"))
    return frame


def _got(access: Callable[[Any], Any], address: str) -> Any:
    if isinstance(access, Token):  # which signs requests when it is called
        return access
    try:
        token = access(address)
        return MaskedText(token) if isinstance(token, str) else token
    except AmoError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a vault, a file, a mapping or a script raises
        why = type(error).__name__
    # Without its text and its frames, which may hold the token.
    raise ConfigurationError(
        f"There is no token for {address}: what was to get it raised {why}. Call it yourself to see more."
    )
