"""Draws every chart and writes gallery.md: the call, the picture, and the numbers behind it.

Usage: python gallery.py [FOLDER], by default the folder of this file.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd

import amoexplore as amo

HEAD = """# The charts

All of them draw the sandbox's catalogue of made-up widgets. Each takes the catalog or the frame that it reads, draws
into `ax=` or a new figure, and returns the Axes (`compare`: the Figure). The table below each picture is what the
function of the same name in `amo.charts.data` returns. `make gallery` makes this page.

```python
import amoexplore as amo

catalog = amo.load_catalog(amo.connect())
```

The last two draw what `amo.history("snapshots/")` says of a folder of snapshots; here its year is made up, too.
"""

#: Each chart with what it is for and the arguments it is called with.
CHARTS = {
    "ratings": ("How are widgets rated, and how many are not?", "catalog"),
    "ratings_by": ("Are some kinds of widgets rated better than others?", 'catalog, by="is_work_with_dp"'),
    "flags": ("How many widgets bring leads, work in the Digital Pipeline, both, none?", "catalog"),
    "settings_burden": ("How much does an install ask for?", "catalog"),
    "setting_types": ("What does it ask for?", "catalog"),
    "rating_vs_burden": ("Which widgets are rated well and ask for little?", "catalog"),
    "compare": (
        "A handful of widgets side by side.",
        'catalog, ["amo_asterisk", "amo_zadarma", "uis_widget", "nvoip"]',
    ),
    "changes": ("What has changed in the marketplace?", "amo.changes(catalog, catalog_of_another_sandbox)"),
    "rating_over_time": (
        "How did ratings move?",
        'history.ratings(["amo_dropbox", "amo_mailchimp", "amo_asterisk", "amo_zadarma", "nvoip"])',
    ),
    "arrivals": ("How many widgets come and go?", "history.changes()"),
}


def main(folder: Path) -> None:
    """Write the page and its pictures into a folder."""
    mpl.use("agg")
    catalog = _catalog(seed=0)
    names = {"amo": amo, "catalog": catalog, "catalog_of_another_sandbox": _catalog(seed=1)}
    names["history"] = _history(catalog)
    pictures = folder / "images" / "gallery"
    pictures.mkdir(parents=True, exist_ok=True)
    parts = [HEAD, *(_part(name, *told, names, pictures) for name, told in CHARTS.items())]
    (folder / "gallery.md").write_text("\n".join(parts), encoding="utf-8")


def _catalog(seed: int) -> amo.Catalog:
    with amo.Sandbox(seed=seed) as sandbox:
        return amo.load_catalog(amo.connect(sandbox.url, sandbox.token))


def _history(catalog: amo.Catalog) -> amo.History:
    """Return a made-up year of snapshots: ratings drift, and widgets come and go."""
    where, chance = f"memory://{uuid.uuid4()}", np.random.default_rng(7)
    widgets, settings = catalog.widgets, catalog.settings
    is_there = np.arange(len(widgets)) < 270  # noqa: PLR2004  the others come later
    for taken in pd.date_range("2025-12-01", periods=12, freq="MS", tz="UTC"):
        there = widgets[is_there]
        part = amo.Catalog(there, settings[settings["code"].isin(there["code"])], catalog.report)
        amo.snapshot(part, where, taken=taken.to_pydatetime())
        drift = chance.normal(0.03, 0.15, len(widgets)).round(1)
        widgets = widgets.assign(rating=(widgets["rating"] + drift).clip(0, 5).round(1))
        is_there = is_there ^ (chance.random(len(widgets)) < np.where(is_there, 0.008, 0.1))
    return amo.history(where)


def _part(name: str, purpose: str, arguments: str, names: dict[str, Any], pictures: Path) -> str:
    drawn = eval(f"amo.charts.{name}({arguments})", names)  # noqa: S307  the very call that the page shows
    figure = drawn if name == "compare" else drawn.figure
    figure.savefig(pictures / f"{name}.png", dpi=110, metadata={"Software": None})
    numbers = eval(f"amo.charts.data.{name}({arguments})", names)  # noqa: S307
    with pd.option_context("display.width", 130, "display.max_columns", None):
        shown = numbers.head(12).to_string(index=False)
    more = f"\n… {len(numbers) - 12} more rows" if len(numbers) > 12 else ""  # noqa: PLR2004  as many as are shown
    words = amo.charts.alt_text(figure).replace("[", "(").replace("]", ")")
    return f"""## {name}

{purpose}

```python
amo.charts.{name}({arguments})
```

![{words}](images/gallery/{name}.png)

```text
{shown}{more}
```
"""


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
