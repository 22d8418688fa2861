"""The form that installs a widget, made from its settings_template."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, overload

import ipywidgets as widgets
from msgspec import structs

from amoexplore import checks, trials
from amoexplore.account import require_account
from amoexplore.errors import AmoError, Forbidden, NotSent, OutcomeUnknown
from amoexplore.forms import clicks, style
from amoexplore.forms.base import Form, switch
from amoexplore.forms.captions import caption, in_its_language, speaking
from amoexplore.forms.fields import Field, JsonField, Owner, PassField, SecretJsonField, TextField, UnknownField
from amoexplore.forms.picker import WidgetPicker
from amoexplore.forms.user_fields import LoginsField, UsersField
from amoexplore.models import Secret, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from amoexplore.account import Account
    from amoexplore.checks import Fault
    from amoexplore.models import Request, Setting, Settings, User, Widget

_FIELDS: dict[str, type[TextField]] = {"text": TextField, "pass": PassField, "custom": JsonField}
_USER_FIELDS: dict[str, type[UsersField]] = {"users": UsersField, "users_lp": LoginsField}


class InstallForm(Form):
    """A form that installs a widget; made by ``amo.forms.install``.

    What the buttons do, cells do with ``values``, ``preview()``, ``submit()`` and ``uninstall()``, which raise.

    Parameters
    ----------
    account : Account
    widget : Widget
        As the account has it now.
    users : sequence of User, or AmoError
        Of the account, or why they can't be read.

    Attributes
    ----------
    widget : Widget
        As it was when it was last looked at.
    """

    def __init__(self, account: Account, widget: Widget, users: Sequence[User] | AmoError = ()) -> None:
        super().__init__(account, "install")
        owner = Owner(self.edited, self.guard)
        self._fields: dict[str, Field] = {}
        for setting in filter(_has_key, widget.settings_template):
            key = str(setting.key)
            if key not in self._fields or not self._fields[key].is_secret:  # of two with one key the secret one stays
                self._fields[key] = _field(setting, owner, users)
        self._head = widgets.HTML()
        self._uninstall_button = self._button("uninstall")
        self._uninstall_button.on_click(self._idly(self._ask_uninstall))
        boxes = [field.box for field in self._fields.values()]
        boxes += [_keyless(setting) for setting in widget.settings_template if not _has_key(setting)]
        boxes = boxes or [widgets.HTML(style.hint(caption("no settings")))]
        bar = [self._preview, self._clear, self._uninstall_button, self._again]
        self.box = self._framed(self._head, *boxes, bar=bar)
        self._show(widget)

    @property
    def code(self) -> str:
        """The widget's code."""
        return self.widget.code

    @property
    def values(self) -> Settings:
        """What is filled in, masked; setting it fills the fields in, and empties those that it does not name.

        Raises
        ------
        SettingsError
            When set, if it names what is no setting of this widget; nothing is filled in then.
        NotSent
            When set while the form is at work.
        """
        given = ((key, field.given) for key, field in self._fields.items())
        return settings_of({key: secret.reveal() for key, secret in given if secret})

    @values.setter
    def values(self, settings: Mapping[str, Any]) -> None:
        hidden, settings = Secret(settings), None  # type: ignore[assignment]  # from here on nothing shows the values
        self._demand_idle()
        settings = settings_of(hidden.reveal())
        faults = checks.settings_faults(self.widget.settings_template, settings)
        unnamed = {str(key) for key in settings if key not in self._fields}
        unknown = [fault for fault in faults if fault.path in unnamed]
        if unknown:
            raise checks.settings_error(self.widget, unknown)
        with speaking(self.language):
            for key, field in self._fields.items():
                field.drop()
                if key in settings:
                    field.fill(Secret(settings.reveal()[key]))
            self.edited()

    @in_its_language
    def submit(self, *, allow_loss: bool = False) -> Widget:
        """Install the widget with the values of the form, as its button does.

        Parameters
        ----------
        allow_loss : bool
            The second step: install also over an installed widget, whose settings can't be read back and are lost.

        Returns
        -------
        Widget
            As installed, its settings masked.

        Raises
        ------
        NotSent
            If the widget is installed and ``allow_loss`` is not set, it asks for other settings than when this form was
            made, this form is at work or another one is at it, or nothing was edited since this form sent last.
        ReadOnly, SettingsError, ValidationFailed, Forbidden, OutcomeUnknown
            As for ``account.install``.
        """
        return self._install(allow_loss=allow_loss)

    @in_its_language
    def uninstall(self, *, allow_loss: bool = False) -> None:
        """Uninstall the widget, as the second step of its button does.

        Parameters
        ----------
        allow_loss : bool
            The second step: its settings can't be read back, and are lost.

        Raises
        ------
        NotSent
            If ``allow_loss`` is not set, this form is at work, or another one is at it.
        ReadOnly, NotFound, Forbidden, OutcomeUnknown
            As for ``account.uninstall``.
        """
        with self._running("uninstalling", self._named()):
            self.account.require_writable(f"uninstall {self.code}")
            if not allow_loss:
                raise NotSent(f"{caption('ask uninstall', **self._named())} form.uninstall(allow_loss=True) does it.")
            with clicks.alone(self.account.url, self.code), self._doubting():
                self._told.uninstall(self.code)
        self._show(structs.replace(self.widget, is_active_in_account=False))
        self.edited()
        self._status.value = style.result(self._how_it_is())

    @in_its_language
    def trial(self) -> pd.DataFrame:
        """Install the widget with the values of the form inside an ``amo.trial``, which undoes it.

        Returns
        -------
        DataFrame
            What the install changed: ``trial.changes()``.

        Raises
        ------
        TrialError
            As for ``amo.trial``; also if the widget was installed before.
        NotSent, ReadOnly, SettingsError, ValidationFailed, Forbidden, OutcomeUnknown
            As for ``submit``.
        """
        with self._sending("trying", self.code, self._named()):
            self._check()
            with trials.trial(self._told) as trial:
                trial.install(self.code, self.values)
                changes = trial.changes()
        self._status.value = style.result({**self._how_it_is(), caption("state"): caption("tried")})
        return changes

    def __repr__(self) -> str:
        return f"<Form that installs {self.code} into {self.account.name}>"

    def _send(self) -> Widget:
        return self._install(allow_loss=False)

    def _install(self, *, allow_loss: bool) -> Widget:
        with self._sending("installing", self.code, self._named()):
            self.account.require_writable(f"install {self.code}")
            self._check()
            self._look()
            if not allow_loss:
                self._demand_not_installed()
            with self._doubting():
                installed = self._told.install(self.widget, self.values)
        self._show(structs.replace(installed, settings=None))
        self._status.value = style.result(self._how_it_is())
        self._empty()
        return installed

    def _check(self) -> None:
        """Demand settings without a fault. They stay in the fields: no frame of a traceback holds them."""
        own = [fault for field in self._fields.values() for fault in field.own_faults()]
        faults = own + checks.settings_faults(self.widget.settings_template, self.values)
        self._show_faults(faults)
        if faults:
            raise checks.settings_error(self.widget, faults)

    def _look(self) -> None:
        """Ask how the widget is now, and demand that it still asks for what this form does."""
        now = self.account.widget(self.code)
        if now.settings_template != self.widget.settings_template:
            raise NotSent(
                f"{self.code} asks for other settings now than when this form was made; nothing was sent. "
                "Run the form's cell again."
            )
        self._show(now)

    @contextmanager
    def _doubting(self) -> Iterator[None]:
        """Say of a call whose end nobody knows that it is unknown how the widget is."""
        try:
            yield
        except (OutcomeUnknown, KeyboardInterrupt):
            self._show(structs.replace(self.widget, is_active_in_account=None))
            raise

    def _demand_not_installed(self) -> None:
        if self.widget.is_active_in_account is not False:  # unknown is as good as yes
            question = caption("ask replace", **self._named())
            confirmed = partial(clicks.in_background, partial(self._install, allow_loss=True))
            self.second_step.ask(question, caption("yes replace", **self._named()), confirmed)
            raise NotSent(f"{question} form.submit(allow_loss=True) replaces them; nothing was sent.")

    def _drop_secrets(self) -> None:
        for field in self._fields.values():
            field.drop_secrets()

    def _ask_uninstall(self) -> None:
        self._say("")
        confirmed = partial(clicks.in_background, partial(self.uninstall, allow_loss=True))
        self.second_step.ask(
            caption("ask uninstall", **self._named()), caption("yes uninstall", **self._named()), confirmed
        )

    def _dry_run(self) -> Request:
        self._check()
        return self.account.install(self.code, self.values, dry_run=True)

    def _named(self) -> dict[str, str]:
        return {"code": self.code, "account": self.account.name}

    def _show(self, widget: Widget) -> None:
        """Show how the widget is."""
        self.widget = widget
        head = style.title(caption("widget in", **self._named()))
        self._head.value = head + style.hint(f"{caption('version')} {widget.version} · {self._state()}")
        self._refresh()

    def _state(self) -> str:
        keys = {True: "installed", False: "not installed", None: "unknown"}
        return caption(keys[self.widget.is_active_in_account])

    def _how_it_is(self) -> dict[str, str]:
        return {
            caption("state"): self._state(),
            caption("version"): str(self.widget.version),
            caption("account"): self.account.name,
            caption("request id"): str(self._request_id),
        }

    def _show_faults(self, faults: list[Fault]) -> list[Fault]:
        at: dict[str | None, list[Fault]] = {}
        for fault in faults:
            keys = [key for key in self._fields if f"{fault.path}.".startswith(f"{key}.")]
            at.setdefault(max(keys, key=len, default=None), []).append(fault)  # one key may begin like another
        for key, field in self._fields.items():
            field.show(at.get(key, []))
        return at.get(None, [])

    def _empty(self) -> None:
        for field in self._fields.values():
            field.drop()

    def _faults(self) -> int:
        return sum(field.faults for field in self._fields.values())

    def _disable(self, *, is_disabled: bool) -> None:
        for field in self._fields.values():
            field.disable(is_disabled=is_disabled)

    def _refresh(self) -> None:
        super()._refresh()
        is_there = self.widget.is_active_in_account is not False
        self._uninstall_button.disabled = not self.account.writable
        switch(self._uninstall_button, is_on=not self.is_busy)
        self._uninstall_button.layout.display = None if is_there else "none"


@overload
def install(account: Account, code: str) -> InstallForm: ...


@overload
def install(account: Account, code: None = None) -> WidgetPicker: ...


def install(account: Account, code: str | None = None) -> InstallForm | WidgetPicker:
    """Return a form that installs a widget, made from its ``settings_template``; without a code, a search for one.

    Nothing is sent before it is valid, and one click is one request. The kernel keeps what was typed as long as the
    call needs it: passwords until the call's end, the rest until the widget is installed. What is typed into a secret
    field is in no file, as long as the kernel answers. Texts, extensions, logins and JSON stay readable in the browser
    until the widget is installed, and are in a notebook that JupyterLab saves with the state of its widgets before.

    Parameters
    ----------
    account : Account
        A read-only one shows the form, and sends nothing.
    code : str, optional

    Returns
    -------
    InstallForm or WidgetPicker
        To be displayed. ``submit()``, ``preview()``, ``values`` and ``trial()`` of the form do the same from cells.

    Raises
    ------
    NotFound
        If there is no such widget.
    """
    require_account(account)
    if code is None:
        return WidgetPicker(account, partial(_form, account))
    return _form(account, code)


def _form(account: Account, code: str) -> InstallForm:
    widget = account.widget(code)
    users: Sequence[User] | AmoError = ()
    if any(setting.type in _USER_FIELDS for setting in widget.settings_template):
        try:
            users = account.users()
        except Forbidden as error:  # who is no administrator
            users = error
    return InstallForm(account, widget, users)


def _has_key(setting: Setting) -> bool:
    return bool(setting.key)


def _keyless(setting: Setting) -> widgets.HTML:
    return widgets.HTML(style.said(caption("keyless", name=style.cut(setting.name or "?")), "warning"))


def _field(setting: Setting, owner: Owner, users: Sequence[User] | AmoError) -> Field:
    """Return the field for a setting of its type."""
    kind = str(setting.type)
    if kind not in _USER_FIELDS:
        return _FIELDS.get(kind, SecretJsonField)(setting, owner)
    if isinstance(users, AmoError) or not users:
        why = caption("no users", kind=type(users).__name__) if isinstance(users, AmoError) else caption("nobody")
        return (SecretJsonField if _USER_FIELDS[kind].is_secret else UnknownField)(setting, owner, why)
    return _USER_FIELDS[kind](setting, owner, users)
