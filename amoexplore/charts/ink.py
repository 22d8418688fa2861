"""What all charts share: colours, words, the look of their Axes, and their alternative texts."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import matplotlib.figure
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.cbook import normalize_kwargs
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, MaxNLocator

from amoexplore.display import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

# Okabe and Ito's colours, which colour-blind readers tell apart; hatches and words say the same again.
_, ORANGE, SKY, GREEN, _, BLUE, VERMILLION, _ = mpl.color_sequences["okabe_ito"]
#: How strong what stands back is: axes, notes, lines to compare with.
FAINT = 0.6
NARROW_SPACE = "\u202f"
#: Characters of a label that is not cut.
LABEL_WIDTH = 30

#: Where a file of this format holds a description.
_DESCRIPTIONS = {"png": "Description", "svg": "Description", "pdf": "Subject"}


class Figure(matplotlib.figure.Figure):
    """A figure that carries its alternative text: in its repr, in a notebook's output, and in its files."""

    def __repr__(self) -> str:
        return alt_text(self) or super().__repr__()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return {}, {"image/png": {"alt": alt_text(self)}}  # where nbconvert looks for it

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """Save as matplotlib does, with the alternative text in the file's metadata."""
        suffix = Path(fname).suffix[1:] if isinstance(fname, (str, Path)) else ""
        field = _DESCRIPTIONS.get((kwargs.get("format") or suffix or mpl.rcParams["savefig.format"]).lower())
        if field:
            kwargs["metadata"] = {field: alt_text(self), **(kwargs.get("metadata") or {})}
        super().savefig(fname, **kwargs)


def axes(ax: Axes | None, height: float = 4) -> Axes:
    """Return the Axes to draw into: the given one, or that of a new figure, 7 inches wide.

    Pyplot knows the new figure, so that a notebook shows it at the end of its cell.
    """
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt  # noqa: PLC0415  who brings an Axes may have no use for a backend

    return plt.figure(FigureClass=Figure, figsize=(7, height), layout="constrained").add_subplot()


def look(default: Mapping[str, Any], asked_for: Mapping[str, Any], artist: type[Artist]) -> dict[str, Any]:
    """Return how to draw: as the chart has it, but for what is asked for, by any name that matplotlib has for it."""
    return {**default, **normalize_kwargs(dict(asked_for), artist)}


class AltText(Artist):
    """The alternative text of a chart: in its Axes, unseen, so that it is copied, pickled and cleared with them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.set(visible=False, in_layout=False)


class Note(Annotation):
    """A text between title and chart, cut where the figure ends."""

    axes: Axes

    def draw(self, renderer: RendererBase) -> None:
        """Draw as much of the text as there is room for."""
        whole = self.get_text()
        end = self.axes.figure.get_figure(root=True).bbox.x1
        while self.get_window_extent(renderer).x1 > end and " " in self.get_text():
            self.set_text(self.get_text().rpartition(" ")[0].rstrip("…") + "…")
        super().draw(renderer)
        self.set_text(whole)


def describe(ax: Axes, text: str) -> None:
    """Keep the alternative text of a chart."""
    ax.add_artist(AltText(text))


def alt_text(drawn: Axes | matplotlib.figure.Figure) -> str:
    """Return a chart in words, for those who can't see it.

    Parameters
    ----------
    drawn : Axes or Figure
        Of a figure the texts of all its charts.
    """
    return " ".join(found.text for found in drawn.findobj(AltText))


def dress(ax: Axes, title: str, note: str = "", *, values: Literal["x", "y"] = "x") -> None:
    """Write a title, and a note under it in smaller and fainter letters; leave a faint grid along the values."""
    ax.set_title(title, loc="left", pad=22 if note else 8, fontsize=12)
    if note:
        place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        ax.add_artist(Note(note, (0, 1), (0, 8), fontsize=9.5, alpha=FAINT, in_layout=False, clip_on=False, **place))
    ax.spines[["top", "right", "left" if values == "x" else "bottom"]].set_visible(False)
    ax.spines[["bottom" if values == "x" else "left"]].set_alpha(FAINT)
    ax.tick_params(length=0)
    ax.grid(axis=values, alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)


def rows(ax: Axes, names: Iterable[str], places: Iterable[float]) -> None:
    """Name the rows of a chart, from top to bottom."""
    ax.set_yticks(list(places), list(names))
    ax.set_ylim(max(places) + 0.6, -0.6)


def empty(ax: Axes, title: str, why: str, told: str = "") -> Axes:
    """Say in place of a chart why there is none; and in words the same, unless something else is told."""
    ax.set_title(title, loc="left", fontsize=12)
    ax.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)  # the ticks may be a neighbour's, too
    ax.spines[:].set_alpha(0.25)
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", alpha=FAINT)
    describe(ax, told or f"{title}. {why}")
    return ax


def counts(ax: Axes, axis: Literal["x", "y"] = "x") -> None:
    """Let an axis count: whole numbers from zero."""
    of = ax.xaxis if axis == "x" else ax.yaxis
    of.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    of.set_major_formatter(FuncFormatter(_count_tick))


def stars(ax: Axes, axis: Literal["x", "y"], *, decimal_comma: bool) -> None:
    """Let an axis show ratings."""
    of = ax.xaxis if axis == "x" else ax.yaxis
    of.set_major_formatter(FuncFormatter(partial(_star_tick, decimal_comma=decimal_comma)))


def _count_tick(value: float, _: int | None = None) -> str:
    return count(abs(value))  # also of bars that go down


def _star_tick(value: float, _: int | None = None, *, decimal_comma: bool) -> str:
    return f"{value:g}".replace(".", "," if decimal_comma else ".")


def count(value: float) -> str:
    """Return a count, thousands apart: 12 345."""
    return f"{value:,.0f}".replace(",", NARROW_SPACE)


def decimal(value: float, *, decimal_comma: bool, places: int = 1) -> str:
    """Return a number with a decimal point or comma, with this many places or, if it has more, with two."""
    text = f"{value:.2f}"
    return (text.removesuffix("0") if places == 1 else text).replace(".", "," if decimal_comma else ".")


def percent(share: float) -> str:
    """Return a share; what is not nothing is never called 0 %, and what is not all never 100 %."""
    text = f"{share:.0%}".rstrip("%")
    if 0 < share < 1 and text in {"0", "100"}:
        text = "< 1" if text == "0" else "> 99"
    return f"{text} %".replace(" ", NARROW_SPACE)


def plural(number: int, noun: str) -> str:
    """Return a number and what it counts."""
    return counted(number, noun, count)


def labels(texts: Iterable[object], width: int = LABEL_WIDTH) -> list[str]:
    """Return texts as they can be drawn, long ones cut in the middle: their ends tell them apart."""
    return [cut(drawable(str(text)), width).replace("$", r"\$") for text in texts]


def cut(text: str, width: int = LABEL_WIDTH) -> str:
    """Return a text of at most this many characters, its middle left out."""
    half = (width - 1) // 2
    return text if len(text) <= width else f"{text[: width - 1 - half]}…{text[-half:]}"


def drawable(text: str) -> str:
    """Return a text on one line, in which □ stands for each character that no font in use has a picture of."""
    families = mpl.rcParams["font.family"]
    fonts = [font_manager.get_font(font_manager.findfont(FontProperties(family=[family]))) for family in families]
    return "".join(
        letter if any(font.get_char_index(ord(letter)) for font in fonts) else "□" for letter in " ".join(text.split())
    )


def bar_texts(ax: Axes, bars: Any, texts: Iterable[str]) -> list[Annotation]:
    """Write beside each bar what it stands for, and return what was written."""
    halo = [withStroke(linewidth=4, foreground=ax.get_facecolor())]
    return ax.bar_label(bars, labels=list(texts), padding=3, fontsize=9, path_effects=halo)
