"""A clock that does not wait."""

from __future__ import annotations

import threading
import time


class Skipping:
    """The machine's clock, on which every wait is over at once.

    Attributes
    ----------
    waits : list of float
        Seconds that were to be waited.
    """

    def __init__(self) -> None:
        self.waits: list[float] = []
        self._skipped = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the time, with all that was skipped."""
        return time.monotonic() + self._skipped

    def wait(self, seconds: float, until: threading.Event) -> None:
        """Skip so much."""
        with self._lock:
            if seconds and not until.is_set():
                self.waits.append(seconds)
                self._skipped += seconds
