from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from scripted import answer, answering, listing, setting, widget

import amoexplore as amo
from amoexplore import Account, connections, errors
from amoexplore.models import Setting, Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from amoexplore import Sandbox


def test_widget(account: Account) -> None:
    """One widget has clean values: the API's "2,8" is 2.8."""
    dropbox = account.widget("amo_dropbox")
    assert (dropbox.id, dropbox.code, dropbox.version, dropbox.rating) == (742, "amo_dropbox", "0.0.13", 2.8)
    assert (Setting(key="conf", name="custom", type="custom", is_required=False),) == dropbox.settings_template
    assert (
        dropbox.is_active_in_account,
        dropbox.client_uuid,
        dropbox.pipeline_id,
        dropbox.settings,
    ) == (False, None, None, None)


def test_unknown_widget(account: Account) -> None:
    """A code that the account does not have is a LookupError with the API's words and its request id."""
    with pytest.raises(
        errors.NotFound, match=r"widgets/amo_dropbx answers 404 \(Not Found: Widget not found\)"
    ) as info:
        account.widget("amo_dropbx")
    assert len(info.value.request_id or "") == 32


@pytest.mark.parametrize("code", ["a/b", "ü?x=1", "a b", "../leads", "%2e%2e", "#"])
def test_strange_codes_stay_codes(account: Account, sandbox: Sandbox, code: str) -> None:
    """Whatever is given as a code stays one piece of the path."""
    with pytest.raises(errors.NotFound):
        account.widget(code)
    assert sandbox.requests[-1].target.startswith("/api/v4/widgets/")


@pytest.mark.parametrize("code", ["", " ", ".", "..", "\ud800", 5, b"x", None])
def test_codes_that_are_none(account: Account, code: Any) -> None:
    """A path without a code, or up from it, is never asked for; nor one with what can't be a code."""
    with pytest.raises(ValueError, match="A widget's code is a text such as 'amo_dropbox'"):
        account.widget(code)
    with pytest.raises(ValueError, match="A widget's code is a text such as 'amo_dropbox'"):
        account.install(code)


@pytest.mark.parametrize(
    "ask",
    [
        amo.load_catalog,
        amo.load_widgets,
        amo.load_settings,
        amo.iter_pages,
        lambda given: amo.load_to_parquet(given, "x.parquet"),
        lambda given: amo.snapshot(given, "there"),
        amo.trial,
        amo.unfinished_trials,
        amo.forms.install,
        amo.forms.continue_bot,
    ],
)
def test_no_account(sandbox: Sandbox, ask: Callable[[Any], object]) -> None:
    """What is no account is told as such, with what gives one; a sandbox is none."""
    for given in (sandbox, sandbox.url, None):
        with pytest.raises(TypeError, match=rf"an account, not {type(given).__name__}: amo\.connect\(\) gives one"):
            ask(given)


def test_widgets_page(account: Account) -> None:
    """A page has its widgets in order, and says whether there is another; past the end it has none."""
    first = account.widgets_page(page=1, limit=2)
    assert [widget.code for widget in first.widgets] == ["amo_dropbox", "amo_mailchimp"]
    assert (first.number, first.has_next) == (1, True)
    assert (
        len(account.widgets_page().widgets),
        len(account.widgets_page(6).widgets),
        account.widgets_page(6).has_next,
    ) == (50, 50, False)
    assert (account.widgets_page(7).widgets, account.widgets_page(7).has_next) == ((), False)


@pytest.mark.parametrize(
    ("page", "limit"),
    [(0, 50), (-1, 50), (2.0, 50), ("2", 50), (True, 50), (1, 0), (1, 251), (1, 2.5), (1, None), (1, True)],
)
def test_pages_that_are_none(account: Account, page: int, limit: int) -> None:
    """Page and limit are checked before anything is sent, and the message has the bounds."""
    with pytest.raises(
        ValueError, match=r"page is a whole number, counted from 1|limit is a whole number from 1 to 250"
    ):
        account.widgets_page(page, limit)


def test_odd_widget_warns() -> None:
    """A value of a single widget that can't be read is None, and a warning names it."""
    odd = widget(1, rating="н/д", is_crm_template="maybe", novelty=1, settings_template={"a": setting(key=...)})
    with answering(answer(odd)) as server, pytest.warns(errors.UnreadableValueWarning) as warned:
        shown = server.account().widget("widget_1")
    assert str(warned[0].message) == (
        'Not readable, now None or left out: rating of widget_1 = "н/д"; is_crm_template of widget_1 = "maybe"'
    )
    assert (shown.rating, shown.is_crm_template, shown.settings_template[0].key) == (None, None, "a")


@pytest.mark.parametrize("body", [b"[]", b"5", b"{}", b'{"id": 1}', b'{"code": "x"}', b"{", b'{"id":1,"code":[]}'])
def test_answers_that_are_no_widget(body: bytes) -> None:
    """What has no id and no code is no widget, whatever else it is."""
    with answering(answer(body)) as server, pytest.raises(errors.BadAnswer, match="the JSON is"):
        server.account().widget("x")


SECRET = "canary-secret"


@pytest.mark.parametrize(
    ("sent", "values"),
    [
        ({"password": SECRET}, {"password": SECRET}),
        ([], {}),
        ([SECRET], {"0": SECRET}),
        (f'{{"password": "{SECRET}"}}', {"password": SECRET}),
        (SECRET, {"settings": SECRET}),
        (None, None),
        (..., None),
    ],
)
def test_settings_are_masked(sent: object, values: dict[str, object] | None) -> None:
    """Values of settings are shown by reveal() alone, in whatever shape the API sends them."""
    with answering(answer(widget(1, settings=sent))) as server:
        shown = server.account().widget("widget_1")
    if values is None:
        assert shown.settings is None
        return
    assert isinstance(shown.settings, Settings)
    assert values == shown.settings.reveal()
    assert dict.fromkeys(values, "***") == dict(shown.settings)
    for text in (repr(shown), str(shown.settings), shown._repr_html_(), f"{dict(shown.settings)}"):
        assert SECRET not in text


def test_integration_reads_its_settings(sandbox: Sandbox, account: Account) -> None:
    """The key of a widget's own integration gets its settings, masked; the administrator's gets none."""
    installed = next(
        w for page in range(1, 7) for w in account.widgets_page(page).widgets
        if w.client_uuid and w.is_active_in_account
    )  # fmt: skip
    own = Account(sandbox.url, sandbox.integration_token(installed.code)).widget(installed.code)
    assert installed.settings is None
    assert own.settings is not None
    assert own.settings.reveal().keys() <= {field.key for field in own.settings_template}


def test_displays_are_escaped() -> None:
    """A widget's texts are shown as texts, also those that look like HTML."""
    hostile = widget(1, code="<script>", version="<b>", settings_template=[setting(name="<img onerror=x>")])
    with answering(answer(hostile)) as server:
        html = server.account().widget("x")._repr_html_()
    assert "&lt;script&gt;" in html
    assert "&lt;img onerror=x&gt;" in html
    assert "<script" not in html
    assert "<b>" not in html
    assert "<img" not in html


def test_account_displays(account: Account) -> None:
    """An account shows its host and no token; a sandbox's port, different each time, is left out."""
    assert repr(account) == "<Account sandbox on this machine>"
    assert repr(Account("https://Example.amocrm.ru", "secret")) == "<Account example.amocrm.ru, read-only>"
    assert "example.amocrm.ru" in Account("https://example.amocrm.ru", "secret")._repr_html_()
    assert "secret" not in Account("https://example.amocrm.ru", "secret")._repr_html_()


def test_analyst_sees_the_catalogue(sandbox: Sandbox) -> None:
    """Reading needs no administrator: «Метод доступен всем пользователям»."""
    assert "amo_dropbox" in set(amo.load_widgets(Account(sandbox.url, sandbox.analyst_token))["code"])


def test_connect_by_arguments(sandbox: Sandbox) -> None:
    """An address and a token make an account."""
    assert sandbox.url == amo.connect(sandbox.url, sandbox.token).url


def test_connect_by_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two environment variables make the same notebook run on another account, also where it names that one itself."""
    monkeypatch.setenv("AMOEXPLORE_URL", sandbox.url)
    monkeypatch.setenv("AMOEXPLORE_TOKEN", sandbox.token)
    assert amo.connect().widget("amo_dropbox").id == 742
    assert amo.connect(sandbox.url.removeprefix("http://")).widget("amo_dropbox").id == 742


@pytest.mark.parametrize(
    ("name", "lack"), [("AMOEXPLORE_URL", "a token is missing"), ("AMOEXPLORE_TOKEN", "an address")]
)
def test_connect_by_half(monkeypatch: pytest.MonkeyPatch, name: str, lack: str) -> None:
    """Half of a configuration is an error: it must not end in the sandbox, nor a token at another host."""
    monkeypatch.setenv(name, "https://example.amocrm.ru")
    with pytest.raises(errors.ConfigurationError, match=lack):
        amo.connect()


def test_connect_does_not_send_the_environments_token_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address given by hand is not joined with the token of the environment."""
    monkeypatch.setenv("AMOEXPLORE_URL", "https://example.amocrm.ru")
    monkeypatch.setenv("AMOEXPLORE_TOKEN", "canary")
    for named in ("https://example.amocrm.ru", "mistyped"):
        monkeypatch.setenv("AMOEXPLORE_URL", named)
        with pytest.raises(errors.ConfigurationError, match="a token goes to its own account only"):
            amo.connect("https://other.amocrm.ru")


def test_connect_to_the_embedded_sandbox(tmp_path: Path) -> None:
    """Without anything set connect() says that it is a sandbox, which ends with the process."""
    code = "import amoexplore as amo; print(len(amo.load_widgets(amo.connect()))); print(amo.connect())"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AMOEXPLORE_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = (
        "This is a sandbox: nearly all of its widgets are made up. "
        "For a real account set AMOEXPLORE_URL and AMOEXPLORE_TOKEN.\n"
    )
    assert f"{said}300\n{said}<Account sandbox on this machine>\n" == done.stdout
    assert done.stderr == ""


def test_importing_imports_nothing_heavy(tmp_path: Path) -> None:
    """The package's names load their modules when they are used, not before."""
    code = "import sys, amoexplore; print({'pandas', 'pyarrow', 'requests', 'starlette'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "set()\n"


def test_every_public_name_is_there() -> None:
    """__all__ is sorted, and each of its names is one, with a docstring."""
    assert sorted(amo.__all__) == amo.__all__ == dir(amo)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(getattr(amo, name).__doc__ for name in amo.__all__)
    with pytest.raises(AttributeError, match="no attribute 'load_catalogue'"):
        amo.load_catalogue  # type: ignore[attr-defined]  # noqa: B018  misspelled on purpose


def test_odd_pages() -> None:
    """widgets_page gives what can be read of an odd page, and warns of what it left out."""
    page = [widget(1, novelty=1), None, widget(2, id="x"), widget(3, id=None), widget(4, rating="?")]
    with answering(answer(listing(page))) as server, pytest.warns(errors.UnreadableValueWarning) as warned:
        shown = server.account().widgets_page()
    assert [widget.id for widget in shown.widgets] == [1, 4]
    assert str(warned[0].message) == (
        "Not readable, now None or left out: widget of ? = NoneType in place of an object; "
        'id of widget_2 = "x"; id of widget_3 = null; rating of widget_4 = "?"'
    )


def test_settings_are_compared_by_their_values() -> None:
    """Masks are alike, what they hide may not be."""
    assert Settings({"a": 1}) == Settings({"a": 1}) != Settings({"a": 2})
    assert Settings({"a": 1}) != {"a": "***"}


def test_secrets_are_not_pickled(account: Account) -> None:
    """An account that is sent to another process would take its token along in clear."""
    with pytest.raises(TypeError, match="A token is not pickled"):
        pickle.dumps(account)


def test_threads_share_the_embedded_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many threads connect at once, there is one embedded sandbox."""
    started: list[Sandbox] = []
    monkeypatch.setattr(connections, "_embedded", started)
    with ThreadPoolExecutor(8) as pool:
        addresses = {account.url for account in pool.map(lambda _: amo.connect(), range(8))}
    assert addresses == {started[0].url}
    started[0].stop()


@pytest.mark.parametrize(("odd", "key"), [(b'{"a": "canary\x80"}', "a"), (b'"canary\xff"', "settings")])
def test_settings_in_bytes_that_are_no_text(odd: bytes, key: str) -> None:
    """Settings whose bytes are no text are there as far as they can be read, masked, and hide nothing of the widget."""
    body = json.dumps(widget(1, settings=1)).encode().replace(b'"settings": 1', b'"settings": ' + odd)
    with answering(answer(body)) as server:
        found = server.account().widget("widget_1")
    assert found.code == "widget_1"
    assert list(found.settings or ()) == [key]
    assert "canary" in found.settings.reveal()[key]  # type: ignore[union-attr]
    assert "canary" not in repr(found)
