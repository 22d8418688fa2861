from __future__ import annotations

import json
import signal
import urllib.request
from urllib.error import HTTPError

import pytest
from programs import AMOEXPLORE, program

from amoexplore.cli import main

TOKEN = "sesame"


def go_on(url: str, bot: str) -> int:
    """Let a bot go on, and return the status of the answer."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v4/{bot}", json.dumps({}).encode(), headers)  # noqa: S310  the sandbox's
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  the sandbox's
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_sandbox_begins_with_bots() -> None:
    """Each --bot waits when the sandbox is ready, and goes on once."""
    bots = ["--bot", "salesbot:77:1001", "--bot", "marketingbot:5:6"]
    with program(AMOEXPLORE, "sandbox", "--size", 1, "--token", TOKEN, *bots) as process:
        assert process.stdout is not None
        process.stdout.readline()
        url = process.stdout.readline().strip().partition("=")[2]
        asked = ["salesbot/77/continue/1001", "marketingbot/5/continue/6", "salesbot/77/continue/1001"]
        statuses = [go_on(url, bot) for bot in asked]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert statuses == [202, 202, 404]


@pytest.mark.parametrize(
    "bot", ["", "salesbot", "salesbot:77", "bot:77:1001", "salesbot:0:1", "salesbot:77:x", "salesbot:77:1001:1"]
)
def test_bots_that_are_misspelt(bot: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no bot is refused with an example of one."""
    with pytest.raises(SystemExit) as stopped:
        main(["sandbox", "--bot", bot])
    assert stopped.value.code == 2
    assert f"argument --bot: {bot!r} is no bot; write salesbot or marketingbot" in capsys.readouterr().err
