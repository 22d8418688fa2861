"""Pages to the two DataFrames, their schemas, and widgets side by side."""

from __future__ import annotations

import difflib
from itertools import accumulate, chain, pairwise, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from amoexplore import normalize
from amoexplore.errors import UnknownWidget
from amoexplore.wire import Unreadable, name_of, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from msgspec import Struct

    from amoexplore import wire
    from amoexplore.normalize import Reader

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

#: Types that a reader gives back as they are, so that it need not be asked.
_PLAIN: dict[Reader, set[type]] = {normalize.text: {str, type(None)}, normalize.flag: {bool, type(None)}}


class Frames:
    """Takes pages one by one and gives the two frames at the end.

    Each page becomes two Arrow batches at once and its objects are dropped: memory holds columns only.

    Attributes
    ----------
    unreadable : list of Unreadable
        Values that became NA, and entries without an id or a code, which are left out.
    repeated : list of tuple
        Widgets that came again: code, page where it was first, page where it came again; kept once.
    """

    def __init__(self) -> None:
        self.unreadable: list[Unreadable] = []
        self.repeated: list[tuple[str, int, int]] = []
        self._first_page: dict[str, int] = {}
        self._widgets: list[pa.RecordBatch] = []
        self._settings: list[pa.RecordBatch] = []

    def add(self, page: wire.Page) -> int:
        """Take a page in; returns how many of its widgets had come before."""
        self.unreadable.extend(page.unreadable)
        columns = _Columns(page.number, self.unreadable)
        identified = columns.identified(page.widgets)
        fresh = self._fresh(identified, page.number)
        if fresh:
            settings, required = columns.settings(fresh)
            self._settings.append(settings)
            self._widgets.append(columns.widgets(fresh, required))
        return len(identified) - len(fresh)

    def _fresh(self, widgets: list[wire.Widget], number: int) -> list[wire.Widget]:
        fresh = []
        for widget in widgets:
            if widget.code in self._first_page:
                self.repeated.append((widget.code, self._first_page[widget.code], number))
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


def _batch(columns: Mapping[str, list[Any]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def _frame(batches: list[pa.RecordBatch], schema: pa.Schema) -> pd.DataFrame:
    frame: pd.DataFrame = pa.Table.from_batches(batches, schema).to_pandas()
    return frame


class _Columns:
    """Turns the widgets of one page into Arrow batches, and notes what can't be read."""

    def __init__(self, number: int, unreadable: list[Unreadable]) -> None:
        self._number = number
        self._unreadable = unreadable

    def identified(self, widgets: list[wire.Widget]) -> list[wire.Widget]:
        """Return the widgets that have an id and a code, both clean; the others are noted and left out."""
        if {(type(w.id), type(w.code)) for w in widgets} <= {(int, str)} and all(w.code for w in widgets):
            return widgets
        return [widget for widget in widgets if self._identify(widget)]

    def _identify(self, widget: wire.Widget) -> bool:
        name = name_of(widget)
        for field, read in (("id", normalize.integer), ("code", normalize.text)):
            value = getattr(widget, field)
            clean = self._read(read, value, name, field)
            if clean is None or clean == "":
                if value is None or value == "":
                    self._unreadable.append(Unreadable(self._number, name, field, shown(value)))
                return False
            setattr(widget, field, clean)
        return True

    def settings(self, widgets: list[wire.Widget]) -> tuple[pa.RecordBatch, list[int]]:
        """Return the batch of settings, and how many of them each widget requires."""
        templates = [widget.settings_template or () for widget in widgets]
        lengths = list(map(len, templates))
        fields = list(chain.from_iterable(templates))
        owners = list(chain.from_iterable(map(repeat, widgets, lengths)))
        columns = {
            "widget_id": list(map(attrgetter("id"), owners)),
            "code": list(map(attrgetter("code"), owners)),
            "position": list(chain.from_iterable(map(range, lengths))),
            **self._clean(fields, normalize.SETTING, owners),
        }
        # How many are required up to each field: a widget's own are a difference of two.
        required = list(accumulate(map(bool, columns["is_required"]), initial=0))
        ends = list(accumulate(lengths, initial=0))
        counts = [required[end] - required[start] for start, end in pairwise(ends)]
        return _batch(columns, _SETTINGS), counts

    def widgets(self, widgets: list[wire.Widget], required: list[int]) -> pa.RecordBatch:
        """Return the batch of widgets."""
        columns = self._clean(widgets, normalize.WIDGET, widgets)
        columns["settings_count"] = [len(widget.settings_template or ()) for widget in widgets]
        columns["required_count"] = required
        return _batch(columns, _WIDGETS)

    def _clean(
        self, rows: Sequence[Struct], readers: Mapping[str, Reader], owners: Sequence[wire.Widget]
    ) -> dict[str, list[Any]]:
        """Return the columns of some structs, clean; each row belongs to a widget, for the report."""
        raw = zip(*map(attrgetter(*readers), rows), strict=True) if rows else repeat(())
        return {
            name: self._column(values, read, owners, name)
            for (name, read), values in zip(readers.items(), raw, strict=False)
        }

    def _column(self, values: Sequence[Any], read: Reader, owners: Sequence[wire.Widget], name: str) -> list[Any]:
        if set(map(type, values)) <= _PLAIN.get(read, set()):
            return list(values)
        try:
            return list(map(read, values))
        except ValueError:
            return [self._read(read, value, owner.code, name) for value, owner in zip(values, owners, strict=True)]

    def _read(self, read: Reader, value: Any, widget: str, field: str) -> Any:
        try:
            return read(value)
        except ValueError:
            self._unreadable.append(Unreadable(self._number, widget, field, shown(value)))
            return None


def compare(widgets: pd.DataFrame, codes: Sequence[str]) -> pd.DataFrame:
    """Return widgets side by side: one row a property, one column a widget, and whether they differ.

    Parameters
    ----------
    widgets : DataFrame
        ``catalog.widgets``, or any part of it.
    codes : sequence of str
        Which widgets, in the order of the columns.

    Returns
    -------
    DataFrame
        Indexed by property; the columns are the codes, then ``differs``. A missing value differs from a present one.

    Raises
    ------
    UnknownWidget
        If a code is not in ``widgets``; names those that are spelled alike.
    """
    if isinstance(codes, str):
        raise TypeError(f"compare takes a list of codes, such as [{codes!r}, …].")
    known = set(widgets["code"])
    for code in codes:
        if code not in known:
            raise _unknown(code, known)
    chosen = widgets.drop_duplicates("code").set_index("code").loc[list(codes)]
    beside = chosen.astype(object).where(chosen.notna(), None).T.rename_axis(index="property", columns=None)
    beside["differs"] = [len(set(row)) > 1 for row in beside.itertuples(index=False, name=None)]
    return beside


def _unknown(code: str, codes: Collection[str]) -> UnknownWidget:
    near = difflib.get_close_matches(str(code), list(codes), n=3)
    hint = f"Did you mean {', '.join(near)}?" if near else "The column code of the frame lists those there are."
    return UnknownWidget(f"No widget {code!r} among these {len(codes)}. {hint}")
