"""Who may send to an account, and when: one pacer an account, its permits shared by all processes of the machine."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import threading
import time
import warnings
from concurrent.futures import CancelledError
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar
from urllib.parse import urlsplit
from weakref import WeakSet, WeakValueDictionary

import msgspec
from msgspec import Struct

from amoexplore.errors import Blocked, TooManyRequests, UnsharedPaceWarning
from amoexplore.files import STATE_VARIABLE, state_folder
from amoexplore.hosts import is_counted_by_address, is_loopback
from amoexplore.permits import Permits, RoundTrips
from amoexplore.retries import CAP
from amoexplore.stops import CalledOff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import FileLock

    from amoexplore.stops import Stop

Result = TypeVar("Result")

#: What ends a wait.
Signal: TypeAlias = "threading.Event | Stop"

#: How often to look whether a permit is free, in seconds: another process frees it without a word.
_LOOK: Final = 0.02
#: For no longer than this Ctrl-C waits on systems whose locks it does not break.
_SLICE: Final = 0.25
#: Nobody holds the lock for longer than it takes to write a line.
_LOCK_TIMEOUT: Final = 10.0
#: After so many seconds a file that could not be used is tried again.
_AGAIN: Final = 60.0
#: Pauses that are longer are not waited out; to what is, chance adds less than a second.
_TOO_LONG: Final = CAP + 1.0
#: Waits that are shorter are not worth a line.
_WORTH_TELLING: Final = 1.0


class Clock:
    """The time, which is the same for all processes of the machine, and waiting."""

    now = staticmethod(time.monotonic)

    def wait(self, seconds: float, *until: Signal) -> None:
        """Return after so many seconds, or as soon as an event is set: at once the first, in a moment the others."""
        end = self.now() + seconds
        while (left := end - self.now()) > 0 and not any(event.is_set() for event in until):
            until[0].wait(min(left, _SLICE))


#: The one switch for tests: a clock that does not wait.
clock = Clock()


_NEVER = threading.Event()


class Trip(Struct):
    """A request on its way.

    Attributes
    ----------
    waited : float
        Seconds that it had waited before.
    is_sent : bool
        Whether it was sent; else its permit is given back.
    round_trips : int
        How many it took at the least: one, and more on a new connection; 0 if nobody knows.
    to_connect : float
        How many of its seconds it took to connect.
    seconds : float
        From sending it to its answer, once that has come.
    """

    waited: float = 0.0
    is_sent: bool = False
    round_trips: int = 0
    to_connect: float = 0.0
    seconds: float = 0.0

    def one(self) -> float:
        """Return how many seconds a round trip took at the most, 0 if nobody knows.

        A slow look-up of the name makes all of them together longer, and the one that came after it no shorter.
        """
        return min(self.seconds / self.round_trips, self.seconds - self.to_connect) if self.round_trips else 0.0


class Pacer:
    """Gives out the permits of one account.

    Parameters
    ----------
    name : str
        What users call the account.
    path : Path
        Where all processes keep its permits.
    """

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._path = path
        self.make_locks()
        self._alone: Permits | None = None
        self._shared = b""
        self._again = inf
        self._trips = RoundTrips()
        self._sockets: WeakSet[Any] = WeakSet()
        self._told = 0.0
        self._closed = threading.Event()
        self._why: Blocked | None = None
        self.was_refused = False

    def make_locks(self) -> None:
        """Make the locks; anew in a forked process, to which those of the other one are of no use, or held for ever."""
        self._lock: FileLock | None = None
        self._mutex = threading.Lock()
        # It knows whose it is: Ctrl-C can come between the moment when it is taken and that when it is known to be.
        self._turn = threading.RLock()

    @contextmanager
    def trip(
        self, rate: int | None, lease: float, stop: Stop | None = None, ended: threading.Event = _NEVER
    ) -> Iterator[Trip]:
        """Wait for a permit, and hold it inside of the context, at the end of which the answer has come.

        Parameters
        ----------
        rate : int or None
            Requests a second; None waits for nothing.
        lease : float
            Seconds after which an answer will not come any more.
        stop : Stop, optional
            Calls it off.
        ended : threading.Event
            When to wait no longer.

        Raises
        ------
        Blocked
            If the account was found to be blocked, also while this waits.
        TooManyRequests
            If there is a pause that is too long to be waited out.
        CalledOff
            If it was called off before.
        CancelledError
            If ``ended`` is set.
        """
        asked, permit = clock.now(), secrets.token_hex(4) if rate else ""
        self._demand_open(stop, ended)
        if rate:
            self._take(permit, rate, lease, stop, ended)
        sent = clock.now()
        trip = Trip(sent - asked)
        try:
            yield trip
        finally:
            now = clock.now()
            trip.seconds = now - sent
            if one := trip.one():
                self._trips.add(one, is_new=trip.round_trips > 1)
            if rate and trip.is_sent:
                credit = self._trips.credit(one)
                self._share(lambda permits: permits.settle(permit, rate, now, credit))
            elif rate:
                self._share(lambda permits: permits.give_back(permit))

    def has_seen(self, socket: object) -> bool:
        """Return whether a request went over this connection before; from now on one did."""
        if socket is None:  # closed already
            return False
        seen = socket in self._sockets
        self._sockets.add(socket)
        return seen

    def pause(self, seconds: float, *, spaced: bool) -> None:
        """Let nobody send for so long, in any process; and only one at a time from then on."""
        self.was_refused = True
        self._share(lambda permits: permits.pause_for(seconds, clock.now(), spaced=spaced))

    def rest(self, seconds: float, why: str, stop: Stop | None = None, ended: threading.Event = _NEVER) -> float:
        """Return after so many seconds, told to the user, how many they were.

        Raises
        ------
        Blocked
            As soon as the account is found to be blocked.
        CalledOff
            As soon as it is.
        CancelledError
            In a moment once ``ended`` is set.
        """
        self._demand_open(stop, ended)
        self._tell(seconds, why)
        clock.wait(seconds, *self._until(stop, ended))
        self._demand_open(stop, ended)
        return seconds

    def close(self, why: Blocked) -> None:
        """Let nobody of this process send any more, not even who waits already."""
        self._why = why
        self._closed.set()

    def open(self) -> None:
        """Let requests through again: whoever connects anew may try."""
        self._closed.clear()

    def _until(self, stop: Stop | None, ended: threading.Event) -> tuple[Signal, ...]:
        return (stop, self._closed, ended) if stop else (self._closed, ended)

    def _demand_open(self, stop: Stop | None, ended: threading.Event) -> None:
        if stop and stop.is_set():
            raise CalledOff
        if ended.is_set():
            raise CancelledError
        if self._closed.is_set() and (why := self._why):
            raise Blocked(
                f"Not sent: {self._name} has answered that it is blocked. Stop all integrations and write to amoCRM's "
                "support; once it has been lifted connect anew, as nothing else is sent from here.",
                status=why.status,
                url=why.url,
            )

    def _take(self, permit: str, rate: int, lease: float, stop: Stop | None, ended: threading.Event) -> None:
        with self._queue(stop, ended):  # one of each process looks; the others queue up behind it
            while wait := self._try(permit, rate, lease):
                clock.wait(wait, *self._until(stop, ended))
                self._demand_open(stop, ended)

    @contextmanager
    def _queue(self, stop: Stop | None, ended: threading.Event) -> Iterator[None]:
        try:
            while not self._turn.acquire(timeout=_SLICE):
                self._demand_open(stop, ended)
            self._demand_open(stop, ended)
            yield
        finally:
            try:  # noqa: SIM105  Ctrl-C could break into suppress
                self._turn.release()
            except RuntimeError:  # it was not taken
                pass

    def _try(self, permit: str, rate: int, lease: float) -> float:
        """Take a permit and return 0, or return after how many seconds to look again."""
        wait, pause = self._share(lambda permits: permits.take(permit, rate, clock.now(), lease))
        if pause > _TOO_LONG:
            raise TooManyRequests(
                f"Not sent: there were too many requests to {self._name}, and none may follow for another "
                f"{pause:.0f} s. Try again then; until then have nothing else send any either.",
                retry_after=pause,
            )
        self._tell(pause, "too many requests")
        return pause or min(wait, _LOOK)

    def _tell(self, seconds: float, why: str) -> None:
        """Tell of a wait, unless another thread has told of one that lasts about as long."""
        end = clock.now() + seconds
        with self._mutex:
            is_told = seconds < _WORTH_TELLING or end <= self._told + _WORTH_TELLING
            self._told = self._told if is_told else end
        if not is_told:
            from tqdm import tqdm  # noqa: PLC0415  seldom needed

            tqdm.write(f"{self._name}: {why}; waiting {seconds:.0f} s, then going on.", file=sys.stderr)

    def _share(self, act: Callable[[Permits], Result]) -> Result:
        """Do something with the permits while nobody else does."""
        with self._mutex:
            if self._alone is None or clock.now() >= self._again:
                try:
                    result = self._in_file(act)
                except OSError as error:
                    self._again = clock.now() + _AGAIN
                    self._alone = self._alone or self._latest(error)
                else:
                    self._alone = None
                    return result
            return act(self._alone)

    def _latest(self, error: OSError) -> Permits:
        """Return the permits that were shared last, for this process alone."""
        if _unshared.setdefault(self._path.parent, self._path) == self._path:
            warnings.warn(
                f"The pace is kept by this process alone, as it can't be shared just now: {error}. {STATE_VARIABLE} "
                "names another folder for it.",
                UnsharedPaceWarning,
                stacklevel=2,
            )
        return _permits(self._shared)

    def _in_file(self, act: Callable[[Permits], Result]) -> Result:
        from filelock import FileLock  # noqa: PLC0415  accounts without a pace do without

        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._lock is None:
            self._lock = FileLock(self._path.with_suffix(".lock"), timeout=_LOCK_TIMEOUT, poll_interval=_LOOK / 10)
        try:
            self._lock.acquire()
            self._shared = before = self._path.read_bytes() if self._path.exists() else b""
            permits = _permits(before)
            if self._alone:
                permits.join(self._alone)
            result = act(permits)
            after = msgspec.json.encode(permits)
            if after != before:
                unfinished = self._path.with_suffix(".new")  # a process may be killed at any time
                unfinished.write_bytes(after)
                unfinished.replace(self._path)
        finally:
            self._lock.release(force=True)  # and where Ctrl-C came just as it was got
        return result


def _permits(content: bytes) -> Permits:
    try:
        return msgspec.json.decode(content, type=Permits)
    except ValueError:  # nothing yet
        return Permits()


_pacers: WeakValueDictionary[Path, Pacer] = WeakValueDictionary()
_making = threading.Lock()

#: Folders in which no pace could be shared, and the file that was the first: it is told of that one alone.
_unshared: dict[Path, Path] = {}


def pacer_of(url: str, client: str) -> Pacer:
    """Return the pacer of the account at an address, for those whose requests are counted together."""
    return _pacer(urlsplit(url).netloc, f"{url}\n{client}")


def _pacer(name: str, counted: str) -> Pacer:
    digest = hashlib.sha256(counted.encode()).hexdigest()
    path = state_folder() / "pace" / f"{digest[:32]}.json"
    with _making:
        pacer = _pacers.get(path)
        if pacer is None:
            _pacers[path] = pacer = Pacer(name, path)
    return pacer


class Together:
    """What requests to many accounts have in common: a pace of all of them, and an end.

    Sandboxes have a pace of their own: what is tried out there slows no real account down.

    Parameters
    ----------
    rate : int or None
        At most so many in any second, of all processes of this machine that keep such a pace; None is no pace.
    """

    def __init__(self, rate: int | None = None) -> None:
        self.ended = threading.Event()
        self._rate = rate
        names = {False: "all accounts", True: "all sandboxes"} if rate else {}
        self._pacers = {is_here: _pacer(name, name) for is_here, name in names.items()}

    @contextmanager
    def trip(self, url: str, lease: float, stop: Stop | None) -> Iterator[Trip]:
        """Hold a permit to send to the account at an address inside of the context; see ``Pacer.trip``."""
        if self._pacers:
            with self._pacers[is_loopback(_host(url))].trip(self._rate, lease, stop, self.ended) as trip:
                yield trip
        else:
            yield Trip()

    def pause(self, url: str, seconds: float) -> None:
        """Let nobody send for so long who keeps the pace of all, if it may be that which this account has refused."""
        if self._pacers and is_counted_by_address(_host(url)):
            self._pacers[False].pause(seconds, spaced=False)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


#: For requests that have nothing in common with those to other accounts.
ALONE: Final = Together()


def _make_locks_anew() -> None:
    for pacer in list(_pacers.values()):
        pacer.make_locks()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_make_locks_anew)
