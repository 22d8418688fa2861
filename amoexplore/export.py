"""The catalogue into files: Parquet and CSV page by page, Excel whole; or a table in the terminal."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from amoexplore import files
from amoexplore.load import load_catalog
from amoexplore.streams import CsvFile, ParquetFile, RussianCsvFile, load_to_parquet, stream

if TYPE_CHECKING:
    from collections.abc import Iterator
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
            return stream(account, {table or "widgets": path}, RussianCsvFile if decimal_comma else CsvFile)
        case _:
            catalog = load_catalog(account)
            write_excel(catalog, path)
            return catalog.report


def write_excel(catalog: Catalog, path: Path) -> None:
    """Write both tables, a sheet each; the file is there whole or not at all."""
    with files.whole(path) as unfinished, _excel(unfinished) as writer:
        for name in ("widgets", "settings"):
            frame: pd.DataFrame = getattr(catalog, name)
            frame.to_excel(writer, sheet_name=name, index=False, freeze_panes=(1, 0), autofilter=True)
            writer.sheets[name].autofit()


def write_frame(frame: pd.DataFrame, path: Path, *, decimal_comma: bool = False) -> None:
    """Write any frame as CSV or Excel, by the ending of the name; the file is there whole or not at all.

    Times are written in UTC: in a CSV with their zone, in Excel, which knows no zones, without.
    """
    with files.whole(path) as unfinished:
        if path.suffix.lower() == ".csv":
            _write_csv(frame, unfinished, decimal_comma=decimal_comma)
        else:
            times = {
                str(name): column.dt.tz_localize(None) for name, column in frame.select_dtypes("datetimetz").items()
            }
            with _excel(unfinished) as writer:
                frame.assign(**times).to_excel(writer, index=False, freeze_panes=(1, 0), autofilter=True)
                writer.sheets["Sheet1"].autofit()


def _write_csv(frame: pd.DataFrame, path: Path, *, decimal_comma: bool) -> None:
    decimal, separator = (",", ";") if decimal_comma else (".", ",")
    if decimal_comma:  # pandas writes a comma in columns of numbers only
        mixed = [str(name) for name, dtype in frame.dtypes.items() if dtype == "object"]
        frame = frame.assign(**{name: frame[name].map(_with_comma) for name in mixed})
    # As CsvFile does: with a byte order mark, and lines that end so that any line break in a value is quoted.
    frame.to_csv(path, index=False, encoding="utf-8-sig", decimal=decimal, sep=separator, lineterminator="\r\n")


def _with_comma(value: Any) -> Any:
    return str(value).replace(".", ",") if isinstance(value, float) else value


@contextmanager
def _excel(path: Path) -> Iterator[pd.ExcelWriter[Any]]:
    import pandas as pd  # noqa: PLC0415  imported while the network is asked

    # Made in memory: what XlsxWriter raises where a disk is full is no OSError, and leaves an open file behind.
    content = BytesIO()
    # A name that begins with "=" is a name, not a formula.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with pd.ExcelWriter(content, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        yield writer
    path.write_bytes(content.getbuffer())


def as_text(frame: pd.DataFrame) -> str:
    """Return a frame as a table that fits the terminal; a long one shows its two ends."""
    import pandas as pd  # noqa: PLC0415  imported while the network is asked

    width = shutil.get_terminal_size((120, 24)).columns
    with pd.option_context("display.width", width, "display.max_columns", None, "display.max_rows", 40):
        return str(frame)
