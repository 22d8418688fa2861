"""What a user gets where the sandbox misbehaves: each fault is met, and what comes of it is put into words."""

from __future__ import annotations

import io
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pairs_of import stored

import amoexplore as amo
from amoexplore import Account, errors
from amoexplore.connections import stored_token
from amoexplore.sandbox.fault_table import read_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

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
#: Those that are about tokens which end, are renewed and follow their account.
OF_TOKENS = ("expired_token", "lost_refresh", "moved")
#: Those that change the catalogue for as long as a load lasts.
LASTING = ("widget_twice", "changing_catalog")
NOT_MET = "does not meet it"
LIMIT = 50
CODE = "amo_mailchimp"


@dataclass(frozen=True)
class Outcome:
    """What became of a load that met a fault a few times, of one that met it for good, and of an install."""

    fault: str
    times: str
    always: str
    install: str


def long_lived(sandbox: Sandbox, text: str) -> Account:
    """Return the account with a token that is never renewed."""
    return Account(sandbox.url, sandbox.token, timeout=_timeout(text))


def logged_in(sandbox: Sandbox, text: str) -> Account:
    """Return the account with a pair of tokens that a login has just stored."""
    stored(sandbox)
    token = stored_token(sandbox.url)
    assert token is not None
    return Account(sandbox.url, token, timeout=_timeout(text))


def _timeout(text: str) -> float:
    return 0.3 if "silence" in text else 30


def outcome(
    sandbox: Sandbox,
    calm: Catalog,
    text: str,
    *,
    times: int = 2,
    account: Callable[[Sandbox, str], Account] = long_lived,
) -> Outcome:
    """Let loads and an install meet a fault."""
    name, fault = read_fault(text)
    options: dict[str, Any] = {key: getattr(fault, key) for key in _own(text)}

    @contextmanager
    def active(**more: Any) -> Iterator[ActiveFault]:
        with ExitStack() as stack:
            if name == "lost_refresh" and account is logged_in:  # nobody would renew a token that is good
                stack.enter_context(sandbox.faults.expired_token(after=more.pop("after", 0), times=1))
            yield stack.enter_context(getattr(sandbox.faults, name)(**options, **more))

    def connected() -> Account:
        return account(sandbox, text)

    only = {"method": "POST", "path": f"/*/{CODE}"} if fault.method == "*" else {}
    return Outcome(
        text,
        "–" if name in LASTING else _load(connected, calm, lambda: active(after=2, times=times)),
        _load(connected, calm, lambda: active(after=2)),
        _install(connected, lambda: long_lived(sandbox, "calm"), active(**only)),
    )


def _own(text: str) -> list[str]:
    return [option.partition("=")[0] for option in text.split(":")[1:]]


def _quietly(act: Callable[[], str]) -> str:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return act()


def _load(
    connected: Callable[[], Account], calm: Catalog, active: Callable[[], AbstractContextManager[ActiveFault]]
) -> str:
    def load() -> str:
        account = connected()
        try:
            with active() as fault:
                catalog = amo.load_catalog(account, limit=LIMIT, progress=False)
        except errors.AmoError as error:
            came = f"{_named(error)} after {error.progress.pages} of {calm.report.pages} pages"
            # Connected anew, as a blocked account asks for; or logged in anew.
            rest = amo.load_catalog(connected(), progress=False, resume=error)
            return f"{came}; with `resume` {_compared(rest, calm)}"
        if not fault.hits:
            return NOT_MET
        more = {0: "", 1: ", after one more request", 2: ", after two more requests"}[catalog.report.retries]
        return f"{_compared(catalog, calm)}{more}"

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


def _install(
    connected: Callable[[], Account], calmly: Callable[[], Account], active: AbstractContextManager[ActiveFault]
) -> str:
    def install() -> str:
        account = connected()
        account.widget(CODE)
        try:
            with active as fault:
                account.install(CODE)
            said = "installed" if fault.hits else NOT_MET
        except errors.AmoError as error:
            said = _named(error)
        calm = calmly()
        done = calm.widget(CODE).is_active_in_account
        if done:
            calm.uninstall(CODE)
        return said if said in ("installed", NOT_MET) else f"{said}; it {'was' if done else 'was not'} installed"

    return _quietly(install)
