"""Forms for JupyterLab: finding a widget, installing it, and letting a bot go on by hand, safely.

What is typed into a field of a setting is kept in memory only, and only as long as the call needs it.
"""

from __future__ import annotations

from amoexplore.forms.bot_form import BotForm, continue_bot
from amoexplore.forms.browser import Browser, browse
from amoexplore.forms.install_form import InstallForm, install
from amoexplore.forms.picker import WidgetPicker

__all__ = ["BotForm", "Browser", "InstallForm", "WidgetPicker", "browse", "continue_bot", "install"]
