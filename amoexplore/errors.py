"""Every error of amoexplore, one tree.

::

    AmoError
    ├── ConfigurationError (ValueError)       an address or a token that cannot be used
    ├── Unreachable (ConnectionError)         no answer came
    │   ├── ConnectionRefused (ConnectionRefusedError)
    │   ├── ConnectionDropped (ConnectionResetError)
    │   └── TimedOut (TimeoutError)
    ├── Refused                               the API answered, and the answer is no
    │   ├── ValidationFailed (ValueError)     400 with a list of faults
    │   ├── Unauthorized (PermissionError)    401
    │   │   └── LoginNeeded                   and no refresh token brings another: log in anew
    │   ├── PaymentRequired (PermissionError) 402
    │   ├── Forbidden (PermissionError)       403: rights
    │   │   └── Blocked                       403 as a web page: the account is blocked
    │   ├── NotFound (LookupError)            404
    │   ├── TooManyRequests (ConnectionError) 429
    │   └── ServerError (ConnectionError)     5xx
    ├── BadAnswer (ValueError)                what came is not what the API promises
    │   ├── Redirected                        it points somewhere else
    │   └── RepeatedPage                      the pages never end
    ├── ReadOnly (PermissionError)            the account is not open for writing
    ├── SettingsError (ValueError)            settings that the widget's template does not allow; nothing was sent
    ├── HandlersError (ValueError)            handlers that the API's page does not allow; nothing was sent
    ├── NotSent (RuntimeError)                a form that waits for a second step, or for another call's end
    ├── OutcomeUnknown (ConnectionError)      a write was sent, and its answer was lost
    ├── LoginFailed (PermissionError)         no tokens came of a login
    ├── NotRenewed (ConnectionError)          an expired token could not be renewed just now; nothing was done
    ├── StoreError (OSError)                  tokens that can't be saved or read
    ├── TrialError (RuntimeError)             an install experiment that can't begin, go on, or be undone
    ├── UnreadableValue (ValueError)          with ``on_bad="raise"``
    ├── UnknownWidget (LookupError)           a code that the catalogue does not have
    ├── PlaceFailed (OSError)                 where snapshots are can't be reached, read or written to
    ├── SnapshotExists (FileExistsError)      there is a snapshot of that account and moment
    ├── NoSnapshot (LookupError)              a history that is empty, or has none of that account and moment
    └── QueryFailed (ValueError)              SQL that is none, or does more than read the snapshots

    UnreadableValueWarning (UserWarning)      with ``on_bad="coerce"``
    FewRatingsWarning (UserWarning)           too few ratings to compare by
    UnsharedPaceWarning (UserWarning)         other processes don't know how many requests this one sends
    DamagedSnapshotWarning (UserWarning)      a snapshot that a history leaves out

Each message says what happened, why, and what to do about it. None carries a token, a password or the value of a
setting.
"""

from __future__ import annotations

from typing import Any


class AmoError(Exception):
    """Root of all errors of amoexplore.

    Attributes
    ----------
    status : int or None
        HTTP status of the answer, if one came.
    title, detail : str or None
        What the API said, from its ``application/problem+json``.
    request_id : str or None
        ``X-Request-Id`` of the answer: amoCRM's support asks for it.
    url : str or None
        What was asked for; the token is never part of it.
    retry_after : float or None
        Seconds that the API asked to wait.
    errors : tuple of dict
        Faults, found here or by the API: ``code``, ``path``, ``detail`` each.
    tries : int
        How often it was tried.
    waited : float
        Seconds that were waited for that.
    progress : Progress or None
        How far a load had come; ``load_catalog(account, resume=error)`` goes on from there.
    how_to_go_on : str
        That, in words, with which the message of the error ends.
    """

    tries: int = 1
    waited: float = 0.0
    progress: Any = None
    how_to_go_on: str = ""

    def __init__(  # noqa: PLR0913  the fields that an answer can have
        self,
        message: str = "",
        *,
        status: int | None = None,
        title: str | None = None,
        detail: str | None = None,
        request_id: str | None = None,
        url: str | None = None,
        retry_after: float | None = None,
        errors: tuple[dict[str, Any], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.title = title
        self.detail = detail
        self.request_id = request_id
        self.url = url
        self.retry_after = retry_after
        self.errors = errors

    @property
    def message(self) -> str:
        """What happened, for those who don't have the error to go on with: a command that ends, a row of a report."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        # Builtins such as KeyError and OSError print themselves in ways of their own.
        return " ".join(filter(None, (self.message, self.how_to_go_on)))


class ConfigurationError(AmoError, ValueError):
    """An address or a token that cannot be used, or what the environment names: a proxy, certificates."""


class Unreachable(AmoError, ConnectionError):
    """No answer came."""


class ConnectionRefused(Unreachable, ConnectionRefusedError):
    """Nothing listens at the address, or its name is unknown."""


class ConnectionDropped(Unreachable, ConnectionResetError):
    """The connection broke before the answer was complete."""


class TimedOut(Unreachable, TimeoutError):
    """The answer took too long."""


class Refused(AmoError):
    """The API answered, and the answer is no."""


class ValidationFailed(Refused, ValueError):
    """400: the API found faults; ``errors`` lists them all, with their paths."""


class Unauthorized(Refused, PermissionError):
    """401: the token is wrong, expired or revoked."""


class LoginNeeded(Unauthorized):
    """The stored tokens are good no longer, and only their user can grant others."""


class PaymentRequired(Refused, PermissionError):
    """402: the account's subscription has ended, or does not include this."""


class Forbidden(Refused, PermissionError):
    """403: the token's user lacks the right."""


class Blocked(Forbidden):
    """403 as a web page: the account or the address is blocked, usually for too many requests."""


class NotFound(Refused, LookupError):
    """404: there is no such thing, or it is not for this user."""


class TooManyRequests(Refused, ConnectionError):
    """429: more requests a second than the API allows."""


class ServerError(Refused, ConnectionError):
    """5xx: the service failed."""


class BadAnswer(AmoError, ValueError):
    """What came is not what the API promises."""


class Redirected(BadAnswer):
    """The answer points somewhere else, and the token does not follow."""


class RepeatedPage(BadAnswer):
    """A page that brings nothing new, and still says that more will come."""


class ReadOnly(AmoError, PermissionError):
    """The account is not open for writing; nothing was sent."""


class SettingsError(AmoError, ValueError):
    """Settings that the widget's template does not allow; ``errors`` lists all faults. Nothing was sent."""


class HandlersError(AmoError, ValueError):
    """Handlers that the API's page does not allow; ``errors`` lists all faults. Nothing was sent."""


class NotSent(AmoError, RuntimeError):
    """A form sent nothing: it waits for a second, explicit step, or for another call's end."""


class OutcomeUnknown(AmoError, ConnectionError):
    """A write was sent, and its answer was lost: it may have happened or not. It was not sent again."""


class LoginFailed(AmoError, PermissionError):
    """No tokens came of a login: it was denied, or what came back is not what was asked for."""


class NotRenewed(AmoError, ConnectionError):
    """An expired token could not be renewed just now, so what it was for was not sent, or refused: it was not done."""


class StoreError(AmoError, OSError):
    """Tokens that can't be saved or read where they are kept."""


class TrialError(AmoError, RuntimeError):
    """An install experiment that can't begin, go on, or be undone."""


class UnreadableValue(AmoError, ValueError):
    """A value of the catalogue that can't be read, with ``on_bad="raise"``."""


class UnknownWidget(AmoError, LookupError):
    """A code that the catalogue does not have."""


class PlaceFailed(AmoError, OSError):
    """Where snapshots are can't be reached, read or written to."""


class SnapshotExists(AmoError, FileExistsError):
    """There is a snapshot of that account and moment; nothing was overwritten."""


class NoSnapshot(AmoError, LookupError):
    """A history that has no snapshots, or none of that account and moment."""


class QueryFailed(AmoError, ValueError):
    """SQL that can't be understood, or does more than read the snapshots."""


class UnreadableValueWarning(UserWarning):
    """Values of the catalogue that can't be read became NA; ``catalog.report`` lists them."""


class FewRatingsWarning(UserWarning):
    """A comparison by ratings says little: no widget has one, or fewer than five have."""


class UnsharedPaceWarning(UserWarning):
    """The pace of an account is kept by this process alone: the folder that others would read can't be used."""


class DamagedSnapshotWarning(UserWarning):
    """Snapshots are not what was written, and left out; ``history.damaged`` lists them."""
