from __future__ import annotations

import dataclasses
import functools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as run
from tables import FLAGS, Tables, odd_catalogues, settings, widgets

import amoexplore as amo
from amoexplore import Account

FEW = "ignore::amoexplore.errors.FewRatingsWarning"
SMALL = Tables(
    widgets(
        {"rating": 1, "version": "1.9", "is_lead_source": True},
        {"rating": 2, "version": "1.10", "is_lead_source": True, "is_active_in_account": True},
        {"rating": 3, "version": "0.1"},
        {"rating": 5, "version": None},
        {"rating": 4, "version": "бета", "is_lead_source": None},
        {"rating": None, "version": "2"},
        {"rating": None, "version": "10.0", "is_lead_source": True},
        {"rating": 5, "version": ""},
    ),
    settings(
        {"code": "widget_0"},
        {"code": "widget_0", "key": "host", "is_required": None},
        {"code": "widget_1", "is_required": False},
        {"code": "widget_2", "type": "pass"},
        {"code": "widget_3", "type": None, "is_required": False},
        {"code": "elsewhere"},
    ),
)


def records(frame: pd.DataFrame) -> dict[str, list[object]]:
    """Return the rows by their labels, None for NA."""
    return {label: [None if pd.isna(v) else v for v in row] for label, *row in frame.itertuples(name=None)}


def test_summary_counts() -> None:
    """How many of which kind, and their share; settings of widgets that are not there do not count."""
    assert records(amo.summary(*SMALL).counts) == {
        "widgets": [8, None, None],
        "rated": [6, 0.75, "widgets"],
        "unrated": [2, 0.25, "widgets"],
        "installed": [1, 0.125, "widgets"],
        "without settings": [4, 0.5, "widgets"],
        "without required settings": [6, 0.75, "widgets"],
        "settings": [5, None, None],
        "required settings": [2, 0.4, "settings"],
    }


def test_summary_ratings() -> None:
    """The quartiles of 1, 2, 3, 4, 5, 5; what is not rated is not among them."""
    assert records(amo.summary(*SMALL).ratings) == {
        "lowest": [1],
        "lower quartile": [2.25],
        "median": [3.5],
        "upper quartile": [4.75],
        "highest": [5],
    }


def test_summary_flags() -> None:
    """Widgets with a flag, without and unknown; how many of them are rated, and the medians."""
    flags = records(amo.summary(*SMALL).flags)
    assert flags["is_lead_source"] == [3, 4, 1, 2, 3, 1.5, 5]
    assert flags["is_crm_template"] == [0, 8, 0, 0, 6, None, 3.5]
    assert list(flags) == FLAGS


def test_summary_setting_types() -> None:
    """A row a type, the commonest first; a setting that may be required or not counts as a field only."""
    assert records(amo.summary(*SMALL).setting_types) == {
        "text": [3, 1, 1, 2, 0.25],
        "pass": [1, 1, 0, 1, 0.125],
        "unknown": [1, 0, 1, 1, 0.125],
    }


def test_summary_versions() -> None:
    """Versions order as versions, by major version, the newest first; what is no version stands at the end."""
    spread = records(amo.summary(*SMALL).versions)
    assert list(spread) == ["10", "2", "1", "0", "unreadable", "missing"]
    assert spread == {
        "10": [1, "10.0", "10.0", 0, None],
        "2": [1, "2", "2", 0, None],
        "1": [2, "1.9", "1.10", 2, 1.5],
        "0": [1, "0.1", "0.1", 1, 3],
        "unreadable": [2, None, None, 2, 4.5],
        "missing": [1, None, None, 1, 5],
    }


def test_summary_is_printed() -> None:
    """Tables of text: shares as percentages, a dash for what is not there."""
    shown = repr(amo.summary(Tables(*SMALL)))
    assert shown.split("\n\n")[0].splitlines() == [
        "Counts",
        "                          number  share        of",
        "widgets                        8      –         –",
        "rated                          6  75.0%   widgets",
        "unrated                        2  25.0%   widgets",
        "installed                      1  12.5%   widgets",
        "without settings               4  50.0%   widgets",
        "without required settings      6  75.0%   widgets",
        "settings                       5      –         –",
        "required settings              2  40.0%  settings",
    ]
    assert [part.splitlines()[0] for part in shown.split("\n\n")[1:]] == [
        "Ratings",
        "Flags",
        "Types of settings",
        "Versions",
    ]


def test_summary_of_nothing_is_printed() -> None:
    """A table without a row says so."""
    assert repr(amo.summary(widgets(), settings())).endswith("Types of settings\nnone\n\nVersions\nnone")


def test_summary_is_escaped() -> None:
    """What a catalogue says is shown as text, never as HTML."""
    bold = settings({"type": "<b>text</b>"})
    shown = amo.summary(SMALL.widgets, bold)._repr_html_()
    assert "<b>" not in shown
    assert '<td style="text-align: left">&lt;b&gt;text&lt;/b&gt;</td>' in shown
    assert shown.count("<table>") == 5


@functools.cache
def usual() -> amo.Summary:
    """Return the summary of the catalogue above."""
    return amo.summary(*SMALL)


@pytest.mark.filterwarnings(FEW)
@run(max_examples=50)
@given(odd_catalogues())
def test_summary_has_the_same_dtypes_for_every_catalogue(tables: Tables) -> None:
    """Whatever is missing or double, the frames have the same columns and dtypes, and add up."""
    odd = amo.summary(*tables)
    for field in dataclasses.fields(odd):
        expected, actual = getattr(usual(), field.name), getattr(odd, field.name)
        pd.testing.assert_series_equal(expected.dtypes, actual.dtypes)
        assert expected.index.dtype == actual.index.dtype
        assert {str(dtype) for dtype in actual.dtypes} <= {"Int64", "Float64", "str"}
    total = len(tables.widgets)
    assert odd.versions["widgets"].sum() == total
    assert odd.flags[["with", "without", "unknown"]].sum(axis=1).tolist() == [total] * 4
    assert odd.setting_types["fields"].sum() == odd.counts.loc["settings", "number"]


def test_summary_of_the_sandbox(account: Account) -> None:
    """The summary of a load is what the load's own counts say."""
    catalog = amo.load_catalog(account)
    made = amo.summary(catalog)
    assert isinstance(made, amo.Summary)
    counts = made.counts["number"].to_dict()
    assert (counts["widgets"], counts["settings"]) == (catalog.report.widgets, catalog.report.settings)
    assert counts["without settings"] == (catalog.widgets["settings_count"] == 0).sum() > 0
    assert counts["required settings"] == catalog.widgets["required_count"].sum() > 0
    assert made.ratings.loc["median", "rating"] == catalog.widgets["rating"].median()
    assert set(made.setting_types.index) == {"text", "pass", "custom", "users", "users_lp"}


def test_summary_wants_both_frames() -> None:
    """A frame of widgets alone, and frames in the wrong place, are told as such."""
    with pytest.raises(TypeError, match=r"summary\(catalog.widgets, catalog.settings\)"):
        amo.summary(SMALL.widgets)
    with pytest.raises(ValueError, match="No column 'version'"):
        amo.summary(SMALL.settings, SMALL.widgets)
