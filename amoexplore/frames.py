"""Columns to the two DataFrames, and their schemas."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import pandas_dtype

from amoexplore import normalize
from amoexplore.columns import SETTINGS, WIDGETS
from amoexplore.parts import Part
from amoexplore.reports import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from amoexplore.columns import Columns, TableName

    _Parts: TypeAlias = Sequence[Part[pa.RecordBatch]]


def _schema(dtypes: Mapping[str, Any]) -> pa.Schema:
    """Return the Arrow schema of a frame; its metadata brings the very same dtypes back, also from Parquet."""
    empty = pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in dtypes.items()})
    return pa.Schema.from_pandas(empty, preserve_index=False)


def _kept(schema: pa.Schema, columns: Iterable[str]) -> pa.Schema:
    return pa.schema([schema.field(name) for name in columns])


#: So many pages are kept as one part: the many small arrays of each would take a quarter more memory.
_TOGETHER: Final = 10
#: Arrow's own pool takes a quarter more for the many small arrays of the pages.
_POOL: Final = pa.system_memory_pool()

_DTYPES: dict[TableName, dict[str, Any]] = {
    "widgets": {name: pandas_dtype(dtype) for name, dtype in WIDGETS.items()},
    "settings": {name: pandas_dtype(dtype) for name, dtype in SETTINGS.items()},
}
_SCHEMAS: dict[TableName, pa.Schema] = {name: _schema(dtypes) for name, dtypes in _DTYPES.items()}
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


def gather(parts: list[Part[pa.RecordBatch]], came: Iterable[Part[pa.RecordBatch]]) -> None:
    """Add what comes to the parts that are there, page by page: an interrupt leaves a whole one or none."""
    for number, part in enumerate(came, 1):
        parts.append(part)
        if number % _TOGETHER == 0:
            parts[-_TOGETHER:] = [joined(parts[-_TOGETHER:])]


def joined(parts: _Parts) -> Part[pa.RecordBatch]:
    """Return parts that follow one another as one, which takes less memory and time."""
    widgets, settings = (
        pa.concat_batches([getattr(part, name) for part in parts], memory_pool=_POOL) for name in _KEPT
    )
    return Part(widgets, settings, Tally.of(part.tally for part in parts))


def codes(parts: _Parts) -> Iterator[list[str]]:
    """Yield the codes of the widgets of each page."""
    for part in parts:
        there = iter(part.widgets["code"].to_pylist())
        yield from (list(islice(there, count)) for count in part.tally.fresh)


def table(name: TableName, parts: _Parts) -> pa.Table:
    """Return what pages that follow one another have of a frame, as Arrow has it."""
    return pa.table([_column(name, column, parts) for column in _DTYPES[name]], _SCHEMAS[name])


def frame(name: TableName, parts: _Parts) -> pd.DataFrame:
    """Return what pages that follow one another have of a frame."""
    # One by one: of a column that was made on the way there are not two any longer than needed.
    columns = {column: _array(_column(name, column, parts), dtype) for column, dtype in _DTYPES[name].items()}
    return pd.DataFrame(columns, copy=False)


def _column(name: TableName, column: str, parts: _Parts) -> pa.ChunkedArray:
    follow = _FOLLOWING[name].get(column)
    if follow is None:
        chunks = [getattr(part, name)[column] for part in parts]
    else:
        chunks = [pa.array(follow(part.widgets, part.settings)) for part in parts]
    return pa.chunked_array(chunks, _SCHEMAS[name].field(column).type)


def _required(widgets: pa.RecordBatch, settings: pa.RecordBatch) -> Any:
    counts = widgets["settings_count"].to_numpy()
    flags = settings["is_required"].fill_null(fill_value=False).to_numpy(zero_copy_only=False)
    before, ends = np.insert(flags.cumsum(), 0, 0), counts.cumsum()
    return before[ends] - before[ends - counts]


def _positions(widgets: pa.RecordBatch, settings: pa.RecordBatch) -> Any:
    counts = widgets["settings_count"].to_numpy()
    return np.arange(settings.num_rows) - np.repeat(counts.cumsum() - counts, counts)


def _of_owners(column: str) -> Callable[[pa.RecordBatch, pa.RecordBatch], pa.Array]:
    """Return what makes a column of widgets one of their settings."""

    def taken(widgets: pa.RecordBatch, _: pa.RecordBatch) -> pa.Array:
        owners = np.repeat(np.arange(widgets.num_rows), widgets["settings_count"])
        return pc.take(widgets[column], pa.array(owners), memory_pool=_POOL)

    return taken


#: The columns of each frame that follow from what was kept of widgets and settings.
_FOLLOWING: dict[TableName, dict[str, Callable[[pa.RecordBatch, pa.RecordBatch], Any]]] = {
    "widgets": {"required_count": _required},
    "settings": {"widget_id": _of_owners("id"), "code": _of_owners("code"), "position": _positions},
}


def _array(values: pa.ChunkedArray, dtype: Any) -> Any:
    # What Arrow's own to_pandas does, but all pages at once, and without joining columns of one dtype: another copy.
    if isinstance(dtype, np.dtype):
        return _own(values)
    if pa.types.is_large_string(values.type):
        return dtype.__from_arrow__(values)
    filled = values.fill_null(values.type.to_pandas_dtype()())
    return dtype.construct_array_type()(_own(filled), _own(values.is_null()))


def _own(values: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Return values of Arrow as an array that can be changed: those of a single page would be Arrow's own."""
    return np.require(values.to_numpy(), requirements="W")
