"""The catalogue as one page of HTML for those who don't program: nothing in it comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import warnings
from datetime import datetime
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

import jinja2
import pandas as pd
from matplotlib import style
from matplotlib.figure import Figure

from amoexplore import charts, files, svg
from amoexplore.account import SANDBOX
from amoexplore.charts import ink
from amoexplore.comparisons import rank
from amoexplore.errors import FewRatingsWarning
from amoexplore.summaries import summary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amoexplore.reports import Catalog
    from amoexplore.summaries import Summary

SUFFIXES = (".html", ".htm")

#: The flags, in the order of their columns.
FLAGS = {flag: f"{name[:1].upper()}{name[1:]}" for flag, name in charts.data.FLAGS.items()}
#: Inches of a chart that takes half of the page's width, and of one that takes it whole: their letters are as large.
_HALF, _WHOLE = (6.4, 4.2), (9.6, 5)


class Row(NamedTuple):
    """A widget as the table shows it; None is what is missing."""

    code: str
    version: str | None
    age: int | None  # 1 is the newest version; None is one that can't be read
    rating: str | None
    flags: tuple[bool | None, ...]
    settings: int
    required: int
    names: str  # of the required settings


class Table(NamedTuple):
    """A small table of the summary, a label and texts a row; None is what is missing."""

    title: str
    header: list[str]
    rows: list[tuple[str, list[str | None]]]


def check(path: Path) -> None:
    """Raise what :func:`write` would raise later, after a long load."""
    files.check(path, SUFFIXES)


def write(catalog: Catalog, path: Path, *, decimal_comma: bool = False, loaded: datetime | None = None) -> None:
    """Write the page; the file is there whole or not at all.

    Parameters
    ----------
    catalog : Catalog
    path : Path
        Ends in .html.
    decimal_comma, loaded
        As for :func:`render`.
    """
    check(path)
    page = render(catalog, decimal_comma=decimal_comma, loaded=loaded)
    with files.whole(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8", newline="\n")


def render(catalog: Catalog, *, decimal_comma: bool = False, loaded: datetime | None = None) -> str:
    """Return the page: numbers, charts, all widgets, and what the load did.

    Parameters
    ----------
    catalog : Catalog
    decimal_comma : bool
        Write 2,8 rather than 2.8.
    loaded : datetime, optional
        When the catalogue was loaded; by default now.
    """
    with warnings.catch_warnings(record=True, action="always", category=FewRatingsWarning) as doubts:
        summed = summary(catalog)
    counts, *tables = _tables(summed, decimal_comma=decimal_comma)
    return page(
        "report.html",
        report=catalog.report,
        is_sandbox=catalog.report.account == SANDBOX,
        loaded=loaded or datetime.now().astimezone(),
        doubts=sorted({str(doubt.message) for doubt in doubts}),
        counts=counts,
        tables=tables,
        figures=_figures(catalog, decimal_comma=decimal_comma),
        flags=FLAGS,
        rows=_rows(catalog, decimal_comma=decimal_comma),
        decimal_comma=decimal_comma,
        script=_Part("report.js"),
    )


def page(template: str, *, decimal_comma: bool = False, **told: Any) -> str:
    """Return a page of these templates, in the look that all of them have; texts are escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("amoexplore"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": ink.count, "decimal": partial(ink.decimal, decimal_comma=decimal_comma)}
    return environment.get_template(template).render(decimal_comma=decimal_comma, style=_Part("report.css"), **told)


class _Part:
    """A style or a script as it stands in the page, and the hash by which the page lets it through."""

    def __init__(self, name: str) -> None:
        self.text = resources.files("amoexplore").joinpath("templates", name).read_text(encoding="utf-8")
        self.hash = f"sha256-{base64.b64encode(hashlib.sha256(self.text.encode()).digest()).decode()}"


def _tables(summed: Summary, *, decimal_comma: bool) -> Iterator[Table]:
    for title, frame in {
        "Counts": summed.counts,
        "Ratings": summed.ratings,
        "Flags": summed.flags.rename(index=FLAGS),
        "Types of settings": summed.setting_types,
        "Major versions": summed.versions,
    }.items():
        columns = [
            [_text(value, is_share=name == "share", decimal_comma=decimal_comma) for value in column]
            for name, column in frame.items()
        ]
        rows = [(label, list(cells)) for label, *cells in zip(frame.index, *columns, strict=True)]
        yield Table(title, [name.replace("_", " ") for name in frame.columns], rows)


def _text(value: Any, *, is_share: bool, decimal_comma: bool) -> str | None:
    if pd.isna(value):
        return None
    if isinstance(value, str):
        return value
    if is_share:
        return ink.percent(value)
    return ink.decimal(value, decimal_comma=decimal_comma, places=2) if isinstance(value, float) else ink.count(value)


def _figures(catalog: Catalog, *, decimal_comma: bool) -> Iterator[dict[str, Any]]:
    rated: dict[str, Any] = {"decimal_comma": decimal_comma}
    for number, (question, draw, options) in enumerate(
        (
            ("How are widgets rated?", charts.ratings, rated),
            ("Are those that ask for more rated worse?", charts.rating_vs_burden, rated),
            ("Are those that bring leads rated better?", charts.ratings_by, rated | {"by": "is_lead_source"}),
            ("Are those for the Digital Pipeline rated better?", charts.ratings_by, rated | {"by": "is_work_with_dp"}),
            ("How much does an install ask for?", charts.settings_burden, {}),
            ("What does it ask for?", charts.setting_types, {}),
            ("What kinds of widgets are there?", charts.flags, {}),
        )
    ):
        is_whole = draw is charts.flags
        with style.context("default"):  # whatever the notebook that calls this has chosen
            figure = Figure(figsize=_WHOLE if is_whole else _HALF, layout="constrained")
            ax = draw(catalog, ax=figure.subplots(), **options)
            drawn = svg.inline(figure, name=f"chart{number}", alt=charts.alt_text(ax))
        yield {"question": question, "is_whole": is_whole, "svg": drawn}


def _rows(catalog: Catalog, *, decimal_comma: bool) -> list[Row]:
    widgets = catalog.widgets
    ratings = widgets["rating"].astype("object").map(str, na_action="ignore")
    names = _required_names(catalog.settings)
    columns = [
        widgets["code"],
        widgets["version"].replace("", pd.NA),
        rank(widgets, by="version")["rank"].reindex(widgets.index),
        ratings.str.replace(".", ",") if decimal_comma else ratings,
        pd.Series(zip(*(_plain(widgets[flag]) for flag in FLAGS), strict=True), dtype="object"),
        widgets["settings_count"],
        widgets["required_count"],
        widgets["code"].map(names).fillna(""),
    ]
    return list(map(Row, *map(_plain, columns)))


def _plain(column: pd.Series[Any]) -> list[Any]:
    """Return a column as Python's own values, None for what is missing."""
    return column.astype("object").where(column.notna(), None).tolist()


def _required_names(settings: pd.DataFrame) -> pd.Series[str]:
    """Return for each code that has any the names of its required settings."""
    required = settings[settings["is_required"].fillna(value=False)].replace({"name": "", "key": ""}, pd.NA)
    names = required["name"].fillna(required["key"]).fillna("one without a name")
    return names.groupby(required["code"]).agg(", ".join)
