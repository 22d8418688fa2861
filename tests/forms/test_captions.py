from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from fronts import find, press, shown

import amoexplore as amo
from amoexplore import Account, errors
from amoexplore.forms import captions

FORMS = Path(captions.__file__).parent


@pytest.mark.parametrize("key", captions.CAPTIONS)
def test_both_languages_say_it(key: str) -> None:
    """Each caption is there in both languages, tells the same values, and is used."""
    texts = captions.CAPTIONS[key]
    named = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts]
    assert all(texts)
    assert named[0] == named[1] or key == "missing"
    code = "".join(path.read_text() for path in FORMS.glob("*.py") if path.stem != "captions")
    assert re.search(f"[\"']{re.escape(key)}[\"']", code)


def test_russian_is_russian() -> None:
    """No Russian caption is an English one."""
    assert [key for key, (_, russian) in captions.CAPTIONS.items() if not re.search("[а-я]", russian)] == ["at"]


@pytest.mark.parametrize("language", [0, 1])
def test_one_word_for_one_thing(language: int) -> None:
    """A flag is called what it is called elsewhere: installed in the install form, lead source in the chart by it."""
    said = {key: texts[language].lower() for key, texts in captions.CAPTIONS.items()}
    assert said["is_active_in_account"] == said["installed"]
    assert said["is_lead_source"] in said["ratings_by"]


def test_set_language(account: Account) -> None:
    """Forms speak the language that was set when they were made; another one is refused."""
    amo.set_language("ru")
    form = amo.forms.continue_bot(account)
    assert form._main.description == "Отправить в sandbox on this machine"
    amo.set_language("en")
    assert amo.forms.continue_bot(account)._main.description == "Send to sandbox on this machine"
    with pytest.raises(ValueError, match="Forms speak 'en' and 'ru', not 'de'"):
        amo.set_language("de")  # type: ignore[arg-type]


def test_a_form_keeps_its_language(account: Account) -> None:
    """A form goes on in the language that it was made in, whether a button or a cell calls, and in its threads."""
    amo.set_language("ru")
    form = amo.forms.install(account, "amo_asterisk")
    amo.set_language("en")
    press(form, "Установить в")
    assert {"обязательно", "Ошибок: 4"} <= set(shown(form))
    form.values = {"login": "a"}
    assert find(form, "Логин").placeholder == "сохранено, не показывается"
    with pytest.raises(errors.SettingsError):
        form.submit()
    assert "Ничего не отправлено: исправьте отмеченное." in shown(form)
    assert captions.caption("cancel") == "Cancel"


@pytest.mark.parametrize(
    ("system", "said"),
    [("ru_RU", "обязательно"), ("Russian_Russia", "обязательно"), ("en_US", "required"), (None, "required")],
)
def test_default(monkeypatch: pytest.MonkeyPatch, system: str | None, said: str) -> None:
    """Where no language was set it is the system's."""
    monkeypatch.delitem(captions._chosen, "language")
    monkeypatch.setattr(captions.locale, "getlocale", lambda: (system, "UTF-8"))
    assert captions.caption("required") == said
