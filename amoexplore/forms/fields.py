"""One field a setting: its label, its input, and the message under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import ipywidgets as widgets
import msgspec

from amoexplore.checks import Fault
from amoexplore.forms import style
from amoexplore.forms.captions import caption
from amoexplore.forms.secret import JsonInput, SecretInput, TextInput
from amoexplore.models import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from amoexplore.forms.secret import Forgetful
    from amoexplore.models import Setting


class Owner(NamedTuple):
    """What a field tells its form.

    Attributes
    ----------
    edited
        Is called after each edit.
    guard
        Makes of a callback one whose errors the form shows.
    """

    edited: Callable[[], object]
    guard: Callable[[Callable[..., object]], Callable[..., object]]


class Field:
    """One setting.

    Parameters
    ----------
    setting : Setting
    owner : Owner

    Attributes
    ----------
    box
        What is shown.
    faults : int
        How many are shown.
    """

    def __init__(self, setting: Setting, owner: Owner) -> None:
        self.setting = setting
        self.key = str(setting.key)
        self.faults = 0
        self._owner = owner
        self._given: Secret | None = None
        self._message = widgets.HTML()
        self.box = widgets.VBox([*self._parts(), self._message], _dom_classes=("amo-part",))

    @property
    def given(self) -> Secret | None:
        """What was typed or set, None if nothing was."""
        return self._given

    def fill(self, value: Secret) -> None:
        """Take a value from a cell, of whatever type it is."""
        self._given = value
        self._blank(caption("kept"))
        self.show([])

    def drop(self) -> None:
        """Forget what was given, here and in the browser."""
        self._given = None
        self._blank("")
        self.show([])

    def drop_secrets(self) -> None:
        """Forget what is secret, here and in the browser."""

    def own_faults(self) -> list[Fault]:
        """Return what is wrong here and nowhere else to be found."""
        return []

    def show(self, faults: list[Fault]) -> None:
        """Show these faults under the input, none to take them away."""
        self.faults = len(faults)
        self._message.value = style.alert("\n".join(map(self._said, faults)))

    def disable(self, *, is_disabled: bool) -> None:
        """Let nobody type, or let them again."""
        for one in self._inputs():
            one.disabled = is_disabled

    def _said(self, fault: Fault) -> str:
        detail = caption("missing", detail=fault.detail) if fault.code == "FieldMissing" else fault.detail
        place = fault.path.removeprefix(self.key).lstrip(".")
        return caption("at", place=self._place(place), detail=detail) if place else detail

    def _place(self, path: str) -> str:
        return path

    def _parts(self) -> list[widgets.Widget]:
        raise NotImplementedError

    def _inputs(self) -> list[Forgetful]:
        raise NotImplementedError

    def _blank(self, placeholder: str) -> None:
        for one in self._inputs():
            one.forget()
            one.placeholder = placeholder

    def _label(self) -> str:
        name, key = self.setting.name or "", style.label(self.key)
        shown = key if name in ("", "custom", self.key) else f"{style.label(name)} ({key})"
        return style.no_formula(f"{shown} · {caption('required')}" if self.setting.is_required else shown)


class TextField(Field):
    """A setting of type text; it stays readable while the form is filled in."""

    _input: type[Forgetful] = TextInput

    def _parts(self) -> list[widgets.Widget]:
        self._line = self._input(self._owner.guard(self._take), description=self._label())
        return [self._line]

    def _inputs(self) -> list[Forgetful]:
        return [self._line]

    def _take(self, typed: Secret) -> None:
        self._given = typed if typed.reveal() else None
        self._line.placeholder = caption("kept") if self._given else ""
        self.show([])
        self._owner.edited()


class PassField(TextField):
    """A setting of type pass: what was typed is shown nowhere, and dropped after each call."""

    _input = SecretInput

    def _take(self, typed: Secret) -> None:
        if typed.reveal():  # the browser's copy is blank: leaving it so is no edit
            super()._take(typed)

    def drop_secrets(self) -> None:
        """Forget it."""
        if self._given:
            self._given = None
            self._blank(caption("typed again"))


class JsonField(TextField):
    """A setting of type custom: JSON in a text, checked as it is typed."""

    _input = JsonInput

    def _parts(self) -> list[widgets.Widget]:
        self._checked = widgets.HTML()
        return [*super()._parts(), self._checked]

    def show(self, faults: list[Fault]) -> None:
        """Show these faults; they take the place of what was said while typing."""
        self._checked.value = ""
        super().show(faults)

    def _take(self, typed: Secret) -> None:
        super()._take(typed)
        if self._given:
            self._checked.value = style.hint(caption("JSON is right" if _decoded(self._given) else "not JSON"))


class UnknownField(JsonField):
    """A setting that has no field of its own: its value is what the JSON says.

    Parameters
    ----------
    setting : Setting
    owner : Owner
    warning : str
        Why; by default, that its type is not known.
    """

    def __init__(self, setting: Setting, owner: Owner, warning: str = "") -> None:
        self._warning = warning or caption("unknown type", type=style.cut(str(setting.type)))
        self._is_broken = False
        super().__init__(setting, owner)

    def _parts(self) -> list[widgets.Widget]:
        return [*super()._parts(), widgets.HTML(style.said(self._warning, "warning"))]

    def own_faults(self) -> list[Fault]:
        """Return that it is no JSON, if so."""
        return [Fault("InvalidType", self.key, caption("not JSON"))] if self._is_broken else []

    def _take(self, typed: Secret) -> None:
        super()._take(typed)
        decoded = self._given and _decoded(self._given)
        self._is_broken = bool(self._given and not decoded)
        self._given = decoded or self._given

    def _blank(self, placeholder: str) -> None:
        self._is_broken = False
        super()._blank(placeholder)


def _decoded(text: Secret) -> Secret | None:
    try:
        return Secret(msgspec.json.decode(text.reveal()))
    except (ValueError, RecursionError):
        return None
