"""A trial in a process that is killed at a step of its own; run by test_trials.

Usage: python killed.py URL TOKEN STEP; kills itself before the STEP-th of: a line of the journal, the line on disk, a
write, its request sent, its answer come. Prints how many steps there are if it is not killed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from steps import Steps
from urllib3.connection import HTTPConnection

import amoexplore as amo
from amoexplore.journal import Journal
from amoexplore.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

url, token = sys.argv[1:3]
steps = Steps(int(sys.argv[3]))
is_writing = False


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
        steps.step()
    return receive(connection)


Journal.write = steps.around(Journal.write)  # type: ignore[method-assign]
Journal.remove = steps.around(Journal.remove)  # type: ignore[method-assign]
Transport.send = steps.around(send)  # type: ignore[method-assign]
HTTPConnection.getresponse = receive  # type: ignore[method-assign]

with amo.trial(amo.Account(url, token)) as trial:
    trial.install("amo_dropbox", {"conf": "1"})
    trial.install("amo_mailchimp")
    trial.uninstall("amo_dropbox")
sys.stdout.write(str(steps.count))
