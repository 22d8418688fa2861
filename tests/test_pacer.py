from __future__ import annotations

import errno
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from programs import program
from scripted import DROP, SILENCE, TOKEN, answer, answering, listing, problem, widget

import amoexplore as amo
from amoexplore import Account, Sandbox, errors, pacer
from amoexplore.pacer import Clock, Pacer
from amoexplore.permits import Permits
from amoexplore.sandbox import Limits

if TYPE_CHECKING:
    from clocks import Skipping

PAGE = answer(listing([widget(1)]))
HTML = answer(b"<html><h1>nginx</h1></html>", 403, "text/html")
CALLING = Path(__file__).parent / "support" / "calling.py"


def state(tmp_path: Path) -> list[Path]:
    """Return the files of the shared pace."""
    return sorted((tmp_path / "state" / "pace").glob("*.json"))


@pytest.fixture
def real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time pass as it does."""
    monkeypatch.setattr(pacer, "clock", Clock())


@pytest.mark.usefixtures("real_time")
def test_burst_of_threads_and_processes() -> None:
    """Sixty calls from eight threads in each of three processes: all answered, each at its first try, no 429."""
    with Sandbox(rate=7) as sandbox, ExitStack() as stack:
        command = (sys.executable, CALLING, sandbox.url, sandbox.token, 20, 8)
        callers = [stack.enter_context(program(*command, stdin=subprocess.PIPE)) for _ in range(3)]
        outputs = [caller.communicate("go\n", timeout=60)[0] for caller in callers]
        statuses = [request.status for request in sandbox.requests]
    assert [caller.returncode for caller in callers] == [0, 0, 0]
    assert outputs == ["ready\n"] * 3
    assert statuses == [200] * 60


@pytest.mark.usefixtures("real_time")
def test_default_pace_keeps_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that is not on this machine is paced without being told to: a burst draws no 429."""
    monkeypatch.setattr("amoexplore.transport.is_loopback", lambda _: False)
    monkeypatch.setattr("amoexplore.transport.base_address", lambda url: url)
    with Sandbox(rate=Limits(rate=7)) as sandbox, ThreadPoolExecutor(8) as pool:
        account = Account(sandbox.url, sandbox.token)
        answers = list(pool.map(lambda _: account.widgets_answer(), range(15)))
    assert [answer.requests for answer in answers] == [1] * 15
    assert sum(answer.waited for answer in answers) > 1


@pytest.mark.usefixtures("real_time")
def test_an_account_that_allows_no_bursts() -> None:
    """The first 429 has requests spaced, and remembered: the next process draws none."""
    with Sandbox(rate=Limits(rate=7, spaced=True)) as sandbox, ThreadPoolExecutor(4) as pool:
        for _ in range(2):
            before = len(sandbox.requests)
            # Each turn by an account of its own, as in another process.
            list(pool.map(methodcaller("__call__"), [Account(sandbox.url, sandbox.token, pace=7).widgets_answer] * 8))
        assert [request.status for request in sandbox.requests][before:] == [200] * 8
        assert 429 in [request.status for request in sandbox.requests]


def test_sandbox_is_not_paced_until_it_refuses(tmp_path: Path, clock: Skipping) -> None:
    """On this machine nothing waits and nothing is written, before a sandbox answers 429; then the pace is kept."""
    with Sandbox() as sandbox:
        account = Account(sandbox.url, sandbox.token)
        for _ in range(20):
            account.widgets_answer()
        assert (clock.waits, state(tmp_path)) == ([], [])
        with sandbox.faults.too_many_requests(times=1):
            account.widgets_answer()
        for _ in range(20):
            account.widgets_answer()
    assert len(state(tmp_path)) == 1
    assert sum(clock.waits[1:]) == pytest.approx(20 // 7, abs=0.1)


def test_none_waits_for_nothing(tmp_path: Path, clock: Skipping) -> None:
    """With pace=None requests go as they come, also after a 429, which is waited out by who got it."""
    with Sandbox() as sandbox:
        account = Account(sandbox.url, sandbox.token, pace=None)
        with sandbox.faults.too_many_requests(times=1, retry_after=3):
            answers = [account.widgets_answer() for _ in range(20)]
    assert (len(clock.waits), state(tmp_path)) == (1, [])
    assert 3 <= clock.waits[0] <= 3.5
    assert answers[0].waited == pytest.approx(clock.waits[0], abs=0.01)


@pytest.mark.parametrize("pace", [0, -1, 1.5, "7", "fast"])
def test_what_is_no_pace(pace: object) -> None:
    """A pace that is none is told at once."""
    with pytest.raises(ValueError, match="pace is a whole number of requests a second, from 1 on, or None"):
        amo.connect("https://example.amocrm.ru", TOKEN, pace=pace)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", ["json", "header", "html"])
def test_too_many_requests_are_waited_out(shape: str, clock: Skipping, capsys: pytest.CaptureFixture[str]) -> None:
    """Each shape of 429 is waited for, told, tried again, and counted; waits grow where it does not say how long."""
    with Sandbox() as sandbox, sandbox.faults.too_many_requests(times=3, shape=shape, retry_after=9):
        report = amo.load_catalog(Account(sandbox.url, sandbox.token)).report
    assert (report.widgets, report.retries) == (300, 3)
    assert report.waited == pytest.approx(sum(clock.waits), abs=0.1)
    least = [1, 2, 4] if shape == "html" else [9, 9, 9]
    assert all(few <= wait <= few * 1.5 for few, wait in zip(least, clock.waits, strict=False))
    assert capsys.readouterr().err.count(": too many requests; waiting ") == 3


def test_too_many_requests_for_too_long() -> None:
    """What asks for more than five minutes is told at once, and what goes on refusing after six tries."""
    with answering(problem(429, retry_after=301)) as server:
        with pytest.raises(errors.TooManyRequests) as raised:
            server.account().widget("x")
        assert (len(server.requests), raised.value.retry_after, raised.value.tries) == (1, 301, 1)
    with answering(problem(429)) as server:
        with pytest.raises(errors.TooManyRequests, match=r"Tried 6 times in \d+\.\d s\.$") as raised:
            server.account().widget("x")
        assert (len(server.requests), raised.value.tries) == (6, 6)


def test_a_long_pause_is_everybodys(clock: Skipping) -> None:
    """After a 429 that asks for an hour nothing is sent for an hour, by nobody; then all goes on."""
    with answering(problem(429, retry_after=3600), PAGE) as server:
        first, second = (Account(server.url, TOKEN, pace=7) for _ in range(2))
        with pytest.raises(errors.TooManyRequests, match="answers 429"):
            first.widgets_answer()
        for late, left in ((0, 3600), (3000, 600)):
            clock.wait(late, threading.Event())
            for send in (methodcaller("widgets_answer"), methodcaller("continue_bot", 1, 2)):
                with pytest.raises(errors.TooManyRequests, match=rf"Not sent: .* for another {left} s") as raised:
                    send(second)
                assert raised.value.retry_after == pytest.approx(left, abs=1)
        assert len(server.requests) == 1
        clock.wait(400, threading.Event())
        assert second.widgets_answer().waited == pytest.approx(200, abs=1)


@pytest.mark.parametrize(
    ("refuses", "others", "left"),
    [
        ("http://a.localhost:80", "http://b.localhost:80", None),
        ("http://a.localhost:80", "https://b.kommo.com", None),
        ("https://a.amocrm.ru", "https://b.amocrm.ru", None),
        ("https://a.kommo.com", "http://b.localhost:80", None),
        ("https://a.kommo.com", "https://b.kommo.com", 3600),
        ("https://a.kommo.com", "https://b.amocrm.com", 3600),
    ],
)
def test_whom_the_pause_of_one_of_many_concerns(refuses: str, others: str, left: int | None) -> None:
    """A pause is that of all where requests are counted by the caller's address; never of sandboxes, nor by them."""
    pacer.Together(7).pause(refuses, 3600)
    words = rf"Not sent: there were too many requests to all accounts, and none may follow for another {left} s"
    expected = pytest.raises(errors.TooManyRequests, match=words) if left else nullcontext()
    with expected, pacer.Together(7).trip(others, 10, None) as trip:
        assert trip.waited == 0


def test_a_sandbox_that_refuses_leaves_others_alone() -> None:
    """What one sandbox refuses for an hour is sent to another one, also at a pace of all."""
    with Sandbox(accounts=2, size=1) as refusing, Sandbox(accounts=2, size=1) as other:
        with refusing.faults.too_many_requests(retry_after=3600):
            assert len(amo.load_fleet(refusing.accounts, total=1000).failed) == 2
        assert amo.load_fleet(other.accounts, total=1000).failed.empty


def test_a_pause_is_everybodys(clock: Skipping) -> None:
    """After a 429 that one got, another account object of the same token waits as well."""
    with answering(problem(429, retry_after=30), PAGE) as server:
        first, second = (Account(server.url, TOKEN, pace=7) for _ in range(2))
        with pytest.raises(errors.TooManyRequests):
            first.continue_bot(1, 2)
        assert clock.waits == []
        second.widgets_answer()
    assert 29 < sum(clock.waits) < 31


@pytest.mark.parametrize("said", [problem(429), problem(500), DROP, SILENCE])
def test_writes_are_not_sent_again(said: bytes) -> None:
    """Whatever becomes of a write, it is sent once."""
    with answering(said) as server:
        with pytest.raises(errors.AmoError):
            server.account(timeout=0.05).continue_bot(1, 2)
        assert [request.method for request in server.requests] == ["POST"]


@pytest.mark.parametrize(
    "said",
    [
        problem(500),
        problem(503),
        answer(b"Bad Gateway", 502, "text/plain"),
        answer(b"<html>maintenance</html>", content_type="text/html"),
        answer(b'{"_embedded": {"wid'),
        DROP,
        SILENCE,
        problem(429),
    ],
)
def test_reads_are_sent_again(said: bytes) -> None:
    """What may be over at the next try is tried again, also for one widget."""
    with answering(said, said, answer(widget(7))) as server:
        assert server.account(timeout=0.05).widget("x").id == 7
        assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 418])
def test_what_is_refused_for_good_is_not_sent_again(status: int) -> None:
    """A refusal that the next try would get as well is told after one."""
    with answering(problem(status)) as server:
        with pytest.raises(errors.Refused):
            server.account().widget("x")
        assert len(server.requests) == 1


def test_refused_connection_is_tried_again_where_it_was_good() -> None:
    """Nobody waits at an address that never answered; one that did may come back."""
    with answering(PAGE) as server:
        account = server.account()
        account.widgets_answer()
    with pytest.raises(errors.ConnectionRefused, match="Tried 4 times"):
        account.widgets_answer()


def test_a_blocked_account_stops_everything(clock: Skipping) -> None:
    """The HTML 403 stops all that the process sends to the account; who connects anew may try."""
    with answering(HTML) as server:
        accounts = [server.account() for _ in range(3)]
        with pytest.raises(errors.Blocked, match="stop all integrations"):
            accounts[0].widgets_answer()
        for account in accounts:
            with pytest.raises(errors.Blocked, match=r"Not sent: .* blocked\. Stop all integrations.*connect anew"):
                account.uninstall("x")
        assert len(server.requests) == 1
        with pytest.raises(errors.Blocked, match="answers 403"):
            server.account().widgets_answer()
    assert clock.waits == []


def test_a_block_ends_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for half a minute is told of the block at once."""
    told = threading.Event()

    class Listening(Clock):
        def wait(self, seconds: float, *until: threading.Event) -> None:
            told.set()
            super().wait(seconds, *until)

    with answering(problem(429, retry_after=30), HTML) as server, ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(pacer, "clock", Listening())
        one, other = server.account(), Account(server.url, TOKEN, pace=None)
        waiting = pool.submit(one.widgets_answer)
        assert told.wait(10)
        with pytest.raises(errors.Blocked, match="answers 403"):
            other.widgets_answer()
        with pytest.raises(errors.Blocked, match="Not sent"):
            waiting.result(10)


def test_rights_stop_nothing() -> None:
    """A problem+json 403 is about rights: the next request is sent."""
    with answering(problem(403), PAGE) as server:
        account = server.account()
        with pytest.raises(errors.Forbidden):
            account.users()
        assert account.widgets_answer().status == 200


def test_nothing_secret_is_kept(tmp_path: Path) -> None:
    """Neither the name nor the content of the shared file, nor what displays a pacer, shows the token."""
    with answering(PAGE) as server:
        account = Account(server.url, TOKEN, pace=7)
        account.widgets_answer()
        shown = repr(vars(account._transport._pacer))
    (file,) = state(tmp_path)
    assert TOKEN not in f"{shown} {file} {file.read_text()}"
    assert json.loads(file.read_text()).keys() == {"held", "pause", "paused", "refused"}


def test_accounts_and_integrations_are_paced_apart(tmp_path: Path) -> None:
    """Each account and each integration has its own permits; an integration keeps them when its token is renewed."""
    with Sandbox(refresh_token="R") as sandbox:
        integration = sandbox.oauth.register("http://localhost:8321/")
        for token in (sandbox.token, *(sandbox.oauth.grant(integration.client_id).access_token for _ in range(2))):
            Account(sandbox.url, token, pace=7).widgets_answer()
    assert len(state(tmp_path)) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"held": {"a": "x"}}', b"\xff", b'{"held": {"\xff": 1}}'])
def test_a_broken_file_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    """Whatever stands in the shared file, requests are sent."""
    with answering(PAGE) as server:
        account = Account(server.url, TOKEN, pace=7)
        account.widgets_answer()
        state(tmp_path)[0].write_bytes(content)
        assert account.widgets_answer().status == 200


def test_a_folder_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file can be written, one warning for all says so, and the process keeps to the pace by itself."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("AMOEXPLORE_STATE", str(tmp_path / "file"))
    with answering(PAGE) as server:
        account, other = (Account(server.url, token, pace=7) for token in (TOKEN, "another-token"))
        with pytest.warns(errors.UnsharedPaceWarning, match=r"kept by this process alone.*AMOEXPLORE_STATE") as warned:
            waited = [one.widgets_answer().waited for one in [other] + [account] * 8]
    assert len(warned) == 1
    assert waited[-1] > 0.5


def test_a_file_that_can_be_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Skipping) -> None:
    """A file that can't be written is tried again each minute, after one warning; a pause counts here and there."""
    pace, other = (Pacer("example", tmp_path / "pace.json") for _ in range(2))

    def left(asked: Pacer) -> float | None:
        with pytest.raises(errors.TooManyRequests) as raised, asked.trip(7, 10):
            pytest.fail("it was sent")
        return raised.value.retry_after

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    other.pause(1001, spaced=True)
    clock.wait(1, threading.Event())
    assert left(pace) == 1000
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.warns(errors.UnsharedPaceWarning, match="No space left"):
            pace.pause(1, spaced=False)
        assert left(pace) == 1000
        pace.pause(2000, spaced=False)
        for seconds, rest in ((59, 1941), (2, 1939)):
            clock.wait(seconds, threading.Event())
            assert left(pace) == rest
    assert left(other) == 939
    clock.wait(61, threading.Event())
    assert left(pace) == left(other) == 1878


def test_a_killed_process_gives_its_permits_back(tmp_path: Path, clock: Skipping) -> None:
    """Permits of a process that died with requests on their way are free after the lease of its account."""
    with answering(PAGE) as server:
        account = Account(server.url, TOKEN, pace=2, timeout=5)
        account.widgets_answer()
        (file,) = state(tmp_path)
        held = {"a": clock.now() + 11, "b": clock.now() + 11}
        file.write_text(json.dumps({"held": held, "pause": 0.0, "refused": None}))
        account.widgets_answer()
    assert 10 < sum(clock.waits) < 12


def test_ctrl_c_ends_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """KeyboardInterrupt comes out of a wait as it is, and leaves nothing locked behind."""

    class Interrupted(Clock):
        def wait(self, *_: object) -> None:
            raise KeyboardInterrupt

    with answering(problem(429), PAGE) as server:
        account = Account(server.url, TOKEN, pace=1)
        with monkeypatch.context() as patch:
            patch.setattr(pacer, "clock", Interrupted())
            with pytest.raises(KeyboardInterrupt):
                account.widgets_answer()
        assert account.widgets_answer().status == 200


def test_ctrl_c_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KeyboardInterrupt just when the lock was got leaves it to others, also while its traceback lives."""
    acquire = FileLock.acquire

    def interrupted(lock: FileLock) -> None:
        acquire(lock)
        raise KeyboardInterrupt

    with answering(PAGE) as server:
        account = Account(server.url, TOKEN, pace=7)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as raised:
            patch.setattr(FileLock, "acquire", interrupted)
            account.widgets_answer()
    assert raised.tb
    (lock,) = (tmp_path / "state" / "pace").glob("*.lock")
    FileLock(lock, timeout=0).acquire().lock.release()


def test_ctrl_c_leaves_no_turn() -> None:
    """KeyboardInterrupt just when a request's turn has come leaves the turn to other threads."""

    class Interrupted:
        def __init__(self, turn: Any) -> None:
            self._turn = turn
            self.release = turn.release

        def acquire(self, timeout: float) -> None:
            self._turn.acquire(timeout=timeout)
            raise KeyboardInterrupt

    with answering(PAGE) as server:
        account = Account(server.url, TOKEN, pace=7)
        pace = account._transport._pacer
        turn, pace._turn = pace._turn, Interrupted(pace._turn)  # type: ignore[assignment]
        with pytest.raises(KeyboardInterrupt) as raised:
            account.widgets_answer()
        pace._turn = turn
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(account.widgets_answer)
            try:
                assert other.result(timeout=10).status == 200
            finally:
                pace.close(errors.Blocked("the end"))  # of a wait that has none
    assert raised.tb


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_goes_on() -> None:
    """A process that is forked from one that has an account shares its pace, as any other does."""
    with answering(PAGE) as server:
        child = multiprocessing.get_context("fork").Process(target=Account(server.url, TOKEN, pace=7).widgets_answer)
        child.start()
        child.join(30)
        assert (child.exitcode, len(server.requests)) == (0, 1)


def test_many_that_wait_are_told_once(clock: Skipping, capsys: pytest.CaptureFixture[str]) -> None:
    """Threads that wait for the same reason say so in one line; who has to wait for much longer says it again."""
    pace = Pacer("example", Path("unused"))
    for seconds in (1.0, 1.5, 1.2, 3.0, 3.1):
        clock.now = lambda: 1000.0  # type: ignore[method-assign]  # all at the same time
        pace.rest(seconds, "no connection")
    assert capsys.readouterr().err.splitlines() == [
        "example: no connection; waiting 1 s, then going on.",
        "example: no connection; waiting 3 s, then going on.",
    ]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_its_own_connections() -> None:
    """Both processes would get each other's answers over one that was open before; the first one's stays open."""
    callers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open

        def do_GET(self) -> None:
            callers.append(self.client_address[1])
            self.wfile.write(answer(listing([widget(1)]), headers={"Connection": "keep-alive"}))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        account = Account(f"http://127.0.0.1:{server.server_port}", TOKEN)
        account.widgets_answer()
        child = multiprocessing.get_context("fork").Process(target=account.widgets_answer)
        child.start()
        child.join(30)
        account.widgets_answer()
        server.shutdown()
        thread.join()
    assert child.exitcode == 0
    first, forked, again = callers
    assert first == again != forked


def test_a_block_reaches_who_queues() -> None:
    """Who waited behind others for his turn is told of a block, even if a permit is free by then."""

    class Turn:
        def acquire(self, timeout: float) -> bool:
            pace.close(errors.Blocked("no"))  # while this one waited
            return bool(timeout)

        def release(self) -> None:
            """Let the next one in."""

    pace = Pacer("example", Path("unused"))
    pace._alone, pace._turn = Permits(), Turn()  # type: ignore[assignment]
    with pytest.raises(errors.Blocked, match="Not sent"), pace.trip(7, 10):
        pytest.fail("it was sent")


@pytest.mark.parametrize(
    ("round_trips", "to_connect", "credit"),
    [(1, 0.0, 0.53), (2, 0.0, 0.26), (4, 0.0, 0.125), (4, 0.4, 0.125), (4, 0.5, 0.08), (0, 0.0, 0.0)],
)
def test_what_is_credited(clock: Skipping, round_trips: int, to_connect: float, credit: float) -> None:
    """Of the time of a request on a new connection as much as one of its round trips took, where that is known."""
    pace = Pacer("example", Path("unused"))
    pace._alone = Permits()
    for _ in range(8):
        pace._trips.add(0.6)
    with pace.trip(7, 10) as trip:
        clock.wait(0.6, threading.Event())
        trip.is_sent, trip.round_trips, trip.to_connect = True, round_trips, to_connect
    assert list(pace._alone.held.values()) == [pytest.approx(clock.now() + 1 - credit)]


@pytest.mark.usefixtures("real_time")
def test_slow_names_bring_no_credit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it takes long to look a name up, and the server is near, a request is not taken for one from far away."""
    look_up = socket.getaddrinfo

    def slow(*args: Any, **options: Any) -> Any:
        threading.Event().wait(0.2)
        return look_up(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with answering(PAGE) as server:  # which closes each connection
        account = server.account()
        for _ in range(4):
            account.widgets_page()
    assert min(account._transport._pacer._trips._new) < 0.1
