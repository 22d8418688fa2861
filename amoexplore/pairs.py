"""Pairs of tokens, and where they are kept: in the system's keyring, or in a file that its owner alone can read."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from amoexplore import files
from amoexplore.errors import StoreError
from amoexplore.models import Body
from amoexplore.retries import CAP
from amoexplore.tokens import MaskedText, masked_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import FileLock
    from keyring.backend import KeyringBackend

#: Seconds to wait for another process that renews the same pair: more than its ten requests at the most may take, each
#: of them after a pause. Nobody waits for one that has died.
PATIENCE: Final = 10 * (CAP + 70)
#: For so many seconds nobody is told of it.
_UNTOLD: Final = 2.0

_SERVICE = "amoexplore"


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """An access token, what renews it, and what that takes; the repr shows no secret.

    Attributes
    ----------
    url : str
        Where the account is.
    client_id, redirect_uri : str
        Of the integration.
    client_secret, access_token, refresh_token : MaskedText
    renew_at, expires_at : float
        When to renew the access token, and until when it is good, in seconds since 1970 by this machine's clock.
    """

    url: str
    client_id: str
    redirect_uri: str
    client_secret: MaskedText
    access_token: MaskedText
    refresh_token: MaskedText
    renew_at: float
    expires_at: float

    def __reduce__(self) -> Any:
        raise TypeError("Tokens are not pickled: they would stand in clear. Connect anew where they are needed.")


class Keeper(Protocol):
    """Something that keeps a text by its name: a whole one, however the process ends that saves another."""

    def load(self, name: str) -> Body | None:
        """Return the text, None if there is none."""

    def save(self, name: str, content: Body) -> None:
        """Keep the text; it outlives the machine's power when this returns."""

    def forget(self, name: str) -> None:
        """Keep the text, which there is, no longer."""


class InFiles:
    """Keeps each text in a file of its own, which its owner alone can read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def load(self, name: str) -> Body | None:
        """Return the text, None if there is none."""
        path = self._folder / f"{name}.json"
        return Body(path.read_bytes()) if path.exists() else None

    def save(self, name: str, content: Body) -> None:
        """Keep the text."""
        files.save_private(self._folder / f"{name}.json", content)

    def forget(self, name: str) -> None:
        """Keep the text no longer."""
        (self._folder / f"{name}.json").unlink()


class InKeyring:
    """Keeps each text in the system's keyring, twice: macOS's deletes what was there before it adds what will be."""

    def __init__(self, keyring: KeyringBackend) -> None:
        self._keyring = keyring

    def __str__(self) -> str:
        return f"the system's keyring ({self._keyring.name})"

    def load(self, name: str) -> Body | None:
        """Return the text, None if there is none."""
        text = self._keyring.get_password(_SERVICE, f"{name} (newest)") or self._keyring.get_password(_SERVICE, name)
        return None if text is None else Body(text.encode())

    def save(self, name: str, content: Body) -> None:
        """Keep the text."""
        for slot in (f"{name} (newest)", name):
            self._keyring.set_password(_SERVICE, slot, MaskedText(content.decode()))

    def forget(self, name: str) -> None:
        """Keep the text no longer."""
        for slot in (f"{name} (newest)", name):
            self._keyring.delete_password(_SERVICE, slot)


def folder() -> Path:
    """Return where pairs are, or the locks of those in the system's keyring."""
    return files.state_folder() / "tokens"


class Store:
    """Where the pair of one account is kept.

    Parameters
    ----------
    url : str
        The address by which its user calls it; the account may have moved since.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._name = re.sub(r"[^a-z0-9.-]", "_", url.partition("://")[2])
        self._folder = folder()

    @property
    def place(self) -> str:
        """Where that is, for people."""
        return str(_keeper(self._folder))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep all other threads and processes out; another thread than entered may leave.

        Raises
        ------
        StoreError
        """
        from filelock import FileLock  # noqa: PLC0415  only a pair that is renewed needs it

        lock = FileLock(self._folder / f"{self._name}.lock", timeout=PATIENCE, mode=0o600, thread_local=False)
        self._try("locked", self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        try:
            self._try("locked", self._acquire, lock)
            yield
        finally:
            lock.release()  # and where Ctrl-C came just as it was got

    def _acquire(self, lock: FileLock) -> None:
        try:
            lock.acquire(min(_UNTOLD, PATIENCE))
        except TimeoutError:
            from tqdm import tqdm  # noqa: PLC0415  seldom needed

            tqdm.write(
                f"{self.url}: another process is at its tokens; waiting for {lock.lock_file} to be free. "
                "If that process was stopped, end it.",
                file=sys.stderr,
            )
            lock.acquire()

    def load(self) -> Pair | None:
        """Return the pair, None if there is none.

        Raises
        ------
        StoreError
        """
        content = self._try("read", _keeper(self._folder).load, self._name)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=Pair, dec_hook=masked_text)
        except ValueError as error:
            why = str(error)
        raise StoreError(
            f"The tokens of {self.url} in {self.place} can't be read: {why}. amoexplore login makes new ones."
        )

    def save(self, pair: Pair) -> None:
        """Keep this pair instead of the former one; when this returns, it is kept. Only who is alone may.

        Raises
        ------
        StoreError
        """
        self._try("saved", _keeper(self._folder).save, self._name, Body(msgspec.json.encode(pair, enc_hook=str)))

    def check(self) -> None:
        """Raise what saving would raise later, when a code has been used up for what is to be saved.

        Raises
        ------
        StoreError
        """
        keeper, name = _keeper(self._folder), f"{self._name} (tried)"
        with self.alone():
            self._try("saved", keeper.save, name, Body(b"{}"))
            self._try("saved", keeper.forget, name)

    def _try(self, what: str, do: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return do(*arguments, **options)
        except _failures() as error:
            why = f"{type(error).__name__}: {error}."
            if isinstance(error, OSError) and not isinstance(error, TimeoutError):  # somebody else has it for long
                why += f" Set {files.STATE_VARIABLE} to another folder for them."
        # Raised here, without the frames below, which hold what was to be saved.
        raise StoreError(f"The tokens of {self.url} can't be {what} in {self.place}: {why}")


def _keeper(folder: Path) -> Keeper:
    keyring = _system_keyring()
    return InKeyring(keyring) if keyring else InFiles(folder)


def _system_keyring() -> KeyringBackend | None:
    """Return the system's keyring, None where there is none, or none that is one.

    Windows' holds 2560 bytes, which is less than a pair; there the file lies in the user's own profile.

    Raises
    ------
    StoreError
        If the one that was chosen can't be made.
    """
    if sys.platform == "win32":
        return None
    try:
        from keyring import get_keyring  # noqa: PLC0415  an extra
    except ImportError:
        return None
    try:
        keyring = get_keyring()
    except Exception as error:  # it imports and calls what it is told to
        raise StoreError(
            "The keyring that PYTHON_KEYRING_BACKEND or keyringrc.cfg names can't be used "
            f"({type(error).__name__}: {error}): install it or name another one. With keyring.backends.fail.Keyring "
            "tokens are kept in files."
        ) from error
    return keyring if keyring.priority >= 1 else None  # as keyring's own documentation has it


def _failures() -> tuple[type[Exception], ...]:
    try:
        from keyring.errors import KeyringError  # noqa: PLC0415  an extra
    except ImportError:
        return (OSError,)
    return (OSError, KeyringError)
