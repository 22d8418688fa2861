"""Columns to the two DataFrames, and their schemas."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import pandas_dtype

from amoexplore import normalize
from amoexplore.columns import SETTINGS, WIDGETS, Columns
from amoexplore.parts import Part
from amoexplore.reports import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from amoexplore.columns import TableName

    _Parts: TypeAlias = Sequence[Part["Batches"]]


def _schema(dtypes: Mapping[str, Any]) -> pa.Schema:
    """Return the Arrow schema of a frame; its metadata brings the very same dtypes back, also from Parquet."""
    empty = pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in dtypes.items()})
    return pa.Schema.from_pandas(empty, preserve_index=False)


#: So many pages become one part: to make arrays of each would take half as long again, and a quarter more memory.
_TOGETHER: Final = 10
#: Arrow's own pool takes a quarter more for the many small arrays.
_POOL: Final = pa.system_memory_pool()

_DTYPES: dict[TableName, dict[str, Any]] = {
    "widgets": {name: pandas_dtype(dtype) for name, dtype in WIDGETS.items()},
    "settings": {name: pandas_dtype(dtype) for name, dtype in SETTINGS.items()},
}
_SCHEMAS: dict[TableName, pa.Schema] = {name: _schema(dtypes) for name, dtypes in _DTYPES.items()}


class Batches(NamedTuple):
    """What :class:`Columns` hold, in Arrow."""

    widgets: pa.RecordBatch
    settings: pa.RecordBatch


_KEPT = Batches(
    pa.schema(
        [
            *map(_SCHEMAS["widgets"].field, [*normalize.WIDGET, "settings_count"]),
            pa.field("settings_begin", pa.int64()),
        ]
    ),
    pa.schema([*map(_SCHEMAS["settings"].field, normalize.SETTING)]),
)


def in_arrow(pages: Sequence[Part[Columns]]) -> Part[Batches]:
    """Return pages that follow one another as one part, in Arrow."""
    columns = Columns.joined([page.rows for page in pages])
    return Part(Batches(*map(_batch, columns, _KEPT)), Tally.of(page.tally for page in pages))


def _batch(columns: Mapping[str, Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    fields = zip(schema.names, schema.types, strict=True)
    arrays = [pa.array(columns[name], kind, memory_pool=_POOL) for name, kind in fields]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def gather(parts: list[Part[Any]], came: Iterable[Part[Columns]]) -> None:
    """Add the pages that come to the parts that are there: an interrupt leaves each of them whole or not at all."""
    for number, page in enumerate(came, 1):
        parts.append(page)
        if number % _TOGETHER == 0:
            settle(parts)
    settle(parts)


def settle(parts: list[Part[Any]]) -> None:
    """Have all parts in Arrow, also those pages that came last."""
    if pages := [part for part in parts if isinstance(part.rows, Columns)]:
        parts[-len(pages) :] = [in_arrow(pages)]


def codes(parts: _Parts) -> Iterator[list[str]]:
    """Yield the codes of the widgets of each page."""
    for part in parts:
        there = iter(part.rows.widgets["code"].to_pylist())
        yield from (list(islice(there, count)) for count in part.tally.fresh)


def table(name: TableName, parts: _Parts) -> pa.Table:
    """Return what pages that follow one another have of a frame, as Arrow has it."""
    columns = _columns(name, parts)
    return pa.table([columns[field.name] for field in _SCHEMAS[name]], _SCHEMAS[name])


def frame(name: TableName, parts: _Parts) -> pd.DataFrame:
    """Return what pages that follow one another have of a frame."""
    columns = _columns(name, parts)
    # One by one: of each column there are not two any longer than needed.
    return pd.DataFrame({each: _array(columns.pop(each), dtype) for each, dtype in _DTYPES[name].items()}, copy=False)


def _columns(name: TableName, parts: _Parts) -> dict[str, pa.ChunkedArray]:
    """Return the columns of a frame, also those that follow from what was kept."""
    chunks = [_WHOLE[name](part.rows) for part in parts]
    return {
        field.name: pa.chunked_array([chunk[field.name] for chunk in chunks], field.type) for field in _SCHEMAS[name]
    }


def _widgets(rows: Batches) -> dict[str, Any]:
    begins, counts = (rows.widgets[name].to_numpy() for name in ("settings_begin", "settings_count"))
    flags = rows.settings["is_required"].fill_null(fill_value=False).to_numpy(zero_copy_only=False)
    before = np.insert(flags.cumsum(), 0, 0)
    return _by_name(rows.widgets) | {"required_count": pa.array(before[begins + counts] - before[begins])}


def _settings(rows: Batches) -> dict[str, Any]:
    begins, counts = (rows.widgets[name].to_numpy() for name in ("settings_begin", "settings_count"))
    ends = counts.cumsum()
    positions = np.arange(counts.sum()) - np.repeat(ends - counts, counts)
    owners = pa.array(np.repeat(np.arange(len(counts)), counts))
    places = pa.array(np.repeat(begins, counts) + positions)
    return _by_name(pc.take(rows.settings, places, memory_pool=_POOL)) | {
        "widget_id": pc.take(rows.widgets["id"], owners, memory_pool=_POOL),
        "code": pc.take(rows.widgets["code"], owners, memory_pool=_POOL),
        "position": pa.array(positions),
    }


def _by_name(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    return dict(zip(batch.schema.names, batch.columns, strict=True))


#: Makes all that a frame has of what was kept.
_WHOLE: Final[dict[TableName, Callable[[Batches], dict[str, pa.Array]]]] = {"widgets": _widgets, "settings": _settings}


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
