"""What users hold in their hands: one Widget, its Settings, a Page of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from amoexplore import display

MASK = "***"


class Settings(Mapping[str, Any]):
    """The settings a widget is installed with: keys in the open, values masked.

    Setting values hold passwords, so no display, repr or iteration shows them; ``reveal()`` is the one way to see them.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, key: str) -> str:
        self._values[key]
        return MASK

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{key}={MASK}' for key in self)})"

    def reveal(self) -> dict[str, Any]:
        """Return the values in clear. Mind where they are shown: a notebook keeps its outputs."""
        return dict(self._values)


class Setting(Struct, frozen=True):
    """One field of a widget's ``settings_template``.

    Attributes
    ----------
    key, name : str or None
        Its key in the settings, and its label (often Russian; the word ``custom`` for fields of type custom).
    type : str or None
        text, pass, custom, users or users_lp; the API may send others.
    is_required : bool or None
        Whether an install demands it.
    """

    key: str | None
    name: str | None
    type: str | None
    is_required: bool | None


class Widget(Struct, frozen=True, kw_only=True):
    """One widget, with clean values; None stands for what the API left out or what can't be read.

    The fields are those of the API's page, «Информация о виджете по его коду».

    Attributes
    ----------
    rating : float or None
        From 0 to 5, as far as is known; the API's ``"2,8"`` is 2.8.
    settings_template : tuple of Setting
        What an install asks for.
    client_uuid : str or None
        The OAuth integration linked with the widget.
    pipeline_id : int or None
        The pipeline in which the widget is installed as a source of leads.
    settings : Settings or None
        The values it is installed with, masked. Only the key of the widget's own integration gets them.
    """

    id: int
    code: str
    version: str | None
    rating: float | None
    settings_template: tuple[Setting, ...]
    is_lead_source: bool | None
    is_work_with_dp: bool | None
    is_crm_template: bool | None
    client_uuid: str | None
    is_active_in_account: bool | None
    pipeline_id: int | None
    settings: Settings | None = None

    def _repr_html_(self) -> str:
        plain = ("id", "version", "rating", "is_active_in_account", "is_lead_source", "is_work_with_dp")
        rows = {name: getattr(self, name) for name in (*plain, "is_crm_template", "client_uuid", "pipeline_id")}
        asked = [(s.key, s.name, s.type, "yes" if s.is_required else "no") for s in self.settings_template]
        return display.card(f"Widget {self.code}", rows) + display.table(
            f"Settings ({len(asked)})", ("key", "name", "type", "required"), asked
        )


class Page(Struct, frozen=True, kw_only=True):
    """One page of the catalogue; past the last one, a page without widgets.

    Attributes
    ----------
    number : int
        From 1.
    widgets : tuple of Widget
        In the order of the API.
    has_next : bool
        Whether the API names a next page.
    """

    number: int
    widgets: tuple[Widget, ...]
    has_next: bool


class Answer(Struct, frozen=True):
    """An answer of the API that is no refusal.

    Attributes
    ----------
    body : bytes
        Empty for 204.
    url : str
        What was asked for.
    request_id : str or None
        ``X-Request-Id``.
    requests : int
        How many requests it took.
    """

    status: int
    body: bytes
    url: str
    request_id: str | None
    requests: int = 1

    def __repr__(self) -> str:
        # The body may hold the settings of a widget.
        return f"Answer({self.status}, {len(self.body)} bytes from {self.url})"


class Problem(Struct, frozen=True, rename={"validation_errors": "validation-errors"}):
    """An ``application/problem+json`` answer; whatever is missing or of another type is None."""

    title: Any = None
    detail: Any = None
    hint: Any = None
    retry_after: Any = None
    validation_errors: Any = None
