"""The account's state, in SQLite: the marketplace's widgets, installs, bots that wait, and what OAuth has granted."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from amoexplore.sandbox.catalog import Entry, Install, Widget, catalogue
from amoexplore.sandbox.handlers import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amoexplore.sandbox.account import User

# A widget's own fields are one JSON text: nothing is looked up by them, and they go out as JSON anyway.
_TABLES = {
    "meta": "name TEXT PRIMARY KEY, value TEXT NOT NULL",
    "widgets": """
        id INTEGER PRIMARY KEY,
        code TEXT NOT NULL UNIQUE,
        source TEXT NOT NULL,
        is_public INTEGER NOT NULL,
        uploaded_by INTEGER,
        fields TEXT NOT NULL
    """,
    "installs": "code TEXT PRIMARY KEY, settings TEXT NOT NULL, pipeline_id INTEGER",
    # A bot waits as long as it has no messages.
    "bots": """
        bot TEXT NOT NULL,
        bot_id INTEGER NOT NULL,
        continue_id INTEGER NOT NULL,
        steps TEXT NOT NULL,
        messages TEXT,
        PRIMARY KEY (bot, bot_id, continue_id)
    """,
    # An integration whose secret nobody has told yet has none.
    "integrations": "client_id TEXT PRIMARY KEY, secret TEXT, redirect_uri TEXT NOT NULL",
    # Codes and tokens by their digests; `parent` is what was exchanged for it, `client_id` is nobody's if it is NULL.
    "grants": """
        kind TEXT NOT NULL,
        digest TEXT NOT NULL,
        client_id TEXT,
        user_id INTEGER NOT NULL,
        expires REAL NOT NULL,
        is_revoked INTEGER NOT NULL,
        parent TEXT,
        PRIMARY KEY (kind, digest)
    """,
}

_ENTRIES = """
    SELECT fields, source, is_public, uploaded_by, settings, pipeline_id
    FROM widgets LEFT JOIN installs USING (code)
"""

# Goes up with every change of the tables: a state file of other tables can't be read.
_SCHEMA = 3

# The first ids that are given out: those of the return_url in the API's page on bots.
_FIRST_BOT = 321
_FIRST_CONTINUE = 123

_REMEDIES = {
    "SQLITE_BUSY": "another sandbox has it open; stop that one, or name another file",
    "SQLITE_CANTOPEN": "SQLite can't open it; name a file in a folder that exists and may be written to",
    "SQLITE_NOTADB": "it is no sandbox's state; name another file",
}


class BotKey(NamedTuple):
    """What a bot that waits is found by."""

    bot: str
    bot_id: int
    continue_id: int


class Store:
    """The state of one account, for any number of threads.

    Parameters
    ----------
    database
        An open database that may be used from any thread.
    seed, size
        What the catalogue is made from.
    """

    def __init__(self, database: sqlite3.Connection, *, seed: int, size: int) -> None:
        self._database = database
        self._seed = seed
        self._size = size
        self._origin = f"schema {_SCHEMA}, seed {seed}, size {size}"
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the database; what a state file has stays."""
        with self._lock:
            self._database.close()

    def prepare(self) -> None:
        """Fill an empty database; leave one of the same origin as it is.

        Raises
        ------
        ValueError
            If the database is of another origin, or no sandbox's at all.
        """
        with self.transaction():
            tables = {name for (name,) in self._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                self._fill()
            elif not tables >= _TABLES.keys():
                raise ValueError("it is no sandbox's state; name another file")
            elif (origin := self._stored_origin()) != self._origin:
                raise ValueError(f"it is of {origin}, not of {self._origin}; ask for that, or name another file")

    def reset(self) -> None:
        """Bring everything back to what a new sandbox of this seed and size has."""
        with self.transaction():
            for table in _TABLES:
                self._database.execute(f"DROP TABLE {table}")
            self._fill()

    def listed(self, user: User, *, offset: int, limit: int) -> list[Entry]:
        """Return the user's list from `offset` on: public widgets, installed ones, those uploaded by the user.

        By ascending id, as in the page's example; what is listed is said in its section «Список виджетов».
        """
        query = f"""{_ENTRIES} WHERE id IN (
            SELECT id FROM widgets
            WHERE is_public OR uploaded_by = ? OR code IN (SELECT code FROM installs)
            ORDER BY id LIMIT ? OFFSET ?
        ) ORDER BY id"""  # noqa: S608  # nothing but the constant above is put in
        return [_entry(row) for row in self.execute(query, user.id, limit, offset)]

    def find(self, code: str) -> Entry | None:
        """Return the widget of this code, whoever may see it."""
        return next(map(_entry, self.execute(f"{_ENTRIES} WHERE code = ?", code)), None)

    def install(self, code: str, install: Install) -> None:
        """Install the widget of this code, or replace its install."""
        self.execute("REPLACE INTO installs VALUES (?, ?, ?)", *_install_row(code, install))

    def uninstall(self, code: str) -> None:
        """Undo the install of the widget of this code, if there is one."""
        self.execute("DELETE FROM installs WHERE code = ?", code)

    def start_bot(self, bot: str, bot_id: int | None, continue_id: int | None, *, steps: Sequence[str]) -> BotKey:
        """Let a bot wait, also one that has gone on before; ids that are None are given out."""
        with self.transaction():
            query = "SELECT coalesce(max(bot_id) + 1, ?), coalesce(max(continue_id) + 1, ?) FROM bots"
            ((next_bot, next_continue),) = self._database.execute(query, (_FIRST_BOT, _FIRST_CONTINUE))
            key = BotKey(bot, bot_id or next_bot, continue_id or next_continue)
            self._database.execute("REPLACE INTO bots VALUES (?, ?, ?, ?, NULL)", (*key, _json(steps)))
        return key

    def waiting_bot(self, key: BotKey) -> tuple[str, ...] | None:
        """Return the steps of this bot, None if it does not wait."""
        query = "SELECT steps FROM bots WHERE bot = ? AND bot_id = ? AND continue_id = ? AND messages IS NULL"
        rows = self.execute(query, *key)
        return next((msgspec.json.decode(steps, type=tuple[str, ...]) for (steps,) in rows), None)

    def continue_bot(self, key: BotKey, messages: Sequence[Message]) -> bool:
        """Keep what the bot said; tells whether it waited, as it does once."""
        query = """
            UPDATE bots SET messages = ?
            WHERE bot = ? AND bot_id = ? AND continue_id = ? AND messages IS NULL
            RETURNING bot_id
        """
        return bool(self.execute(query, _json(messages), *key))

    def transcripts(self, bot_id: int) -> dict[BotKey, tuple[Message, ...]]:
        """Return what the bots of this id said, in the order of their starts; one that waits said nothing yet."""
        rows = self.execute(
            "SELECT bot, bot_id, continue_id, messages FROM bots WHERE bot_id = ? ORDER BY rowid", bot_id
        )
        return {BotKey(*key): msgspec.json.decode(said or "[]", type=tuple[Message, ...]) for *key, said in rows}

    def code_with_integration(self) -> str | None:
        """Return the code of a widget that is linked with an integration, of an installed one if there is any."""
        rows = self.execute("""
            SELECT code FROM widgets LEFT JOIN installs USING (code)
            WHERE json_extract(fields, '$.client_uuid') IS NOT NULL
            ORDER BY settings IS NULL, id LIMIT 1
        """)
        return next((code for (code,) in rows), None)

    def execute(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute a statement of its own, and return its rows."""
        with self._lock:
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the database; what is done in it is done at the end, or not at all."""
        with self._lock:
            self._database.execute("BEGIN EXCLUSIVE")
            with self._database:
                yield self._database

    def _stored_origin(self) -> str:
        ((origin,),) = self._database.execute("SELECT value FROM meta WHERE name = 'origin'")
        return str(origin)

    def _fill(self) -> None:
        entries = list(catalogue(seed=self._seed, size=self._size))
        for table, columns in _TABLES.items():
            self._database.execute(f"CREATE TABLE {table} ({columns})")
        insert = self._database.executemany
        insert("INSERT INTO meta VALUES (?, ?)", [("origin", self._origin)])
        insert("INSERT INTO widgets VALUES (?, ?, ?, ?, ?, ?)", map(_widget_row, entries))
        insert("INSERT INTO installs VALUES (?, ?, ?)", itertools.chain.from_iterable(map(_install_rows, entries)))


def open_store(path: str, *, seed: int, size: int) -> Store:
    """Open the state in this file, and fill it if it is new; `:memory:` is no file.

    Raises
    ------
    ValueError
        If the file can't be opened, is of another origin or no sandbox's at all; the message says what to do.
    """
    try:
        with ExitStack() as unwind:
            database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            unwind.callback(database.close)
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            store = Store(database, seed=seed, size=size)
            store.prepare()
            unwind.pop_all()
    except sqlite3.Error as error:
        raise ValueError(f"no state in {path}: {_REMEDIES.get(error.sqlite_errorname, error)}") from error
    except ValueError as error:
        raise ValueError(f"no state in {path}: {error}") from None
    return store


def _entry(row: tuple[Any, ...]) -> Entry:
    fields, source, is_public, uploaded_by, settings, pipeline_id = row
    return Entry(
        widget=msgspec.json.decode(fields, type=Widget),
        source=source,
        is_public=bool(is_public),
        uploaded_by=uploaded_by,
        install=None if settings is None else Install(msgspec.json.decode(settings), pipeline_id),
    )


def _widget_row(entry: Entry) -> tuple[Any, ...]:
    widget = entry.widget
    return widget.id, widget.code, entry.source, entry.is_public, entry.uploaded_by, _json(widget)


def _install_rows(entry: Entry) -> Iterator[tuple[Any, ...]]:
    if entry.install:
        yield _install_row(entry.widget.code, entry.install)


def _install_row(code: str, install: Install) -> tuple[Any, ...]:
    return code, _json(install.settings), install.pipeline_id


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
