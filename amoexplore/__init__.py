"""Explore the amoCRM widget marketplace: the catalogue as DataFrames, and the API itself as a local server.

>>> import amoexplore as amo
>>> account = amo.connect()  # doctest: +SKIP
>>> catalog = amo.load_catalog(account)  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # typing is imported by whoever needs more of it
if TYPE_CHECKING:
    from amoexplore import charts, errors, forms
    from amoexplore.account import Account
    from amoexplore.comparisons import changes, compare, rank
    from amoexplore.connections import connect
    from amoexplore.consent import login
    from amoexplore.errors import AmoError
    from amoexplore.fleets import Fleet, load_fleet
    from amoexplore.forms.captions import set_language
    from amoexplore.handlers import goto, show_buttons, show_links, show_text
    from amoexplore.load import load_catalog, load_settings, load_widgets
    from amoexplore.models import Widget
    from amoexplore.past import History, history
    from amoexplore.reports import Catalog, Report
    from amoexplore.sandbox import Sandbox
    from amoexplore.snapshots import snapshot
    from amoexplore.streams import CatalogPage, iter_pages, load_to_parquet
    from amoexplore.summaries import Summary, summary
    from amoexplore.trials import trial, unfinished_trials

__all__ = [
    "Account",
    "AmoError",
    "Catalog",
    "CatalogPage",
    "Fleet",
    "History",
    "Report",
    "Sandbox",
    "Summary",
    "Widget",
    "changes",
    "charts",
    "compare",
    "connect",
    "errors",
    "forms",
    "goto",
    "history",
    "iter_pages",
    "load_catalog",
    "load_fleet",
    "load_settings",
    "load_to_parquet",
    "load_widgets",
    "login",
    "rank",
    "set_language",
    "show_buttons",
    "show_links",
    "show_text",
    "snapshot",
    "summary",
    "trial",
    "unfinished_trials",
]

_MODULES = ("charts", "errors", "forms")

# Where each name lives: nothing is imported before it is used, so that a command which needs no pandas starts at once.
_ROOMS = {
    "Account": "account",
    "AmoError": "errors",
    "Catalog": "reports",
    "CatalogPage": "streams",
    "Fleet": "fleets",
    "History": "past",
    "Report": "reports",
    "Sandbox": "sandbox",
    "Summary": "summaries",
    "Widget": "models",
    "changes": "comparisons",
    "compare": "comparisons",
    "connect": "connections",
    "goto": "handlers",
    "history": "past",
    "iter_pages": "streams",
    "load_catalog": "load",
    "load_fleet": "fleets",
    "load_settings": "load",
    "load_to_parquet": "streams",
    "load_widgets": "load",
    "login": "consent",
    "rank": "comparisons",
    "set_language": "forms.captions",
    "show_buttons": "handlers",
    "show_links": "handlers",
    "show_text": "handlers",
    "snapshot": "snapshots",
    "summary": "summaries",
    "trial": "trials",
    "unfinished_trials": "trials",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f"amoexplore.{name}")
    if name not in _ROOMS:
        raise AttributeError(f"module 'amoexplore' has no attribute {name!r}")
    return getattr(import_module(f"amoexplore.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
