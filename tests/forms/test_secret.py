from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import nbclient
import nbformat
import pytest
from fronts import fill, find, press
from ipywidgets.embed import embed_snippet
from traitlets import TraitError

import amoexplore as amo
from amoexplore.forms.secret import JsonInput, SecretInput, TextInput

if TYPE_CHECKING:
    from pathlib import Path

    from amoexplore import Account, Sandbox
    from amoexplore.models import Secret

CANARY = "canary-4c1d"
INPUTS = [TextInput, SecretInput, JsonInput]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what widgets send to the browser."""
    messages: list[Any] = []
    monkeypatch.setattr(widgets.Widget, "_send", lambda _, message, buffers=None: messages.append((message, buffers)))
    monkeypatch.setattr(widgets.widget, "JUPYTER_WIDGETS_ECHO", True)
    return messages


@pytest.mark.parametrize("kind", INPUTS)
def test_inputs_keep_nothing(kind: Any, sent: list[Any]) -> None:
    """What the browser sends is handed on, and stands in no trait, state, repr, or message back."""
    taken: list[Secret] = []
    one = kind(taken.append, description="Label")
    one.set_state({"value": CANARY, "placeholder": "echoed"})
    assert [secret.reveal() for secret in taken] == [CANARY]
    assert one.value == ""
    assert CANARY not in f"{one!r} {one.get_state()} {sent} {taken} {vars(one)}"
    assert "echoed" in str(sent)


@pytest.mark.parametrize("kind", INPUTS)
def test_only_secrets_are_blanked_at_once(kind: Any, sent: list[Any]) -> None:
    """The browser's copy of a secret is blanked each time it comes, that of a text when the form forgets it."""
    one = kind(lambda _: None)
    blank = ({"method": "update", "state": {"value": ""}, "buffer_paths": []}, [])
    for number in (1, 2):
        one.set_state({"value": CANARY})
        assert sent.count(blank) == (number if kind is SecretInput else 0)
    one.forget()
    assert sent[-1] == blank


def test_inputs_take_no_value_from_python() -> None:
    """A value that a cell assigns would be sent to the browser, so none can be."""
    one = TextInput(lambda _: None)
    with pytest.raises(TraitError) as raised:
        one.value = CANARY
    assert CANARY not in str(raised.value)


def test_a_form_shows_no_secret(account: Account, sent: list[Any], capfd: pytest.CaptureFixture[str]) -> None:
    """From typing to the result no widget's state or message, no embedded page and no output holds what was typed."""
    form = amo.forms.install(account, "amo_asterisk")
    for name in ("Логин", "Пароль", "Анна", "Путь"):
        fill(form, name, CANARY)
    assert str(form.values.reveal()).count(CANARY) == 4
    pages = [embed_snippet([form.box])]
    press(form, "Preview")
    pages.append(embed_snippet([form.box]))
    press(form, "Install into")
    pages.append(embed_snippet([form.box]))
    assert "State" in pages[-1]
    assert "(\\u2068password\\u2069)" in pages[0]
    assert CANARY not in f"{pages} {sent} {form!r} {form.box!r} {capfd.readouterr()}"


def test_nothing_is_kept_after_the_call(account: Account) -> None:
    """After an install the form holds no value any more; after a refusal it holds no secret."""
    form = amo.forms.install(account, "amo_asterisk")
    form.values = {"login": "a", "password": CANARY, "phones": {77: "1"}, "script_path": "b"}
    press(form, "Install into")
    assert list(form.values) == ["login", "phones", "script_path"]
    assert find(form, "Пароль").placeholder == "dropped after the call: type it again"
    form.values = {"login": "a", "password": CANARY, "phones": {504141: "1"}, "script_path": "b"}
    press(form, "Install into")
    assert len(form.values) == 0


ALL = "{'login': c, 'password': c, 'phones': {%s: c}, 'script_path': c}"
CELLS = [
    "import os, amoexplore as amo\namo.set_language('en')\naccount = amo.connect()",
    "form = amo.forms.install(account, 'amo_asterisk')\nform",
    f"c = os.environ['CANARY']\nform.values = {ALL % 504141}\nform.values",
    "form.preview()",
    f"%xmode Verbose\nfor n in range(2):\n    form.values = {ALL % 77}\n    form.submit()",
    f"form.values = {ALL % 504141}",
    "form.trial()",
    "print(In, Out, form, form.box)",
]


def test_an_executed_notebook(
    tmp_path: Path, changing: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run as nbconvert and papermill run it, a notebook and its journal hold no value, though widget state is saved."""
    for name, value in (("CANARY", CANARY), ("AMOEXPLORE_URL", account.url), ("AMOEXPLORE_TOKEN", changing.token)):
        monkeypatch.setenv(name, value)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=60, allow_errors=True).execute()
    text = nbformat.writes(notebook)
    assert "application/vnd.jupyter.widget-state+json" in text
    failed = [out.ename for cell in notebook.cells for out in cell.get("outputs", []) if out.output_type == "error"]
    assert failed == ["ValidationFailed"]
    kept = "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    assert CANARY not in text + kept
