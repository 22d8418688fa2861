"""Many accounts behind one port: each has a name of its own below `.localhost`, as accounts have one below amoCRM's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from amoexplore.sandbox.account import Account, account
from amoexplore.sandbox.answers import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Names below it are this machine's, says RFC 6761, and nobody is asked where they are.
_DOMAIN = ".localhost"


def others(count: int) -> tuple[Account, ...]:
    """Return all of so many accounts but the first."""
    return tuple(account(number, _subdomain(number, count)) for number in range(1, count))


def _subdomain(number: int, count: int) -> str:
    return f"account{number + 1:0{len(str(count))}}"


class Accounts(Mapping[str, str]):
    """The administrator's token of each account, by its address; the repr shows none.

    Parameters
    ----------
    url
        Where the server is.
    count
        How many accounts there are; one alone has no name.
    token
        Returns the token of an account, by its number.
    """

    def __init__(self, url: str, count: int, token: Callable[[int], str]) -> None:
        scheme, _, netloc = url.partition("://")
        port = netloc.partition(":")[2]
        names = (f"{scheme}://{_subdomain(number, count)}{_DOMAIN}:{port}" for number in range(count))
        self._numbers = {name: number for number, name in enumerate(names if count > 1 else (url,))}
        self._token = token

    def __getitem__(self, address: str) -> str:
        return self._token(self._numbers[address])

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __repr__(self) -> str:
        addresses = list(self)
        return f"<Accounts, {len(self)} from {addresses[0]} to {addresses[-1]}>"


class Reception:
    """Hands each request on to the account that its `Host` names.

    What calls the server by its address alone is for the first account.

    Parameters
    ----------
    count
        How many accounts there are.
    application
        Returns the API of an account, by its number.
    """

    def __init__(self, count: int, application: Callable[[int], ASGIApp]) -> None:
        self._numbers = {f"{_subdomain(number, count)}{_DOMAIN}": number for number in range(count)}
        self._application = application
        self._open: dict[int, ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or answer that there is no such account."""
        host = Headers(scope=scope).get("host", "").partition(":")[0].lower()
        number = self._numbers.get(host, None if host.endswith(_DOMAIN) else 0)
        app = problem(404, "Account not found") if number is None else self._of(number)
        await app(scope, receive, send)

    def _of(self, number: int) -> ASGIApp:
        # Made when it is first asked for: a sandbox of hundreds starts as quickly as one of one.
        if number not in self._open:
            self._open[number] = self._application(number)
        return self._open[number]
