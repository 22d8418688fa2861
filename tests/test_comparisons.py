from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st
from scripted import catalogue, setting, widget
from tables import FLAGS, Tables, catalogues, odd_catalogues, settings, versions, widget_rows, widgets

import amoexplore as amo
from amoexplore import Account, Catalog, errors
from amoexplore.comparisons import CHANGES

if TYPE_CHECKING:
    from amoexplore import Sandbox

FEW = "ignore::amoexplore.errors.FewRatingsWarning"


@pytest.fixture(scope="module")
def some() -> pd.DataFrame:
    """Return seven widgets, of which six are rated."""
    return pd.DataFrame(
        {
            "code": pd.Series(["a", "b", "c", "amo_dropbox", "d", "e", "f"], dtype="str"),
            "rating": pd.Series([2.8, 2.8, None, 5, 3.4, 1, 5], dtype="Float64"),
            "version": pd.Series(["1", "2", "1", None, "1.9", "1.10", "бета"], dtype="str"),
        }
    )


@pytest.fixture(scope="module")
def fields() -> pd.DataFrame:
    """Return the settings of three of them."""
    return settings(
        {"code": "b", "key": "host", "is_required": False},
        {"code": "a"},
        {"code": "b", "key": "login", "type": "users", "is_required": None},
        {"code": "c", "key": "token"},
    )


def test_compare(some: pd.DataFrame) -> None:
    """One row a property, one column a widget in the order asked for, and what differs."""
    beside = amo.compare(some, ["b", "a"])
    assert beside.columns.tolist() == ["b", "a", "differs"]
    assert {name: row.tolist() for name, row in beside.iterrows()} == {
        "rating": [2.8, 2.8, False],
        "version": ["2", "1", True],
    }


def test_compare_missing_values(some: pd.DataFrame) -> None:
    """A missing value differs from one that is there, and not from another missing one."""
    assert amo.compare(some, ["a", "c"])["differs"].tolist() == [True, False]
    assert amo.compare(some, ["c", "c"])["differs"].tolist() == [False, False]


@pytest.mark.parametrize(("code", "hint"), [("amo_dropbx", "Did you mean amo_dropbox?"), ("zzz", "The column code")])
def test_compare_unknown(some: pd.DataFrame, code: str, hint: str) -> None:
    """A code that is not there is a LookupError that names what is spelled alike."""
    with pytest.raises(errors.UnknownWidget, match=f"No widget '{code}' among these 7. .*{hint}") as raised:
        amo.compare(some, ["a", code])
    assert isinstance(raised.value, LookupError)


def test_compare_one_text_is_not_a_list(some: pd.DataFrame) -> None:
    """A single code in place of a list is told as such, not letter by letter."""
    with pytest.raises(TypeError, match="A list of codes is wanted"):
        amo.compare(some, "amo_dropbox")


def test_compare_odd_codes() -> None:
    """Of a code that comes twice the first is taken; a widget without a code is nobody's near spelling."""
    odd = widgets({"code": "a", "rating": 1}, {"code": None}, {"code": "a"}, {}, {}, {})
    assert amo.compare(odd, ["a"]).loc["rating", "a"] == 1
    with pytest.raises(errors.UnknownWidget, match="Did you mean widget_3"):
        amo.compare(odd, ["widget_33"])


def test_compare_settings(some: pd.DataFrame, fields: pd.DataFrame) -> None:
    """A row a setting that one of the widgets has, in their order: its type, and whether it is required."""
    beside = amo.compare(some, ["a", "b"], fields)
    assert beside.index.tolist() == ["rating", "version", "setting login", "setting host"]
    assert beside.loc["setting login"].tolist() == ["text, required", "users", True]
    assert beside.loc["setting host"].tolist() == [pd.NA, "text, optional", True]
    assert not amo.compare(some, ["a", "a"], fields)["differs"].any()


def test_compare_without_any_settings(some: pd.DataFrame, fields: pd.DataFrame) -> None:
    """Widgets that demand nothing have no rows for it."""
    pd.testing.assert_frame_equal(amo.compare(some, ["d", "e"]), amo.compare(some, ["d", "e"], fields))


def test_compare_odd_settings(some: pd.DataFrame) -> None:
    """A key that comes twice is two rows; an unknown type and a missing key are told as such."""
    twice = settings({"code": "a"}, {"code": "a", "type": None}, {"code": "a", "key": None})
    assert amo.compare(some, ["a"], twice)["a"].iloc[2:].to_dict() == {
        "setting login": "text, required",
        "setting login (2)": "unknown type, required",
        "setting <NA>": "text, required",
    }


def test_compare_takes_a_catalogue(some: pd.DataFrame, fields: pd.DataFrame) -> None:
    """Whatever has the two frames is a catalogue; other settings can take the place of its own."""
    whole = Tables(some, fields)
    pd.testing.assert_frame_equal(amo.compare(some, ["a", "b"], fields), amo.compare(whole, ["a", "b"]))
    assert amo.compare(whole, ["a"], fields[:0]).index.tolist() == ["rating", "version"]
    with pytest.raises(TypeError, match=r"A catalogue or a frame of it is wanted, .* not list"):
        amo.compare(["a"], ["a"])  # type: ignore[arg-type]


def test_compare_on_the_catalogue(account: Account) -> None:
    """Two widgets of the API's page side by side, with the settings that the page shows."""
    catalog = amo.load_catalog(account)
    assert isinstance(catalog, Catalog)
    beside = amo.compare(catalog, ["amo_dropbox", "amo_mailchimp"])
    assert set(beside.index[beside["differs"]]) == {"id", "version", "rating", "setting conf", "setting api"}
    assert beside.loc["setting conf"].tolist() == ["custom, optional", pd.NA, True]


def test_rank(some: pd.DataFrame) -> None:
    """Best first, what is equal shares a rank and stays in its order, and what has no rating comes last without one."""
    ranked = amo.rank(some)
    assert ranked.columns.tolist() == ["rank", "code", "rating", "version"]
    assert ranked["code"].tolist() == ["amo_dropbox", "f", "d", "a", "b", "e", "c"]
    assert ranked["rank"].tolist() == [1, 1, 3, 4, 4, 6, pd.NA]
    assert ranked["rank"].dtype == "Int64"
    assert ranked.index.tolist() == [3, 6, 4, 0, 1, 5, 2]
    assert "rank" not in some


def test_rank_by_version(some: pd.DataFrame) -> None:
    """Versions order as versions: 1.10 is newer than 1.9; what is none comes last, without a rank."""
    ranked = amo.rank(some, by="version")
    assert ranked["version"].tolist()[:5] == ["2", "1.10", "1.9", "1", "1"]
    assert ranked["code"].tolist()[5:] == ["amo_dropbox", "f"]
    assert ranked["rank"].tolist() == [1, 2, 3, 4, 4, pd.NA, pd.NA]


def test_rank_breaks_ties(some: pd.DataFrame) -> None:
    """The next column decides among equals; a value that is missing there is the last of them, and still ranked."""
    ranked = amo.rank(some, by=["rating", "version"])
    assert ranked["code"].tolist() == ["amo_dropbox", "f", "d", "b", "a", "e", "c"]
    assert ranked["rank"].tolist() == [1, 1, 3, 4, 5, 6, pd.NA]


@pytest.mark.parametrize(
    ("column", "best_first"),
    [
        ("settings_count", [0, 2, 10]),
        ("required_count", [0, 2, 10]),
        ("is_lead_source", [True, False, pd.NA]),
        ("pipeline_id", [3, 20, pd.NA]),
        ("name", ["Альфа", "Бета", "Гамма"]),
        ("is_cheap", [True, False, False]),
    ],
)
def test_rank_directions(column: str, best_first: list[object]) -> None:
    """Fewer settings are better, a flag that is set is better, and of anything else there is less first."""
    made = pd.DataFrame({"code": ["a", "b", "c"], column: pd.Series(best_first[::-1]).convert_dtypes()})
    assert amo.rank(made, by=column)[column].tolist() == best_first


def test_rank_again(some: pd.DataFrame) -> None:
    """A ranked frame can be ranked anew, also by its rank."""
    ranked = amo.rank(some)
    pd.testing.assert_frame_equal(ranked, amo.rank(ranked))
    assert amo.rank(amo.rank(some, "code"), ["rank"])["code"].tolist() == sorted(some["code"])


@pytest.mark.parametrize(("by", "message"), [("ratings", "No column 'ratings'. Did you mean rating?"), ([], "no")])
def test_rank_unknown(some: pd.DataFrame, by: Any, message: str) -> None:
    """A column that is not there is told with those that are spelled alike; no column at all is told, too."""
    with pytest.raises(ValueError, match=message):
        amo.rank(some, by)
    with pytest.raises(ValueError, match=r"No column 'zzz'\. There are: code, rating, version"):
        amo.rank(some, "zzz")


def test_rank_on_the_catalogue(account: Account) -> None:
    """The sandbox's widgets, by rating and then by version: each pair of neighbours is in order."""
    ranked = amo.rank(amo.load_catalog(account), by=["rating", "version"])
    rated = ranked.dropna(subset="rating")
    keys = [
        (rating, [int(part) for part in version.split(".")])
        for rating, version in zip(rated["rating"], rated["version"], strict=True)
    ]
    assert keys == sorted(keys, reverse=True)
    assert ranked["rank"].isna().sum() == len(ranked) - len(rated) > 0


@pytest.mark.filterwarnings(FEW)
@given(st.lists(widget_rows, max_size=8), st.lists(st.sampled_from(["rating", "version", "code", *FLAGS]), min_size=1))
def test_rank_is_a_permutation(rows: list[dict[str, object]], by: list[str]) -> None:
    """Nothing is lost, added or changed; ranks are where their group begins, and those without one are last."""
    frame = widgets(*rows)
    ranked = amo.rank(frame, by)
    pd.testing.assert_frame_equal(frame, ranked[[*frame]].sort_index())
    assert list(ranked)[: 2 + len(set(by) - {"code"})] == list(dict.fromkeys(["rank", "code", *by]))
    numbers = ranked["rank"].dropna().tolist()
    assert ranked["rank"].isna().tolist() == [False] * len(numbers) + [True] * (len(frame) - len(numbers))
    assert all(
        rank in (place, before) for place, (rank, before) in enumerate(zip(numbers, [1, *numbers], strict=False), 1)
    )


@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=4), min_size=1))
def test_rank_orders_versions_as_versions(parts: list[list[int]]) -> None:
    """Numbers between dots are compared as numbers, and 1.0 is 1."""
    texts = [".".join(map(str, part)) for part in parts]
    ranked = amo.rank(pd.DataFrame({"version": texts}), by="version")
    padded = [tuple(map(int, f"{text}.0.0.0".split(".")))[:4] for text in ranked["version"]]
    assert padded == sorted(padded, reverse=True)
    assert ranked["rank"].tolist() == [padded.index(version) + 1 for version in padded]


@given(st.text() | versions)
def test_rank_reads_any_version(text: str | None) -> None:
    """No text that stands in place of a version stops a ranking."""
    ranked = amo.rank(pd.DataFrame({"version": [text, "1.0"]}), by="version")
    assert ranked["rank"].dropna().tolist() in ([1], [1, 1], [1, 2])


def test_rank_version_beyond_all_numbers() -> None:
    """A number with more digits than Python reads is no version."""
    assert amo.rank(pd.DataFrame({"version": ["9" * 5000, "1"]}), by="version")["rank"].tolist() == [1, pd.NA]


@pytest.mark.parametrize(
    ("rated", "message"),
    [
        (0, r"No ratings among 6 widgets: there is nothing to compare by them. \(Kommo has none"),
        (1, "Few ratings: 1 among 6 widgets. An order or a median of so few says little."),
        (4, "Few ratings: 4 among 6 widgets"),
    ],
)
def test_few_ratings(rated: int, message: str) -> None:
    """Each comparison by ratings warns, at the line that asked for it, if there are fewer than five."""
    frame = widgets(*({"rating": 2.8 if number < rated else None} for number in range(6)))
    for compared in (
        lambda: amo.compare(frame, ["widget_0", "widget_1"]),
        lambda: amo.rank(frame),
        lambda: amo.rank(frame, by=["version", "rating"]),
        lambda: amo.summary(frame, settings()),
        lambda: amo.summary(Tables(frame, settings())),
    ):
        with pytest.warns(errors.FewRatingsWarning, match=message) as warned:
            compared()
        assert [warning.filename for warning in warned] == [__file__]


@pytest.mark.parametrize("rating", [None, 2.8])
def test_few_ratings_of_one_widget(rating: float | None) -> None:
    """One widget is one widget."""
    with pytest.warns(errors.FewRatingsWarning, match="among 1 widget[:.]"):
        amo.rank(widgets({"rating": rating}))


@pytest.mark.parametrize("rated", [5, 6])
def test_enough_ratings(rated: int) -> None:
    """Five rated widgets raise no warning."""
    frame = widgets(*({"rating": 2.8 if number < rated else None} for number in range(6)))
    amo.compare(frame, ["widget_0"])
    amo.rank(frame)
    amo.summary(frame, settings())


def test_few_ratings_that_matter_not() -> None:
    """Where no rating is asked for, or there is no widget at all, there is nothing to warn of."""
    amo.rank(widgets({"rating": None}), by="version")
    amo.compare(widgets({"rating": None}).drop(columns="rating"), ["widget_0"])
    assert amo.rank(widgets()).empty
    assert amo.compare(widgets(), []).columns.tolist() == ["differs"]
    assert amo.summary(widgets(), settings()).counts.loc["widgets", "number"] == 0


def listed(changes: pd.DataFrame) -> list[list[object]]:
    """Return the rows, None for NA."""
    assert {name: str(dtype) for name, dtype in changes.dtypes.items()} == CHANGES
    assert changes.index.tolist() == list(range(len(changes)))
    return [[None if pd.isna(value) else value for value in row] for row in changes.to_numpy().tolist()]


def test_changes_of_widgets() -> None:
    """What came, in the order of after; what went, in the order of before; what has another value, field by field."""
    before = widgets({"code": "a"}, {"code": "b"}, {"code": "c"}, {"code": "d"})
    after = widgets({"code": "y"}, {"code": "d", "rating": None, "version": "2"}, {"code": "x"}, {"code": "b", "id": 7})
    assert listed(amo.changes(before, after)) == [
        ["added", "y", None, None, None, None],
        ["added", "x", None, None, None, None],
        ["removed", "a", None, None, None, None],
        ["removed", "c", None, None, None, None],
        ["changed", "d", None, "id", 3, 1],
        ["changed", "d", None, "version", "1.0.0", "2"],
        ["changed", "d", None, "rating", 2.8, None],
        ["changed", "b", None, "id", 1, 7],
    ]


def test_changes_of_settings() -> None:
    """A setting that became required is one change; one that was put in front of it is one, too."""
    before = settings({"key": "login", "is_required": False}, {"key": "host"})
    after = settings({"key": "token"}, {"key": "login", "widget_id": 7})
    assert listed(amo.changes(before, after)) == [
        ["added", "widget_0", "token", None, None, None],
        ["removed", "widget_0", "host", None, None, None],
        ["changed", "widget_0", "login", "is_required", False, True],
    ]
    assert [type(value) for value in amo.changes(before, after).loc[2, ["old", "new"]]] == [bool, bool]


def test_changes_of_catalogues() -> None:
    """Widgets first, then settings in place of their counts; a whole widget brings no rows for its settings."""
    before = Tables(
        widgets({"code": "a", "settings_count": 1}, {"code": "b", "settings_count": 1}),
        settings({"code": "a", "key": "login"}, {"code": "b", "key": "login"}),
    )
    after = Tables(
        widgets({"code": "c", "settings_count": 1}, {"code": "b", "rating": 5, "settings_count": 2}),
        settings({"code": "c", "key": "login"}, {"code": "b", "key": "api"}, {"code": "b", "key": "login"}),
    )
    assert listed(amo.changes(before, after)) == [
        ["added", "c", None, None, None, None],
        ["removed", "a", None, None, None, None],
        ["changed", "b", None, "rating", 2.8, 5.0],
        ["added", "b", "api", None, None, None],
    ]
    assert ["changed", "b", None, "settings_count", 1, 2] in listed(amo.changes(before.widgets, after.widgets))


def test_changes_of_what_comes_twice() -> None:
    """What comes twice is told apart by its occurrence, also if it has no code or no key."""
    twice = settings({"key": "a", "name": "x"}, {"key": "a", "name": "y"}, {"key": None, "name": "z"})
    again = settings({"key": "a", "name": "x"}, {"key": "a", "name": "Y"}, {"key": None, "name": "Z"}, {"key": None})
    assert listed(amo.changes(twice, again)) == [
        ["added", "widget_0", "", None, None, None],
        ["changed", "widget_0", "a", "name", "y", "Y"],
        ["changed", "widget_0", "", "name", "z", "Z"],
    ]
    nameless = widgets({"code": None, "id": 7}, {"code": None, "id": 8})
    assert listed(amo.changes(nameless, nameless.iloc[:1])) == [["removed", None, None, None, None, None]]


def test_changes_show_what_is_missing_as_na() -> None:
    """A value that is not there is NA, whatever its dtype has in its place."""
    before, after = widgets({"rating": None, "client_uuid": None}), widgets({"rating": 5, "client_uuid": "u"})
    found = [
        *amo.changes(before, after)["old"],
        *amo.changes(after, before)["new"],
        *amo.changes(before, after[:0])["old"],
    ]
    assert all(value is pd.NA for value in found)
    assert len(found) == 5


def test_changes_of_older_columns() -> None:
    """Frames with other columns, dtypes or indexes are compared by what both have."""
    frame = widgets({"pipeline_id": 7}, {"pipeline_id": None, "is_lead_source": True})
    older = frame.drop(columns=["client_uuid", "is_crm_template"]).astype({"pipeline_id": "float64", "code": "object"})
    assert listed(amo.changes(older.set_index(np.array([5, 5])), frame.assign(price=1))) == []


def test_changes_of_frames_that_share_no_column() -> None:
    """Frames with nothing to compare but what a row is known by tell what came and went."""
    codes, keys = widgets({"code": "a"}, {"code": "b"}), settings({"key": "x"}, {"key": "y"})
    assert listed(amo.changes(codes[["code"]], codes[1:])) == [["removed", "a", None, None, None, None]]
    assert listed(amo.changes(keys[["code", "key"]][1:], keys)) == [["added", "widget_0", "x", None, None, None]]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (widgets(), settings()),
        (Tables(widgets(), settings()), widgets()),
        (settings(), Tables(widgets(), settings())),
        (pd.DataFrame(), pd.DataFrame()),
        ("before", "after"),
    ],
)
def test_changes_of_different_things(before: Any, after: Any) -> None:
    """Two sides that are not of a kind, or of none, are told as such."""
    with pytest.raises(TypeError, match="two catalogues, two frames of widgets or two frames of settings"):
        amo.changes(before, after)


def test_changes_of_an_install(changing: Sandbox) -> None:
    """An install changes one flag of one widget of the sandbox."""
    changing.reset()
    account = Account(changing.url, changing.token)
    before = amo.load_catalog(account)
    account.install("amo_dropbox")
    after = amo.load_catalog(account)
    assert listed(amo.changes(before, after)) == [["changed", "amo_dropbox", None, "is_active_in_account", False, True]]


def test_changes_of_two_loads() -> None:
    """A field of the API that became required, and a rating written another way, which is none."""
    optional, required = setting(is_required=False), setting(is_required=True)
    with catalogue([widget(1, settings_template=[optional], rating="2,8"), widget(2)]) as server:
        before = amo.load_catalog(server.account())
    with catalogue([widget(1, settings_template=[setting(key="api"), required], rating=2.80), widget(2)]) as server:
        after = amo.load_catalog(server.account())
    assert listed(amo.changes(before, after)) == [
        ["added", "widget_1", "api", None, None, None],
        ["changed", "widget_1", "login", "is_required", False, True],
    ]


def state(tables: Tables) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return what ``changes`` compares of a catalogue: widgets by code, settings by code and key."""
    frames = {
        "code": tables.widgets.drop(columns=["settings_count", "required_count"]),
        "key": tables.settings.drop(columns=["widget_id", "position"]),
    }
    found = {}
    for last, frame in frames.items():
        for row in frame.astype("object").where(frame.notna(), None).to_dict("records"):
            found[row["code"], None if last == "code" else row["key"]] = row
    return found


@run(max_examples=50)
@given(catalogues(), catalogues())
def test_changes_lead_from_before_to_after(before: Tables, after: Tables) -> None:
    """The changes, applied to before, with what came as it is in after, give after."""
    now, wanted = state(before), state(after)
    for change, code, key, field, old, new in listed(amo.changes(before, after)):
        if change == "changed":
            assert now[code, key][field] == old != new
            now[code, key][field] = new
        elif key is not None:
            now.pop((code, key)) if change == "removed" else now.update({(code, key): wanted[code, key]})
        elif change == "removed":
            now = {known: row for known, row in now.items() if known[0] != code}
        else:
            now |= {known: row for known, row in wanted.items() if known[0] == code}
    assert now == wanted


@run(max_examples=50)
@given(odd_catalogues())
def test_changes_of_the_same(tables: Tables) -> None:
    """Nothing has changed between a thing and itself, whatever is missing or double in it."""
    for side in (tables, *tables):
        assert listed(amo.changes(side, side)) == []


@run(max_examples=50)
@given(odd_catalogues(), odd_catalogues())
def test_changes_are_mirrored(before: Tables, after: Tables) -> None:
    """The other way round what came went, what went came, and old and new change places."""
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    for one, other in zip((before, *before), (after, *after), strict=True):
        there, back = listed(amo.changes(one, other)), listed(amo.changes(other, one))
        mirrored = [[opposite[str(change)], *keys, new, old] for change, *keys, old, new in there]
        assert sorted(map(repr, back)) == sorted(map(repr, mirrored))


def test_nothing_is_written_to_what_is_compared(account: Account) -> None:
    """All comparisons leave the frames as they were."""
    catalog = amo.load_catalog(account)
    copies = catalog.widgets.copy(deep=True), catalog.settings.copy(deep=True)
    amo.compare(catalog, ["amo_dropbox"])
    amo.rank(catalog)
    amo.summary(catalog)
    amo.changes(catalog, catalog)
    pd.testing.assert_frame_equal(copies[0], catalog.widgets)
    pd.testing.assert_frame_equal(copies[1], catalog.settings)


def test_missing_times_are_equal() -> None:
    """A missing value equals a missing one in columns of any kind, also of times."""
    seen = pd.to_datetime(["2026-11-01", None])
    frame = widgets({"code": "a"}, {"code": "b"}).assign(seen=seen)
    assert amo.changes(frame, frame.copy()).empty


def test_missing_values_of_changes_are_all_alike() -> None:
    """What a change has no value for is NA, also where all others are texts."""
    before = widgets({"code": "a", "version": None})
    after = widgets({"code": "a", "version": "2"}, {"code": "b"})
    for found in (amo.changes(before, after), amo.changes(before, after.head(1))):
        assert all(value is pd.NA or value == "2" for value in [*found["old"], *found["new"]])
        assert found["old"].dtype == found["new"].dtype == "object"
