from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from live import READS, differences

import amoexplore as amo

if TYPE_CHECKING:
    from amoexplore import Account


@pytest.mark.parametrize("path", READS)
def test_answers_are_as_described(real: Account, path: str) -> None:
    """What a real account answers is what openapi.yaml says."""
    assert differences(real, path) == []


def test_catalogue_is_loaded_whole(real: Account) -> None:
    """The catalogue comes without a value that can't be read, a widget twice, or a request that was refused."""
    report = amo.load_catalog(real).report
    assert report.widgets
    assert (len(report.unreadable), len(report.repeated), report.unknown_fields, report.unknown_types) == (0, 0, {}, {})
