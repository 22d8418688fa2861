"""The loader that is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import amoexplore as amo
from amoexplore import decode
from amoexplore.frames import Batches, frame, gather
from amoexplore.models import Answer, Body
from amoexplore.parts import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas as pd

    from amoexplore.columns import Columns
    from amoexplore.parts import Part

TOKEN = "benchmark"  # noqa: S105  the server asks for none


def decoded(bodies: Iterable[bytes]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the two frames of pages that are in memory."""
    parts: list[Part[Batches]] = []
    gather(parts, _parts(bodies))
    return frame("widgets", parts), frame("settings", parts)


def _parts(bodies: Iterable[bytes]) -> Iterator[Part[Columns]]:
    reader = Reader()
    for number, body in enumerate(bodies, 1):
        yield reader.read(decode.page(Answer(200, Body(body), "", None), number))


def load(url: str, pace: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load the whole catalogue."""
    catalog = amo.load_catalog(amo.Account(url, TOKEN, pace=pace), progress=False)
    return catalog.widgets, catalog.settings


def stream(url: str, path: Path) -> None:
    """Load the whole catalogue into files, page by page."""
    amo.load_to_parquet(amo.Account(url, TOKEN), path, progress=False)
