"""A catalogue summed up in a few small frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from amoexplore import display
from amoexplore.columns import FLAGS
from amoexplore.comparisons import LAST, among, demand, frames_of, places_of, version_of, warn_of_few_ratings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amoexplore.comparisons import AnyCatalog

_COUNTS = {"number": "Int64", "share": "Float64", "of": "str"}
_FLAGS = {
    "with": "Int64",
    "without": "Int64",
    "unknown": "Int64",
    "rated_with": "Int64",
    "rated_without": "Int64",
    "median_with": "Float64",
    "median_without": "Float64",
}
_TYPES = {"fields": "Int64", "required": "Int64", "optional": "Int64", "widgets": "Int64", "share": "Float64"}
_VERSIONS = {"widgets": "Int64", "lowest": "str", "highest": "str", "rated": "Int64", "median_rating": "Float64"}
_QUARTILES = {"lowest": 0.0, "lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75, "highest": 1.0}


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """A catalogue in a few small frames; made by ``amo.summary``.

    Shares are between 0 and 1. The dtypes are the same for every catalogue.

    Attributes
    ----------
    counts : DataFrame
        How many widgets and settings of which kind: ``number``, ``share`` and ``of`` what.
    ratings : DataFrame
        ``rating``: the lowest, the quartiles, the highest.
    flags : DataFrame
        A row a flag: widgets ``with``, ``without`` and ``unknown``; how many of them are rated, and
        their median rating.
    setting_types : DataFrame
        A row a type, the commonest first: ``fields``, how many are ``required`` and ``optional``, how many ``widgets``
        have one, and their ``share`` of all widgets.
    versions : DataFrame
        A row a major version, the newest first: ``widgets``, ``lowest`` and ``highest`` version, how many are
        ``rated``, and their ``median_rating``. What can't be read is the row ``unreadable``, what is not there
        ``missing``.
    """

    counts: pd.DataFrame
    ratings: pd.DataFrame
    flags: pd.DataFrame
    setting_types: pd.DataFrame
    versions: pd.DataFrame

    def _tables(self) -> dict[str, pd.DataFrame]:
        return {
            "Counts": _shown(self.counts),
            "Ratings": _shown(self.ratings),
            "Flags": _shown(self.flags),
            "Types of settings": _shown(self.setting_types),
            "Versions": _shown(self.versions),
        }

    def __repr__(self) -> str:
        return "\n\n".join(
            f"{title}\n{'none' if table.empty else table.to_string()}" for title, table in self._tables().items()
        )

    def _repr_html_(self) -> str:
        return "".join(
            display.table(title, ["", *table.columns], table.itertuples(name=None))
            for title, table in self._tables().items()
        )


def summary(widgets: pd.DataFrame | AnyCatalog, settings: pd.DataFrame | None = None) -> Summary:
    """Return what a catalogue is like: counts, ratings, flags, types of settings and versions.

    Parameters
    ----------
    widgets : DataFrame or Catalog
        ``catalog.widgets``, any part of it, or the catalogue itself, which brings its settings along.
    settings : DataFrame, optional
        ``catalog.settings``; those of other widgets are left out.

    Warns
    -----
    FewRatingsWarning
        If fewer than five of the widgets have a rating.
    """
    frame, settings = frames_of(widgets, settings)
    if settings is None:
        raise TypeError("summary takes a catalogue, or both of its frames: summary(catalog.widgets, catalog.settings).")
    demand(frame, ["code", "version", "rating", *FLAGS])
    demand(settings, ["code", "type", "is_required"])
    warn_of_few_ratings(frame)
    settings = settings[among(settings["code"], frame["code"])]
    return Summary(
        counts=_counts(frame, settings),
        ratings=_ratings(frame["rating"]),
        flags=_table({flag: _flag(frame[flag].astype("boolean"), frame["rating"]) for flag in FLAGS}, _FLAGS),
        setting_types=_setting_types(settings, len(frame)),
        versions=_versions(frame),
    )


def _table(rows: Mapping[str, tuple[object, ...]], dtypes: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows.values()), list(rows), list(dtypes)).astype(dtypes)


def _counts(widgets: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    required = settings[settings["is_required"].astype("boolean")]
    rated = int(widgets["rating"].count())
    kinds = {
        "widgets": (len(widgets), None),
        "rated": (rated, "widgets"),
        "unrated": (len(widgets) - rated, "widgets"),
        "installed": (int(widgets["is_active_in_account"].sum()), "widgets"),
        "without settings": (int((~among(widgets["code"], settings["code"])).sum()), "widgets"),
        "without required settings": (int((~among(widgets["code"], required["code"])).sum()), "widgets"),
        "settings": (len(settings), None),
        "required settings": (len(required), "settings"),
    }
    totals = {"widgets": len(widgets), "settings": len(settings)}
    rows = {name: (n, n / totals[of] if of and totals[of] else pd.NA, of) for name, (n, of) in kinds.items()}
    return _table(rows, _COUNTS)


def _ratings(rating: pd.Series[Any]) -> pd.DataFrame:
    quartiles = rating.quantile(list(_QUARTILES.values())).set_axis(list(_QUARTILES))
    return quartiles.astype("Float64").to_frame("rating")


def _flag(flag: pd.Series[Any], rating: pd.Series[Any]) -> tuple[object, ...]:
    having, lacking = rating[flag], rating[~flag]
    return (
        len(having),
        len(lacking),
        flag.isna().sum(),
        having.count(),
        lacking.count(),
        having.median(),
        lacking.median(),
    )


def _setting_types(settings: pd.DataFrame, widgets: int) -> pd.DataFrame:
    required = settings["is_required"].astype("boolean")
    kinds = settings["type"].astype("str").fillna("unknown")
    types = (
        settings.assign(required=required, optional=~required)
        .groupby(kinds)
        .agg(
            fields=("code", "size"),
            required=("required", "sum"),
            optional=("optional", "sum"),
            widgets=("code", "nunique"),
        )
    )
    types["share"] = types["widgets"] / widgets
    return types.sort_values("fields", ascending=False, kind="stable").astype(_TYPES)


def _versions(widgets: pd.DataFrame) -> pd.DataFrame:
    """Return the spread of the versions: newest first, then what is unreadable, then what is missing."""
    texts = widgets["version"].astype("str")
    places = places_of(texts)
    majors = {text: str(version.major) for text in texts.dropna().unique() if (version := version_of(text))}
    major = texts.map(lambda text: majors.get(text, "unreadable"), na_action="ignore").astype("str").fillna("missing")
    readable = texts.where(places < LAST)
    spread = (
        widgets.assign(major=major, version=readable)
        .iloc[np.lexsort([texts.isna().to_numpy(), places])]
        .groupby("major", sort=False)
        .agg(
            widgets=("major", "size"),
            lowest=("version", "last"),
            highest=("version", "first"),
            rated=("rating", "count"),
            median_rating=("rating", "median"),
        )
    )
    return spread.astype(_VERSIONS)


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as texts, as it is printed."""
    texts = {name: [_text(value, is_share=name == "share") for value in column] for name, column in table.items()}
    return pd.DataFrame(texts, index=table.index, dtype="object").rename_axis(None)


def _text(value: Any, *, is_share: bool) -> str:
    if pd.isna(value):
        return "–"
    if isinstance(value, float):
        return f"{value:.1%}" if is_share else f"{value:.2f}"
    return str(value)
