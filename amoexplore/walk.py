"""The pages of a catalogue in order, several asked for at once where that pays."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Self

from amoexplore import lengths, pacer
from amoexplore.errors import AmoError, Blocked, Redirected
from amoexplore.stops import CalledOff, Stop
from amoexplore.transport import Errand
from amoexplore.ways import MOST_AT_ONCE
from amoexplore.wire import Page, split_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amoexplore.account import Account

    _Fetch = Callable[[Callable[[], int], Errand], Page]

#: Round trips that are faster, in seconds, are made one after the other: threads would cost more than they bring.
_WORTH_IT: Final = 0.05
#: So many pages are asked for at first where nobody knows how many there are; each that comes lets two more be.
_AT_FIRST: Final = 16
#: What a page keeps this process busy for, in seconds: it takes so many threads to be busy all the time.
_BUSY: Final = 0.003
#: For no longer than this Ctrl-C waits on systems whose locks it does not break.
_SLICE: Final = 0.25
#: How long to wait for threads that were called off. They may be connecting or looking up a name, which nothing ends.
_PATIENCE: Final = 2.0


class Walk:
    """Walks along the pages of an account's catalogue, up to the one that ends it.

    The first page goes alone, unless it is known how many there are. From then on as many are asked for at once as its
    round trip is worth, within the pace of the account, and come in order all the same. What was asked for beyond the
    end, or beyond what failed, is called off.

    Parameters
    ----------
    account : Account
    limit : int
        Widgets a page.
    first : int
        The page to begin with.

    Attributes
    ----------
    sent, failed : int
        How many requests were sent, and how many of them failed; final once the context is left.
    meanwhile : callable, optional
        What to do with a page before it is given out, while the next one is on its way, where that is asked for by this
        thread; no more than one page is asked for ahead.
    """

    def __init__(self, account: Account, limit: int, first: int = 1) -> None:
        self._account = account
        self._limit = limit
        self._first = first
        self._stop = Stop()
        self._ahead: _Ahead | None = None
        self._counting = threading.Lock()
        self._interrupt: BaseException | None = None  # until the page before it has been taken
        self.sent = self.failed = 0
        self.meanwhile: Callable[[Page], object] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.meanwhile = None  # with all that it holds
        if self._ahead:
            self._ahead.close()
        if self._interrupt:  # nobody has asked for the page in whose place it came
            raise self._interrupt

    def __iter__(self) -> Iterator[Page]:
        known = lengths.known(self._account, self._limit)
        threads = min(known - self._first + 1, _at_once(self._account))
        if threads > 1:
            self._ahead = _Ahead(self._fetch, self._stop, self._first, threads, known)
            self._ahead.start()
            yield from self._rest(self._ahead, known)
            return
        errand = Errand()
        page = self._fetch(lambda: self._first, errand)
        threads = 1 if page.is_last else _at_once(self._account, errand.seconds)
        if threads > 1:
            end = math.inf if page.links.next else page.number + 1
            self._ahead = _Ahead(self._fetch, self._stop, self._first + 1, threads, end)
            self._ahead.start()
            yield page
            yield from self._rest(self._ahead, known)
            return
        yield from self._one_by_one(page)

    def _one_by_one(self, page: Page) -> Iterator[Page]:
        """Yield a page and those behind it, each asked for by this thread."""
        while not page.is_last:
            if self.meanwhile is None:
                yield page
                page = self._fetch(partial(int, page.number + 1), Errand())
            else:
                following = self._following(page, self.meanwhile)
                yield page
                self._interrupt = None
                if isinstance(following, BaseException):
                    raise following
                page = following
        yield page

    def _following(self, page: Page, meanwhile: Callable[[Page], object]) -> Page | BaseException:
        """Return the page behind one that was not given out yet, or what came in its place."""
        failures: list[Exception] = []

        def act() -> None:
            try:
                meanwhile(page)
            except Exception as error:  # noqa: BLE001  as itself below: in there it would be taken for the connection's
                failures.append(error)

        try:
            following = self._fetch(partial(int, page.number + 1), Errand(meanwhile=act))
        except Exception as error:  # noqa: BLE001  raised again where the page is taken
            return error
        except BaseException as error:  # noqa: BLE001  and this one also where none is
            self._interrupt = error
            return error
        return failures[0] if failures else following

    def _rest(self, ahead: _Ahead, known: int) -> Iterator[Page]:
        named: deque[bool] = deque(maxlen=2)
        for page in ahead:
            if page.is_last:
                # An empty page behind the first one that named no next one need not be asked for again.
                end = page.number - (not page.count and list(named) == [True, False])
                if end != known:
                    lengths.remember(self._account, self._limit, end)
            named.append(bool(page.links.next))
            yield page

    def _fetch(self, draw: Callable[[], int], errand: Errand) -> Page:
        did_not_fail = 0
        try:
            page = self._account.fetch_page(draw, self._limit, errand)
            _check_links(page, self._account)
            did_not_fail = 1
        except CalledOff:
            did_not_fail = min(errand.sent, 1)
            raise
        finally:
            with self._counting:
                self.sent += errand.sent
                self.failed += errand.sent - did_not_fail
        return page


def _at_once(account: Account, seconds: float = math.inf) -> int:
    """Return how many requests to have under way; 1 where that is not worth a thread."""
    if seconds < _WORTH_IT:
        return 1
    return int(min(account.rate or MOST_AT_ONCE, MOST_AT_ONCE, seconds / _BUSY))


def _check_links(page: Page, account: Account) -> None:
    _ = page.is_last  # raises what is wrong with its own link
    following = split_url(page.links.next.href if page.links.next else "", page).netloc.lower()
    if following not in ("", account.host):
        raise Redirected(
            f"Page {page.number} of {account.host} names a next page at {following}, and a token goes to its own host "
            f"only. If the account has moved, connect to its new address.",
            url=page.url,
        )


class _Ahead:
    """Pages that threads ask for, each for the next one that nobody has, while others are taken in order.

    Parameters
    ----------
    fetch : callable
        Sends for a page: takes what draws its number, and an errand.
    stop : Stop
        Calls all of it off.
    first : int
        The page to begin with.
    threads : int
    end : int
        The page that is believed to be the last one: nothing is asked for beyond it before it says that more follow. A
        full one does not say whether they do. It is the last one if it names no next page, and all before it do.
    """

    def __init__(self, fetch: _Fetch, stop: Stop, first: int, threads: int, end: float) -> None:
        self._fetch = fetch
        self._stop = stop
        self._window = 2 * threads
        self._at_once = _AT_FIRST if end == math.inf else threads
        self._under_way = 0
        self._drawn = self._taken = first - 1
        self._wanted = 0  # how many threads are about to draw a number
        self._believed = self._end = end  # nothing is asked for beyond
        self._is_sure = False
        self._farthest = 0  # the farthest page that is not the last one
        self._blocked: Blocked | None = None
        self._came: dict[int, Page | BaseException] = {}
        # Held as itself: Ctrl-C can break into a condition's methods, and leave it held or free when it must not be.
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)  # nobody waits for it where Ctrl-C comes
        self._arrivals: SimpleQueue[None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"page {n}", daemon=True) for n in range(threads)]

    def start(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Iterator[Page]:
        are_named: bool | None = None
        while True:
            page = self._take()
            yield page
            if page.is_last:
                return
            if self._is_believed(page):
                if are_named:
                    return
                with self._lock:
                    self._go_beyond(page)
            are_named = are_named is not False and bool(page.links.next)

    def close(self) -> None:
        """Call off what is under way, and wait until nothing is."""
        try:
            self._call_off()
        except BaseException:  # Ctrl-C: what it kept from being called off would be asked for on and on
            self._call_off()
            raise
        end = time.monotonic() + _PATIENCE
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))

    def _call_off(self) -> None:
        self._stop.set()
        with self._lock:
            self._end = self._taken
            self._room.notify_all()

    def _take(self) -> Page:
        """Return the next page in order, or raise what came in its place."""
        asked = pacer.clock.now()
        while (came := self._next()) is None:
            with suppress(Empty):
                self._arrivals.get(timeout=_SLICE)
        if isinstance(came, Page | AmoError):
            # Others wait at the same time: what counts is for how long the load did.
            came.waited = min(came.waited, pacer.clock.now() - asked)
        if isinstance(came, BaseException):
            raise came
        return came

    def _next(self) -> Page | BaseException | None:
        """Return what came in place of the next page in order, or what ends all of it; None if nothing has come yet."""
        with self._lock:
            came = self._came.pop(self._taken + 1, None)
            if came is None:
                return self._blocked
            self._taken += 1
            self._room.notify()
        return came

    def _work(self) -> None:
        while self._is_wanted():
            drawn: list[int] = []
            try:
                came: Page | BaseException = self._fetch(partial(self._draw, drawn), Errand(self._stop))
            except CalledOff:
                came = CalledOff()
            except BaseException as error:  # noqa: BLE001  raised again where the page is taken
                came = error
            self._put(drawn, came)

    def _is_wanted(self) -> bool:
        """Wait until one more page may be asked for; whether there is one."""
        with self._lock:
            while not self._stop.is_set():
                has_room = self._drawn + self._wanted < min(self._end, self._taken + self._window)
                if has_room and self._under_way < self._at_once:
                    self._wanted += 1
                    self._under_way += 1
                    return True
                self._room.wait(_SLICE)  # not for ever: Ctrl-C can keep others from being told
        return False

    def _draw(self, drawn: list[int]) -> int:
        with self._lock:
            if self._stop.is_set() or self._drawn >= self._end:
                raise CalledOff
            self._wanted -= 1
            self._drawn += 1
            drawn.append(self._drawn)
            return self._drawn

    def _put(self, drawn: list[int], came: Page | BaseException) -> None:
        with self._lock:
            self._under_way -= 1
            self._at_once += 1
            self._room.notify(2)
            if not drawn:
                self._wanted -= 1
                if isinstance(came, CalledOff) or self._drawn >= self._end:
                    return
                self._drawn += 1  # what failed before it had a number stands for the next page
            number = drawn[0] if drawn else self._drawn
            self._came[number] = came
            if isinstance(came, BaseException) or came.is_last:
                self._end, self._is_sure = min(self._end, number), True
            elif not self._is_believed(came):
                self._go_beyond(came)
            if isinstance(came, Blocked):
                self._blocked = self._blocked or came
            self._arrivals.put(None)

    def _is_believed(self, page: Page) -> bool:
        return page.number == self._believed and not page.links.next

    def _go_beyond(self, page: Page) -> None:
        """Move the end to where a page that is not the last one lets it be."""
        if self._is_sure:
            return
        self._farthest = max(self._farthest, page.number)
        if not page.links.next:  # the end in all likelihood: one more is asked for, and no more
            self._end = min(self._end, self._farthest + 1)
        if self._end <= self._farthest:
            self._end = math.inf if page.links.next else self._farthest + 1
            self._room.notify_all()
