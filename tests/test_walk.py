from __future__ import annotations

import os
import socket
import sys
import threading
import time
import warnings
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import DROP, SILENCE, ScriptedServer, answer, answering, listing, no_content, problem, widget

import amoexplore as amo
from amoexplore import Account, Sandbox, errors, pacer, walk
from amoexplore.pacer import Clock
from amoexplore.sandbox import Limits
from amoexplore.transport import Errand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scripted import Request

    from amoexplore.wire import Page

HTML = answer(b"<html><h1>nginx</h1></html>", 403, "text/html")


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Have so many pages asked for at once, however fast the server is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "_at_once", lambda *_: number)
        yield


@pytest.fixture
def at_once() -> Iterator[None]:
    """Have eight pages asked for at once."""
    with threads(8):
        yield


def left_behind() -> set[str]:
    """Return the names of threads that ask for pages."""
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("page ")}


def pages_of(server: ScriptedServer) -> list[int]:
    """Return the pages that were asked for."""
    return [request.page for request in server.requests]


def paged(size: int, limit: int, **odd: Any) -> Callable[[Request], bytes]:
    """Return a script for a catalogue of so many widgets; ``said`` is said the first time ``at`` is asked for."""
    times = iter(range(odd.get("times", 1)))
    lock = threading.Lock()

    def script(request: Request) -> bytes:
        with lock:
            if request.page == odd.get("at") and next(times, None) is not None:
                said: bytes = odd["said"]
                return said
        numbers = range(size)[(request.page - 1) * limit : request.page * limit]
        more = request.page * limit < size if odd.get("tells", True) else odd.get("always", False)
        found = [widget(n + 1) for n in numbers]
        return answer(listing(found, page=request.page, limit=limit, more=more)) if found else no_content()

    return script


def loaded(server: ScriptedServer | Sandbox, limit: int) -> amo.Catalog:
    """Load, and go on where it breaks off, connected anew as a blocked account asks for."""
    resume: errors.AmoError | None = None
    for _ in range(9):
        account = Account(server.url, getattr(server, "token", "canary-token-7f3a"))
        try:
            return amo.load_catalog(account, limit=limit, resume=resume)
        except errors.AmoError as error:
            resume = error
    raise AssertionError(resume)


@given(
    st.integers(0, 40),
    st.integers(1, 9),
    st.integers(2, 9),
    st.sampled_from([b"", DROP, problem(500), problem(429), problem(402), answer(b"{"), HTML]),
    st.integers(1, 12),
    st.sampled_from([{}, {"tells": False}, {"tells": False, "always": True}]),
    st.integers(0, 12),
)
@settings(max_examples=60, derandomize=True)
def test_any_catalogue_at_once(  # noqa: PLR0913, PLR0917  what may differ
    size: int, limit: int, number: int, said: bytes, at: int, links: dict[str, bool], known: int
) -> None:
    """Whatever the size, the limit, the threads, the links, a fault and what is remembered: all widgets, in order."""
    with (
        ScriptedServer(paged(size, limit, at=at if said else 0, said=said, **links)) as server,
        threads(number),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(walk.lengths, "known", lambda *_: known)
        catalog = loaded(server, limit)
    assert catalog.widgets["id"].tolist() == list(range(1, size + 1))
    assert catalog.report.repeated.empty
    assert catalog.report.requests >= len(server.requests)  # one that is called off may not have arrived
    assert not left_behind()


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("size", "pages"), [(0, [1]), (9, [1]), (10, [1, 2])])
def test_no_request_is_wasted_on_one_page(size: int, pages: list[int]) -> None:
    """A catalogue of one page takes one request, and a full one that names no next page one more."""
    with ScriptedServer(paged(size, 10)) as server:
        for _ in range(2):  # the second time its length is known
            server.requests.clear()
            amo.load_catalog(server.account(), limit=10)
            assert sorted(pages_of(server)) == pages


@pytest.mark.usefixtures("at_once")
def test_page_1_goes_alone() -> None:
    """Nothing else is asked for before page 1 has come, where nobody knows how many there are."""
    seen: list[int] = []
    plain = paged(100, 10)

    def script(request: Request) -> bytes:
        if request.page == 1:
            threading.Event().wait(0.1)
            seen.append(len(server.requests))
        return plain(request)

    with ScriptedServer(script) as server:
        amo.load_catalog(server.account(), limit=10)
    assert seen == [1]


@pytest.mark.usefixtures("at_once")
def test_a_catalogue_of_unknown_length_is_asked_for_more_and_more() -> None:
    """Behind page 1 sixteen pages are asked for at first, and two more for each that comes: most lists are short."""
    pages, answered, lock, sixteen = paged(90, 1), [], threading.Lock(), threading.Event()
    farthest = []

    def script(request: Request) -> bytes:
        with lock:
            farthest.append((request.page, 17 + 2 * len(answered)))
        if len(farthest) > 16:
            sixteen.set()
        if request.page > 1:
            sixteen.wait()
            with lock:
                answered.append(request.page)
        return pages(request)

    with threads(32), ScriptedServer(script) as server:
        assert len(loaded(server, 1).widgets) == 90
    assert [page for page, most in farthest if page > most] == []


def test_a_known_length() -> None:
    """The second load asks for all pages at once, each one once; where pages have come or gone it is whole as well."""
    sizes = iter([55, 55, 32, 78])
    script = paged(0, 10)
    with ScriptedServer(lambda request: script(request)) as server:  # noqa: PLW0108  it is another one each time
        for size in sizes:
            script = paged(size, 10)
            server.settle()
            server.requests.clear()
            catalog = amo.load_catalog(server.account(), limit=10)
            assert len(catalog.widgets) == size
            if catalog.report.pages == 6 and size == 55:
                asked = sorted(pages_of(server))
    assert asked == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("at_once")
def test_a_known_length_of_full_pages() -> None:
    """Nothing is asked for behind a full page that was the last one before, unless the links no longer tell."""
    asked = []
    script = paged(0, 10)
    with ScriptedServer(lambda request: script(request)) as server:  # noqa: PLW0108  it is another one each time
        for size, tells in [(50, True), (50, True), (73, False)]:
            script = paged(size, 10, tells=tells)
            server.settle()
            server.requests.clear()
            assert len(amo.load_catalog(server.account(), limit=10).widgets) == size
            asked.append(sorted(pages_of(server)))
    assert 6 in asked[0]
    assert asked[1] == [1, 2, 3, 4, 5]


def test_lengths_are_told_apart_and_may_be_broken(account: Account) -> None:
    """What is remembered is an account's and a limit's; what can't be read is nothing, and shows no token."""
    walk.lengths.remember(account, 250, 7)
    assert [walk.lengths.known(account, limit) for limit in (250, 50)] == [7, 0]
    (path,) = Path(os.environ["AMOEXPLORE_STATE"]).glob("pages/*")
    assert str(account.token._text) not in f"{path} {path.read_text()}"
    for content in (b"", b"x", b"\xff", b"-3"):
        path.write_bytes(content)
        assert walk.lengths.known(account, 250) == 0


@pytest.mark.usefixtures("at_once")
def test_nothing_is_sent_after_the_end() -> None:
    """Once the last page has come nothing is asked for any more, and what is on its way is not waited for."""
    plain = paged(25, 10)

    def script(request: Request) -> bytes:
        return plain(request) if request.page <= 3 else SILENCE

    with ScriptedServer(script) as server:
        catalog = amo.load_catalog(server.account(), limit=10)
        assert len(catalog.widgets) == 25
        assert not left_behind()
        threading.Event().wait(0.1)
        # What is called off may arrive late, or never; what is sent is counted.
        assert len(server.requests) <= catalog.report.requests <= 3 + 8


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("said", [problem(402), answer(b"<html>"), problem(500)])
def test_a_failure_calls_the_rest_off(said: bytes) -> None:
    """What fails for good ends the load with all that came before it, and nothing is left on its way."""
    plain = paged(100, 5, at=4, said=said, times=9)

    def script(request: Request) -> bytes:
        return plain(request) if request.page <= 4 else SILENCE

    with ScriptedServer(script) as server:
        with pytest.raises(errors.AmoError) as raised:
            amo.load_catalog(server.account(), limit=5)
        assert not left_behind()
    assert (raised.value.progress.pages, raised.value.progress.widgets) == (3, 15)


@pytest.mark.usefixtures("at_once")
def test_ctrl_c_calls_everything_off(interrupt: Callable[[], None]) -> None:
    """Ctrl-C ends requests that are under way at once, and what came in order can be gone on from."""
    plain = paged(100, 5)
    interrupts = iter([True])

    def script(request: Request) -> bytes:
        if request.page == 4 and next(interrupts, False):
            threading.Event().wait(0.2)  # the pages before it are taken meanwhile
            interrupt()
            return SILENCE
        return plain(request)

    with ScriptedServer(script) as server:
        with pytest.raises(KeyboardInterrupt) as raised:
            amo.load_catalog(server.account(), limit=5)
        assert not left_behind()
        assert raised.value.progress.pages == 3  # type: ignore[attr-defined]
        catalog = amo.load_catalog(server.account(), resume=raised.value)
    assert catalog.widgets["id"].tolist() == list(range(1, 101))
    assert catalog.report.requests >= len(server.requests)


@pytest.mark.usefixtures("at_once")
def test_ctrl_c_does_not_wait_for_each_thread(interrupt: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that are never made hold Ctrl-C back for as long as one of them may, not one after the other."""
    monkeypatch.setattr(walk, "_PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as stack:
        for _ in range(2):  # it takes no more than these
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(full.getsockname())
        account = Account(f"http://127.0.0.1:{full.getsockname()[1]}", "canary-token-7f3a", timeout=2)
        walk.lengths.remember(account, 250, 40)
        interrupted: list[float] = []

        def interrupts() -> None:
            interrupted.append(time.monotonic())
            interrupt()

        timer = threading.Timer(0.2, interrupts)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            amo.load_catalog(account)
        assert time.monotonic() - interrupted[0] < 4 * 0.2
        timer.join()
        for thread in threading.enumerate():
            if thread.name.startswith("page "):
                thread.join()


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("module", ["queue", "amoexplore.walk"])
def test_ctrl_c_leaves_no_lock_held(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C leaves no lock held for which the end of a load, or the next one, would wait for ever."""
    let_go = threading.Condition.__exit__

    def breaks(condition: threading.Condition, *raised: Any) -> None:
        # Python looks for signals as it enters this function, which is not one of C.
        if sys._getframe(1).f_globals["__name__"] == module and threading.current_thread() is loading:
            raise KeyboardInterrupt
        let_go(condition, *raised)

    def load() -> None:
        for _ in range(2):
            with suppress(KeyboardInterrupt):
                amo.load_catalog(account, limit=5)

    with ScriptedServer(paged(20, 5)) as server:
        account = server.account()
        account.widgets_page()  # there is a connection from now on
        loading = threading.Thread(target=load, name="loading", daemon=True)
        monkeypatch.setattr(threading.Condition, "__exit__", breaks)
        loading.start()
        loading.join(10)
        assert not loading.is_alive()


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("where", ["Condition.notify_all", "Event.set"])
def test_ctrl_c_at_the_end_leaves_no_thread_waiting(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the rest is called off leaves no thread that waits for ever to be told."""
    kind, _, name = where.partition(".")
    act, left = getattr(getattr(threading, kind), name), iter([True])

    def breaks(self: Any) -> None:
        if threading.get_ident() == threading.main_thread().ident and next(left, False):
            raise KeyboardInterrupt
        act(self)

    with ScriptedServer(paged(10_000, 5)) as server:
        with pytest.raises(KeyboardInterrupt), walk.Walk(server.account(), 5) as pages:
            next(iter(pages))
            asking = [thread for thread in threading.enumerate() if thread.name.startswith("page ")]
            monkeypatch.setattr(getattr(threading, kind), name, breaks)
        assert len(asking) == 8
        for thread in asking:
            thread.join(10)
        assert not left_behind()


@pytest.mark.usefixtures("at_once")
def test_a_blocked_account_stops_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that one page meets ends the load at once, whatever the others wait for."""
    monkeypatch.setattr(pacer, "clock", Clock())
    plain = paged(100, 5)

    def script(request: Request) -> bytes:
        if request.page == 2:
            return problem(429, retry_after=60)
        return HTML if request.page == 6 else plain(request)

    with ScriptedServer(script) as server, warnings.catch_warnings():
        with pytest.raises(errors.Blocked) as raised:
            amo.load_catalog(Account(server.url, "canary-token-7f3a", pace=None), limit=5)
        assert not left_behind()
    assert raised.value.progress.pages == 1


@pytest.mark.usefixtures("at_once")
def test_a_page_that_waits_holds_the_others_back() -> None:
    """No more than twice as many pages as threads are held while one keeps them waiting."""
    go = threading.Event()
    plain = paged(200, 5)

    def script(request: Request) -> bytes:
        if request.page == 3:
            go.wait(0.5)
        return plain(request)

    farthest = []

    def watch() -> None:
        threading.Event().wait(0.3)
        farthest.append(max(pages_of(server)))
        go.set()

    with ScriptedServer(script) as server:
        watcher = threading.Thread(target=watch)
        watcher.start()
        catalog = amo.load_catalog(server.account(), limit=5)
        watcher.join()
    assert farthest[0] <= 2 + 16
    assert len(catalog.widgets) == 200


def test_slow_servers_are_asked_for_more_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the round trip of page 1: ten pages of a slow server take much less than ten of its round trips."""
    monkeypatch.setattr(pacer, "clock", Clock())
    with Sandbox(size=95) as sandbox, sandbox.faults.latency(seconds=0.2):
        report = amo.load_catalog(Account(sandbox.url, sandbox.token), limit=10).report
    assert (report.pages, report.widgets) == (10, 95)
    assert report.seconds < 1.2


@pytest.mark.usefixtures("at_once")
def test_called_off_is_no_retry() -> None:
    """What was asked for ahead and not wanted is a request of the report, and no retry: only what failed is one."""
    failing = iter([problem(500), DROP])
    plain = paged(14, 5)
    beyond = threading.Event()

    def script(request: Request) -> bytes:
        if request.page > 3:
            beyond.set()
        if request.page == 3:
            beyond.wait(30)
        return (request.page == 2 and next(failing, None)) or plain(request)

    with ScriptedServer(script) as server:
        report = amo.load_catalog(server.account(), limit=5).report
    assert (report.pages, report.retries) == (3, 2)
    assert report.requests > 3 + 2


def test_fast_servers_are_asked_one_by_one(account: Account, sandbox: Sandbox) -> None:
    """Where a round trip is shorter than what threads cost, there are none, and no request too many."""
    before = len(sandbox.requests)
    assert amo.load_catalog(account, limit=40).report.requests == 8
    assert len(sandbox.requests) - before == 8


@pytest.mark.parametrize("spaced", [False, True])
def test_under_a_limit(monkeypatch: pytest.MonkeyPatch, *, spaced: bool) -> None:
    """At 7 a second a load draws no 429 where bursts are allowed; elsewhere seven at most, and none the next time."""
    monkeypatch.setattr(pacer, "clock", Clock())
    with Sandbox(size=95, rate=Limits(rate=7, spaced=spaced)) as sandbox, sandbox.faults.latency(seconds=0.1):
        refused = []
        for _ in range(2):
            before = len(sandbox.requests)
            assert amo.load_catalog(Account(sandbox.url, sandbox.token, pace=7), limit=10).report.widgets == 95
            refused.append([request.status for request in sandbox.requests[before:]].count(429))
    assert refused[0] <= (7 if spaced else 0)
    assert refused[1] == 0


def test_requests_of_a_paced_load_leave_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is drawn once there is a permit, so that under a pace none is asked for before the one ahead of it."""
    monkeypatch.setattr(pacer, "clock", Clock())
    with threads(7), ScriptedServer(paged(95, 10)) as server:
        amo.load_catalog(Account(server.url, "canary-token-7f3a", pace=100), limit=10)
    moved = [abs(place - page) for place, page in enumerate(pages_of(server), 1)]
    assert max(moved) < 7


def test_threads_and_no_threads_agree(sandbox: Sandbox, account: Account) -> None:
    """The sandbox's catalogue is the same, row by row, however many pages are asked for at once."""
    calm = amo.load_catalog(account, limit=10)
    for number in (2, 7, 30):
        with threads(number):
            catalog = loaded(sandbox, 10)
        pd.testing.assert_frame_equal(catalog.widgets, calm.widgets)
        pd.testing.assert_frame_equal(catalog.settings, calm.settings)


@pytest.mark.usefixtures("at_once")
def test_pages_that_never_end_at_once() -> None:
    """A server that gives the same page for ever, and says that more follow, is found out."""
    with (
        answering(answer(listing([widget(1)], limit=1, more=True))) as server,
        pytest.raises(errors.RepeatedPage, match="Page 2 brings no widget that is new"),
    ):
        amo.load_catalog(server.account(), limit=1)
    assert not left_behind()


def test_a_page_is_read_while_the_next_one_is_on_its_way() -> None:
    """What is done with a page is done while the next one is awaited; it is given even if that fails."""
    is_read, given = threading.Event(), []

    def script(request: Request) -> bytes:
        if request.page == 3:
            assert is_read.wait(5)
            return problem(402)
        return answer(listing([widget(request.page)], page=request.page, limit=1))

    with ScriptedServer(script) as server, walk.Walk(server.account(), 1) as pages:
        pages.meanwhile = lambda page: is_read.set() if page.number == 2 else None
        with pytest.raises(errors.PaymentRequired):
            for page in pages:
                given.append(page.number)  # noqa: PERF401  what was given counts
    assert given == [1, 2]


@pytest.mark.parametrize("wrong", [OSError("disk"), TimeoutError("lock"), errors.ServerError("not its own")])
def test_what_goes_wrong_meanwhile_is_not_the_connections(wrong: Exception) -> None:
    """It comes out as itself, once the page it is about was given, and nothing is sent again."""
    given = []

    def meanwhile(page: Page) -> None:
        if page.number == 2:
            raise wrong

    with ScriptedServer(paged(5, 1)) as server, walk.Walk(server.account(), 1) as pages:
        pages.meanwhile = meanwhile
        with pytest.raises(type(wrong)) as raised:
            for page in pages:
                given.append(page.number)  # noqa: PERF401  what was given counts
    assert raised.value is wrong
    assert (given, pages_of(server), pages.sent) == ([1, 2], [1, 2, 3], 3)


def test_work_in_between_is_no_round_trip() -> None:
    """How long somebody worked before the answer was looked for frees no permit sooner."""
    with answering(answer(listing([]))) as server:
        account = server.account()
        trips = account._transport._pacer._trips
        account.fetch_page(lambda: 1, 1, Errand(meanwhile=lambda: None))
        assert [*trips._new, *trips._open] == []
        account.fetch_page(lambda: 1, 1, Errand())
        assert len(trips._new) == 1
