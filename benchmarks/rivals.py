"""The other ways from pages to the two tables: polars, dlt, and the floor, below which no loader gets.

All give the same values, which `demand_same` compares; each in what its users go on with.
"""

from __future__ import annotations

import os
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
from msgspec import Struct

from benchmarks import by_hand

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    #: Widgets and settings, as frames of pandas or of polars, or as Arrow tables.
    Tables = tuple[Any, Any]


def demand_same(ours: Tables, theirs: Tables) -> None:
    """Demand that two ways say the same of every widget and every setting.

    Raises
    ------
    ValueError
        If they differ: who does less work is no rival.
    """
    for mine, other in zip(ours, theirs, strict=True):
        schema = pa.Schema.from_pandas(mine, preserve_index=False).remove_metadata()
        if not _table(mine, schema).equals(_table(other, schema)):
            raise ValueError(f"Not the same values: {mine.describe(include='all')} {other}")


def _table(frame: Any, schema: pa.Schema) -> pa.Table:
    if isinstance(frame, pd.DataFrame):
        return pa.Table.from_pandas(frame[schema.names], schema, preserve_index=False)
    table = frame if isinstance(frame, pa.Table) else frame.to_arrow()
    return table.select(schema.names).cast(schema)


class _Setting(Struct, gc=False):
    key: str
    name: str
    type: str
    is_required: bool


class _Widget(Struct, gc=False):
    id: int
    code: str
    version: str | None
    rating: str | float | None
    settings_template: list[_Setting]
    is_lead_source: bool | None
    is_work_with_dp: bool | None
    is_crm_template: bool | None
    is_active_in_account: bool | None
    client_uuid: str | None
    pipeline_id: int | None


class _Embedded(Struct):
    widgets: list[_Widget]


class _Page(Struct, rename={"embedded": "_embedded"}):
    embedded: _Embedded


_decoder = msgspec.json.Decoder(_Page)
_widget_fields = attrgetter(*(field for field in _Widget.__struct_fields__ if field != "settings_template"))
_setting_fields = attrgetter(*_Setting.__struct_fields__)
_WIDGETS = pa.schema(
    {
        "id": pa.int64(),
        "code": pa.large_string(),
        "version": pa.large_string(),
        "rating": pa.float64(),
        **dict.fromkeys(by_hand.FLAGS, pa.bool_()),
        "client_uuid": pa.large_string(),
        "pipeline_id": pa.int64(),
        "settings_count": pa.int64(),
        "required_count": pa.int64(),
    }
)
_SETTINGS = pa.schema(
    {
        "key": pa.large_string(),
        "name": pa.large_string(),
        "type": pa.large_string(),
        "is_required": pa.bool_(),
        "widget_id": pa.int64(),
        "code": pa.large_string(),
        "position": pa.int64(),
    }
)


def floor(bodies: Iterable[bytes]) -> Tables:
    """Load what is known to be without fault into Arrow: structs, columns page by page, one batch a page."""
    batches = [_batches(_decoder.decode(body).embedded.widgets) for body in bodies]
    widgets, settings = zip(*batches, strict=True)
    return pa.Table.from_batches(widgets, _WIDGETS), pa.Table.from_batches(settings, _SETTINGS)


def _batches(widgets: list[_Widget]) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    templates = [widget.settings_template for widget in widgets]
    fields = list(chain.from_iterable(templates))
    ident, code, version, rating, *others = zip(*map(_widget_fields, widgets), strict=True)
    lengths = np.fromiter(map(len, templates), np.int64, len(templates))
    owners = np.repeat(np.arange(len(widgets)), lengths)
    ids, codes = pa.array(ident, pa.int64()), pa.array(code, pa.large_string())
    known = {value: _rating(value) for value in set(rating)}
    columns = [ids, codes, version, [known[value] for value in rating], *others, lengths]
    parts = list(zip(*map(_setting_fields, fields), strict=True)) if fields else [(), (), (), ()]
    required = np.bincount(owners, parts[-1], len(widgets)).astype(np.int64)
    positions = np.arange(len(fields)) - np.repeat(lengths.cumsum() - lengths, lengths)
    taken = pa.array(owners)
    settings = [*parts, ids.take(taken), codes.take(taken), positions]
    return _batch([*columns, required], _WIDGETS), _batch(settings, _SETTINGS)


def _rating(value: str | float | None) -> float | None:
    return (float(value.replace(",", ".")) if value else None) if isinstance(value, str) else value


def _batch(columns: list[Any], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)


def by_polars(bodies: Iterable[bytes]) -> Tables:
    """Load with polars, which reads each page on all cores."""
    import polars as pl  # noqa: PLC0415  only in the benchmarks' own environment

    widgets, settings = zip(*(_polars_page(body) for body in bodies), strict=True)
    return pl.concat(widgets), pl.concat(settings)


def _polars_page(body: bytes) -> tuple[pl.DataFrame, pl.DataFrame]:
    import polars as pl  # noqa: PLC0415

    fields = pl.col("settings_template")
    page = pl.read_json(body, schema=_polars_schema())
    widgets = page.select(pl.col("_embedded").struct.field("widgets").explode()).unnest("widgets")
    settings = (
        widgets.filter(fields.list.len() > 0)
        .select(pl.col("id").alias("widget_id"), "code", fields, position=pl.int_ranges(fields.list.len()))
        .explode("settings_template", "position")
        .unnest("settings_template")
    )
    return widgets.select(
        pl.exclude("rating", "settings_template"),
        rating=pl.col("rating").str.replace(",", ".", literal=True).cast(pl.Float64, strict=False),
        settings_count=fields.list.len(),
        required_count=fields.list.eval(pl.element().struct.field("is_required")).list.sum(),
    ), settings


@cache
def _polars_schema() -> pl.Schema:
    import polars as pl  # noqa: PLC0415

    setting = dict.fromkeys(("key", "name", "type"), pl.String) | {"is_required": pl.Boolean}
    widget = {
        "id": pl.Int64,
        **dict.fromkeys(("code", "version", "rating"), pl.String),
        "settings_template": pl.List(pl.Struct(setting)),
        **dict.fromkeys(by_hand.FLAGS, pl.Boolean),
        "client_uuid": pl.String,
        "pipeline_id": pl.Int64,
    }
    return pl.Schema({"_embedded": pl.Struct({"widgets": pl.List(pl.Struct(widget))})})


def by_dlt(url: str) -> Tables:
    """Load with dlt's rest_api, and make typed frames of its records, all at once."""
    # Nothing of a benchmark is told to anybody.
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    from dlt.sources.rest_api import rest_api_resources  # noqa: PLC0415

    widgets = {
        "name": "widgets",
        "endpoint": {"path": "/api/v4/widgets", "params": {"limit": 250}, "data_selector": "_embedded.widgets"},
    }
    client = {
        "base_url": url,
        "auth": {"type": "bearer", "token": "benchmark"},
        "paginator": {"type": "json_link", "next_url_path": "_links.next.href"},
    }
    (resource,) = rest_api_resources({"client": client, "resources": [widgets]})
    return by_hand.typed_records(list(resource))
