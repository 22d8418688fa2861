from __future__ import annotations

import re
import runpy
from pathlib import Path

import amoexplore as amo

DOCS = Path(__file__).parent.parent / "docs"


def test_gallery_is_up_to_date(tmp_path: Path) -> None:
    """What make gallery would write, calls, words and numbers, is what stands in docs/gallery.md, with its pictures."""
    runpy.run_path(str(DOCS / "gallery.py"))["main"](tmp_path)
    written = (tmp_path / "gallery.md").read_text(encoding="utf-8")
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == written
    pictures = re.findall(r"\]\((images/gallery/\w+\.png)\)", written)
    assert {path.name for path in (tmp_path / "images" / "gallery").iterdir()} == {Path(p).name for p in pictures}
    assert all((DOCS / picture).exists() for picture in pictures)


def test_gallery_shows_every_chart() -> None:
    """No chart is missing in the gallery."""
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    for name in set(amo.charts.__all__) - {"alt_text", "data"}:
        assert f"## {name}\n" in text
