from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from clocks import Skipping
from reliability import FAULTS, LIMIT, NOT_MET, Outcome, outcome

import amoexplore as amo
from amoexplore import Account, Sandbox, pacer
from amoexplore.sandbox.fault_table import FAULTS as TABLE

DOCS = Path(__file__).parent.parent / "docs"
WHOLE = r"the whole catalogue(, 1 that came twice in the report)?(, after two more requests)?"
BROKEN_OFF = rf"`\w+`(, tried \d times,)? after 2 of 6 pages; with `resume` {WHOLE}"


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """Return what came of each fault."""
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pacer, "clock", Skipping())
        calm = amo.load_catalog(Account(sandbox.url, sandbox.token), limit=LIMIT)
        return {fault: outcome(sandbox, calm, fault) for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(outcomes: dict[str, Outcome], fault: str) -> None:
    """A load is whole or can go on, and what was installed is told as installed, or as what may have been."""
    came = outcomes[fault]
    missing = "the catalogue without 1 of its widgets" if fault == "changing_catalog" else NOT_MET
    for load in (came.twice, came.always):
        assert load in ("–", NOT_MET, missing) or re.fullmatch(f"{WHOLE}|{BROKEN_OFF}", load)
    if came.install.endswith("it was installed"):
        assert came.install.startswith("`OutcomeUnknown`")


def test_every_fault_is_shown() -> None:
    """No fault of the sandbox is missing in the table."""
    assert {fault.partition(":")[0] for fault in FAULTS} == TABLE.keys()


def test_page_is_up_to_date(outcomes: dict[str, Outcome]) -> None:
    """What make faults would write is what stands in docs/reliability.md."""
    written = runpy.run_path(str(DOCS / "reliability.py"))["page"](outcomes.values())
    assert (DOCS / "reliability.md").read_text(encoding="utf-8") == written
