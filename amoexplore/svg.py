"""Figures as SVG that stands in the middle of a page: scalable, and at peace with what else is there."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import matplotlib as mpl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from matplotlib.figure import Figure


def inline(figure: Figure, *, name: str, alt: str) -> str:
    """Return a figure as an ``svg`` element for a page of HTML; the same figure gives the same text.

    Parameters
    ----------
    figure : Figure
    name : str
        What its ids begin with, so that those of two figures on one page differ.
    alt : str
        What it shows, in words.
    """
    with io.StringIO() as file, mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
        figure.savefig(file, format="svg")
        root = ET.fromstring(file.getvalue())  # noqa: S314  matplotlib wrote it just now
    _drop(root, "metadata", "style")
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = dict(_attributes(element, name))
    for size in ("width", "height"):  # the page gives it the width there is
        root.attrib.pop(size)
    root.attrib |= {"stroke-linejoin": "round", "role": "img", "aria-label": alt}
    return ET.tostring(root, encoding="unicode")


def _drop(root: Element, *tags: str) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in tags:
                parent.remove(child)


def _attributes(element: Element, name: str) -> Iterator[tuple[str, str]]:
    """Yield attributes as HTML has them, each declaration of ``style`` as one of its own: a page may forbid styles."""
    given = {_local(key): value for key, value in element.items()}
    declared = (declaration.partition(":") for declaration in given.pop("style", "").split(";") if declaration)
    for key, value in (given | {key.strip(): value.strip() for key, _, value in declared}).items():
        if key == "id":
            yield key, f"{name}-{value}"
        elif key == "href":
            yield key, re.sub("^#", f"#{name}-", value)
        else:
            yield key, value.replace("url(#", f"url(#{name}-")


def _local(name: str) -> str:
    """Return a name without its namespace: HTML knows those of SVG by themselves."""
    return name.rpartition("}")[2]
