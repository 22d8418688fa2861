"""Which accounts have which widgets."""

from __future__ import annotations

from typing import Any

import pandas as pd

#: The dtypes of an overlap; the last two columns hold tuples.
OVERLAP = {"code": "str", "accounts": "int64", "share": "float64", "have": "object", "lack": "object"}


def overlap_of(widgets: pd.DataFrame, accounts: int) -> pd.DataFrame:
    """Return one row for each widget that any account has installed, the most common first.

    Parameters
    ----------
    widgets : DataFrame
        With the columns ``account``, ``code`` and ``is_active_in_account``.
    accounts : int
        How many there are; one without widgets is in no row.
    """
    flag = widgets["is_active_in_account"]
    # A flag that could not be read says neither.
    have = _accounts(widgets[flag.fillna(value=False)])
    lack = _accounts(widgets[~flag.fillna(value=True)])
    rows = [(code, len(some), len(some) / accounts, some, lack.get(code, ())) for code, some in have.items()]
    table = pd.DataFrame(rows, columns=[*OVERLAP]).astype(OVERLAP)
    return table.sort_values(["accounts", "code"], ascending=[False, True], ignore_index=True)


def _accounts(widgets: pd.DataFrame) -> dict[Any, tuple[str, ...]]:
    """Return the accounts of each widget, by its code."""
    return {code: tuple(accounts) for code, accounts in widgets.groupby("code", sort=False)["account"]}
