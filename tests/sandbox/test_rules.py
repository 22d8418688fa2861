from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amoexplore.sandbox.rules import Keyring, Paging, paging

TEXTS = st.one_of(st.text(), st.integers().map(str), st.from_regex(r"\d+", fullmatch=True))


@given(st.integers(1, 999_999_999), st.integers(1, 250))
def test_paging_reads_what_is_meant(page: int, limit: int) -> None:
    """Whole numbers within bounds stand as they are."""
    assert paging({"page": str(page), "limit": str(limit)}) == Paging(page, limit)


@given(TEXTS, TEXTS)
def test_paging_reads_anything(page: str, limit: str) -> None:
    """Whatever is sent, the page is 1 or above, the limit from 1 to 250, and the offset fits into a database."""
    read = paging({"page": page, "limit": limit})
    assert read.page >= 1
    assert 1 <= read.limit <= 250
    assert 0 <= read.offset < 2**63


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_tokens_tell_their_callers(token: str) -> None:
    """Each of the tokens that follow from the administrator's names its caller, and they are all different."""
    keyring = Keyring(token)
    tokens = [keyring.administrator, keyring.analyst, keyring.integration("analyst"), keyring.integration("amo_x")]
    callers = [keyring.caller(f"Bearer {token}") for token in tokens]
    names = ["administrator", "analyst", "integration analyst", "integration amo_x"]
    assert [caller and caller.name for caller in callers] == names


@given(st.text())
def test_others_are_nobody(authorization: str) -> None:
    """No other header names a caller."""
    assert Keyring("the administrator's").caller(authorization) is None


def test_tokens_stay_the_same() -> None:
    """The same administrator's token has the same others, another one has none of them."""
    one, same, other = Keyring("a"), Keyring("a"), Keyring("b")
    assert (one.analyst, one.integration("x")) == (same.analyst, same.integration("x"))
    assert not {one.analyst, one.integration("x")} & {other.analyst, other.integration("x")}
    assert one.secret("x") == same.secret("x") not in {other.secret("x"), one.secret("y"), one.integration("x")}


@pytest.mark.parametrize("code", ["amo_x", ""])
def test_a_code_alone_opens_nothing(code: str) -> None:
    """An integration's token needs its second half."""
    assert Keyring("a").caller(f"Bearer {code}.") is None
