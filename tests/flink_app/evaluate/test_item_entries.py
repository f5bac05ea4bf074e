"""Metadata for an evaluation, from files of any form."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_app.config import Config
from flink_app.evaluate.item_entries import item_entries
from udfs.errors import SourceError
from udfs.feed.metadata import unpack
from udfs.models.content.features import content_vector

NOW = 1_700_000_000_000


def test_each_item_with_the_newest_of_its_fields(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(
        '{"kind":"item","item":"mug","title":"Mug","price":3,"ts":1600000000000}\n'
        '{"kind":"item","item":"pot","title":"Pot","available":false,"ts":1600000000000}\n'
        "broken\n"
        '{"kind":"item","item":"mug","title":"Blue mug","ts":1600000001000}\n'
    )
    mug, pot = map(unpack, item_entries(Config(), [path], NOW))
    assert (mug.item, mug.price, mug.at) == ("mug", 3.0, 1600000001000)
    assert mug.content == content_vector({"title": "Blue mug", "price": 3.0}).tobytes()
    assert mug.may_be_shown(NOW)
    assert not pot.may_be_shown(NOW)


def test_no_files_are_no_items_and_files_without_items_are_refused(tmp_path: Path) -> None:
    assert item_entries(Config(), [], NOW) == []
    (tmp_path / "none.jsonl").write_text("[]\nbroken\n")
    with pytest.raises(SourceError, match="no line of"):
        item_entries(Config(), [tmp_path / "none.jsonl"], NOW)
