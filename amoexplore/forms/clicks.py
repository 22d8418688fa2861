"""One click is one request: whose turn it is, who is alone, and what takes a second step."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import TYPE_CHECKING

import ipywidgets as widgets

from amoexplore.errors import NotSent
from amoexplore.forms import style
from amoexplore.forms.captions import caption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds for which a question stands.
PATIENCE = 30.0
_TICK = 1.0  # second

_lock = threading.Lock()
_under_way: set[tuple[str, ...]] = set()


class Turn:
    """Whether a form may send: sending takes it, and only an edit or an explicit "once more" gives it back.

    A double click runs its callback twice: at the same time on a new kernel, which takes a lock, one after the other on
    a used one, which takes a flag. This is a lock that stays taken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Return whether it was free; it is not any more."""
        return self._lock.acquire(blocking=False)

    def give(self) -> None:
        """Make it free."""
        with suppress(RuntimeError):  # it is
            self._lock.release()

    @property
    def is_free(self) -> bool:
        """Whether it is free."""
        return not self._lock.locked()


@contextmanager
def alone(account: str, what: str) -> Iterator[None]:
    """Keep all other forms of this kernel from the same, as long as this lasts.

    Raises
    ------
    NotSent
        If another form is at it.
    """
    with _lock:
        if (account, what) in _under_way:
            raise NotSent(f"Another form is at it: {what}. Nothing was sent by this one; wait for that one's end.")
        _under_way.add((account, what))
    try:
        yield
    finally:
        with _lock:
            _under_way.remove((account, what))


def in_background(work: Callable[[], object]) -> None:
    """Do it in a thread of its own, so that the kernel stays free; whoever raises there has shown why."""

    def do() -> None:
        with suppress(Exception):
            work()

    threading.Thread(target=copy_context().run, args=(do,), name="amoexplore-form", daemon=True).start()


@contextmanager
def ticking(tell: Callable[[int], object]) -> Iterator[None]:
    """Tell the seconds, from 0 on, until the end."""
    over = threading.Event()
    began = time.monotonic()

    def tick() -> None:
        while not over.wait(_TICK):
            tell(round(time.monotonic() - began))

    tell(0)
    clock = threading.Thread(target=copy_context().run, args=(tick,), name="amoexplore-clock", daemon=True)
    clock.start()
    try:
        yield
    finally:
        over.set()
        clock.join()


class SecondStep:
    """A question that takes an explicit yes, and expires.

    Its yes stands below the buttons, and is not there for the first second: what a double click's second half meets
    must not be a yes. It is the browser that counts that second (``style.CSS``), from what the user sees.

    Parameters
    ----------
    home
        Where the keyboard goes on, once the question is answered.
    """

    def __init__(self, home: widgets.DOMWidget) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._pending: tuple[Callable[[], object], float] | None = None
        self._question = widgets.HTML()
        self._yes = widgets.Button(button_style="danger", _dom_classes=("amo-late",))
        self._no = widgets.Button(description=caption("cancel"))
        self._yes.on_click(lambda _: self._answer())
        self._no.on_click(lambda _: self._leave())
        self.box = widgets.VBox([self._question, _bar(self._yes, self._no)])
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether a question stands."""
        return self._pending is not None

    def ask(self, question: str, yes: str, do: Callable[[], object]) -> None:
        """Ask; ``do`` is done once, if the answer comes in time."""
        pending = (do, time.monotonic() + PATIENCE)
        with self._lock:
            self._pending = pending
        self._expired = style.said(caption("expired", seconds=round(PATIENCE)), "warning")
        self._question.value, self._yes.description = style.said(question, "warning", "alert"), yes
        self._show(is_open=True)
        timer = threading.Timer(PATIENCE, lambda: self._expire(pending))
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """Take the question back."""
        self._take()
        self._question.value = ""
        self._show(is_open=False)

    def disable(self, *, is_disabled: bool) -> None:
        """Let nobody say yes, or let them again."""
        self._yes.disabled = is_disabled

    def _leave(self) -> None:
        self.close()
        self._home.focus()

    def _take(self) -> tuple[Callable[[], object], float] | None:
        with self._lock:
            pending, self._pending = self._pending, None
        return pending

    def _answer(self) -> None:
        pending = self._take()
        if pending is None:
            return
        do, end = pending
        if time.monotonic() < end:
            self._leave()
            do()
        else:
            self._say_expired()

    def _expire(self, pending: tuple[Callable[[], object], float]) -> None:
        with self._lock:
            if self._pending is not pending:
                return
            self._pending = None
        self._say_expired()

    def _say_expired(self) -> None:
        self._question.value = self._expired
        self._show(is_open=False)

    def _show(self, *, is_open: bool) -> None:
        for button in (self._yes, self._no):
            button.layout.display = None if is_open else "none"


def _bar(*buttons: widgets.Widget) -> widgets.Box:
    return widgets.Box(buttons, _dom_classes=("amo-bar",))
