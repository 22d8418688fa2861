from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest
from programs import AMOEXPLORE, program
from scripted import TOKEN, catalogue, widget

import amoexplore as amo
from amoexplore import Account, export, lab, streams
from amoexplore.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from amoexplore import Sandbox


@pytest.fixture
def environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the two variables to the sandbox."""
    monkeypatch.setenv("AMOEXPLORE_URL", sandbox.url)
    monkeypatch.setenv("AMOEXPLORE_TOKEN", sandbox.token)


@pytest.fixture(autouse=True)
def restored_signal() -> object:
    """Give SIGTERM back its meaning."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_sandbox_serves_until_it_is_stopped(stop: signal.Signals) -> None:
    """The command prints its address when it is ready, serves there, and ends at Ctrl-C without a traceback."""
    with program(AMOEXPLORE, "sandbox", "--size", 5, "--token", TOKEN, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = process.stdout.readline()
        url = process.stdout.readline().removeprefix("export AMOEXPLORE_URL=").strip()
        assert f"Sandbox ready at {url} with 5 widgets; Ctrl-C stops it.\n" == ready
        assert len(amo.load_widgets(Account(url, TOKEN))) == 5
        process.send_signal(stop)
        rest, errors = process.communicate(timeout=10)
        assert (process.returncode, rest, errors) == (130, "", "")
    assert TOKEN not in ready


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no terminals that hang up here")
def test_sandbox_under_nohup() -> None:
    """A sandbox that was started to outlive its terminal does."""
    nohup = shutil.which("nohup") or pytest.fail("nohup is part of every POSIX system")
    with program(nohup, AMOEXPLORE, "sandbox", "--token", TOKEN, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        url = process.stdout.readline().strip().partition("=")[2]
        process.send_signal(signal.SIGHUP)
        assert Account(url, TOKEN).widget("amo_dropbox").id == 742
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)


def test_sandbox_prints_the_token_that_it_made() -> None:
    """Without --token the printed lines are all that another shell needs."""
    with program(AMOEXPLORE, "sandbox") as process:
        assert process.stdout is not None
        process.stdout.readline()
        url, token = (process.stdout.readline().strip().partition("=")[2] for _ in range(2))
        assert len(amo.load_widgets(Account(url, token))) == 300
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)


def test_sandbox_keeps_its_state(tmp_path: Path) -> None:
    """With --state the second start serves what the first one did."""
    arguments = ("sandbox", "--state", str(tmp_path / "state.sqlite"), "--token", TOKEN, "--size", "30", "--seed", "4")
    frames = []
    for _ in range(2):
        with program(AMOEXPLORE, *arguments) as process:
            assert process.stdout is not None
            process.stdout.readline()
            url = process.stdout.readline().strip().partition("=")[2]
            frames.append(amo.load_widgets(Account(url, TOKEN)))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=10)
    pd.testing.assert_frame_equal(*frames)


def test_sandbox_port_taken(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A port that is taken is told in one line."""
    port = sandbox.url.rpartition(":")[2]
    assert main(["sandbox", "--port", port]) == 1
    assert port in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_load_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --to the catalogue is a table in the terminal."""
    assert main(["load"]) == 0
    shown = capsys.readouterr().out
    assert "amo_dropbox" in shown
    assert "[300 rows x 12 columns]" in shown


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("table", ["widgets", "settings"])
def test_load_to_parquet(tmp_path: Path, table: str, account: Account) -> None:
    """A Parquet file holds the frame with its dtypes."""
    assert main(["load", "--to", str(tmp_path / "x.parquet"), "--table", table]) == 0
    pd.testing.assert_frame_equal(getattr(amo.load_catalog(account), table), pd.read_parquet(tmp_path / "x.parquet"))


@pytest.mark.usefixtures("environment")
def test_load_to_csv(tmp_path: Path) -> None:
    """A CSV file can be read back; for a Russian Excel with semicolons and decimal commas."""
    main(["load", "--to", str(tmp_path / "x.csv"), "--table", "settings"])
    main(["load", "--to", str(tmp_path / "ru.csv"), "--decimal-comma"])
    assert "Логин" in set(pd.read_csv(tmp_path / "x.csv")["name"])
    assert (tmp_path / "x.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert "742;amo_dropbox;0.0.13;2,8;False" in (tmp_path / "ru.csv").read_text("utf-8-sig")


@pytest.mark.usefixtures("environment")
def test_load_to_excel(tmp_path: Path) -> None:
    """An Excel file has both tables, a sheet each."""
    assert main(["load", "--to", str(tmp_path / "x.xlsx")]) == 0
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    assert book.sheetnames == ["widgets", "settings"]
    assert book["widgets"].max_row == 301
    assert [cell.value for cell in book["widgets"][2]][:4] == [742, "amo_dropbox", "0.0.13", 2.8]


@pytest.mark.usefixtures("environment")
@pytest.mark.skipif(os.name != "posix", reason="there is no limit to the size of files here")
@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.xlsx"])
def test_load_to_a_disk_that_is_full(tmp_path: Path, name: str) -> None:
    """What the disk does not take is told in one line, and no file is left."""
    command = ("sh", "-c", 'ulimit -f 4; exec "$@"', "", AMOEXPLORE, "load", "--to", tmp_path / name)
    with program(*command, stderr=subprocess.PIPE) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.fullmatch(r"This is a sandbox: .*\namoexplore: .*File too large\n", said)
    assert not list(tmp_path.glob("*x.*"))


def test_excel_formulas_stay_text(tmp_path: Path) -> None:
    """A code that looks like a formula is not computed by Excel."""
    with catalogue([widget(1, code="=1+1", version="https://x.example")]) as server:
        catalog = amo.load_catalog(server.account())
    export.write_excel(catalog, tmp_path / "x.xlsx")
    row = openpyxl.load_workbook(tmp_path / "x.xlsx")["widgets"][2]
    assert [cell.data_type for cell in row[1:3]] == ["s", "s"]
    assert row[2].hyperlink is None


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x.txt", "must end in .parquet, .csv, .xlsx"),
        ("no/x.csv", "no folder"),
        ("is.csv", "is a folder"),
        pytest.param(
            "/proc/x.xlsx",
            "amoexplore: Nothing can be written into the folder /proc (No such file or directory): name another one.",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc, into which nobody may write"),
        ),
    ],
)
def test_load_checks_the_file_first(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, why: str
) -> None:
    """A file that can't be written is told before the load, not after it."""
    before = len(sandbox.requests)
    (tmp_path / "is.csv").mkdir()
    assert main(["load", "--to", str(tmp_path / name)]) == 1
    assert why in capsys.readouterr().err
    assert before == len(sandbox.requests)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--decimal-comma"], "--decimal-comma is for a .csv"),
        (["--decimal-comma", "--to", "x.xlsx"], "--decimal-comma is for a .csv"),
        (["--table", "settings", "--to", "x.xlsx"], "has both tables"),
    ],
)
def test_options_that_mean_nothing(options: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An option that would change nothing is told, not ignored."""
    assert main(["load", *options]) == 1
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("x.csv", (streams.CsvFile, "add")),
        ("x.parquet", (streams.ParquetFile, "__exit__")),
        ("x.xlsx", (pd.DataFrame, "to_excel")),
    ],
)
def test_write_is_whole_or_not_at_all(
    tmp_path: Path, account: Account, monkeypatch: pytest.MonkeyPatch, name: str, where: tuple[type, str]
) -> None:
    """A write that breaks off leaves the former file as it was, and nothing beside it."""
    path = tmp_path / name
    path.write_text("before")
    act = getattr(*where)

    def break_off(*args: object, **options: object) -> None:
        act(*args, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(*where, break_off)
    with pytest.raises(KeyboardInterrupt):
        export.load(account, path)
    assert path.read_text() == "before"
    assert [path] == list(tmp_path.iterdir())


def test_a_link_stays_one(tmp_path: Path, account: Account) -> None:
    """What is written to a link goes into the file that it points to, be it there or not."""
    folder, link = tmp_path / "elsewhere", tmp_path / "x.csv"
    folder.mkdir()
    link.symlink_to(folder / "y.csv")
    for _ in range(2):
        export.load(account, link)
        assert link.is_symlink()
        assert (folder / "y.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
        assert [path.name for path in folder.iterdir()] == ["y.csv"]
    link.unlink()
    link.symlink_to(tmp_path / "nowhere" / "y.csv")
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere: make it first"):
        export.load(account, link)


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong is told on standard error, without a traceback and without the token."""
    monkeypatch.setenv("AMOEXPLORE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AMOEXPLORE_TOKEN", TOKEN)
    assert main(["load"]) == 1
    said = capsys.readouterr().err
    assert said.splitlines()[1].startswith("amoexplore: Nothing answers at 127.0.0.1:9")
    assert said.count("\n") == 2
    assert TOKEN not in said


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("arguments", [["load"], ["report"], ["snapshot", "there"]])
def test_errors_of_a_command_that_ends(
    arguments: list[str],
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A load that broke off is not told how to go on with an error that ends with the command."""
    monkeypatch.chdir(tmp_path)
    with sandbox.faults.payment_required(after=1):
        assert main(arguments) == 1
    assert capsys.readouterr().err.endswith("Check the account's subscription in amoCRM.\n")


@pytest.mark.parametrize("arguments", [[], ["sandbox"], ["load"], ["report"], ["lab"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command explains itself."""
    with pytest.raises(SystemExit) as done:
        main([*arguments, "--help"])
    assert done.value.code == 0
    assert "usage: amoexplore" in capsys.readouterr().out


def test_lab_copies_missing_notebooks_only(tmp_path: Path) -> None:
    """Notebooks that the user has changed are never overwritten."""
    (tmp_path / "01_catalogue.ipynb").write_text("mine")
    folder = lab.notebooks(tmp_path)
    assert (folder / "01_catalogue.ipynb").read_text() == "mine"
    (tmp_path / "01_catalogue.ipynb").unlink()
    assert (lab.notebooks(tmp_path) / "01_catalogue.ipynb").read_text().startswith("{")


def test_lab_without_jupyterlab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where JupyterLab is missing the message has the command that brings it."""
    monkeypatch.setattr(lab, "find_spec", lambda _: None)
    assert main(["lab"]) == 1
    assert "pip install 'amoexplore[lab]'" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs POSIX signals")
@pytest.mark.parametrize("stop", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("with_account", [False, True])
def test_lab_stops_all_at_once(tmp_path: Path, with_account: bool, stop: str) -> None:  # noqa: FBT001
    """Ctrl-C, or a closed terminal, ends JupyterLab and the sandbox beside it; a real account is kept."""
    stand_in = tmp_path / "jupyterlab.py"
    stand_in.write_text(
        "import os, signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "print(os.getpid(), os.environ['AMOEXPLORE_URL'], os.environ['AMOEXPLORE_TOKEN'], flush=True)\n"
        "signal.sigwait({signal.SIGTERM})\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AMOEXPLORE_")}
    environment["PYTHONPATH"] = str(tmp_path)
    if with_account:
        environment |= {"AMOEXPLORE_URL": "https://example.amocrm.ru", "AMOEXPLORE_TOKEN": TOKEN}
    lab_there = (AMOEXPLORE, "lab", "--notebooks", tmp_path / "notebooks")
    with program(*lab_there, env=environment, start_new_session=True) as process:
        assert process.stdout is not None
        pid, url, token = process.stdout.readline().split()
        assert (url == "https://example.amocrm.ru") is with_account
        if not with_account:
            assert len(amo.load_widgets(Account(url, token))) == 300
        os.killpg(process.pid, getattr(signal, stop))
        process.communicate(timeout=10)
        assert process.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    if not with_account:
        with pytest.raises(amo.errors.ConnectionRefused):
            Account(url, token).widget("amo_dropbox")


def test_lab_that_fails(tmp_path: Path) -> None:
    """A JupyterLab that does not start is a failure of the command."""
    (tmp_path / "jupyterlab.py").write_text("raise SystemExit(3)")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AMOEXPLORE_")}
    done = subprocess.run(
        [AMOEXPLORE, "lab", "--notebooks", tmp_path / "notebooks"],
        env=environment | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    said = "amoexplore: JupyterLab ended with status 3; what it printed says why.\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_lab_with_half_an_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token without an address must not end in a sandbox that overwrites it, nor leave notebooks behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMOEXPLORE_TOKEN", TOKEN)
    monkeypatch.setattr(lab, "find_spec", lambda _: True)
    assert main(["lab"]) == 1
    assert "an address is missing" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("environment")
def test_as_a_module_and_cut_off() -> None:
    """``python -m amoexplore`` is the command; who reads its output may go away."""
    with program(sys.executable, "-m", "amoexplore", "load", stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "Error" not in process.stderr.read()
        assert process.wait(timeout=30) == 0
