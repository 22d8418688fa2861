"""The filters of the browser: what was set, and which widgets fit it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets as widgets
import numpy as np

from amoexplore import normalize
from amoexplore.charts.data import FLAGS, rating_values
from amoexplore.comparisons import among
from amoexplore.forms import style
from amoexplore.forms.captions import caption, has_decimal_comma

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from amoexplore.comparisons import AnyCatalog
    from amoexplore.forms.fields import Owner

#: Of more types of settings the most frequent can be filtered by.
TYPES = 12

_ANSWERS = {None: "any", True: "yes", False: "no"}

Mask = np.ndarray[Any, np.dtype[np.bool_]]


class Choice(NamedTuple):
    """A question about each widget, and which answer is wanted.

    Attributes
    ----------
    asked
        The input.
    has : Series of bool
        The answer for each widget.
    """

    asked: widgets.Dropdown
    has: pd.Series[bool]

    def fits(self) -> Mask:
        """Return for each widget whether its answer is the wanted one; an unknown one never is."""
        fits: Mask = (self.has == (self.asked.value == "yes")).fillna(value=False).to_numpy(dtype=bool)
        return fits


class Filters:
    """Inputs for what a widget is to be like.

    Parameters
    ----------
    catalog : Catalog
    owner : Owner

    Attributes
    ----------
    box
        What is shown.
    """

    def __init__(self, catalog: AnyCatalog, owner: Owner) -> None:
        found = catalog.widgets
        self._texts = (found["code"] + " " + found["id"].astype("str")).str.casefold()
        self._ratings = rating_values(found)
        self._range: list[float | None] = [None, None]
        self._is_held = False
        self._owner = owner
        self._search = widgets.Text(description=caption("search catalogue"))
        self._ends = [
            widgets.Text(description=caption(key), placeholder=scale, continuous_update=False)
            for key, scale in (("rating from", "0"), ("rating to", "5"))
        ]
        self._message = widgets.HTML()
        self._flags = {name: Choice(_asked(caption(name)), found[name]) for name in FLAGS}
        self._types = _types(catalog)
        choices = [choice.asked for choice in (*self._flags.values(), *self._types.values())]
        reset = widgets.Button(description=caption("reset"))
        reset.on_click(owner.guard(lambda _: self.clear()))
        bar = widgets.Box([reset], _dom_classes=("amo-bar",))
        rows = [_row(self._ends), self._message, _row(choices), bar]
        self.box = widgets.VBox([self._search, *rows])
        for one in (self._search, *choices):
            one.observe(owner.guard(lambda _: self._tell()), names="value")
        for one in self._ends:
            one.observe(owner.guard(lambda _: self._take_range()), names="value")

    def set(
        self,
        search: str | None = None,
        rating: tuple[float | None, float | None] | None = None,
        flags: Mapping[str, bool | None] | None = None,
        types: Mapping[str, bool | None] | None = None,
    ) -> None:
        """Set what is given, as if it were typed and chosen, and tell once; nothing, if anything of it is wrong."""
        if not isinstance(search, str | None):
            raise ValueError(f"search is a text, not {search!r}.")  # noqa: TRY004  one error for all that can't be
        answers = [*_answers("flag", flags, self._flags), *_answers("type of settings", types, self._types)]
        ends = [one.value for one in self._ends] if rating is None else _texts(rating)
        if rating is not None:
            _range(ends)
        self._is_held = True
        try:
            if search is not None:
                self._search.value = search
            for one, value in [*zip(self._ends, ends, strict=True), *answers]:
                one.value = value
            self._take_range()
        finally:
            self._is_held = False
        self._tell()

    def clear(self) -> None:
        """Let every widget fit."""
        self.set("", (None, None), {}, {})

    def fits(self) -> Mask:
        """Return for each widget whether it fits."""
        kept: Mask = np.ones(len(self._texts), dtype=bool)
        for word in self._search.value.casefold().split():
            kept &= self._texts.str.contains(word, regex=False).to_numpy(dtype=bool)
        for end, holds in zip(self._range, (operator.ge, operator.le), strict=True):
            if end is not None:
                kept &= holds(self._ratings, end)
        for choice in (*self._flags.values(), *self._types.values()):
            if choice.asked.value != "any":
                kept &= choice.fits()
        return kept

    def _take_range(self) -> None:
        """Take the range, or say under it why it is none, and keep the former one."""
        try:
            self._range = _range([one.value for one in self._ends])
        except ValueError as error:
            self._message.value = style.alert(str(error))
            return
        self._message.value = ""
        self._tell()

    def _tell(self) -> None:
        if not self._is_held:
            self._owner.edited()


def _types(catalog: AnyCatalog) -> dict[str, Choice]:
    """Return a choice for each type of settings, whether a widget asks for any; the most frequent first."""
    codes, settings = catalog.widgets["code"], catalog.settings
    frequent = map(str, settings["type"].value_counts().index[:TYPES])
    return {
        name: Choice(
            _asked(caption("asks for", type=style.label(name))),
            among(codes, settings.loc[settings["type"] == name, "code"]),
        )
        for name in frequent
    }


def _asked(label: str) -> widgets.Dropdown:
    options = [(caption(answer), answer) for answer in _ANSWERS.values()]
    return widgets.Dropdown(options=options, description=style.no_formula(label))


def _row(parts: Iterable[widgets.Widget]) -> widgets.Box:
    return widgets.Box([*parts], _dom_classes=("amo-row",))


def _answers(
    what: str, wanted: Mapping[str, Any] | None, choices: Mapping[str, Choice]
) -> Iterator[tuple[widgets.Dropdown, str]]:
    """Yield each input with its new answer: any where none is wanted."""
    if wanted is None:
        return
    if not isinstance(wanted, Mapping):
        such = dict.fromkeys([*choices][:1], True)
        raise ValueError(  # noqa: TRY004  one error for all that can't be
            f"What is wanted by {what} is a dict, such as {such}, not {wanted!r}."
        )
    for name, answer in wanted.items():
        if name not in choices:
            raise ValueError(f"No {what} {name!r} to filter by; there are: {', '.join(choices) or 'none'}.")
        if not isinstance(answer, int | np.bool | None) or answer not in _ANSWERS:
            raise ValueError(f"{name} is to be True, False or None (any), not {answer!r}.")
    for name, choice in choices.items():
        yield choice.asked, _ANSWERS[wanted.get(name)]


def _texts(ends: object) -> list[str]:
    if not isinstance(ends, tuple | list) or len(ends) != 2:  # noqa: PLR2004  where it begins, and where it ends
        raise ValueError(f"A rating range has two ends, such as (2, 4) or (4.5, None), not {ends!r}.")
    return ["" if end is None else _decimal(end) for end in ends]


def _decimal(number: object) -> str:
    """Return a number as it is typed: without a power of ten, and in Russian with a comma."""
    if not isinstance(number, float):
        return str(number)
    text = np.format_float_positional(number, trim="0")
    return text.replace(".", ",") if has_decimal_comma() else text


def _range(texts: Sequence[str]) -> list[float | None]:
    """Return the ends that were typed, None for an open one."""
    ends: list[float | None] = []
    for text in texts:
        try:
            ends.append(normalize.rating(text))
        except ValueError:
            raise ValueError(f"{style.cut(text)!r} {caption('no number')}") from None
    low, high = ends
    if low is not None and high is not None and low > high:
        raise ValueError(f"{style.cut(texts[1])} {caption('empty range')}")
    return ends
