"""Programs that tests run beside them."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The command, as its users start it.
AMOEXPLORE = Path(sys.executable).with_name("amoexplore")


@contextmanager
def program(*command: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a program, and wait for its end; it is killed where what is done with it fails, as it may go on for ever.

    Parameters
    ----------
    *command
        The program and its arguments.
    **options
        Of ``subprocess.Popen``, but for text and a pipe from standard output.
    """
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise
