"""The journal of an install experiment: what may have to be undone, on disk before it is done.

One file an account, a line for each event; it holds no setting's value. A lock beside it says that the trial's process
lives; the system frees it when the process dies, however it dies.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

from filelock import FileLock, Timeout

from amoexplore.files import state_folder


class Busy(Exception):
    """Another living process, or this one, holds the journal."""


class Journal:
    """The journal of one account.

    Parameters
    ----------
    url : str
        The account's address, as its user names it: another one once it has moved would be another journal.
    """

    def __init__(self, url: str) -> None:
        host = url.partition("://")[2].replace("localhost", "127.0.0.1")
        name = re.sub(r"[^a-z0-9.-]", "_", host)
        self._folder = state_folder() / "trials"
        self._path = self._folder / f"{name}.jsonl"
        # Not of a thread: who ends a trial may be another one than who began it.
        self._lock = FileLock(self._folder / f"{name}.lock", thread_local=False)

    def hold(self) -> None:
        """Keep everybody else out until ``release``.

        Raises
        ------
        Busy
            If somebody has it.
        OSError
            If the folder can't be used.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise Busy from None

    def release(self) -> None:
        """Let others in."""
        self._lock.release()

    def write(self, **event: Any) -> None:
        """Add an event; it is on disk when this returns."""
        # It begins with the line break: what a crash or a full disk has left of a line before stays a line of its own.
        with self._path.open("ab") as file:
            file.write(b"\n" + json.dumps(event).encode())
            file.flush()
            os.fsync(file.fileno())

    def events(self) -> list[dict[str, Any]]:
        """Return the events. A line that was cut short is none: what it was about to say was not acted on."""
        lines = self._path.read_bytes().split(b"\n") if self._path.exists() else []
        return [event for line in lines if (event := _event(line)) is not None]

    def remove(self) -> None:
        """Forget everything: nothing is left to undo."""
        self._path.unlink(missing_ok=True)


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
