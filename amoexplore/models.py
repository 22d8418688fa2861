"""What users hold in their hands: one Widget, its Settings, a Page of the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from msgspec import Struct

from amoexplore import display
from amoexplore.errors import SettingsError

MASK = "***"


class Secret:
    """Something that is sent and not shown: its repr is a mask.

    Parameters
    ----------
    value : object
        What ``reveal()`` gives back.
    """

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("What is secret is not pickled: it would stand in clear.")

    def reveal(self) -> Any:
        """Return what it hides."""
        return self._value


class Settings(Mapping[str, Any]):
    """The settings a widget is installed with: keys in the open, values masked.

    Setting values hold passwords, so no display, repr or iteration shows them; ``reveal()`` is the one way to see them.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._hidden = Secret(values.reveal() if isinstance(values, Settings) else dict(values))

    def __getitem__(self, key: str) -> str:
        if key not in self._hidden.reveal():
            raise KeyError(key)
        return MASK

    def __iter__(self) -> Iterator[str]:
        return iter(self._hidden.reveal())

    def __len__(self) -> int:
        return len(self._hidden.reveal())

    def __reduce__(self) -> NoReturn:
        raise TypeError("Settings are not pickled: their values would stand in clear.")

    def __eq__(self, other: object) -> bool:
        return self.reveal() == other.reveal() if isinstance(other, Settings) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it is compared by its values, which may be lists

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{key}={MASK}' for key in self)})"

    def reveal(self) -> dict[str, Any]:
        """Return the values in clear. Mind where they are shown: a notebook keeps its outputs."""
        return dict(self._hidden.reveal())


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


class Me(Struct, frozen=True):
    """The account and whose token it is: GET /api/v4/account."""

    id: int
    name: str
    subdomain: str
    current_user_id: int


class Rights(Struct, frozen=True):
    """What a user may do, as far as installing widgets goes."""

    is_admin: bool = False
    is_active: bool = True


class User(Struct, frozen=True):
    """A user of the account; settings of type users and users_lp are given by user id."""

    id: int
    name: str
    email: str | None = None
    rights: Rights = Rights()


class Status(Struct, frozen=True):
    """A stage of a pipeline."""

    id: int
    name: str


class Pipeline(Struct, frozen=True):
    """A pipeline of leads."""

    id: int
    name: str
    is_main: bool
    statuses: tuple[Status, ...]


class Request(Struct, frozen=True):
    """A write as it is sent; what it shows has masks in place of the values of settings.

    Attributes
    ----------
    method, url : str
    shown : object
        The body to look at: the same keys as are sent, values masked where they are settings.
    content : Secret or None
        The body as it is sent.
    """

    method: str
    url: str
    shown: Any = None
    content: Secret | None = None

    def __repr__(self) -> str:
        head = f"{self.method} {self.url}\nAuthorization: Bearer {MASK}\nContent-Type: application/json"
        return head if self.content is None else f"{head}\n\n{json.dumps(self.shown, ensure_ascii=False, indent=2)}"

    def _repr_html_(self) -> str:
        return display.text(repr(self))


@dataclass(slots=True)  # a Struct would show all of it to rich
class Message:
    """A request on its way, to be signed and sent. Its repr shows neither its headers nor its body."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"{self.method} {self.url}"


def settings_of(given: Mapping[str, Any] | None) -> Settings:
    """Return settings, masked.

    Raises
    ------
    SettingsError
        If they are no mapping.
    """
    if given is None or isinstance(given, Mapping):
        return Settings(given or {})
    given = type(given).__name__  # its values must not stand in the traceback
    raise SettingsError(f"Settings are an object of keys and values, such as {{'login': …}}, not of type {given}.")


def masked(value: Any) -> Any:
    """Return the shape of a value, with a mask for each text and number in it."""
    if isinstance(value, Mapping):
        return {key: masked(inner) for key, inner in value.items()}
    return [masked(inner) for inner in value] if isinstance(value, list) else MASK


class Body(bytes):
    """The body of an answer; its repr does not show it, as the settings of a widget may stand in it.

    Nor does that of a piece of it: what shortens long values would show their beginnings.
    """

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        piece = super().__getitem__(key)
        return type(self)(piece) if isinstance(key, slice) else piece

    def __repr__(self) -> str:
        return f"{len(self)} bytes"


class Answer(Struct, frozen=True):
    """An answer of the API that is no refusal.

    Attributes
    ----------
    body : Body
        Bytes; empty for 204.
    url : str
        What was asked for.
    request_id : str or None
        ``X-Request-Id``.
    requests : int
        How many requests it took.
    waited : float
        Seconds that were waited for: for the pace, and before requests were sent again.
    """

    status: int
    body: Body
    url: str
    request_id: str | None
    requests: int = 1
    waited: float = 0.0

    def __repr__(self) -> str:
        return f"Answer({self.status}, {self.body!r} from {self.url})"


class Problem(Struct, frozen=True, rename={"validation_errors": "validation-errors"}):
    """An ``application/problem+json`` answer; whatever is missing or of another type is None."""

    title: Any = None
    detail: Any = None
    hint: Any = None
    retry_after: Any = None
    validation_errors: Any = None
