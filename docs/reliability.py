"""Lets a load and an install meet every fault of the sandbox and writes reliability.md: what the user gets.

Usage: python reliability.py [FOLDER], by default the folder of this file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests" / "support"))

from clocks import Skipping  # noqa: E402  from the folder of the tests
from reliability import FAULTS, LIMIT, OF_TOKENS, Outcome, logged_in, outcome  # noqa: E402

import amoexplore as amo  # noqa: E402
from amoexplore import Account, pacer, permits, retries  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HEAD = """# What goes wrong, and what you get

Each row is a fault of [the sandbox](sandbox.md), met by a load of six pages from the third one on, by two requests
and by all that follow, and by the POST of an install. `make faults` makes this page, by the code that
`tests/test_reliability.py` runs.

- A load gives the whole catalogue, or an error that says how far it came: `amo.load_catalog(account, resume=error)`
  goes on from there. After Ctrl-C it is `resume=sys.last_value`.
- A write is sent once. `OutcomeUnknown` is one whose answer was lost: it may have been done or not, and the error
  says how to see.
- No API that lists pages by number tells of a widget that moved over the border of two pages while it was read. One
  that came twice is in `catalog.report.repeated`; one that was jumped over is nowhere. The next load has it.
- Tokens are long-lived in this table, which neither end nor are renewed.
"""
BY_OAUTH = """
## Tokens by OAuth

The same with tokens that a login has stored, met by one request and by all that follow. amocrm.ru takes a refresh token
once, Kommo until the next one is used: what is lost on the way there is asked for again. `resume` follows a new login.
An account that has moved is found when its token is renewed, a day later at the most. Where too many requests are what
keeps a token from being renewed, a read tries again as if it had been refused itself.
"""
BEHIND = """
## What is sent again, and when

Reads only. Waits are in seconds, up to a half longer by chance; what the service asks for by retry_after or
Retry-After counts instead, unless it is more than {cap:.0f} s. Then it is an error at once, and so is whatever
else is to be sent until then, by any process of this machine that keeps the pace: nothing is sent, for a day at the
most. Waits of a second or more are told in a line, and `catalog.report` has them as `retries` and `waited`.

| what came | sent again after |
|---|---|
{rows}

A refused connection is one that was good before; nobody waits at an address that never answered.

## The pace

A real account is sent at most {rate} requests in any second, by all threads and processes of this machine that use
the same integration or token: `amo.connect(pace=…)` changes that, `pace=None` ends it. A sandbox on this machine is
paced once it has answered 429. A permit is free again a second after its answer came, since the server counts when
requests arrive, and nobody here knows when that is; less nine tenths of the fastest round trip, once four are known.
After a 429 that came although the pace was kept, requests are sent one by one, 1/{rate} s apart, for a day. The
permits are in a file of the folder that `AMOEXPLORE_STATE` names; those of a killed process come back after twice the
account's timeout. `make burst` measures it.
"""


def main(folder: Path) -> None:
    """Write the page into a folder."""
    pacer.clock = Skipping()
    with TemporaryDirectory() as state:
        os.environ |= {"AMOEXPLORE_STATE": state, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        text = page(*outcomes())
    (folder / "reliability.md").write_text(text, encoding="utf-8")


def outcomes() -> tuple[list[Outcome], dict[str, list[Outcome]]]:
    """Return what comes of each fault, and of those of tokens with tokens by OAuth, by where they are from."""
    by_oauth: dict[str, list[Outcome]] = {}
    with amo.Sandbox() as amocrm, amo.Sandbox(rotation="grace") as kommo:
        calm = amo.load_catalog(Account(amocrm.url, amocrm.token), limit=LIMIT)
        long_lived = [outcome(amocrm, calm, fault) for fault in FAULTS]
        for name, sandbox in {"amocrm.ru": amocrm, "Kommo": kommo}.items():
            by_oauth[name] = [outcome(sandbox, calm, fault, times=1, account=logged_in) for fault in OF_TOKENS]
    return long_lived, by_oauth


def page(long_lived: Iterable[Outcome], by_oauth: Mapping[str, Iterable[Outcome]]) -> str:
    """Return the page."""
    table = _table("| fault | two requests meet it | all do | an install |", map(_row, long_lived))
    renewed = _table(
        "| tokens from | fault | one request meets it | all do | an install |",
        (f"| {name} {_row(outcome)}" for name, outcomes in by_oauth.items() for outcome in outcomes),
    )
    waits = "\n".join(
        f"| {policy.why} (`{kind.__name__}`) | {', '.join(f'{wait:g}' for wait in policy.waits)} |"
        for kind, policy in retries.POLICIES.items()
    )
    return f"{HEAD}\n{table}\n{BY_OAUTH}\n{renewed}\n{BEHIND.format(cap=retries.CAP, rate=permits.RATE, rows=waits)}"


def _row(outcome: Outcome) -> str:
    return f"| `{outcome.fault}` | {outcome.times} | {outcome.always} | {outcome.install} |"


def _table(head: str, rows: Iterable[str]) -> str:
    return "\n".join([head, f"{'|---' * (head.count('|') - 1)}|", *rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)
