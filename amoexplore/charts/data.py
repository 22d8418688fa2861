"""The numbers behind each chart, as tidy frames: what a notebook checks while its pictures are skipped.

Each function is named like its chart and takes the same data: a Catalog, or the frame that the chart reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from amoexplore.comparisons import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amoexplore.comparisons import AnyCatalog

#: The flags of a widget, and what they are called in charts.
FLAGS = {
    "is_lead_source": "lead source",
    "is_work_with_dp": "Digital Pipeline",
    "is_crm_template": "industry solution",
    "is_active_in_account": "installed",
}
#: What a change of these fields is called, by its direction: up (or to yes) and down (or to no).
_DIRECTIONS = {
    "rating": ("rating rose", "rating fell"),
    "is_required": ("setting became required", "setting became optional"),
    "is_active_in_account": ("installed", "uninstalled"),
}
#: The scale of ratings, in stars.
STARS = 5


def ratings(data: AnyCatalog | pd.DataFrame) -> pd.DataFrame:
    """Return how many widgets have which rating.

    Returns
    -------
    DataFrame
        ``low``, ``high``, ``widgets``: half a star a row, its lower end included; ten rows of equal width where ratings
        leave the scale from 0 to 5. The last row, without ends, counts the unrated.
    """
    values = rating_values(read(data, ["rating"]))
    rated = values[~np.isnan(values)]
    edges = _edges(rated)
    counts, _ = np.histogram(rated, edges)
    unrated = len(values) - len(rated)
    return pd.DataFrame(
        {
            "low": pd.array([*edges[:-1], None], "Float64"),
            "high": pd.array([*edges[1:], None], "Float64"),
            "widgets": [*counts, unrated],
        }
    )


def _edges(rated: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if not len(rated) or (rated.min() >= 0 and rated.max() <= STARS):
        return np.linspace(0, STARS, 2 * STARS + 1)
    return np.linspace(min(0, np.floor(rated.min())), max(STARS, np.ceil(rated.max())), 11)


def ratings_by(
    data: AnyCatalog | pd.DataFrame, by: str | Sequence[object] | pd.Series[Any] = "is_lead_source"
) -> pd.DataFrame:
    """Return the spread of ratings a group, best median first; flags in the order yes, no, unknown.

    Parameters
    ----------
    data : Catalog or DataFrame
    by : str, Series or sequence
        A column, or a group for each widget; a Series is aligned by its index.

    Returns
    -------
    DataFrame
        ``group``, ``widgets``, ``rated``, ``lowest``, ``lower_quartile``, ``median``, ``upper_quartile``, ``highest``.
    """
    widgets = read(data, ["rating"])
    rated = pd.DataFrame({"group": groups(widgets, by), "rating": rating_values(widgets)})
    spread = rated.groupby("group", sort=False)["rating"].quantile(np.array([0, 0.25, 0.5, 0.75, 1])).unstack()  # noqa: PD010
    columns = ["lowest", "lower_quartile", "median", "upper_quartile", "highest"]
    found = (
        spread.set_axis(columns, axis=1).astype("Float64")
        if len(rated)
        else pd.DataFrame(columns=columns, dtype="Float64")
    )
    counts = rated.groupby("group", sort=False)["rating"].agg(widgets="size", rated="count")
    table = counts.join(found).rename_axis("group").reset_index()
    by_word = table["group"].isin(["yes", "no", "unknown"]).all()
    order = table["group"].map({"yes": 0, "no": 1, "unknown": 2}) if by_word else -table["median"]
    ordered: pd.DataFrame = table.loc[order.sort_values(kind="stable", na_position="last").index]
    return ordered.reset_index(drop=True)


def groups(widgets: pd.DataFrame, by: str | Sequence[object] | pd.Series[Any]) -> pd.Series[Any]:
    """Return the group of each widget as a text: yes and no for flags, unknown for what is missing."""
    if isinstance(by, str):
        by = read(widgets, [by])[by]
    if isinstance(by, pd.Series):
        by = by if by.index.equals(widgets.index) else by.reindex(widgets.index)
    if len(by) != len(widgets):
        raise ValueError(f"by is a column, or a group for each widget: {len(by)} groups for {len(widgets)} widgets.")
    column = pd.Series(list(by), index=widgets.index, dtype=object)
    is_flag = pd.api.types.infer_dtype(column, skipna=True) == "boolean"
    texts = column.map({True: "yes", False: "no"} if is_flag else str)
    return texts.mask(column.isna(), "unknown").astype("str")


def flags(data: AnyCatalog | pd.DataFrame) -> pd.DataFrame:
    """Return how many widgets have each flag, and how many have exactly which flags together.

    Returns
    -------
    DataFrame
        ``count_of`` (each, together), ``flags``, ``widgets``, ``share``: the four flags in the order of the API, then
        the combinations, the most frequent first. An unknown flag counts as not set.
    """
    widgets = read(data, FLAGS)
    has = widgets[list(FLAGS)].fillna(value=False).astype(bool).set_axis(list(FLAGS.values()), axis=1)
    alone = has.sum()
    combined = has.groupby([*has.columns]).size()
    together = {_together(has.columns[np.array(key)]): count for key, count in combined.items()}
    ordered = sorted(together.items(), key=lambda item: -item[1])
    rows = [("each", *item) for item in alone.items()] + [("together", *item) for item in ordered]
    table = pd.DataFrame(rows, columns=["count_of", "flags", "widgets"]).astype(
        {"count_of": "str", "flags": "str", "widgets": "int64"}
    )
    return table.assign(share=(table["widgets"] / len(widgets) if len(widgets) else table["widgets"]).astype("Float64"))


def _together(names: pd.Index[str]) -> str:
    return f"{names[0]} only" if len(names) == 1 else " + ".join(names) or "none of them"


def settings_burden(data: AnyCatalog | pd.DataFrame) -> pd.DataFrame:
    """Return how many widgets demand how many required and optional settings.

    Returns
    -------
    DataFrame
        ``required``, ``optional``, ``widgets``: one row a pair that occurs.
    """
    widgets = read(data, ["settings_count", "required_count"])
    required = widgets["required_count"].rename("required")
    optional = (widgets["settings_count"] - required).rename("optional")
    return widgets.groupby([required, optional]).size().rename("widgets").reset_index()


def setting_types(data: AnyCatalog | pd.DataFrame) -> pd.DataFrame:
    """Return how often each type of setting is demanded, the most frequent first.

    Parameters
    ----------
    data : Catalog or DataFrame
        ``catalog.settings``, if it is a frame.

    Returns
    -------
    DataFrame
        ``type``, ``required``, ``optional``, ``widgets`` (that have one or more). Where ``is_required`` is unknown,
        a setting counts as optional.
    """
    settings = read(data, ["code", "type", "is_required"], frame="settings")
    required = settings["is_required"].fillna(value=False).astype(bool)
    types = settings["type"].fillna("unknown").rename("type")
    table = pd.DataFrame({"required": required, "optional": ~required, "code": settings["code"]}).groupby(types)
    counts = table.agg(required=("required", "sum"), optional=("optional", "sum"), widgets=("code", "nunique"))
    order = (-(counts["required"] + counts["optional"])).argsort(kind="stable")
    return counts.astype("int64").iloc[order].reset_index()


def rating_vs_burden(data: AnyCatalog | pd.DataFrame) -> pd.DataFrame:
    """Return the rated widgets by the settings that they require and their rating, in tenths of a star.

    Returns
    -------
    DataFrame
        ``required``, ``rating``, ``widgets``, ``code``, ``best``: one row a pair that occurs; the code of the first of
        its widgets; whether the rating is the best for this number of settings.
    """
    widgets = read(data, ["code", "rating", "required_count"])
    table = pd.DataFrame(
        {
            "required": widgets["required_count"].astype("int64"),
            "rating": rating_values(widgets).round(1),
            "code": widgets["code"],
        }
    ).dropna(subset="rating")
    cells = table.groupby(["required", "rating"])["code"].agg(widgets="size", code="first").reset_index()
    cells["best"] = cells["rating"] == cells.groupby("required")["rating"].transform("max")
    return cells.astype({"rating": "Float64", "widgets": "int64"})


def compare(data: AnyCatalog | pd.DataFrame, codes: Sequence[str]) -> pd.DataFrame:
    """Return what the chart shows of each of these widgets.

    Returns
    -------
    DataFrame
        ``code``, ``version``, ``rating``, ``required``, ``optional``, and the four flags; in the order of the codes.
    """
    widgets = read(data, ["code", "version", "rating", "settings_count", "required_count", *FLAGS])
    chosen = rows_of(widgets, codes)
    return pd.DataFrame(
        {
            "code": chosen["code"],
            "version": chosen["version"],
            "rating": chosen["rating"],
            "required": chosen["required_count"],
            "optional": chosen["settings_count"] - chosen["required_count"],
            **{flag: chosen[flag] for flag in FLAGS},
        }
    )


def changes(data: pd.DataFrame) -> pd.DataFrame:
    """Return how many changes there are of each kind.

    Parameters
    ----------
    data : DataFrame
        Of ``amo.changes``.

    Returns
    -------
    DataFrame
        ``change`` (added, removed, changed), ``what``, ``changes``: widgets, then settings, then fields, the most
        frequent first.
    """
    table = read(data, ["change", "code", "setting", "field", "old", "new"])
    if not len(table):
        return pd.DataFrame({"change": [], "what": [], "changes": []}).astype(_COUNTED)
    kinds = pd.DataFrame({"change": table["change"], "what": [*map(_what, rows(table))]})
    counted = kinds.value_counts(sort=False).rename("changes").reset_index().astype(_COUNTED)
    place = counted["change"].map({"added": 0, "removed": 1, "changed": 2})
    return counted.assign(place=place).sort_values(
        ["place", "changes", "what"], ascending=[True, False, True], ignore_index=True
    )[[*_COUNTED]]


_COUNTED = {"change": "str", "what": "str", "changes": "int64"}


def _what(row: Any) -> str:
    """Return what happened, in words."""
    if row.change != "changed":
        return f"{'widget' if pd.isna(row.setting) else 'setting'} {row.change}"
    if pd.isna(row.old) or pd.isna(row.new):
        return f"{row.field} {'appeared' if pd.isna(row.old) else 'disappeared'}"
    if row.field in _DIRECTIONS:
        return _DIRECTIONS[row.field][bool(row.new < row.old)]
    return f"{row.field} changed"


def rows(table: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a small table by the names of its columns."""
    return table.itertuples()


def read(data: AnyCatalog | pd.DataFrame, columns: Iterable[str], frame: str = "widgets") -> pd.DataFrame:
    """Return the frame that a chart reads, and demand its columns."""
    table = data if isinstance(data, pd.DataFrame) else getattr(data, frame)
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(
            f"This frame has no column {', '.join(map(repr, missing))}: give catalog.{frame}, a part of its rows, or "
            "the catalog."
        )
    return table


def rating_values(widgets: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return the ratings as floats; NaN for what is missing or no number."""
    values = widgets["rating"].to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)
