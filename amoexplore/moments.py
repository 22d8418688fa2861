"""What analysts write for a moment, in UTC: a day, a time, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

#: What is said of a moment: a day, a time, how long ago, or one of these as text.
Moment = str | date | datetime | timedelta

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_UNITS = {"h": timedelta(hours=1), "d": _DAY, "w": timedelta(weeks=1)}
_AGO = re.compile(r"([0-9]{1,6})([hdw])")


def beginning(moment: Moment) -> datetime:
    """Return the moment; of a day its first one."""
    return _read(moment)[0]


def end(moment: Moment) -> datetime:
    """Return the moment; of a day its last one."""
    found, is_day = _read(moment)
    return found + (_DAY - _TICK) if is_day else found


def _read(moment: Moment) -> tuple[datetime, bool]:
    """Return the moment, and whether it is a day of which it is the first moment."""
    try:
        return _in_utc(_parsed(moment) if isinstance(moment, str) else moment)
    except (ValueError, TypeError, OverflowError):  # the last of what no calendar has
        raise ValueError(
            f"{moment!r} is no moment: write a day (2026-11-01), a time (2026-11-01T09:30, in UTC) or how long ago"
            " (12h, 30d, 4w)."
        ) from None


def _in_utc(moment: date | datetime | timedelta) -> tuple[datetime, bool]:
    if isinstance(moment, timedelta):
        return datetime.now(UTC) - moment, False
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC), False
    return datetime.combine(moment, time(), UTC), True


def _parsed(text: str) -> date | datetime | timedelta:
    for read in (date.fromisoformat, datetime.fromisoformat, _ago):
        try:
            return read(text)
        except ValueError:
            continue
    raise ValueError(text)


def _ago(text: str) -> timedelta:
    found = _AGO.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * _UNITS[found[2]]
