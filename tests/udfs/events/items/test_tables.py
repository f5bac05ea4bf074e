"""Rows of CSV about items are read by the header of their file, or by columns that are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from udfs.errors import SourceError
from udfs.events.items import ItemReader, ReadItems
from udfs.events.items.resolve import resolve_items
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings

NOW = 1_764_000_000_000


def read(lines: list[str], file: Path | None = None, **own: Any) -> ReadItems:
    settings = DecodeSettings(
        preset=resolve("millirec"),
        weights={"click": 1.0},
        items=resolve_items("millirec", **({"format": "csv"} | own)),
    )
    if file is not None:
        file.write_text("".join(f"{line}\n" for line in lines))
    return ItemReader(settings).decode(lines, NOW, [str(file)] * len(lines) if file else ())


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_a_header_says_what_is_between_cells(tmp_path: Path, mark: str) -> None:
    rows = [["\ufeffitem", "Product name", "colour"], ["a", "Mug", "blue"], ["b", "", ""]]
    found = read([mark.join(row) for row in rows], tmp_path / "items")
    assert [change.fields for change in found.changes] == [
        {"title": "Mug", "attributes": {"colour": "blue"}},
        {},
    ]
    assert (found.rejected, found.ignored) == ([], 1)


def test_columns_that_are_named_replace_a_header(tmp_path: Path) -> None:
    columns = ["item", "title"]
    named = read(["a,A", "item,title", "b"], columns=columns)
    assert [change.item for change in named.changes] == ["a"]
    assert [bad.reason for bad in named.rejected] == ["wrong_columns"]
    given = read(["Nr,Name", "a,A"], tmp_path / "items", columns=columns, header="yes")
    assert [(one.item, one.fields) for one in given.changes] == [("a", {"title": "A"})]
    assert given.ignored == 1
    none = read(["item,title"], tmp_path / "items", columns=columns, header="no")
    assert none.ignored == 1, "the names of the columns are no item"


def test_words_numbers_and_times_of_cells(tmp_path: Path) -> None:
    header = "item;categories;price;vector;published;tags;brand"
    row = r'a;"tea | pots";1.299,50;"0,5 1";31.12.2023;["x","y"];\N'
    own = {"decimal": ",", "time_format": "%d.%m.%Y", "delimiter": ";"}
    found = read([header, row.replace("0,5", "0.5")], tmp_path / "items", **own)
    assert not found.rejected
    assert found.changes[0].fields == {
        "categories": ["tea", "pots"],
        "price": 1299.5,
        "vector": [0.5, 1.0],
        "published": 1_703_980_800_000,
        "tags": ["x", "y"],
    }


def test_a_header_without_the_item_and_a_file_that_is_gone(tmp_path: Path) -> None:
    (bad, _) = read(["sku,title", "a,A"], tmp_path / "items").rejected
    assert (bad.reason, "items.fields.item=sku" in bad.detail) == ("wrong_columns", True)
    (bad,) = read(["a,A"]).rejected
    assert "items.columns" in bad.detail
    settings = DecodeSettings(
        preset=resolve("millirec"),
        weights={"click": 1.0},
        items=resolve_items("millirec", format="csv"),
    )
    (bad,) = ItemReader(settings).decode(["a,A"], NOW, [str(tmp_path / "gone")]).rejected
    assert "cannot be read" in bad.detail


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"fields": {"colour": "x"}}, "no field 'colour'"),
        ({"fields": {"title": "a|"}}, "empty place"),
        ({"header": "no"}, "items.columns"),
        ({"quote": "''"}, "items.quote"),
        ({"time_format": "%H"}, "items.time_format"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(own: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        resolve_items("millirec", format="csv", **own)
