"""How forms look, and what may be shown in them: everything escaped, cut, and kept apart from what stands beside it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from amoexplore.errors import AmoError
from amoexplore.forms.captions import caption

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 160  # characters of a label
_UNSAID = '<div class="amo-unsaid">'

# JupyterLab's own colours, so that a form is dark where JupyterLab is.
# JupyterLab takes keys pressed in a list to choose from for shortcuts of its own: an arrow would leave the cell, two Ds
# would delete it. It lets be what has this attribute, which Python can't set, and a style's onload can.
CSS = """<style onload="this.closest('.amo-form').addEventListener('focusin', event =>
  event.target.matches('select') && event.target.setAttribute('data-lm-suppress-shortcuts', ''))">
.amo-form { max-width: 46em; padding: 0 4px; color: var(--jp-ui-font-color1); overflow: hidden; }
.amo-form .widget-inline-hbox { flex-direction: column; align-items: stretch; width: auto; height: auto; }
.amo-form .widget-inline-hbox .widget-label {
  width: auto; max-width: 100%; height: auto; margin: 0; line-height: 1.5; text-align: start; white-space: normal;
  overflow: visible; overflow-wrap: anywhere; }
.amo-form .widget-inline-hbox > input, .amo-form .widget-inline-hbox > select { height: 28px; flex: none; }
.amo-form .widget-inline-hbox > input, .amo-form .widget-inline-hbox > textarea,
.amo-form .widget-inline-hbox > select { width: 100%; box-sizing: border-box; }
.amo-form input::placeholder, .amo-form textarea::placeholder { color: var(--jp-ui-font-color2); opacity: 1; }
.amo-form .widget-html, .amo-form .widget-html-content { height: auto; min-height: 0; line-height: 1.5; }
.amo-form .widget-html-content:empty { display: none; }
.amo-form .widget-html-content, .amo-form pre { overflow-wrap: anywhere; white-space: normal; }
.amo-form pre { white-space: pre-wrap; color: var(--jp-ui-font-color1); background: var(--jp-layout-color2);
  padding: 6px 8px; margin: 0; }
.amo-form h4 { margin: 4px 0; font-size: 1.1em; }
.amo-form .widget-button { width: auto; max-width: 100%; height: auto; min-height: 28px; line-height: 1.4;
  padding: 4px 10px; white-space: normal; overflow: visible; overflow-wrap: anywhere; }
.amo-form .widget-button:focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: 1px; }
.amo-form .amo-bar { flex-flow: row wrap; align-items: center; gap: 2px; }
.amo-form .amo-row { flex-flow: row wrap; gap: 0 6px; }
.amo-form .amo-row > * { flex: 1 1 14em; min-width: 0; }
.amo-form .amo-secret { align-items: flex-end; gap: 2px; overflow: visible; }
.amo-form .amo-secret > .widget-inline-hbox { flex: 1; }
.amo-form .amo-part { margin-bottom: 6px; }
.amo-form .amo-card { border-left: 3px solid var(--jp-border-color1); padding-left: 8px; margin-bottom: 8px; }
.amo-form .amo-said { border-left: 4px solid var(--jp-border-color1); padding: 2px 8px; }
.amo-form .amo-fault { border-color: var(--jp-error-color1); }
.amo-form .amo-warning { border-color: var(--jp-warn-color0); }
.amo-form .amo-done { border-color: var(--jp-success-color1); }
.amo-form.jupyter-widgets-disconnected::before { content: var(--amo-dead); display: block; padding: 2px 8px;
  border-left: 4px solid var(--jp-error-color1); color: inherit; font: inherit; text-rendering: inherit; }
.amo-form .jupyter-widgets-disconnected::before, .amo-form.jupyter-widgets-disconnected .amo-busy { display: none; }
.amo-form.jupyter-widgets-disconnected :is(input, textarea, select, button) { visibility: hidden; }
.amo-form .amo-unsaid { visibility: hidden; }
.amo-form .amo-late { animation: amo-late 1s; }
@keyframes amo-late { from, 99% { visibility: hidden; } }
.amo-form .amo-off { opacity: 0.5; cursor: not-allowed; }
.amo-form .amo-hint { color: var(--jp-ui-font-color2); }
</style>"""

# Of the browser: a head of buttons, a column of ticks and the table scroll together and have rows of one height.
BROWSER_CSS = """<style>
.amo-form.amo-browser { max-width: 76em; }
.amo-browser .amo-beside { flex-flow: row wrap; gap: 0 16px; align-items: flex-start; overflow: visible; }
.amo-browser .amo-beside > * { flex: 1 1 24em; min-width: 0; }
.amo-browser .amo-row { display: grid; grid-template-columns: repeat(auto-fill, minmax(9em, 1fr)); align-items: end;
  overflow: visible; }
.amo-browser img { display: block; width: 100%; height: auto; }
body[data-jp-theme-light="false"] .amo-browser img { filter: invert(0.93) hue-rotate(180deg); }
.amo-browser .amo-scroll { overflow: auto hidden; }
.amo-browser .amo-scroll > * { min-width: 62em; overflow: visible; }
.amo-browser .amo-head { display: grid; grid-template-columns: 28px 20fr repeat(8, 10fr); min-height: 4.8em; }
.amo-browser .amo-head .widget-button { display: flex; align-items: flex-end; justify-content: flex-start; width: 100%;
  height: 100%; margin: 0; padding: 4px 0 4px 4px; text-align: start; line-height: 1.3; font-size: 0.86em;
  font-weight: bold; background: var(--jp-layout-color0); color: var(--jp-ui-font-color1); }
.amo-browser .amo-head .widget-button:hover { background: var(--jp-layout-color2); box-shadow: none; }
.amo-browser .amo-body { flex-flow: row nowrap; align-items: flex-start; }
.amo-browser .amo-ticks { flex: none; width: 28px; overflow: visible; }
.amo-browser .amo-ticks .widget-checkbox { width: 28px; height: 28px; margin: 0; overflow: hidden; position: relative; }
.amo-browser .amo-ticks label { display: flex; width: 28px; height: 28px; margin: 0; align-items: center; }
.amo-browser .amo-ticks input { width: 16px; height: 16px; margin: 0 6px; flex: none; }
.amo-browser .amo-ticks input:focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: 1px; }
.amo-browser .amo-ticks span, .amo-browser .amo-unseen { position: absolute; width: 1px; height: 1px; margin: 0;
  padding: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.amo-browser .amo-list, .amo-browser .amo-list > * { flex: 1; width: auto; min-width: 0; margin: 0; overflow: visible; }
.amo-browser table { width: 100%; table-layout: fixed; border-spacing: 0; color: var(--jp-ui-font-color1); }
.amo-browser thead th { height: 0; padding: 0; border: 0; line-height: 0; }
.amo-browser tbody :is(th, td) { height: 28px; box-sizing: border-box; padding: 0 4px; line-height: 20px;
  text-align: start; font-weight: normal; white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
  border-top: 1px solid var(--jp-border-color2); background: var(--jp-layout-color0); }
.amo-browser tbody td.amo-no { color: var(--jp-ui-font-color2); }
.amo-browser tbody .amo-ticked :is(th, td) { background: var(--jp-layout-color2); }
.amo-browser .amo-ticks, .amo-browser .amo-head > :first-child { position: sticky; left: 0; z-index: 1;
  background: var(--jp-layout-color0); }
.amo-browser .amo-head > :first-child { width: auto; height: auto; margin: 0; }
.amo-browser .amo-head .widget-button:focus-visible { outline-offset: -2px; }
.amo-browser tbody th, .amo-browser .amo-head > :nth-child(2) { position: sticky; left: 28px; z-index: 1; }
</style>"""


def head(warning: str) -> str:
    """Return what a form begins with: how it looks, what it says once its kernel is gone, and a warning."""
    dead = caption("dead").replace('"', "'")
    return f'{CSS}<style>.amo-form {{ --amo-dead: "{dead}"; }}</style>{said(warning, "warning")}'


# First Strong Isolate and Pop Directional Isolate: what <bdi> is where there is no HTML.
_ISOLATED = "\u2068{}\u2069"


def cut(text: str) -> str:
    """Return a text that may stand in a label: one line, not too long."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def label(text: str) -> str:
    """Return a text from elsewhere as part of a label, which is no HTML."""
    return _ISOLATED.format(cut(text))


def no_formula(label: str) -> str:
    """Return a label in which JupyterLab finds no formula to set."""
    label = label.replace("\\", "∖")
    return label if label.count("$") < 2 else label.replace("$", "¤")  # noqa: PLR2004  a formula has two


def title(text: str) -> str:
    """Return a heading."""
    return f"<h4><bdi>{escape(text)}</bdi></h4>"


def subtitle(text: str) -> str:
    """Return the label of several inputs."""
    return f"<div><bdi>{escape(text)}</bdi></div>"


def hint(text: str) -> str:
    """Return a remark; nothing if it is empty."""
    return f'<div class="amo-hint"><bdi>{escape(text)}</bdi></div>' if text else ""


def said(text: str, kind: str, role: str = "status") -> str:
    """Return what a form says of how it goes, line by line; ``kind`` is fault, warning, done or busy."""
    lines = "<br>".join(f"<bdi>{escape(line)}</bdi>" for line in text.splitlines())
    return f'<div class="amo-said amo-{kind}" role="{role}">{lines}</div>' if lines else ""


def alert(text: str) -> str:
    """Return what is wrong; a screen reader reads it at once."""
    return said(text, "fault", "alert")


def failure(error: Exception, call: str) -> str:
    """Return what has gone wrong; the words of an error that is none of ours could hold what was typed."""
    unexpected = caption("unexpected", kind=type(error).__name__, call=call)
    return alert(str(error) if isinstance(error, AmoError) else unexpected)


def unsaid(html: str) -> str:
    """Return what was said as the place that it takes: were it gone, buttons would move away under somebody's mouse."""
    return f"{_UNSAID}{html}</div>" if is_said(html) else html


def is_said(html: str) -> bool:
    """Return whether it can be read."""
    return bool(html) and not html.startswith(_UNSAID)


def result(rows: Mapping[str, str]) -> str:
    """Return how it went: what, and its value."""
    listed = "".join(f"<div>{escape(name)}: <b><bdi>{escape(value)}</bdi></b></div>" for name, value in rows.items())
    return f'<div class="amo-said amo-done" role="status">{listed}</div>'
