"""Charts beside pictures of them that were looked at.

``AMOEXPLORE_BASELINE=1 pytest tests/charts/test_looks.py`` makes the pictures anew, to be looked at again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from matplotlib.testing.compare import compare_images

import amoexplore as amo

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from amoexplore import Catalog

BASELINE = Path(__file__).parent / "baseline"
CODES = ["amo_asterisk", "amo_zadarma", "nvoip"]
CHARTS: dict[str, Callable[[Catalog], Figure]] = {
    "ratings": lambda catalog: amo.charts.ratings(catalog, decimal_comma=True).figure,
    "ratings_by": lambda catalog: amo.charts.ratings_by(catalog).figure,
    "rating_vs_burden": lambda catalog: amo.charts.rating_vs_burden(catalog, label=CODES).figure,
    "compare": lambda catalog: amo.charts.compare(catalog, CODES),
}


@pytest.mark.parametrize("name", CHARTS)
def test_looks(catalog: Catalog, name: str, tmp_path: Path) -> None:
    """The chart looks as it did when somebody looked at it, but for differences that no eye sees."""
    figure = CHARTS[name](catalog)
    drawn = tmp_path / f"{name}.png"
    figure.savefig(drawn, dpi=60, metadata={"Software": None})
    if os.environ.get("AMOEXPLORE_BASELINE"):
        BASELINE.mkdir(exist_ok=True)
        drawn.replace(BASELINE / drawn.name)
        return
    assert compare_images(str(BASELINE / drawn.name), str(drawn), tol=3) is None


@pytest.mark.parametrize(
    ("name", "other"),
    [("ratings", {"color": "0.4", "decimal_comma": True}), ("ratings_by", {"marker": "s", "markersize": 6})],
)
def test_another_look_is_noticed(catalog: Catalog, name: str, other: dict[str, object], tmp_path: Path) -> None:
    """The tolerance is small enough: another colour and another marker are differences."""
    drawn = tmp_path / "other.png"
    getattr(amo.charts, name)(catalog, **other).figure.savefig(drawn, dpi=60)
    assert compare_images(str(BASELINE / f"{name}.png"), str(drawn), tol=3)
