from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

import amoexplore as amo

if TYPE_CHECKING:
    from pathlib import Path

    from amoexplore import Account


def test_parquet_keeps_the_dtypes(account: Account, tmp_path: Path) -> None:
    """The frames come back from Parquet as they were."""
    catalog = amo.load_catalog(account)
    for frame in (catalog.widgets, catalog.settings):
        frame.to_parquet(tmp_path / "frame.parquet")
        pd.testing.assert_frame_equal(frame, pd.read_parquet(tmp_path / "frame.parquet"))
