"""Frames with the schemas of a catalogue, made of a few words, and any such frames for property tests."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from hypothesis import strategies as st

from amoexplore.columns import SETTINGS, WIDGETS

FLAGS = ["is_lead_source", "is_work_with_dp", "is_crm_template", "is_active_in_account"]


class Tables(NamedTuple):
    """A catalogue, as far as comparisons want to know."""

    widgets: pd.DataFrame
    settings: pd.DataFrame


def widgets(*rows: dict[str, object]) -> pd.DataFrame:
    """Return a frame of widgets; what a row leaves out is plain."""
    plain = {"version": "1.0.0", "rating": 2.8, **dict.fromkeys(FLAGS, False), "settings_count": 0, "required_count": 0}
    made = [{"id": number, "code": f"widget_{number}", **plain, **row} for number, row in enumerate(rows)]
    return pd.DataFrame(made, columns=list(WIDGETS)).astype(WIDGETS)


def settings(*rows: dict[str, object]) -> pd.DataFrame:
    """Return a frame of settings; what a row leaves out is plain."""
    plain = {"widget_id": 0, "code": "widget_0", "key": "login", "name": "Логин", "type": "text", "is_required": True}
    made = [{**plain, "position": number, **row} for number, row in enumerate(rows)]
    return pd.DataFrame(made, columns=list(SETTINGS)).astype(SETTINGS)


ratings = st.none() | st.sampled_from([0.3, 2.8, 3.4, 5.0])
versions = st.none() | st.sampled_from(["1.9", "1.10", "1.10.0", "2", "0.0.1", "v3", "бета", ""])
flags = st.none() | st.booleans()
codes = st.sampled_from(["a", "b", "c", "d", "e", "f"])
widget_rows = st.fixed_dictionaries(
    {
        "code": codes,
        "id": st.integers(1, 3),
        "version": versions,
        "rating": ratings,
        **dict.fromkeys(FLAGS, flags),
        "client_uuid": st.none() | st.just("u"),
        "pipeline_id": st.none() | st.integers(1, 2),
        "settings_count": st.integers(0, 3),
    }
)
setting_rows = st.fixed_dictionaries(
    {
        "code": codes,
        "key": st.sampled_from(["login", "password", "телефоны"]),
        "name": st.none() | st.sampled_from(["Логин", "Login"]),
        "type": st.none() | st.sampled_from(["text", "pass"]),
        "is_required": flags,
    }
)


@st.composite
def catalogues(draw: st.DrawFn) -> Tables:
    """Draw a catalogue: each code once, each key once in a widget, and no setting without its widget."""
    drawn = draw(st.lists(widget_rows, max_size=6, unique_by=lambda row: row["code"]))
    fields = draw(st.lists(setting_rows, max_size=8, unique_by=lambda row: (row["code"], row["key"])))
    there = {row["code"] for row in drawn}
    return Tables(widgets(*drawn), settings(*(row for row in fields if row["code"] in there)))


@st.composite
def odd_catalogues(draw: st.DrawFn) -> Tables:
    """Draw what no load gives: codes and keys that are missing or come again, settings of no widget."""
    drawn = draw(st.lists(widget_rows | st.just({"code": None}), max_size=6))
    fields = draw(
        st.lists(setting_rows | st.just({"code": None, "key": None}) | st.just({"code": "a", "key": None}), max_size=8)
    )
    return Tables(widgets(*drawn), settings(*fields))
