from __future__ import annotations

from contextlib import closing
from itertools import combinations
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from amoexplore import Account, Sandbox, errors, load_catalog
from amoexplore.sandbox import Limits, gateway
from amoexplore.sandbox.account import FIRST
from amoexplore.sandbox.accounts import others
from amoexplore.sandbox.catalog import catalogue, of_another
from amoexplore.sandbox.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def many() -> Iterator[Sandbox]:
    """Return a sandbox of several accounts."""
    with Sandbox(accounts=4, size=120) as sandbox:
        yield sandbox


@pytest.fixture
def everybody(many: Sandbox) -> list[Account]:
    """Return its accounts."""
    return [Account(address, token) for address, token in many.accounts.items()]


def installed(account: Account) -> set[str]:
    """Return the codes of the widgets that an account has installed."""
    widgets = load_catalog(account).widgets
    return set(widgets["code"][widgets["is_active_in_account"]])


def test_addresses(many: Sandbox) -> None:
    """Each account has a name of its own on this machine, at the one port; a token is in no repr."""
    port = many.url.rpartition(":")[2]
    assert list(many.accounts) == [f"http://account{number}.localhost:{port}" for number in (1, 2, 3, 4)]
    assert len(set(many.accounts.values())) == 4
    assert many.accounts[f"http://account1.localhost:{port}"] == many.token
    assert not any(token in repr(many.accounts) for token in many.accounts.values())
    assert repr(many) == f"<Sandbox of 120 widgets and 4 accounts, at {many.url}>"


def test_names_are_of_one_width() -> None:
    """Sorted by name, accounts are sorted by number."""
    with Sandbox(accounts=12, size=1) as sandbox:
        assert list(sandbox.accounts) == sorted(sandbox.accounts)


def test_one_account_is_at_the_address_alone(sandbox: Sandbox) -> None:
    """A sandbox of one account has no other name for it than ever."""
    assert dict(sandbox.accounts) == {sandbox.url: sandbox.token}


@pytest.mark.parametrize("accounts", [0, -1])
def test_accounts_that_cannot_be(accounts: int) -> None:
    """There is one account at the least."""
    with pytest.raises(ValueError, match=f"a sandbox can't have {accounts} accounts; it has one or more"):
        Sandbox(accounts=accounts)


def test_first_account_is_that_of_a_sandbox_of_one(many: Sandbox, everybody: list[Account]) -> None:
    """The address without a name, and a sandbox of one account of the same seed, have what the first account has."""
    widgets = load_catalog(everybody[0]).widgets
    with Sandbox(size=120) as alone:
        for account in (Account(many.url, many.token), Account(alone.url, alone.token)):
            assert widgets.equals(load_catalog(account).widgets)


def test_a_bot_waits_at_its_accounts_address(many: Sandbox, everybody: list[Account]) -> None:
    """A return_url is at the host of the first account, whose bot it is."""
    bot = many.start_bot(steps=["да"])
    with pytest.raises(ValueError, match="is no return_url of account2"):
        everybody[1].continue_url(bot.return_url)
    everybody[0].continue_url(bot.return_url)
    assert [message.text for message in many.transcript(bot)] == ["да"]


def test_public_widgets_are_the_same(everybody: list[Account]) -> None:
    """Accounts differ in private widgets and in what is installed; each has as many widgets as was asked for."""
    frames = [load_catalog(account).widgets.set_index("code") for account in everybody]
    assert [len(frame) for frame in frames] == [120] * 4
    columns = [name for name in frames[0] if name not in {"is_active_in_account", "pipeline_id"}]
    for one, other in combinations(frames, 2):
        shared = one.index.intersection(other.index)
        assert 110 < len(shared) < 120
        assert one.loc[shared, columns].equals(other.loc[shared, columns])
        assert not one.loc[shared, "is_active_in_account"].equals(other.loc[shared, "is_active_in_account"])
        assert set(one["id"]) & set(other["id"]) == set(one.loc[shared, "id"])


def test_tokens_are_good_for_their_own_account(many: Sandbox) -> None:
    """No token of one account opens another."""
    for address, token in many.accounts.items():
        for other in many.accounts:
            if other != address:
                with pytest.raises(errors.Unauthorized):
                    Account(other, token).widgets_page()


def test_no_such_account(many: Sandbox) -> None:
    """A name that no account has is answered as an account that has moved away."""
    nobody = f"http://nobody.localhost:{many.url.rpartition(':')[2]}"
    with pytest.raises(errors.NotFound, match="Account not found"):
        Account(nobody, many.token).widgets_page()


def test_users_are_an_accounts_own(everybody: list[Account]) -> None:
    """Users have ids of their own, which others take for strangers."""
    users = [{user.id for user in account.users()} for account in everybody]
    assert all(not one & other for one, other in combinations(users, 2))
    assert len({account.me().id for account in everybody}) == 4
    assert [account.me().current_user_id in own for account, own in zip(everybody, users, strict=True)] == [True] * 4
    settings: dict[str, Any] = {"login": "a", "password": "b", "script_path": "c"}
    with pytest.raises(errors.ValidationFailed):
        everybody[1].install("amo_asterisk", settings | {"phones": {min(users[0]): "1"}})


def test_installs_are_an_accounts_own() -> None:
    """What one account installs and uninstalls is so nowhere else, and is gone with a reset."""
    with Sandbox(accounts=3, size=30) as sandbox:
        one, two, three = (Account(address, token) for address, token in sandbox.accounts.items())
        before = [installed(account) for account in (one, two, three)]
        code = next(code for code in sorted(before[1]) if code not in before[0] | before[2])
        one.install(code, {setting.key: "1" for setting in one.widget(code).settings_template})
        two.uninstall(code)
        assert [installed(account) for account in (one, two, three)] == [
            before[0] | {code},
            before[1] - {code},
            before[2],
        ]
        sandbox.reset()
        assert [installed(account) for account in (one, two, three)] == before


def test_pairs_are_an_accounts_own() -> None:
    """Tokens that a user of one account has granted are nobody's in another."""
    with Sandbox(accounts=2, size=3) as sandbox:
        pair = sandbox.oauth.grant(sandbox.oauth.register("http://127.0.0.1/").client_id)
        first, second = (Account(address, pair.access_token) for address in sandbox.accounts)
        assert first.me().id == FIRST.id
        with pytest.raises(errors.Unauthorized):
            second.me()


def test_limits_are_an_accounts_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit on requests counts those to one account, and a limit by address those to all."""
    monkeypatch.setattr(gateway, "time", SimpleNamespace(monotonic_ns=lambda: 0))
    for limits, allowed in ((Limits(rate=2), 2), (Limits(rate=2, address_rate=3), 1)):
        with Sandbox(accounts=2, size=1, rate=limits) as sandbox:
            one, two = (Account(address, token, pace=None) for address, token in sandbox.accounts.items())
            for account in (one, one, *[two] * allowed):
                account.me()
            statuses = [logged.status for logged in sandbox.requests]
            with pytest.raises(errors.TooManyRequests):
                two._transport.send(two._request("GET", "/api/v4/account"))
            assert statuses == [200] * (2 + allowed)


def test_address_rate_that_cannot_be() -> None:
    """A limit is a whole number from one on."""
    with pytest.raises(ValueError, match="address_rate can't be 0"):
        Limits(address_rate=0)


def test_state_of_many(tmp_path: Path) -> None:
    """A state file keeps all accounts, and says so to who asks for another number of them."""
    state = tmp_path / "state.db"
    with Sandbox(accounts=3, size=10, state=state, token="t") as sandbox:
        *_, last = (Account(address, token) for address, token in sandbox.accounts.items())
        last.uninstall(min(installed(last)))
        left = installed(last)
    with Sandbox(accounts=3, size=10, state=state, token="t") as sandbox:
        *_, (address, token) = sandbox.accounts.items()
        assert installed(Account(address, token)) == left
    with pytest.raises(ValueError, match="it is of schema 4, seed 0, size 10, 3 accounts, not of"):
        Sandbox(size=10, state=state).start()


def test_store_of_another_account() -> None:
    """The list in SQL is what the catalogue says of an account, private widgets of nobody else among it."""
    accounts = others(3)
    shared = list(catalogue(seed=5, size=90))
    with closing(open_store(":memory:", seed=5, size=90, others=accounts)) as store:
        for account in accounts:
            own = list(of_another(account, shared, seed=5))
            for user in (account.administrator, account.analyst):
                expected = sorted(
                    (entry for entry in own if entry.is_listed_for(user)), key=lambda entry: entry.widget.id
                )
                assert store.of(account).listed(user, offset=0, limit=1000) == expected


def test_some_widgets_are_nearly_everywhere() -> None:
    """Some widgets are installed in most accounts, more in few, so that there is something to compare."""
    shared = list(catalogue(seed=0, size=300))
    accounts = others(40)
    entries = [entry for account in accounts for entry in of_another(account, shared, seed=0)]
    shares = {
        code: sum(entry.install is not None for entry in entries if entry.widget.code == code) / len(accounts)
        for code in {entry.widget.code for entry in shared if entry.is_public}
    }
    assert sum(share > 0.7 for share in shares.values()) >= 5
    assert sum(share < 0.2 for share in shares.values()) >= 150
