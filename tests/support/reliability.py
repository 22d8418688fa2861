"""What a user gets where the sandbox misbehaves: each fault is met, and what comes of it is put into words."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import amoexplore as amo
from amoexplore import Account, errors
from amoexplore.sandbox.fault_table import read_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from amoexplore import Catalog, Sandbox
    from amoexplore.sandbox.faults import ActiveFault

#: Each fault as `--fault` names it; those that come in several shapes, in each of them.
FAULTS = (
    "latency:seconds=0.01",
    "latency:seconds=0.01:sigma=1",
    "too_many_requests:shape=json",
    "too_many_requests:shape=header",
    "too_many_requests:shape=html",
    "too_many_requests:retry_after=301",
    "blocked",
    "payment_required",
    "internal_server_error",
    "bad_gateway",
    "service_unavailable",
    "gateway_timeout",
    "gateway_timeout:shape=json",
    "html_page",
    "truncated_json",
    "cut_body:ending=close",
    "cut_body:ending=reset",
    "cut_body:ending=silence",
    "reset",
    "hang_up",
    "silence",
    "lost_answer:ending=reset",
    "lost_answer:ending=close",
    "lost_answer:ending=silence",
    "lost_refresh",
    "always_next",
    "endless_next",
    "no_next",
    "foreign_next",
    "widget_twice",
    "changing_catalog",
    "expired_token",
    "moved",
)
#: Those that change the catalogue for as long as a load lasts.
LASTING = ("widget_twice", "changing_catalog")
NOT_MET = "does not meet it"
LIMIT = 50
CODE = "amo_mailchimp"


@dataclass(frozen=True)
class Outcome:
    """What became of a load twice and for good, and of an install."""

    fault: str
    twice: str
    always: str
    install: str


def outcome(sandbox: Sandbox, calm: Catalog, text: str) -> Outcome:
    """Let loads and an install meet a fault."""
    name, fault = read_fault(text)
    options: dict[str, Any] = {key: getattr(fault, key) for key in _own(text)}

    def active(**more: Any) -> ActiveFault:
        made: ActiveFault = getattr(sandbox.faults, name)(**options, **more)
        return made

    return Outcome(
        text,
        "–" if name in LASTING else _load(sandbox, calm, text, lambda: active(after=2, times=2)),
        _load(sandbox, calm, text, lambda: active(after=2)),
        _install(sandbox, text, active(**({"method": "POST", "path": f"/*/{CODE}"} if fault.method == "*" else {}))),
    )


def _own(text: str) -> list[str]:
    return [option.partition("=")[0] for option in text.split(":")[1:]]


def _account(sandbox: Sandbox, name: str) -> Account:
    return Account(sandbox.url, sandbox.token, timeout=0.3 if "silence" in name else 30)


def _quietly(act: Callable[[], str]) -> str:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return act()


def _load(sandbox: Sandbox, calm: Catalog, text: str, make: Callable[[], ActiveFault]) -> str:
    def load() -> str:
        account = _account(sandbox, text)
        try:
            with make() as fault:
                catalog = amo.load_catalog(account, limit=LIMIT, progress=False)
        except errors.AmoError as error:
            came = f"{_named(error)} after {error.progress.pages} of {calm.report.pages} pages"
            account = _account(sandbox, text)  # as a blocked account asks for
            rest = amo.load_catalog(account, progress=False, resume=error)
            return f"{came}; with `resume` {_compared(rest, calm)}"
        if not fault.hits:
            return NOT_MET
        return f"{_compared(catalog, calm)}{', after two more requests' if catalog.report.retries == 2 else ''}"

    return _quietly(load)


def _named(error: errors.AmoError) -> str:
    return f"`{type(error).__name__}`{f', tried {error.tries} times,' if error.tries > 1 else ''}"


def _compared(catalog: Catalog, calm: Catalog) -> str:
    if catalog.widgets.equals(calm.widgets) and catalog.settings.equals(calm.settings):
        what = "the whole catalogue"
    else:
        missing = len(set(calm.widgets["code"]) - set(catalog.widgets["code"]))
        what = f"the catalogue without {missing} of its widgets"
    repeated = len(catalog.report.repeated)
    return f"{what}{f', {repeated} that came twice in the report' if repeated else ''}"


def _install(sandbox: Sandbox, text: str, make: ActiveFault) -> str:
    def install() -> str:
        account = _account(sandbox, text)
        account.widget(CODE)
        try:
            with make as fault:
                account.install(CODE)
            said = "installed" if fault.hits else NOT_MET
        except errors.AmoError as error:
            said = _named(error)
        calm = Account(sandbox.url, sandbox.token)
        done = calm.widget(CODE).is_active_in_account
        if done:
            calm.uninstall(CODE)
        return said if said in ("installed", NOT_MET) else f"{said}; it {'was' if done else 'was not'} installed"

    return _quietly(install)
