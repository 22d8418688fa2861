from __future__ import annotations

import json
import threading
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import ScriptedServer, answer, answering, catalogue, listing, no_content, setting, widget
from tracebacks import shown

import amoexplore as amo
from amoexplore import errors
from amoexplore.columns import SETTINGS, WIDGETS
from amoexplore.transport import Errand

if TYPE_CHECKING:
    from amoexplore import Account, Catalog, Sandbox


def load(*pages: list[object], **options: Any) -> Catalog:
    """Load these pages over HTTP; values that can't be read raise no warning here."""
    always_next = options.pop("always_next", False)
    with catalogue(*pages, always_next=always_next) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.UnreadableValueWarning)
        return amo.load_catalog(server.account(), **options)


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    """Return the dtypes by their names."""
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def test_sandbox_is_loaded_whole(sandbox: Sandbox, account: Account) -> None:
    """Every widget and every setting of the sandbox is a row, once, in the order of the API."""
    catalog = amo.load_catalog(account)
    assert sandbox.size == len(catalog.widgets) == catalog.widgets["code"].nunique()
    assert catalog.widgets["settings_count"].sum() == len(catalog.settings) > sandbox.size / 2
    assert catalog.settings["is_required"].sum() == catalog.widgets["required_count"].sum() > 0
    assert catalog.widgets["code"].head(3).tolist() == ["amo_dropbox", "amo_mailchimp", "amo_asterisk"]


def test_report_counts(sandbox: Sandbox, account: Account) -> None:
    """The report says what the load took; limit 100 makes three pages of the 300 widgets, and no page beyond."""
    before = len(sandbox.requests)
    report = amo.load_catalog(account, limit=100).report
    assert (report.pages, report.requests, report.retries, report.waited) == (3, 4, 0, pytest.approx(0, abs=0.1))
    assert len(sandbox.requests) - before == 4
    assert (report.widgets, len(report.unreadable), len(report.repeated)) == (300, 0, 0)
    assert (report.unknown_fields, report.unknown_types) == ({}, {})
    assert report.seconds > 0


def test_load_widgets_and_load_settings(account: Account) -> None:
    """The two short names are the two frames of the long one."""
    catalog = amo.load_catalog(account)
    pd.testing.assert_frame_equal(catalog.widgets, amo.load_widgets(account))
    pd.testing.assert_frame_equal(catalog.settings, amo.load_settings(account))


def test_any_limit_gives_the_same_frames(account: Account) -> None:
    """How the catalogue is cut into pages shows nowhere in the frames."""
    whole = amo.load_catalog(account)
    small = amo.load_catalog(account, limit=7)
    pd.testing.assert_frame_equal(whole.widgets, small.widgets)
    pd.testing.assert_frame_equal(whole.settings, small.settings)


@pytest.mark.parametrize("pages", [[], [[]], [[widget()]], [[widget(rating=None, settings_template=[])]]])
def test_dtypes_are_the_same_for_every_catalogue(pages: list[list[object]]) -> None:
    """An empty catalogue, one without a value in a column, and a full one have the same columns and dtypes."""
    catalog = load(*pages)
    assert dtypes(catalog.widgets) == WIDGETS
    assert dtypes(catalog.settings) == SETTINGS


def test_one_widget_field_by_field() -> None:
    """Each field of a widget and of its settings stands in its column."""
    template = [setting(), setting(key="phones", name="Телефоны", type="users", is_required=False)]
    sent = widget(7, settings_template=template, client_uuid="u", is_active_in_account=True, pipeline_id=31)
    catalog = load([sent])
    assert catalog.widgets.iloc[0].to_dict() == {
        "id": 7,
        "code": "widget_7",
        "version": "1.0.0",
        "rating": 2.8,
        "is_lead_source": False,
        "is_work_with_dp": False,
        "is_crm_template": False,
        "is_active_in_account": True,
        "client_uuid": "u",
        "pipeline_id": 31,
        "settings_count": 2,
        "required_count": 1,
    }
    assert catalog.settings.to_numpy().tolist() == [
        [7, "widget_7", 0, "login", "Логин", "text", True],
        [7, "widget_7", 1, "phones", "Телефоны", "users", False],
    ]


@pytest.mark.parametrize(
    "body",
    [{"_embedded": []}, {"_embedded": {"widgets": None}}, {"_embedded": {"widgets": {}}}]
    + [listing([]) | {"_links": links} for links in ([], {"next": []}, {"next": {"href": None}}, {"next": None})],
)
def test_nothing_in_other_shapes(body: object) -> None:
    """PHP writes nothing in many ways; each is an empty catalogue."""
    with answering(answer(body)) as server:
        assert amo.load_widgets(server.account()).empty


@pytest.mark.parametrize("which", ["self", "next"])
def test_links_that_are_no_address(which: str) -> None:
    """A link that can't be read is told as such."""
    page: Any = listing([widget(1)], limit=1, more=True)
    page["_links"][which] = {"href": "http://["}
    with answering(answer(page)) as server, pytest.raises(errors.BadAnswer, match=r"is no address: 'http://\['"):
        amo.load_catalog(server.account(), limit=1)


RATINGS = [("2,8", 2.8), (2.8, 2.8), (3, 3.0), ("", None), (None, None), ("н/д", None), (..., None)]
FLAGS = [(True, True), (False, False), (0, False), (1, True), ("1", True), (None, None), (..., None), ("да", None)]
IDS = [(5, 5), ("5", 5), (None, None), (..., None), ("пять", None)]


@pytest.mark.parametrize("raw", RATINGS)
def test_rating_column(raw: tuple[object, float | None]) -> None:
    """Ratings of every kind stand side by side in one Float64 column."""
    column = load([widget(1, rating=raw[0]), widget(2, rating="3,4")]).widgets["rating"]
    assert [raw[1], 3.4] == [None if pd.isna(value) else value for value in column]


@pytest.mark.parametrize("raw", FLAGS)
@pytest.mark.parametrize("field", ["is_lead_source", "is_active_in_account"])
def test_flag_column(field: str, raw: tuple[object, bool | None]) -> None:
    """Flags of every kind stand side by side in one boolean column."""
    column = load([widget(1, **{field: raw[0]}), widget(2, **{field: True})]).widgets[field]
    assert [raw[1], True] == [None if pd.isna(value) else value for value in column]


@pytest.mark.parametrize("raw", IDS)
def test_pipeline_column(raw: tuple[object, int | None]) -> None:
    """Ids that may be missing stand in one Int64 column, also as digits in text."""
    column = load([widget(1, pipeline_id=raw[0]), widget(2, pipeline_id=2**62)]).widgets["pipeline_id"]
    assert [raw[1], 2**62] == [None if pd.isna(value) else value for value in column]


@pytest.mark.parametrize(
    ("template", "keys"),
    [
        ([setting(key="a"), setting(key="b")], ["a", "b"]),
        ({"a": setting(key=...), "b": setting(key="c")}, ["a", "c"]),
        (None, []),
        ("", []),
        ({}, []),
        (..., []),
    ],
)
def test_settings_template_shapes(template: object, keys: list[str]) -> None:
    """A settings_template is a list, or an object by key, or nothing; it never hides its widget."""
    catalog = load([widget(1, settings_template=template), widget(2)])
    assert keys == catalog.settings.loc[catalog.settings["code"] == "widget_1", "key"].tolist()
    assert len(catalog.widgets) == 2
    assert catalog.report.unreadable.empty


def test_unreadable_values_are_listed() -> None:
    """What can't be read is NA in the frame, and stands in the report with page, widget, field and raw text."""
    odd = widget(2, rating="н/д", is_crm_template=[1], pipeline_id={"a": 1}, settings_template=["x", setting(type=[])])
    report = load([widget(1), odd]).report
    assert {tuple(row) for row in report.unreadable.to_numpy()} == {
        (1, "widget_2", "rating", '"н/д"'),
        (1, "widget_2", "is_crm_template", "[1]"),
        (1, "widget_2", "pipeline_id", '{"a":1}'),
        (1, "widget_2", "settings_template", '"x"'),
        (1, "widget_2", "type", "[]"),
    }


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (None, "widget"),
        ("x", "widget"),
        (widget(id="x"), "id"),
        (widget(id=None), "id"),
        (widget(code=""), "code"),
        (widget(code=...), "code"),
        (widget(id=2**70), "id"),
        (widget(code=[]), "code"),
    ],
)
def test_entries_that_no_frame_can_hold_are_listed(entry: object, field: str) -> None:
    """A widget without an id or a code is no row, and is not lost: the report names it."""
    catalog = load([entry, widget(2), widget(3, id="3")])
    assert catalog.widgets["code"].tolist() == ["widget_2", "widget_3"]
    assert catalog.widgets["id"].tolist() == [2, 3]
    assert [field] == catalog.report.unreadable["field"].tolist()


@pytest.mark.parametrize(("field", "number"), [("rating", "1e999"), ("rating", "-1e999"), ("id", "7" * 5000)])
def test_numbers_beyond_all_are_listed(field: str, number: str) -> None:
    """A number that is too large to be one is a value that can't be read, and costs no other."""
    page = json.dumps(listing([widget(1), widget(2, **{field: "odd"})])).replace('"odd"', number)
    with answering(answer(page.encode())) as server, pytest.warns(errors.UnreadableValueWarning):
        catalog = amo.load_catalog(server.account())
    assert catalog.report.unreadable[["widget", "field"]].to_numpy().tolist() == [["widget_2", field]]
    assert catalog.report.unreadable["raw"][0].strip('"…') in number
    assert len(catalog.widgets) == (1 if field == "id" else 2)


def test_unreadable_values_warn_once() -> None:
    """One load, one warning, which names the first values and where all of them are."""
    page = [widget(number, rating="?") for number in range(1, 9)]
    with catalogue(page) as server, pytest.warns(errors.UnreadableValueWarning) as warned:
        amo.load_catalog(server.account())
    assert [warning.filename for warning in warned] == [__file__]
    assert str(warned[0].message) == (
        'Not readable, now NA: rating of widget_1 = "?"; rating of widget_2 = "?"; rating of widget_3 = "?" and 5 '
        "more. catalog.report.unreadable lists them all."
    )


def test_on_bad_raise() -> None:
    """With on_bad="raise" the first value that can't be read stops the load, named."""
    with pytest.raises(errors.UnreadableValue, match=r'rating of widget widget_2 on page 2 can\'t be read: "н/д"'):
        load([widget(1)], [widget(2, rating="н/д")], limit=1, on_bad="raise")


def test_on_bad_takes_two_words(account: Account) -> None:
    """A misspelled option is an error before anything is sent."""
    with pytest.raises(ValueError, match="'coerce' or 'raise'"):
        amo.load_catalog(account, on_bad="ignore")  # type: ignore[arg-type]


def test_unknown_fields_and_types_are_listed() -> None:
    """A field or a type that the API's page does not name changes nothing and stands in the report."""
    odd = widget(2, settings_template=[setting(hint="?", type="textarea")], description="new")
    page = listing([widget(1), odd]) | {"_total_items": 2}
    with answering(answer(page)) as server:
        catalog = amo.load_catalog(server.account())
    assert catalog.report.unknown_fields == {"page._total_items": 1, "widget.description": 1, "setting.hint": 1}
    assert catalog.report.unknown_types == {"textarea": 1}
    assert catalog.widgets["code"].tolist() == ["widget_1", "widget_2"]
    assert catalog.settings["type"].tolist() == ["text", "textarea"]


def test_unknown_types_take_no_longer() -> None:
    """A page with a type that nobody knows, as each page of an account may have, is decoded as fast as any."""
    with catalogue([widget(1, settings_template=[setting(type="textarea")])]) as server:
        assert server.account().fetch_page(lambda: 1, 250, Errand()).is_plain


@pytest.mark.parametrize("where", ["list", "other key", "nested", "deep"])
def test_settings_values_in_odd_places(where: str) -> None:
    """Wherever an odd answer has values of settings, no error, warning or report shows them."""
    secret = {"settings": {"password": "canary-secret"}}
    deep = "[" * 100_000 + '"canary-secret"'
    body = {
        "list": {"_embedded": {"elements": [secret]}},
        "other key": {"_embedded": {"widgets": 5}, **secret},
        "nested": listing([[secret]]),
        "deep": listing([widget(1, settings=deep, novelty=1)]),
    }[where]
    texts = []
    with answering(answer(body)) as server, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            report = amo.load_catalog(server.account()).report
            pages = server.account().widgets_page()
            texts += [repr(pages), report.unreadable.to_csv(), *(str(warning.message) for warning in warned)]
        except errors.BadAnswer as error:
            texts.append(shown(error))
    assert texts
    assert "canary-secret" not in "".join(texts)


def test_settings_values_are_dropped() -> None:
    """Values of settings, which hold passwords, come neither into a frame nor into the report."""
    odd = widget(1, settings={"password": "canary-secret"}, novelty=1)
    catalog = load([odd, None])
    texts = [catalog, catalog.report, catalog.report.unreadable.to_csv(), catalog.widgets.to_csv()]
    assert "canary-secret" not in "".join(map(str, texts))


@pytest.mark.parametrize(
    ("pages", "always_next", "requests"),
    [
        ([[widget(1), widget(2)], [widget(3)]], False, 2),  # no next
        ([[widget(1), widget(2)], [widget(3)]], True, 2),  # a short page
        ([[widget(1), widget(2)], [widget(3), widget(4)]], False, 3),  # no next, but a full page: 204
        ([[widget(1), widget(2)], [widget(3), widget(4)]], True, 3),  # 204
        ([[widget(1), widget(2)], [widget(3), widget(4)], []], True, 3),  # an empty list
        ([], False, 1),  # 204 at once
        ([[]], False, 1),  # an empty list at once
    ],
)
def test_end_of_the_pages(pages: list[list[object]], always_next: bool, requests: int) -> None:  # noqa: FBT001
    """204, no next, an empty list and a short page each end the catalogue, and nothing is asked for beyond."""
    catalog = load(*pages, always_next=always_next, limit=2)
    assert sum(map(len, pages)) == len(catalog.widgets)
    assert requests == catalog.report.requests


def test_a_smaller_page_than_asked_for_is_not_short() -> None:
    """Where the API grants a smaller limit than was asked for, and says so in its link, its pages are still full."""

    def script(request: Any) -> bytes:
        numbers = range(request.page * 2 - 1, min(request.page * 2, 5) + 1)
        return answer(listing([widget(n) for n in numbers], page=request.page, limit=2, more=request.page < 3))

    with ScriptedServer(script) as server:
        assert len(amo.load_widgets(server.account(), limit=250)) == 5


@pytest.mark.parametrize("link", [{"href": "/api/v4/widgets"}, {"href": "/api/v4/widgets?limit=" + "9" * 5000}, None])
def test_a_page_that_does_not_tell_its_size_is_not_short(link: object) -> None:
    """Where the API does not say how much it grants, only what it says of a next page counts."""

    def script(request: Any) -> bytes:
        page: Any = listing([widget(request.page)], page=request.page, more=request.page < 4)
        return answer(page | {"_links": {**page["_links"], "self": link}})

    with ScriptedServer(script) as server:
        assert len(amo.load_widgets(server.account())) == 4


@pytest.mark.parametrize("again", [[widget(1), widget(2)], [widget(1), None], [widget(1), widget(2, id="x")]])
def test_pages_that_never_end(again: list[object]) -> None:
    """The same widgets again, with a next page promised, is an error that names the page."""

    def script(request: Any) -> bytes:
        return answer(listing(again, page=request.page, limit=2, more=True))

    with (
        ScriptedServer(script) as server,
        pytest.raises(errors.RepeatedPage, match="Page 2 brings no widget that is new"),
    ):
        amo.load_catalog(server.account(), limit=2)


def test_a_last_page_may_bring_nothing_new() -> None:
    """One widget came while a catalogue of full pages was read, and pushed its last one onto a page of its own."""
    catalog = load([widget(1), widget(2)], [widget(3), widget(4)], [widget(4)], always_next=True, limit=2)
    assert (len(catalog.widgets), catalog.report.repeated["code"].tolist()) == (4, ["widget_4"])


@pytest.mark.parametrize("always_next", [False, True])
def test_a_page_of_which_nothing_can_be_read_ends_nothing(*, always_next: bool) -> None:
    """What stands behind a page whose widgets can't be read is loaded, and these are listed."""
    odd = [widget(2, id=None), widget(3, code=None)]
    catalog = load([widget(1), widget(4)], odd, [widget(5), widget(6)], [widget(7)], always_next=always_next, limit=2)
    assert catalog.widgets["id"].tolist() == [1, 4, 5, 6, 7]
    assert catalog.report.unreadable["field"].tolist() == ["id", "code"]


@pytest.mark.parametrize("more", [False, True])
def test_nothing_readable_for_ever(*, more: bool) -> None:
    """Full pages of which nothing can be read are asked for ten times in a row, and no more; the load is not whole."""

    def script(request: Any) -> bytes:
        return answer(listing([None, None], page=request.page, limit=2, more=more))

    with (
        ScriptedServer(script) as server,
        pytest.raises(errors.RepeatedPage, match="Page 10 brings no widget that is new"),
    ):
        amo.load_catalog(server.account(), limit=2)


def test_a_widget_on_two_pages_is_kept_once() -> None:
    """A catalogue that grew between two pages shows a widget twice: one row, and a line in the report."""
    catalog = load([widget(1), widget(2)], [widget(2, rating="5"), widget(3)], [widget(3)], limit=2)
    assert catalog.widgets["code"].tolist() == ["widget_1", "widget_2", "widget_3"]
    assert catalog.widgets["rating"][1] == 2.8
    assert catalog.report.repeated.to_numpy().tolist() == [["widget_2", 2, 1, 2], ["widget_3", 3, 2, 3]]
    assert len(catalog.settings) == 3


def test_next_on_another_host() -> None:
    """A next link to another host is an error: the token goes nowhere else."""
    page = listing([widget(1)], limit=1)
    page["_links"]["next"] = {"href": "https://evil.example/api/v4/widgets?page=2"}  # type: ignore[index]
    with answering(answer(page)) as server:
        with pytest.raises(errors.Redirected, match=r"names a next page at evil\.example"):
            amo.load_catalog(server.account(), limit=1)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"_embedded": 1}',
        b'{"_embedded": {"widgets": 7}}',
        b"\xff\xfe",
        b'{"_embedded": {"widgets": [{}',
        b'{"_embedded": {"widgets": []}, "_links": 5}',
        b"[" * 100000,
    ],
)
def test_answers_that_are_no_catalogue(body: bytes) -> None:
    """Broken JSON, and JSON of another shape, is an error that says so: never an empty frame."""
    with answering(answer(body)) as server, pytest.raises(errors.BadAnswer, match=r"the JSON is"):
        amo.load_catalog(server.account())


@pytest.mark.parametrize("broken", [b"\\x", b"\xff", b"\\ud800"])
def test_broken_text_in_a_template(broken: bytes) -> None:
    """Broken text in a template is broken JSON as anywhere else in a page: asked for again, then an error."""
    page = answer(json.dumps(listing([widget(1), widget(2)])).encode().replace(b'"login"', b'"%b"' % broken, 1))
    with answering(page, answer(listing([widget(1)]))) as server:
        assert amo.load_catalog(server.account()).report.requests == 2
    with answering(page) as server, pytest.raises(errors.BadAnswer, match=r"the JSON is broken"):
        amo.load_catalog(server.account())


def test_templates_that_are_the_same() -> None:
    """Each widget has the settings of its template, also where others have the same one, none, or an empty one."""
    fields = [setting(key="login"), setting(key="pass", type="pass", is_required=False)]
    templates = [fields, [], None, fields, ..., [setting(key="pass")], fields, []]
    pages = [
        [widget(10 * page + n, settings_template=template) for n, template in enumerate(templates)] for page in (1, 2)
    ]
    catalog = load(*pages, limit=8)
    assert catalog.widgets["settings_count"].tolist() == [2, 0, 0, 2, 0, 1, 2, 0] * 2
    assert catalog.widgets["required_count"].tolist() == [1, 0, 0, 1, 0, 1, 1, 0] * 2
    owners = [10, 10, 13, 13, 15, 16, 16]
    assert catalog.settings["widget_id"].tolist() == owners + [owner + 10 for owner in owners]
    assert catalog.settings["key"].tolist() == ["login", "pass", "login", "pass", "pass", "login", "pass"] * 2
    assert catalog.settings["position"].tolist() == [0, 1, 0, 1, 0, 0, 1] * 2
    assert (catalog.report.settings, len(catalog.settings)) == (14, 14)


def test_a_web_page_instead_of_json() -> None:
    """HTML with status 200 is named as what it is."""
    page = answer(b"\n<!DOCTYPE html><title>Login</title>", content_type="text/html")
    with answering(page) as server, pytest.raises(errors.BadAnswer, match="a web page came where JSON was expected"):
        amo.load_catalog(server.account())


def test_a_failure_in_the_middle_is_an_exception() -> None:
    """A load that breaks off gives no half of a catalogue."""

    def script(request: Any) -> bytes:
        return answer(listing([widget(1)], limit=1, more=True)) if request.page == 1 else answer({}, 500)

    with ScriptedServer(script) as server, pytest.raises(errors.ServerError):
        amo.load_catalog(server.account(), limit=1)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
odd_settings = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("key", "name", "type", "is_required", "other"), json_values)
)
odd_widgets = st.fixed_dictionaries(
    {},
    optional={name: json_values for name in widget() if name != "settings_template"}
    | {"settings_template": json_values | st.lists(odd_settings, max_size=3), "other": json_values},
)


@pytest.mark.parametrize("limit", [1, 2, 9])
def test_frames_can_be_changed(limit: int) -> None:
    """An analyst may write into any column, however many pages it came in."""
    found = [widget(n) for n in range(4)]
    with catalogue(*(found[at : at + limit] for at in range(0, 4, limit))) as server:
        catalog = amo.load_catalog(server.account(), limit=limit)
    for frame in (catalog.widgets, catalog.settings):
        for name, dtype in frame.dtypes.items():
            value = {"str": "another", "Float64": 0.5, "boolean": True}.get(str(dtype), 77)
            frame.loc[0, str(name)] = value
            assert frame.loc[0, str(name)] == value


@given(st.lists(st.lists(odd_widgets | json_values, max_size=5), max_size=3))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_nothing_crashes_and_nothing_is_lost(pages: list[list[Any]]) -> None:
    """Whatever stands in the list: each entry is a row, or a repeated widget, or in the report; dtypes stay."""
    body = listing([entry for page in pages for entry in page])
    with answering(answer(body), no_content()) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.UnreadableValueWarning)
        catalog = amo.load_catalog(server.account())
    report = catalog.report
    left_out = report.unreadable["field"].isin(["widget", "id", "code"]).sum()
    assert sum(map(len, pages)) == len(catalog.widgets) + len(report.repeated) + left_out
    assert (dtypes(catalog.widgets), dtypes(catalog.settings)) == (WIDGETS, SETTINGS)


@given(st.integers(0, 23), st.integers(1, 9))
@settings(max_examples=40, derandomize=True)
def test_every_size_and_limit(size: int, limit: int) -> None:
    """Any number of widgets in pages of any size comes whole and in order, and the first short page ends it."""
    numbers = list(range(1, size + 1))
    pages = [[widget(n) for n in numbers[start : start + limit]] for start in range(0, size, limit)]
    catalog = load(*pages, limit=limit)
    assert numbers == catalog.widgets["id"].tolist()
    assert size // limit + 1 == catalog.report.requests


def test_long_loads_show_progress(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar is shown once patience has run out, at once if asked for, and never if not wanted."""

    def slow(request: Any) -> bytes:
        threading.Event().wait(0.15)
        if request.page > 3:
            return no_content()
        return answer(listing([widget(request.page)], page=request.page, limit=1, more=request.page < 3))

    shown = []
    for patience, progress in [(60.0, None), (0.1, None), (60.0, True), (0.1, False)]:
        monkeypatch.setattr("amoexplore.load.PATIENCE", patience)
        with ScriptedServer(slow) as server:
            amo.load_catalog(server.account(), limit=1, progress=progress)
        shown.append("widgets" in capsys.readouterr().err)
    assert shown == [False, True, True, False]


def test_displays(account: Account) -> None:
    """Catalog and report say in a line or a table what they are, in text and in HTML."""
    catalog = amo.load_catalog(account)
    assert "<Catalog of sandbox on this machine: 300 widgets, " in repr(catalog)
    assert "<td" in catalog._repr_html_()
    assert "Load report\n  account            sandbox on this machine\n  pages              2" in repr(catalog.report)
    assert "unknown fields" in catalog.report._repr_html_()


def test_displays_are_escaped() -> None:
    """A name that looks like HTML stays a name."""
    report = load([widget(1, **{"<script>": 1})]).report
    assert "widget.&lt;script&gt; × 1" in report._repr_html_()
