from __future__ import annotations

import base64
import hashlib
import os
import pty
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import markup
import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from packaging.version import Version
from pairs_of import stored
from programs import AMOEXPLORE, program
from scripted import TOKEN, ScriptedServer, answer, catalogue, listing, setting, widget

import amoexplore as amo
from amoexplore import Catalog, charts, files, svg, webpage
from amoexplore.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markup import Element

    from amoexplore import Sandbox

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
#: Names that want to be more than names.
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!-- -->",
    "&lt;b&gt;",
    "{{ 7 * 7 }}{% raw %}",
    "\u202eтекст справа налево",
    "שלום",
    "🙂 漢字",
    "$\\frac{1}{2}$ $",
    "строка\nи ещё\tодна",
    "\x07\x1b[31m",
    "=1+1",
    "x" * 300,
]


@pytest.fixture(scope="module")
def catalog(sandbox: Sandbox) -> Catalog:
    """Return the sandbox's catalogue."""
    return amo.load_catalog(amo.Account(sandbox.url, sandbox.token))


@pytest.fixture(scope="module")
def source(catalog: Catalog) -> str:
    """Return its page."""
    return webpage.render(catalog, loaded=NOON)


@pytest.fixture(scope="module")
def page(source: str) -> Element:
    """Return what its page holds."""
    return markup.read(source)


def of(*widgets: object) -> Catalog:
    """Return a catalogue of these widgets."""
    with catalogue(list(widgets)) as server:
        return amo.load_catalog(server.account())


def hostile() -> Catalog:
    """Return a catalogue in which every name is one that wants to be more."""
    return of(
        *(
            widget(number, code=f"{number}{name}", version=name, settings_template=[setting(name=name, type=name)])
            for number, name in enumerate(HOSTILE, 1)
        )
    )


def rows(page: Element) -> list[list[str]]:
    """Return the texts of the table of all widgets."""
    (table,) = page.find("table", id="table")
    (body,) = table.find("tbody")
    return [[cell.text for cell in row.inside if isinstance(cell, markup.Element)] for row in body.find("tr")]


def said(page: Element) -> str:
    """Return the words of a page, without its script and its style."""
    (body,) = page.find("body")
    texts = [text for element in body.walk() for text in element.inside if isinstance(text, str)]
    return " ".join(" ".join(texts).split())


def test_page_is_well_formed(page: Element) -> None:
    """One heading of the first rank, a language, landmarks, a name for each control, no id twice."""
    assert [element.attributes["lang"] for element in page.find("html")] == ["en"]
    assert [element.text for element in page.find("h1")] == ["Widgets of a sandbox on this machine"]
    for landmark in ("header", "nav", "main", "footer"):
        assert len(page.find(landmark)) == 1, landmark
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    controls = [*page.find("input"), *page.find("select")]
    labelled = [control for label in page.find("label") for control in label.walk() if control in controls]
    assert labelled
    assert len(labelled) == len(controls)


def test_nothing_comes_from_elsewhere(page: Element, source: str) -> None:
    """The page points into itself only, and what it points to is there; it forbids everything else."""
    ids = set(page.values("id"))
    named = [
        element.attributes[name] for element in page.walk() for name in ("href", "src") if name in element.attributes
    ]
    assert {name for name in named if not name.startswith("#")} == set()
    assert {name.removeprefix("#") for name in named} <= ids
    assert set(re.findall(r"url\(#?([^)]*)\)", source)) <= ids
    assert "//" not in source.replace("\n//", "").replace("  //", "")
    assert "@import" not in source
    assert not {element.tag for element in page.walk()} & {"link", "img", "image", "iframe", "object", "embed", "base"}


def test_policy_lets_its_own_style_and_script_through(page: Element) -> None:
    """The policy of the page names both by their hashes, and no attribute holds a style or a script."""
    (policy,) = (meta.attributes["content"] for meta in page.find("meta") if "http-equiv" in meta.attributes)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        (part,) = page.find(kind)
        digest = base64.b64encode(hashlib.sha256(part.text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    names = {name for element in page.walk() for name in element.attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}


def test_all_widgets_are_in_the_document(page: Element, catalog: Catalog) -> None:
    """The table has each widget, in the order of the catalogue, with what is known of it."""
    shown = rows(page)
    assert [row[0] for row in shown] == catalog.widgets["code"].tolist()
    assert shown[0] == ["amo_dropbox", "0.0.13", "2.8", "no", "no", "no", "no", "1", "0", ""]
    assert shown[2][7:] == ["4", "4", "Логин, Пароль, Список телефонов, Путь к скрипту"]
    assert [row[2] for row in shown].count("missing–") == 30
    assert [row[6] == "yes" for row in shown] == catalog.widgets["is_active_in_account"].tolist()


def test_versions_are_ranked_as_versions(page: Element) -> None:
    """The script sorts versions by a rank that packaging gives: 0.0.13 comes after 0.0.9."""
    (table,) = page.find("table", id="table")
    ranks = {
        Version(cell.text): int(cell.attributes["data-rank"])
        for cell in table.find("td")
        if "data-rank" in cell.attributes
    }
    assert len(ranks) > 200
    assert sorted(ranks) == sorted(ranks, key=lambda version: ranks[version])


def test_summary_and_charts_are_there(page: Element, catalog: Catalog) -> None:
    """Each table of the summary has a caption; each chart is a picture with its alternative text."""
    assert [caption.text for caption in page.find("caption")] == [
        "Ratings",
        "Flags",
        "Types of settings",
        "Major versions",
    ]
    assert "rated 270 90 % of widgets" in said(page)
    ax = charts.ratings(catalog, ax=Figure().subplots())
    alts = [picture.attributes["aria-label"] for picture in page.find("svg", role="img")]
    assert len(alts) == len(page.find("figure")) == 7
    assert charts.alt_text(ax) in alts
    assert all(alts)


def test_page_is_the_same_each_time(catalog: Catalog, source: str) -> None:
    """The same catalogue gives the same page, whatever look the notebook has chosen for its own charts."""
    assert webpage.render(catalog, loaded=NOON) == source
    with mpl.rc_context({"svg.fonttype": "none", "figure.facecolor": "black", "font.size": 30, "svg.hashsalt": None}):
        assert webpage.render(catalog, loaded=NOON) == source


def test_moment_is_the_clocks_unless_given(catalog: Catalog, page: Element) -> None:
    """The page tells when the catalogue was loaded: as given, or now."""
    (told,) = page.find("time")
    assert (told.attributes["datetime"], told.text) == ("2026-11-22T12:00:00+00:00", "2026-11-22 12:00 UTC")
    before = datetime.now(UTC).replace(microsecond=0)
    (told,) = markup.read(webpage.render(catalog)).find("time")
    assert before <= datetime.fromisoformat(told.attributes["datetime"]) <= datetime.now(UTC)


def test_decimal_comma(catalog: Catalog) -> None:
    """With a decimal comma all numbers have one: in the table, in the summary and in the charts."""
    page = markup.read(webpage.render(catalog, decimal_comma=True, loaded=NOON))
    assert rows(page)[0][2] == "2,8"
    assert not [row for row in rows(page) if "." in row[2]]
    assert "lower quartile 2,23" in said(page)
    assert any("median 3,2" in picture.attributes["aria-label"] for picture in page.find("svg"))


def test_hostile_names_stay_names() -> None:
    """Whatever a widget, a version or a setting is named stands in the page as it is, and does nothing."""
    page = markup.read(webpage.render(hostile(), loaded=NOON))
    shown = rows(page)
    assert [row[0] for row in shown] == [f"{number}{name}" for number, name in enumerate(HOSTILE, 1)]
    assert [row[1] for row in shown] == HOSTILE
    assert [row[9] for row in shown] == HOSTILE
    assert (len(page.find("script")), len(page.find("style")), page.find("img")) == (1, 1, [])
    assert not {name for element in page.walk() for name in element.attributes if name.startswith("on")}
    listed = [entry.text for entry in page.find("li")]
    assert f"{HOSTILE[0]} × 1" in listed


@pytest.mark.parametrize("nothing", ["", None])
def test_empty_texts_are_missing(nothing: str | None) -> None:
    """An empty version or name is told as a missing one: a dash, and the key if there is one."""
    settings = [setting(name=nothing), setting(name=nothing, key=nothing)]
    (row,) = rows(markup.read(webpage.render(of(widget(version=nothing, settings_template=settings)), loaded=NOON)))
    assert (row[1], row[9]) == ("missing–", "login, one without a name")


def test_empty_catalogue() -> None:
    """A catalogue without widgets is a page that says so."""
    page = markup.read(webpage.render(of(), loaded=NOON))
    assert rows(page) == []
    (nothing,) = page.find("p", id="nothing")
    assert (nothing.text, "hidden" in nothing.attributes) == ("The catalogue is empty.", False)
    assert all("There are no" in picture.attributes["aria-label"] for picture in page.find("svg"))


def test_few_ratings_are_told() -> None:
    """Where ratings are too few to compare by, the page says so instead of a warning."""
    catalog = of(widget(rating=""))
    page = markup.read(webpage.render(catalog, loaded=NOON))
    with pytest.warns(amo.errors.FewRatingsWarning) as told:
        amo.summary(catalog)
    assert [str(each.message) for each in told] == [note.text for note in page.find("p", role="note")][1:]
    assert rows(page)[0][2] == "missing–"


def test_load_report_lists_what_was_odd() -> None:
    """The page has what the load could not read, what came twice, and what nobody knows."""
    odd = widget(2, rating="high", colour="red", settings_template=[setting(type="colour"), setting(name=None)])
    with pytest.warns(amo.errors.UnreadableValueWarning):
        catalog = of(widget(1), odd, widget(3, code="widget_1"))
    page = markup.read(webpage.render(catalog, loaded=NOON))
    assert [entry.text for entry in page.find("li")][4:] == [
        'widget_2, rating: "high" (page 1)',
        "widget_1 (id 3): on page 1, again on page 1",
        "widget.colour × 1",
        "colour × 1",
    ]
    titles = ["Unreadable values", "Repeated widgets", "Unknown fields", "Unknown types"]
    assert [title.text for title in page.find("h3")] == titles
    assert rows(page)[1][9] == "Логин, login"


def test_nothing_odd_nothing_listed(page: Element) -> None:
    """A load without a fault needs no lists."""
    assert page.find("h3") == []
    assert "Unreadable values 0" in said(page)


def test_sandbox_is_told_from_an_account(catalog: Catalog, page: Element) -> None:
    """Who reads the page knows whether its widgets are made up."""
    assert "Made up." in said(page)
    real = Catalog(catalog.widgets, catalog.settings, replace(catalog.report, account="example.amocrm.ru"))
    told = markup.read(webpage.render(real, loaded=NOON))
    assert [heading.text for heading in told.find("h1")] == ["Widgets of example.amocrm.ru"]
    assert "Made up" not in said(told)


def test_write_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """A write that breaks off leaves the former file as it was, and nothing beside it."""
    path = tmp_path / "report.html"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), files.whole(path) as unfinished:
        unfinished.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "before"
    assert [path] == list(tmp_path.iterdir())


def test_write(catalog: Catalog, source: str, tmp_path: Path) -> None:
    """The file is the page, in UTF-8, line ends as on every machine: the hashes in it count on them."""
    webpage.write(catalog, tmp_path / "page.html", loaded=NOON)
    assert (tmp_path / "page.html").read_bytes() == source.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def figure() -> Figure:
    """Return a figure with all that refers to something else: clips, hatches, glyphs, markers."""
    figure = Figure()
    ax = figure.subplots()
    ax.bar([1, 2], [3, 4], hatch="//", label="--> & <b>")
    ax.plot([1, 2], [3, 4], "o--", alpha=0.5)
    ax.legend()
    return figure


def test_svg_ids_are_of_the_name() -> None:
    """Each id begins with the name, and what refers to one refers to one that is there."""
    drawn = svg.inline(figure(), name="a", alt="")
    ids = markup.read(drawn).values("id")
    assert len(ids) == len(set(ids))
    assert all(each.startswith("a-") for each in ids)
    referred = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', drawn)
    assert len(referred) > 10
    assert {one or other for one, other in referred} <= set(ids)


def test_svg_suits_any_page() -> None:
    """A picture has an alternative text and no size of its own, and needs neither styles nor fonts."""
    (picture,) = markup.read(svg.inline(figure(), name="a", alt='"a" & <b>')).find("svg")
    assert (picture.attributes["role"], picture.attributes["aria-label"]) == ("img", '"a" & <b>')
    assert picture.attributes["viewbox"] == "0 0 460.8 345.6"
    assert not {"width", "height"} & picture.attributes.keys()
    assert not {element.tag for element in picture.walk()} & {"style", "metadata", "text", "image"}
    assert {
        element.attributes["stroke-dasharray"] for element in picture.walk() if "stroke-dasharray" in element.attributes
    }


def test_report(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command writes report.html here, and says in one line what and where."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMOEXPLORE_URL", sandbox.url)
    monkeypatch.setenv("AMOEXPLORE_TOKEN", sandbox.token)
    assert main(["report", "--decimal-comma"]) == 0
    assert capsys.readouterr().out == "report.html: 300 widgets of sandbox on this machine; open it in a browser.\n"
    written = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert rows(markup.read(written))[0][2] == "2,8"
    assert sandbox.token not in written


@pytest.mark.parametrize(
    ("name", "why"),
    [("x.pdf", "must end in .html, .htm"), ("no/x.html", "no folder"), ("is.html", "is a folder")],
)
def test_report_checks_the_file_first(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, why: str
) -> None:
    """A file that can't be written is told before the load, not after it."""
    before = len(sandbox.requests)
    (tmp_path / "is.html").mkdir()
    assert main(["report", "--to", str(tmp_path / name), "--account", sandbox.url]) == 1
    assert why in capsys.readouterr().err
    assert before == len(sandbox.requests)


@pytest.fixture
def listening() -> Iterator[ScriptedServer]:
    """Return an account that tells which tokens came."""
    with ScriptedServer(lambda _: answer(listing([widget()]))) as server:
        yield server


def tokens(server: ScriptedServer) -> set[str]:
    """Return the Authorization headers that came."""
    return {request.headers.get("authorization", "none") for request in server.requests}


@pytest.mark.parametrize("named", [False, True])
def test_report_of_an_account(
    listening: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    """The environment's token goes to the account that is named, if the environment names no other."""
    monkeypatch.setenv("AMOEXPLORE_TOKEN", TOKEN)
    if named:
        monkeypatch.setenv("AMOEXPLORE_URL", f"{listening.url.upper()}/")
    assert main(["report", "--to", str(tmp_path / "x.html"), "--account", listening.url]) == 0
    assert tokens(listening) == {f"Bearer {TOKEN}"}


def test_token_goes_to_its_own_account_only(
    listening: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token of one account is not sent to another one, and the error says what to do."""
    monkeypatch.setenv("AMOEXPLORE_URL", "https://example.amocrm.ru")
    monkeypatch.setenv("AMOEXPLORE_TOKEN", TOKEN)
    assert main(["report", "--to", str(tmp_path / "x.html"), "--account", listening.url]) == 1
    told = capsys.readouterr().err
    assert "a token goes to its own account only" in told
    assert TOKEN not in told
    assert (listening.requests, list(tmp_path.iterdir())) == ([], [])


def test_report_by_a_stored_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a login has stored for an account is used, also where the environment names another account."""
    monkeypatch.setenv("AMOEXPLORE_URL", "https://example.amocrm.ru")
    monkeypatch.setenv("AMOEXPLORE_TOKEN", TOKEN)
    with amo.Sandbox(size=3) as sandbox:
        stored(sandbox)
        assert main(["report", "--to", str(tmp_path / "x.html"), "--account", sandbox.url]) == 0


@pytest.mark.parametrize("url", ["", "example.org", "http://example.amocrm.ru"])
def test_report_of_no_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    """What is no address of an account is told before anything is asked or sent."""
    monkeypatch.setenv("AMOEXPLORE_TOKEN", TOKEN)
    assert main(["report", "--to", str(tmp_path / "x.html"), "--account", url]) == 1
    assert "This is no address of an account" in capsys.readouterr().err


def test_report_without_a_token(listening: ScriptedServer, tmp_path: Path) -> None:
    """Where nobody can be asked for the token, its absence is an error."""
    done = subprocess.run(
        [AMOEXPLORE, "report", "--account", listening.url],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("amoexplore: There is an address but a token is missing")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals of this kind here")
@pytest.mark.parametrize("typed", [f"{TOKEN}\n", "\x04"])
def test_report_asks_for_the_token(
    listening: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """In a terminal the token of another account is asked for, not shown, and sent to it; Ctrl-D ends the command."""
    monkeypatch.setenv("AMOEXPLORE_URL", "https://example.amocrm.ru")
    monkeypatch.setenv("AMOEXPLORE_TOKEN", "another account's")
    ours, theirs = pty.openpty()
    report = (AMOEXPLORE, "report", "--account", listening.url)
    with program(*report, cwd=tmp_path, stdin=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        shown = b""
        while not shown.endswith(b": "):
            shown += os.read(ours, 1024)
        os.write(ours, typed.encode())
        out, _ = process.communicate(timeout=60)
    assert f"Token of {listening.url}: ".encode() in shown
    if typed == "\x04":
        assert (process.returncode, out, listening.requests) == (130, "", [])
    else:
        assert (process.returncode, tokens(listening)) == (0, {f"Bearer {TOKEN}"})
        assert "report.html: 1 widget of " in out
        os.set_blocking(ours, False)
        try:
            rest = os.read(ours, 4096)
        except OSError:  # nobody has the other end any more
            rest = b""
        assert TOKEN.encode() not in shown + rest
    os.close(ours)
