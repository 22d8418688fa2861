"""The command ``amoexplore``."""

from __future__ import annotations

import argparse
import gc
import os
import re
import signal
import sys
import threading
import warnings
from contextlib import redirect_stdout
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from amoexplore.display import counted
from amoexplore.errors import AmoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amoexplore.account import Account
    from amoexplore.reports import Report

    _Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  it has no other name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    # A supervisor's SIGTERM and a terminal that is closed end a command as Ctrl-C does: with everything it started.
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is not signal.SIG_IGN:  # as it is under nohup
            signal.signal(number, signal.default_int_handler)
    warnings.formatwarning = lambda message, *_: f"amoexplore: {message}\n"
    try:
        status: int = options.run(options) or 0
        sys.stdout.flush()
    except (KeyboardInterrupt, EOFError):  # Ctrl-D, where something is asked for
        return 130
    except BrokenPipeError:
        # Who reads the output has had enough; nor will it take what is left when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (AmoError, OSError, ValueError, ImportError) as error:
        said = error.message if isinstance(error, AmoError) else error
        print(f"amoexplore: {said}", file=sys.stderr)  # noqa: T201  a command speaks to its user
        return 1
    return status


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415  it takes as long as a request

        print(f"amoexplore {version('amoexplore')}")  # noqa: T201
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("amoexplore", description="Explore the amoCRM widget marketplace.")
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    for add in (_add_sandbox, _add_load, _add_report, _add_login, _add_doctor, _add_snapshot, _add_changes, _add_lab):
        add(commands)
    return parser


def _add_sandbox(commands: _Commands) -> None:
    sandbox = commands.add_parser("sandbox", help="serve the API on this machine until Ctrl-C")
    sandbox.add_argument("--port", type=int, default=0, help="default: any free one")
    sandbox.add_argument("--token", metavar="T", help="the administrator's; default: a new one, which is printed")
    sandbox.add_argument("--size", type=int, default=300, help="widgets in the catalogue (default: 300)")
    sandbox.add_argument("--seed", type=int, default=0, help="another seed makes another catalogue (default: 0)")
    sandbox.add_argument("--state", type=Path, metavar="FILE", help="keep the state in this file; default: in memory")
    sandbox.add_argument(
        "--bot",
        type=_bot,
        action="append",
        default=[],
        metavar="KIND:BOT_ID:CONTINUE_ID",
        help="begin with a bot that waits, such as salesbot:77:1001; may be repeated",
    )
    sandbox.add_argument("--refresh-token", metavar="R", help="let T expire, and R bring the next one")
    sandbox.add_argument(
        "--lifetime", type=int, default=86_400, metavar="S", help="seconds that access tokens live (default: a day)"
    )
    sandbox.add_argument(
        "--rotation",
        choices=("strict", "grace"),
        default="strict",
        help="a refresh token is good once, as on amocrm.ru (default), or until its successor is used, as on Kommo",
    )
    sandbox.add_argument("--rate", type=int, metavar="N", help="requests a second of one client; default: no limit")
    sandbox.add_argument("--spaced", action="store_true", help="with --rate: 1/N seconds between two, without bursts")
    sandbox.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        help="misbehave, as in reset, or latency:seconds=0.3:every=10; a wrong name lists all; may be repeated",
    )
    sandbox.set_defaults(run=_sandbox)


def _add_load(commands: _Commands) -> None:
    load = commands.add_parser(
        "load", help="load the catalogue", description="Load the catalogue into a file, or show it as a table."
    )
    load.add_argument(
        "--to", type=Path, metavar="FILE", help=".parquet (settings go into a second one), .csv, or .xlsx (both)"
    )
    load.add_argument("--table", choices=("widgets", "settings"), help="only this one; of a .csv widgets by default")
    load.add_argument("--decimal-comma", action="store_true", help=".csv as a Russian Excel expects it: 2,8 and ;")
    load.set_defaults(run=_load)


def _add_report(commands: _Commands) -> None:
    report = commands.add_parser(
        "report",
        help="write the catalogue as a page for a browser",
        description="Write the catalogue as one page of HTML that needs nothing else: numbers, charts, all widgets.",
    )
    report.add_argument("--to", type=Path, metavar="FILE", default=Path("report.html"), help="default: report.html")
    report.add_argument(
        "--account",
        metavar="URL",
        help="of this account; its token is AMOEXPLORE_TOKEN, a login's, or asked for in a terminal",
    )
    report.add_argument("--decimal-comma", action="store_true", help="2,8 rather than 2.8")
    report.set_defaults(run=_report)


def _add_login(commands: _Commands) -> None:
    login = commands.add_parser(
        "login",
        help="get tokens of an account by OAuth",
        description="Get tokens of an account by OAuth, and store them. The integration's secret is asked for, unless "
        "AMOEXPLORE_CLIENT_SECRET has it.",
    )
    login.add_argument("host", help="the account's, such as example.amocrm.ru")
    login.add_argument("--client-id", required=True, metavar="ID", help="of the integration, from its Keys tab")
    login.add_argument(
        "--redirect-uri", required=True, metavar="URL", help="of the integration; on this machine it is listened at"
    )
    login.add_argument("--paste", action="store_true", help="for a browser on another machine: ask for what it got")
    login.set_defaults(run=_login)


def _add_doctor(commands: _Commands) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="look for what is wrong, and say what to do",
        description="Look at the installation, the account and its token, and say what to do; status 1 if anything is.",
    )
    doctor.add_argument("--account", metavar="URL", help="default: the one that AMOEXPLORE_URL names")
    doctor.set_defaults(run=_doctor)


def _add_snapshot(commands: _Commands) -> None:
    snapshot = commands.add_parser(
        "snapshot",
        help="keep the catalogue as it is now",
        description="Load the catalogue and write it as Parquet beside the snapshots that are there.",
    )
    snapshot.add_argument("where", metavar="WHERE", help="a folder, or an address such as s3://bucket/snapshots")
    snapshot.add_argument(
        "--account",
        metavar="URL",
        help="of this account; its token is AMOEXPLORE_TOKEN, a login's, or asked for in a terminal",
    )
    snapshot.set_defaults(run=_snapshot)


def _add_changes(commands: _Commands) -> None:
    changes = commands.add_parser(
        "changes",
        help="say what changed between snapshots",
        description="Say what changed from each snapshot to the next one: as a table, or in a file.",
    )
    changes.add_argument("where", metavar="WHERE", help="where amoexplore snapshot writes to")
    changes.add_argument(
        "--since", metavar="WHEN", help="30d, 2026-11-01 or 2026-11-01T09:30 (UTC); default: the first"
    )
    changes.add_argument("--until", metavar="WHEN", help="likewise, a day to its end; default: the last snapshot")
    changes.add_argument("--account", metavar="HOST", help="of this account; default: of all")
    changes.add_argument("--to", type=Path, metavar="FILE", help=".html (a page for a browser), .csv or .xlsx")
    changes.add_argument("--decimal-comma", action="store_true", help="2,8 rather than 2.8")
    changes.set_defaults(run=_changes)


def _add_lab(commands: _Commands) -> None:
    lab = commands.add_parser("lab", help="open JupyterLab on the notebooks; Ctrl-C stops all")
    lab.add_argument("--notebooks", type=Path, metavar="FOLDER", help="where the notebooks are or will be copied to")
    lab.add_argument("jupyter", nargs="*", metavar="OPTION", help="behind --, an option of JupyterLab's own")
    lab.set_defaults(run=_lab)


def _bot(text: str) -> tuple[str, int, int]:
    match = re.fullmatch("(salesbot|marketingbot):([1-9][0-9]{0,14}):([1-9][0-9]{0,14})", text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no bot; write salesbot or marketingbot, its id and the continue_id, such as salesbot:77:1001"
        )
    return match[1], int(match[2]), int(match[3])


def _sandbox(options: argparse.Namespace) -> None:
    from amoexplore.sandbox import Limits, Sandbox  # noqa: PLC0415  each command imports what it needs

    if options.spaced and options.rate is None:
        raise ValueError("--spaced says how requests are limited: give --rate as well")
    sandbox = Sandbox(
        seed=options.seed,
        size=options.size,
        state=options.state,
        port=options.port,
        token=options.token,
        refresh_token=options.refresh_token,
        rotation=options.rotation,
        lifetime=options.lifetime,
        rate=None if options.rate is None else Limits(rate=options.rate, spaced=options.spaced),
        faults=options.fault,
    )
    with sandbox:
        for kind, bot_id, continue_id in options.bot:
            sandbox.start_bot(kind, bot_id=bot_id, continue_id=continue_id)
        print(f"Sandbox ready at {sandbox.url} with {sandbox.size} widgets; Ctrl-C stops it.")  # noqa: T201
        print(f"export AMOEXPLORE_URL={sandbox.url}")  # noqa: T201
        if options.token is None:
            print(f"export AMOEXPLORE_TOKEN={sandbox.token}")  # noqa: T201  made up just now, known to nobody else
        sys.stdout.flush()
        threading.Event().wait()


def _load(options: argparse.Namespace) -> None:
    gc.disable()
    from amoexplore import connections, export  # noqa: F401, PLC0415
    from amoexplore.load import load_catalog  # noqa: PLC0415

    gc.freeze()  # what was imported stays: looking it through for garbage would take as long as half a request
    gc.enable()
    suffix = options.to.suffix.lower() if options.to else ""
    if options.decimal_comma and suffix != ".csv":
        raise ValueError("--decimal-comma is for a .csv: a Parquet or Excel file holds numbers as numbers.")
    if options.table and suffix == ".xlsx":
        raise ValueError("--table is not needed: an Excel file has both tables, a sheet each.")
    if options.to:
        export.check(options.to)
        report = export.load(_account(None), options.to, table=options.table, decimal_comma=options.decimal_comma)
        print(f"{options.to}: {_counts(report)}.")  # noqa: T201
    else:
        print(export.as_text(getattr(load_catalog(_account(None)), options.table or "widgets")))  # noqa: T201


def _report(options: argparse.Namespace) -> None:
    from amoexplore import webpage  # noqa: PLC0415
    from amoexplore.load import load_catalog  # noqa: PLC0415

    webpage.check(options.to)
    catalog = load_catalog(_account(options.account))
    webpage.write(catalog, options.to, decimal_comma=options.decimal_comma)
    widgets = counted(catalog.report.widgets, "widget")
    print(f"{options.to}: {widgets} of {catalog.report.account}; open it in a browser.")  # noqa: T201


def _snapshot(options: argparse.Namespace) -> None:
    from amoexplore.load import load_catalog  # noqa: PLC0415
    from amoexplore.places import place  # noqa: PLC0415
    from amoexplore.snapshots import snapshot  # noqa: PLC0415

    place(options.where).check()  # raises now what would be raised after a long load
    catalog = load_catalog(_account(options.account))
    where = snapshot(catalog, options.where)
    print(f"{where}: {_counts(catalog.report)}.")  # noqa: T201


def _counts(report: Report) -> str:
    return f"{counted(report.widgets, 'widget')}, {counted(report.settings, 'setting')}"


def _changes(options: argparse.Namespace) -> None:
    from amoexplore import news  # noqa: PLC0415

    if options.to:
        news.check(options.to)
    if options.decimal_comma and options.to and options.to.suffix.lower() == ".xlsx":
        raise ValueError("--decimal-comma is for a table, a page or a .csv: an Excel file holds numbers as numbers.")
    told = news.Told(options.where, since=options.since, until=options.until, account=options.account)
    if options.to is None:
        print(told.as_text(decimal_comma=options.decimal_comma))  # noqa: T201
    else:
        told.write(options.to, decimal_comma=options.decimal_comma)
        print(f"{options.to}: {told.counts()}.")  # noqa: T201


def _account(url: str | None) -> Account:
    """Return the account at an address, or the one that the environment names."""
    from amoexplore.connections import connect, stored_token, token_for  # noqa: PLC0415
    from amoexplore.tokens import MaskedText  # noqa: PLC0415

    if url is None:
        with redirect_stdout(sys.stderr):  # what the command made goes to standard output, nothing else
            return connect()
    token = token_for(url)
    if not token and not stored_token(url) and sys.stdin.isatty():
        token = MaskedText(getpass(f"Token of {url}: "))
    return connect(url, token)


def _login(options: argparse.Namespace) -> None:
    from amoexplore.consent import login  # noqa: PLC0415

    login(options.host, client_id=options.client_id, redirect_uri=options.redirect_uri, paste=options.paste)


def _doctor(options: argparse.Namespace) -> int:
    from amoexplore.doctor import findings  # noqa: PLC0415

    is_wrong = False
    for finding in findings(options.account):
        print(finding)  # noqa: T201
        is_wrong |= finding.is_wrong
    return int(is_wrong)


def _lab(options: argparse.Namespace) -> None:
    from amoexplore import lab  # noqa: PLC0415

    lab.run(options.notebooks, options.jupyter)
