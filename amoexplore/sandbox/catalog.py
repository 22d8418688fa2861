"""The widgets of the sandbox's marketplace: the page's three, those with public codes, and then made-up ones."""

from __future__ import annotations

import itertools
import string
import tomllib
import uuid
from collections import Counter
from functools import cache
from importlib import resources
from random import Random
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.structs import replace

from amoexplore.sandbox.account import FIRST, PIPELINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amoexplore.sandbox.account import Account, User

Source = Literal["page", "public code, the rest made up", "made up"]
SettingType = Literal["text", "pass", "custom", "users", "users_lp"]


class Setting(msgspec.Struct, frozen=True):
    """One field of a `settings_template`, with the page's names in the page's order."""

    key: str
    name: str
    type: SettingType
    is_required: bool


class Widget(msgspec.Struct, frozen=True, kw_only=True):
    """What the API says of a widget in every account, with the page's names in the page's order."""

    id: int
    code: str
    version: str
    rating: str | int | float | None  # msgspec reads 4 as 4.0 where int is not named
    settings_template: tuple[Setting, ...]
    is_lead_source: bool = False
    is_work_with_dp: bool = False
    is_crm_template: bool = False
    client_uuid: str | None = None


class Install(msgspec.Struct, frozen=True):
    """An installed widget's settings, and the pipeline that it brings leads to, if it is a lead source."""

    settings: dict[str, Any]
    pipeline_id: int | None

    def __repr__(self) -> str:
        return f"Install(settings=***, pipeline_id={self.pipeline_id})"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A widget as this account has it.

    `source` tells what of it is real: all of it (`page`), its code alone, or nothing.
    `uploaded_by` is the id of the user who uploaded it, None for somebody outside the account.
    """

    widget: Widget
    source: Source
    is_public: bool = True
    uploaded_by: int | None = None
    install: Install | None = None

    def is_listed_for(self, user: User) -> bool:
        """Tell whether the list has it: public, installed or uploaded by the user (section «Список виджетов»)."""
        return self.is_public or self.install is not None or self.uploaded_by == user.id


class _Kind(msgspec.Struct, frozen=True):
    """A kind of widget, as `catalog.toml` describes it."""

    name: str
    public_codes: tuple[str, ...]
    stems: tuple[str, ...]
    templates: tuple[tuple[str, ...], ...]
    is_lead_source: float
    is_work_with_dp: float
    is_crm_template: float
    integration: float


class _Material(msgspec.Struct, frozen=True):
    """All of `catalog.toml`."""

    words: tuple[str, ...]
    settings: dict[str, tuple[str, SettingType]]
    kinds: tuple[_Kind, ...]

    def setting(self, starred: str) -> Setting:
        """Return the setting of this key; a star after the key marks a required one."""
        key = starred.removesuffix("*")
        name, type_ = self.settings[key]
        return Setting(key, name, type_, is_required=starred.endswith("*"))


_PAGE = (
    Widget(
        id=742,
        code="amo_dropbox",
        version="0.0.13",
        rating="2,8",
        settings_template=(Setting("conf", "custom", "custom", is_required=False),),
    ),
    Widget(
        id=796,
        code="amo_mailchimp",
        version="1.1.12",
        rating="3,4",
        settings_template=(Setting("api", "custom", "custom", is_required=False),),
    ),
    Widget(
        id=972,
        code="amo_asterisk",
        version="1.1.6",
        rating="2,7",
        settings_template=(
            Setting("login", "Логин", "text", is_required=True),
            Setting("password", "Пароль", "pass", is_required=True),
            Setting("phones", "Список телефонов", "users", is_required=True),
            Setting("script_path", "Путь к скрипту", "text", is_required=True),
        ),
    ),
)


def _values(user_id: str) -> dict[SettingType, Any]:
    """Return valid values of each type of setting; the page shows all but the one for custom."""
    return {
        "text": "example",
        "pass": "eXaMp1E",
        "custom": '{"mode":"all"}',
        "users": {user_id: "1039"},
        "users_lp": {user_id: {"login": "example", "password": "eXaMp1E"}},
    }


_INSTALLED = 0.07  # the share of widgets which the account has installed
_POPULAR = 6  # of many accounts: how much rarer than the others the widgets are which nearly all have installed
_PRIVATE_EVERY = 20  # the private widgets stand between the public ones, as their ids do
# From where on another account's private widgets have their ids, by its number: beyond any public one.
_PRIVATE_IDS = 10**9


def catalogue(*, seed: int, size: int) -> Iterator[Entry]:
    """Yield widgets by ascending id until the administrator's list has `size` of them.

    The same seed yields the same widgets, a larger size only more of them.
    """
    listed = 0
    for entry in _entries(seed):
        if listed == size:
            return
        yield entry
        listed += entry.is_listed_for(FIRST.administrator)


def of_another(account: Account, shared: Sequence[Entry], *, seed: int) -> Iterator[Entry]:
    """Yield what the catalogue is to another account than the first, whose is given: the same public widgets.

    It has installs and private widgets of its own, as many of these as the first. Some widgets are installed nearly
    everywhere, most in few accounts.
    """
    draw = _Draw(f"{seed} {account.number}", account, last_id=account.number * _PRIVATE_IDS)
    owners = _owners(account)
    for entry in shared:
        if entry.is_public:
            yield draw.installed(entry, _popularity(seed, entry.widget.code))
        else:
            yield draw.private(next(owners))


@cache
def _popularity(seed: int, code: str) -> float:
    """Return the share of other accounts which have this widget installed."""
    return Random(f"{seed} {code}").random() ** _POPULAR  # noqa: S311  # nothing secret


def _owners(account: Account) -> Iterator[int | None]:
    """Yield whose private widgets there are, in turn."""
    return itertools.cycle((account.administrator.id, account.analyst.id, None))


def _entries(seed: int) -> Iterator[Entry]:
    """Yield widgets by ascending id, without an end."""
    for widget in _PAGE:
        yield Entry(widget=widget, source="page")
    draw = _Draw(seed, FIRST, last_id=_PAGE[-1].id)
    owners = _owners(FIRST)
    public = draw.public_codes()
    for position in itertools.count(len(_PAGE) + 1):
        yield draw.public(*next(public)) if position % _PRIVATE_EVERY else draw.private(next(owners))


class _Draw:
    """Draws widgets by chance: each draw goes on from where the one before it left off."""

    def __init__(self, seed: int | str, account: Account, *, last_id: int) -> None:
        self._chance = Random(seed)  # noqa: S311  # nothing secret is drawn, and a seed has to draw the same again
        self._material = _material()
        self._values = _values(str(account.administrator.id))
        self._last_id = last_id

    def public_codes(self) -> Iterator[tuple[str, _Kind, Source]]:
        """Yield first the codes that are publicly known, and then made-up ones without an end."""
        known = [(code, kind) for kind in self._material.kinds for code in kind.public_codes]
        self._chance.shuffle(known)
        for code, kind in known:
            yield code, kind, "public code, the rest made up"
        inventive = [kind for kind in self._material.kinds if kind.stems]
        uses: Counter[str] = Counter()
        while True:
            kind = self._chance.choice(inventive)
            code = f"{self._chance.choice(kind.stems)}_{self._chance.choice(self._material.words)}"
            uses[code] += 1
            yield code if uses[code] == 1 else f"{code}{uses[code]}", kind, "made up"

    def public(self, code: str, kind: _Kind, source: Source) -> Entry:
        """Return a public widget; some are installed."""
        widget = self._widget(code, kind)
        return Entry(widget=widget, source=source, install=self._install(widget) if self._happens(_INSTALLED) else None)

    def installed(self, entry: Entry, share: float) -> Entry:
        """Return a public widget as an account has it, this share of which have it installed."""
        return replace(entry, install=self._install(entry.widget) if self._happens(share) else None)

    def private(self, owner: int | None) -> Entry:
        """Return a private widget; the account knows one from outside only because it is installed."""
        code = "".join(self._chance.choices(string.ascii_lowercase + string.digits, k=40))
        widget = self._widget(code, self._material.kinds[-1])
        install = self._install(widget) if owner is None else None
        return Entry(widget=widget, source="made up", is_public=False, uploaded_by=owner, install=install)

    def _widget(self, code: str, kind: _Kind) -> Widget:
        self._last_id += self._chance.randint(1, 40)
        return Widget(
            id=self._last_id,
            code=code,
            version=self._version(),
            rating=self._rating(),
            settings_template=tuple(map(self._material.setting, self._chance.choice(kind.templates))),
            is_lead_source=self._happens(kind.is_lead_source),
            is_work_with_dp=self._happens(kind.is_work_with_dp),
            is_crm_template=self._happens(kind.is_crm_template),
            client_uuid=self._uuid() if self._happens(kind.integration) else None,
        )

    def _version(self) -> str:
        (length,) = self._chance.choices((2, 3, 4), weights=(6, 90, 4))
        return ".".join(str(self._chance.randint(0, limit)) for limit in (4, 12, 30, 9)[:length])

    def _rating(self) -> str | float | None:
        """Return a rating in one of the shapes in which clients have to expect it, mostly the page's."""
        stars = round(self._chance.triangular(0, 5, 4), 1)
        shapes = (f"{stars:.1f}".replace(".", ","), stars, round(stars), None, "")
        (rating,) = self._chance.choices(shapes, weights=(80, 5, 4, 7, 4))
        return rating

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def _install(self, widget: Widget) -> Install:
        settings = {setting.key: self._values[setting.type] for setting in widget.settings_template}
        return Install(settings, self._chance.choice(PIPELINES).id if widget.is_lead_source else None)

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share


@cache
def _material() -> _Material:
    text = resources.files(__package__).joinpath("catalog.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Material)
