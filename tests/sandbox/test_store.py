from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from amoexplore.sandbox.account import ADMINISTRATOR, USERS
from amoexplore.sandbox.answers import account_widget
from amoexplore.sandbox.catalog import Install, catalogue
from amoexplore.sandbox.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amoexplore.sandbox.account import User


@pytest.fixture
def store() -> Iterator[Store]:
    """Return a store in memory."""
    with closing(open_store(":memory:", seed=3, size=200)) as opened:
        yield opened


def test_keeps_the_catalogue_as_it_is(store: Store) -> None:
    """What the catalogue yields comes back equal, by list and by code."""
    entries = list(catalogue(seed=3, size=200))
    assert [store.find(entry.widget.code) for entry in entries] == entries


@pytest.mark.parametrize("user", USERS)
def test_lists_what_the_entry_says(store: Store, user: User) -> None:
    """The list in SQL is the list that `Entry.is_listed_for` tells."""
    expected = [entry for entry in catalogue(seed=3, size=200) if entry.is_listed_for(user)]
    assert store.listed(user, offset=0, limit=1000) == expected


def test_slices(store: Store) -> None:
    """A list from an offset on is that part of the whole list, nothing past its end."""
    everything = store.listed(ADMINISTRATOR, offset=0, limit=1000)
    assert store.listed(ADMINISTRATOR, offset=50, limit=30) == everything[50:80]
    assert store.listed(ADMINISTRATOR, offset=999_999_998 * 250, limit=251) == []


def test_finds_nothing_for_an_unknown_code(store: Store) -> None:
    """There is None for a code that no widget has, whatever is in it."""
    assert store.find("'; DROP TABLE widgets; --\0") is None


def test_installs_and_uninstalls(store: Store) -> None:
    """What was installed is found as it was given, replaced by a second install, and gone when it is uninstalled."""
    for install in (Install({"conf": "1"}, 7), Install({}, None)):
        store.install("amo_dropbox", install)
        entry = store.find("amo_dropbox")
        assert entry is not None
        assert entry.install == install
    store.uninstall("amo_dropbox")
    store.uninstall("amo_dropbox")
    assert store.find("amo_dropbox") == next(iter(catalogue(seed=3, size=200)))


def test_shows_no_settings() -> None:
    """No value of a setting is in a repr, also not in that of what has an install, nor in that of an answer."""
    entry = replace(next(iter(catalogue(seed=0, size=1))), install=Install({"password": "sesame"}, 7))
    assert repr(entry.install) == "Install(settings=***, pipeline_id=7)"
    assert "sesame" not in repr(entry)
    assert "sesame" not in repr(account_widget(entry, "", with_settings=True))


def test_names_a_widget_with_integration(store: Store) -> None:
    """The widget that it names is linked with an integration, and installed."""
    code = store.code_with_integration()
    assert code is not None
    entry = store.find(code)
    assert entry is not None
    assert entry.widget.client_uuid
    assert entry.install


def test_names_none_without_integrations() -> None:
    """The page's widgets have no integration."""
    with closing(open_store(":memory:", seed=0, size=3)) as store:
        assert store.code_with_integration() is None


def test_file_says_what_it_has(tmp_path: Path) -> None:
    """A state file is a SQLite database that can be read: widgets and where they are from, installs, bots."""
    path = tmp_path / "state.db"
    open_store(str(path), seed=0, size=100).close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT source FROM widgets WHERE code = 'amo_dropbox'").fetchone() == ("page",)
        assert database.execute("SELECT count(*) FROM installs").fetchone() > (0,)


def test_file_keeps_what_is_there_until_reset(tmp_path: Path) -> None:
    """A file that is opened again has what it had; reset brings the beginning back."""
    path = tmp_path / "state.db"
    open_store(str(path), seed=0, size=10).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM widgets WHERE code = 'amo_dropbox'")
    with closing(open_store(str(path), seed=0, size=10)) as store:
        assert len(store.listed(ADMINISTRATOR, offset=0, limit=50)) == 9
        store.reset()
        assert len(store.listed(ADMINISTRATOR, offset=0, limit=50)) == 10


@pytest.mark.parametrize(("seed", "size"), [(1, 10), (0, 11)])
def test_refuses_a_file_of_another_origin(tmp_path: Path, seed: int, size: int) -> None:
    """A file of another seed or size is refused, and the message says of which it is."""
    path = str(tmp_path / "state.db")
    open_store(path, seed=0, size=10).close()
    with pytest.raises(ValueError, match=r"seed 0, size 10, not .*name another file"):
        open_store(path, seed=seed, size=size)


def test_refuses_what_is_no_state(tmp_path: Path) -> None:
    """A text, and a database of something else, are refused and left as they are."""
    text, database = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("remember the milk " * 100, encoding="utf-8")
    with closing(sqlite3.connect(database)) as other:
        other.execute("CREATE TABLE notes (note TEXT)")
    before = text.read_bytes(), database.read_bytes()
    for path in (text, database):
        with pytest.raises(ValueError, match="no sandbox's state; name another file"):
            open_store(str(path), seed=0, size=10)
    assert (text.read_bytes(), database.read_bytes()) == before


def test_refuses_what_is_damaged(tmp_path: Path) -> None:
    """A state that does not say what it is of, or that was cut off, is refused with what to do."""
    path = tmp_path / "state.db"
    open_store(str(path), seed=0, size=10).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM meta")
    with pytest.raises(ValueError, match="no sandbox's state; name another file"):
        open_store(str(path), seed=0, size=10)
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(ValueError, match="malformed; name another file"):
        open_store(str(path), seed=0, size=10)


def test_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The message says that the folder has to exist."""
    with pytest.raises(ValueError, match="folder that exists"):
        open_store(str(tmp_path / "nowhere" / "state.db"), seed=0, size=10)


def test_refuses_a_file_that_is_in_use(tmp_path: Path) -> None:
    """Two sandboxes can't have one file."""
    path = str(tmp_path / "state.db")
    with closing(open_store(path, seed=0, size=10)), pytest.raises(ValueError, match="another sandbox has it open"):
        open_store(path, seed=0, size=10)
