from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from amoexplore.overlaps import OVERLAP, overlap_of

rows = st.dictionaries(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), st.sampled_from([True, False, None]))


def frame(flags: dict[tuple[str, str], bool | None]) -> pd.DataFrame:
    """Return widgets of accounts."""
    return pd.DataFrame(
        {
            "account": pd.Series([account for account, _ in flags], dtype="str"),
            "code": pd.Series([code for _, code in flags], dtype="str"),
            "is_active_in_account": pd.Series([*flags.values()], dtype="boolean"),
        }
    )


@given(rows)
def test_who_has_and_who_lacks(flags: dict[tuple[str, str], bool | None]) -> None:
    """Each widget that somebody has is a row with those that have it and those that have it not."""
    table = overlap_of(frame(flags), 4)
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == OVERLAP
    assert set(table["code"]) == {code for (_, code), flag in flags.items() if flag}
    for row in table.itertuples():
        assert row.have == tuple(account for (account, code), flag in flags.items() if code == row.code and flag)
        lack = tuple(account for (account, code), flag in flags.items() if code == row.code and flag is False)
        assert row.lack == lack
        assert (row.accounts, row.share) == (len(row.have), len(row.have) / 4)


@given(rows)
def test_most_common_first(flags: dict[tuple[str, str], bool | None]) -> None:
    """Rows are in the order of how many have the widget, then of its code."""
    table = overlap_of(frame(flags), 4)
    order = [(-row.accounts, row.code) for row in table.itertuples()]
    assert order == sorted(order)
