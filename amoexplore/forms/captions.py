"""What forms say, in English and in Russian."""

from __future__ import annotations

import locale
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Final, Literal, ParamSpec, Protocol, TypeVar, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Language = Literal["en", "ru"]

#: By key: English, Russian.
CAPTIONS: Final[dict[str, tuple[str, str]]] = {
    # of every form
    "required": ("required", "обязательно"),
    "kept": ("kept, not shown", "сохранено, не показывается"),
    "forget": ("Forget", "Забыть"),
    "typed again": ("dropped after the call: type it again", "удалено после вызова: введите ещё раз"),
    "faults": ("Faults: {number}", "Ошибок: {number}"),
    "nothing sent": ("Nothing was sent: correct what is marked.", "Ничего не отправлено: исправьте отмеченное."),
    "refused": ("The account refused it: correct what is marked.", "Аккаунт отказал: исправьте отмеченное."),
    "interrupted": (
        "Interrupted. If the call had left it may arrive all the same: look at the account before you send again.",
        "Прервано. Если вызов уже ушёл, он может дойти: проверьте аккаунт, прежде чем отправлять ещё раз.",
    ),
    "missing": ("{detail}", "обязательно"),
    "preview": ("Preview", "Предпросмотр"),
    "checking": ("Checking… {seconds} s", "Проверка… {seconds} с"),
    "clear": ("Empty the form", "Очистить форму"),
    "again": ("Once more", "Ещё раз"),
    "cancel": ("Cancel", "Отмена"),
    "expired": (
        "The question has expired after {seconds} s; nothing was sent.",
        "Вопрос устарел через {seconds} с; ничего не отправлено.",
    ),
    "read-only": (
        "{account} is read-only: this form sends nothing. amo.connect(…, write=True) or AMOEXPLORE_WRITE=1 opens it.",
        "{account} – только для чтения: форма ничего не отправит. "  # noqa: ISC004
        "Его открывает amo.connect(…, write=True) или AMOEXPLORE_WRITE=1.",
    ),
    "unexpected": (
        "Unexpected: {kind}. The same call from a cell, {call}, shows where.",
        "Непредвиденная ошибка: {kind}. Тот же вызов из ячейки, {call}, покажет, где.",
    ),
    "dead": (
        "The kernel has ended: this form sends nothing any more. Run its cell again: it will say how things are.",
        "Ядро остановлено: эта форма больше ничего не отправит. Запустите ячейку снова: она покажет, как обстоят дела.",
    ),
    "request id": ("Request id", "Номер запроса"),
    "state": ("State", "Состояние"),
    "version": ("Version", "Версия"),
    "account": ("Account", "Аккаунт"),
    "at": ("{place}: {detail}", "{place}: {detail}"),
    # of the install form
    "widget in": ("Widget {code} in {account}", "Виджет {code} в аккаунте {account}"),
    "installed": ("installed", "установлен"),
    "not installed": ("not installed", "не установлен"),
    "unknown": ("unknown", "неизвестно"),
    "install": ("Install into {account}", "Установить в {account}"),
    "installing": ("Installing {code} into {account}… {seconds} s", "{code} устанавливается в {account}… {seconds} с"),
    "uninstall": ("Uninstall…", "Удалить…"),
    "uninstalling": (
        "Uninstalling {code} from {account}… {seconds} s",
        "{code} удаляется из {account}… {seconds} с",
    ),
    "trying": (
        "Trying {code} in {account}, then undoing it… {seconds} s",
        "{code} пробуется в {account}, затем откат… {seconds} с",
    ),
    "tried": ("Tried, and undone.", "Опробовано и возвращено как было."),
    "ask replace": (
        "{code} is installed in {account}. Its settings can't be read back: they would be lost.",
        "{code} уже установлен в {account}. Его настройки нельзя прочитать: они пропадут.",
    ),
    "yes replace": ("Replace the settings of {code} in {account}", "Заменить настройки {code} в {account}"),
    "ask uninstall": (
        "Uninstall {code} from {account}? Its settings can't be read back: they would be lost.",
        "Удалить {code} из {account}? Его настройки нельзя прочитать: они пропадут.",
    ),
    "yes uninstall": ("Uninstall {code} from {account}", "Удалить {code} из {account}"),
    "no settings": ("This widget asks for no settings.", "Этот виджет не требует настроек."),
    "unknown type": (
        "The type {type} is not known here: give its value as JSON.",
        "Тип {type} здесь неизвестен: введите значение как JSON.",
    ),
    "not JSON": ("is not JSON yet", "пока не JSON"),
    "JSON is right": ("JSON is right", "JSON верен"),
    "no users": (
        "The account's users can't be read ({kind}): give JSON by user id.",
        "Пользователей аккаунта прочитать нельзя ({kind}): введите JSON по id пользователей.",
    ),
    "nobody": (
        "The account has no users to choose from: give JSON by user id.",
        "В аккаунте нет пользователей для выбора: введите JSON по id пользователей.",
    ),
    "keyless": (
        "{name}: the template gives this setting no key, so nothing can be sent for it.",
        "{name}: в шаблоне у этой настройки нет ключа, поэтому отправить её нельзя.",
    ),
    "search users": ("Search users: name or id", "Поиск пользователей: имя или id"),
    "rows": ("{first}–{last} of {found}, {filled} filled in", "{first}–{last} из {found}, заполнено: {filled}"),
    "previous": ("Previous users", "Предыдущие"),
    "next": ("Next users", "Следующие"),
    "extension": ("{user}: extension", "{user}: добавочный номер"),
    "login": ("{user}: login", "{user}: логин"),
    "password": ("{user}: password", "{user}: пароль"),
    # of the search for a widget
    "search widgets": ("Search widgets by code", "Поиск виджета по коду"),
    "widgets found": ("Widgets: {found} of {all}", "Виджетов: {found} из {all}"),
    "more widgets": ("The first {shown} of {found} are shown.", "Показаны первые {shown} из {found}."),
    "open": ("Open the form", "Открыть форму"),
    "opening": ("Opening {code}… {seconds} s", "{code} открывается… {seconds} с"),
    # of the bot form
    "bot in": ("Let a bot go on, in {account}", "Продолжить бота в аккаунте {account}"),
    "return url": ("return_url of its widget_request", "return_url из widget_request"),
    "data": ("data for the bot, as JSON", "data для бота, в JSON"),
    "handlers": ("Handlers: {number} of {most}", "Хендлеров: {number} из {most}"),
    "kind": ("Handler {number}", "Хендлер {number}"),
    "text": ("Text", "Текст"),
    "buttons": ("Text and buttons", "Текст и кнопки"),
    "links": ("Text and links", "Текст и ссылки"),
    "goto": ("Go to a step", "Переход к шагу"),
    "value of": ("Text of handler {number}", "Текст хендлера {number}"),
    "buttons of": ("Buttons of handler {number}, a line each", "Кнопки хендлера {number}, по одной в строке"),
    "links of": (
        "Links of handler {number}, a line each: address, or caption = address",
        "Ссылки хендлера {number}, по одной в строке: адрес, или подпись = адрес",
    ),
    "goto of": ("Handler {number} goes to", "Хендлер {number} ведёт к"),
    "step of": ("Step for handler {number}", "Шаг для хендлера {number}"),
    "characters": ("{number} of {most} characters", "{number} из {most} символов"),
    "buttons count": ("{number} of {most} buttons", "{number} из {most} кнопок"),
    "add": ("Add a handler", "Добавить хендлер"),
    "up": ("Move handler {number} up", "Хендлер {number} выше"),
    "down": ("Move handler {number} down", "Хендлер {number} ниже"),
    "remove": ("Remove handler {number}", "Убрать хендлер {number}"),
    "send": ("Send to {account}", "Отправить в {account}"),
    "sending": ("Sending to {account}… {seconds} s", "Отправляется в {account}… {seconds} с"),
    "sent": ("the bot goes on", "бот продолжает"),
    # of the browser
    "search catalogue": ("Search: parts of the code, or the id", "Поиск: части кода или id"),
    "rating from": ("Rating from", "Рейтинг от"),
    "rating to": ("Rating to", "Рейтинг до"),
    "no number": ("is no number, such as 2.5 or 2,5", "не число вида 2,5 или 2.5"),
    "empty range": ("is less than where the range begins", "меньше начала диапазона"),
    "any": ("any", "неважно"),
    "yes": ("yes", "да"),
    "no": ("no", "нет"),
    "asks for": ("Asks for {type}", "Требует {type}"),
    "reset": ("Reset the filters", "Сбросить фильтры"),
    "code": ("Code", "Код"),
    "rating": ("Rating", "Рейтинг"),
    "is_lead_source": ("Lead source", "Источник сделок"),
    "is_work_with_dp": ("Digital Pipeline", "Для Digital Pipeline"),
    "is_crm_template": ("Industry solution", "Отраслевое решение"),
    "is_active_in_account": ("Installed", "Установлен"),
    "settings_count": ("Settings", "Настроек"),
    "required_count": ("Required", "Обязат."),
    "a to z": ("A to Z", "от А до Я"),
    "z to a": ("Z to A", "от Я до А"),
    "newest first": ("newest first", "сначала новые"),
    "oldest first": ("oldest first", "сначала старые"),
    "highest first": ("highest first", "от большего"),
    "lowest first": ("lowest first", "от меньшего"),
    "yes first": ("yes first", "сначала «да»"),
    "no first": ("no first", "сначала «нет»"),
    "sort by": ("Sort by {column}, {direction}", "Сортировать: {column}, {direction}"),
    "sorted by": ("Sorted by {column}, {direction}", "Сортировка: {column}, {direction}"),
    "unsorted": ("In the order of the catalogue", "В порядке каталога"),
    "tick": ("Tick {code}", "Отметить {code}"),
    "ticked": ("ticked: {number}", "отмечено: {number}"),
    "ticked and hidden": ("ticked: {number}, left out: {hidden}", "отмечено: {number}, скрыто: {hidden}"),
    "untick": ("Untick all", "Снять все отметки"),
    "page": (
        "Page {page} of {pages} · widgets: {found} of {all}",
        "Страница {page} из {pages} · виджетов: {found} из {all}",
    ),
    "no page": ("There is no page {page!r}, but 1 to {pages}.", "Страницы {page!r} нет, есть от 1 до {pages}."),
    "previous page": ("Previous page", "Предыдущая страница"),
    "next page": ("Next page", "Следующая страница"),
    "nothing fits": ("No widget is left: loosen the filters.", "Не осталось ни одного виджета: ослабьте фильтры."),
    "chart": ("Chart of the widgets that are left", "График оставшихся виджетов"),
    "ratings": ("Ratings", "Рейтинги"),
    "ratings_by": ("Ratings by lead source", "Рейтинги по признаку «Источник сделок»"),
    "rating_vs_burden": ("Rating and required settings", "Рейтинг и обязательные настройки"),
    "setting_types": ("Types of settings", "Типы настроек"),
    "open install": ("Open the install form", "Открыть форму установки"),
    "open install of": ("Open the install form of {code}", "Открыть форму установки {code}"),
    "tick one": (
        "Tick the one widget that is to be installed; now {number} are ticked.",
        "Отметьте один виджет для установки; сейчас отмечено: {number}.",
    ),
    "no account": (
        "There is no account to install into: amo.forms.browse(catalog, account) has one, account = amo.connect().",
        "Нет аккаунта для установки: его даёт amo.forms.browse(catalog, account), где account = amo.connect().",
    ),
}

_chosen: dict[str, Language] = {}
_speaking: ContextVar[Language | None] = ContextVar("language of the form at work", default=None)


def set_language(language: Language) -> None:
    """Say what forms say in this language: ``"en"`` or ``"ru"``; forms on the screen change when they are made anew.

    Without it the language is that of the system.

    Raises
    ------
    ValueError
        If it is another one.
    """
    if language not in get_args(Language):
        raise ValueError(f"Forms speak 'en' and 'ru', not {language!r}.")
    _chosen["language"] = language


def caption(key: str, **values: object) -> str:
    """Return what a form says, with these values in it."""
    english, russian = CAPTIONS[key]
    return (russian if _language() == "ru" else english).format(**values)


def spoken() -> Language:
    """Return the language that captions are in now."""
    return _language()


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Keep to a language as long as this lasts: a form goes on in the one that it was made in."""
    token = _speaking.set(language)
    try:
        yield
    finally:
        _speaking.reset(token)


def _language() -> Language:
    chosen = _speaking.get() or _chosen.get("language")
    return chosen or ("ru" if (locale.getlocale()[0] or "").lower().startswith("ru") else "en")


def has_decimal_comma() -> bool:
    """Return whether numbers have a decimal comma in the language of the forms."""
    return _language() == "ru"


class Speaker(Protocol):
    """What was made in a language."""

    language: Language


_P = ParamSpec("_P")
_R = TypeVar("_R")
_S = TypeVar("_S", bound=Speaker)


def in_its_language(method: Callable[Concatenate[_S, _P], _R]) -> Callable[Concatenate[_S, _P], _R]:
    """Have a method speak the language that its form was made in, whichever was set since."""

    @wraps(method)
    def spoken_method(self: _S, /, *arguments: _P.args, **options: _P.kwargs) -> _R:
        with speaking(self.language):
            return method(self, *arguments, **options)

    return spoken_method
