"""Widgets beside each other, best first, and before and after."""

from __future__ import annotations

import difflib
import warnings
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from packaging.version import Version

from amoexplore.columns import FLAGS
from amoexplore.display import counted
from amoexplore.errors import FewRatingsWarning, UnknownWidget

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: Fewer rated widgets than these say little.
FEW = 5

#: Columns and dtypes of what ``changes`` returns.
CHANGES = {"change": "str", "code": "str", "setting": "str", "field": "str", "old": "object", "new": "object"}

#: The place of what is missing or can't be read.
LAST = np.iinfo(np.int64).max

# By what a row is known, and what says nothing of it, in frames of either kind.
_KEYS = {"widgets": ["code"], "settings": ["code", "key"]}
_NOT_COMPARED = {"code", "key", "position", "widget_id"}
_SIDES = "changes takes two catalogues, two frames of widgets or two frames of settings"
_HIGHER_IS_BETTER = {"rating", "version", *FLAGS}


@runtime_checkable
class AnyCatalog(Protocol):
    """A catalogue: whatever has the two frames, such as ``amo.Catalog``."""

    @property
    def widgets(self) -> pd.DataFrame:
        """One row a widget."""

    @property
    def settings(self) -> pd.DataFrame:
        """One row a field of a settings_template."""


def compare(
    widgets: pd.DataFrame | AnyCatalog, codes: Iterable[str], settings: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return widgets side by side: one row a property, one column a widget, and whether they differ.

    Parameters
    ----------
    widgets : DataFrame or Catalog
        ``catalog.widgets``, any part of it, or the catalogue itself, which brings its settings along.
    codes : iterable of str
        Which widgets, in the order of the columns.
    settings : DataFrame, optional
        ``catalog.settings``: adds a row for each setting that one of the widgets has.

    Returns
    -------
    DataFrame
        Indexed by property; the columns are the codes, then ``differs``. A missing value differs from a present one.
        A setting is a row such as ``setting login`` with values such as ``text, required``, NA where the widget has no
        such setting; a key that comes twice in a widget is ``setting login (2)`` the second time.

    Raises
    ------
    UnknownWidget
        If a code is not in ``widgets``; names those that are spelled alike.

    Warns
    -----
    FewRatingsWarning
        If fewer than five of ``widgets`` have a rating.
    """
    frame, settings = frames_of(widgets, settings)
    chosen = rows_of(frame, codes).set_index("code")
    warn_of_few_ratings(frame)
    beside = chosen.astype(object).T
    if settings is not None:
        beside = pd.concat([beside, _demands(settings, [*chosen.index])])
    beside = beside.mask(beside.isna(), pd.NA).rename_axis(index="property", columns=None)
    differs = [len(set(row)) > 1 for row in beside.itertuples(index=False, name=None)]
    beside.insert(beside.shape[1], "differs", differs, allow_duplicates=True)  # also beside a widget of that name
    return beside


def rank(widgets: pd.DataFrame | AnyCatalog, by: str | Iterable[str] = "rating") -> pd.DataFrame:
    """Return the widgets best first: their rank, their code, and what decided it before all else.

    Better is a higher rating, a newer version (1.10 is newer than 1.9), a flag that is set, and less of anything else:
    fewer settings, an earlier code.

    Parameters
    ----------
    widgets : DataFrame or Catalog
    by : str or iterable of str
        Columns; the first one decides, and each further one among those that are equal so far.

    Returns
    -------
    DataFrame
        A copy, its index kept. Equal widgets share a rank (Int64: 1, 1, 3) and stay in their order. Where the deciding
        value is missing, or a version that can't be read, the widget comes last and its rank is NA; where a further one
        is, it comes last among its equals.

    Raises
    ------
    ValueError
        If there is no such column; names those that are spelled alike.

    Warns
    -----
    FewRatingsWarning
        If ``by`` has the rating, and fewer than five widgets have one.
    """
    frame, _ = frames_of(widgets)
    columns = [by] if isinstance(by, str) else list(by)
    if not columns:
        raise ValueError('rank takes the columns to go by, such as by=["rating", "version"]; there is none.')
    demand(frame, columns)
    if "rating" in columns:
        warn_of_few_ratings(frame)
    places = np.array([places_of(frame[name]) for name in columns])
    order = np.lexsort(places[::-1])
    ranked = frame.drop(columns="rank", errors="ignore").iloc[order]
    ranked.insert(0, "rank", pd.Series(_ranks(places[:, order]), index=ranked.index))
    first = [name for name in dict.fromkeys(["rank", "code", *columns]) if name in ranked]
    return ranked[[*first, *(name for name in ranked if name not in first)]]


def changes(before: pd.DataFrame | AnyCatalog, after: pd.DataFrame | AnyCatalog) -> pd.DataFrame:
    """Return what came, what went and what has another value: one row a change.

    A widget is known by its code, a setting by its code and key; what comes twice is told apart by its occurrence.
    Columns that only one side has are not compared, nor are ``position`` and ``widget_id`` of settings: one setting put
    in front of the others would change them all. A missing value equals a missing one.

    Parameters
    ----------
    before, after : Catalog or DataFrame
        Two catalogues, two frames of widgets, or two frames of settings. Of catalogues the settings are compared
        instead of their counts, and those of a widget that came or went as a whole are not listed one by one.

    Returns
    -------
    DataFrame
        ``change`` (added, removed, changed), ``code``, ``setting`` (its key, empty if it has none; NA for the widget
        itself), ``field`` (NA for added and removed), ``old`` and ``new`` (object). First the widgets, then the
        settings; of each what was added, in the order of ``after``, what was removed, in the order of ``before``, and
        what was changed, in the order of ``after`` and of its columns.
    """
    old, new = _parts(before), _parts(after)
    if old.keys() != new.keys():
        raise TypeError(f"{_SIDES}; before is {' and '.join(old)}, after is {' and '.join(new)}.")
    if len(old) > 1:
        codes = old["widgets"]["code"], new["widgets"]["code"]
        old["settings"], new["settings"] = _without(old["settings"], *codes), _without(new["settings"], *codes[::-1])
    found = [_compared(old[kind], new[kind], keys) for kind, keys in _KEYS.items() if kind in old]
    return pd.concat(found, ignore_index=True)


def frames_of(
    widgets: pd.DataFrame | AnyCatalog, settings: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the widgets, and the settings if there are any."""
    if isinstance(widgets, pd.DataFrame):
        return widgets, settings
    if isinstance(widgets, AnyCatalog):
        return widgets.widgets, widgets.settings if settings is None else settings
    raise TypeError(f"A catalogue or a frame of it is wanted, such as catalog.widgets, not {type(widgets).__name__}.")


def rows_of(widgets: pd.DataFrame, codes: Iterable[str]) -> pd.DataFrame:
    """Return the rows of these codes, in their order.

    Raises
    ------
    UnknownWidget
        If a code is not there; names those that are spelled alike.
    """
    if isinstance(codes, str):
        raise TypeError(f"A list of codes is wanted, such as [{codes!r}, …].")
    codes = list(codes)
    demand(widgets, ["code"])
    known = set(widgets["code"].dropna())
    for code in codes:
        if code not in known:
            raise unknown_widget(code, known)
    return widgets.drop_duplicates("code").set_index("code", drop=False).loc[codes].reset_index(drop=True)


def among(codes: pd.Series[str], others: pd.Series[str]) -> pd.Series[bool]:
    """Return for each code whether it is one of the others; as objects, which pandas looks up many times faster."""
    return codes.astype("object").isin(others.astype("object"))


def warn_of_few_ratings(widgets: pd.DataFrame) -> None:
    """Warn whoever called the function that calls this one."""
    rated = int(widgets["rating"].count()) if "rating" in widgets else FEW
    if rated >= FEW or widgets.empty:
        return
    among_all = f"among {counted(len(widgets), 'widget')}"
    if rated:
        so = f"Few ratings: {rated} {among_all}. An order or a median of so few says little."
    else:
        so = f"No ratings {among_all}: there is nothing to compare by them. (Kommo has none at all.)"
    warnings.warn(so, FewRatingsWarning, stacklevel=3)


def unknown_widget(code: object, codes: Collection[str]) -> UnknownWidget:
    """Return the error for a code that is not among these; it names those that are spelled alike."""
    hint = _hint(code, codes) or "The column code of the frame lists those there are."
    return UnknownWidget(f"No widget {code!r} among these {len(codes)}. {hint}")


def demand(frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise a ValueError for a column that the frame does not have."""
    for name in columns:
        if name not in frame.columns:
            there = [str(column) for column in frame.columns]
            raise ValueError(f"No column {name!r}. {_hint(name, there) or 'There are: ' + ', '.join(there) + '.'}")


def _hint(wanted: object, there: Collection[str]) -> str:
    near = difflib.get_close_matches(str(wanted), list(there), n=3)
    return f"Did you mean {', '.join(near)}?" if near else ""


def _demands(settings: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
    """Return a row a setting of these widgets, as they come, and a column a widget."""
    demand(settings, ["code", "key", "type", "is_required"])
    columns = {code: _fields(settings[settings["code"] == code]) for code in codes}
    fields = list(dict.fromkeys(field for column in columns.values() for field in column))
    rows = [[columns[code].get(field, pd.NA) for code in codes] for field in fields]
    labels = [f"setting {key} ({nth + 1})" if nth else f"setting {key}" for key, nth in fields]
    return pd.DataFrame(rows, labels, codes, "object")


def _fields(settings: pd.DataFrame) -> dict[tuple[str, int], str]:
    """Return the settings of one widget: key and occurrence to type and whether it is required."""
    keys = settings["key"].astype("str").fillna("<NA>")
    required = settings["is_required"].map({True: ", required", False: ", optional"}).astype("str").fillna("")
    demanded = settings["type"].astype("str").fillna("unknown type") + required
    return dict(zip(zip(keys, keys.groupby(keys).cumcount(), strict=True), demanded, strict=True))


def places_of(column: pd.Series[Any]) -> np.ndarray:
    """Return where each value stands among the others, the best lowest; what is missing or unreadable is at LAST."""
    numbers, values = pd.factorize(column)
    keys = [version_of(value) for value in values] if column.name == "version" else list(values)
    descending = column.name in _HIGHER_IS_BETTER or pd.api.types.is_bool_dtype(column)
    ordered = sorted({key for key in keys if key is not None}, reverse=descending)
    place = {key: number for number, key in enumerate(ordered)}
    return np.array([*(place.get(key, LAST) for key in keys), LAST])[numbers]  # a missing value has the number -1


def version_of(text: object) -> Version | None:
    """Return the version that a text says, if it says one."""
    try:
        return Version(str(text))
    except ValueError:  # no version, or more digits than Python reads
        return None


def _ranks(places: np.ndarray) -> pd.arrays.IntegerArray:
    """Return the ranks of rows that are in order; a row of ``places`` is a column to go by."""
    is_first = np.ones(places.shape[1], dtype=bool)
    is_first[1:] = (places[:, 1:] != places[:, :-1]).any(axis=0)
    ranks = np.maximum.accumulate(np.where(is_first, np.arange(1, places.shape[1] + 1), 0))
    return pd.arrays.IntegerArray(ranks, places[0] == LAST)


def _parts(side: pd.DataFrame | AnyCatalog) -> dict[str, pd.DataFrame]:
    """Return the frames of a side of ``changes`` by what they hold."""
    if isinstance(side, pd.DataFrame) and "code" in side:
        return {"settings" if "key" in side else "widgets": side}
    if isinstance(side, pd.DataFrame) or not isinstance(side, AnyCatalog):
        raise TypeError(f"{_SIDES}; a frame of either has a column code.")
    counts = ["settings_count", "required_count"]
    return {"widgets": side.widgets.drop(columns=counts, errors="ignore"), "settings": side.settings}


def _without(settings: pd.DataFrame, codes: pd.Series[str], others: pd.Series[str]) -> pd.DataFrame:
    """Return the settings but those of widgets that only this side has."""
    return settings[~among(settings["code"], codes[~among(codes, others)])]


def _compared(before: pd.DataFrame, after: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the changes between two frames of one kind."""
    known, wanted = _identities(before[keys], after[keys])
    source = known.get_indexer(wanted)  # for each row of after its row of before, -1 if it is new
    fields = [name for name in after.columns if name in before.columns and name not in _NOT_COMPARED]
    stayed = after[source >= 0]
    old, new = _values(before[fields].iloc[source[source >= 0]]), _values(stayed[fields])
    rows, columns = np.nonzero(old != new)
    of = {
        "added": after.loc[source < 0, keys],
        "removed": before.loc[~known.isin(wanted), keys],
        "changed": stayed[keys].iloc[rows],
    }
    found = pd.concat(of.values(), ignore_index=True)
    found["change"] = np.repeat(np.array([*of], "object"), [len(each) for each in of.values()])
    found["setting"] = found["key"].astype("str").fillna("") if "key" in found else pd.NA
    whole = np.full(len(found) - len(rows), pd.NA)  # a row that came or went did so with all of its fields
    values = {"field": np.array(fields, "object")[columns], "old": old[rows, columns], "new": new[rows, columns]}
    for name, of_changed in values.items():
        found[name] = pd.Series(np.concatenate([whole, of_changed]), dtype="object")  # else texts alone were a str
    return found[[*CHANGES]].fillna({"old": pd.NA, "new": pd.NA}).astype(CHANGES)


def _identities(before: pd.DataFrame, after: pd.DataFrame) -> tuple[pd.Index[int], pd.Index[int]]:
    """Return a number a row, the same for the nth row of the same keys on both sides, and no other."""
    both = pd.concat([before.astype("str"), after.astype("str")], ignore_index=True)
    keys = both.groupby(list(both), dropna=False, sort=False).ngroup()
    sides = 2 * keys + (np.arange(len(both)) >= len(before))
    nth = sides.groupby(sides, sort=False).cumcount()
    numbers = pd.Index(keys + nth * len(both))
    return numbers[: len(before)], numbers[len(before) :]


def _values(frame: pd.DataFrame) -> np.ndarray:
    """Return the values as objects that can be compared, None for NA: NA equals nothing, not even itself."""
    values = np.empty(frame.shape, "object")
    for at, (_, column) in enumerate(frame.items()):
        values[:, at] = column.to_numpy("object")
    values[frame.isna().to_numpy(dtype=bool)] = None  # of no columns they would be objects
    return values
