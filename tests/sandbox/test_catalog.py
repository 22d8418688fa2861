from __future__ import annotations

import re
from itertools import islice
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amoexplore.sandbox.account import ADMINISTRATOR, ANALYST
from amoexplore.sandbox.catalog import Entry, catalogue

SIZES = st.integers(0, 400)
SEEDS = st.integers()


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    """Return a catalogue that is large enough for everything to occur."""
    return list(catalogue(seed=0, size=1000))


@given(SEEDS, SIZES)
def test_size_is_what_the_administrator_sees(seed: int, size: int) -> None:
    """The administrator's list has exactly `size` widgets."""
    assert sum(entry.is_listed_for(ADMINISTRATOR) for entry in catalogue(seed=seed, size=size)) == size


@given(SEEDS, SIZES, SIZES)
def test_larger_extends_smaller(seed: int, size: int, other: int) -> None:
    """A larger catalogue of the same seed begins with the smaller one."""
    smaller, larger = sorted((list(catalogue(seed=seed, size=n)) for n in (size, other)), key=len)
    assert larger[: len(smaller)] == smaller


def test_another_seed_draws_other_widgets() -> None:
    """The page's widgets are the same for every seed, the others are not."""
    one, other = (list(catalogue(seed=seed, size=50)) for seed in (1, 2))
    assert one[:3] == other[:3]
    assert one[3:] != other[3:]


def test_sources_stand_in_order(entries: list[Entry]) -> None:
    """First the page's widgets, then those with public codes, then made-up ones; private ones are all made up."""
    sources = [entry.source for entry in entries if entry.is_public]
    assert sources[:3] == ["page"] * 3
    assert set(sources[3:55]) == {"public code, the rest made up"}
    assert set(sources[55:]) == {"made up"}
    assert {entry.source for entry in entries if not entry.is_public} == {"made up"}


def test_ids_ascend_and_codes_are_unique(entries: list[Entry]) -> None:
    """A widget has an id above the one before it, and a code of its own in the letters that codes have."""
    ids = [entry.widget.id for entry in entries]
    codes = [entry.widget.code for entry in entries]
    assert ids == sorted(set(ids))
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch("[a-z0-9_]+", code) for code in codes)


def test_private_widgets(entries: list[Entry]) -> None:
    """A private widget has an integration and a random code; it is somebody's, or installed."""
    private = [entry for entry in entries if not entry.is_public]
    assert all(entry.widget.client_uuid and re.fullmatch("[a-z0-9]{40}", entry.widget.code) for entry in private)
    owners = {(entry.uploaded_by, entry.install is not None) for entry in private}
    assert owners == {(ADMINISTRATOR.id, False), (ANALYST.id, False), (None, True)}


def test_uuids_are_uuids(entries: list[Entry]) -> None:
    """A client_uuid is null or a UUID of version 4."""
    uuids = [entry.widget.client_uuid for entry in entries]
    assert None in uuids
    assert {UUID(text).version for text in uuids if text} == {4}


def test_at_most_one_custom_setting(entries: list[Entry]) -> None:
    """A widget has one custom setting at most, as the page on custom settings says; some have no settings."""
    customs = [sum(setting.type == "custom" for setting in entry.widget.settings_template) for entry in entries]
    assert set(customs) == {0, 1}
    assert any(not entry.widget.settings_template for entry in entries)


def test_keys_are_unique(entries: list[Entry]) -> None:
    """No template names a key twice."""
    for entry in entries:
        keys = [setting.key for setting in entry.widget.settings_template]
        assert len(keys) == len(set(keys))


def test_versions(entries: list[Entry]) -> None:
    """Versions are numbers and dots, mostly three numbers."""
    lengths = [len(re.findall("[0-9]+", entry.widget.version)) for entry in entries]
    assert all(re.fullmatch(r"[0-9]+(\.[0-9]+){1,3}", entry.widget.version) for entry in entries)
    assert lengths.count(3) > 800
    assert set(lengths) == {2, 3, 4}


def test_installs_give_what_the_template_has(entries: list[Entry]) -> None:
    """An installed widget's settings have the keys of its template; only a lead source has a pipeline."""
    installed = [(entry.widget, entry.install) for entry in entries if entry.install]
    for widget, install in installed:
        assert list(install.settings) == [setting.key for setting in widget.settings_template]
        assert (install.pipeline_id is not None) == widget.is_lead_source


def test_the_first_hundred_have_everything() -> None:
    """Installed widgets, integrations, lead sources and the users' own are there without a long list."""
    entries = list(islice(catalogue(seed=0, size=100), 100))
    assert any(entry.install and entry.widget.client_uuid and entry.is_public for entry in entries)
    assert any(entry.install and entry.install.pipeline_id for entry in entries)
    assert {entry.uploaded_by for entry in entries} == {ADMINISTRATOR.id, ANALYST.id, None}
