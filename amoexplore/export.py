"""The catalogue into files: Parquet and CSV page by page, Excel whole; or a table in the terminal."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING, Literal

from amoexplore import files
from amoexplore.load import load_catalog
from amoexplore.streams import CsvFile, ParquetFile, load_to_parquet, stream

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from amoexplore.account import Account
    from amoexplore.reports import Catalog, Report

SUFFIXES = (".parquet", ".csv", ".xlsx")


def check(path: Path) -> None:
    """Raise what :func:`load` would raise later, after a long load."""
    files.check(path, SUFFIXES)


def load(
    account: Account, path: Path, *, table: Literal["widgets", "settings"] | None = None, decimal_comma: bool = False
) -> Report:
    """Load the catalogue into a file, which is there whole or not at all.

    Parameters
    ----------
    account : Account
    path : Path
        Its ending says what to write: .parquet, .csv or .xlsx.
    table : {"widgets", "settings"}, optional
        Which one. By default widgets in a CSV, a sheet for each in Excel, and Parquet has a second file for settings.
    decimal_comma : bool
        Write a CSV as Excel in a Russian locale reads it: ``2,8``, separated by semicolons.
    """
    check(path)
    match path.suffix.lower():
        case ".parquet":
            return stream(account, {table: path}, ParquetFile) if table else load_to_parquet(account, path)
        case ".csv":
            return stream(account, {table or "widgets": path}, partial(CsvFile, decimal_comma=decimal_comma))
        case _:
            catalog = load_catalog(account)
            write_excel(catalog, path)
            return catalog.report


def write_excel(catalog: Catalog, path: Path) -> None:
    """Write both tables, a sheet each; the file is there whole or not at all."""
    import pandas as pd  # noqa: PLC0415  imported while the network is asked

    # A name that begins with "=" is a name, not a formula.
    options = {"options": {"strings_to_formulas": False, "strings_to_urls": False}}
    with (
        files.whole(path) as unfinished,
        pd.ExcelWriter(unfinished, engine="xlsxwriter", engine_kwargs=options) as writer,
    ):
        for name in ("widgets", "settings"):
            frame: pd.DataFrame = getattr(catalog, name)
            frame.to_excel(writer, sheet_name=name, index=False, freeze_panes=(1, 0), autofilter=True)
            writer.sheets[name].autofit()


def as_text(frame: pd.DataFrame) -> str:
    """Return a frame as a table that fits the terminal; a long one shows its two ends."""
    import pandas as pd  # noqa: PLC0415  imported while the network is asked

    width = shutil.get_terminal_size((120, 24)).columns
    with pd.option_context("display.width", width, "display.max_columns", None, "display.max_rows", 40):
        return str(frame)
