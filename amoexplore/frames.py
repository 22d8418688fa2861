"""Pages to the two DataFrames, and their schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import pyarrow as pa

from amoexplore.columns import PageReader, unknown_types
from amoexplore.seen import Seen

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


#: The Arrow schemas of both.
WIDGETS_SCHEMA, SETTINGS_SCHEMA = _schema(WIDGETS), _schema(SETTINGS)


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
    unknown, types : Counter
        Fields and types of settings that nobody knows.
    entries, requests, waited
        Entries of its list, requests and seconds of waiting that it took.
    """

    widgets: pa.RecordBatch
    settings: pa.RecordBatch
    unreadable: list[Unreadable]
    repeated: list[tuple[str, int, int, int]]
    unknown: Counter[str]
    types: Counter[str]
    entries: int
    requests: int
    waited: float


class Reader:
    """Makes of each page two Arrow batches, without the widgets that earlier ones had.

    The objects of a page are dropped at once: memory holds columns only.

    Parameters
    ----------
    parts : iterable of Part
        Pages that were read before, from the first on.
    """

    def __init__(self, parts: Iterable[Part] = ()) -> None:
        self._seen = Seen()
        for number, part in enumerate(parts, 1):
            self._seen.add(part.widgets["code"].to_pylist(), number)
        self._read: tuple[list[str], int] = [], 0

    def read(self, page: wire.Page) -> Part:
        """Return what becomes of a page, which is not taken in yet."""
        unreadable = list(page.unreadable)
        reader = PageReader(page, unreadable)
        repeated: list[tuple[str, int, int, int]] = []
        fresh = self._fresh(reader.identified(), page.number, repeated)
        self._read = [widget.code for widget in fresh], page.number
        widgets, settings = reader.columns(fresh)
        return Part(
            _batch(widgets, WIDGETS_SCHEMA),
            _batch(settings, SETTINGS_SCHEMA),
            unreadable,
            repeated,
            page.unknown,
            unknown_types(settings["type"]),
            page.count,
            page.requests,
            page.waited,
        )

    def keep(self, part: Part) -> None:  # noqa: ARG002  a reader that keeps rows needs it
        """Take in the page that was read last: what it has will not be new again."""
        self._seen.add(*self._read)

    def _fresh(
        self, widgets: list[wire.Widget], number: int, repeated: list[tuple[str, int, int, int]]
    ) -> list[wire.Widget]:
        codes = [widget.code for widget in widgets]
        first_pages = self._seen.first_pages(codes)
        if not first_pages and len(set(codes)) == len(codes):
            return widgets
        fresh: dict[str, wire.Widget] = {}
        for widget in widgets:
            if widget.code in first_pages or widget.code in fresh:
                repeated.append((widget.code, widget.id, first_pages.get(widget.code, number), number))
            else:
                fresh[widget.code] = widget
        return list(fresh.values())


class Frames(Reader):
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

    def __init__(self, parts: list[Part] | None = None) -> None:
        self.parts = [] if parts is None else parts
        super().__init__(self.parts)

    def keep(self, part: Part) -> None:
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


def frame_of(batches: list[pa.RecordBatch], schema: pa.Schema) -> pd.DataFrame:
    """Return Arrow batches as one DataFrame."""
    frame: pd.DataFrame = pa.Table.from_batches(batches, schema).to_pandas()
    return frame
