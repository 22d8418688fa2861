"""Steps of a process that is killed at one of them."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Steps:
    """Counts steps, and dies before the last one.

    Parameters
    ----------
    last : int
        How many steps are done.
    """

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self.count = 0

    def step(self) -> None:
        """Count, and die if it is time."""
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with a step before it and one after it."""

        def stepped(*arguments: Any, **options: Any) -> Any:
            self.step()
            result = function(*arguments, **options)
            self.step()
            return result

        return stepped
