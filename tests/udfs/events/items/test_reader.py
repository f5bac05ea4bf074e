"""Lines about items are read whole or not at all, whatever is on them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.events.item_changes import FIELDS, ItemChange, pack_changes, unpack_changes
from udfs.events.items import ItemReader, ReadItems
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings

NOW = 1_764_000_000_000
SETTINGS = DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0})
READER = ItemReader(SETTINGS)

FULL: dict[str, Any] = {
    "title": "Red Kettle",
    "text": "Boils water.",
    "categories": ["kitchen", "tea"],
    "tags": ["red"],
    "price": 9.5,
    "currency": "EUR",
    "provider": "acme",
    "image": "https://shop.example/kettle.png",
    "vector": [0.5, -1.0],
    "text_vector": [3.0, 127.0],
    "image_vector": [-127.0, 2.0],
    "available": True,
    "hidden": False,
    "published": 1_704_067_200_000,
    "expires": 1_900_000_000_000,
    "attributes": {"colour": "red", "litres": 1.5, "new": True, "for": ["tea", "coffee"]},
}


def line(**fields: Any) -> str:
    return json.dumps({"kind": "item", "item": "kettle"} | fields)


def read(*lines: str) -> ReadItems:
    return READER.decode(lines, NOW)


def fields_of(text: str) -> dict[str, Any]:
    found = read(text)
    assert not found.rejected, found.rejected
    return found.changes[0].fields


def problem_of(text: str) -> tuple[str, str]:
    found = read(text)
    assert not found.changes
    (bad,) = found.rejected
    return bad.reason, bad.detail


def test_every_field_arrives_with_its_type() -> None:
    assert FULL.keys() | {"deleted"} == FIELDS.keys()
    found = read(line(ts=NOW - 5, **FULL))
    assert found.changes == [ItemChange("kettle", NOW - 5, FULL)]
    assert unpack_changes(pack_changes(found.changes)) == found.changes
    assert (found.rejected, found.ignored, found.received) == ([], 0, 1)


def test_absent_fields_stay_absent_and_null_deletes_one() -> None:
    assert fields_of(line()) == {}
    nothing = dict.fromkeys(FULL)
    assert fields_of(line(**nothing)) == nothing
    assert fields_of(line(attributes={"colour": None})) == {"attributes": {"colour": None}}
    assert fields_of(line(title="", price="", tags=[])) == dict.fromkeys(("title", "price", "tags"))


def test_a_deleted_item_has_no_other_fields() -> None:
    assert fields_of(line(deleted=True, title="x")) == {"deleted": True}
    assert fields_of(line(deleted=False, title="x")) == {"deleted": False, "title": "x"}


def test_common_spellings_are_known_and_other_fields_are_attributes() -> None:
    found = fields_of(
        line(
            name="Kettle",
            category="kitchen",
            brand="acme",
            image_url="https://a/b",
            in_stock="yes",
            colour="red",
            size={"w": 3},
            reviews=[{"by": "ann"}],
            attributes={"colour": "blue"},
        )
    )
    assert found == {
        "title": "Kettle",
        "categories": ["kitchen"],
        "provider": "acme",
        "image": "https://a/b",
        "available": True,
        "attributes": {"colour": "blue", "size.w": 3.0},
    }
    both = fields_of(line(title="Kettle", name="kettle-2"))
    assert both == {"title": "Kettle", "attributes": {"name": "kettle-2"}}


def test_a_price_may_say_its_currency() -> None:
    assert fields_of(line(price="9,50 €")) == {"price": 9.5, "currency": "EUR"}
    assert fields_of(line(price={"value": "5", "currency": "USD"}, currency="CHF")) == {
        "price": 5.0,
        "currency": "CHF",
    }
    assert fields_of(line(price="1.299.000,50"))["price"] == 1_299_000.5
    assert fields_of(line(price="Rs. 1,29,900"))["price"] == 129_900


def test_times_and_ids_are_as_in_events() -> None:
    found = read(
        line(ts="2024-05-01T12:00:00Z"), '{"item": 7, "ts": 1714564800}', line(ts=None), line()
    )
    assert [change.ts for change in found.changes] == [1714564800000] * 2 + [NOW] * 2
    assert found.changes[1].item == "7"
    assert fields_of(line(published=1995))["published"] == 788_918_400_000
    assert fields_of(line(published="01-Jan-1922"))["published"] < 0
    for day in ("20271224", 20271224):  # not seconds: it would have expired in 1970
        assert fields_of(line(expires=day)) == fields_of(line(expires="2027-12-24"))


LONG = "x" * 300
BAD: list[tuple[str, str, str]] = [
    ("{", "not_json", "not JSON"),
    ("5", "not_an_object", "a number"),
    ('{"kind":"item"}', "missing_item", "'item'"),
    ('{"sku":"a"}', "missing_item", 'items.fields.item = "sku"'),
    ('{"item":""}', "empty_item", "empty"),
    ('{"item":true}', "wrong_type", "neither text nor a whole number"),
    ('{"item":7.5}', "wrong_type", "item"),
    (f'{{"item":"{LONG * 2}"}}', "id_too_long", "600 bytes"),
    ('{"item":"\\ud83d"}', "not_utf8", "item"),
    (line(ts="soon"), "bad_time", "the time 'soon'"),
    (line(ts=5), "time_out_of_range", "the time"),
    (line(ts=NOW + 10**9), "time_out_of_range", "the time"),
    (line(ts=[1]), "wrong_type", "the ts"),
    (line(title={"en": "x"}), "wrong_type", "the title"),
    (line(title=True), "wrong_type", "the title"),
    (line(name=True), "wrong_type", "the title ('name')"),
    (line(price="cheap"), "wrong_type", "the price 'cheap'"),
    (line(price=-1), "value_out_of_range", "the price"),
    (line(price=True), "wrong_type", "the price"),
    (line(price="12.50.30"), "wrong_type", "the price '12.50.30'"),
    ('{"item":"a","price":Infinity}', "not_finite", "the price"),
    (line(categories=[{"id": 7}]), "wrong_type", "the categories"),
    (line(categories=[f"c{n}" for n in range(65)]), "too_large", "the categories are 65"),
    (line(tags=[LONG]), "too_large", "300 bytes"),
    (line(vector=[1.0, "x"]), "wrong_type", "the vector"),
    (line(vector=[None]), "wrong_type", "the vector"),
    (line(vector=[0.0] * 4097), "too_large", "4,097"),
    ('{"item":"a","vector":[1,NaN]}', "wrong_type", "the vector"),
    (line(available="perhaps"), "wrong_type", "the available 'perhaps'"),
    (line(hidden={"a": 1}), "wrong_type", "the hidden"),
    (line(expires="soon"), "bad_time", "the expires"),
    (line(expires="24/12/2027"), "bad_time", "read in one way only, as 2025-12-24"),
    (line(expires="20271324"), "", ""),
    (line(expires=10**18), "", ""),
    (line(expires="99999999999999999999999999"), "time_out_of_range", "the expires"),
    (line(attributes=[1]), "wrong_type", "the attributes"),
    (line(attributes={f"a{n}": 1 for n in range(65)}), "too_large", "65"),
    (line(attributes={"": 1}), "wrong_type", "attribute ''"),
    (line(attributes={"a": [{"b": 1}]}), "wrong_type", "attribute 'a'"),
    (line(image="x" * 200_001), "too_large", "the image"),
]


@pytest.mark.parametrize(("text", "reason", "part"), BAD)
def test_a_bad_field_costs_its_line_with_a_sentence_that_names_it(
    text: str, reason: str, part: str
) -> None:
    if not reason:
        assert not read(text).rejected
        return
    found = read(text, line(title="next"))
    assert [bad.reason for bad in found.rejected] == [reason]
    assert part in found.rejected[0].detail
    assert (found.rejected[0].index, found.rejected[0].element) == (0, -1)
    assert [change.fields for change in found.changes] == [{"title": "next"}]


def test_long_texts_are_cut() -> None:
    found = fields_of(line(title="t" * 2000, text="x" * 20_000))
    assert (len(found["title"]), len(found["text"])) == (1000, 10_000)


def test_arrays_and_several_objects_on_a_line() -> None:
    found = read('[{"item":"a"},{"item":null},5,null]', '{"item":"b"}{"item":"c"}', "[", "", "]")
    assert [change.item for change in found.changes] == ["a", "b", "c"]
    bad = [(one.reason, one.index, one.element) for one in found.rejected]
    assert bad == [("missing_item", 0, 1), ("not_an_object", 0, 2)]
    assert (found.ignored, found.received) == (4, 9)


def test_a_line_of_a_file_that_holds_one_array() -> None:
    assert [change.item for change in read('[{"item":"a"},', '{"item":"b"}]').changes] == ["a", "b"]


def test_whole_numbers_in_any_notation() -> None:
    settings = DecodeSettings(preset=SETTINGS.preset, weights={"click": 1.0}, ids="integers")
    found = ItemReader(settings).decode(['{"item":"7.0"}', '{"item":7.0}', '{"item":"x"}'], NOW)
    assert [change.item for change in found.changes] == ["7", "7"]
    assert [bad.reason for bad in found.rejected] == ["wrong_type"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(
    st.sampled_from(["item", "ts", "kind", "name", "brand", *FIELDS]) | st.text(max_size=9), JSON
)


@given(st.lists(OBJECTS | JSON, max_size=5))
def test_nothing_makes_it_raise_and_everything_is_counted(values: list[Any]) -> None:
    lines = [json.dumps(value) for value in values]
    found = read(*lines)
    assert found.received >= len(lines)
    assert [bad.index for bad in found.rejected] == sorted(bad.index for bad in found.rejected)
    assert unpack_changes(pack_changes(found.changes)) == found.changes
    kinds: dict[str, type] = {"text": str, "texts": list, "number": float, "numbers": list}
    kinds |= {"flag": bool, "time": int, "map": dict}
    for change in found.changes:
        for field, value in change.fields.items():
            assert value is None or type(value) is kinds[FIELDS[field]]
