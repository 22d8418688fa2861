from __future__ import annotations

import errno
import itertools
import os
import pickle
import signal
import stat
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from clocks import Skipping
from msgspec import structs
from pairs_of import exchanges, stored
from programs import program
from scripted import ScriptedServer, answer, answering, problem
from steps import killed
from tracebacks import shown

import amoexplore as amo
from amoexplore import Sandbox, errors, files, oauth, pacer, retries
from amoexplore.oauth import Integration
from amoexplore.pacer import pacer_of
from amoexplore.pairs import PATIENCE, Pair, Store
from amoexplore.sandbox.jwt import unverifiable
from amoexplore.tokens import MaskedText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from scripted import Request

SUPPORT = Path(__file__).parent / "support"
DAY = 86_400


@pytest.fixture(params=["strict", "grace"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Return a sandbox of its own for each test, of each rotation."""
    with Sandbox(size=3, rotation=request.param) as running:
        yield running


@pytest.fixture
def strict() -> Iterator[Sandbox]:
    """Return a sandbox whose refresh tokens are good once."""
    with Sandbox(size=3) as running:
        yield running


def secrets_of(*pairs: Pair | None) -> list[str]:
    """Return all that must not be shown."""
    return [
        str(text)
        for pair in pairs
        if pair
        for text in (pair.access_token, pair.refresh_token, pair.client_secret)
    ]  # fmt: skip


def test_connect_finds_the_stored_pair(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that was logged in to is connected to by its address, its host, or AMOEXPLORE_URL alone."""
    stored(sandbox)
    host = sandbox.url.removeprefix("http://")
    assert amo.connect(sandbox.url).widget("amo_dropbox").id == 742
    assert amo.connect(host).widget("amo_dropbox").id == 742
    monkeypatch.setenv("AMOEXPLORE_URL", sandbox.url)
    assert amo.connect().widget("amo_dropbox").id == 742
    assert exchanges(sandbox) == [200]


def test_connect_without_a_stored_pair(strict: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is stored, nothing is sent, and the message says how to log in."""
    monkeypatch.setenv("AMOEXPLORE_URL", strict.url)
    for connect in (amo.connect, lambda: amo.connect(strict.url)):
        with pytest.raises(errors.ConfigurationError, match=r"a token is missing: none is stored for .*amo\.login\("):
            connect()
    assert strict.requests == ()


def test_renewed_a_minute_early(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute before its end a token is renewed, not before; what follows is signed with the new one."""
    pair = stored(sandbox)
    account = amo.connect(sandbox.url)
    assert pair.renew_at == pytest.approx(time.time() + DAY - 60, abs=5)
    assert pair.expires_at - pair.renew_at == 60
    for early, count in ((61, 1), (59, 2), (59, 2)):
        monkeypatch.setattr(oauth.time, "time", lambda early=early: pair.expires_at - early)
        account.widget("amo_dropbox")
        assert exchanges(sandbox) == [200] * count
    assert [logged.status for logged in sandbox.requests if logged.target.startswith("/api")] == [200] * 3


def test_short_lives() -> None:
    """A token that lives for a minute or less is renewed at half its life, not at each request."""
    with Sandbox(size=3, lifetime=60) as sandbox:
        pair = stored(sandbox)
        amo.load_widgets(amo.connect(sandbox.url))
        assert exchanges(sandbox) == [200]
    assert pair.expires_at - pair.renew_at == 30


@pytest.mark.parametrize("write", [False, True])
def test_renewed_once_when_refused(sandbox: Sandbox, *, write: bool) -> None:
    """A token that is refused before its time is renewed, and the request sent again, also a write: it was not done."""
    stored(sandbox)
    account = amo.connect(sandbox.url)
    with sandbox.faults.expired_token(times=1):
        if write:
            assert account.install("amo_dropbox").is_active_in_account
        else:
            assert account.widgets_answer().requests == 2
    assert exchanges(sandbox) == [200, 200]
    with sandbox.faults.expired_token() as fault, pytest.raises(errors.Unauthorized, match="or log in"):
        account.widget("amo_dropbox")
    assert fault.hits == 2
    assert exchanges(sandbox) == [200] * 3


def test_long_lived_tokens_are_never_renewed(strict: Sandbox) -> None:
    """A long-lived token that is refused stays refused: one request, and no exchange, even with a pair in the store."""
    stored(strict)
    before = len(strict.requests)
    with pytest.raises(errors.Unauthorized, match="check AMOEXPLORE_TOKEN"):
        amo.connect(strict.url, "revoked").widget("amo_dropbox")
    assert len(strict.requests) == before + 1


def test_ten_threads_of_three_processes_renew_once(sandbox: Sandbox) -> None:
    """Thirty threads of three processes that find the token expired make one exchange, and all go on with it."""
    stored(sandbox, due=True)
    command = (sys.executable, SUPPORT / "renewing.py", sandbox.url)
    with ExitStack() as stack:
        processes = [stack.enter_context(program(*command, stdin=subprocess.PIPE, bufsize=1)) for _ in range(3)]
        assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 3
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("now\n")
        assert [process.communicate(timeout=60)[0] for process in processes] == ["10"] * 3
    assert exchanges(sandbox) == [200, 200]  # that of the login, and one


def test_twenty_refused_at_once_renew_once(sandbox: Sandbox) -> None:
    """Twenty threads whose token is refused at the same time make one exchange."""
    pair = stored(sandbox)
    sandbox.oauth.advance(DAY)
    account = amo.connect(sandbox.url)
    together = threading.Barrier(20)

    def ask(_: int) -> int:
        together.wait()
        return account.widget("amo_dropbox").id

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, range(20))) == [742] * 20
    assert exchanges(sandbox) == [200, 200]
    assert Store(sandbox.url).load() != pair


def test_another_process_was_quicker(sandbox: Sandbox) -> None:
    """Who finds the token expired reads the store again first, and takes what another process has left there."""
    stored(sandbox, due=True)
    late, quick = amo.connect(sandbox.url), amo.connect(sandbox.url)
    assert [account.widget("amo_dropbox").id for account in (quick, late)] == [742, 742]
    assert exchanges(sandbox) == [200, 200]


def test_requests_are_counted_by_integration(sandbox: Sandbox) -> None:
    """Whom requests are counted for is the integration, before and after a renewal; a long-lived token is its own."""
    pair = stored(sandbox, due=True)
    account = amo.connect(sandbox.url)
    before = account.token.client
    account.widget("amo_dropbox")
    assert before == account.token.client == pair.client_id
    assert {logged.caller for logged in sandbox.requests if logged.target.startswith("/api")} == {
        f"integration {pair.client_id}"
    }
    long_lived = amo.connect(sandbox.url, "canary").token.client
    assert (long_lived, repr(long_lived)) == ("canary", "'***'")


def test_what_another_process_left_is_old(sandbox: Sandbox) -> None:
    """What is found in the store and is itself about to expire is renewed before it is used."""
    stored(sandbox, due=True)
    account = amo.connect(sandbox.url)
    stored(sandbox, due=True)
    assert account.widget("amo_dropbox").id == 742
    assert exchanges(sandbox) == [200, 200, 200]


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_lost_answers(sandbox: Sandbox, ending: str) -> None:
    """A lost answer is asked for once more with the old pair: Kommo gives another one, amocrm.ru wants a new login."""
    pair = stored(sandbox, due=True)
    account = amo.connect(sandbox.url)
    with sandbox.faults.lost_refresh(times=1, ending=ending):
        if sandbox._rules.rotation == "grace":
            assert account.widget("amo_dropbox").id == 742
        else:
            with pytest.raises(errors.LoginNeeded, match="Token has been revoked") as raised:
                account.widget("amo_dropbox")
            assert f"amo.login({account.host!r}, …)" in str(raised.value)
            assert isinstance(raised.value, errors.Unauthorized)
            told = shown(raised.value)
            assert not [text for text in secrets_of(pair) if text in told]
    assert len(exchanges(sandbox)) == 3


def test_revoked_reads_the_store_again(strict: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh token that somebody without the lock has used up is no end if he stored the next pair."""
    stored(strict, due=True)
    account = amo.connect(strict.url)
    send = oauth.exchange

    def overtaken(*arguments: object, **options: str) -> Pair:
        monkeypatch.setattr(oauth, "exchange", send)
        Store(strict.url).save(send(*arguments, **options))  # type: ignore[arg-type]
        return send(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(oauth, "exchange", overtaken)
    assert account.widget("amo_dropbox").id == 742
    assert exchanges(strict) == [200, 200, 401]


def test_not_renewed_now(strict: Sandbox, clock: Skipping) -> None:
    """An exchange that fails twice, for reasons that pass, fails a write before it is sent; nobody calls it unknown."""
    pair = stored(strict, due=True)
    account = amo.connect(strict.url)
    with strict.faults.bad_gateway(path="/oauth2/*") as fault:
        with pytest.raises(errors.NotRenewed, match=r"nothing was done\. Try again later") as raised:
            account.uninstall("amo_dropbox")
    assert fault.hits == 2
    assert clock.waits == [pytest.approx(0.625, abs=0.125)]
    told = shown(raised.value)
    assert not [text for text in secrets_of(pair) if text in told]
    assert account.widget("amo_dropbox").id == 742


def test_a_long_wait_is_not_a_renewals(strict: Sandbox, clock: Skipping, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a service asks for more than a moment, a renewal does not wait for that, as no Ctrl-C would end it."""
    stored(strict, due=True)
    monkeypatch.setattr("amoexplore.retries.wait", lambda *_: 20.0)
    with strict.faults.bad_gateway(path="/oauth2/*") as fault, pytest.raises(errors.NotRenewed):
        amo.connect(strict.url).uninstall("amo_dropbox")
    assert (fault.hits, clock.waits) == (1, [])


def test_refused_and_not_renewed_now(strict: Sandbox) -> None:
    """Of a write that was sent and refused, whose token could not be renewed, nobody says that it was not sent."""
    stored(strict)
    with strict.faults.expired_token(times=1), strict.faults.bad_gateway(path="/oauth2/*"):
        with pytest.raises(errors.NotRenewed, match=r"so nothing was done\. Try again later") as raised:
            amo.connect(strict.url).uninstall("amo_dropbox")
    assert "sent" not in str(raised.value)


@pytest.mark.parametrize(
    ("fault", "kind"), [("blocked", errors.Blocked), ("too_many_requests", errors.TooManyRequests)]
)
def test_limits_of_the_exchange(strict: Sandbox, fault: str, kind: type[errors.AmoError]) -> None:
    """A blocked account and too many requests are told as they are anywhere else, after one exchange."""
    stored(strict, due=True)
    with getattr(strict.faults, fault)(path="/oauth2/*") as met, pytest.raises(kind):
        amo.connect(strict.url).uninstall("amo_dropbox")
    assert met.hits == 1


@pytest.mark.parametrize("is_refused", [False, True])
def test_too_many_requests_at_a_renewal(strict: Sandbox, clock: Skipping, *, is_refused: bool) -> None:
    """A 429 uses no refresh token up: reads go on after growing waits, and give up after as many as elsewhere."""
    stored(strict, due=not is_refused)
    strict.oauth.advance(DAY)
    with strict.faults.too_many_requests(path="/oauth2/*", shape="html", times=3):
        assert amo.load_catalog(amo.connect(strict.url)).report.widgets == 3
    assert exchanges(strict) == [200, 429, 429, 429, 200]
    waits = [wait for wait in clock.waits if wait >= 1]
    assert all(least <= wait <= least * 1.5 for least, wait in zip((1, 2, 4), waits, strict=True))
    stored(strict, due=True)
    with strict.faults.too_many_requests(path="/oauth2/*"):
        with pytest.raises(errors.TooManyRequests, match="Tried 6 times"):
            amo.load_catalog(amo.connect(strict.url))


def test_a_moved_account_is_followed(sandbox: Sandbox) -> None:
    """Where an exchange finds no account, its token's api_domain says where it is now, once for all that follows."""
    pair = stored(sandbox, due=True)
    account = amo.connect(sandbox.url)
    there = sandbox.url.replace("127.0.0.1", "localhost")
    with sandbox.faults.moved():
        assert account.widget("amo_dropbox").id == 742
        assert len(amo.load_widgets(account)) == 3
        assert account.url == there
        assert amo.connect(sandbox.url).widget("amo_dropbox").id == 742
    asked = [logged for logged in sandbox.requests if "subdomain" in logged.target]
    assert [logged.status for logged in asked] == [200]
    assert pair.refresh_token not in str(asked)
    assert exchanges(sandbox) == [200, 404, 200]


def test_what_was_begun_before_an_account_moved(sandbox: Sandbox) -> None:
    """A trial that was cut off is found, and a load goes on, where the account is by now."""
    stored(sandbox)
    account = amo.connect(sandbox.url)
    trial = amo.trial(account).__enter__()
    trial.install("amo_dropbox")
    trial._journal.release()  # as the end of its process would
    with sandbox.faults.payment_required(after=1), pytest.raises(errors.PaymentRequired) as raised:
        amo.load_catalog(account, limit=1)
    stored(sandbox, due=True)
    with sandbox.faults.moved(host="newname.localhost"):
        moved = amo.connect(sandbox.url)
        assert moved.me().id
        assert moved.url != account.named == moved.named
        assert len(amo.load_catalog(moved, resume=raised.value).widgets) == 3
        (unfinished,) = amo.unfinished_trials(moved)
        unfinished.undo()
        assert not moved.widget("amo_dropbox").is_active_in_account


def test_a_moved_account_is_not_followed_anywhere(strict: Sandbox) -> None:
    """An account that says it is at a host of somebody else's gets no token there."""
    stored(strict, due=True)
    before = len(strict.requests)
    with strict.faults.moved(host="amocrm.example"), pytest.raises(errors.LoginNeeded):
        amo.connect(strict.url).widget("amo_dropbox")
    assert [logged.status for logged in strict.requests[before:]] == [404, 200]


def test_modes(strict: Sandbox, tmp_path: Path) -> None:
    """Tokens lie in files of their owner's alone, in a folder of his alone."""
    before = os.umask(0)
    try:
        stored(strict)
    finally:
        os.umask(before)
    folder = tmp_path / "state" / "tokens"
    modes = {path.suffix or "/": stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {"/": 0o700, ".json": 0o600, ".lock": 0o600}


def test_synced_renamed_and_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair is on disk before it has its name, and its name is before the save is over."""
    steps, fsync, replace = [], os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        steps.append(
            "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else f"{os.fstat(descriptor).st_size} bytes"
        )
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        steps.append(target.name)
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    for content in (b"former", b"newest"):
        (tmp_path / "pair.json.new").write_bytes(b"left by a process that was killed")
        files.save_private(tmp_path / "pair.json", content)
        assert (tmp_path / "pair.json").read_bytes() == content
    assert steps == ["6 bytes", "pair.json", "folder"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["pair.json"]


def test_a_store_that_cannot_save_costs_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A full disk is found before the old pair is used up; once there is room, the account goes on."""
    stored(sandbox, due=True)
    account = amo.connect(sandbox.url)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(errors.StoreError, match=r"can't be saved in .*No space left") as raised:
            account.widget("amo_dropbox")
    assert isinstance(raised.value, OSError)
    assert str(tmp_path) in str(raised.value)
    assert exchanges(sandbox) == [200]
    assert account.widget("amo_dropbox").id == 742


def test_what_was_not_saved_is_not_used(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new pair that can't be saved is an error, each time, until it can be saved; it is not asked for again."""
    pair = stored(sandbox, due=True)
    account = amo.connect(sandbox.url)
    save, saved = files.save_private, []

    def fails_later(path: Path, content: bytes) -> None:
        saved.append(path)
        if len(saved) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(files, "save_private", fails_later)
        for _ in range(2):
            with pytest.raises(errors.StoreError, match="can't be saved") as raised:
                account.widget("amo_dropbox")
            kept = account.token._exchanged  # type: ignore[attr-defined]
            told = shown(raised.value)
            assert not [text for text in secrets_of(pair, *kept) if text in told]
    assert exchanges(sandbox) == [200, 200]
    assert [logged.target for logged in sandbox.requests if logged.target.startswith("/api")] == []
    assert account.widget("amo_dropbox").id == 742
    assert exchanges(sandbox) == [200, 200]


def test_ctrl_c_costs_nothing(sandbox: Sandbox, interrupt: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ctrl-C in the middle of an exchange takes effect once its pair is saved."""
    pair = stored(sandbox, due=True)
    account, send = amo.connect(sandbox.url), oauth.exchange

    def interrupted(*arguments: object, **options: str) -> Pair:
        interrupt()
        return send(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(oauth, "exchange", interrupted)
    with pytest.raises(KeyboardInterrupt):
        account.widget("amo_dropbox")
    assert Store(sandbox.url).load() != pair
    assert account.widget("amo_dropbox").id == 742
    assert exchanges(sandbox) == [200, 200]


def test_ctrl_c_while_a_thread_starts(strict: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ctrl-C at which the thread of an exchange just starts leaves no exchange to itself."""
    pair = stored(strict, due=True)
    account, start, started = amo.connect(strict.url), threading.Thread.start, []

    def interrupted(thread: threading.Thread) -> None:
        started.append(thread)
        start(thread)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(threading.Thread, "start", interrupted)
        account.token._renew(pair.access_token)  # type: ignore[attr-defined]
    for thread in started:
        thread.join()
    assert Store(strict.url).load() == pair
    assert exchanges(strict) == [200]


def test_a_second_ctrl_c_leaves_the_lock(
    strict: Sandbox, interrupt: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who will not wait for an exchange leaves the store locked until its pair is saved: nobody uses the old one up."""
    stored(strict, due=True)
    account, send, lock = amo.connect(strict.url), oauth.exchange, Store(strict.url)
    rest = ["result", "shutdown"]  # where who waits is interrupted: for the exchange, and then for its thread's end
    handled, over, given_up = threading.Event(), threading.Event(), threading.Event()

    def heed(_: int, frame: FrameType | None) -> None:
        is_there = {below.f_code.co_name for below, _ in traceback.walk_stack(frame)}.issuperset(rest[:1])
        handled.set()
        if rest and is_there:
            del rest[0]
            raise KeyboardInterrupt

    def interrupted(*arguments: object, **options: str) -> Pair:
        monkeypatch.setattr(oauth, "exchange", send)
        while rest:
            handled.clear()
            interrupt()
            handled.wait(0.1)  # a signal that comes just before a wait begins is heeded at the next one
        over.set()
        assert given_up.wait(10)
        return send(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(oauth, "exchange", interrupted)
    former = signal.signal(signal.SIGINT, heed)
    try:
        with pytest.raises(KeyboardInterrupt):
            account.widget("amo_dropbox")
        assert over.wait(10)
    finally:
        signal.signal(signal.SIGINT, former)
    with monkeypatch.context() as patch, pytest.raises(errors.StoreError, match="can't be locked"):
        patch.setattr("amoexplore.pairs.PATIENCE", 0.0)
        with lock.alone():
            pytest.fail("somebody else had the store meanwhile")
    given_up.set()
    assert amo.connect(strict.url).widget("amo_dropbox").id == 742
    assert account.widget("amo_dropbox").id == 742
    assert exchanges(strict) == [200, 200]


def test_ctrl_c_ends_a_pause_before_an_exchange(strict: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ctrl-C while an exchange waits for the end of a pause takes effect at once: nothing is exchanged yet."""
    pair = stored(strict, due=True)
    account = amo.connect(strict.url)
    pacer_of(strict.url, pair.client_id).pause(30, spaced=False)

    class Interrupted(Skipping):
        def wait(self, *_: object) -> None:
            assert threading.current_thread() is threading.main_thread()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pacer, "clock", Interrupted())
        account.widget("amo_dropbox")
    assert Store(strict.url).load() == pair
    assert exchanges(strict) == [200]


@pytest.mark.parametrize("kind", [errors.Blocked, errors.TooManyRequests])
def test_what_was_exchanged_is_saved_though_nothing_is_sent(
    strict: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: type[errors.Refused]
) -> None:
    """A pair that could not be saved is saved as soon as it can be, also where nothing may be sent any more."""
    pair = stored(strict, due=True)
    account, save = amo.connect(strict.url), Store.save
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(Store, "save", lambda store, pair: save(store, pair) if pair.renew_at == 0 else 1 / 0)
        account.widget("amo_dropbox")
    pace = pacer_of(strict.url, pair.client_id)
    pace.close(errors.Blocked("no")) if kind is errors.Blocked else pace.pause(3600, spaced=False)
    with pytest.raises(kind, match="Not sent"):
        account.widget("amo_dropbox")
    assert Store(strict.url).load() == account.token._pair != pair  # type: ignore[attr-defined]
    assert exchanges(strict) == [200, 200]


def stored_by_hand(url: str, access_token: MaskedText) -> Pair:
    """Store a pair that has to be renewed, of an account that nobody logged in to."""
    pair = Pair(
        url=url,
        client_id="c",
        redirect_uri="https://example.org/",
        client_secret=MaskedText("s"),
        access_token=access_token,
        refresh_token=MaskedText("r"),
        renew_at=0.0,
        expires_at=0.0,
    )
    store = Store(url)
    with store.alone():
        store.save(pair)
    return pair


def test_patience_outlasts_the_longest_renewal(clock: Skipping) -> None:
    """Who waits for another process waits longer than a renewal may take that meets all that it can outlast."""
    granted = {"access_token": "b", "refresh_token": "s", "expires_in": DAY}
    fails = problem(503)
    rest = [fails, problem(401), *[problem(429)] * 5, b"where", fails, answer(granted)]

    def script(_: Request) -> bytes:
        for pace in paces:
            pace.pause(retries.CAP, spaced=False)  # as for somebody else's request
        said = rest.pop(0)
        return answer({"domain": there}) if said == b"where" else said

    with ScriptedServer(script) as server:
        there = server.url.replace("127.0.0.1", "localhost").removeprefix("http://")
        paces = [pacer_of(url, "c") for url in (server.url, f"http://{there}")]
        pair = stored_by_hand(server.url, MaskedText(unverifiable({"api_domain": there})))
        token = amo.connect(server.url).token
        token._renew(pair.access_token)  # type: ignore[attr-defined]
    assert (rest, token.url) == ([], f"http://{there}")
    assert sum(clock.waits) + len(server.requests) * 2 * oauth._TIMEOUT < PATIENCE


@pytest.mark.parametrize(
    ("told", "lifetime"),
    [({"expires_in": 600}, 600), ({"exp": 1200}, 1200), ({"expires_in": 600, "exp": 1200}, 600), ({}, DAY)],
)
def test_until_when(told: dict[str, int], lifetime: int) -> None:
    """A token lives as long as its answer says, else until its own exp, else for the day that amoCRM promises."""
    own = {"exp": int(time.time()) + told["exp"]} if "exp" in told else {}
    body = {"access_token": unverifiable(own), "refresh_token": "r", "server_time": 5} | told
    integration = Integration("c", "https://example.org/", MaskedText("s"))
    with answering(answer(body, content_type="application/json")) as server:
        pair = oauth.exchange(server.url, integration, grant_type="authorization_code", code="c")
    assert pair.expires_at == pytest.approx(time.time() + lifetime, abs=5)
    assert pair.renew_at == pytest.approx(pair.expires_at - 60)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"<html>",
        b'{"access_token": 5, "refresh_token": "canary"}',
        b"\xff",
        b"[]",
        b'{"access_token": "canary\\n", "refresh_token": "r"}',
    ],
)
def test_odd_answers(body: bytes) -> None:
    """An answer that is no pair is told without what stands in it."""
    integration = Integration("c", "https://example.org/", MaskedText("s"))
    with answering(answer(body)) as server, pytest.raises(errors.BadAnswer, match="no page of amoCRM's API") as raised:
        oauth.exchange(server.url, integration, grant_type="authorization_code", code="c")
    assert "canary" not in shown(raised.value)


@pytest.mark.parametrize("status", [400, 500])
def test_refusals_that_repeat_what_was_sent(status: int) -> None:
    """What an account says when it gives no tokens is told without a token, a code or the secret."""
    told = {"title": "bad canary-refresh", "hint": "canary-code of canary-secret, not refresh_token"}
    with answering(problem(status, **told)) as server:
        pair = structs.replace(
            stored_by_hand(server.url, MaskedText("a")),
            refresh_token=MaskedText("canary-refresh"),
            client_secret=MaskedText("canary-secret"),
        )
        integration = Integration(pair.client_id, pair.redirect_uri, pair.client_secret)
        with pytest.raises(errors.Refused) as refused:
            oauth.exchange(server.url, integration, grant_type="authorization_code", code=MaskedText("canary-code"))
        store = Store(server.url)
        store.save(pair)
        with pytest.raises((errors.LoginNeeded, errors.NotRenewed), match=r"bad \*\*\*") as renewal:
            oauth.refreshed(pair, store)
    assert refused.value.detail == "*** of ***, not refresh_token"
    assert "canary-code" not in shown(refused.value)
    assert not [text for text in secrets_of(pair)[1:] if text in shown(renewal.value)]


def test_unreadable_stores(strict: Sandbox, tmp_path: Path) -> None:
    """A file of something else is told without what stands in it."""
    stored(strict)
    path = next((tmp_path / "state" / "tokens").glob("*.json"))
    for content in ('{"access_token": 5}', "canary-7f3a", '{"access_token": "canary-7f3a"}', '{"url": "\xff"}'):
        path.write_text(content, encoding="latin-1")
        with pytest.raises(errors.StoreError, match=r"can't be read: .* amoexplore login makes new ones") as raised:
            amo.connect(strict.url)
        assert "canary" not in shown(raised.value)


def test_killed_at_each_step_of_a_renewal() -> None:
    """A process killed at any step of a renewal leaves a store that can be read, and that the account still accepts."""
    with Sandbox(size=3, rotation="grace") as sandbox:
        stored(sandbox)
        with killed("killed_saves.py", sandbox.url) as killed_at:
            pairs = []
            for step in itertools.count():
                is_over = killed_at(step) is not None
                pairs.append(Store(sandbox.url).load())
                assert sandbox.oauth.is_good(pairs[-1].refresh_token), f"killed at step {step}"
                assert amo.connect(sandbox.url).widget("amo_dropbox").id == 742
                if is_over:
                    break
    assert len(pairs) > 30
    changes = [step for step, (before, after) in enumerate(itertools.pairwise(pairs), start=1) if before != after]
    assert changes == list(range(changes[0], len(pairs)))  # from one step on, each renewal left its own pair


def test_killed_where_refresh_tokens_are_good_once() -> None:
    """On amocrm.ru only a kill between an exchange and its save costs the pair, and the error says to log in anew."""
    with Sandbox(size=3) as sandbox:
        outcomes, is_over = [], False
        with killed("killed_saves.py", sandbox.url) as killed_at:
            while not is_over:
                stored(sandbox)
                is_over = killed_at(len(outcomes)) is not None
                sandbox.oauth.advance(DAY)
                try:
                    outcomes.append(amo.connect(sandbox.url).widget("amo_dropbox").id)
                except errors.LoginNeeded:
                    outcomes.append(0)
    lost = [step for step, outcome in enumerate(outcomes) if not outcome]
    assert lost == list(range(lost[0], lost[-1] + 1))
    assert len(lost) <= 12 < len(outcomes)


def test_nothing_shows_tokens(sandbox: Sandbox) -> None:
    """Neither a pair nor an account made of one shows a token or the secret, and neither is pickled."""
    pair = stored(sandbox)
    account = amo.connect(sandbox.url)
    things = (pair, account, account.token, vars(account.token), vars(account._transport))
    assert not [text for text in secrets_of(pair) for thing in things if text in repr(thing)]
    for thing in (pair, account):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(thing)


def test_knows_where_it_stands_in_clear(sandbox: Sandbox) -> None:
    """A pair is found by each of its three secrets, and where there is none it is not."""
    pair = stored(sandbox)
    token = amo.connect(sandbox.url).token
    assert [token.is_in(f"a {text} b".encode()) for text in (*secrets_of(pair), sandbox.url)] == [True] * 3 + [False]


def test_a_new_login_wins_over_an_unsaved_pair(strict: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair that could not be saved is forgotten when somebody has logged in anew."""
    stored(strict, due=True)
    account = amo.connect(strict.url)
    save = Store.save
    monkeypatch.setattr(Store, "save", lambda store, pair: save(store, pair) if pair.renew_at == 0 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        account.widget("amo_dropbox")
    monkeypatch.undo()
    monkeypatch.setenv("AMOEXPLORE_STATE", str(account.token._store._folder.parent))  # type: ignore[attr-defined]
    newest = stored(strict)
    assert account.widget("amo_dropbox").id == 742
    assert newest == Store(strict.url).load()
    strict.oauth.advance(DAY)
    assert account.widget("amo_dropbox").id == 742
    assert Store(strict.url).load().client_id == newest.client_id  # type: ignore[union-attr]


def test_what_was_exchanged_long_ago_is_not_saved_again(
    sandbox: Sandbox, interrupt: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a Ctrl-C in a renewal another process renews; days later the store's pair goes on, not the former one."""
    stored(sandbox, due=True)
    account, send = amo.connect(sandbox.url), oauth.exchange

    def interrupted(*arguments: object, **options: str) -> Pair:
        interrupt()
        return send(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(oauth, "exchange", interrupted)
        with pytest.raises(KeyboardInterrupt):
            account.widget("amo_dropbox")
    sandbox.oauth.advance(DAY)
    assert amo.connect(sandbox.url).widget("amo_dropbox").id == 742
    sandbox.oauth.advance(DAY)
    later = time.time() + 2 * DAY
    monkeypatch.setattr(oauth.time, "time", lambda: later)
    assert account.widget("amo_dropbox").id == 742
    assert exchanges(sandbox) == [200] * 4
