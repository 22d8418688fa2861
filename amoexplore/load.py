"""Walks the pages of the catalogue into frames."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Literal

import pandas as pd
from msgspec import structs
from tqdm.auto import tqdm

from amoexplore import display
from amoexplore.transport import Errand
from amoexplore.errors import AmoError, Redirected, RepeatedPage, UnreadableValue, UnreadableValueWarning
from amoexplore.frames import Frames
from amoexplore.progress import DEFAULT_LIMIT, Progress, progress_of
from amoexplore.wire import Page, Unreadable, split_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amoexplore.account import Account

#: Seconds after which a load shows how far it is.
PATIENCE = 1.0


@dataclass(frozen=True, eq=False)
class Report:
    """What a load did.

    Attributes
    ----------
    account : str
        Where from.
    pages, requests, retries : int
        Pages with widgets; requests sent; how many of them brought no page.
    seconds, waited : float
        From the first request to the last row; and what of it was waiting, for the pace or before another try.
    widgets, settings : int
        Rows of the two frames.
    unreadable : DataFrame
        Values that became NA (page, widget, field, raw); also entries without an id or a code, which no frame can hold.
    repeated : DataFrame
        Widgets that came more than once (code, id, first_page, again_page); the first is kept.
    unknown_fields : dict
        Fields that the API's page does not name, and how often they came.
    unknown_types : dict
        Types of settings that the API's page does not name, and how often they came.
    """

    account: str
    pages: int
    requests: int
    retries: int
    seconds: float
    waited: float
    widgets: int
    settings: int
    unreadable: pd.DataFrame
    repeated: pd.DataFrame
    unknown_fields: dict[str, int] = field(default_factory=dict)
    unknown_types: dict[str, int] = field(default_factory=dict)

    def _rows(self) -> dict[str, object]:
        return {
            "account": self.account,
            "pages": self.pages,
            "requests": self.requests,
            "retries": self.retries,
            "seconds": f"{self.seconds:.2f}",
            **({"waited": f"{self.waited:.2f}"} if self.waited >= 0.01 else {}),  # noqa: PLR2004  what two places show
            "widgets": self.widgets,
            "settings": self.settings,
            "unreadable values": len(self.unreadable),
            "repeated widgets": len(self.repeated),
            "unknown fields": _counted(self.unknown_fields),
            "unknown types": _counted(self.unknown_types),
        }

    def __repr__(self) -> str:
        return "\n".join(["Load report", *(f"  {name:<18} {value}" for name, value in self._rows().items())])

    def _repr_html_(self) -> str:
        return display.card("Load report", self._rows())


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} × {count}" for name, count in counts.items()) or "none"


@dataclass(frozen=True, eq=False)
class Catalog:
    """The catalogue as two frames, and what the load did.

    Attributes
    ----------
    widgets : DataFrame
        One row a widget.
    settings : DataFrame
        One row a field of a settings_template.
    report : Report
    """

    widgets: pd.DataFrame
    settings: pd.DataFrame
    report: Report

    def __repr__(self) -> str:
        return f"<Catalog of {self.report.account}: {len(self.widgets)} widgets, {len(self.settings)} settings>"

    def _repr_html_(self) -> str:
        installed = int(self.widgets["is_active_in_account"].sum())
        rated = int(self.widgets["rating"].count())
        rows = {"widgets": len(self.widgets), "installed": installed, "rated": rated, "settings": len(self.settings)}
        return display.card(f"Catalog of {self.report.account}", rows)


def load_catalog(
    account: Account,
    *,
    limit: int = DEFAULT_LIMIT,
    on_bad: Literal["coerce", "raise"] = "coerce",
    progress: bool | None = None,
    resume: Progress | BaseException | None = None,
) -> Catalog:
    """Load the whole catalogue in one pass.

    Parameters
    ----------
    account : Account
    limit : int
        Widgets a page, at most 250.
    on_bad : {"coerce", "raise"}
        What to do with a value that can't be read: make it NA, list it in the report and warn once, or stop.
    progress : bool, optional
        Show how far the load is. By default after a second.
    resume : AmoError, KeyboardInterrupt or Progress, optional
        What broke a load off, or its ``progress``: go on from there, in pages of the same size, without asking again
        for what had come.

    Returns
    -------
    Catalog
        The dtypes are the same for any catalogue, also an empty one.

    Raises
    ------
    UnreadableValue
        With ``on_bad="raise"``.
    RepeatedPage
        If the pages never end.
    AmoError
        If the account can't be reached, refuses, or sends what is no catalogue: there are no half-filled frames. Its
        ``progress`` has what had come, as that of a KeyboardInterrupt does.
    """
    if on_bad not in ("coerce", "raise"):
        raise ValueError(f"on_bad is 'coerce' or 'raise', not {on_bad!r}.")
    before = progress_of(resume, account.url, limit)
    started = time.perf_counter() - before.seconds
    frames = Frames(before.parts)
    try:
        _fill(frames, account, before, on_bad=on_bad, progress=progress)
    except BaseException as error:
        failed = before.requests + (error.tries if isinstance(error, AmoError) else 0)
        Progress(account.url, before.limit, tuple(frames.parts), failed, time.perf_counter() - started).tell(error)
        raise
    catalog = _catalog(frames, account.name, before.requests, time.perf_counter() - started)
    unreadable = [value for part in frames.parts for value in part.unreadable]
    if unreadable:
        warnings.warn(_warning(unreadable), UnreadableValueWarning, stacklevel=2)
    return catalog


def _fill(frames: Frames, account: Account, before: Progress, *, on_bad: str, progress: bool | None) -> None:
    """Take the pages that are not there yet into the frames."""
    with _bar(progress=progress) as bar:
        bar.update(before.widgets)
        for page in _walk(account, before.limit, before.pages + 1):
            part = frames.read(page)
            fresh = part.widgets.num_rows
            if page.count and not fresh and page.links.next:
                raise _endless(page)
            if part.unreadable and on_bad == "raise":
                raise _unreadable(part.unreadable[0])
            frames.keep(part)
            bar.update(fresh)
            if not fresh:  # a server that names no next page, and gives the same one again
                return


def _catalog(frames: Frames, account: str, failed: int, seconds: float) -> Catalog:
    widgets, settings, parts = frames.widgets(), frames.settings(), frames.parts
    unreadable = [structs.astuple(value) for part in parts for value in part.unreadable]
    requests = failed + sum(part.requests for part in parts)
    report = Report(
        account=account,
        pages=sum(part.entries > 0 for part in parts),
        requests=requests,
        retries=requests - len(parts),
        seconds=seconds,
        waited=sum(part.waited for part in parts),
        widgets=len(widgets),
        settings=len(settings),
        unreadable=pd.DataFrame(unreadable, columns=Unreadable.__struct_fields__),
        repeated=pd.DataFrame(
            [again for part in parts for again in part.repeated], columns=["code", "id", "first_page", "again_page"]
        ),
        unknown_fields=dict(sum((part.unknown for part in parts), Counter())),
        unknown_types=dict(sum((part.types for part in parts), Counter())),
    )
    return Catalog(widgets, settings, report)


def load_widgets(
    account: Account,
    *,
    limit: int = DEFAULT_LIMIT,
    on_bad: Literal["coerce", "raise"] = "coerce",
    progress: bool | None = None,
) -> pd.DataFrame:
    """Load one row a widget: ``load_catalog(…).widgets``."""
    return load_catalog(account, limit=limit, on_bad=on_bad, progress=progress).widgets


def load_settings(
    account: Account,
    *,
    limit: int = DEFAULT_LIMIT,
    on_bad: Literal["coerce", "raise"] = "coerce",
    progress: bool | None = None,
) -> pd.DataFrame:
    """Load one row a field of a settings_template: ``load_catalog(…).settings``."""
    return load_catalog(account, limit=limit, on_bad=on_bad, progress=progress).settings


class _Bar(tqdm):  # type: ignore[type-arg]  # it counts, and iterates over nothing
    #: No thread looks after it.
    monitor_interval = 0


def _bar(*, progress: bool | None) -> _Bar:
    return _Bar(desc="widgets", unit="", delay=PATIENCE if progress is None else 0, disable=progress is False)


def _walk(account: Account, limit: int, first: int) -> Iterator[Page]:
    """Yield the pages from the first one that is wanted up to the one that ends the catalogue."""
    for number in count(first):
        page = account.fetch_page(lambda number=number: number, limit, Errand())
        _check_host(page, account)
        yield page
        if page.is_last:
            return


def _check_host(page: Page, account: Account) -> None:
    following = split_url(page.links.next.href if page.links.next else "", page).netloc.lower()
    if following not in ("", account.host):
        raise Redirected(
            f"Page {page.number} of {account.host} names a next page at {following}, and a token goes to its own host "
            f"only. If the account has moved, connect to its new address.",
            url=page.url,
        )


def _endless(page: Page) -> RepeatedPage:
    return RepeatedPage(
        f"Page {page.number} brings no widget that is new, and says that more will follow: the pages never end. "
        "Try again; if it stays so, ask amoCRM's support.",
        url=page.url,
    )


def _unreadable(value: Unreadable) -> UnreadableValue:
    return UnreadableValue(
        f"{value.field} of widget {value.widget} on page {value.page} can't be read: {value.raw}. "
        'on_bad="coerce" makes it NA and lists it in the report.'
    )


def _warning(values: list[Unreadable]) -> str:
    first = "; ".join(f"{value.field} of {value.widget} = {value.raw}" for value in values[:3])
    more = f" and {len(values) - 3} more" if len(values) > 3 else ""  # noqa: PLR2004  as many as are shown
    return f"Not readable, now NA: {first}{more}. catalog.report.unreadable lists them all."

