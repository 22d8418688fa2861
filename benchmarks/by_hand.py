"""The catalogue as an analyst loads it by hand: a loop, and pandas. Imports nothing else, as his script does.

Usage: python by_hand.py URL FILE.csv
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pandas as pd
import requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FLAGS = ["is_lead_source", "is_work_with_dp", "is_crm_template", "is_active_in_account"]


def fetched(url: str, nap: float = 0.0) -> Iterator[bytes]:
    """Yield the pages of an account one after the other, with a nap after each."""
    session = requests.Session()
    session.headers["Authorization"] = "Bearer benchmark"
    page = 1
    while True:
        response = session.get(f"{url}/api/v4/widgets", params={"page": page, "limit": 250}, timeout=30)
        response.raise_for_status()
        if response.status_code == 204:  # noqa: PLR2004
            return
        yield response.content
        # What follows an address in its query is no more than the head of a page.
        if b'"next":' not in response.content[:500]:
            return
        page += 1
        time.sleep(nap)


def untyped(bodies: Iterable[bytes]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load pages as the shortest loop does it: json_normalize twice, concat."""
    widgets, settings = _normalized(bodies)
    return pd.concat(widgets, ignore_index=True), pd.concat(settings, ignore_index=True)


def typed(bodies: Iterable[bytes]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load pages as the careful loop does it: ratings parsed, settings counted, each column with its dtype."""
    widgets, settings = _normalized(bodies)
    return (
        _typed_widgets(pd.concat(widgets, ignore_index=True)),
        _typed_settings(pd.concat(settings, ignore_index=True)),
    )


def _normalized(bodies: Iterable[bytes]) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    widgets, settings = [], []
    for body in bodies:
        records = json.loads(body)["_embedded"]["widgets"]
        widgets.append(pd.json_normalize(records))
        settings.append(_settings(records))
    return widgets, settings


def typed_records(records: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make typed frames of records that somebody else has decoded, all at once."""
    return _typed_widgets(pd.DataFrame(records)), _typed_settings(_settings(records))


def widgets_only(bodies: Iterable[bytes]) -> pd.DataFrame:
    """Load the table of widgets, careful too, for who wants no other."""
    pages = [pd.json_normalize(json.loads(body)["_embedded"]["widgets"]) for body in bodies]
    return _typed_widgets(pd.concat(pages, ignore_index=True))


def _settings(records: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.json_normalize(records, "settings_template", ["id", "code"], meta_prefix="widget_")


def _typed_widgets(frame: pd.DataFrame) -> pd.DataFrame:
    frame["rating"] = frame["rating"].apply(_rating).astype("Float64")
    frame["settings_count"] = frame["settings_template"].apply(len)
    frame["required_count"] = frame["settings_template"].apply(lambda fields: sum(f["is_required"] for f in fields))
    dtypes = {"id": "int64", "code": "str", "version": "str", "client_uuid": "str", "pipeline_id": "Int64"}
    dtypes |= dict.fromkeys(FLAGS, "boolean")
    return frame[[*dtypes, "rating", "settings_count", "required_count"]].astype(dtypes)


def _typed_settings(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.rename(columns={"widget_code": "code"})
    frame["position"] = frame.groupby("widget_id").cumcount()
    dtypes = {"widget_id": "int64", "code": "str", "key": "str", "name": "str", "type": "str"}
    return frame.astype(dtypes | {"is_required": "boolean"})


def _rating(value: Any) -> float | None:
    """Read "2,8"."""
    return None if value is None or value == "" else float(str(value).replace(",", "."))


if __name__ == "__main__":
    widgets_only(fetched(sys.argv[1])).to_csv(sys.argv[2], index=False, encoding="utf-8-sig")
