"""The state of accounts, in SQLite: the marketplace's widgets, installs, bots that wait, what OAuth has granted."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import ExitStack, contextmanager
from copy import copy
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from amoexplore.sandbox.account import FIRST
from amoexplore.sandbox.catalog import Entry, Install, Widget, catalogue, of_another
from amoexplore.sandbox.handlers import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amoexplore.sandbox.account import Account, User

# A widget's own fields are one JSON text: nothing is looked up by them, and they go out as JSON anyway. Widgets are
# there once for all accounts, an account's private ones as well: they are known by who has uploaded or installed them.
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
    "installs": """
        account INTEGER NOT NULL,
        code TEXT NOT NULL,
        settings TEXT NOT NULL,
        pipeline_id INTEGER,
        PRIMARY KEY (account, code)
    """,
    # A bot waits as long as it has no messages.
    "bots": """
        account INTEGER NOT NULL,
        bot TEXT NOT NULL,
        bot_id INTEGER NOT NULL,
        continue_id INTEGER NOT NULL,
        steps TEXT NOT NULL,
        messages TEXT,
        PRIMARY KEY (account, bot, bot_id, continue_id)
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

# Lists are ordered by id, and merged from these.
_INDEXES = ("is_public", "uploaded_by")

_ENTRIES = """
    SELECT fields, source, is_public, uploaded_by, settings, pipeline_id
    FROM widgets LEFT JOIN installs ON installs.code = widgets.code AND account = ?
"""

_WAITING = "account = ? AND bot = ? AND bot_id = ? AND continue_id = ? AND messages IS NULL"

# Goes up with every change of the tables: a state file of other tables can't be read.
_SCHEMA = 4

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
    """The state of the first account, for any number of threads.

    Parameters
    ----------
    database
        An open database that may be used from any thread.
    seed, size
        What the catalogue is made from.
    others
        Further accounts.

    Attributes
    ----------
    account
        Whose state it is.
    """

    def __init__(self, database: sqlite3.Connection, *, seed: int, size: int, others: Sequence[Account] = ()) -> None:
        self.account = FIRST
        self._others = others
        self._database = database
        self._seed = seed
        self._size = size
        of_many = f", {len(others) + 1} accounts" if others else ""
        self._origin = f"schema {_SCHEMA}, seed {seed}, size {size}{of_many}"
        self._lock = threading.Lock()

    def of(self, account: Account) -> Store:
        """Return the state of another account, which is in the same database."""
        store = copy(self)
        store.account = account
        return store

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
            origin = self._stored_origin() if tables >= _TABLES.keys() else None
            if not tables:
                self._fill()
            elif origin is None:
                raise ValueError("it is no sandbox's state; name another file")
            elif origin != self._origin:
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
            SELECT id FROM widgets WHERE is_public = 1
            UNION SELECT id FROM widgets WHERE uploaded_by = ?
            UNION SELECT id FROM installs JOIN widgets USING (code) WHERE account = ?
            ORDER BY id LIMIT ? OFFSET ?
        ) ORDER BY id"""  # noqa: S608  # nothing but the constant above is put in
        number = self.account.number
        return [_entry(row) for row in self.execute(query, number, user.id, number, limit, offset)]

    def find(self, code: str) -> Entry | None:
        """Return the widget of this code, whoever may see it."""
        return next(map(_entry, self.execute(f"{_ENTRIES} WHERE widgets.code = ?", self.account.number, code)), None)

    def install(self, code: str, install: Install) -> None:
        """Install the widget of this code, or replace its install."""
        self.execute("REPLACE INTO installs VALUES (?, ?, ?, ?)", *_install_row(self.account, code, install))

    def uninstall(self, code: str) -> None:
        """Undo the install of the widget of this code, if there is one."""
        self.execute("DELETE FROM installs WHERE account = ? AND code = ?", self.account.number, code)

    def start_bot(self, bot: str, bot_id: int | None, continue_id: int | None, *, steps: Sequence[str]) -> BotKey:
        """Let a bot wait, also one that has gone on before; ids that are None are given out."""
        with self.transaction():
            key = BotKey(
                bot,
                bot_id or self._free("bot_id", _FIRST_BOT),
                continue_id or self._free("continue_id", _FIRST_CONTINUE),
            )
            row = (self.account.number, *key, _json(steps))
            self._database.execute("REPLACE INTO bots VALUES (?, ?, ?, ?, ?, NULL)", row)
        return key

    def _free(self, column: str, first: int) -> int:
        """Return an id that no bot has had."""
        query = f"SELECT {column} FROM bots WHERE account = ?"  # noqa: S608  # one of two columns
        taken = {number for (number,) in self._database.execute(query, (self.account.number,))}
        return next(number for number in count(first) if number not in taken)

    def waiting_bot(self, key: BotKey) -> tuple[str, ...] | None:
        """Return the steps of this bot, None if it does not wait."""
        query = f"SELECT steps FROM bots WHERE {_WAITING}"  # noqa: S608  # nothing but the constant is put in
        rows = self.execute(query, self.account.number, *key)
        return next((msgspec.json.decode(steps, type=tuple[str, ...]) for (steps,) in rows), None)

    def continue_bot(self, key: BotKey, messages: Sequence[Message]) -> bool:
        """Keep what the bot said; tells whether it waited, as it does once."""
        query = f"UPDATE bots SET messages = ? WHERE {_WAITING} RETURNING bot_id"  # noqa: S608  # as above
        return bool(self.execute(query, _json(messages), self.account.number, *key))

    def transcripts(self, bot_id: int) -> dict[BotKey, tuple[Message, ...]]:
        """Return what the bots of this id said, in the order of their starts; one that waits said nothing yet."""
        rows = self.execute(
            "SELECT bot, bot_id, continue_id, messages FROM bots WHERE account = ? AND bot_id = ? ORDER BY rowid",
            self.account.number,
            bot_id,
        )
        return {BotKey(*key): msgspec.json.decode(said or "[]", type=tuple[Message, ...]) for *key, said in rows}

    def code_with_integration(self) -> str | None:
        """Return the code of a widget that is linked with an integration, of an installed one if there is any."""
        query = """
            SELECT widgets.code FROM widgets LEFT JOIN installs ON installs.code = widgets.code AND account = ?
            WHERE json_extract(fields, '$.client_uuid') IS NOT NULL
            ORDER BY settings IS NULL, id LIMIT 1
        """
        rows = self.execute(query, self.account.number)
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

    def _stored_origin(self) -> str | None:
        rows = self._database.execute("SELECT value FROM meta WHERE name = 'origin'")
        return next((str(origin) for (origin,) in rows), None)

    def _fill(self) -> None:
        entries = list(catalogue(seed=self._seed, size=self._size))
        for table, columns in _TABLES.items():
            self._database.execute(f"CREATE TABLE {table} ({columns})")
        for column in _INDEXES:
            self._database.execute(f"CREATE INDEX widgets_by_{column} ON widgets ({column})")
        self._database.execute("INSERT INTO meta VALUES ('origin', ?)", (self._origin,))
        self._insert(FIRST, entries, entries)
        for account in self._others:
            own = list(of_another(account, entries, seed=self._seed))
            self._insert(account, own, (entry for entry in own if not entry.is_public))

    def _insert(self, account: Account, entries: Iterable[Entry], new: Iterable[Entry]) -> None:
        """Insert the widgets that are new with an account, and its installs of all that it has."""
        insert = self._database.executemany
        insert("INSERT INTO widgets VALUES (?, ?, ?, ?, ?, ?)", map(_widget_row, new))
        installs = (_install_row(account, entry.widget.code, entry.install) for entry in entries if entry.install)
        insert("INSERT INTO installs VALUES (?, ?, ?, ?)", installs)


def open_store(path: str, *, seed: int, size: int, others: Sequence[Account] = ()) -> Store:
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
            store = Store(database, seed=seed, size=size, others=others)
            store.prepare()
            unwind.pop_all()
    except sqlite3.Error as error:
        remedy = _REMEDIES.get(error.sqlite_errorname, f"{error}; name another file")
        raise ValueError(f"no state in {path}: {remedy}") from error
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


def _install_row(account: Account, code: str, install: Install) -> tuple[Any, ...]:
    return account.number, code, _json(install.settings), install.pipeline_id


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
