"""Pages to the two DataFrames, and their schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import pyarrow as pa

from amoexplore.columns import PageReader

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping

    from amoexplore import wire
    from amoexplore.wire import Unreadable

#: Columns and dtypes of ``catalog.widgets``.
WIDGETS = {
    "id": "int64",
    "code": "str",
    "version": "str",
    "rating": "Float64",
    "is_lead_source": "boolean",
    "is_work_with_dp": "boolean",
    "is_crm_template": "boolean",
    "is_active_in_account": "boolean",
    "client_uuid": "str",
    "pipeline_id": "Int64",
    "settings_count": "int64",
    "required_count": "int64",
}
#: The flags of a widget.
FLAGS = [name for name, dtype in WIDGETS.items() if dtype == "boolean"]
#: Columns and dtypes of ``catalog.settings``.
SETTINGS = {
    "widget_id": "int64",
    "code": "str",
    "position": "int64",
    "key": "str",
    "name": "str",
    "type": "str",
    "is_required": "boolean",
}


def _schema(dtypes: Mapping[str, str]) -> pa.Schema:
    """Return the Arrow schema of a frame; its metadata brings the very same dtypes back, also from Parquet."""
    empty = pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in dtypes.items()})
    return pa.Schema.from_pandas(empty, preserve_index=False)


_WIDGETS = _schema(WIDGETS)
_SETTINGS = _schema(SETTINGS)


class Part(NamedTuple):
    """What became of one page.

    Attributes
    ----------
    widgets, settings : RecordBatch
        Its rows in the two frames.
    unreadable : list of Unreadable
        Values that became NA, and entries without an id or a code, which are left out.
    repeated : list of tuple
        Widgets that came again: code, id, page where the code was first, page where it came again; the first is kept.
    unknown : Counter
        Fields that nobody knows.
    entries, requests, waited
        Entries of its list, requests and seconds of waiting that it took.
    """

    widgets: pa.RecordBatch
    settings: pa.RecordBatch
    unreadable: list[Unreadable]
    repeated: list[tuple[str, int, int, int]]
    unknown: Counter[str]
    entries: int
    requests: int
    waited: float


class Frames:
    """Takes pages one by one and gives the two frames at the end.

    Each page becomes two Arrow batches at once and its objects are dropped: memory holds columns only.

    Parameters
    ----------
    parts : iterable of Part
        Pages that have been taken before, from the first on.

    Attributes
    ----------
    parts : list of Part
        What became of each page. An interrupt leaves a whole one or none.
    """

    def __init__(self, parts: Iterable[Part] = ()) -> None:
        self.parts = list(parts)
        self._first_page = {
            code: number for number, part in enumerate(self.parts, 1) for code in part.widgets["code"].to_pylist()
        }

    def read(self, page: wire.Page) -> Part:
        """Return what becomes of a page, which is not taken in yet."""
        unreadable = list(page.unreadable)
        reader = PageReader(page.number, unreadable)
        repeated: list[tuple[str, int, int, int]] = []
        fresh = self._fresh(reader.identified(page.widgets), page.number, repeated)
        widgets, settings = reader.columns(fresh)
        batches = _batch(widgets, _WIDGETS), _batch(settings, _SETTINGS)
        return Part(*batches, unreadable, repeated, page.unknown, page.count, page.requests, page.waited)

    def keep(self, part: Part) -> None:
        """Take in the page that was read last."""
        self._first_page.update(dict.fromkeys(part.widgets["code"].to_pylist(), len(self.parts) + 1))
        self.parts.append(part)

    def _fresh(
        self, widgets: list[wire.Widget], number: int, repeated: list[tuple[str, int, int, int]]
    ) -> list[wire.Widget]:
        codes = [widget.code for widget in widgets]
        if self._first_page.keys().isdisjoint(codes) and len(set(codes)) == len(codes):
            return widgets
        fresh: dict[str, wire.Widget] = {}
        for widget in widgets:
            if widget.code in self._first_page or widget.code in fresh:
                repeated.append((widget.code, widget.id, self._first_page.get(widget.code, number), number))
            else:
                fresh[widget.code] = widget
        return list(fresh.values())

    def widgets(self) -> pd.DataFrame:
        """Return one row a widget, in the order of the API."""
        return _frame([part.widgets for part in self.parts], _WIDGETS)

    def settings(self) -> pd.DataFrame:
        """Return one row a field of a settings_template, in the order of the API."""
        return _frame([part.settings for part in self.parts], _SETTINGS)


def _batch(columns: Mapping[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def _frame(batches: list[pa.RecordBatch], schema: pa.Schema) -> pd.DataFrame:
    frame: pd.DataFrame = pa.Table.from_batches(batches, schema).to_pandas()
    return frame
