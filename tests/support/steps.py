"""Steps of a process that is killed at one of them, and the process that such children are forked from.

Children are forks of a process that has imported all they need: their steps take no second of imports each.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from programs import program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


NEVER = 10_000  # a step that no job comes to


class Steps:
    """Counts steps, and dies before the last one.

    Attributes
    ----------
    last : int
        How many steps are done.
    """

    def __init__(self) -> None:
        self.last = self.count = 0

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

    def run(self, job: Callable[[], object]) -> None:
        """Do the job in a child for each number on standard input, its last step; prints what ``killed`` reads."""
        answers = os.dup(1)
        os.dup2(2, 1)  # what the job prints is no answer
        for line in sys.stdin:
            self.last = int(line)
            child = os.fork()
            if not child:
                job()
                os.write(answers, f"{self.count}\n".encode())
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status == -signal.SIGKILL:
                os.write(answers, b"killed\n")
            elif status:
                sys.exit(status)


@contextmanager
def killed(script: str, *arguments: object) -> Iterator[Callable[[int], int | None]]:
    """Return what does a script's job up to a step: it tells how many steps there were, or None if it was killed."""
    command = (sys.executable, Path(__file__).with_name(script), *arguments)
    with program(*command, stdin=subprocess.PIPE, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told, said = process.stdin, process.stdout

        def killed_at(step: int) -> int | None:
            told.write(f"{step}\n")
            answer = said.readline().strip()
            return None if answer == "killed" else int(answer)

        yield killed_at
        told.close()
