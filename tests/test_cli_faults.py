from __future__ import annotations

import signal
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from exchange import as_caller, refresh
from page import call
from programs import AMOEXPLORE, program

from amoexplore.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "sesame"
LIST = "/api/v4/widgets?limit=1"


@contextmanager
def begun(*options: str) -> Iterator[Any]:
    """Start the command, and yield what calls need of a sandbox: its address and its token."""
    with program(AMOEXPLORE, "sandbox", "--size", 1, "--token", TOKEN, *options) as process:
        assert process.stdout is not None
        printed = [process.stdout.readline() for _ in range(2)]
        yield SimpleNamespace(url=printed[1].strip().partition("=")[2], token=TOKEN)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=10)
    assert rest == ""
    assert "R-of-my-own" not in "".join(printed)


def test_sandbox_with_faults() -> None:
    """Each --fault is there from the start, with its options; requests may ask for others."""
    options = ("--fault", "bad_gateway:times=1", "--fault", "payment_required:path=*/amo_dropbox:after=1")
    with begun(*options) as sandbox:
        statuses = [call(sandbox, target).status for target in (LIST, LIST, *["/api/v4/widgets/amo_dropbox"] * 3)]
        asked = call(sandbox, LIST, **{"X-Sandbox-Fault": "service_unavailable"}).status
    assert (statuses, asked) == ([502, 200, 200, 402, 402], 503)


def test_sandbox_with_limits() -> None:
    """With --rate one request too many is refused; with --spaced it is the second at once."""
    with begun("--rate", "2") as sandbox:
        assert [call(sandbox, LIST).status for _ in range(3)] == [200, 200, 429]
    with begun("--rate", "2", "--spaced") as sandbox:
        assert [call(sandbox, LIST).status for _ in range(2)] == [200, 429]


def test_sandbox_with_a_pair() -> None:
    """With --refresh-token tokens are exchanged, by the rules of --rotation and for as long as --lifetime says."""
    options = ("--refresh-token", "R-of-my-own", "--rotation", "grace", "--lifetime", "60")
    with begun(*options) as sandbox:
        assert as_caller(sandbox, TOKEN) == 200
        pairs = [refresh(sandbox, "R-of-my-own").json for _ in range(2)]
        assert [as_caller(sandbox, pair["access_token"]) for pair in pairs] == [200, 200]
    assert [pair["expires_in"] for pair in pairs] == [60, 60]
    with begun("--refresh-token", "R-of-my-own") as sandbox:
        assert [refresh(sandbox, "R-of-my-own").status for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--fault", "rest"], "there is no fault 'rest'; there are latency, too_many_requests, "),
        (["--fault", "reset", "--fault", "latency:second=1"], "unknown field `second`; it has seconds, sigma, seed, "),
        (["--rate", "0"], "rate can't be 0"),
        (["--spaced"], "give --rate as well"),
        (["--refresh-token", ""], "goes into a header"),
        (["--lifetime", "0"], "can't live for 0 seconds"),
    ],
)
def test_what_cannot_be(options: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What the sandbox can't do is told in one line, with what it can, and nothing starts."""
    assert main(["sandbox", *options]) == 1
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


def test_help_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    """The options explain themselves."""
    with pytest.raises(SystemExit):
        main(["sandbox", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for option in (
        "--rate N",
        "--spaced",
        "--refresh-token R",
        "--rotation {strict,grace}",
        "--lifetime S",
        "--fault NAME",
    ):
        assert option in shown
