"""The API's page: its examples, and calls as its readers would make them."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amoexplore.sandbox import Bot, Sandbox

EXAMPLES = Path(__file__).parents[1] / "contract" / "page"

# A value of each type, in the format that the page's table and example of an install give it; `custom` they leave out.
VALUES: dict[str, Any] = {
    "text": "example",
    "pass": "eXaMp1E",
    "custom": "{}",
    "users": {"504141": "1039"},
    "users_lp": {"504141": {"login": "example", "password": "eXaMp1E"}},
}


class Answer(NamedTuple):
    """An answer of the API as it came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


def example(name: str, url: str = "") -> Any:
    """Return the page's example of this name, as an account at this address would have sent or answered it."""
    text = (EXAMPLES / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text.replace("https://example.amocrm.ru", url))


def call(
    sandbox: Sandbox, target: str, *, method: str = "GET", body: bytes | Iterable[bytes] | None = None, **headers: str
) -> Answer:
    """Call the sandbox as its administrator, or with the Authorization header that is given, none if it is empty.

    A body of several pieces is sent in chunks.
    """
    sent = {"Authorization": f"Bearer {sandbox.token}"} | headers
    with closing(http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)) as connection:
        connection.request(method, target, body, {name: value for name, value in sent.items() if value})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def post(sandbox: Sandbox, target: str, body: Any, **headers: str) -> Answer:
    """Post this body as JSON, as its administrator or with the Authorization header that is given."""
    sent = json.dumps(body, ensure_ascii=False).encode()
    return call(sandbox, target, method="POST", body=sent, **{"Content-Type": "application/json"} | headers)


def faults(answer: Answer) -> list[tuple[str, str]]:
    """Return code and path of all that a refused body is said to have wrong."""
    (found,) = answer.json["validation-errors"]
    return [(fault["code"], fault["path"]) for fault in found["errors"]]


def target_of(sandbox: Sandbox, bot: Bot) -> str:
    """Return the address where this bot is told to go on."""
    return bot.return_url.removeprefix(sandbox.url)


def show(kind: str, value: Any, **params: Any) -> dict[str, Any]:
    """Return a handler that shows."""
    return {"handler": "show", "params": {"type": kind, "value": value, **params}}


def bearer(token: str) -> str:
    """Return the Authorization header of this token."""
    return f"Bearer {token}"


def listed(sandbox: Sandbox, token: str | None = None) -> list[dict[str, Any]]:
    """Return all widgets of the list, page after page, as long as there is a next one."""
    return [widget for page in pages(sandbox, token) for widget in page["_embedded"]["widgets"]]


def pages(sandbox: Sandbox, token: str | None = None, *, limit: int = 250) -> Iterator[Any]:
    """Yield the pages of the list, following their links."""
    target = f"/api/v4/widgets?limit={limit}"
    while target:
        answer = call(sandbox, target, Authorization=bearer(token or sandbox.token))
        if answer.status == http.HTTPStatus.NO_CONTENT:
            return
        yield answer.json
        target = answer.json["_links"].get("next", {}).get("href", "").removeprefix(sandbox.url)
