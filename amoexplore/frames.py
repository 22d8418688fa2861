"""Columns to the two DataFrames, and their schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import pandas_dtype

from amoexplore import normalize
from amoexplore.columns import SETTINGS, WIDGETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amoexplore.columns import Columns, TableName
    from amoexplore.parts import Part

    _Parts: TypeAlias = Sequence[Part[pa.RecordBatch]]
    _Values: TypeAlias = pa.ChunkedArray | np.ndarray[Any, Any]


def _schema(dtypes: Mapping[str, str]) -> pa.Schema:
    """Return the Arrow schema of a frame; its metadata brings the very same dtypes back, also from Parquet."""
    empty = pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in dtypes.items()})
    return pa.Schema.from_pandas(empty, preserve_index=False)


def _kept(schema: pa.Schema, columns: Iterable[str]) -> pa.Schema:
    return pa.schema([schema.field(name) for name in columns])


#: Arrow's own pool takes a fifth more for the many small arrays of the pages.
_POOL: Final = pa.system_memory_pool()

_DTYPES = {name: pandas_dtype(dtype) for name, dtype in (WIDGETS | SETTINGS).items()}
_SCHEMAS: dict[TableName, pa.Schema] = {"widgets": _schema(WIDGETS), "settings": _schema(SETTINGS)}
#: What is kept of each page: all that does not follow from the rest.
_KEPT: dict[TableName, pa.Schema] = {
    "widgets": _kept(_SCHEMAS["widgets"], [*normalize.WIDGET, "settings_count"]),
    "settings": _kept(_SCHEMAS["settings"], normalize.SETTING),
}


def batches(columns: Columns) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Return what is kept of the widgets and of the settings of a page, in Arrow."""
    return _batch(columns.widgets, _KEPT["widgets"]), _batch(columns.settings, _KEPT["settings"])


def _batch(columns: Mapping[str, Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    fields = zip(schema.names, schema.types, strict=True)
    arrays = [pa.array(columns[name], kind, memory_pool=_POOL) for name, kind in fields]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def table(name: TableName, parts: _Parts) -> pa.Table:
    """Return what pages that follow one another have of a frame, as Arrow has it."""
    return pa.table(_columns(name, parts), _SCHEMAS[name])


def frame(name: TableName, parts: _Parts) -> pd.DataFrame:
    """Return what pages that follow one another have of a frame."""
    columns = _columns(name, parts).items()
    return pd.DataFrame({column: _array(values, _DTYPES[column]) for column, values in columns}, copy=False)


def _columns(name: TableName, parts: _Parts) -> dict[str, _Values]:
    kept = {each: pa.Table.from_batches([getattr(part, each) for part in parts], _KEPT[each]) for each in _KEPT}
    columns = dict(zip(kept[name].column_names, kept[name].columns, strict=True)) | _FOLLOWING[name](**kept)
    return {column: columns[column] for column in _SCHEMAS[name].names}


def _of_widgets(widgets: pa.Table, settings: pa.Table) -> dict[str, _Values]:
    """Return the columns of widgets that follow from what was kept."""
    counts = widgets["settings_count"].to_numpy()
    flags = settings["is_required"].fill_null(fill_value=False).to_numpy()
    sums = np.add.reduceat(np.append(flags, False), counts.cumsum() - counts, dtype=np.int64)  # of none: the next flag
    return {"required_count": np.where(counts, sums, 0)}


def _of_settings(widgets: pa.Table, settings: pa.Table) -> dict[str, _Values]:
    """Return the columns of settings that follow from what was kept."""
    counts = widgets["settings_count"].to_numpy()
    positions = np.arange(settings.num_rows)
    positions -= np.repeat(counts.cumsum() - counts, counts)
    return {
        "widget_id": np.repeat(widgets["id"].to_numpy(), counts),
        "code": pa.chunked_array(map(_codes, widgets.to_batches()), pa.large_string()),
        "position": positions,
    }


def _codes(widgets: pa.RecordBatch) -> pa.Array:
    """Return for each setting of a page the code of its widget."""
    owners = np.repeat(np.arange(widgets.num_rows), widgets["settings_count"])
    return pc.take(widgets["code"], pa.array(owners), memory_pool=_POOL)


_FOLLOWING = {"widgets": _of_widgets, "settings": _of_settings}


def _array(values: _Values, dtype: Any) -> Any:
    # What Arrow's own to_pandas does, but all pages at once, and without joining columns of one dtype: another copy.
    if isinstance(values, np.ndarray):
        return values
    if isinstance(dtype, np.dtype):
        return _own(values)
    if pa.types.is_large_string(values.type):
        return dtype.__from_arrow__(values)
    filled = values.fill_null(values.type.to_pandas_dtype()())
    return dtype.construct_array_type()(_own(filled), _own(values.is_null()))


def _own(values: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Return values of Arrow as an array that can be changed: those of a single page would be Arrow's own."""
    return np.require(values.to_numpy(), requirements="W")
