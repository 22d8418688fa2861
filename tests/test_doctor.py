from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from pairs_of import stored
from scripted import answer, answering

import amoexplore as amo
from amoexplore import Sandbox, doctor
from amoexplore.cli import main
from amoexplore.sandbox.jwt import unverifiable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amoexplore.doctor import Finding


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return a sandbox of its own for each test."""
    with Sandbox(size=3) as running:
        yield running


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set a folder for JupyterLab's settings, and return the file of those of widgets."""
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(tmp_path))
    path = tmp_path / "@jupyter-widgets" / "jupyterlab-manager" / "plugin.jupyterlab-settings"
    path.parent.mkdir(parents=True)
    return path


def connected(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, token: str = "") -> None:
    """Set the environment to an account."""
    monkeypatch.setenv("AMOEXPLORE_URL", sandbox.url)
    monkeypatch.setenv("AMOEXPLORE_TOKEN", token)


def found() -> dict[str, Finding]:
    """Return what the doctor finds."""
    return {finding.what: finding for finding in doctor.findings()}


def wrong() -> dict[str, str]:
    """Return what the doctor advises."""
    return {finding.what: finding.advice for finding in doctor.findings() if finding.is_wrong}


def test_all_is_well(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Where all is well the status is 0, and each line says what was seen; no secret is among it."""
    pair = stored(sandbox)
    connected(monkeypatch, sandbox)
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    for words in (
        "ok  amoexplore      0.1.0",
        "ok  pandas          3.",
        "ok  widget state    JupyterLab does not save it",
        f"ok  state folder    {tmp_path / 'state'}, mode 7",
        "ok  token           by OAuth, renewed by itself; good until 20",
        "administrator, who may install",
        "ok  widgets         can be read",
        "ok  users           can be read",
        "ok  pipelines       can be read",
        "ok  trials          none is unfinished",
    ):
        assert words in said
    assert "!!" not in said
    assert not [text for text in (pair.access_token, pair.refresh_token, pair.client_secret) if text in said]


def test_no_account() -> None:
    """Without an account all may be well: connect() has its sandbox."""
    assert "connect() starts a sandbox" in found()["account"].said
    assert wrong() == {}


def test_no_token(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An account without a token makes a status of 1, and the advice says how to log in."""
    connected(monkeypatch, sandbox)
    assert main(["doctor"]) == 1
    assert "→ There is an address but a token is missing" in capsys.readouterr().out


def test_another_accounts_token(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of another account is sent nowhere; one that is stored for the account is used."""
    connected(monkeypatch, sandbox, sandbox.token)
    finding = list(doctor.findings("https://example.amocrm.ru"))[-1]
    assert "a token goes to its own account only" in finding.advice
    stored(sandbox)
    monkeypatch.setenv("AMOEXPLORE_URL", "https://example.amocrm.ru")
    assert main(["doctor", "--account", sandbox.url]) == 0


def test_nobody_is_there(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """A host that can't be reached, or does not let in, is told with the error's own advice."""
    connected(monkeypatch, sandbox, "revoked")
    assert "check AMOEXPLORE_TOKEN" in wrong()["account"]
    sandbox.stop()
    assert "Nothing answers at" in wrong()["account"]


def test_blocked(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """A blocked account is told as everywhere."""
    connected(monkeypatch, sandbox, sandbox.token)
    with sandbox.faults.blocked():
        assert "stop all integrations" in wrong()["account"]


def test_an_analysts_token(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user may not do is no fault, but it is told."""
    connected(monkeypatch, sandbox, sandbox.analyst_token)
    assert wrong() == {}
    assert "no administrator" in found()["user"].said
    assert (found()["users"].said, found()["widgets"].said) == ("not for this user", "can be read")


def test_what_cannot_be_read(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What should be readable and is not, is told one by one."""
    connected(monkeypatch, sandbox, sandbox.token)
    with sandbox.faults.internal_server_error(path="/api/v4/users"):
        assert wrong().keys() == {"user", "users"}


@pytest.mark.parametrize(("days", "is_wrong"), [(-1, True), (6, True), (8, False)])
def test_the_end_of_a_long_lived_token(days: int, *, is_wrong: bool) -> None:
    """A long-lived token that ends within a week is told in time."""
    token = unverifiable({"exp": int(time.time()) + days * 86_400})
    me = {"id": 1, "name": "Пример", "subdomain": "example", "current_user_id": 2}
    with answering(answer(me)) as server:
        account = amo.Account(server.url, token)
        finding = doctor._token(account)
    assert finding.is_wrong is is_wrong
    assert "long-lived; good until 20" in finding.said
    assert token not in str(finding)


@pytest.mark.parametrize("until", ["1e300", "-1e300", "-62135596801", "NaN", "1e400", "253402300800", '"soon"'])
def test_an_end_that_is_no_date(until: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token whose end no calendar has is one that does not say when it ends; what follows is told as well."""
    payload = urlsafe_b64encode(f'{{"exp": {until}}}'.encode()).decode().rstrip("=")
    with Sandbox(size=3, token=f"head.{payload}.signature") as sandbox:
        connected(monkeypatch, sandbox, sandbox.token)
        told = found()
    assert told["token"].said == "long-lived; it does not say until when it is good"
    assert told["trials"].said == "none is unfinished"


@pytest.mark.parametrize(
    ("text", "is_wrong"),
    [
        ('{"saveState": true}', True),
        ('{\n    // Save\n    "saveState": true\n}', True),
        ('{"saveState": false}', False),
        ('{\n    // "saveState": true\n}', False),
        ('{\n    /* "saveState":\n true */\n}', False),
        ("", False),
    ],
)
def test_widget_state(settings: Path, text: str, *, is_wrong: bool) -> None:
    """JupyterLab's setting that saves what is typed is found where JupyterLab keeps it."""
    settings.write_text(text, encoding="utf-8")
    assert ("Save Widget State" in wrong().get("widget state", "")) is is_wrong


def test_widget_state_that_is_no_text(settings: Path) -> None:
    """Bytes that are no text hide nothing of JupyterLab's settings; a file that can't be read is told."""
    settings.write_bytes(b'{"a": "\xff", "saveState": true}')
    assert "Save Widget State" in wrong()["widget state"]
    settings.unlink()
    settings.mkdir()
    assert wrong().keys() == {"widget state"}
    assert str(settings) in found()["widget state"].said


def test_modes(sandbox: Sandbox, tmp_path: Path) -> None:
    """Tokens that others can read, and a folder that they can write to, are told with the command that closes them."""
    stored(sandbox)
    state = tmp_path / "state"
    path = next((state / "tokens").glob("*.json"))
    assert wrong() == {}
    path.chmod(0o640)
    assert wrong() == {"tokens": f"chmod 600 {path}, and log in anew: others could read it."}
    state.chmod(0o777)
    assert wrong().keys() == {"tokens", "state folder"}


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_state_folder_that_is_none(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be stored is told with the variable that names another place."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("AMOEXPLORE_STATE", str(tmp_path / name))
    assert found()["state folder"].said == f"{tmp_path / 'file'} is no folder"
    assert wrong() == {"state folder": "Set AMOEXPLORE_STATE to one: tokens are stored there."}


def test_a_folder_of_tokens_that_is_none(tmp_path: Path) -> None:
    """Where tokens can't be looked at is told, and all that follows as well."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "tokens").touch()
    assert wrong() == {"tokens": "Give yourself the right to it, or set AMOEXPLORE_STATE to another folder."}
    assert str(tmp_path / "state" / "tokens") in found()["tokens"].said
    assert "account" in found()


def test_an_empty_address(capsys: pytest.CaptureFixture[str]) -> None:
    """An address that a shell made of an unset variable is told as what is none, whatever the environment names."""
    assert main(["doctor", "--account", ""]) == 1
    assert "→ This is no address of an account" in capsys.readouterr().out


def test_a_host_is_enough(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that is named by its host alone, as connect() takes it, is looked at as any other."""
    host = sandbox.url.removeprefix("http://")
    for named in (host, sandbox.url):
        monkeypatch.setenv("AMOEXPLORE_URL", named)
        monkeypatch.setenv("AMOEXPLORE_TOKEN", sandbox.token)
        assert wrong() == {}
        assert main(["doctor", "--account", host]) == 0


def test_unfinished_trials(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial that was cut off is told with what finishes it; one that is open is no fault."""
    connected(monkeypatch, sandbox, sandbox.token)
    with ExitStack() as stack:
        trial = stack.enter_context(amo.trial(amo.connect()))
        trial.install("amo_dropbox")
        assert wrong() == {}
        stack.pop_all()
        trial._journal.release()
        assert "undo()" in wrong()["trials"]
        amo.unfinished_trials(amo.connect())[0].undo()
    assert wrong() == {}
