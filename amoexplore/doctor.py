"""What may be wrong with the installation, the account and its token, and what to do about it."""

from __future__ import annotations

import os
import platform
import re
import stat
import time
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from amoexplore import pairs
from amoexplore.connections import URL_VARIABLE, connect, is_configured, token_for
from amoexplore.errors import AmoError, Forbidden, TrialError
from amoexplore.files import STATE_VARIABLE, state_folder
from amoexplore.trials import unfinished_trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amoexplore.account import Account
    from amoexplore.models import Me

_PACKAGES: Final = ("amoexplore", "pandas", "pyarrow", "matplotlib", "ipywidgets", "jupyterlab", "keyring")
_SETTING: Final = Path("@jupyter-widgets", "jupyterlab-manager", "plugin.jupyterlab-settings")
_WEEK: Final = 7 * 86_400


class Finding(Struct, frozen=True):
    """One thing that was looked at; with an advice, something is wrong."""

    what: str
    said: str
    advice: str = ""

    @property
    def is_wrong(self) -> bool:
        """Whether something is to be done."""
        return bool(self.advice)

    def __str__(self) -> str:
        head = f"{'!!' if self.advice else 'ok'}  {self.what:<16}{self.said}"
        return f"{head}\n    {'':<16}→ {self.advice}" if self.advice else head


def findings(url: str | None = None) -> Iterator[Finding]:
    """Yield what is found, as it is found; the account's answers come last.

    Parameters
    ----------
    url : str, optional
        The account's address; by default the environment's.
    """
    yield Finding("Python", platform.python_version())
    yield from map(_package, _PACKAGES)
    yield from _looked_at(
        "widget state", _widget_state, "Give yourself the right to read it, or remove it: JupyterLab makes a new one."
    )
    yield from _looked_at(
        "tokens", _folders, f"Give yourself the right to it, or set {STATE_VARIABLE} to another folder."
    )
    try:
        account = _account(url)
    except (AmoError, OSError) as error:
        yield Finding("account", "can't be connected to", str(error))
        return
    if account is None:
        yield Finding(
            "account", f"none is set, so connect() starts a sandbox; for a real one: {URL_VARIABLE}, and a login"
        )
        return
    yield from _about(account)


def _package(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "not installed; it is optional")


def _looked_at(what: str, look: Callable[[], Iterator[Finding]], advice: str) -> Iterator[Finding]:
    """Yield what is found, at last that something can't be looked at."""
    try:
        yield from look()
    except OSError as error:
        yield Finding(what, f"can't be read: {error}", advice)


def _widget_state() -> Iterator[Finding]:
    config = Path(os.environ.get("JUPYTER_CONFIG_DIR") or Path.home() / ".jupyter")
    path = Path(os.environ.get("JUPYTERLAB_SETTINGS_DIR") or config / "lab" / "user-settings") / _SETTING
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    is_saved = re.search(r'"saveState"\s*:\s*true', re.sub(r"//.*|/\*(.|\n)*?\*/", "", text))
    if not is_saved:
        yield Finding("widget state", "JupyterLab does not save it")
        return
    yield Finding(
        "widget state",
        "JupyterLab saves it: what is typed into a form's open fields may come to stand in the notebook",
        'Untick "Save Widget State Automatically" in JupyterLab\'s menu Settings.',
    )


def _folders() -> Iterator[Finding]:
    state, folder = state_folder(), pairs.folder()
    there = next(path for path in (state, *state.parents) if path.exists())
    if not there.is_dir():
        yield Finding("state folder", f"{there} is no folder", f"Set {STATE_VARIABLE} to one: tokens are stored there.")
        return
    if not state.exists() or os.name != "posix":
        yield Finding("state folder", str(state))
        return
    advice = f"chmod go-w {state}: others could replace what lies there." if _mode(state) & 0o022 else ""
    yield Finding("state folder", f"{state}, mode {_mode(state):o}", advice)
    for path in (folder, *folder.iterdir()) if folder.exists() else ():
        wanted = 0o700 if path.is_dir() else 0o600
        advice = f"chmod {wanted:o} {path}, and log in anew: others could read it." if _mode(path) & ~wanted else ""
        yield Finding("tokens", f"{path}, mode {_mode(path):o}", advice)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _account(url: str | None) -> Account | None:
    if url is None and not is_configured():
        return None
    url = os.environ[URL_VARIABLE] if url is None else url
    token = token_for(url)
    return connect(url, token)


def _about(account: Account) -> Iterator[Finding]:
    try:
        me = account.me()
    except AmoError as error:
        yield Finding("account", f"{account.host} does not let in", str(error))
        return
    yield Finding("account", f"{account.host} answers: {me.name}, id {me.id}")
    yield _token(account)
    yield _user(account, me)
    yield from _rights(account)
    yield Finding("writing", "open: installs are let through" if account.writable else "read-only")
    yield _trials(account)


def _token(account: Account) -> Finding:
    token, until = account.token, _date(account.token.expires_at)
    kind = "by OAuth, renewed by itself" if token.is_renewed else "long-lived"
    if until is None:
        return Finding("token", f"{kind}; it does not say until when it is good")
    said = f"{kind}; good until {until:%Y-%m-%d %H:%M %Z}"
    if token.is_renewed or until.timestamp() > time.time() + _WEEK:
        return Finding("token", said)
    return Finding("token", said, "Make a new one on the integration's Keys tab, before this one ends.")


def _date(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds).astimezone()
    except (OSError, OverflowError, ValueError):  # a number that no calendar has
        return None


def _user(account: Account, me: Me) -> Finding:
    try:
        user = next((user for user in account.users() if user.id == me.current_user_id), None)
    except Forbidden:
        return Finding("user", f"id {me.current_user_id}, no administrator: installing needs one's token")
    except AmoError as error:
        return Finding("user", f"id {me.current_user_id}, whose name can't be read", str(error))
    if user is None:
        return Finding("user", f"id {me.current_user_id}, who is none of the account's users")
    rank = (
        "administrator, who may install" if user.rights.is_admin else "no administrator: installing needs one's token"
    )
    return Finding("user", f"{user.name}, id {user.id}, {rank}")


def _rights(account: Account) -> Iterator[Finding]:
    reads: dict[str, Callable[[], object]] = {
        "widgets": lambda: account.widgets_page(limit=1),
        "users": account.users,
        "pipelines": account.pipelines,
    }
    for what, read in reads.items():
        try:
            read()
        except Forbidden:
            yield Finding(what, "not for this user")
        except AmoError as error:
            yield Finding(what, "can't be read", str(error))
        else:
            yield Finding(what, "can be read")


def _trials(account: Account) -> Finding:
    try:
        left = len(unfinished_trials(account))
    except TrialError as error:
        return Finding("trials", "one is open, or no journal can be kept", str(error) if error.__cause__ else "")
    if not left:
        return Finding("trials", "none is unfinished")
    return Finding("trials", f"{left} unfinished", "amo.unfinished_trials(account)[0].undo() finishes it.")
