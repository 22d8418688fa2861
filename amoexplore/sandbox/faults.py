"""The faults that are active in a sandbox, and how requests meet them."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace
from starlette.datastructures import Headers

from amoexplore.sandbox.answers import problem
from amoexplore.sandbox.fault import Call, Fault
from amoexplore.sandbox.fault_table import FAULTS, make_fault, read_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = "X-Sandbox-Fault"


class ActiveFault:
    """A fault that requests meet inside of a `with` statement; counts are kept from one to the next.

    Parameters
    ----------
    name
        Its name in the table of faults.
    fault
        What it does, and to which requests.
    faults
        Where it becomes active.
    """

    def __init__(self, name: str, fault: Fault, faults: Faults) -> None:
        self.name = name
        self.fault = fault
        self._faults = faults
        self._lock = threading.Lock()
        self._seen = 0
        self._hits = 0

    def __repr__(self) -> str:
        return f"<fault {self.name}: {self._hits} hits>"

    def __enter__(self) -> Self:
        self._faults.add(self)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._faults.remove(self)

    @property
    def hits(self) -> int:
        """How many requests have met it."""
        return self._hits

    def meet(self, scope: Scope) -> int:
        """Count a request; returns which hit it is, from 1 on, 0 if it does not meet the fault."""
        if not self.fault.is_for(scope):
            return 0
        with self._lock:
            self._seen += 1
            hit = self.fault.hit(self._seen)
            self._hits = max(self._hits, hit)
        return hit


class Faults:
    """What goes wrong in a sandbox: a context manager for each name in the table of faults.

    A request meets those that are active in the order in which they became so, and then those that its header
    X-Sandbox-Fault names.

    Parameters
    ----------
    begin
        Faults as text which are active from the start; a single text is one fault.

    Raises
    ------
    ValueError
        If a text is no fault; the message says which there are.

    Examples
    --------
    >>> with sandbox.faults.reset(times=2) as fault:
    ...     account.widgets_page(1)
    >>> fault.hits
    2
    """

    def __init__(self, begin: str | Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        texts = [begin] if isinstance(begin, str) else begin
        self._active = tuple(ActiveFault(*read_fault(text), self) for text in texts)

    def __getattr__(self, name: str) -> Callable[..., ActiveFault]:
        if name not in FAULTS:
            raise AttributeError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
        return partial(self._prepare, name)

    def __dir__(self) -> Iterable[str]:
        return FAULTS.keys()

    def add(self, fault: ActiveFault) -> None:
        """Let requests meet this fault behind all that are active."""
        with self._lock:
            self._active += (fault,)

    def remove(self, fault: ActiveFault) -> None:
        """Let no more requests meet this fault, once for each time that it was added."""
        with self._lock:
            active = list(self._active)
            active.remove(fault)
            self._active = tuple(active)

    def _asked_for(self, text: str) -> ActiveFault:
        """Return a fault for one request, which none comes before."""
        name, fault = read_fault(text)
        return ActiveFault(name, replace(fault, after=0, every=1), self)

    def _prepare(self, name: str, **options: object) -> ActiveFault:
        return ActiveFault(name, make_fault(name, options), self)

    def of(self, scope: Scope) -> tuple[ActiveFault, ...]:
        """Return the faults that are active, and behind them those that the request asks for itself.

        Raises
        ------
        ValueError
            If the request asks for a fault that there is not.
        """
        texts = ",".join(Headers(scope=scope).getlist(HEADER)).split(",")
        return (*self._active, *(self._asked_for(text) for text in texts if text.strip()))


class Misbehaviour:
    """Lets requests meet the faults that are active.

    Parameters
    ----------
    app
        The application that behaves.
    faults
        The faults.
    """

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on through the faults; answer 400 if it asks for one that there is not."""
        try:
            faults = self._faults.of(scope)
        except ValueError as error:
            await problem(400, f"{HEADER}: {error}")(scope, receive, send)
            return
        app = self._app
        for active in reversed(faults):
            app = partial(_pass, active, app)
        await app(scope, receive, send)


async def _pass(active: ActiveFault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let a request meet the fault, or hand it on; only those that come so far are counted."""
    hit = active.meet(scope)
    if not hit:
        await app(scope, receive, send)
        return
    scope["state"]["faults"] = (*scope["state"].get("faults", ()), active.name)
    await active.fault(Call(app, scope, receive, send, hit))
