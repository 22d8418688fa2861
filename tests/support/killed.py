"""A trial in a process that is killed at a step of its own; run by test_trials.

Usage: python killed.py URL TOKEN STEP; kills itself before the STEP-th of: a line of the journal, the line on disk, a
write, its request sent, its answer come. Prints how many steps there are if it is not killed.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection

import amoexplore as amo
from amoexplore.journal import Journal
from amoexplore.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

url, token, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
steps = 0
is_writing = False


def step() -> None:
    """Count, and die if it is time."""
    global steps  # noqa: PLW0603  a script's own count
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)
    steps += 1


def stepping(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method with a step before it and one after it."""

    def stepped(*arguments: Any, **options: Any) -> Any:
        step()
        result = method(*arguments, **options)
        step()
        return result

    return stepped


def send(transport: Transport, request: Any, send: Callable[..., Any] = Transport.send) -> Any:
    """Write, and know that it is a write."""
    global is_writing  # noqa: PLW0603  a script's own flag
    is_writing = True
    answer = send(transport, request)
    is_writing = False
    return answer


def receive(connection: HTTPConnection, receive: Callable[..., Any] = HTTPConnection.getresponse) -> Any:
    """Read an answer, with a step before it if it is a write's: the request is on its way then."""
    if is_writing:
        step()
    return receive(connection)


Journal.write = stepping(Journal.write)  # type: ignore[method-assign]
Journal.remove = stepping(Journal.remove)  # type: ignore[method-assign]
Transport.send = stepping(send)  # type: ignore[method-assign]
HTTPConnection.getresponse = receive  # type: ignore[method-assign]

with amo.trial(amo.Account(url, token)) as trial:
    trial.install("amo_dropbox", {"conf": "1"})
    trial.install("amo_mailchimp")
    trial.uninstall("amo_dropbox")
sys.stdout.write(str(steps))
