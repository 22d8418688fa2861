from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar

import keyring
import pytest
from filelock import FileLock
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked
from pairs_of import exchanges, stored
from tracebacks import shown

import amoexplore as amo
from amoexplore import Sandbox, errors
from amoexplore.pairs import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Keychain(KeyringBackend):
    """A keyring that deletes before it adds, as macOS's does, and may break off in between or be locked."""

    priority = 5  # type: ignore[assignment]
    name = "test"  # type: ignore[assignment]
    kept: ClassVar[dict[tuple[str, str], str]] = {}
    steps = 1000
    is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is kept."""
        if self.is_locked:
            raise KeyringLocked("the keyring is locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self._step()
        self.kept.pop((service, username), None)
        self._step()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Keep it no longer."""
        del self.kept[service, username]

    def _step(self) -> None:
        if not self.steps:
            raise KeyboardInterrupt
        self.steps -= 1


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return a sandbox of its own for each test."""
    with Sandbox(size=3) as running:
        yield running


@pytest.fixture
def keychain() -> Iterator[Keychain]:
    """Make a keyring the system's."""
    before, fake = keyring.get_keyring(), Keychain()
    fake.kept.clear()
    keyring.set_keyring(fake)
    yield fake
    keyring.set_keyring(before)


def test_the_keyring_is_preferred(sandbox: Sandbox, keychain: Keychain, tmp_path: Path) -> None:
    """Where the system has a keyring, pairs lie there, and only locks in files."""
    pair = stored(sandbox, due=True)
    assert amo.connect(sandbox.url).widget("amo_dropbox").id == 742
    assert exchanges(sandbox) == [200, 200]
    assert {path.suffix for path in (tmp_path / "state" / "tokens").iterdir()} == {".lock"}
    assert {service for service, _ in keychain.kept} == {"amoexplore"}
    assert Store(sandbox.url).place == "the system's keyring (test)"
    assert Store(sandbox.url).load() != pair


def test_trying_a_keyring_leaves_nothing(sandbox: Sandbox, keychain: Keychain) -> None:
    """What is saved to see whether anything can be is forgotten again, and the pair that was there is not."""
    stored(sandbox)
    before = dict(keychain.kept)
    Store(sandbox.url).check()
    assert keychain.kept == before


def test_a_save_that_breaks_off_in_the_keyring(sandbox: Sandbox, keychain: Keychain) -> None:
    """However a save breaks off, the keyring has the former pair or the new one, and from one step on the new one."""
    newest = []
    for steps in range(4):
        keychain.steps = 1000
        former, store = stored(sandbox, due=True), Store(sandbox.url)
        pair = Store(sandbox.url).load()
        assert pair == former
        following = stored(sandbox)
        store.save(former)
        keychain.steps = steps
        with pytest.raises(KeyboardInterrupt):
            store.save(following)
        kept = store.load()
        assert kept in {former, following}
        newest.append(kept == following)
    assert newest == [False, False, True, True]


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
def test_no_keyring(sandbox: Sandbox, backend: type[KeyringBackend], tmp_path: Path) -> None:
    """A keyring that fails or forgets is none: pairs lie in files."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend())
    try:
        pair = stored(sandbox)
        assert Store(sandbox.url).load() == pair
    finally:
        keyring.set_keyring(before)
    assert Store(sandbox.url).place == str(tmp_path / "state" / "tokens")
    assert list((tmp_path / "state" / "tokens").glob("*.json"))


@pytest.mark.parametrize("name", ["json.Foo", "json.JSONDecoder", "nothing.of.this.name", ""])
def test_a_keyring_that_is_none(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A keyring that can't be made is told with where it is named and what to do; a token that is given needs none."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    for ask in (lambda: amo.connect(sandbox.url), lambda: stored(sandbox)):
        with pytest.raises(errors.StoreError, match=r"PYTHON_KEYRING_BACKEND.*keyring\.backends\.fail\.Keyring"):
            ask()
    assert amo.connect(sandbox.url, sandbox.token).widget("amo_dropbox").id == 742


def test_keyring_is_not_installed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is one: without it pairs lie in files, and what fails there is told as well."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setitem(sys.modules, "keyring.errors", None)
    pair = stored(sandbox)
    assert Store(sandbox.url).load() == pair
    monkeypatch.setenv("AMOEXPLORE_STATE", "/dev/null")
    with pytest.raises(errors.StoreError, match="can't be locked"):
        stored(sandbox)


def test_a_locked_keyring(sandbox: Sandbox, keychain: Keychain) -> None:
    """A keyring that can't be read is told, with its own words and without a secret."""
    pair = stored(sandbox)
    keychain.is_locked = True
    with pytest.raises(
        errors.StoreError, match=r"can't be read in the system's keyring.*the keyring is locked"
    ) as raised:
        amo.connect(sandbox.url)
    assert pair.access_token not in shown(raised.value)


def test_a_long_wait_is_told(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who waits for tokens that another process has is told which lock that is: its holder may have been stopped."""
    monkeypatch.setattr("amoexplore.pairs._UNTOLD", 0.0)
    monkeypatch.setattr("amoexplore.pairs.PATIENCE", 0.1)
    with Store(sandbox.url).alone():
        with pytest.raises(errors.StoreError, match="can't be locked"), Store(sandbox.url).alone():
            pytest.fail("two at once")
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"{sandbox.url}: another process is at its tokens; waiting for ")
    assert told.endswith(".lock to be free. If that process was stopped, end it.")


def test_a_relative_state_folder(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that goes to another folder renews the pair where it was."""
    monkeypatch.setenv("AMOEXPLORE_STATE", os.path.relpath(tmp_path / "state"))
    former, account = stored(sandbox, due=True), amo.connect(sandbox.url)
    monkeypatch.chdir(tmp_path)
    assert account.widget("amo_dropbox").id == 742
    monkeypatch.setenv("AMOEXPLORE_STATE", str(tmp_path / "state"))
    assert Store(sandbox.url).load() not in {None, former}


def test_ctrl_c_leaves_no_lock(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """KeyboardInterrupt just when the lock was got leaves it to others, also while its traceback lives."""
    acquire, store = FileLock.acquire, Store(sandbox.url)

    def interrupted(lock: FileLock, timeout: float) -> None:
        acquire(lock, timeout)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as raised, ExitStack() as stack:
        patch.setattr(FileLock, "acquire", interrupted)
        stack.enter_context(store.alone())
    assert raised.tb
    monkeypatch.setattr("amoexplore.pairs.PATIENCE", 0.0)
    with store.alone():
        assert store.load() is None
