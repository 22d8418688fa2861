"""Frames to charts: each takes a Catalog or the frame that it reads, draws into one Axes, and returns it.

>>> import amoexplore as amo
>>> ax = amo.charts.ratings(catalog)  # doctest: +SKIP

Charts are drawn into a new figure, or into the Axes given as ``ax``; nothing else is touched, and nothing is shown.
``charts.data`` has a function of the same name for each, which returns the numbers behind it as a tidy frame, and
``charts.alt_text`` says a chart in words. Figures made here carry these words in their files and in their output in a
notebook; for one of yours it is ``figure.savefig("chart.png", metadata={"Description": charts.alt_text(figure)})``.
Colours are Okabe and Ito's, and what they mean stands there in words or hatches, too.
"""

from __future__ import annotations

from amoexplore.charts import data
from amoexplore.charts.bars import changes, flags, ratings, setting_types
from amoexplore.charts.ink import alt_text
from amoexplore.charts.panels import compare
from amoexplore.charts.points import rating_vs_burden, ratings_by, settings_burden
from amoexplore.charts.times import arrivals, rating_over_time

__all__ = [
    "alt_text",
    "arrivals",
    "changes",
    "compare",
    "data",
    "flags",
    "rating_over_time",
    "rating_vs_burden",
    "ratings",
    "ratings_by",
    "setting_types",
    "settings_burden",
]
