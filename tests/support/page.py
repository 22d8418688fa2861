"""The API's page: its examples, and calls as its readers would make them."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amoexplore.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[1] / "contract" / "page"


class Answer(NamedTuple):
    """An answer of the API as it came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


def example(name: str, url: str) -> Any:
    """Return the page's example of this name, as an account at this address would have answered it."""
    text = (EXAMPLES / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text.replace("https://example.amocrm.ru", url))


def call(sandbox: Sandbox, target: str, *, method: str = "GET", **headers: str) -> Answer:
    """Call the sandbox as its administrator, or with the Authorization header that is given, none if it is empty."""
    sent = {"Authorization": f"Bearer {sandbox.token}"} | headers
    with closing(http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)) as connection:
        connection.request(method, target, headers={name: value for name, value in sent.items() if value})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


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
