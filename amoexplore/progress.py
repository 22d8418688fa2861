"""How far a load had come when it broke off, with all that is needed to go on."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amoexplore.display import counted
from amoexplore.errors import AmoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amoexplore.parts import Part


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a load had come when it broke off.

    Attributes
    ----------
    url : str
        Of the account, as its user names it.
    limit : int
        Widgets a page.
    parts : tuple of Part
        What became of its pages.
    requests, failed : int
        How many requests were sent, and how many of them failed.
    seconds : float
        That it took.
    waited : float
        Seconds that were waited for pages that did not come in the end.
    """

    url: str
    limit: int
    parts: tuple[Part[Any], ...] = ()
    requests: int = 0
    failed: int = 0
    seconds: float = 0.0
    waited: float = 0.0

    @property
    def pages(self) -> int:
        """How many pages are there."""
        return sum(len(part.tally.fresh) for part in self.parts)

    @property
    def widgets(self) -> int:
        """How many widgets are there."""
        return sum(part.tally.widgets for part in self.parts)

    def __repr__(self) -> str:
        return f"<Progress: {counted(self.widgets, 'widget')} of {counted(self.pages, 'page')}>"

    def tell(self, error: BaseException) -> None:
        """Let the error that broke the load off carry this, and say so."""
        error.progress = self  # type: ignore[attr-defined]  # any error has room for it
        if not self.parts:
            return
        name = "error" if isinstance(error, AmoError) else "sys.last_value"
        how_far = (
            f"{counted(self.pages, 'page')} with {counted(self.widgets, 'widget')} had come: "
            f"amo.load_catalog(account, resume={name}) goes on from page {self.pages + 1}."
        )
        if isinstance(error, AmoError):
            error.how_to_go_on = how_far
        else:
            error.add_note(how_far)


@contextmanager
def kept(resume: Progress | BaseException | None) -> Iterator[None]:
    """Let an error by which a load is refused before it goes on carry what had come."""
    try:
        yield
    except (TypeError, ValueError) as error:
        found = _found_in(resume)
        if isinstance(found, Progress):
            found.tell(error)
        raise


def progress_of(resume: Progress | BaseException | None, url: str, limit: int) -> Progress:
    """Return from where a load begins.

    Raises
    ------
    TypeError
        If there is no progress.
    ValueError
        If it is another account's, or in pages of another size.
    """
    if resume is None:
        return Progress(url, limit)
    found = _found_in(resume)
    if not isinstance(found, Progress):
        raise TypeError(
            f"resume is the error that broke a load off, or its progress, not {type(resume).__name__}: "
            "in a notebook it is sys.last_value."
        )
    if found.url != url:
        raise ValueError(f"That load was of {found.url}, and can't go on at {url}.")
    if limit not in (found.limit, DEFAULT_LIMIT):
        raise ValueError(
            f"That load was in pages of {found.limit}: it can't go on in pages of {limit}. Leave limit out."
        )
    return found


def _found_in(resume: object) -> object:
    return resume if isinstance(resume, Progress) else getattr(resume, "progress", None)


#: Widgets a page unless a load is told otherwise.
DEFAULT_LIMIT = 250
