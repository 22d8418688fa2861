"""What a traceback shows of this package when it prints the locals of every frame."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from traceback import TracebackException
from typing import TYPE_CHECKING

from IPython.core.ultratb import VerboseTB
from rich.console import Console
from rich.traceback import Traceback

import amoexplore

if TYPE_CHECKING:
    from types import TracebackType

PACKAGE = str(Path(amoexplore.__file__).parent)


def shown(error: BaseException) -> str:
    """Return what is shown of an error and of those that it came from: the package's locals, %xmode Verbose, and rich.

    Rich goes by a repr of its own where an object has one, and by pieces of long texts.
    """
    texts = []
    chain: TracebackException | None = TracebackException.from_exception(error, capture_locals=True)
    while chain:
        ours = [frame for frame in chain.stack if frame.filename.startswith(PACKAGE)]
        texts += [str(chain), *(f"{frame.name} {frame.locals}" for frame in ours)]
        chain = chain.__cause__ or chain.__context__
    told = type(error), error, _inside(error.__traceback__)
    texts.append(VerboseTB(theme_name="nocolor").text(*told))
    rich = Console(file=StringIO(), width=1000)
    for most in (80, None):
        rich.print(Traceback.from_exception(*told, show_locals=True, locals_max_length=None, locals_max_string=most))
    return "\n".join([*texts, rich.file.getvalue()])  # type: ignore[attr-defined]


def _inside(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback from the package's first frame on: what a test holds in its own is its own."""
    while traceback and not traceback.tb_frame.f_code.co_filename.startswith(PACKAGE):
        traceback = traceback.tb_next
    return traceback
