"""The numbers behind each chart, as tidy frames: what a notebook checks while its pictures are skipped.

Each function is named like its chart and takes the same data: a Catalog, or the frame that the chart reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from amoexplore.comparisons import frames_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
#: Settings from here on share the last row and column.
LAST = 10


def ratings(data: AnyCatalog | pd.DataFrame) -> pd.DataFrame:
    """Return how many widgets have which rating.

    Returns
    -------
    DataFrame
        ``low``, ``high``, ``widgets``: half a star a row, its lower end included; about ten round steps where ratings
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
    return np.asarray(
        MaxNLocator(10, steps=[1, 2, 5, 10]).tick_values(
            min(0, np.floor(rated.min())), max(STARS, np.ceil(rated.max()))
        )
    )


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

    Raises
    ------
    TypeError, ValueError
        If ``by`` is neither a column nor a group for each widget.
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
    if isinstance(by, pd.Series) and not by.index.equals(widgets.index):
        if not by.index.is_unique or not by.index.isin(widgets.index).any():
            raise ValueError("by is a Series whose index is not that of the widgets: make it of the same frame.")
        by = by.reindex(widgets.index)
    if not isinstance(by, Iterable):
        raise TypeError(f"by is a column, or a group for each widget, not {by!r}.")
    by = list(by)
    if len(by) != len(widgets):
        raise ValueError(f"by is a column, or a group for each widget: {len(by)} groups for {len(widgets)} widgets.")
    column = pd.Series(by, index=widgets.index, dtype=object)
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
    has = pd.DataFrame({name: is_set(widgets, flag) for flag, name in FLAGS.items()})
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
        ``required``, ``optional``, ``widgets``: a row a pair that occurs; widgets whose counts are missing are in none.
    """
    widgets = read(data, ["settings_count", "required_count"])
    required = whole_numbers(widgets, "required_count").rename("required")
    optional = (whole_numbers(widgets, "settings_count") - required).rename("optional")
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
    required = is_set(settings, "is_required")
    table = pd.DataFrame({"required": required, "optional": ~required, "code": settings["code"]})
    counts = table.groupby(types(settings)).agg(
        required=("required", "sum"), optional=("optional", "sum"), widgets=("code", "nunique")
    )
    order = (-(counts["required"] + counts["optional"])).argsort(kind="stable")
    return counts.astype("int64").iloc[order].reset_index()


def types(settings: pd.DataFrame) -> pd.Series[str]:
    """Return the type of each setting, unknown for what is missing."""
    return settings["type"].fillna("unknown").rename("type")


def rating_vs_burden(data: AnyCatalog | pd.DataFrame) -> pd.DataFrame:
    """Return the rated widgets by the settings that they require and their rating, in tenths of a star.

    Returns
    -------
    DataFrame
        ``required``, ``rating``, ``widgets``, ``code``, ``best``: one row a pair that occurs; the code of the first of
        its widgets; whether the rating is the best for this number of settings, ten and more taken together.
    """
    widgets = read(data, ["code", "rating", "required_count"])
    table = pd.DataFrame(
        {
            "required": whole_numbers(widgets, "required_count"),
            "rating": rating_values(widgets).round(1),
            "code": widgets["code"],
        }
    ).dropna(subset=["required", "rating"])
    cells = table.groupby(["required", "rating"])["code"].agg(widgets="size", code="first").reset_index()
    cells["best"] = cells["rating"] == cells.groupby(cells["required"].clip(upper=LAST))["rating"].transform("max")
    return cells.astype({"required": "int64", "rating": "Float64", "widgets": "int64"})


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
            "required": whole_numbers(chosen, "required_count"),
            "optional": whole_numbers(chosen, "settings_count") - whole_numbers(chosen, "required_count"),
            **{flag: _read_as(chosen, flag, "boolean") for flag in FLAGS},
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
    if not {"change", "code", "setting", "field", "old", "new"} <= set(getattr(data, "columns", ())):
        raise TypeError("The chart of changes takes what amo.changes(before, after) returns.")
    if not len(data):
        return pd.DataFrame({"change": [], "what": [], "changes": []}).astype(_COUNTED)
    kinds = pd.DataFrame({"change": data["change"], "what": [*map(_what, rows(data))]})
    counted = kinds.value_counts(sort=False).rename("changes").reset_index().astype(_COUNTED)
    place = counted["change"].map({"added": 0, "removed": 1, "changed": 2})
    return counted.assign(place=place).sort_values(
        ["place", "changes", "what"], ascending=[True, False, True], ignore_index=True
    )[[*_COUNTED]]


def rating_over_time(data: pd.DataFrame) -> pd.DataFrame:
    """Return how widgets were rated at each snapshot that knew it.

    Parameters
    ----------
    data : DataFrame
        Of ``history.ratings(codes)``.

    Returns
    -------
    DataFrame
        ``widget`` (its code, and the account if there are several), ``taken``, ``rating``: by widget and time.
    """
    if not {"taken", "account", "code", "rating"} <= set(getattr(data, "columns", ())):
        raise TypeError("The chart of ratings over time takes what history.ratings(codes) returns.")
    names = data["code"] if data["account"].nunique() < 2 else data["code"] + ", " + data["account"]  # noqa: PLR2004
    table = pd.DataFrame({"widget": names, "taken": _in_utc(data["taken"]), "rating": rating_values(data)})
    rated = table.dropna(subset="rating").astype({"rating": "Float64"})
    return rated.sort_values("taken", kind="stable").sort_values("widget", kind="stable", ignore_index=True)


def arrivals(data: pd.DataFrame) -> pd.DataFrame:
    """Return how many widgets came and went, by the snapshots that first showed it.

    Parameters
    ----------
    data : DataFrame
        Of ``history.changes()``.

    Returns
    -------
    DataFrame
        ``taken``, ``came``, ``went``: in the order of time, a row a snapshot that shows any.
    """
    if not {"taken", "change", "setting"} <= set(getattr(data, "columns", ())):
        raise TypeError("The chart of arrivals takes what history.changes() returns.")
    of_widgets = data[data["setting"].isna() & data["change"].isin(["added", "removed"])]
    is_new = (of_widgets["change"] == "added").astype("int64")
    counted = pd.DataFrame({"taken": _in_utc(of_widgets["taken"]), "came": is_new, "went": 1 - is_new})
    return counted.groupby("taken").sum().astype("int64").reset_index()


def _in_utc(times: pd.Series[Any]) -> pd.Series[pd.Timestamp]:
    """Return times that a history gave, also where they were texts in a file meanwhile."""
    return pd.to_datetime(times, utc=True)


_COUNTED = {"change": "str", "what": "str", "changes": "int64"}


def _what(row: Any) -> str:
    """Return what happened, in words."""
    if row.change != "changed":
        return f"{'widget' if pd.isna(row.setting) else 'setting'} {row.change}"
    if pd.isna(row.old) or pd.isna(row.new):
        return f"{FLAGS.get(row.field, row.field)} {'appeared' if pd.isna(row.old) else 'disappeared'}"
    if row.field in _DIRECTIONS:
        return _DIRECTIONS[row.field][bool(row.new < row.old)]
    return f"{FLAGS.get(row.field, row.field)} changed"


def rows(table: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a small table by the names of its columns."""
    return table.itertuples()


def most(counted: pd.DataFrame, number: int) -> tuple[str, pd.DataFrame]:
    """Return the rows with the most widgets, and what to call them: others may have as many as the last of them."""
    top = counted.nlargest(number + 1, "widgets")["widgets"]
    is_tied = len(top) > number and top.iloc[-1] == top.iloc[-2]
    return "Among the most frequent" if is_tied else "Most frequent", counted.loc[top.index[:number]]


def read(
    data: AnyCatalog | pd.DataFrame, columns: Iterable[str], frame: Literal["widgets", "settings"] = "widgets"
) -> pd.DataFrame:
    """Return the frame that a chart reads, and demand its columns."""
    given, settings = frames_of(data)
    table = given if settings is None or frame == "widgets" else settings
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(
            f"This frame has no column {', '.join(map(repr, missing))}: give catalog.{frame}, a part of its rows, or "
            "the catalog."
        )
    return table


def rating_values(widgets: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return the ratings as floats; NaN for what is missing or no number."""
    values = _read_as(widgets, "rating", "Float64").to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def whole_numbers(table: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return a column of counts; NA for what is missing."""
    return _read_as(table, column, "Int64")


def is_set(table: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return where a flag is set; one that is missing is not."""
    return _read_as(table, column, "boolean").fillna(value=False).astype(bool)


def _read_as(table: pd.DataFrame, column: str, dtype: Literal["Float64", "Int64", "boolean"]) -> pd.Series[Any]:
    try:
        return table[column].astype(dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The column {column!r} can't be read as {dtype}: {error} Load the catalogue anew, or convert the column."
        ) from None
