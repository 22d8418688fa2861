"""Labels of points that find places of their own, and numbers of bars as far as there is room for them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox, IdentityTransform

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.patches import Patch

#: Where a label is tried, beginning beside its point: the direction, and the side of it that is turned to the point.
_SIDES = [
    (1, 0, "left", "center"),
    (1, 1, "left", "bottom"),
    (1, -1, "left", "top"),
    (0, 1, "center", "bottom"),
    (0, -1, "center", "top"),
    (-1, 1, "right", "bottom"),
    (-1, -1, "right", "top"),
    (-1, 0, "right", "center"),
]
#: Points between a label and what it names; from the third on a line joins them.
_DISTANCES = (5, 11, 18, 28, 40, 55, 75, 100)
_JOINED = 18
#: Points that such a line keeps away from other marks, once it is twice as far from its own: others may touch that.
_CLEAR = 5


class Labels(Artist):
    """Texts beside points, that cover neither each other nor any point, joined to them by lines that cross no other.

    Places are found when the figure is drawn, so they suit its size at that moment. What finds no place is left out.

    Parameters
    ----------
    ax : Axes
    points : array of shape (n, 2)
        What the labels name, in the coordinates of the data.
    texts : sequence of str
        The first ones have the first choice.
    taken : array of shape (m, 4)
        What no label may cover: boxes x0, y0, x1, y1 in the coordinates of the data; a point is a box without size.
    radius : float
        To stay away from them, in points.
    """

    axes: Axes

    def __init__(
        self,
        ax: Axes,
        points: np.ndarray[Any, Any],
        texts: Sequence[str],
        taken: np.ndarray[Any, Any],
        radius: float = 3,
    ) -> None:
        super().__init__()
        self.points, self.taken, self.radius = points, taken, radius
        halo = [withStroke(linewidth=2.5, foreground=ax.get_facecolor())]
        self.texts = [Text(text=text, fontsize=9, path_effects=halo, transform=IdentityTransform()) for text in texts]
        self.lines = [Line2D([], [], color="0.5", linewidth=0.8, transform=IdentityTransform()) for _ in texts]
        self.set(in_layout=False, zorder=4)
        ax.add_artist(self)
        for part in [*self.texts, *self.lines]:
            part.set_figure(ax.figure)

    def draw(self, renderer: RendererBase) -> None:
        """Find a place for each label, and draw it there."""
        if not self.get_visible():
            return
        self._place(renderer)
        for part in [*self.lines, *self.texts]:
            part.draw(renderer)

    def _place(self, renderer: RendererBase) -> None:
        inside = self.axes.get_window_extent(renderer)
        radius = renderer.points_to_pixels(self.radius)
        corners = [self.axes.transData.transform(self.taken[:, corner]) for corner in ([0, 1], [2, 3])]
        taken = np.hstack([corners[0] - radius, corners[1] + radius])
        points = self.axes.transData.transform(self.points)
        clear = renderer.points_to_pixels(_CLEAR)
        marks = np.hstack([points - clear, points + clear])
        for text, line, point in zip(self.texts, self.lines, points, strict=True):
            spots = _spots(text, point, renderer) if inside.contains(*point) else ()
            inner = (spot for spot in spots if _holds(inside, spot[0]))
            free = next((spot for spot in inner if not (_overlaps(taken, spot[0]) or _crosses(marks, spot[1]))), None)
            text.set_visible(free is not None)
            line.set_visible(free is not None and free[1] is not None)
            if free:
                taken = np.vstack([taken, free[0].extents])
                line.set_data(*zip(point, text.get_position(), strict=True))


class Numbers(Artist):
    """Numbers at the ends of bars, without those that would cover another one or a bar.

    Which these are is found when the figure is drawn, before the numbers are.

    Parameters
    ----------
    ax : Axes
    texts : sequence of Text
        The first ones have the first choice.
    bars : sequence of Patch
    """

    def __init__(self, ax: Axes, texts: Sequence[Text], bars: Sequence[Patch]) -> None:
        super().__init__()
        self.texts, self.bars = texts, bars
        self.set(in_layout=False)
        ax.add_artist(self)

    def draw(self, renderer: RendererBase) -> None:
        """Hide the numbers that have no room, and show the others."""
        taken = np.array([bar.get_window_extent(renderer).extents for bar in self.bars])
        for text in self.texts:
            text.set_visible(True)  # what is not visible has no size
            box = text.get_window_extent(renderer)
            if _overlaps(taken, box):
                text.set_visible(False)
            else:
                taken = np.vstack([taken, box.extents])


def _spots(text: Text, point: np.ndarray[Any, Any], renderer: RendererBase) -> Iterator[tuple[Bbox, Path | None]]:
    """Move a text from place to place, the nearest first; yields what it covers there, and the line to it if it is far.

    The line without its beginning, near its point.
    """
    for distance, (right, up, horizontal, vertical) in itertools.product(_DISTANCES, _SIDES):
        way = np.array([right, up]) / np.hypot(right, up)
        outside, at = (point + renderer.points_to_pixels(length) * way for length in (2 * _CLEAR, distance))
        text.set(position=at, horizontalalignment=horizontal, verticalalignment=vertical)
        yield text.get_window_extent(renderer), Path([outside, at]) if distance >= _JOINED else None


def _holds(outer: Bbox, inner: Bbox) -> bool:
    return bool(outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 and inner.y1 <= outer.y1)


def _overlaps(boxes: np.ndarray[Any, Any], box: Bbox) -> bool:
    x0, y0, x1, y1 = boxes.T
    return bool(np.any((x0 < box.x1) & (box.x0 < x1) & (y0 < box.y1) & (box.y0 < y1)))


def _crosses(boxes: np.ndarray[Any, Any], line: Path | None) -> bool:
    return line is not None and any(line.intersects_bbox(Bbox.from_extents(box), filled=False) for box in boxes)
