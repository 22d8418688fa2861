"""Trials in processes that are killed, each at a later step; run by test_trials.

Usage: python killed_trial.py URL TOKEN; a step is: a line of the journal, the line on disk, a write, its request sent,
its answer come.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pandas as pd  # noqa: F401  before the forks: they need it, and it takes a second
from steps import Steps
from urllib3.connection import HTTPConnection

import amoexplore as amo
from amoexplore.journal import Journal
from amoexplore.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

url, token = sys.argv[1:3]
steps = Steps()
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


def job() -> None:
    """Try two widgets, and one of them no longer."""
    with amo.trial(amo.Account(url, token)) as trial:
        trial.install("amo_dropbox", {"conf": "1"})
        trial.install("amo_mailchimp")
        trial.uninstall("amo_dropbox")


steps.run(job)
