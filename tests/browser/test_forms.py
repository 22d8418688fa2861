from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import requests
from labs import SECONDS, TOKEN, Notebook, running
from nbconvert import HTMLExporter
from playwright.sync_api import expect
from scripted import ScriptedServer, answer, setting, users, widget

from amoexplore import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page
    from scripted import Request

pytestmark = pytest.mark.browser

CANARY = "canary-4c1d"
SCREENS = Path(__file__).parents[2] / "screenshots"
BEGIN = 'import amoexplore as amo\n\namo.set_language("en")\naccount = amo.connect()'
SCRIPTED = f'import amoexplore as amo\n\namo.set_language("en")\naccount = amo.Account("%s", "{TOKEN}")'
FORM = 'form = amo.forms.install(account, "%s")\nform'
HOSTILE = '<img src=x onerror="document.title=`hacked`">'

#: The least contrast between texts and what is behind them; WCAG asks for 4.5.
CONTRAST = """form => {
  const parse = color => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...form.querySelectorAll("label, h4, bdi, input, button")]
    .filter(node => node.offsetParent && !node.disabled);
  return Math.min(...texts.map(node => {
    const [a, b] = [parse(getComputedStyle(node).color), behind(node)].map(light).sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
}"""

#: What stands out of the form at its right.
WIDER = "form => form.scrollWidth - form.clientWidth"


class Lab(NamedTuple):
    """A JupyterLab with a sandbox whose log can be read."""

    address: str
    folder: Path
    sandbox: Sandbox

    def posts(self) -> list[str]:
        """Return what was asked for by POST."""
        return [logged.target for logged in self.sandbox.requests if logged.method == "POST"]


@pytest.fixture(scope="module")
def forms_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Run one JupyterLab for all, which saves the state of widgets."""
    folder = tmp_path_factory.mktemp("lab")
    saves = {"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}}
    with Sandbox() as sandbox:
        with running(folder, saves, AMOEXPLORE_URL=sandbox.url, AMOEXPLORE_TOKEN=sandbox.token) as address:
            yield Lab(address, folder, sandbox)


@pytest.fixture
def lab(forms_lab: Lab) -> Iterator[Lab]:
    """Return it with a sandbox as new, and end all kernels afterwards."""
    forms_lab.sandbox.reset()
    yield forms_lab
    api = forms_lab.address.removesuffix("/lab") + "/api/sessions"
    headers = {"Authorization": f"token {TOKEN}"}
    for session in requests.get(api, headers=headers, timeout=30).json():
        requests.delete(f"{api}/{session['id']}", headers=headers, timeout=30)


@pytest.fixture
def opened(lab: Lab, page: Page, request: pytest.FixtureRequest) -> Callable[..., Notebook]:
    """Return what opens a notebook of some cells."""
    name = request.node.name.removeprefix("test_")
    page.set_viewport_size({"width": 1200, "height": 1150})
    return lambda *cells: Notebook(page, lab.address, lab.folder / "notebooks" / f"{name}.ipynb", *cells)


@pytest.fixture
def screen(page: Page, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return what keeps a picture of the page."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    name = request.node.name.removeprefix("test_")
    return lambda suffix="": page.screenshot(path=SCREENS / f"{name}{suffix}.png")


class Gated:
    """A server whose installs wait until they are let through."""

    def __init__(self) -> None:
        self.came, self.gate, self.is_installed = threading.Event(), threading.Event(), False
        self.server = ScriptedServer(self.script)

    def script(self, request: Request) -> bytes:
        """Answer one request."""
        if request.method == "POST":
            self.came.set()
            self.gate.wait()
            self.is_installed = True
        return answer(widget(1, is_active_in_account=self.is_installed))

    def posts(self) -> int:
        """Return how many installs came."""
        return [request.method for request in self.server.requests].count("POST")


@pytest.fixture
def gated() -> Iterator[Gated]:
    """Return a server that waits."""
    gated = Gated()
    with gated.server:
        yield gated
        gated.gate.set()


def install(form: Locator) -> Locator:
    """Return the button."""
    return form.get_by_role("button", name="Install into")


def expect_state(form: Locator, state: str) -> None:
    """Wait until the form says how it went."""
    expect(form.get_by_text(re.compile(f"^State: {state}$"))).to_be_visible(timeout=15 * SECONDS)


def test_page_example_by_keyboard(
    lab: Lab, opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]
) -> None:
    """The page's example is filled in and installed by keyboard alone; Enter held down is one request."""
    form = opened(BEGIN, FORM % "amo_asterisk").run()
    form.get_by_label("Логин").focus()
    for text in ("example", CANARY, "1039", "", "", "", "", "https://example.com/"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    expect(install(form)).to_be_focused()
    expect(form.get_by_label("Пароль")).to_have_value("")
    expect(form.get_by_label("Пароль")).to_have_attribute("placeholder", "kept, not shown")
    screen("_filled")
    for _ in range(20):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect_state(form, "installed")
    assert lab.posts() == ["/api/v4/widgets/amo_asterisk"]
    entry = lab.sandbox._started.store.find("amo_asterisk")
    assert entry is not None
    assert entry.install is not None
    assert entry.install.settings == {
        "login": "example",
        "password": CANARY,
        "phones": {"504141": "1039"},
        "script_path": "https://example.com/",
    }
    expect(form.get_by_text(lab.sandbox.requests[-1].request_id)).to_be_visible()
    screen("_installed")
    form.get_by_role("button", name="Uninstall…").focus()
    page.keyboard.press("Enter")
    question = form.get_by_role("button", name="Uninstall amo_asterisk from sandbox on this machine")
    question.wait_for()
    screen("_question")
    question.focus()
    page.keyboard.press("Space")
    expect_state(form, "not installed")


def test_refused(lab: Lab, opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]) -> None:
    """Faults stand at their fields, those found here and those that the account found, and go when edited."""
    notebook = opened(BEGIN, 'amo.forms.install(account, "amo_asterisk")', FORM % "amo_dropbox")
    form = notebook.run()
    first = page.locator(".amo-form").first
    install(first).click()
    expect(first.get_by_text("Faults: 4")).to_be_visible()
    screen("_here")
    assert lab.posts() == []
    field = form.get_by_label("conf")
    field.fill('{"a": 1, "a": 2')
    expect(form.get_by_text("is not JSON yet")).to_be_visible()
    field.press("End")
    page.keyboard.type("}")
    expect(form.get_by_text("JSON is right")).to_be_visible()
    install(form).click()
    fault = form.get_by_role("alert").get_by_text("This value should be valid JSON.")
    expect(fault).to_be_visible()
    expect(form.get_by_text("Faults: 1")).to_be_visible()
    form.scroll_into_view_if_needed()
    screen("_by_the_account")
    field.press("Backspace")
    expect(fault).not_to_be_visible()
    assert len(lab.posts()) == 1


def test_double_clicks(lab: Lab, opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]) -> None:
    """A double click is one request, on a kernel that has seen no click yet and on one that has."""
    cells = (FORM % "amo_mailchimp", (FORM % "amo_dropbox").replace("form", "other").replace("amo.others", "amo.forms"))
    warm = opened(BEGIN, *cells).run()
    cold = page.locator(".amo-form").first
    install(cold).dblclick()
    expect_state(cold, "installed")
    install(warm).dblclick()
    expect_state(warm, "installed")
    cold.get_by_role("button", name="Preview").click()  # answered after all that came before it
    expect(cold.get_by_text("Authorization: Bearer ***")).to_be_visible()
    screen()
    assert lab.posts() == ["/api/v4/widgets/amo_mailchimp", "/api/v4/widgets/amo_dropbox"]


def save(notebook: Notebook) -> None:
    """Save the notebook, and wait until it is on disk."""
    with notebook.page.expect_response(lambda r: r.request.method == "PUT" and "/api/contents/" in r.url):
        notebook.menu("File", "Save Notebook")


def test_secrets(lab: Lab, opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]) -> None:
    """What was typed is in no frame from the kernel, in no saved notebook with widget state, and in no export of it."""
    notebook = opened(BEGIN, FORM % "amo_asterisk")
    form = notebook.run()
    for _ in range(2):  # the same secret twice
        form.get_by_label("Пароль").fill(CANARY)
        page.keyboard.press("Tab")
        expect(form.get_by_label("Пароль")).to_have_value("")
    save(notebook)
    saved = [notebook.path.read_text()]
    for name in ("Логин", "Соколова", "Путь"):
        form.get_by_label(name).fill(CANARY)
    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_text("Authorization: Bearer ***")).to_be_visible()
    screen("_preview")
    install(form).click()
    expect_state(form, "installed")
    save(notebook)
    saved.append(notebook.path.read_text())
    exported, _ = HTMLExporter().from_filename(str(notebook.path))
    assert all("application/vnd.jupyter.widget-state+json" in text for text in (*saved, exported))
    assert len(notebook.received) > 100
    assert CANARY not in "".join([*saved, exported, *notebook.received])
    kept = [path for path in lab.folder.rglob("*") if path.is_file()]
    assert not any(CANARY.encode() in path.read_bytes() for path in kept)


def test_kernel_killed(gated: Gated, opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]) -> None:
    """A kernel that is killed in mid-call has sent once; its form says that it is dead, a new one how things are."""
    notebook = opened(
        f"import os\n\nprint(f'process {{os.getpid()}}')\n{SCRIPTED}" % gated.server.url, FORM % "widget_1"
    )
    form = notebook.run()
    form.get_by_label("Логин").fill("example")
    install(form).click()
    gated.came.wait()
    expect(form.get_by_text(re.compile("^Installing widget_1"))).to_be_visible()
    process = re.search(r"process (\d+)", page.locator(".jp-OutputArea-output").first.inner_text())
    assert process is not None
    os.kill(int(process[1]), signal.SIGKILL)
    page.get_by_role("button", name=re.compile("Dismiss|Ok", re.IGNORECASE)).click(timeout=30 * SECONDS)
    gated.gate.set()
    notebook.wait_until_idle()
    said = form.evaluate("form => getComputedStyle(form, '::before').content")
    assert said.startswith('"The kernel has ended: this form sends nothing any more.')
    screen("_dead")
    form = notebook.run()
    expect(form.get_by_text("Version 1.0.0 · installed")).to_be_visible(timeout=15 * SECONDS)
    form.get_by_label("Логин").fill("example")
    install(form).click()
    expect(form.get_by_role("button", name="Replace the settings of widget_1")).to_be_visible()
    screen("_anew")
    assert gated.posts() == 1


def test_slow_call(gated: Gated, opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]) -> None:
    """While a call takes its time the form counts the seconds, the kernel works, and no copy of the form sends."""
    notebook = opened(SCRIPTED % gated.server.url, FORM % "widget_1", "print(6 * 7)", FORM % "widget_1")
    notebook.run()
    form, copy = page.locator(".amo-form").first, page.locator(".amo-form").last
    expect(page.locator(".amo-form")).to_have_count(2)
    form.get_by_label("Логин").fill("example")
    install(form).dblclick()
    gated.came.wait()
    expect(form.get_by_text("Installing widget_1 into sandbox on this machine… 2 s")).to_be_visible()
    expect(install(form)).to_be_disabled()
    copy.get_by_label("Логин").fill("example")
    install(copy).click()
    expect(copy.get_by_text("Another form is at it: widget_1.")).to_be_visible()
    page.locator(".jp-Cell", has_text="print(6 * 7)").locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("print(6 * 7 * 100)")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".jp-OutputArea-output", has_text="4200")).to_be_visible()
    form.scroll_into_view_if_needed()
    screen()
    notebook.run()  # the cells are run again while the first call is under way
    expect(page.locator(".amo-form")).to_have_count(2)
    again = page.locator(".amo-form").first
    again.get_by_label("Логин").fill("example")
    install(again).click()
    expect(again.get_by_text("Another form is at it: widget_1.")).to_be_visible()
    assert gated.posts() == 1
    gated.gate.set()
    while not gated.is_installed:
        threading.Event().wait(0.01)
    again.get_by_label("Логин").fill("another")
    expect(again.get_by_text("Another form is at it")).to_be_visible()
    assert gated.posts() == 1


def test_a_thousand_users(
    opened: Callable[..., Notebook],
    screen: Callable[..., None],
    record_property: Callable[..., None],
) -> None:
    """A thousand users are there as quickly as five: ten rows, pages, and a search."""
    template = [setting(key="phones", name="Внутренние номера", type="users"), setting(key="logins", type="users_lp")]

    def script(request: Request) -> bytes:
        return users(request) if "/users" in request.target else answer(widget(1, settings_template=template))

    with ScriptedServer(script) as server:
        notebook = opened(SCRIPTED % server.url, FORM % "widget_1")
        form = notebook.run()
        began = time.perf_counter()
        form.get_by_role("button", name="Next users").first.click()
        expect(form.get_by_text("11–20 of 1000")).to_be_visible(timeout=3 * SECONDS)
        expect(form.get_by_label("(1010): extension")).to_be_visible()
        record_property("seconds for a page", time.perf_counter() - began)
        began = time.perf_counter()
        form.get_by_label("Search users").first.fill("Пользователь 998")
        row = form.get_by_label("(1998): extension")
        expect(row).to_be_visible(timeout=3 * SECONDS)
        expect(form.get_by_label("(1010): extension")).not_to_be_attached()
        record_property("seconds for a search", time.perf_counter() - began)
        row.fill("998")
        form.get_by_label("Search users").first.fill("")
        expect(form.get_by_text("1–10 of 1000, 1 filled in")).to_be_visible()
        form.get_by_label("Search users").first.fill("998")
        expect(row).to_have_value("998")
        screen()


def test_hostile_labels(opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]) -> None:
    """What a widget calls its fields is text in its own place: it runs nothing, sets no formula, and breaks no line."""
    template = [
        setting(key="html", name=HOSTILE, type="pass"),
        setting(key="long", name="очень_длинно_" * 400),
        setting(key="rtl", name="\u202eשם משתמש (x)", type=HOSTILE),
        setting(key="math", name=r"$\href{javascript:alert(1)}{x}$"),
    ]
    with ScriptedServer(lambda _: answer(widget(1, version=HOSTILE, settings_template=template))) as server:
        form = opened(SCRIPTED % server.url, FORM % "widget_1").run()
        install(form).click()
        expect(form.get_by_text("Faults: 4")).to_be_visible()
        screen()
        assert form.locator("img, script, a, mjx-container, .MathJax").count() == 0
        assert page.title() != "hacked"
        assert form.evaluate(WIDER) <= 0
        assert max(len(text) for text in form.locator("label").all_inner_texts()) < 200
        expect(form.get_by_label(HOSTILE)).to_be_visible()


def test_dark_narrow_russian(opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]) -> None:
    """In the dark theme, in a narrow window and in Russian everything can be read, and nothing is cut off."""
    cells = ('amo.set_language("ru")\nform = amo.forms.continue_bot(account)\nform', FORM % "amo_asterisk")
    notebook = opened(BEGIN, *cells)
    form = notebook.run()
    form.get_by_role("button", name="Установить в").click()
    expect(form.get_by_text("Ошибок: 4")).to_be_visible()
    assert form.evaluate(CONTRAST) >= 4.5
    notebook.menu("Settings", "Theme", "JupyterLab Dark")
    expect(page.locator("body[data-jp-theme-light=false]")).to_be_attached()
    page.wait_for_function("form => getComputedStyle(form).color.match(/\\d+/)[0] > 128", arg=form.element_handle())
    assert form.evaluate(CONTRAST) >= 4.5
    page.set_viewport_size({"width": 420, "height": 900})
    form.scroll_into_view_if_needed()
    screen()
    assert [one.evaluate(WIDER) for one in page.locator(".amo-form").all()] == [0, 0]
    notebook.menu("Settings", "Theme", "JupyterLab Light")


def test_search_and_read_only(
    lab: Lab, opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]
) -> None:
    """A search picks the widget; on a read-only account the form shows all, and says how to open it."""
    opened(f"{BEGIN[:-1]}write=False)", "amo.forms.install(account)").run()
    found = page.locator(".amo-form").first
    found.get_by_label("Search widgets by code").fill("asteri")
    expect(found.get_by_label("Widgets: 1 of 300")).to_be_visible()
    found.get_by_role("button", name="Open the form").click()
    form = page.locator(".amo-form").last
    expect(form.get_by_text("AMOEXPLORE_WRITE=1 opens it")).to_be_visible()
    expect(install(form)).to_be_disabled()
    screen()
    assert lab.posts() == []


def test_bot(lab: Lab, opened: Callable[..., Notebook], screen: Callable[..., None]) -> None:
    """Handlers are built with live counts, moved, previewed and sent once; the customer reads them."""
    bot = lab.sandbox.start_bot(steps=["Статус: {{json.status}}"])
    form = opened(BEGIN, "form = amo.forms.continue_bot(account)\nform").run()
    form.get_by_label("return_url").fill("https://example.com/x")
    expect(form.get_by_text("is no return_url of")).to_be_visible()
    form.get_by_label("return_url").fill(bot.return_url)
    expect(form.get_by_text("is no return_url of")).not_to_be_visible()
    form.get_by_label("data for the bot").fill(json.dumps({"status": "ок"}, ensure_ascii=False))
    add = form.get_by_role("button", name="Add a handler")
    add.click()
    form.get_by_label("Text of handler 1").fill("я" * 81)
    expect(form.get_by_text("81 of 80 characters")).to_be_visible()
    form.get_by_label("Text of handler 1").fill("Проверяем заказ…")
    expect(form.get_by_text("16 of 80 characters")).to_be_visible()
    add.click()
    form.get_by_label("Handler 2", exact=True).select_option("Text and buttons")
    form.get_by_label("Text of handler 2").fill("Подождёте?")
    form.get_by_label("Buttons of handler 2").fill("да\nнет")
    expect(form.get_by_text("2 of 25 buttons")).to_be_visible()
    form.get_by_role("button", name="Move handler 2 up").click()
    # While they are numbered anew two may have the same number.
    expect(form.get_by_label("Text of handler 1").first).to_have_value("Подождёте?")
    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_text("Authorization: Bearer ***")).to_be_visible()
    form.scroll_into_view_if_needed()
    screen("_preview")
    form.get_by_role("button", name="Send to").dblclick()
    expect_state(form, "the bot goes on")
    screen("_sent")
    assert [message.text for message in lab.sandbox.transcript(bot)] == ["Подождёте?", "Проверяем заказ…", "Статус: ок"]
    assert len(lab.posts()) == 1
