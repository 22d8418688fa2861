from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from programs import program
from scripted import DROP, ScriptedServer, answer, answering, listing, no_content, problem, widget
from steps import NEVER, killed
from tracebacks import shown

import amoexplore as amo
from amoexplore import Account, errors, trials
from amoexplore.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from amoexplore import Sandbox

SECRET = "canary-secret"
ASTERISK = {"login": "example", "password": SECRET, "phones": {504141: "1039"}, "script_path": "https://example.com/"}


@pytest.fixture
def account(changing: Sandbox) -> Account:
    """Return the administrator's account on it, as new."""
    changing.reset()
    return Account(changing.url, changing.token)


def installed(account: Account) -> set[str]:
    """Return the codes of what is installed."""
    widgets = amo.load_widgets(account)
    return set(widgets.loc[widgets["is_active_in_account"], "code"])


def test_a_trial_undoes_itself(account: Account) -> None:
    """What a trial installs is there inside it, and gone after it."""
    before = installed(account)
    with amo.trial(account) as trial:
        assert trial.install("amo_asterisk", ASTERISK).is_active_in_account
        trial.install("amo_dropbox")
        assert installed(account) == before | {"amo_asterisk", "amo_dropbox"}
        assert trial.changes().to_numpy().tolist() == [
            ["amo_asterisk", "is_active_in_account", False, True],
            ["amo_dropbox", "is_active_in_account", False, True],
        ]
    assert installed(account) == before
    assert trial.changes().empty


def test_a_widget_is_as_good_as_its_code(account: Account) -> None:
    """A trial installs a widget that the account gave as its code; how it was before is asked anew."""
    dropbox = account.widget("amo_dropbox")
    with amo.trial(account) as trial:
        assert trial.install(dropbox).is_active_in_account
        assert trial.log["code"].tolist() == ["amo_dropbox"]
    assert not account.widget("amo_dropbox").is_active_in_account
    account.install(dropbox)
    with amo.trial(account) as trial, pytest.raises(errors.TrialError, match="amo_dropbox was installed before"):
        trial.install(dropbox)


def test_newest_first(account: Account, changing: Sandbox) -> None:
    """A trial is undone in the opposite order."""
    with amo.trial(account) as trial:
        for code in ("amo_mailchimp", "amo_dropbox", "amo_mailchimp"):
            trial.install(code)
        before = len(changing.requests)
    ended = [logged.target.rpartition("/")[2] for logged in changing.requests[before:] if logged.method == "DELETE"]
    assert ended == ["amo_mailchimp", "amo_dropbox"]


def test_log(account: Account) -> None:
    """The log tells what was done and how it went, with masked settings."""
    with amo.trial(account) as trial:
        trial.install("amo_asterisk", ASTERISK)
        trial.uninstall("amo_asterisk")
        with pytest.raises(errors.ValidationFailed):
            trial.install("amo_asterisk", {**ASTERISK, "phones": {77: "1"}})
    assert trial.log[["action", "code", "outcome"]].to_numpy().tolist() == [
        ["install", "amo_asterisk", "done"],
        ["uninstall", "amo_asterisk", "done"],
        ["install", "amo_asterisk", "ValidationFailed"],
    ]
    assert trial.log["settings"][0] == "Settings(login=***, password=***, phones=***, script_path=***)"
    assert SECRET not in trial.log.to_csv()
    assert repr(trial) == "<Trial on sandbox on this machine: 3 steps, ended>"


@pytest.mark.parametrize("crash", [ValueError, KeyboardInterrupt, SystemExit])
def test_undone_after_an_exception(account: Account, crash: type[BaseException]) -> None:
    """An exception, a Ctrl-C or an exit inside the trial is undone, and goes on."""
    before = installed(account)
    with pytest.raises(crash), amo.trial(account) as trial:
        trial.install("amo_dropbox")
        raise crash
    assert installed(account) == before


def test_undone_after_a_change_of_folder(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial whose process goes to another folder finds its journal all the same."""
    before = installed(account)
    monkeypatch.setenv("AMOEXPLORE_STATE", os.path.relpath(tmp_path / "state"))
    with amo.trial(account) as trial:
        trial.install("amo_dropbox")
        monkeypatch.chdir(tmp_path)
    assert installed(account) == before


def test_interrupted_in_the_middle_of_a_write(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel interrupt after the request has left, before the answer is read, is undone."""
    before = installed(account)
    send = account._transport.send

    def interrupted(request: Any) -> Any:
        send(request)
        monkeypatch.undo()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), amo.trial(account) as trial:
        monkeypatch.setattr(account._transport, "send", interrupted)
        trial.install("amo_dropbox")
    assert trial.log["outcome"].tolist() == ["KeyboardInterrupt"]
    assert installed(account) == before


@pytest.mark.parametrize("action", ["install", "uninstall"])
def test_what_can_not_be_brought_back_is_refused(account: Account, changing: Sandbox, action: str) -> None:
    """Settings of a widget that was there before can't be read, so a trial leaves it alone unless told otherwise."""
    account.install("amo_dropbox", {"conf": "1"})
    before = len(changing.requests)
    with amo.trial(account) as trial, pytest.raises(errors.TrialError, match="was installed before this trial"):
        getattr(trial, action)("amo_dropbox")
    assert {logged.method for logged in changing.requests[before:]} == {"GET"}
    with amo.trial(account) as trial:
        getattr(trial, action)("amo_dropbox", allow_loss=True)
    assert account.widget("amo_dropbox").is_active_in_account == (action == "install")


def test_one_trial_at_a_time(account: Account) -> None:
    """The second trial on an account is refused, and told who holds it; afterwards it may begin."""
    with amo.trial(account):
        with pytest.raises(errors.TrialError, match=r"another trial is open, begun \d{4}-.* by process \d+"):
            amo.trial(account).__enter__()
        with pytest.raises(errors.TrialError, match="another trial is open"):
            amo.unfinished_trials(account)
    with amo.trial(account) as trial:
        trial.install("amo_dropbox")


def test_a_trial_has_a_beginning_and_an_end(account: Account) -> None:
    """Outside its with statement a trial does nothing."""
    trial = amo.trial(account)
    for _ in range(2):
        with pytest.raises(errors.TrialError, match="inside its with statement"):
            trial.install("amo_dropbox")
        with amo.trial(account) as trial:
            pass


def test_read_only(changing: Sandbox) -> None:
    """A trial on a read-only account does not even begin."""
    with pytest.raises(errors.ReadOnly), amo.trial(Account(changing.url, changing.token, write=False)):
        pytest.fail("it began")


def test_a_trial_that_can_not_be_undone() -> None:
    """Where undoing fails the error says what is left, and the journal lets it go on later."""
    state = {"installed": False, "broken": True}

    def script(request: Any) -> bytes:
        if request.method == "DELETE":
            if state["broken"]:
                return problem(403)
            state["installed"] = False
            return no_content()
        state["installed"] |= request.method == "POST"
        return answer(widget(1, settings_template=[], is_active_in_account=state["installed"]))

    with ScriptedServer(script) as server:
        account = server.account()
        with pytest.raises(errors.TrialError, match=r"is not undone, widgets may still be installed:\n  widget_1: "):
            with amo.trial(account) as trial:
                trial.install("widget_1")
        with pytest.raises(errors.TrialError, match="was cut off and may have left widget_1 installed"):
            amo.trial(account).__enter__()
        (unfinished,) = amo.unfinished_trials(account)
        assert "widget_1" in repr(unfinished)
        assert "widget_1" in unfinished._repr_html_()
        with pytest.raises(errors.TrialError):
            unfinished.undo()
        state["broken"] = False
        unfinished.undo()
        assert state == {"installed": False, "broken": False}
        assert amo.unfinished_trials(account) == []


def test_a_widget_that_is_gone_needs_no_undoing() -> None:
    """A widget that left the marketplace in the middle of a trial is not installed any more."""
    gone = threading.Event()

    def script(request: Any) -> bytes:
        if gone.is_set():
            return no_content() if "?" in request.target else problem(404)
        return answer(widget(1, settings_template=[], is_active_in_account=request.method == "POST"))

    with ScriptedServer(script) as server:
        with amo.trial(server.account()) as trial:
            trial.install("widget_1")
            gone.set()
        assert amo.unfinished_trials(server.account()) == []


def test_an_account_that_is_gone_is_not_undone(account: Account, changing: Sandbox) -> None:
    """Where all is 404, as where an account has moved from, no widget is taken for one that is gone."""
    before = installed(account)
    with ExitStack() as moved:
        with pytest.raises(errors.TrialError, match=r"is not undone, .*\n  amo_dropbox: .*/api/v4/widgets\?.* 404"):
            with amo.trial(account) as trial:
                trial.install("amo_dropbox")
                moved.enter_context(changing.faults.moved(host="localhost"))
    amo.unfinished_trials(account)[0].undo()
    assert installed(account) == before


def test_a_widget_that_has_become_private_is_undone() -> None:
    """A widget that is no more to be had by its code is uninstalled if the list says that it is installed."""
    state = {"public": True, "installed": False}

    def script(request: Any) -> bytes:
        if request.method != "GET":
            state["installed"] = request.method == "POST"
        shown = widget(1, settings_template=[], is_active_in_account=state["installed"])
        if "?" in request.target:
            return answer(listing([widget(2), shown]))
        return problem(404) if request.method == "GET" and not state["public"] else answer(shown)

    with ScriptedServer(script) as server:
        with amo.trial(server.account()) as trial:
            trial.install("widget_1")
            state["public"] = False
        assert not state["installed"]


def test_lost_answers_are_undone() -> None:
    """An install whose answer was lost is found and undone."""
    state = {"installed": False}

    def script(request: Any) -> bytes:
        if request.method != "GET":
            state["installed"] = request.method == "POST"
            return DROP if state["installed"] else no_content()
        return answer(widget(1, settings_template=[], is_active_in_account=state["installed"]))

    with ScriptedServer(script) as server:
        with pytest.raises(errors.OutcomeUnknown), amo.trial(server.account()) as trial:
            trial.install("widget_1")
        assert not state["installed"]


def test_lost_answers_of_an_uninstall_need_no_waiting() -> None:
    """An uninstall whose answer was lost leaves nothing that could still be installed."""
    state = {"installed": False}

    def script(request: Any) -> bytes:
        if request.method != "GET":
            state["installed"] = request.method == "POST"
        shown = answer(widget(1, settings_template=[], is_active_in_account=state["installed"]))
        return DROP if request.method == "DELETE" else shown

    with ScriptedServer(script) as server:
        with pytest.raises(errors.OutcomeUnknown), amo.trial(server.account()) as trial:
            trial.install("widget_1")
            trial.uninstall("widget_1")
        assert amo.unfinished_trials(server.account()) == []


def test_a_refusal_takes_back_its_own_intent_only(account: Account) -> None:
    """What is refused at last does not make the trial forget what was done before."""
    account.install("amo_asterisk", ASTERISK)
    with amo.trial(account) as trial:
        trial.install("amo_dropbox")
        with pytest.raises(errors.ValidationFailed):
            trial.install("amo_asterisk", {**ASTERISK, "phones": {77: "1"}}, allow_loss=True)
    assert not account.widget("amo_dropbox").is_active_in_account
    assert account.widget("amo_asterisk").is_active_in_account


def test_threads_take_a_step_at_a_time(account: Account, changing: Sandbox) -> None:
    """What one thread is refused takes back nothing of another's; what is under way at the end is undone, too."""
    refused: list[BaseException] = []

    def install() -> None:
        try:
            trial.install("amo_dropbox")
        except errors.PaymentRequired as error:
            refused.append(error)

    faults = changing.faults
    with (
        faults.latency(seconds=0.5, method="POST", path="/api/v4/widgets/amo_dropbox"),
        faults.payment_required(method="POST", path="/api/v4/widgets/amo_dropbox"),
    ):
        with amo.trial(account) as trial:
            thread = threading.Thread(target=install)
            thread.start()
            while trial.log.empty:
                threading.Event().wait(0.01)
            trial.install("amo_mailchimp")
            last = threading.Thread(target=trial.install, args=["amo_asterisk", ASTERISK])
            last.start()
            while len(trial.log) < 3:
                threading.Event().wait(0.01)
        thread.join()
        last.join()
    assert len(refused) == 1
    assert not {"amo_dropbox", "amo_mailchimp", "amo_asterisk"} & installed(account)


def test_the_journal_holds_no_settings(account: Account, tmp_path: Path) -> None:
    """What was typed into a trial is in no file, while it runs and after it."""
    with amo.trial(account) as trial:
        trial.install("amo_asterisk", ASTERISK)
        texts = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert any("amo_asterisk" in text for text in texts)
    assert SECRET not in "".join(texts)
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] in ([], [".lock"])


def test_tracebacks_do_not_show_settings(account: Account) -> None:
    """A traceback with the locals of every frame of the trial holds no value of a setting."""
    with pytest.raises(errors.ValidationFailed) as raised, amo.trial(account) as trial:
        trial.install("amo_asterisk", {**ASTERISK, "phones": {77: "1"}})
    assert "install" in shown(raised.value)
    assert SECRET not in shown(raised.value)


def test_killed_at_each_step(account: Account, changing: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed at any step, of the trial or of its undoing, loses nothing: another one finishes it."""
    monkeypatch.setattr(trials, "ARRIVAL", 0.3)
    before = installed(account)
    left = 0
    with killed("killed_trial.py", account.url, changing.token) as killed_at:
        steps = killed_at(NEVER) or 0
        assert steps >= 30
        for step in range(steps):
            assert killed_at(step) is None
            for unfinished in amo.unfinished_trials(account):
                left += 1
                undo_when_all_has_arrived(unfinished)
            assert installed(account) == before, f"killed at step {step}"
            with amo.trial(account):
                pass
    assert left > steps / 2


def undo_when_all_has_arrived(unfinished: trials.UnfinishedTrial) -> None:
    """Undo, again and again while a write of the killed process may still be on its way."""
    while True:
        try:
            return unfinished.undo()
        except errors.TrialError as error:
            if "may arrive within" not in str(error):
                raise
            threading.Event().wait(0.05)


def test_a_late_install_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """An install whose answer was lost, and which arrives after the trial's end, is told, found and undone."""
    state = {"installed": False}
    release = threading.Event()

    def script(request: Any) -> bytes:
        if request.method == "POST":
            release.wait()
            state["installed"] = True
        elif request.method == "DELETE":
            state["installed"] = False
            return no_content()
        return answer(widget(1, settings_template=[], is_active_in_account=state["installed"]))

    with ScriptedServer(script) as server:
        account = server.account(timeout=0.2)
        with pytest.raises(errors.TrialError, match="it is not there now, but may arrive within 60 s") as raised:
            with amo.trial(account) as trial:
                trial.install("widget_1")
        assert isinstance(raised.value.__context__, errors.OutcomeUnknown)
        assert "a late request may still arrive" in str(raised.value.__context__)
        (unfinished,) = amo.unfinished_trials(account)
        release.set()
        monkeypatch.setattr(trials, "ARRIVAL", 0)
        while not state["installed"]:
            threading.Event().wait(0.01)
        unfinished.undo()
        assert not state["installed"]


def test_what_was_never_sent_is_not_undone(account: Account) -> None:
    """Settings that are refused, here or by the API, are no install: one made in earnest meanwhile stays."""
    with amo.trial(account) as trial:
        with pytest.raises(errors.SettingsError):
            trial.install("amo_asterisk", {"login": SECRET})
        with pytest.raises(errors.ValidationFailed):
            trial.install("amo_asterisk", {**ASTERISK, "phones": {77: "1"}})
        account.install("amo_asterisk", ASTERISK)
    assert account.widget("amo_asterisk").is_active_in_account


def test_a_trial_is_one_experiment(account: Account) -> None:
    """A trial that has ended, or is open, can't be begun again: it would take its own past for the account's."""
    trial = amo.trial(account)
    with trial, pytest.raises(errors.TrialError, match="A trial is one experiment"):
        trial.__enter__()
    with pytest.raises(errors.TrialError, match="A trial is one experiment"):
        trial.__enter__()


def test_every_widget_is_tried(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one widget can't be brought back the others are, and the error names it alone."""
    uninstall = account.uninstall

    def fails(code: str) -> None:
        if code == "amo_mailchimp":
            raise errors.Forbidden("no")
        uninstall(code)

    monkeypatch.setattr(account, "uninstall", fails)
    with pytest.raises(errors.TrialError, match="amo_mailchimp: no") as raised, amo.trial(account) as trial:
        trial.install("amo_dropbox")
        trial.install("amo_mailchimp")
    assert "amo_dropbox" not in str(raised.value)
    assert not account.widget("amo_dropbox").is_active_in_account
    monkeypatch.undo()
    account.uninstall("amo_mailchimp")


@pytest.mark.parametrize("code", ["a\u2028b", "a\x85b", "ключ"])
@pytest.mark.parametrize("torn", [b"", b'\n{"event": "inte', '\n{"event": "\u0436'.encode()[:-1], b"\n[]", b"\n\xff"])
def test_the_journal_bears_everything(code: str, torn: bytes, tmp_path: Path) -> None:
    """Strange codes, and a line that a crash or a full disk has cut short, lose no other line."""
    journal = Journal("https://example.amocrm.ru")
    journal.hold()
    journal.write(event="begin")
    (path,) = tmp_path.rglob("*.jsonl")
    path.write_bytes(path.read_bytes() + torn)
    journal.write(event="intent", code=code)
    journal.release()
    assert [event.get("code") for event in Journal("https://example.amocrm.ru").events()] == [None, code]


def test_a_journal_that_can_not_be_written(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a journal there is no trial, and the next one is not kept out by the lock of the one that failed."""

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space") as kept:
        patch.setattr(Journal, "write", full)
        amo.trial(account).__enter__()
    with amo.trial(account) as trial:
        trial.install("amo_dropbox")
    assert kept.value is not None
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AMOEXPLORE_STATE", str(tmp_path / "file"))
    with pytest.raises(errors.TrialError, match="AMOEXPLORE_STATE names another folder"):
        amo.trial(account).__enter__()


@pytest.mark.parametrize("flag", [None, "?"])
def test_unknown_is_not_uninstalled(flag: object) -> None:
    """A widget that may be installed, as nobody can tell, is left alone."""
    with answering(answer(widget(1, settings_template=[], is_active_in_account=flag))) as server:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", errors.UnreadableValueWarning)
            with amo.trial(server.account()) as trial, pytest.raises(errors.TrialError, match="was installed before"):
                trial.install("widget_1")
        assert {request.method for request in server.requests} == {"GET"}


def test_a_fork_does_not_undo_its_parents_trial(account: Account) -> None:
    """A process that was forked inside a trial leaves it to the one that began it."""
    with amo.trial(account) as trial:
        trial.install("amo_dropbox")
        trial._process, mine = 0, trial._process
        trial.__exit__(None, None, None)
        with pytest.raises(errors.TrialError, match="inside its with statement"):
            trial.uninstall("amo_dropbox")
        trial._process = mine
        assert account.widget("amo_dropbox").is_active_in_account
    assert not account.widget("amo_dropbox").is_active_in_account


def test_a_trial_may_end_in_another_thread(account: Account) -> None:
    """The lock is of the trial, not of the thread that began it."""
    trial = amo.trial(account).__enter__()
    thread = threading.Thread(target=trial.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    assert amo.unfinished_trials(account) == []


def test_one_account_by_two_names(account: Account, changing: Sandbox) -> None:
    """Localhost is this machine, and :443 is what https means anyway."""
    other = Account(changing.url.replace("127.0.0.1", "localhost"), changing.token)
    with amo.trial(account), pytest.raises(errors.TrialError, match="another trial is open"):
        amo.trial(other).__enter__()
    assert Account("https://example.amocrm.ru:443", "x").url == "https://example.amocrm.ru"


def test_a_trial_in_another_process(account: Account, changing: Sandbox) -> None:
    """A trial keeps out other processes, too, and says which one holds the account."""
    code = (
        "import sys, amoexplore as amo\n"
        "with amo.trial(amo.Account(*sys.argv[1:])): print('begun', flush=True); sys.stdin.read()"
    )
    with program(sys.executable, "-c", code, account.url, changing.token, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(errors.TrialError, match=f"by process {process.pid}"):
            amo.trial(account).__enter__()
        process.stdin.close()
    assert amo.unfinished_trials(account) == []


def test_a_stale_unfinished_trial_undoes_no_other(account: Account, changing: Sandbox) -> None:
    """What was found before another trial came is not taken for that one."""
    with killed("killed_trial.py", account.url, changing.token) as killed_at:
        killed_at(6)
        (stale,) = amo.unfinished_trials(account)
        Journal(account.url).remove()
        killed_at(6)
    with pytest.raises(errors.TrialError, match="this trial is history"):
        stale.undo()


@pytest.mark.parametrize("where", ["write", "undo"])
def test_interrupted_by_a_signal(account: Account, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """A real SIGINT, in the middle of a write or of the undoing, leaves nothing that can't be undone."""
    monkeypatch.setattr(trials, "ARRIVAL", 0)
    before = installed(account)
    send = account._transport.send
    wanted = "POST" if where == "write" else "DELETE"

    def interrupted(request: Any) -> Any:
        if request.method == wanted:
            monkeypatch.setattr(account._transport, "send", send)
            signal.raise_signal(signal.SIGINT)
        return send(request)

    monkeypatch.setattr(account._transport, "send", interrupted)
    with pytest.raises(KeyboardInterrupt) as raised, amo.trial(account) as trial:
        trial.install("amo_dropbox")
    for unfinished in amo.unfinished_trials(account):
        assert "unfinished_trials(account)[0].undo()" in raised.value.__notes__[0]
        unfinished.undo()
    assert installed(account) == before
