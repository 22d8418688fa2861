from __future__ import annotations

import threading
import tracemalloc
from contextlib import ExitStack
from itertools import count
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from scripted import DROP, ScriptedServer, answer, listing, no_content, problem, widget
from tracebacks import shown

import amoexplore as amo
from amoexplore import Account, Sandbox, errors, lengths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clocks import Skipping
    from scripted import Request

SIZE, LIMIT = 2000, 5


@pytest.fixture(scope="module")
def large() -> Iterator[Sandbox]:
    """Return a sandbox of 400 pages."""
    with Sandbox(size=SIZE) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def calm(large: Sandbox) -> amo.Catalog:
    """Return its catalogue as it comes when nothing goes wrong."""
    return amo.load_catalog(Account(large.url, large.token), limit=LIMIT)


def same(one: amo.Catalog, other: amo.Catalog) -> None:
    """Demand that both have the same rows in the same order."""
    pd.testing.assert_frame_equal(one.widgets, other.widgets)
    pd.testing.assert_frame_equal(one.settings, other.settings)


def breaking(page: int, said: bytes, pages: int = 6) -> Callable[[Request], bytes]:
    """Return a script that answers with pages of one widget, but with this the first times one page is asked for."""
    times = iter(range(6))

    def script(request: Request) -> bytes:
        if request.page == page and next(times, None) is not None:
            return said
        if request.page > pages:
            return no_content()
        return answer(listing([widget(request.page)], page=request.page, limit=1, more=request.page < pages))

    return script


STORM: list[tuple[str, dict[str, Any]]] = [
    ("too_many_requests", {"every": 61, "shape": "html"}),
    ("bad_gateway", {"every": 29}),
    ("internal_server_error", {"every": 37}),
    ("gateway_timeout", {"every": 83}),
    ("html_page", {"every": 43}),
    ("truncated_json", {"every": 31}),
    ("cut_body", {"every": 41, "ending": "reset"}),
    ("reset", {"every": 23}),
    ("hang_up", {"every": 47}),
    ("lost_answer", {"every": 53}),
    ("always_next", {}),
]


def test_storm(large: Sandbox, calm: amo.Catalog) -> None:
    """A load of 400 pages through a storm is, row by row, the calm one, and the report counts what it took."""
    before = len(large.requests)
    with ExitStack() as storm:
        active = [storm.enter_context(getattr(large.faults, name)(**options)) for name, options in STORM]
        stormy = amo.load_catalog(Account(large.url, large.token), limit=LIMIT)
    same(stormy, calm)
    assert all(fault.hits for fault in active)
    assert stormy.report.pages == 400
    assert stormy.report.requests == len(large.requests) - before
    assert stormy.report.retries == sum(fault.hits for fault in active[:-1]) > 50
    assert stormy.report.waited > 20
    assert stormy.report.repeated.empty


def test_storm_that_breaks_off(large: Sandbox, calm: amo.Catalog) -> None:
    """However often a load breaks off, it goes on without asking for what it has, and ends as the calm one."""
    account = Account(large.url, large.token)
    before = len(large.requests)
    error: errors.AmoError | None = None
    breaks = 0
    with large.faults.payment_required(every=60):
        while True:
            try:
                catalog = amo.load_catalog(account, limit=LIMIT, resume=error)
                break
            except errors.PaymentRequired as again:
                error, breaks = again, breaks + 1
    same(catalog, calm)
    sent = large.requests[before:]
    answered = [request.target for request in sent if request.status == 200]
    assert breaks == 6
    assert len(answered) == len(set(answered)) == 400
    assert (catalog.report.requests, catalog.report.retries) == (len(sent), breaks)


@pytest.mark.parametrize("said", [problem(500), problem(401), DROP, answer(b"<html>"), problem(429)])
def test_the_error_says_how_far_it_came(said: bytes) -> None:
    """Whatever ends a load, its error says how many pages and widgets had come, and how to go on."""
    with ScriptedServer(breaking(4, said)) as server:
        account = server.account()
        with pytest.raises(errors.AmoError) as raised:
            amo.load_catalog(account, limit=1)
        assert str(raised.value).endswith(
            "3 pages with 3 widgets had come: amo.load_catalog(account, resume=error) goes on from page 4."
        )
        progress = raised.value.progress
        assert (progress.pages, progress.widgets, repr(progress)) == (3, 3, "<Progress: 3 widgets of 3 pages>")
        with ScriptedServer(breaking(0, b"")) as other, pytest.raises(ValueError, match="can't go on at"):
            amo.load_catalog(other.account(), limit=1, resume=progress)
        while True:
            try:
                catalog = amo.load_catalog(account, resume=progress)
                break
            except errors.AmoError as again:
                progress = again.progress
        assert catalog.widgets["id"].tolist() == [1, 2, 3, 4, 5, 6]
        assert [request.page for request in server.requests] == [1, 2, 3, *[4] * 7, 5, 6, 7]
        assert (catalog.report.requests, catalog.report.retries) == (13, 6)


@pytest.mark.parametrize("known", [False, True])
def test_waits_before_a_break_are_reported(clock: Skipping, *, known: bool) -> None:
    """What was waited for a page that did not come in the end is part of the report, wherever it was asked for."""
    with ScriptedServer(breaking(3, problem(429, retry_after=1))) as server:
        account = server.account()
        if known:  # several pages are asked for at once
            lengths.remember(account, 1, 6)
        with pytest.raises(errors.TooManyRequests) as raised:
            amo.load_catalog(account, limit=1)
        report = amo.load_catalog(account, resume=raised.value).report
    assert report.retries == 6
    assert 5 <= report.waited <= sum(clock.waits)


def test_one_page_is_one() -> None:
    """What had come is told in the singular where it is one."""
    with ScriptedServer(breaking(2, problem(402))) as server, pytest.raises(errors.PaymentRequired) as raised:
        amo.load_catalog(server.account(), limit=1)
    assert " 1 page with 1 widget had come: " in str(raised.value)
    assert repr(raised.value.progress) == "<Progress: 1 widget of 1 page>"


def test_ctrl_c(interrupt: Callable[[], None]) -> None:
    """Ctrl-C ends a load at once, leaves no thread behind, says how to go on, and loses no page."""
    plain = breaking(0, b"")
    interrupted: list[int] = []

    def script(request: Request) -> bytes:
        if request.page == 4 and not interrupted:
            interrupted.append(4)
            interrupt()
        return plain(request)

    with ScriptedServer(script) as server:
        account = server.account()
        threads = {thread for thread in threading.enumerate() if "process_request" not in thread.name}
        with pytest.raises(KeyboardInterrupt) as raised:
            amo.load_catalog(account, limit=1, progress=True)
        assert {thread for thread in threading.enumerate() if "process_request" not in thread.name} <= threads
        assert raised.value.__notes__ == [
            "3 pages with 3 widgets had come: amo.load_catalog(account, resume=sys.last_value) goes on from page 4."
        ]
        catalog = amo.load_catalog(account, resume=raised.value)
    assert catalog.widgets["id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert [request.page for request in server.requests] == [1, 2, 3, 4, 4, 5, 6, 7]
    assert (catalog.report.pages, catalog.report.requests, catalog.report.retries) == (6, 8, 1)


def test_ctrl_c_behind_what_was_the_end(interrupt: Callable[[], None]) -> None:
    """A Ctrl-C that comes while nobody wants the next page any more is raised all the same, with all that had come."""
    interrupts = iter([True])

    def script(request: Request) -> bytes:
        if request.page == 3 and next(interrupts, False):
            interrupt()
        # A full page that brings nothing new, and names no next one, is the end.
        return answer(listing([widget(1)], page=request.page, limit=1, more=request.page < 2))

    with ScriptedServer(script) as server:
        with pytest.raises(KeyboardInterrupt) as raised:
            amo.load_catalog(server.account(), limit=1)
        assert raised.value.progress.pages == 2  # type: ignore[attr-defined]
        catalog = amo.load_catalog(server.account(), resume=raised.value)
    assert catalog.widgets["id"].tolist() == [1]


@pytest.mark.parametrize("crash", [KeyboardInterrupt, MemoryError, OSError])
@pytest.mark.parametrize(
    ("where", "nth"),
    [
        ("parts.Reader.read", 3),
        ("parts.Reader._part", 3),
        ("frames.in_arrow", 1),
        ("frames.in_arrow", 2),
        ("frames.in_arrow", 4),
    ],
)
def test_interrupts_between_pages(
    where: str, nth: int, crash: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a page is interrupted, it is there whole or not at all."""
    monkeypatch.setattr("amoexplore.frames._TOGETHER", 2)
    where = f"amoexplore.{where}"
    act, times = resolve_name(where), count(1)

    def breaks(*given: Any) -> Any:
        done = act(*given)
        if next(times) == nth:
            raise crash
        return done

    with ScriptedServer(breaking(0, b"")) as server:
        account = server.account()
        with monkeypatch.context() as patch:
            patch.setattr(where, breaks)
            with pytest.raises(crash) as raised:
                amo.load_catalog(account, limit=1)
        catalog = amo.load_catalog(account, resume=raised.value)
    assert catalog.widgets["id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert catalog.report.repeated.empty


def test_widgets_that_come_again_after_a_break() -> None:
    """A widget that had come before the break and comes again behind it is kept once, and told."""
    pages = {1: [widget(1), widget(2)], 2: [widget(2), widget(3)], 3: []}
    times = iter(range(1))

    def script(request: Request) -> bytes:
        if request.page == 2 and next(times, None) is not None:
            return problem(402)
        return answer(listing(pages[request.page], page=request.page, limit=2, more=request.page < 2))

    with ScriptedServer(script) as server:
        with pytest.raises(errors.PaymentRequired) as raised:
            amo.load_catalog(server.account(), limit=2)
        catalog = amo.load_catalog(server.account(), resume=raised.value)
    assert catalog.widgets["id"].tolist() == [1, 2, 3]
    assert catalog.report.repeated.to_numpy().tolist() == [["widget_2", 2, 1, 2]]


def test_many_pages_before_a_break() -> None:
    """However many pages had come, each is known for the one it is."""
    pages = {number: [widget(number)] for number in range(1, 26)} | {24: [widget(7), widget(24)], 25: []}
    times = iter(range(1))

    def script(request: Request) -> bytes:
        if request.page == 23 and next(times, None) is not None:
            return problem(402)
        return answer(listing(pages[request.page], page=request.page, limit=1))

    with ScriptedServer(script) as server:
        with pytest.raises(errors.PaymentRequired, match="22 pages with 22 widgets had come") as raised:
            amo.load_catalog(server.account(), limit=1)
        catalog = amo.load_catalog(server.account(), resume=raised.value)
    assert catalog.widgets["id"].tolist() == [*range(1, 25)]
    assert catalog.report.repeated.to_numpy().tolist() == [["widget_7", 7, 7, 24]]
    assert (catalog.report.pages, catalog.report.requests, catalog.report.retries) == (24, 26, 1)


def test_a_value_that_stopped_a_load() -> None:
    """What on_bad="raise" stopped at is taken with on_bad="coerce", from the page on that has it."""

    def script(request: Request) -> bytes:
        rating = "?" if request.page == 2 else "5"
        entries = [widget(request.page, rating=rating)] if request.page < 4 else []
        return answer(listing(entries, page=request.page, limit=1))

    with ScriptedServer(script) as server:
        with pytest.raises(errors.UnreadableValue) as raised:
            amo.load_catalog(server.account(), limit=1, on_bad="raise")
        with pytest.warns(errors.UnreadableValueWarning):
            catalog = amo.load_catalog(server.account(), resume=raised.value)
    assert catalog.widgets["rating"].fillna(0).tolist() == [5, 0, 5]
    assert [request.page for request in server.requests] == [1, 2, 3, 2, 3, 4]  # one is asked for ahead


def test_what_can_not_be_gone_on_from(account: Account) -> None:
    """An error without progress, and pages of another size, are told before anything is sent."""
    with pytest.raises(TypeError, match="resume is the error that broke a load off, or its progress, not OSError"):
        amo.load_catalog(account, resume=OSError("no"))
    with ScriptedServer(breaking(2, problem(402))) as server:
        with pytest.raises(errors.PaymentRequired) as raised:
            amo.load_catalog(server.account(), limit=1)
        with pytest.raises(ValueError, match="was in pages of 1: it can't go on in pages of 7"):
            amo.load_catalog(server.account(), limit=7, resume=raised.value)


@pytest.mark.parametrize(
    ("account", "options", "kind"),
    [
        (None, {"limit": 7}, ValueError),
        (None, {"on_bad": "ignore"}, ValueError),
        ("no account", {}, TypeError),
        (Account("http://127.0.0.1:9", "other"), {}, ValueError),
    ],
)
def test_a_mistake_loses_no_page(account: Any, options: dict[str, Any], kind: type[Exception]) -> None:
    """An error by which a load does not even go on carries what had come, and says so: sys.last_value is that one."""
    with ScriptedServer(breaking(3, problem(402))) as server:
        with pytest.raises(errors.PaymentRequired) as broken:
            amo.load_catalog(server.account(), limit=1)
        with pytest.raises(kind) as mistaken:
            amo.load_catalog(account or server.account(), resume=broken.value, **options)
    assert mistaken.value.progress is broken.value.progress  # type: ignore[attr-defined]
    assert mistaken.value.__notes__ == [
        "2 pages with 2 widgets had come: amo.load_catalog(account, resume=sys.last_value) goes on from page 3."
    ]


def test_progress_shows_no_token(large: Sandbox) -> None:
    """What a load leaves behind has no token in it, however deep one looks."""
    with large.faults.payment_required(after=3), pytest.raises(errors.PaymentRequired) as raised:
        amo.load_catalog(Account(large.url, large.token), limit=LIMIT)
    assert large.token not in f"{shown(raised.value)} {vars(raised.value.progress)}"


def test_memory_stays_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a load holds does not grow with the number of faults: at its peak no more than a calm one, and a little."""
    monkeypatch.setattr("amoexplore.sandbox.journal._KEPT", 10)  # in this process, too, and twice as long with faults
    peaks = []
    with Sandbox(size=SIZE) as sandbox:
        amo.load_catalog(Account(sandbox.url, sandbox.token), limit=50)  # what is imported and made once
        for every in (10**6, 2):
            with sandbox.faults.reset(every=every):
                tracemalloc.start()
                amo.load_catalog(Account(sandbox.url, sandbox.token), limit=50)
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
