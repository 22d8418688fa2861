from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amoexplore.charts import data

if TYPE_CHECKING:
    from amoexplore import Catalog

RATINGS = st.lists(st.none() | st.floats(-10, 10) | st.just(np.nan) | st.just(np.inf), max_size=30)


def widgets(**columns: list[object]) -> pd.DataFrame:
    """Return widgets with these columns, in the dtypes of the loader."""
    dtypes = {"rating": "Float64", "code": "str", "required_count": "int64", "settings_count": "int64"}
    return pd.DataFrame({name: pd.array(values, dtypes.get(name, "boolean")) for name, values in columns.items()})


def test_ratings(catalog: Catalog) -> None:
    """Half a star a row, all of them together the catalogue, and the row without ends the unrated."""
    bins = data.ratings(catalog)
    assert bins["low"].tolist()[:-1] == [star / 2 for star in range(10)]
    assert bins["widgets"].sum() == len(catalog.widgets)
    assert bins["widgets"].iloc[-1] == catalog.widgets["rating"].isna().sum()
    rating = catalog.widgets["rating"]
    assert bins["widgets"].iloc[7] == ((rating >= 3.5) & (rating < 4)).sum()
    assert bins["widgets"].iloc[9] == (rating >= 4.5).sum()


@given(RATINGS)
def test_no_rating_is_lost(ratings: list[float | None]) -> None:
    """Whatever the ratings, each widget is counted once, and the bins follow each other without a gap."""
    bins = data.ratings(widgets(rating=ratings))
    assert bins["widgets"].sum() == len(ratings)
    assert bins["widgets"].iloc[-1] == sum(value is None or not np.isfinite(value) for value in ratings)
    assert bins["high"].tolist()[:-2] == bins["low"].tolist()[1:-1]


def test_ratings_beyond_the_scale() -> None:
    """Ratings of another scale get bins that hold them all."""
    bins = data.ratings(widgets(rating=[1.0, 87.5, 100.0]))
    assert (bins["low"].min(), bins["high"].max(), bins["widgets"].sum()) == (0, 100, 3)
    negative = data.ratings(widgets(rating=[-3, 0.2, 1.8, 2.6]))
    assert negative["low"].tolist()[:-1] == [-3, -2, -1, 0, 1, 2, 3, 4]
    assert negative["widgets"].tolist() == [1, 0, 0, 1, 1, 1, 0, 0, 0]


def test_ratings_by_flag() -> None:
    """Yes comes first, then no, then unknown; quartiles are of the rated ones only."""
    frame = widgets(rating=[1, 2, 3, None, 5, 4], is_lead_source=[True, False, False, False, None, True])
    spread = data.ratings_by(frame)
    assert spread["group"].tolist() == ["yes", "no", "unknown"]
    assert spread["widgets"].tolist() == [2, 3, 1]
    assert spread["rated"].tolist() == [2, 2, 1]
    assert spread["median"].tolist() == [2.5, 2.5, 5.0]
    assert spread["lower_quartile"].tolist() == [1.75, 2.25, 5.0]


def test_ratings_by_groups() -> None:
    """Groups of the user's own are ordered by their median, those without one last."""
    frame = widgets(rating=[1, None, 3, 5], code=["a", "b", "c", "d"]).set_index(pd.Index([7, 5, 3, 1]))
    spread = data.ratings_by(frame, ["юг", "пусто", "юг", "север"])
    assert spread["group"].tolist() == ["север", "юг", "пусто"]
    assert spread["median"].fillna(-1).tolist() == [5.0, 2.0, -1]
    by_series = data.ratings_by(frame, pd.Series(["юг", "пусто", "юг", "север"], index=frame.index))
    pd.testing.assert_frame_equal(spread, by_series)


def test_a_series_of_groups_is_aligned() -> None:
    """Groups that were made for the whole catalogue suit a part of it, in any order, as pandas would have it."""
    frame = widgets(rating=[1, 2, 3])
    groups = pd.Series(["a", "b", "c"])
    assert data.ratings_by(frame.iloc[[2, 0]], groups)[["group", "median"]].to_numpy().tolist() == [["c", 3], ["a", 1]]


def test_a_series_of_other_widgets() -> None:
    """A Series that has nothing to do with the widgets is told, and not taken as no group at all."""
    with pytest.raises(ValueError, match="index is not that of the widgets"):
        data.ratings_by(widgets(rating=[1, 2]), pd.Series(["a", "b"], index=[7, 8]))
    with pytest.raises(ValueError, match="index is not that of the widgets"):
        data.ratings_by(widgets(rating=[1, 2]), pd.Series(["a", "b"], index=[0, 0]))


@pytest.mark.parametrize(("column", "value"), [("rating", "2,8"), ("is_lead_source", "нет"), ("required_count", "два")])
def test_texts_are_no_numbers(catalog: Catalog, column: str, value: str) -> None:
    """Where a column holds something else than it should, this is said, and nothing is counted by mistake."""
    chart = {"rating": data.ratings, "is_lead_source": data.flags, "required_count": data.settings_burden}[column]
    with pytest.raises(ValueError, match=f"column '{column}' can't be read as"):
        chart(catalog.widgets.assign(**{column: value}))


def test_what_is_no_catalogue() -> None:
    """What is neither a catalogue nor a frame is told; and so is a frame that amo.changes did not return."""
    with pytest.raises(TypeError, match="catalogue or a frame"):
        data.ratings(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="what amo"):
        data.changes(widgets(rating=[1]))


def test_ratings_by_too_few_groups() -> None:
    """A group that is missing for a widget is told, with both numbers."""
    with pytest.raises(ValueError, match="2 groups for 3 widgets"):
        data.ratings_by(widgets(rating=[1, 2, 3]), ["a", "b"])


@pytest.mark.parametrize("by", [None, 5, len])
def test_ratings_by_what_is_no_groups(by: Any) -> None:
    """What can be no groups is told with what is wanted in its place."""
    with pytest.raises(TypeError, match="by is a column, or a group for each widget, not "):
        data.ratings_by(widgets(rating=[1, 2, 3]), by)


def test_flags() -> None:
    """Each flag alone, and then what is exactly together; unknown counts as not set."""
    flags = {flag: [False] * 5 for flag in data.FLAGS}
    flags["is_lead_source"] = [True, True, True, False, None]
    flags["is_work_with_dp"] = [True, True, False, False, False]
    counted = data.flags(widgets(**flags))
    assert counted[["count_of", "flags", "widgets"]].to_numpy().tolist() == [
        ["each", "lead source", 3],
        ["each", "Digital Pipeline", 2],
        ["each", "industry solution", 0],
        ["each", "installed", 0],
        ["together", "none of them", 2],
        ["together", "lead source + Digital Pipeline", 2],
        ["together", "lead source only", 1],
    ]
    assert counted["share"].iloc[0] == pytest.approx(0.6)


def test_flags_together_are_all_widgets(catalog: Catalog) -> None:
    """Each widget is in one combination."""
    counted = data.flags(catalog)
    assert counted.loc[counted["count_of"] == "together", "widgets"].sum() == len(catalog.widgets)
    assert counted.loc[1, "widgets"] == catalog.widgets["is_work_with_dp"].sum()


def test_settings_burden(catalog: Catalog) -> None:
    """Each widget is in one pair; what is not required is optional."""
    cells = data.settings_burden(catalog)
    assert cells["widgets"].sum() == len(catalog.widgets)
    assert (cells["required"] * cells["widgets"]).sum() == catalog.settings["is_required"].sum()
    assert (cells["optional"] * cells["widgets"]).sum() == (~catalog.settings["is_required"]).sum()


def test_setting_types(catalog: Catalog) -> None:
    """Each setting is counted once, the most frequent type first."""
    counted = data.setting_types(catalog)
    assert counted["type"].tolist() == catalog.settings["type"].value_counts().index.tolist()
    assert (counted["required"] + counted["optional"]).sum() == len(catalog.settings)
    text = catalog.settings[catalog.settings["type"] == "text"]
    assert counted.loc[0, ["required", "widgets"]].tolist() == [text["is_required"].sum(), text["code"].nunique()]


def test_rating_vs_burden() -> None:
    """Equal pairs are one row with the first code; the best rating of each number of settings is marked."""
    frame = widgets(code=["a", "b", "c", "d", "e"], rating=[4.04, 3.96, 2, None, 1], required_count=[0, 0, 0, 1, 1])
    cells = data.rating_vs_burden(frame)
    assert cells.to_numpy().tolist() == [[0, 2.0, 1, "c", False], [0, 4.0, 2, "a", True], [1, 1.0, 1, "e", True]]


def test_changes() -> None:
    """Changes are counted by what they are: added, removed, and the way a value went."""
    rows = [
        ("added", "a", pd.NA, pd.NA, pd.NA, pd.NA),
        ("removed", "b", "key", pd.NA, pd.NA, pd.NA),
        ("changed", "c", pd.NA, "rating", 2.5, 3.0),
        ("changed", "d", pd.NA, "rating", 3.5, 3.0),
        ("changed", "e", pd.NA, "rating", 1.0, 3.0),
        ("changed", "e", "key", "is_required", False, True),
        ("changed", "f", pd.NA, "rating", pd.NA, 3.0),
        ("changed", "f", pd.NA, "version", "1", "2"),
        ("changed", "f", pd.NA, "client_uuid", "a", pd.NA),
        ("changed", "f", pd.NA, "is_active_in_account", True, False),
    ]
    counted = data.changes(pd.DataFrame(rows, columns=["change", "code", "setting", "field", "old", "new"]))
    assert counted.to_numpy().tolist() == [
        ["added", "widget added", 1],
        ["removed", "setting removed", 1],
        ["changed", "rating rose", 2],
        ["changed", "client_uuid disappeared", 1],
        ["changed", "rating appeared", 1],
        ["changed", "rating fell", 1],
        ["changed", "setting became required", 1],
        ["changed", "uninstalled", 1],
        ["changed", "version changed", 1],
    ]


@pytest.mark.parametrize(
    "name", ["ratings", "ratings_by", "flags", "settings_burden", "setting_types", "rating_vs_burden"]
)
def test_empty_catalogue_has_the_same_columns(catalog: Catalog, name: str) -> None:
    """An empty catalogue gives the same columns and dtypes, and counts nothing."""
    part = catalog.settings if name == "setting_types" else catalog.widgets
    full, empty = getattr(data, name)(part), getattr(data, name)(part.iloc[:0])
    assert full.dtypes.astype(str).to_dict() == empty.dtypes.astype(str).to_dict()
    assert empty["widgets"].sum() == 0


@pytest.mark.parametrize(
    "name", ["ratings", "ratings_by", "flags", "settings_burden", "setting_types", "rating_vs_burden"]
)
def test_wrong_frame(catalog: Catalog, name: str) -> None:
    """A frame without what the chart reads is told, with the frame that has it."""
    wrong, right = ("widgets", "settings") if name == "setting_types" else ("settings", "widgets")
    with pytest.raises(ValueError, match=rf"no column '\w+'.*give catalog\.{right}"):
        getattr(data, name)(getattr(catalog, wrong))
