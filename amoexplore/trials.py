"""Install experiments that undo themselves."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Self

import pandas as pd
from msgspec import structs

from amoexplore import display
from amoexplore.account import MAX_LIMIT, require_account
from amoexplore.errors import AmoError, NotFound, OutcomeUnknown, TrialError
from amoexplore.files import STATE_VARIABLE
from amoexplore.journal import Busy, Journal
from amoexplore.models import Secret, Widget, settings_of
from amoexplore.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from amoexplore.account import Account
    from amoexplore.models import Settings

#: Seconds after which a request whose answer was lost, and which has not arrived, is taken for lost itself.
ARRIVAL = 60.0

_FINISH = "amo.unfinished_trials(account)[0].undo() finishes it."


@dataclass
class _Step:
    """One write of a trial."""

    action: Literal["install", "uninstall"]
    code: str
    settings: Settings
    outcome: str = "sent"


class Trial:
    """An install experiment: everything done through it is undone at its end, newest first; made by ``amo.trial``.

    Parameters
    ----------
    account : Account
    """

    def __init__(self, account: Account) -> None:
        require_account(account)
        self._account = account
        self._journal = Journal(account.named)
        self._before: dict[str, Widget] = {}
        self._steps: list[_Step] = []
        self._process: int | None = None  # while it is open
        self._ended = False
        self._turn = threading.Lock()  # a step at a time: what is refused takes back the last one that was begun

    def __enter__(self) -> Self:
        if self._process is not None or self._ended:
            raise TrialError("A trial is one experiment: begin another one with amo.trial(account).")
        self._account.require_writable("begin a trial")
        _hold(self._journal, self._account)
        try:
            self._begin()
        except BaseException:
            self._journal.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process != os.getpid():
            return  # a fork of the process that began it
        self._process, self._ended = None, True
        try:
            with self._turn:
                _undo(self._journal, self._account)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"The trial on {self._account.name} is not undone yet. {_FINISH}")
            raise
        finally:
            self._journal.release()

    def install(
        self, widget: str | Widget, settings: Mapping[str, Any] | None = None, *, allow_loss: bool = False
    ) -> Widget:
        """Install a widget until the end of the trial.

        Parameters
        ----------
        widget, settings
            As for ``account.install``.
        allow_loss : bool
            Install also over a widget that was there before the trial: its former settings can't be read, so they are
            lost, and it stays installed with the trial's.

        Raises
        ------
        TrialError
            If the widget was there before the trial, and ``allow_loss`` is not set; nothing was sent then.
        SettingsError, ValidationFailed, Forbidden, OutcomeUnknown
            As for ``account.install``.
        """
        hidden, settings = Secret(settings), None  # from here on nothing shows the values
        settings = settings_of(hidden.reveal())
        code = widget.code if isinstance(widget, Widget) else widget
        with self._alone():
            self._account.install(widget, settings, dry_run=True)  # what can't be sent needs no undoing
            step = self._intend("install", code, settings, allow_loss=allow_loss)
            installed: Widget = self._do(step, lambda: self._account.install(widget, settings))
        return installed

    def uninstall(self, code: str, *, allow_loss: bool = False) -> None:
        """Uninstall a widget; one that was there before the trial, which can't be brought back, with ``allow_loss``.

        Raises
        ------
        TrialError
            If the widget was there before the trial, and ``allow_loss`` is not set; nothing was sent then.
        NotFound, Forbidden, OutcomeUnknown
            As for ``account.uninstall``.
        """
        with self._alone():
            step = self._intend("uninstall", code, settings_of(None), allow_loss=allow_loss)
            self._do(step, lambda: self._account.uninstall(code))

    @property
    def log(self) -> pd.DataFrame:
        """What was done through the trial, in order: action, code, settings (masked) and outcome."""
        rows = [(step.action, step.code, repr(step.settings), step.outcome) for step in self._steps]
        return pd.DataFrame(rows, columns=["action", "code", "settings", "outcome"])

    def changes(self) -> pd.DataFrame:
        """Ask the account how the widgets of the trial are now; one row a field that differs: before and after."""
        rows = [
            (code, name, value, getattr(now, name))
            for code, before in self._before.items()
            for now in [self._account.widget(code)]
            for name, value in structs.asdict(before).items()
            if value != getattr(now, name) and name != "settings"
        ]
        return pd.DataFrame(rows, columns=["widget", "field", "before", "after"])

    def __repr__(self) -> str:
        state = "ended" if self._ended else "not begun" if self._process is None else "open"
        return f"<Trial on {self._account.name}: {display.counted(len(self._steps), 'step')}, {state}>"

    def _begin(self) -> None:
        left = _to_undo(self._journal)
        if left:
            raise TrialError(
                f"{self._account.name}: a trial {_begun(self._journal)} was cut off and may have left "
                f"{', '.join(left)} installed. {_FINISH} Then begin anew."
            )
        self._journal.remove()
        started = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._journal.write(event="begin", process=os.getpid(), started=started)
        self._process = os.getpid()

    def _demand_open(self) -> None:
        if self._process != os.getpid():
            raise TrialError("A trial works inside its with statement: with amo.trial(account) as trial: …")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one thread at a time take a step."""
        self._demand_open()  # not behind others: a fork of the process would wait for a thread that it has not
        with self._turn:
            self._demand_open()
            yield

    def _intend(
        self, action: Literal["install", "uninstall"], code: str, settings: Settings, *, allow_loss: bool
    ) -> _Step:
        if code not in self._before:
            self._before[code] = self._account.widget(code)
        was_installed = self._before[code].is_active_in_account is not False  # unknown is as good as yes
        if was_installed and not allow_loss:
            raise TrialError(
                f"{self._account.name}: {code} was installed before this trial, and its settings can't be read: to "
                f"{action} it could not be undone, so nothing was sent. allow_loss=True does it all the same."
            )
        self._journal.write(event="intent", action=action, code=code, was_installed=was_installed, at=time.time())
        self._steps.append(_Step(action, code, settings))
        return self._steps[-1]

    def _do(self, step: _Step, write: Callable[[], Any]) -> Any:
        try:
            result = write()
        except AmoError as error:
            step.outcome = type(error).__name__
            if not isinstance(error, OutcomeUnknown):
                self._journal.write(event="refused", code=step.code)
            raise
        except BaseException as error:
            step.outcome = type(error).__name__
            raise
        self._journal.write(event="done", code=step.code)
        step.outcome = "done"
        return result


def trial(account: Account) -> Trial:
    """Return an install experiment, for a ``with`` statement.

    At the end, also after an exception or an interrupt, the account is brought back to what it was. A journal on disk
    (``AMOEXPLORE_STATE``, by default the user's state folder) holds what is to be undone, so that after a killed kernel
    ``unfinished_trials`` can finish it; it holds no settings.

    Raises
    ------
    ReadOnly
        If the account is not open for writing.
    TrialError
        If another trial on this account is open or was cut off, or if the account could not be brought back.
    """
    return Trial(account)


class UnfinishedTrial:
    """A trial that was cut off, by a killed kernel for example, before it was undone.

    Parameters
    ----------
    account : Account
    codes : tuple of str
        The widgets that it may have left installed, newest first.
    begun : str
        When and by which process.
    """

    def __init__(self, account: Account, codes: tuple[str, ...], begun: str) -> None:
        self.account = account
        self.codes = codes
        self.begun = begun

    def undo(self) -> None:
        """Uninstall what the trial has left installed.

        Raises
        ------
        TrialError
            If another trial on this account is open or has come since, or if the account could not be brought back.
        """
        self.account.require_writable("undo a trial")
        journal = Journal(self.account.named)
        _hold(journal, self.account)
        try:
            if _to_undo(journal) and _begun(journal) != self.begun:
                raise TrialError(
                    f"{self.account.name}: this trial is history; ask amo.unfinished_trials(account) anew."
                )
            _undo(journal, self.account)
        finally:
            journal.release()

    def __repr__(self) -> str:
        return f"<Unfinished trial on {self.account.name}, {self.begun}: {', '.join(self.codes)}>"

    def _repr_html_(self) -> str:
        return display.card(
            "Unfinished trial",
            {"account": self.account.name, "begun": self.begun, "to undo": ", ".join(self.codes)},
        )


def unfinished_trials(account: Account) -> list[UnfinishedTrial]:
    """Return the trials on this account that were cut off before they were undone: one, or none.

    Raises
    ------
    TrialError
        If a trial on this account is open just now.
    """
    require_account(account)
    journal = Journal(account.named)
    _hold(journal, account)
    try:
        codes = _to_undo(journal)
        return [UnfinishedTrial(account, tuple(codes), _begun(journal))] if codes else []
    finally:
        journal.release()


def _hold(journal: Journal, account: Account) -> None:
    try:
        journal.hold()
    except Busy:
        raise TrialError(
            f"{account.name}: another trial is open, {_begun(journal)}. One at a time: end that one first."
        ) from None
    except OSError as error:
        raise TrialError(
            f"No journal can be kept, so no trial can begin: {error}. {STATE_VARIABLE} names another folder for it."
        ) from error


def _begun(journal: Journal) -> str:
    first = next(iter(journal.events()), {})
    return f"begun {first.get('started', 'just now')} by process {first.get('process', 'unknown')}"


def _to_undo(journal: Journal) -> dict[str, float | None]:
    """Return the widgets that a trial may have left installed, newest first.

    With each stands when it was sent, if nobody knows whether it arrived, and None if it did.
    """
    left: dict[str, float | None] = {}
    before: dict[str, float | None] = {}
    for event in journal.events():
        code = event.get("code", "")
        if event["event"] == "intent":
            before = dict(left)
            if not event["was_installed"]:
                sent = left.pop(code, None)
                left[code] = event["at"] if event["action"] == "install" else sent
        elif event["event"] == "done" and code in left:
            left[code] = None
        elif event["event"] == "refused":
            left = before
    return dict(reversed(left.items()))


def _undo(journal: Journal, account: Account) -> None:
    """Bring back every widget that can be; what can't stays in the journal."""
    failures: dict[str, str] = {}
    for code, sent in _to_undo(journal).items():
        try:
            why = _uninstall(account, code, sent)
        except AmoError as error:
            why = str(error)
        if why:
            failures[code] = why
    if failures:
        told = "".join(f"\n  {code}: {why}" for code, why in failures.items())
        raise TrialError(f"{account.name}: the trial is not undone, widgets may still be installed:{told}\n{_FINISH}")
    journal.remove()


def _uninstall(account: Account, code: str, sent: float | None) -> str | None:
    """Uninstall a widget if it is there; returns why it may be there all the same."""
    try:
        is_there = account.widget(code).is_active_in_account is not False
    except NotFound:
        is_there = _is_listed(account, code)
    if is_there:
        _uninstall_surely(account, code)
    elif sent is not None and time.time() < sent + ARRIVAL:
        return f"the answer to its install was lost; it is not there now, but may arrive within {ARRIVAL:.0f} s"
    return None


def _is_listed(account: Account, code: str) -> bool:
    """Tell whether a widget that is not to be had by its code is installed: one that is private to others is listed.

    Raises
    ------
    NotFound
        If it is the account that is gone.
    """
    with Walk(account, MAX_LIMIT) as pages:
        return any(
            widget.code == code and widget.is_active_in_account is not False
            for page in pages
            for widget in page.widgets
        )


def _uninstall_surely(account: Account, code: str) -> None:
    try:
        account.uninstall(code)
    except OutcomeUnknown:
        if account.widget(code).is_active_in_account is not False:
            raise
