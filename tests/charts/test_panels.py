from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import amoexplore as amo
from amoexplore import errors
from amoexplore.charts import ink

if TYPE_CHECKING:
    from amoexplore import Catalog

CODES = ["gotoconnect", "amo_asterisk", "nvoip", "amo_dropbox"]


def test_compare(catalog: Catalog) -> None:
    """A panel each for rating, settings and flags; the rows in the order of the codes, from top to bottom."""
    figure = amo.charts.compare(catalog, CODES)
    assert isinstance(figure, ink.Figure)
    rating, settings, flags = figure.axes
    assert [label.get_text().split("\n")[0] for label in rating.get_yticklabels()] == CODES
    assert rating.yaxis_inverted()
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Rating", "Settings", "Flags"]
    assert [bar.get_width() for bar in rating.patches] == [4.6, 2.7, 0, 2.8]
    assert [text.get_text() for text in rating.texts[:4]] == ["4.6", "2.7", "unrated", "2.8"]
    assert [text.get_text() for text in settings.texts[:4]] == ["4 + 0", "4 + 0", "1 + 0", "0 + 1"]
    assert [bar.get_width() for bar in settings.patches] == [4, 4, 1, 0, 0, 0, 0, 1]
    assert len(flags.lines) == 4 * len(CODES)


def test_flags(catalog: Catalog) -> None:
    """A flag is a filled or a hollow circle, and one that nobody knows a question mark."""
    widgets = catalog.widgets.copy()
    widgets["is_lead_source"] = pd.array([True, False, pd.NA, *[False] * 297], "boolean")
    _, _, flags = amo.charts.compare(widgets, widgets["code"].head(3)).axes
    yes, no, unknown = flags.lines[:3]
    assert mpl.colors.same_color(yes.get_markerfacecolor(), ink.BLUE)
    assert no.get_markerfacecolor() == "none"
    assert unknown.get_marker() == "$?$"


def test_median_of_all(catalog: Catalog) -> None:
    """Ratings stand beside the median of the whole catalogue."""
    rating, *_ = amo.charts.compare(catalog, CODES, decimal_comma=True).axes
    assert set(rating.lines[0].get_xdata()) == {catalog.widgets["rating"].median()}
    assert rating.texts[-1].get_text() == "dashed: the median of all, 3,2"
    assert [text.get_text() for text in rating.texts[:2]] == ["4,6", "2,7"]


def test_unrated_catalogue(catalog: Catalog) -> None:
    """Where nobody has a rating there is no median, and each row says that it is unrated."""
    widgets = catalog.widgets.assign(rating=pd.array([pd.NA] * 300, "Float64"))
    rating, *_ = amo.charts.compare(widgets, CODES).axes
    assert [text.get_text() for text in rating.texts] == ["unrated"] * 4
    assert len(rating.lines) == 0


def test_unknown(catalog: Catalog) -> None:
    """A code that is not there is told, with those that are spelled alike."""
    with pytest.raises(errors.UnknownWidget, match="Did you mean gotoconnect"):
        amo.charts.compare(catalog, ["gotoconect"])


def test_one_text_is_not_a_list(catalog: Catalog) -> None:
    """A single code in place of a list is told as such."""
    with pytest.raises(TypeError, match="A list of codes is wanted"):
        amo.charts.compare(catalog, "gotoconnect")


def test_more_than_a_handful(catalog: Catalog) -> None:
    """Thirteen are too many to see side by side; the error says what to do."""
    with pytest.raises(ValueError, match=r"at most 12, not 13: amo\.rank"):
        amo.charts.compare(catalog, catalog.widgets["code"].head(13))
    assert len(amo.charts.compare(catalog, catalog.widgets["code"].head(12)).axes) == 3


def test_none(catalog: Catalog) -> None:
    """No codes give a chart that says so."""
    figure = amo.charts.compare(catalog, [])
    assert figure.axes[0].texts[0].get_text() == "No code was given."


def test_height_follows_the_widgets(catalog: Catalog) -> None:
    """Each row has the same room."""
    few, many = (amo.charts.compare(catalog, catalog.widgets["code"].head(size)) for size in (2, 10))
    assert many.get_figheight() - few.get_figheight() == pytest.approx(8 * 0.5)


@pytest.mark.parametrize("width", [7.5, 8, 8.5, 9, 12])
@pytest.mark.parametrize(
    "name",
    [
        "{}",
        "очень_длинное_название_виджета_телефонии_{:03}",
        "n8ser5vckyba2fgou36bt4g5xv88me2pg5{:03}",
        "ШИРОКИЙ_ВИДЖЕТ_ЩЩЩЩЩЩЩЩЩЩЩЩЩ_{:03}",
    ],
)
def test_labels_cover_nothing(catalog: Catalog, name: str, width: float) -> None:
    """In any width nothing that is written covers another text, and of long names as much stands there as has room."""
    widgets = catalog.widgets.assign(code=[name.format(number) for number in range(300)])
    figure = amo.charts.compare(widgets, widgets["code"].head(3), width=width)
    figure.draw_without_rendering()
    texts = [*figure.axes[0].get_yticklabels(), *figure.axes[2].get_xticklabels()]
    texts += [text for ax in figure.axes for text in ax.texts]
    boxes = [text.get_window_extent() for text in texts]
    assert not any(one.overlaps(other) for number, one in enumerate(boxes) for other in boxes[:number])
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)


def test_too_narrow(catalog: Catalog) -> None:
    """A width in which the labels have no room is refused, with the least one."""
    with pytest.raises(ValueError, match=r"needs 7\.5 inches or more .* not 7"):
        amo.charts.compare(catalog, CODES, width=7)


def test_alt_text(catalog: Catalog) -> None:
    """The figure says each widget in words."""
    assert amo.charts.alt_text(amo.charts.compare(catalog, ["amo_smsc", "nvoip"])) == (
        "Comparison of 2 widgets. "
        "amo_smsc: rating 2.3, 2 required and 1 optional settings, Digital Pipeline, installed; "
        "nvoip: unrated, 1 required and 0 optional settings, Digital Pipeline."
    )


def test_shown_once(catalog: Catalog) -> None:
    """The figure is a notebook's result, so pyplot doesn't know it, and would not show it a second time."""
    figure = amo.charts.compare(catalog, CODES)
    assert plt.get_fignums() == []
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_long_names(catalog: Catalog) -> None:
    """Long codes are cut in the middle, so that both ends tell them apart."""
    widgets = catalog.widgets.copy()
    widgets["code"] = [f"очень_длинное_название_виджета_телефонии_{number}" for number in range(300)]
    rating, *_ = amo.charts.compare(widgets, widgets["code"].head(2)).axes
    labels = [label.get_text().split("\n")[0] for label in rating.get_yticklabels()]
    assert labels == ["очень_длинное_н…та_телефонии_0", "очень_длинное_н…та_телефонии_1"]
