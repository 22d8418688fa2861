"""Pages to the two DataFrames, and their schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from amoexplore.columns import PageReader

if TYPE_CHECKING:
    from collections.abc import Mapping

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


class Frames:
    """Takes pages one by one and gives the two frames at the end.

    Each page becomes two Arrow batches at once and its objects are dropped: memory holds columns only.

    Attributes
    ----------
    unreadable : list of Unreadable
        Values that became NA, and entries without an id or a code, which are left out.
    repeated : list of tuple
        Widgets that came again: code, id, page where the code was first, page where it came again; the first is kept.
    """

    def __init__(self) -> None:
        self.unreadable: list[Unreadable] = []
        self.repeated: list[tuple[str, int, int, int]] = []
        self._first_page: dict[str, int] = {}
        self._widgets: list[pa.RecordBatch] = []
        self._settings: list[pa.RecordBatch] = []

    def add(self, page: wire.Page) -> int:
        """Take a page in; returns how many of its widgets are new."""
        self.unreadable.extend(page.unreadable)
        reader = PageReader(page.number, self.unreadable)
        identified = reader.identified(page.widgets)
        fresh = self._fresh(identified, page.number)
        if fresh:
            widgets, settings = reader.columns(fresh)
            self._widgets.append(_batch(widgets, _WIDGETS))
            self._settings.append(_batch(settings, _SETTINGS))
        return len(fresh)

    def _fresh(self, widgets: list[wire.Widget], number: int) -> list[wire.Widget]:
        codes = [widget.code for widget in widgets]
        if self._first_page.keys().isdisjoint(codes) and len(set(codes)) == len(codes):
            self._first_page.update(dict.fromkeys(codes, number))
            return widgets
        fresh = []
        for widget in widgets:
            if widget.code in self._first_page:
                self.repeated.append((widget.code, widget.id, self._first_page[widget.code], number))
            else:
                self._first_page[widget.code] = number
                fresh.append(widget)
        return fresh

    def widgets(self) -> pd.DataFrame:
        """Return one row a widget, in the order of the API."""
        return _frame(self._widgets, _WIDGETS)

    def settings(self) -> pd.DataFrame:
        """Return one row a field of a settings_template, in the order of the API."""
        return _frame(self._settings, _SETTINGS)


def _batch(columns: Mapping[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def _frame(batches: list[pa.RecordBatch], schema: pa.Schema) -> pd.DataFrame:
    frame: pd.DataFrame = pa.Table.from_batches(batches, schema).to_pandas()
    return frame
