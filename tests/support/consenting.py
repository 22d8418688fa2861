"""A user who is sent to the sandbox's page of consent, and a browser that brings the answer back."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from html import unescape
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, build_opener, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest import MonkeyPatch  # noqa: PT013  a type


class _Staying(HTTPRedirectHandler):
    """Goes where nobody sends it."""

    def redirect_request(self, *_: object) -> None:
        """Stay."""


def decide(page: str, decision: str = "allow", **changes: str) -> str:
    """Decide on the page of consent, and return the address that the browser is sent to."""
    with urlopen(page) as response:  # noqa: S310  the sandbox's
        html = response.read().decode()
    fields = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="(.*?)"', html)}
    form = urlencode({**fields, "decision": decision, **changes}).encode()
    try:
        build_opener(_Staying).open(page.partition("?")[0], form)
    except HTTPError as redirect:
        with redirect:
            return redirect.headers["Location"]
    raise AssertionError("the page of consent sends nobody anywhere")


@contextmanager
def browser(monkeypatch: MonkeyPatch, decision: str = "allow", **changes: str) -> Iterator[list[str]]:
    """Open pages as a browser whose user decides so; yields what it is shown at the end."""
    threads: list[threading.Thread] = []
    seen: list[str] = []

    def visit(page: str) -> None:
        address = decide(page, decision, **changes)
        with build_opener().open(address) as response:
            seen.append(response.read().decode())

    def opened(page: str) -> bool:
        threads.append(threading.Thread(target=visit, args=(page,)))
        threads[-1].start()
        return True

    monkeypatch.setattr("webbrowser.open", opened)
    yield seen
    for thread in threads:
        thread.join()
