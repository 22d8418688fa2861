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
from labs import SECONDS, TOKEN, Notebook, end_kernels, running
from looks import CONTRAST
from nbconvert import HTMLExporter
from playwright.sync_api import expect
from scripted import ScriptedServer, answer, setting, users, widget

from amoexplore import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page
    from scripted import Request

pytestmark = pytest.mark.browser

CANARY, TEXT = "canary-4c1d", "canary-text"
SCREENS = Path(__file__).parents[2] / "screenshots"
#: Which of the pictures the documentation shows, and what they are called there.
SHOWN = {"page_example_by_keyboard_filled": "form_install", "bot_preview": "form_bot"}
BEGIN = 'import amoexplore as amo\n\namo.set_language("en")\naccount = amo.connect()'
SCRIPTED = f'import amoexplore as amo\n\namo.set_language("en")\naccount = amo.Account("%s", "{TOKEN}")'
#: Forms on a clock that can be moved on.
CLOCK = """
import time, types
from amoexplore.forms import clicks

skipped = [0]
clicks.time = types.SimpleNamespace(monotonic=lambda: time.monotonic() + sum(skipped))"""
FORM = 'form = amo.forms.install(account, "%s")\nform'
SHARED = "shared"
HOSTILE = '<img src=x onerror="document.title=`hacked`">'

HOSTILE_WIDGET = widget(
    1,
    version=HOSTILE,
    settings_template=[
        setting(key="html", name=HOSTILE, type="pass"),
        setting(key="long", name="очень_длинно_" * 400),
        setting(key="rtl", name="\u202eשם משתמש (x)", type=HOSTILE),
        setting(key="math", name=r"$\href{javascript:alert(1)}{x}$"),
    ],
)

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
    end_kernels(forms_lab.address, but=SHARED)


@pytest.fixture
def opened(lab: Lab, page: Page, request: pytest.FixtureRequest) -> Callable[..., Notebook]:
    """Return what opens a notebook of some cells."""
    name = request.node.name.removeprefix("test_")
    page.set_viewport_size({"width": 1200, "height": 1150})
    return lambda *cells: Notebook(page, lab.address, lab.folder / "notebooks" / f"{name}.ipynb", *cells)


@pytest.fixture(scope="module")
def shared(forms_lab: Lab, browser: Browser) -> Iterator[Notebook]:
    """Return a notebook of forms that need no kernel of their own; each test has a cell of it."""
    template = [setting(key="phones", name="Внутренние номера", type="users"), setting(key="logins", type="users_lp")]

    def script(request: Request) -> bytes:
        return users(request) if "/users" in request.target else answer(widget(1, settings_template=template))

    context = browser.new_context(viewport={"width": 1200, "height": 1150})
    with ScriptedServer(script) as many, ScriptedServer(lambda _: answer(HOSTILE_WIDGET)) as hostile:
        cells = [
            BEGIN,
            *(FORM % "amo_asterisk", FORM % "amo_dropbox"),
            *((SCRIPTED + "\n" + FORM) % (server.url, "widget_1") for server in (many, hostile)),
            "amo.forms.install(amo.connect(write=False))",
            "account = amo.connect()\namo.forms.continue_bot(account)",
            'amo.set_language("ru")\n' + FORM % "amo_asterisk",
        ]
        path = forms_lab.folder / "notebooks" / f"{SHARED}.ipynb"
        notebook = Notebook(context.new_page(), forms_lab.address, path, *cells)
        notebook.run()
        notebook.wait_until_idle()
        yield notebook
    context.close()
    end_kernels(forms_lab.address)


@pytest.fixture
def screen(pictures: Path, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return what keeps a picture of the page, and of the form alone what the documentation shows."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    test = request.node.name.removeprefix("test_")
    is_shared = "shared" in request.fixturenames
    page = request.getfixturevalue("shared").page if is_shared else request.getfixturevalue("page")

    def keep(suffix: str = "", form: Locator | None = None) -> None:
        name = f"{test}{suffix}"
        page.screenshot(path=SCREENS / f"{name}.png")
        if name in SHOWN:
            shown = form or page.locator(".amo-form").last
            before, box = page.viewport_size, shown.bounding_box()
            # What is higher than the notebook would be taken with all that lies over it.
            page.set_viewport_size({"width": before["width"], "height": int(box["height"]) + before["height"]})
            shown.screenshot(path=pictures / f"{SHOWN[name]}.png")
            page.set_viewport_size(before)

    return keep


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
    expect(install(form)).to_be_focused()
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
    expect(question).to_be_visible()
    for _ in ("Once more", "the yes"):
        page.keyboard.press("Tab")
    expect(question).to_be_focused()
    page.keyboard.press("Space")
    expect_state(form, "not installed")
    expect(install(form)).to_be_focused()


def test_refused(lab: Lab, shared: Notebook, screen: Callable[..., None]) -> None:
    """Faults stand at their fields, those found here and those that the account found, and go when edited."""
    page, first, form = shared.page, shared.form(1), shared.form(2)
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


def test_no_click_is_lost(gated: Gated, opened: Callable[..., Notebook], page: Page) -> None:
    """A button stays under the mouse that is down on it, though the edit that this ends takes a message back."""
    form = opened(SCRIPTED % gated.server.url, FORM % "widget_1").run()
    install(form).click()
    fault = form.get_by_text("is required")
    expect(fault).to_be_visible()
    form.get_by_label("Логин").fill("example")
    place = install(form).bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 8, place["y"] + 4)
    page.mouse.down()
    expect(fault).not_to_be_visible()
    expect(form.get_by_text("Faults: 1")).not_to_be_visible()
    assert install(form).bounding_box() == place
    page.mouse.up()
    gated.gate.set()
    expect_state(form, "installed")
    assert gated.posts() == 1


def test_a_yes_comes_late(
    gated: Gated, opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]
) -> None:
    """Where a yes will be, the second half of a double click meets nothing."""
    gated.is_installed = True
    gated.gate.set()
    form = opened(SCRIPTED % gated.server.url, FORM % "widget_1").run()
    form.get_by_label("Логин").fill("example")
    install(form).click()
    yes = form.locator("button.amo-late")
    page.wait_for_function("yes => yes.getBoundingClientRect().width > 20", arg=yes.element_handle())
    assert yes.evaluate("yes => getComputedStyle(yes).visibility") == "hidden"
    place = yes.bounding_box()
    assert place is not None
    page.mouse.click(place["x"] + 8, place["y"] + 8)
    expect(yes).to_be_visible()
    screen()
    assert gated.posts() == 0
    yes.click()
    expect_state(form, "installed")
    assert gated.posts() == 1


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
    for name in ("Логин", "Соколова", "Путь"):
        form.get_by_label(name).fill(TEXT)
    page.keyboard.press("Tab")
    save(notebook)  # with the texts, which are no secrets and stay readable until they are installed
    saved = [notebook.path.read_text()]
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
    assert [TEXT in text for text in (*saved, exported)] == [True, False, False]
    assert CANARY not in "".join([*saved, exported, *notebook.received])
    assert TEXT not in "".join(notebook.received)
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
    expect(form.get_by_label("Логин")).not_to_be_visible()
    screen("_dead")
    form = notebook.run()
    expect(form.get_by_text("Version 1.0.0 · installed")).to_be_visible(timeout=15 * SECONDS)
    form.get_by_label("Логин").fill("example")
    install(form).click()
    expect(form.get_by_role("button", name="Replace the settings of widget_1")).to_be_visible()
    screen("_anew")
    assert gated.posts() == 1


def test_slow_call(gated: Gated, opened: Callable[..., Notebook], page: Page, screen: Callable[..., None]) -> None:
    """While a call takes 20 s the form counts them, the kernel works, and no copy of the form sends."""
    notebook = opened(SCRIPTED % gated.server.url + CLOCK, FORM % "widget_1", "print(6 * 7)", FORM % "widget_1")
    notebook.run()
    form, copy = page.locator(".amo-form").first, page.locator(".amo-form").last
    expect(page.locator(".amo-form")).to_have_count(2)
    form.get_by_label("Логин").fill("example")
    install(form).dblclick()
    gated.came.wait()
    expect(install(form)).to_have_class(re.compile("amo-off"))
    copy.get_by_label("Логин").fill("example")
    install(copy).click()
    expect(copy.get_by_text("Another form is at it: widget_1.")).to_be_visible()
    page.locator(".jp-Cell", has_text="print(6 * 7)").locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("skipped.append(20); print(6 * 7 * 100)")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".jp-OutputArea-output", has_text="4200")).to_be_visible()
    form.scroll_into_view_if_needed()
    twenty = re.compile(r"^Installing widget_1 into sandbox on this machine… [2-9]\d s$")
    expect(form.get_by_text(twenty)).to_be_visible(timeout=15 * SECONDS)
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
    install(again).click()
    expect(again.get_by_role("button", name="Replace the settings of widget_1")).to_be_visible()
    assert gated.posts() == 1


def test_a_thousand_users(shared: Notebook, screen: Callable[..., None], record_property: Callable[..., None]) -> None:
    """A thousand users are there as quickly as five: ten rows, pages, and a search."""
    form = shared.form(3)
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


def test_hostile_labels(shared: Notebook, screen: Callable[..., None]) -> None:
    """What a widget calls its fields is text in its own place: it runs nothing, sets no formula, and breaks no line."""
    form = shared.form(4)
    install(form).click()
    expect(form.get_by_text("Faults: 4")).to_be_visible()
    screen()
    assert form.locator("img, script, a, mjx-container, .MathJax").count() == 0
    assert shared.page.title() != "hacked"
    assert form.evaluate(WIDER) <= 0
    assert max(len(text) for text in form.locator("label").all_inner_texts()) < 200
    expect(form.get_by_label(HOSTILE)).to_be_visible()


def test_arrows_choose(shared: Notebook) -> None:
    """In a list to choose from an arrow chooses, and does not leave the cell as JupyterLab's own shortcut would."""
    found, bot = shared.form(5), shared.form(6)
    found.get_by_label("Search widgets by code").fill("")
    bot.get_by_role("button", name="Add a handler").click()
    for chosen in (found.get_by_label("Widgets: 300 of 300"), bot.get_by_label("Handler 1", exact=True)):
        chosen.focus()
        shared.page.keyboard.press("ArrowDown")
        expect(chosen).to_be_focused()
        expect(chosen).to_have_js_property("selectedIndex", 1)
    bot.get_by_role("button", name="Remove handler 1").click()


def test_search_and_read_only(lab: Lab, shared: Notebook, screen: Callable[..., None]) -> None:
    """A search picks the widget; on a read-only account the form shows all, and says how to open it."""
    found = shared.form(5)
    found.get_by_label("Search widgets by code").fill("asteri")
    expect(found.get_by_label("Widgets: 1 of 300")).to_be_visible()
    found.get_by_role("button", name="Open the form").click()
    form = shared.cell(5).locator(".amo-form").last
    expect(form.get_by_text("AMOEXPLORE_WRITE=1 opens it")).to_be_visible()
    expect(install(form)).to_be_disabled()
    screen()
    assert lab.posts() == []


def test_bot(lab: Lab, shared: Notebook, screen: Callable[..., None]) -> None:
    """Handlers are built with live counts, moved, previewed and sent once; the customer reads them."""
    bot = lab.sandbox.start_bot(steps=["Статус: {{json.status}}"])
    form = shared.form(6)
    form.get_by_label("return_url").fill("https://example.com/x")
    expect(form.get_by_text("is no return_url of")).to_be_visible()
    form.get_by_label("return_url").fill(bot.return_url)
    expect(form.get_by_text("is no return_url of")).not_to_be_visible()
    form.get_by_label("data for the bot").fill(json.dumps({"status": "ок"}, ensure_ascii=False))
    add = form.get_by_role("button", name="Add a handler")
    add.click()
    form.get_by_label("Text of handler 1").fill("я" * 81)
    expect(form.get_by_text("81 of 80 characters")).to_be_visible()
    form.get_by_label("Text of handler 1").fill("Проверяем\nзаказ…")
    expect(form.get_by_text("16 of 80 characters")).to_be_visible()
    add.click()
    form.get_by_label("Handler 2", exact=True).select_option("Text and buttons")
    form.get_by_label("Text of handler 2").fill("Подождёте?")
    form.get_by_label("Buttons of handler 2").fill("да\nнет")
    expect(form.get_by_text("2 of 25 buttons")).to_be_visible()
    form.get_by_role("button", name="Move handler 2 up").focus()
    shared.page.keyboard.press("Enter")
    expect(form.get_by_label("Text of handler 1")).to_have_value("Подождёте?")
    expect(form.get_by_role("button", name="Move handler 1 down")).to_be_focused()
    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_text("Authorization: Bearer ***")).to_be_visible()
    form.scroll_into_view_if_needed()
    screen("_preview", form)
    form.get_by_role("button", name="Send to").dblclick()
    expect_state(form, "the bot goes on")
    screen("_sent")
    assert [message.text for message in lab.sandbox.transcript(bot)] == [
        "Подождёте?",
        "Проверяем\nзаказ…",
        "Статус: ок",
    ]
    assert len(lab.posts()) == 1


def test_dark_narrow_russian(shared: Notebook, screen: Callable[..., None]) -> None:
    """In the dark theme, in a narrow window and in Russian everything can be read, and nothing is cut off."""
    page, form = shared.page, shared.form(7)
    form.get_by_role("button", name="Установить в").click()
    expect(form.get_by_text("Ошибок: 4")).to_be_visible()
    assert form.evaluate(CONTRAST) >= 4.5
    shared.menu("Settings", "Theme", "JupyterLab Dark")
    expect(page.locator("body[data-jp-theme-light=false]")).to_be_attached()
    page.wait_for_function("form => getComputedStyle(form).color.match(/\\d+/)[0] > 128", arg=form.element_handle())
    assert form.evaluate(CONTRAST) >= 4.5
    page.set_viewport_size({"width": 420, "height": 900})
    form.scroll_into_view_if_needed()
    screen()
    assert {one.evaluate(WIDER) for one in page.locator(".amo-form").all()} == {0}
    shared.menu("Settings", "Theme", "JupyterLab Light")
