from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amoexplore import normalize

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
READERS = {normalize.rating, normalize.flag, normalize.integer, normalize.text}


@pytest.mark.parametrize(
    ("raw", "clean"),
    [("2,8", 2.8), ("3.4", 3.4), (2.8, 2.8), (3, 3.0), ("5", 5.0), (" 4,5\xa0", 4.5), ("", None), (None, None)],
)
def test_rating_is_read(raw: object, clean: float | None) -> None:
    """A rating comes as a text with a decimal comma or point, a number, an empty text or null."""
    assert clean == normalize.rating(raw)


@pytest.mark.parametrize(
    "raw", ["н/д", "nan", "inf", "1_0", "2,8,1", ",", True, False, [], {}, float("inf"), "٣", 10**400, "9" * 400]
)
def test_rating_is_not_guessed(raw: object) -> None:
    """What only looks like a number to Python, and what is beyond all numbers, is no rating."""
    with pytest.raises(ValueError, match="not a"):
        normalize.rating(raw)


@given(st.integers(0, 5), st.integers(0, 99))
def test_rating_comma_and_point_mean_the_same(whole: int, hundredths: int) -> None:
    """A decimal comma, a decimal point and the number itself give the same rating."""
    number = float(f"{whole}.{hundredths:02}")
    comma, point = f"{whole},{hundredths:02}", f"{whole}.{hundredths:02}"
    assert number == normalize.rating(comma) == normalize.rating(point) == normalize.rating(number)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        ("1", True),
        ("0", False),
        ("True", True),
        (1.0, True),
        ("", None),
        (None, None),
    ],
)
def test_flag_is_read(raw: object, clean: object) -> None:
    """A flag comes as true, 1, "1" and their opposites, or not at all."""
    assert clean is normalize.flag(raw)


@pytest.mark.parametrize("raw", [2, -1, "yes", "2", [], 0.5])
def test_flag_is_not_guessed(raw: object) -> None:
    """Nothing else is true or false, whatever Python thinks of it."""
    with pytest.raises(ValueError, match="not a flag"):
        normalize.flag(raw)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integer_in_digits_and_in_text(number: int) -> None:
    """An id is the same as a number and as digits in a text, over all of 64 bits."""
    assert number == normalize.integer(number) == normalize.integer(f" {number} ")


@pytest.mark.parametrize("raw", [2**63, str(2**63), "9" * 5000, 1.5, "1.5", "x", True, [], float("nan"), 1e300])
def test_integer_is_not_guessed(raw: object) -> None:
    """A fraction, a flag or more than 64 bits is no id."""
    with pytest.raises(ValueError, match=r"not a whole number|64 bits"):
        normalize.integer(raw)


@pytest.mark.parametrize(("raw", "clean"), [("1.1.12", "1.1.12"), (3, "3"), (1.5, "1.5"), ("", ""), (None, None)])
def test_text_is_read(raw: object, clean: str | None) -> None:
    """A version may come as a number."""
    assert clean == normalize.text(raw)


@given(anything)
def test_every_reader_reads_or_says_no(raw: object) -> None:
    """Whatever JSON holds, a reader gives its own type, None or a ValueError."""
    types = {normalize.rating: float, normalize.flag: bool, normalize.integer: int, normalize.text: str}
    for read, kind in types.items():
        try:
            clean = read(raw)
        except ValueError:
            continue
        assert clean is None or type(clean) is kind
