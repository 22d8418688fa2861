"""Inputs that hand on what is typed, and keep none of it.

Whatever ipywidgets sends, saves, embeds or prints of an input is its ``value``. Here that is empty, always: what comes
from the browser is taken out of the message before ipywidgets sees it. The browser's own copy is not ours to keep
empty while somebody types; that of a secret is blanked as soon as it has come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from traitlets import Unicode

from amoexplore.models import Secret

if TYPE_CHECKING:
    from collections.abc import Callable


class Forgetful(widgets.Widget):
    """An input whose ``value`` is always empty.

    Parameters
    ----------
    take : callable
        Is given what was typed, as a Secret.
    **options
        Of the input.
    """

    value = Unicode("", read_only=True).tag(sync=True)

    def __init__(self, take: Callable[[Secret], object], **options: Any) -> None:
        self._take = take
        super().__init__(**options)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the browser sends."""
        typed = Secret(sync_data.pop("value")) if "value" in sync_data else None
        super().set_state(sync_data)
        if typed is not None:
            self._take(typed)

    def forget(self) -> None:
        """Blank the browser's copy, too."""
        self.send_state("value")


class TextInput(Forgetful, widgets.Text):
    """A line of text, handed on when it is left."""

    def __init__(self, take: Callable[[Secret], object], **options: Any) -> None:
        super().__init__(take, continuous_update=False, **options)


class SecretInput(Forgetful, widgets.Password):
    """A line of dots, handed on when it is left, and blank from then on."""

    def __init__(self, take: Callable[[Secret], object], **options: Any) -> None:
        super().__init__(take, continuous_update=False, **options)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the browser sends, and blank it there."""
        is_typed = bool(sync_data.get("value"))
        super().set_state(sync_data)
        if is_typed:
            self.forget()


class JsonInput(Forgetful, widgets.Textarea):
    """Several lines, handed on as they are typed."""
