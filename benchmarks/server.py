"""A lean server of pre-rendered pages, to be run in a process of its own: its time must not drown the client's.

Usage: python server.py SIZE; prints its port, and stops when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import re
import sys

from amoexplore import Account, Sandbox

LIMIT = 250
_PAGE = re.compile(rb"[?&]page=(\d+)")


def pages(size: int) -> list[bytes]:
    """Return the bodies of all pages of a sandbox's catalogue, as it sends them."""
    with Sandbox(size=size) as sandbox:
        account = Account(sandbox.url, sandbox.token)
        bodies = [account.widgets_answer(number, LIMIT).body for number in range(1, -(-size // LIMIT) + 1)]
        # The links lead to this server then, whatever its port.
        return [body.replace(sandbox.url.encode(), b"") for body in bodies]


class Pages(asyncio.Protocol):
    """Answers ``GET …page=N…`` with the N-th page; knows nothing else."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is complete."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            number = _PAGE.search(head)
            self._transport.write(self._answers[int(number[1]) - 1 if number else 0])  # type: ignore[attr-defined]


async def main(size: int) -> None:
    """Serve until standard input ends."""
    header = "HTTP/1.1 200 OK\r\nContent-Type: application/hal+json\r\nContent-Length: {}\r\n\r\n"
    answers = [header.format(len(body)).encode() + body for body in pages(size)]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Pages(answers), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
