from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from clocks import Skipping
from reliability import FAULTS, NOT_MET, Outcome

from amoexplore import pacer
from amoexplore.sandbox.fault_table import FAULTS as TABLE

DOCS = Path(__file__).parent.parent / "docs"
PAGE = runpy.run_path(str(DOCS / "reliability.py"))
WHOLE = r"the whole catalogue(, 1 that came twice in the report)?(, after two more requests)?"
BROKEN_OFF = rf"`\w+`(, tried \d times,)? after 2 of 6 pages; with `resume` {WHOLE}"

#: Those with a long-lived token, and those with tokens by OAuth, by where they are from.
Outcomes = tuple[list[Outcome], dict[str, list[Outcome]]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Return what came of each fault, and of those of tokens with tokens by OAuth."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pacer, "clock", Skipping())
        patch.setenv("AMOEXPLORE_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        return PAGE["outcomes"]()


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(outcomes: Outcomes, fault: str) -> None:
    """A load is whole or can go on, and what was installed is told as installed, or as what may have been."""
    came = next(outcome for outcome in outcomes[0] if outcome.fault == fault)
    missing = "the catalogue without 1 of its widgets" if fault == "changing_catalog" else NOT_MET
    for load in (came.times, came.always):
        assert load in ("–", NOT_MET, missing) or re.fullmatch(f"{WHOLE}|{BROKEN_OFF}", load)
    if came.install.endswith("it was installed"):
        assert came.install.startswith("`OutcomeUnknown`")


def test_tokens_by_oauth(outcomes: Outcomes) -> None:
    """A token that ends is renewed; an answer that is lost on the way is asked for again where that helps."""
    once = {name: [outcome.times for outcome in came] for name, came in outcomes[1].items()}
    renewed, logged_in = "the whole catalogue, after one more request", "with `resume` the whole catalogue"
    moved = f"`NotFound` after 2 of 6 pages; {logged_in}"
    assert once == {
        "amocrm.ru": [renewed, f"`LoginNeeded` after 2 of 6 pages; {logged_in}", moved],
        "Kommo": [renewed, renewed, moved],
    }


def test_every_fault_is_shown() -> None:
    """No fault of the sandbox is missing in the table."""
    assert {fault.partition(":")[0] for fault in FAULTS} == TABLE.keys()


def test_page_is_up_to_date(outcomes: Outcomes) -> None:
    """What make faults would write is what stands in docs/reliability.md."""
    assert (DOCS / "reliability.md").read_text(encoding="utf-8") == PAGE["page"](*outcomes)
