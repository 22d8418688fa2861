from __future__ import annotations

import json
import pickle
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from access import InFile
from pairs_of import stored
from scripted import TOKEN, ScriptedServer, answer, answering, catalogue, listing, problem, widget
from tracebacks import shown
from urllib3.util import connection

import amoexplore as amo
from amoexplore import Account, Sandbox, errors, fleets, members, pacer
from amoexplore.sandbox import Limits
from amoexplore.tokens import MaskedText

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "a-token-that-nobody-may-see"


@pytest.fixture(scope="module")
def many() -> Iterator[Sandbox]:
    """Return a sandbox of several accounts, of which each is two pages of 40."""
    with Sandbox(accounts=6, size=70) as sandbox:
        yield sandbox


def load(accounts: Any, **options: Any) -> amo.Fleet:
    """Load a fleet in small pages."""
    return amo.load_fleet(accounts, **{"limit": 40} | options)


def ours() -> list[str]:
    """Return the names of the threads that a fleet has started and that are still there."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("amoexplore-fleet")]


def test_frames_are_those_of_each_account(many: Sandbox) -> None:
    """The frames of a fleet are those of its catalogues one after the other, each row with its account's host."""
    fleet = load(many.accounts)
    catalogs = {Account(*item).host: amo.load_catalog(Account(*item)) for item in many.accounts.items()}
    for name in ("widgets", "settings"):
        parts = [getattr(catalog, name).assign(account=host) for host, catalog in catalogs.items()]
        expected = pd.concat(parts, ignore_index=True).astype({"account": "str"})
        columns = ["account", *expected.columns.drop("account")]
        pd.testing.assert_frame_equal(expected[columns], getattr(fleet, name))
    assert repr(fleet) == f"<Fleet of 6 accounts, 0 failed, 420 widgets, {len(fleet.settings)} settings>"
    assert "420" in fleet._repr_html_()


def test_report_has_a_row_an_account(many: Sandbox) -> None:
    """The report says of each account what its load took."""
    report = load(many.accounts).report
    assert {name: str(dtype) for name, dtype in report.dtypes.items()} == members.REPORT
    assert report["account"].tolist() == [address.removeprefix("http://") for address in many.accounts]
    assert report[["status", "pages", "requests", "widgets", "unreadable"]].drop_duplicates().to_numpy().tolist() == [
        ["ok", 2, 2, 70, 0]
    ]
    assert report[["error", "advice"]].isna().all(axis=None)
    assert (report["seconds"] > 0).all()


def test_failures_are_rows(many: Sandbox) -> None:
    """What goes wrong with an account stands in its row, with what to do; the others are loaded."""

    def failing(address: str) -> str:
        raise KeyError(f"{SECRET} of {address}")

    def leaving(_: str) -> str:
        sys.exit(SECRET)

    first, second, *_ = many.accounts.items()
    port = many.url.rpartition(":")[2]
    bad: dict[str, Any] = {
        "https://example.evil": SECRET,
        f"nobody.localhost:{port}": SECRET,
        f"a.localhost:{port}": failing,
        f"b.localhost:{port}": lambda _: None,
        f"c.localhost:{port}": None,
        f"d.localhost:{port}": "",
        f"e.localhost:{port}": leaving,
        second[0]: SECRET,
    }
    fleet = load(dict([first]) | bad)
    told = list(zip(fleet.failed["error"], fleet.failed["advice"], strict=True))
    expected = [
        ("ConfigurationError", "This is no address of an account"),
        ("NotFound", "answers 404"),
        ("ConfigurationError", "what was to get it raised KeyError. Call it yourself to see more."),
        ("ConfigurationError", "there is something of type NoneType"),
        ("ConfigurationError", "none is stored here. amo.login('c.localhost"),
        ("ConfigurationError", "The token is empty"),
        ("ConfigurationError", "what was to get it raised SystemExit"),
        ("Unauthorized", "The token is wrong, expired or revoked"),
    ]
    assert [error for error, _ in told] == [error for error, _ in expected]
    assert all(words in advice for (_, advice), (_, words) in zip(told, expected, strict=True))
    assert fleet.report["status"].tolist() == ["ok", *["failed"] * 8]
    assert set(fleet.widgets["account"]) == {first[0].removeprefix("http://")}
    assert SECRET not in fleet.report.to_csv()


@pytest.mark.parametrize("accounts", [[SECRET, SECRET], {SECRET: "a.amocrm.ru"}, [f"https://me:{SECRET}@a.amocrm.ru"]])
def test_what_may_be_a_token_is_not_shown(accounts: Any) -> None:
    """Tokens where addresses belong, and passwords in addresses, are in no report; the row says which it was."""
    fleet = load(accounts)
    assert fleet.failed["account"].tolist() == [f"(number {n}: no address)" for n in range(1, len(accounts) + 1)]
    assert set(fleet.failed["error"]) == {"ConfigurationError"}
    assert SECRET not in fleet.report.to_csv()


def test_requests_of_a_failed_load_are_counted(many: Sandbox) -> None:
    """A load that broke off on its second page tells of both, and has no rows; nor has it an error to go on with."""
    (item, *_) = many.accounts.items()
    with many.faults.payment_required(after=1):
        fleet = load(dict([item]))
    assert fleet.report[["status", "error", "pages", "requests", "widgets"]].to_numpy().tolist() == [
        ["failed", "PaymentRequired", 1, 2, 0]
    ]
    assert fleet.failed["advice"].str.endswith("Check the account's subscription in amoCRM.").all()
    assert fleet.widgets.empty


def test_accounts_may_be_given_in_any_way(many: Sandbox, tmp_path: Path) -> None:
    """Accounts, their tokens, functions that get these, and those that a login has stored give the same frames."""
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps(dict(many.accounts)), encoding="utf-8")
    expected = load(many.accounts).widgets
    for accounts in (
        [Account(*item) for item in many.accounts.items()],
        dict.fromkeys(many.accounts, InFile(str(path))),
        {address: Account(address, token).token for address, token in many.accounts.items()},
    ):
        pd.testing.assert_frame_equal(expected, load(accounts).widgets)


def test_stored_tokens(many: Sandbox) -> None:
    """Addresses are enough for accounts that somebody has logged in to."""
    with Sandbox(size=3) as other:
        for sandbox in (many, other):
            stored(sandbox)
        fleet = load([many.url, other.url.removeprefix("http://")])
    assert fleet.report["widgets"].tolist() == [70, 3]


def test_accounts_of_the_users_stay_open(many: Sandbox) -> None:
    """An account that was given as such is used as it is, and keeps its connection and its own pace."""
    account = Account(*next(iter(many.accounts.items())))
    load([account], total=1000)
    assert account._transport._others is pacer.ALONE
    assert len(amo.load_widgets(account)) == 70


@pytest.mark.parametrize(
    ("accounts", "options", "error", "words"),
    [
        ("example.amocrm.ru", {}, TypeError, "many accounts"),
        ([7], {}, TypeError, "not int"),
        (None, {}, TypeError, "many accounts, in a list or a mapping, not NoneType"),
        (["a.amocrm.ru", "https://A.amocrm.ru"], {}, ValueError, "a.amocrm.ru is there twice"),
        ([], {"total": 0}, ValueError, "total is a whole number"),
        ([], {"total": 1.5}, ValueError, "total is a whole number"),
        ([], {"workers": 0}, ValueError, "workers is a whole number .*, not 0"),
        ([], {"limit": 0}, ValueError, "limit is a whole number from 1 to 250"),
        ([], {"pace": "x"}, ValueError, "pace is a whole number"),
        ([], {"on_bad": "x"}, ValueError, "on_bad is 'coerce' or 'raise'"),
        ([], {"workers": "x"}, ValueError, "workers is a whole number .*, not 'x'"),
        ([], {"engine": "spark"}, ValueError, 'engine is "threads", "dask"'),
        ([], {"engine": "dask"}, errors.ConfigurationError, "There is no cluster"),
    ],
)
def test_wrong_input(accounts: Any, options: dict[str, Any], error: type[Exception], words: str) -> None:
    """What can't be meant is refused before anything is sent."""
    with pytest.raises(error, match=words):
        amo.load_fleet(accounts, **options)


def test_whole_numbers_of_numpy(many: Sandbox) -> None:
    """A whole number is one whatever its type: those of a frame are numpy's."""
    thousand = np.int64(1000)
    assert load(many.accounts, workers=np.int64(3), limit=np.int64(40), pace=thousand, total=thousand).failed.empty


def test_no_accounts() -> None:
    """A fleet of none, and one of which all failed, have all columns and the same dtypes as any."""
    with Sandbox(accounts=2, size=30) as sandbox:
        full = load(sandbox.accounts)
        for fleet in (load({}), load(dict.fromkeys(sandbox.accounts, SECRET))):
            for name in ("widgets", "settings", "report"):
                assert getattr(fleet, name).dtypes.equals(getattr(full, name).dtypes)
            assert fleet.overlap().dtypes.equals(full.overlap().dtypes)


@pytest.mark.parametrize("options", [{"total": 0}, {"engine": "spark"}, {"engine": "dask"}])
def test_tracebacks_do_not_show_tokens(options: dict[str, Any]) -> None:
    """A traceback with the locals of every frame holds no token."""
    with pytest.raises((ValueError, errors.ConfigurationError)) as raised:
        amo.load_fleet({"a.amocrm.ru": SECRET}, **options)
    assert SECRET not in shown(raised.value)
    with pytest.raises(ValueError, match="twice") as raised:
        amo.load_fleet({"a.amocrm.ru": SECRET, "A.amocrm.ru": SECRET, SECRET: "b.amocrm.ru"})
    assert SECRET not in shown(raised.value)


class Holder:
    """Holds what is no token, and shows it."""

    def __repr__(self) -> str:
        return SECRET


@pytest.mark.parametrize("held", [SECRET.encode(), {"token": SECRET}, ("id", SECRET), Holder()])
def test_what_is_no_token_may_hold_one(held: object) -> None:
    """Of what is no token nothing is kept but its type, which the row tells; no traceback shows it either."""
    (advice,) = amo.load_fleet({"a.amocrm.ru": held}).failed["advice"]
    assert advice.endswith(f"a token is a text, and there is something of type {type(held).__name__}.")
    for accounts in ({"a.amocrm.ru": held, "A.amocrm.ru": held}, [held]):
        with pytest.raises((ValueError, TypeError)) as raised:
            amo.load_fleet(accounts)
        assert SECRET not in shown(raised.value)


def test_unreadable_values_warn_once_for_all() -> None:
    """Values that can't be read are counted in the rows of their accounts, and in one warning."""
    page = [widget(code="a", rating="many"), widget(code="b", rating="few")]
    with (
        catalogue(page) as one,
        catalogue(page) as other,
        pytest.warns(errors.UnreadableValueWarning, match=r"^Not readable, now NA: 4 values\. ") as warned,
    ):
        fleet = amo.load_fleet([one.account(), other.account()])
    assert len(warned) == 1
    assert fleet.report["unreadable"].tolist() == [2, 2]
    with catalogue(page) as one:
        assert amo.load_fleet([one.account()], on_bad="raise").failed["error"].tolist() == ["UnreadableValue"]


def test_one_of_many_warns_of_nothing() -> None:
    """What is loaded on a worker counts what could not be read, of which the caller is told."""
    with catalogue([widget(rating="many")]) as server:
        manner = members.Manner(250, "coerce", "auto", None)
        assert members.Member(server.url, TOKEN).run(manner, pacer.ALONE).row["unreadable"] == 1
        with pytest.warns(errors.UnreadableValueWarning, match=r"^Not readable, now NA: 1 value\. "):
            amo.load_fleet({server.url: TOKEN})


def test_what_others_are_warned_of_stays() -> None:
    """The process's filters of warnings, which are those of all threads, stay as they are during a load."""
    seen: list[list[Any]] = []

    def noting(_: object) -> bytes:
        seen.append(list(warnings.filters))
        return answer(listing([widget()]))

    before = list(warnings.filters)
    with ScriptedServer(noting) as server:
        amo.load_fleet([server.account()])
    assert seen == [before]


def test_overlap(many: Sandbox) -> None:
    """The overlap has each widget that any account has installed, of all that were loaded."""
    fleet = load(dict(many.accounts) | {"a.localhost:1": SECRET})
    table = fleet.overlap()
    widgets = fleet.widgets[fleet.widgets["is_active_in_account"]]
    assert table.explode("have")[["have", "code"]].drop_duplicates().shape[0] == len(widgets) == table["accounts"].sum()
    assert table["share"].tolist() == [count / 6 for count in table["accounts"]]
    listed = fleet.widgets.groupby("code")["account"].agg(set)
    for row in table.itertuples():
        assert set(row.have) | set(row.lack) == listed[row.code]


def test_interrupt_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends also what waits for minutes, and what has not begun."""
    waits = threading.Event()

    class Listening(pacer.Clock):
        def wait(self, seconds: float, *until: threading.Event) -> None:
            if seconds > 100:
                waits.set()
            super().wait(seconds, *until)

    def interrupted(_: object) -> Iterator[object]:
        assert waits.wait(10)
        raise KeyboardInterrupt
        yield

    with answering(*[problem(429, retry_after=200)] * 9) as server:
        monkeypatch.setattr(pacer, "clock", Listening())
        monkeypatch.setattr(fleets, "as_completed", interrupted)
        port = server.url.rpartition(":")[2]
        accounts = {f"http://account{number}.localhost:{port}": SECRET for number in range(5)}
        with pytest.raises(KeyboardInterrupt):
            amo.load_fleet(accounts, workers=2, progress=False)
        assert ours() == []
        assert len(server.requests) <= 2


def test_pace_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that counts by address refuses nothing while the pace of all is kept, load after load."""
    monkeypatch.setattr(pacer, "clock", pacer.Clock())
    with Sandbox(accounts=15, size=1, rate=Limits(rate=20, address_rate=20)) as sandbox:
        failed = [len(load(sandbox.accounts, total=20).failed) for _ in range(2)]
        statuses = [logged.status for logged in sandbox.requests]
    assert (failed, statuses) == ([0, 0], [200] * 30)


@pytest.mark.parametrize(
    ("total", "host", "rate"),
    [
        ("auto", "a.kommo.com", 7),
        ("auto", "a.amocrm.com", 7),
        ("auto", "a.amocrm.ru", None),
        ("auto", "account1.localhost:80", None),
        (3, "a.amocrm.ru", 3),
        (None, "a.kommo.com", None),
    ],
)
def test_whose_requests_are_counted_together(total: Any, host: str, rate: int | None) -> None:
    """Kommo counts by the caller's address, amoCRM by account; what is asked for is for all."""
    assert members.Manner(250, "coerce", "auto", total).rate(host) == rate


def test_progress(capsys: pytest.CaptureFixture[str], many: Sandbox) -> None:
    """A quick load shows nothing; one that is told to shows how many accounts there are."""
    load(many.accounts)
    assert capsys.readouterr() == ("", "")
    load(many.accounts, progress=True)
    assert "accounts: 100%" in capsys.readouterr().err


def test_connections_are_closed(many: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of hundreds of accounts no connection stays open, as a process may have no more than so many."""
    opened: list[socket.socket] = []
    connect = connection.create_connection

    def noted(*arguments: Any, **options: Any) -> socket.socket:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(connection, "create_connection", noted)
    assert load(many.accounts).failed.empty
    assert [made.fileno() for made in opened] == [-1] * 6


def test_tokens_are_not_pickled() -> None:
    """A text that is a token can't be sent anywhere by mistake, whatever holds it."""
    with pytest.raises(TypeError, match="A token is not pickled"):
        pickle.dumps({"of": MaskedText(SECRET)})
