"""Where fields are on a line: by the names of a header, which is known as one and never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.events.layout import Layout, layout_of
from udfs.events.places import slots
from udfs.events.preset import FIELDS
from udfs.events.presets import PRESETS
from udfs.events.resolve import resolve

CSV = [name for name, preset in PRESETS.items() if preset.format == "csv"]


def laid(first: str, preset: str = "millirec", **own: Any) -> Layout:
    return layout_of(resolve(preset, format="csv", **own), [first])


@given(st.permutations(FIELDS), st.integers(2, 6), st.data())
def test_names_are_found_in_any_order_and_case(
    order: list[str], count: int, data: st.DataObject
) -> None:
    kept = dict.fromkeys(["user", "item", *order])
    names = data.draw(st.permutations([*list(kept)[:count], "note", ""]))
    forms = [str, str.upper, str.title, lambda name: f" {name} ", lambda name: f'"{name}"']
    header = ",".join(data.draw(st.sampled_from(forms))(name) for name in names)
    layout = laid(f"\ufeff{header}")
    assert layout.problem == ""
    assert dict(layout.at) == {name: names.index(name) for name in list(kept)[:count]}
    assert (layout.width, layout.exact) == (len(names), True)


@pytest.mark.parametrize("name", CSV)
def test_a_first_line_that_is_no_header_is_data(name: str) -> None:
    preset = PRESETS[name]
    places = slots(preset)
    for first in ("1" + f"{preset.delimiter}x" * (len(preset.columns) - 1), "7", "video", "id"):
        layout = layout_of(preset, [first])
        assert layout == layout_of(preset)
        there = {field: c for field, c in places.items() if c in preset.columns}
        assert dict(layout.at) == {field: preset.columns.index(c) for field, c in there.items()}
        assert there.keys() >= places.keys() - {"session"}


def test_a_header_below_other_lines_is_found() -> None:
    preset = resolve("millirec", format="csv")
    before = ["sep=,", "# exported by hand", "item,x"]
    assert "below lines with as many cells" in layout_of(preset, ["a,x", "item,user"]).problem
    own = "user,item,type,ts,value,id"
    assert layout_of(preset, ["a,x,view,,,", own]) == layout_of(preset)
    layout = layout_of(preset, [*before, "ts,item,user", "item,user,ts"])
    assert dict(layout.at) == {"user": 2, "item": 1, "ts": 0}
    assert layout.header == ("ts", "item", "user")


def test_header_yes_and_no() -> None:
    own = {"columns": ["a", "user", "item"]}
    for header in ("auto", "no"):
        assert dict(laid("was,wer,wo", header=header, **own).at) == {"user": 1, "item": 2}
    assert laid("was,wer,wo", header="no", **own).header == ()
    skipped = laid("was,wer,wo", header="yes", **own)
    assert (dict(skipped.at), skipped.header) == ({"user": 1, "item": 2}, ("was", "wer", "wo"))
    named = laid("item,user,a", header="yes", **own)
    assert dict(named.at) == {"user": 1, "item": 0}
    assert laid("item,user", header="no").at == laid("a,x,view,1,,").at
    assert "has no column 'user' or 'item'" in laid("was,wer", header="yes").problem


def test_numbers() -> None:
    numbers = {"user": "2", "item": "3"}
    assert laid("favori,UserId,ItemId", fields=numbers).header == ("favori", "UserId", "ItemId")
    assert laid("a,b,c", fields=numbers).header == ()
    assert laid("a,b,c", fields=numbers, header="yes").header == ("a", "b", "c")
    swapped = laid("favori,ItemId,UserId", fields=numbers)
    assert "column 2, which the header calls 'ItemId'" in swapped.problem
    assert laid("favori,ItemId,UserId", fields=numbers, header="yes").problem == ""


def test_numbers_beside_names() -> None:
    fields = {"user": "UserId", "item": "ItemId", "type": "1"}
    layout = laid("favori,UserId,ItemId", fields=fields)
    assert dict(layout.at) == {"user": 1, "item": 2, "type": 0}
    assert dict(laid("x,ItemId", fields={"user": "1", "item": "itemid"}).at) == {
        "user": 0,
        "item": 1,
    }


@pytest.mark.parametrize(
    "first",
    ["ItemId,UserId,type,ts,value,id", "customer,product", "sku,who,what,ts,value,type"],
)
def test_other_names_are_never_read_as_data(first: str) -> None:
    layout = laid(first)
    assert "has no column 'user' or 'item': name the columns, --set" in layout.problem


@pytest.mark.parametrize(
    "first", ["user,item,ts,TS", "User,user,item", 'item,"item",user', "user,item,id,value,id"]
)
def test_a_known_column_twice_is_refused(first: str) -> None:
    assert " 2 times: rename" in laid(first).problem
    assert laid("user,item,note,note").problem == ""
