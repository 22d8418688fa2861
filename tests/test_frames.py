from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import amoexplore as amo
from amoexplore import errors

if TYPE_CHECKING:
    from pathlib import Path

    from amoexplore import Account


@pytest.fixture(scope="module")
def widgets() -> pd.DataFrame:
    """Return four widgets."""
    return pd.DataFrame(
        {
            "code": pd.Series(["a", "b", "c", "amo_dropbox"], dtype="str"),
            "rating": pd.Series([2.8, 2.8, None, 5], dtype="Float64"),
            "version": pd.Series(["1", "2", "1", None], dtype="str"),
        }
    )


def test_compare(widgets: pd.DataFrame) -> None:
    """One row a property, one column a widget in the order asked for, and what differs."""
    beside = amo.compare(widgets, ["b", "a"])
    assert beside.columns.tolist() == ["b", "a", "differs"]
    assert {name: row.tolist() for name, row in beside.iterrows()} == {
        "rating": [2.8, 2.8, False],
        "version": ["2", "1", True],
    }


def test_compare_missing_values(widgets: pd.DataFrame) -> None:
    """A missing value differs from one that is there, and not from another missing one."""
    assert amo.compare(widgets, ["a", "c"])["differs"].tolist() == [True, False]
    assert amo.compare(widgets, ["c", "c"])["differs"].tolist() == [False, False]


@pytest.mark.parametrize(("code", "hint"), [("amo_dropbx", "Did you mean amo_dropbox?"), ("zzz", "The column code")])
def test_compare_unknown(widgets: pd.DataFrame, code: str, hint: str) -> None:
    """A code that is not there is a LookupError that names what is spelled alike."""
    with pytest.raises(errors.UnknownWidget, match=f"No widget '{code}' among these 4. .*{hint}") as raised:
        amo.compare(widgets, ["a", code])
    assert isinstance(raised.value, LookupError)


def test_compare_one_text_is_not_a_list(widgets: pd.DataFrame) -> None:
    """A single code in place of a list is told as such, not letter by letter."""
    with pytest.raises(TypeError, match="a list of codes"):
        amo.compare(widgets, "amo_dropbox")


def test_compare_on_the_catalogue(account: Account) -> None:
    """Two widgets of the API's page side by side."""
    beside = amo.compare(amo.load_widgets(account), ["amo_dropbox", "amo_mailchimp"])
    assert {"id", "version", "rating"} == set(beside.index[beside["differs"]])


def test_parquet_keeps_the_dtypes(account: Account, tmp_path: Path) -> None:
    """The frames come back from Parquet as they were."""
    catalog = amo.load_catalog(account)
    for frame in (catalog.widgets, catalog.settings):
        frame.to_parquet(tmp_path / "frame.parquet")
        pd.testing.assert_frame_equal(frame, pd.read_parquet(tmp_path / "frame.parquet"))
