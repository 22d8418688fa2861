"""The search that picks a widget, and shows its form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from amoexplore.forms import clicks, style
from amoexplore.forms.base import Displayed
from amoexplore.forms.captions import caption, in_its_language, spoken
from amoexplore.load import load_widgets

if TYPE_CHECKING:
    from collections.abc import Callable

    from amoexplore.account import Account
    from amoexplore.forms.install_form import InstallForm

_SHOWN = 50  # a list that is longer is no choice


class WidgetPicker(Displayed):
    """A search for a widget of the catalogue; made by ``amo.forms.install`` without a code.

    Parameters
    ----------
    account : Account
    make : callable
        Makes the form of a code.

    Attributes
    ----------
    form : InstallForm or None
        The form that was opened last.
    """

    def __init__(self, account: Account, make: Callable[[str], InstallForm]) -> None:
        self._account = account
        self.language = spoken()
        self._make = make
        self._codes = sorted(load_widgets(account, progress=False)["code"])
        self.form: InstallForm | None = None
        self._search = widgets.Text(description=caption("search widgets"))
        self._list = widgets.Select(rows=8)
        self._open = widgets.Button(description=caption("open"), button_style="primary")
        self._status, self._shown = widgets.HTML(), widgets.VBox()
        self._search.observe(lambda _: self._find(), names="value")
        self._open.on_click(lambda _: clicks.in_background(self._pick))
        parts = [widgets.HTML(style.head("")), self._search, self._list, self._open, self._status]
        self.box = widgets.VBox([widgets.VBox(parts, _dom_classes=("amo-form",)), self._shown])
        self._find()

    @in_its_language
    def pick(self, code: str) -> InstallForm:
        """Open the form of a widget under the search, and return it.

        Raises
        ------
        NotFound
            If there is no such widget.
        """
        self._open.disabled = True
        try:
            with clicks.ticking(lambda s: self._say(caption("opening", code=code, seconds=s))):
                form = self._make(code)
        except Exception as error:
            self._status.value = style.failure(error, "picker.pick(code)")
            raise
        finally:
            self._open.disabled = False
        self._say("")
        if self.form:
            self.form.give_way()
        self.form = form
        self._shown.children = [form.box]
        return form

    def __repr__(self) -> str:
        return f"<Search for a widget of {self._account.name}>"

    def _pick(self) -> None:
        if self._list.value:
            self.pick(self._list.value)

    @in_its_language
    def _find(self) -> None:
        wanted = self._search.value.strip().casefold()
        found = [code for code in self._codes if wanted in code.casefold()]
        self._list.description = caption("widgets found", found=len(found), all=len(self._codes))
        self._list.options = found[:_SHOWN]
        if self._list.options:
            self._list.index = 0
        self._open.disabled = not found
        self._say(caption("more widgets", shown=_SHOWN, found=len(found)) if len(found) > _SHOWN else "")

    def _say(self, text: str) -> None:
        self._status.value = style.hint(text)
