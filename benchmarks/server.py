"""A lean server of pre-rendered pages, in a process of its own: its time must not drown the client's.

It serves at as many ports as are asked for, each a catalogue behind a network and a limit of its own.
"""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import sys
import time
from functools import cache, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self, TypeVar, cast

import msgspec
from msgspec import Struct

from amoexplore.sandbox.limits import Limiter, Limits
from benchmarks import catalogue

if TYPE_CHECKING:
    from types import TracebackType

_PAGE = re.compile(rb"[?&]page=(\d+)")
_EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
_REFUSAL = b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/html\r\nContent-Length: 16\r\n\r\n<html>429</html>"
#: The same chance in every run, and another for every request.
_chance = random.Random(0)  # noqa: S311  no secret

Told = TypeVar("Told")


class Conditions(Struct, frozen=True, kw_only=True):
    """What is served, and how far away it is.

    Attributes
    ----------
    size : int
        Widgets in the catalogue.
    latency : float
        Seconds that a request and its answer are on their way, together.
    jitter : float
        At most so many seconds more, by chance, before a request arrives.
    cold : float
        So many seconds more for the first request of a connection.
    keep : int
        Answers after which a connection is closed; 0 leaves it open.
    rate : int
        Requests that are answered in any second; 0 answers all.
    spaced : bool
        No bursts: requests have to be 1/rate seconds apart.
    """

    size: int = 10_000
    latency: float = 0.0
    jitter: float = 0.0
    cold: float = 0.0
    keep: int = 0
    rate: int = 0
    spaced: bool = False


class Counts(Struct):
    """How many requests of a port were answered, and how many refused."""

    answered: int = 0
    refused: int = 0


class Server:
    """The server's process: a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server"],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def serve(self, **conditions: float) -> str:
        """Return the address of a new port: an account that nobody has loaded from yet."""
        return f"http://127.0.0.1:{self._ask(msgspec.convert(conditions, Conditions), int)}"

    def counts(self, url: str) -> Counts:
        """Return how many requests a port has had."""
        return self._ask(int(url.rpartition(":")[2]), Counts)

    def _ask(self, question: Conditions | int, kind: type[Told]) -> Told:
        stdin, stdout = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        stdin.write(msgspec.json.encode(question) + b"\n")
        stdin.flush()
        return msgspec.json.decode(stdout.readline(), type=kind)


class Service:
    """What is served at one port, and what was asked for there."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        self.counts = Counts()
        self._answers = _answers(conditions.size)
        limits = Limits(rate=conditions.rate or 1, spaced=conditions.spaced, block_after=None)
        self._limiter = Limiter(limits) if conditions.rate else None

    def delay(self, *, is_first: bool) -> float:
        """Return after how many seconds a request arrives."""
        there = self.conditions
        return there.latency / 2 + _chance.uniform(0, there.jitter) + (there.cold if is_first else 0.0)

    def answer(self, head: bytes) -> bytes:
        """Return the answer to a request that has arrived."""
        if self._limiter and self._limiter.ask("", time.monotonic_ns()):
            self.counts.refused += 1
            return _REFUSAL
        self.counts.answered += 1
        number = int(found[1]) if (found := _PAGE.search(head)) else 1
        return self._answers[number - 1] if number <= len(self._answers) else _EMPTY


@cache
def _answers(size: int) -> list[bytes]:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/hal+json\r\nContent-Length: {}\r\n\r\n"
    return [head.format(len(body)).encode() + body for body in catalogue.pages(size)]


class Connection(asyncio.Protocol):
    """Answers ``GET …page=N…`` with the N-th page; knows nothing else."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._received = b""
        self._count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Let a request arrive as soon as it is complete."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._count += 1
            _after(self._service.delay(is_first=self._count == 1), partial(self._arrive, head, self._count))

    def _arrive(self, head: bytes, count: int) -> None:
        answer = self._service.answer(head)
        is_last = count == self._service.conditions.keep
        if is_last:
            answer = answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        _after(self._service.conditions.latency / 2, partial(self._send, answer, is_last=is_last))

    def _send(self, answer: bytes, *, is_last: bool) -> None:
        self._transport.write(answer)
        if is_last:
            self._transport.close()


def _after(seconds: float, act: partial[None]) -> None:
    if seconds:
        asyncio.get_running_loop().call_later(seconds, act)
    else:
        act()


async def main() -> None:
    """Open a port for each line of standard input that has conditions, tell the counts of one that it names."""
    loop = asyncio.get_running_loop()
    services: dict[int, Service] = {}
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = msgspec.json.decode(line, type=Conditions | int)
        if isinstance(asked, Conditions):
            service = Service(asked)
            listener = await loop.create_server(partial(Connection, service), "127.0.0.1", 0, backlog=1000)
            port = listener.sockets[0].getsockname()[1]
            services[port] = service
            _tell(port)
        else:
            _tell(services[asked].counts)


def _tell(told: int | Counts) -> None:
    print(msgspec.json.encode(told).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
