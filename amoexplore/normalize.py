"""Raw values of the API to clean ones: ``"2,8"`` to 2.8, ``"1"`` to True, ``"742"`` to 742.

Each reader returns None for what is absent (null or, for all but :func:`text`, an empty text) and raises ValueError
for what it can't read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

#: Takes what the API sent, gives what it means.
Reader = Callable[[Any], Any]

_DECIMAL = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
_FLAGS = {"": None, "1": True, "true": True, "0": False, "false": False}
INT64 = range(-(2**63), 2**63)


def rating(value: Any) -> float | None:
    """Return a rating as a number; the API sends ``"2,8"``, and may send 2.8, 3, "" and null."""
    if isinstance(value, str):
        return _decimal(value)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(value)
    raise ValueError("not a rating")


def _decimal(text: str) -> float | None:
    text = text.strip()
    if not text:
        return None
    if not _DECIMAL.fullmatch(text):
        raise ValueError("not a decimal number")
    return _finite(text.replace(",", "."))


def _finite(value: str | float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("not a rating that can be")
    return number


def flag(value: Any) -> bool | None:
    """Return a flag as True or False; besides true and false 1, 0, "1" and "0" are read."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and (text := value.strip().lower()) in _FLAGS:
        return _FLAGS[text]
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    raise ValueError("not a flag")


def integer(value: Any) -> int | None:
    """Return an id or a count as a whole number of 64 bits; digits in a text are read."""
    if value is None:
        return None
    if isinstance(value, str):
        return _digits(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return _int64(int(value))
    raise ValueError("not a whole number")


def text(value: Any) -> str | None:
    """Return a text; numbers become their digits, as versions sometimes come."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError("not a text")


def _digits(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        raise ValueError("not a whole number")
    return _int64(int(text))


def _int64(number: int) -> int:
    if number not in INT64:
        raise ValueError("more than 64 bits")
    return number


#: How each field of a widget and of a setting is read.
WIDGET: dict[str, Reader] = {
    "id": integer,
    "code": text,
    "version": text,
    "rating": rating,
    "is_lead_source": flag,
    "is_work_with_dp": flag,
    "is_crm_template": flag,
    "is_active_in_account": flag,
    "client_uuid": text,
    "pipeline_id": integer,
}
SETTING: dict[str, Reader] = {"key": text, "name": text, "type": text, "is_required": flag}
