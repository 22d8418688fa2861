"""Settings that are given by user: a row for each user of the account, a page of rows at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from amoexplore.forms import style
from amoexplore.forms.captions import caption
from amoexplore.forms.fields import Field
from amoexplore.forms.secret import SecretInput, TextInput
from amoexplore.models import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amoexplore.forms.fields import Owner
    from amoexplore.forms.secret import Forgetful
    from amoexplore.models import Setting, User

ROWS = 10  # at a time: a thousand inputs would take the browser half a minute


class UsersField(Field):
    """A setting of type users: an extension a user.

    Parameters
    ----------
    setting : Setting
    owner : Owner
    users : iterable of User
    """

    #: What a user is asked for: its caption, and the input.
    asked: Mapping[str, type[Forgetful]] = {"extension": TextInput}

    def __init__(self, setting: Setting, owner: Owner, users: Iterable[User]) -> None:
        self._names = {str(user.id): f"{style.label(user.name)} ({user.id})" for user in users}
        self._values: dict[str, dict[str, Secret]] = {}
        self._rows: dict[str, dict[str, Forgetful]] = {}
        self._boxes: dict[str, widgets.Box] = {}
        self._dropped: set[str] = set()
        self._first = 0
        self._is_disabled = False
        super().__init__(setting, owner)
        self._turn_to(0)

    @property
    def given(self) -> Secret | None:
        """The values by user id, of those who have one."""
        if self._given:
            return self._given  # what a cell set, and no row can show
        return (
            Secret({user_id: self._entry(given) for user_id, given in self._values.items()}) if self._values else None
        )

    def fill(self, value: Secret) -> None:
        """Take a value from a cell: by user id, whatever else it is."""
        self.drop()
        given = value.reveal()
        if self._has_rows(given):
            self._values = {str(user_id): self._parted(entry) for user_id, entry in given.items()}
            self._names |= {user_id: style.label(user_id) for user_id in self._values if user_id not in self._names}
        else:
            self._given = value
        for user_id in self._rows:
            self._mark(user_id)
        self._turn_to(0)

    def drop(self) -> None:
        """Forget all."""
        self._values = {}
        self._dropped.clear()
        super().drop()
        self._count()

    def disable(self, *, is_disabled: bool) -> None:
        """Let nobody type, or let them again, also in rows that are first shown meanwhile."""
        self._is_disabled = is_disabled
        super().disable(is_disabled=is_disabled)

    def _has_rows(self, given: object) -> bool:
        """Return whether rows can show it: what they can't is kept, and checked, as it is."""
        return (
            isinstance(given, Mapping)
            and 0 < len(given) == len(set(map(str, given)))
            and all(map(self._fits, given.values()))
        )

    def _fits(self, entry: object) -> bool:
        return not isinstance(entry, Mapping)

    def _parted(self, entry: Any) -> dict[str, Secret]:
        return {"extension": Secret(entry)}

    def _entry(self, given: dict[str, Secret]) -> Any:
        return given["extension"].reveal()

    def _parts(self) -> list[widgets.Widget]:
        self._search = widgets.Text(description=caption("search users"))
        self._search.observe(self._owner.guard(lambda _: self._turn_to(0)), names="value")
        self._list = widgets.VBox()
        self._counted = widgets.HTML()
        self._back, self._on = (widgets.Button(description=caption(key)) for key in ("previous", "next"))
        self._back.on_click(self._owner.guard(lambda _: self._turn_to(self._first - ROWS)))
        self._on.on_click(self._owner.guard(lambda _: self._turn_to(self._first + ROWS)))
        self._pager = widgets.Box([self._back, self._on, self._counted], _dom_classes=("amo-bar",))
        heading = widgets.HTML(style.subtitle(self._label()))
        return [heading, self._search, self._list, self._pager]

    def _inputs(self) -> list[Forgetful]:
        return [one for row in self._rows.values() for one in row.values()]

    def _found(self) -> list[str]:
        wanted = self._search.value.strip().casefold()
        return [user_id for user_id, name in self._names.items() if wanted in name.casefold()]

    def _turn_to(self, first: int) -> None:
        few = len(self._names) <= ROWS
        self._search.layout.display = self._pager.layout.display = "none" if few else None
        found = self._found()
        self._first = max(0, min(first, (len(found) - 1) // ROWS * ROWS))
        self._list.children = [self._row(user_id) for user_id in found[self._first : self._first + ROWS]]
        self._count()

    def _count(self) -> None:
        found = len(self._found())
        last = min(self._first + ROWS, found)
        self._back.disabled, self._on.disabled = self._first == 0, last == found
        text = caption("rows", first=min(self._first + 1, last), last=last, found=found, filled=len(self._values))
        self._counted.value = style.hint(text)

    def _row(self, user_id: str) -> widgets.Widget:
        """Return a user's row; it is made when it is first shown, and stays that user's."""
        if user_id not in self._rows:
            self._rows[user_id] = {part: self._cell(user_id, part) for part in self.asked}
            self._boxes[user_id] = widgets.Box(list(self._rows[user_id].values()), _dom_classes=("amo-row",))
            self._mark(user_id)
        return self._boxes[user_id]

    def _cell(self, user_id: str, part: str) -> Forgetful:
        def take(typed: Secret) -> None:
            self._take(user_id, part, typed)

        return self.asked[part](
            self._owner.guard(take),
            description=style.no_formula(caption(part, user=self._names[user_id])),
            disabled=self._is_disabled,
        )

    def _mark(self, user_id: str) -> None:
        for part, one in self._rows[user_id].items():
            is_dropped = user_id in self._dropped and part == "password"
            empty = caption("typed again") if is_dropped else ""
            one.placeholder = caption("kept") if part in self._values.get(user_id, {}) else empty

    def _take(self, user_id: str, part: str, typed: Secret) -> None:
        self._given = None
        row = self._values.setdefault(user_id, {})
        if typed.reveal():
            row[part] = typed
        elif self.asked[part] is TextInput:  # the browser's copy of a secret is blank: leaving it so is no edit
            row.clear()  # a password goes with its login
            self._dropped.discard(user_id)
        if not row:
            del self._values[user_id]
        self._mark(user_id)
        self._count()
        self.edited()

    def _place(self, path: str) -> str:
        user_id, _, rest = path.partition(".")
        return f"{self._names.get(user_id, user_id)}{f' {rest}' if rest else ''}"


class LoginsField(UsersField):
    """A setting of type users_lp: a login and a password a user."""

    is_secret = True
    asked: Mapping[str, type[Forgetful]] = {"login": TextInput, "password": SecretInput}

    def drop_secrets(self) -> None:
        """Forget the passwords."""
        for user_id, given in self._values.items():
            if given.pop("password", None):
                self._dropped.add(user_id)
        self._values = {user_id: given for user_id, given in self._values.items() if given}
        self._given = None
        for user_id in self._rows:
            self._mark(user_id)

    def _fits(self, entry: object) -> bool:
        return isinstance(entry, Mapping)

    def _parted(self, entry: Any) -> dict[str, Secret]:
        return {part: Secret(value) for part, value in entry.items()}

    def _entry(self, given: dict[str, Secret]) -> Any:
        return {part: value.reveal() for part, value in given.items()}
