from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import amoexplore as amo
from amoexplore import frames, rows
from amoexplore.parts import Reader
from amoexplore.wire import Links, Page, Setting, Widget

if TYPE_CHECKING:
    from pathlib import Path

    from amoexplore import Account


def test_parquet_keeps_the_dtypes(account: Account, tmp_path: Path) -> None:
    """The frames come back from Parquet as they were."""
    catalog = amo.load_catalog(account)
    for frame in (catalog.widgets, catalog.settings):
        frame.to_parquet(tmp_path / "frame.parquet")
        pd.testing.assert_frame_equal(frame, pd.read_parquet(tmp_path / "frame.parquet"))


#: Pages of widgets, each the flags of its settings.
flags = st.lists(st.lists(st.lists(st.sampled_from([True, False, None]), max_size=4), max_size=3), max_size=25)


@given(pages=flags)
def test_what_follows_from_others(pages: list[list[list[bool | None]]]) -> None:
    """Counts, owners and positions are those of each widget's settings, shared or not, however pages come together."""
    widgets = [template for page in pages for template in page]
    parts: list[Any] = []
    frames.gather(parts, read(pages))
    found, settings = frames.frame("widgets", parts), frames.frame("settings", parts)
    assert found["settings_count"].tolist() == [len(template) for template in widgets]
    assert found["required_count"].tolist() == [template.count(True) for template in widgets]
    expected = [
        (ident, f"code_{ident}", at, flag) for ident, template in enumerate(widgets) for at, flag in enumerate(template)
    ]
    listed = settings[["widget_id", "code", "position", "is_required"]].astype(object)
    assert list(listed.where(listed.notna(), None).itertuples(index=False, name=None)) == expected
    came = [part.rows for part in read(pages)]
    for name, frame in (("widgets", found), ("settings", settings)):
        for column in frame:
            in_rows = chain(*(rows.table(name, columns)[column] for columns in came))
            assert [*in_rows] == frame[column].astype(object).where(frame[column].notna(), None).tolist()


def read(pages: list[list[list[bool | None]]]) -> Any:
    """Yield what becomes of each page."""
    reader, ident = Reader(), 0
    for number, page in enumerate(pages, 1):
        widgets, same = [], {}
        for template in page:
            fields = [Setting(key=str(at), is_required=flag) for at, flag in enumerate(template)]
            fields = same.setdefault(tuple(template), fields)
            widgets.append(Widget(id=ident, code=f"code_{ident}", settings_template=fields))
            ident += 1
        yield reader.read(Page(number, "", 1, 0.0, len(widgets), widgets, Links(), is_plain=True))
