"""Walks the pages into frames."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from amoexplore.account import require_account
from amoexplore.errors import RepeatedPage, UnreadableValue, UnreadableValueWarning
from amoexplore.parts import Reader
from amoexplore.progress import DEFAULT_LIMIT, Progress, kept, progress_of
from amoexplore.reports import Catalog, Tally
from amoexplore.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    from tqdm import tqdm

    from amoexplore.account import Account
    from amoexplore.columns import Columns
    from amoexplore.parts import Part
    from amoexplore.reports import Report
    from amoexplore.wire import Page, Unreadable

#: Seconds after which a load shows how far it is.
PATIENCE = 1.0

#: So many pages in a row of which nothing could be read, full ones that are not the last, are taken for endless.
_BARREN: Final = 10

#: What takes long to import, with pandas and pyarrow, and is not needed before a page has come.
_FRAMES = "amoexplore.frames"


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
    catalog = catalog_of(account, limit=limit, on_bad=on_bad, progress=progress, resume=resume)
    warn(catalog.report, "catalog.report")
    return catalog


def catalog_of(
    account: Account,
    *,
    limit: int,
    on_bad: Literal["coerce", "raise"],
    progress: bool | None,
    resume: Progress | BaseException | None = None,
) -> Catalog:
    """Load the catalogue as :func:`load_catalog` does, but warn of nothing.

    Raises
    ------
    UnreadableValue, RepeatedPage, AmoError
        As there.
    """
    with kept(resume):
        check(account, on_bad)
        before = progress_of(resume, account.named, limit)
    started = time.perf_counter() - before.seconds
    parts: list[Part[Any]] = list(before.parts)
    walk = Walk(account, before.limit, before.pages + 1)
    walk.sent, walk.failed = before.requests, before.failed
    try:
        _go(walk, parts, on_bad=on_bad, progress=progress)
        catalog = _catalog(parts, account.name, walk, started, before.waited)
    except BaseException as error:
        seconds, waited = time.perf_counter() - started, before.waited + getattr(error, "waited", 0.0)
        Progress(account.named, before.limit, tuple(parts), walk.sent, walk.failed, seconds, waited).tell(error)
        raise
    return catalog


def _go(walk: Walk, parts: list[Part[Any]], *, on_bad: str, progress: bool | None) -> None:
    """Add what becomes of the pages to the parts that are there; what that took is let go of at the end."""
    with walk:
        pages = begun(walk)
        from amoexplore.frames import codes, gather, settle  # noqa: PLC0415  while the network is asked

        settle(parts)
        reader = Reader(codes(parts))
        walk.meanwhile = reader.read_ahead
        widgets = Tally.of(part.tally for part in parts).widgets
        gather(parts, read(pages, reader, on_bad=on_bad, progress=progress, widgets=widgets))


def begun(walk: Walk) -> Iterator[Page]:
    """Return the pages; the first has come, and what takes long to import was imported meanwhile."""
    if "amoexplore.sandbox" in sys.modules:  # in this process perhaps: it would answer late
        import_module(_FRAMES)
    importing = _importing()
    pages = iter(walk)
    first = next(pages)
    # What this thread imported at the same time would leave the other one waiting for ever, if Ctrl-C came just then.
    importing.join()
    return chain([first], pages)


@cache
def _importing() -> threading.Thread:
    """Return the thread that imports what takes long, begun."""
    thread = threading.Thread(target=import_module, args=[_FRAMES], name="imports")
    thread.start()
    return thread


def read(
    pages: Iterable[Page],
    reader: Reader,
    *,
    on_bad: str = "coerce",
    progress: bool | None = None,
    widgets: int = 0,
) -> Iterator[Part[Columns]]:
    """Yield what becomes of each page, which the reader has kept then.

    Raises
    ------
    UnreadableValue, RepeatedPage
        As :func:`load_catalog` does.
    """
    with ExitStack() as stack:
        bar: tqdm[NoReturn] | None = None
        shown_at = time.perf_counter() + (PATIENCE if progress is None else 0)
        barren = 0
        for page in pages:
            part = reader.read(page)
            fresh = part.tally.widgets
            barren = 0 if fresh or page.is_last else barren + 1
            came_again = barren > 0 and bool(part.tally.repeated)
            if barren == _BARREN or (came_again and page.links.next):
                raise _endless(page)
            if part.tally.unreadable and on_bad == "raise":
                raise _unreadable(part.tally.unreadable[0])
            widgets += fresh
            if bar is None and progress is not False and time.perf_counter() >= shown_at:
                bar = stack.enter_context(_bar())
            if bar is not None:
                bar.update(widgets - bar.n)
            yield part
            if came_again:  # a server that names no next page, and gives the same one again
                return


def _catalog(parts: Sequence[Part[Any]], account: str, walk: Walk, started: float, waited: float) -> Catalog:
    from amoexplore.frames import frame  # noqa: PLC0415  a page has come

    tally = Tally.of(part.tally for part in parts)
    tally.waited += waited
    widgets, settings = frame("widgets", parts), frame("settings", parts)
    report = tally.report(account, walk.sent, walk.failed, time.perf_counter() - started)
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


def check(account: object, on_bad: str) -> None:
    """Demand an account, and one of the two words."""
    require_account(account)
    require_on_bad(on_bad)


def require_on_bad(on_bad: str) -> None:
    """Demand one of the two words."""
    if on_bad not in ("coerce", "raise"):
        raise ValueError(f"on_bad is 'coerce' or 'raise', not {on_bad!r}.")


def _bar() -> tqdm[NoReturn]:
    from tqdm.auto import tqdm  # noqa: PLC0415  short loads show none

    class Bar(tqdm):  # type: ignore[type-arg]  # it counts, and iterates over nothing
        #: No thread looks after it.
        monitor_interval = 0

    return Bar(desc="widgets", unit="")


def _endless(page: Page) -> RepeatedPage:
    return RepeatedPage(
        f"Page {page.number} brings no widget that is new, and is not the last one: the pages never end. "
        "Try again; if it stays so, ask amoCRM's support.",
        url=page.url,
    )


def _unreadable(value: Unreadable) -> UnreadableValue:
    return UnreadableValue(
        f"{value.field} of widget {value.widget} on page {value.page} can't be read: {value.raw}. "
        'on_bad="coerce" makes it NA and lists it in the report.'
    )


def warn(report: Report, where: str) -> None:
    """Warn of values that could not be read, once; ``where`` says what has them all."""
    values = report.listed
    if not values:
        return
    first = "; ".join(f"{value.field} of {value.widget} = {value.raw}" for value in values[:3])
    more = f" and {len(values) - 3} more" if len(values) > 3 else ""  # noqa: PLR2004  as many as are shown
    text = f"Not readable, now NA: {first}{more}. {where}.unreadable lists them all."
    warnings.warn(text, UnreadableValueWarning, stacklevel=3)
