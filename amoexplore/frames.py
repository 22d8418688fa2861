"""Columns to the two DataFrames, and their schemas."""

from __future__ import annotations

from functools import cached_property
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import pandas_dtype

from amoexplore import normalize
from amoexplore.columns import SETTINGS, WIDGETS, Columns
from amoexplore.parts import Part, joined

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
            pa.field("settings_begin", pa.int32()),
        ]
    ),
    pa.schema([*map(_SCHEMAS["settings"].field, normalize.SETTING)]),
)


def in_arrow(pages: Sequence[Part[Columns]]) -> Part[Batches]:
    """Return pages that follow one another as one part, in Arrow."""
    part = joined(pages)
    return Part(Batches(*map(_batch, part.rows, _KEPT)), part.tally)


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
    owned = [_Owned(part.rows) for part in parts]
    return pa.table([_column(name, column, owned) for column in _DTYPES[name]], _SCHEMAS[name])


def frame(name: TableName, parts: _Parts) -> pd.DataFrame:
    """Return what pages that follow one another have of a frame."""
    # One by one, and whose each setting is anew: of what was made on the way there is no more than is needed.
    columns = {
        column: _array(_column(name, column, (_Owned(part.rows) for part in parts)), dtype)
        for column, dtype in _DTYPES[name].items()
    }
    return pd.DataFrame(columns, copy=False)


def _column(name: TableName, column: str, parts: Iterable[_Owned]) -> pa.ChunkedArray:
    follow = _FOLLOWING[name].get(column)
    chunks = [follow(part) if follow else getattr(part.rows, name)[column] for part in parts]
    return pa.chunked_array(chunks, _SCHEMAS[name].field(column).type)


class _Owned:
    """Rows, and whose each setting is."""

    def __init__(self, rows: Batches) -> None:
        self.rows = rows
        self.begins, self.counts = (rows.widgets[f"settings_{name}"].to_numpy() for name in ("begin", "count"))

    @cached_property
    def owners(self) -> pa.Array:
        """Which widget each setting belongs to."""
        return pa.array(np.repeat(np.arange(len(self.counts)), self.counts))

    @cached_property
    def positions(self) -> pa.Array:
        """Which of that widget's settings it is."""
        return pa.array(np.arange(self.counts.sum()) - np.repeat(self.counts.cumsum() - self.counts, self.counts))

    @cached_property
    def places(self) -> pa.Array:
        """Where it stands among those that were kept, one of which may be many widgets'."""
        return pa.array(np.repeat(self.begins, self.counts) + self.positions.to_numpy())

    def required(self) -> pa.Array:
        """Return how many settings each widget demands."""
        flags = self.rows.settings["is_required"].fill_null(fill_value=False).to_numpy(zero_copy_only=False)
        before = np.insert(flags.cumsum(), 0, 0)
        return pa.array(before[self.begins + self.counts] - before[self.begins])


def _taken(source: TableName, column: str, where: Callable[[_Owned], pa.Array]) -> Callable[[_Owned], pa.Array]:
    """Return what makes a column of settings by looking each up in one of the rows that were kept."""
    return lambda part: pc.take(getattr(part.rows, source)[column], where(part), memory_pool=_POOL)


_owners, _positions, _places = map(attrgetter, ("owners", "positions", "places"))
#: The columns of each frame that follow from what was kept.
_FOLLOWING: dict[TableName, dict[str, Callable[[_Owned], pa.Array]]] = {
    "widgets": {"required_count": _Owned.required},
    "settings": {
        **{column: _taken("settings", column, _places) for column in normalize.SETTING},
        "widget_id": _taken("widgets", "id", _owners),
        "code": _taken("widgets", "code", _owners),
        "position": _positions,
    },
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
