"""Columns to the two DataFrames, and their schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import pandas_dtype

from amoexplore.columns import SETTINGS, WIDGETS
from amoexplore.parts import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amoexplore.columns import Columns
    from amoexplore.parts import Part


def _schema(dtypes: Mapping[str, str]) -> pa.Schema:
    """Return the Arrow schema of a frame; its metadata brings the very same dtypes back, also from Parquet."""
    empty = pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in dtypes.items()})
    return pa.Schema.from_pandas(empty, preserve_index=False)


_DTYPES = {name: pandas_dtype(dtype) for name, dtype in (WIDGETS | SETTINGS).items()}
#: The Arrow schemas of both.
WIDGETS_SCHEMA, SETTINGS_SCHEMA = _schema(WIDGETS), _schema(SETTINGS)


def batches(columns: Columns) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Return what a page has as rows of the two frames, in Arrow."""
    widgets = _batch(columns.widgets, WIDGETS_SCHEMA)
    counts = widgets["settings_count"].to_numpy()
    owners = pa.array(np.repeat(np.arange(len(counts)), counts))  # for each setting the row of its widget
    of_widgets = {
        "widget_id": widgets["id"].take(owners),
        "code": widgets["code"].take(owners),
        "position": np.arange(len(owners)) - np.repeat(counts.cumsum() - counts, counts),
    }
    return widgets, _batch(columns.settings | of_widgets, SETTINGS_SCHEMA)


class Frames(Reader[pa.RecordBatch]):
    """Keeps what becomes of the pages, and gives the two frames at the end.

    Parameters
    ----------
    parts : list of Part
        Pages that have been taken before, from the first on; those that are kept are added to it.

    Attributes
    ----------
    parts : list of Part
        What became of each page. An interrupt leaves a whole one or none.
    """

    def __init__(self, parts: list[Part[pa.RecordBatch]] | None = None) -> None:
        self.parts = [] if parts is None else parts
        super().__init__(batches, (part.widgets["code"].to_pylist() for part in self.parts))

    def keep(self, part: Part[pa.RecordBatch]) -> None:
        """Take in the page that was read last."""
        super().keep(part)
        self.parts.append(part)

    def widgets(self) -> pd.DataFrame:
        """Return one row a widget, in the order of the API."""
        return frame_of([part.widgets for part in self.parts], WIDGETS_SCHEMA)

    def settings(self) -> pd.DataFrame:
        """Return one row a field of a settings_template, in the order of the API."""
        return frame_of([part.settings for part in self.parts], SETTINGS_SCHEMA)


def _batch(columns: Mapping[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [pa.array(columns[name], kind) for name, kind in zip(schema.names, schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def frame_of(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> pd.DataFrame:
    """Return Arrow batches as one DataFrame."""
    table = pa.Table.from_batches(batches, schema)
    return pd.DataFrame({name: _values(table[name], _DTYPES[name]) for name in schema.names}, copy=False)


def _values(column: pa.ChunkedArray, dtype: Any) -> Any:
    # What Arrow's own to_pandas does, but for joining columns of one dtype: they would be copied once more.
    if isinstance(dtype, np.dtype):
        return np.require(column.to_numpy(), requirements="W")  # one batch is Arrow's own, which nobody can change
    return dtype.__from_arrow__(column)
