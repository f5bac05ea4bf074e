"""Several events on a line of JSON: whatever holds them, they are the events of one a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.errors import SourceError
from udfs.events.decode import Decoded, Decoder, DecodeSettings
from udfs.events.resolve import resolve

NOW = 1_700_000_000_000
WEIGHTS = {"view": 0.25, "click": 1.0, "cart": 2.0}
NESTED = {"user": "who", "item": "basket.things[].sku|sku", "ts": "basket.things[].at|at"}
NESTED |= {"type": "basket.things[].what|what", "value": "basket.things[].stars", "id": "no"}


def decoder(**own: Any) -> Decoder:
    return Decoder(DecodeSettings(preset=resolve("millirec", **own), weights=WEIGHTS))


PLAIN = decoder()
EACH = decoder(each="basket.things[]", fields=NESTED)

ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5).filter(
    lambda text: "\ufffd" not in text
)
events = st.fixed_dictionaries(
    {"user": ids | st.integers(), "item": ids | st.integers()},
    optional={
        "type": st.sampled_from(["view", "click", "cart", "rating"]),
        "ts": st.integers(1_600_000_000, 1_650_000_000),
        "value": st.floats(-5, 5) | st.none(),
        "id": ids,
    },
)
gaps = st.sampled_from(["", " ", ",", " , ", "\n", ",\n", "\n\n", "\r\n"])


def columns(found: Decoded) -> list[tuple[Any, ...]]:
    names = ("users", "items", "ids", "weights", "ts", "flags")
    return list(zip(*(np.asarray(getattr(found, name)).tolist() for name in names), strict=True))


def text(event: object) -> str:
    return json.dumps(event, ensure_ascii=False)


def same(found: Decoded, expected: Decoded, ignored: int = 0) -> None:
    assert columns(found) == columns(expected)
    assert [bad.reason for bad in found.rejected] == [bad.reason for bad in expected.rejected]
    assert found.ignored == ignored
    assert found.received == expected.received + ignored


@given(st.lists(events, min_size=1, max_size=8), st.sampled_from([None, 1]))
def test_an_array_is_its_elements(some: list[Any], indent: int | None) -> None:
    expected = PLAIN.decode([text(event) for event in some], NOW)
    got = PLAIN.decode([json.dumps(some, ensure_ascii=False, indent=indent)], NOW)
    same(got, expected)
    assert [bad.element for bad in got.rejected] == [bad.index for bad in expected.rejected]
    assert all(bad.index == 0 for bad in got.rejected)


@given(st.lists(events, min_size=1, max_size=8), st.data())
def test_a_file_that_holds_one_array_is_its_elements(some: list[Any], data: st.DataObject) -> None:
    lines = ["["]
    for number, event in enumerate(some):
        begin = data.draw(st.sampled_from(["", "  ", ",", " ,"])) if number else ""
        end = data.draw(st.sampled_from(["", ",", " , "])) if number + 1 < len(some) else ""
        lines.append(begin + text(event) + end)
    lines.append("]")
    if data.draw(st.booleans()):
        lines[:2] = ["[" + lines[1]]
    if data.draw(st.booleans()):
        lines[-2:] = [lines[-2] + data.draw(st.sampled_from(["", "\n"])) + "]"]
    alone = sum(line in "[]" for line in lines)
    same(PLAIN.decode(lines, NOW), PLAIN.decode([text(event) for event in some], NOW), alone)


@given(st.lists(st.lists(events, min_size=1, max_size=4), min_size=1, max_size=4), st.data())
def test_a_message_may_hold_several_objects(messages: list[list[Any]], data: st.DataObject) -> None:
    gap = data.draw(gaps)
    got = PLAIN.decode([gap.join(map(text, some)) + "\n" for some in messages], NOW)
    flat = [event for some in messages for event in some]
    same(got, PLAIN.decode(list(map(text, flat)), NOW))


@given(st.lists(events, min_size=2, max_size=6), st.data())
def test_a_bad_line_of_a_message_is_the_only_one_that_is_lost(
    some: list[Any], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(some) - 1))
    bad = data.draw(st.sampled_from(["oops", '{"user":"u"', "7", '{"user":[],"item":"i"}', '{"a']))
    lines = [text(event) for event in some]
    lines[at] = bad
    same(PLAIN.decode(["\n".join(lines)], NOW), PLAIN.decode(lines, NOW))
    found = PLAIN.decode(["\n".join(lines)], NOW).rejected
    assert at in [one.element for one in found]


@given(st.lists(events, max_size=8), st.booleans())
def test_nested_events_are_those_of_one_a_line(some: list[Any], in_array: bool) -> None:
    lines: list[Any] = []
    expected: list[Any] = []
    for user, group in groupby(some, key=lambda event: event["user"]):
        own = list(group)
        things = [
            {"sku": e["item"], "at": e.get("ts"), "what": e.get("type"), "stars": e.get("value")}
            for e in own
        ]
        number = f"n{len(lines)}"
        lines.append({"who": user, "no": number, "basket": {"things": things, "x": 1}})
        expected += [e | {"id": f"{number}#{at}"} for at, e in enumerate(own)]
    texts = [text(lines)] if in_array and lines else list(map(text, lines))
    same(EACH.decode(texts, NOW), PLAIN.decode(list(map(text, expected)), NOW))


@given(st.lists(events, min_size=1, max_size=5), st.data())
def test_of_a_list_only_the_bad_elements_are_lost(some: list[Any], data: st.DataObject) -> None:
    things: list[Any] = [{"sku": event["item"]} for event in some]
    bad = data.draw(st.sets(st.integers(0, len(things) - 1)))
    for at in bad:
        things[at] = data.draw(
            st.sampled_from(
                [7, None, {}, {"sku": True}, {"sku": "a", "at": []}, {"sku": None}, "x"]
            )
        )
    line = text({"who": "u", "basket": {"things": things}})
    got = EACH.decode([line, f"[{line}]"], NOW)
    assert [(one.index, one.element) for one in got.rejected] == [
        (index, at) for index in range(2) for at in sorted(bad)
    ]
    assert got.items == 2 * [str(event["item"]) for at, event in enumerate(some) if at not in bad]
    assert got.received == 2 * len(things)


def test_a_line_without_the_list_is_one_event_by_the_other_path() -> None:
    lines: Sequence[Any] = (
        {"who": "u", "no": "a", "sku": "i"},
        {"who": "u", "no": "b", "sku": "i", "basket": {"things": []}},
        {"who": "u", "no": "c", "sku": "i", "basket": {"things": None}},
        {"who": "u", "no": "d", "sku": "i", "basket": None, "at": 1600000000},
        {"who": "u", "no": "e", "sku": "i", "basket": {"things": [{"sku": "j"}]}},
        {"who": "u", "no": "f"},
        {"who": "u", "sku": "i", "basket": 5},
        {"who": "u", "sku": "i", "basket": {"things": {}}},
    )
    got = EACH.decode(list(map(text, lines)), NOW)
    assert (got.items, got.ids) == (["i"] * 4 + ["j"], ["a", "b", "c", "d", "e#0"])
    assert got.ts.tolist() == [NOW] * 3 + [1_600_000_000_000, NOW]
    assert [(one.reason, one.element) for one in got.rejected] == [
        ("missing_item", -1), ("wrong_type", -1), ("wrong_type", -1),
    ]  # fmt: skip
    assert "'basket.things[].sku' or 'sku'" in got.rejected[0].detail
    assert "'basket.things' is an object, not an array" in got.rejected[2].detail


def test_without_another_path_an_empty_list_is_ignored_and_none_is_an_error() -> None:
    found = decoder(each="list[]", fields={"item": "list[].i"})
    got = found.decode(
        ['{"user":"u","list":[]}', '{"user":"u"}', '{"user":"u","list":[{"i":1}]}'], NOW
    )
    assert (got.items, got.ignored) == (["1"], 1)
    assert [(one.index, one.reason) for one in got.rejected] == [(1, "missing_item")]


def test_the_elements_may_be_the_items_themselves() -> None:
    found = decoder(each="seen[]", fields={"item": "seen[]"})
    got = found.decode(
        ['{"user":"u","id":7,"seen":["a",5]}', '{"user":"u","seen":["a",null,{}]}'], NOW
    )
    assert (got.items, got.ids) == (["a", "5", "a"], ["7#0", "7#1", ""])
    assert [(one.element, one.reason) for one in got.rejected] == [
        (1, "missing_item"), (2, "wrong_type"),
    ]  # fmt: skip


def test_the_user_may_be_in_the_list() -> None:
    found = decoder(each="list[]", fields={"user": "list[].u"})
    got = found.decode(['{"item":"i","list":[{"u":"a"},{"u":"b"}]}', '{"item":"j"}'], NOW)
    assert (got.users, got.items) == (["a", "b"], ["i", "i"])
    assert [one.reason for one in got.rejected] == ["missing_user"]
    assert found.decode(['{"item":"j"}'], NOW).rejected[0].reason == "missing_user"


def test_ids_of_elements_stay_as_they_are() -> None:
    fields = {"item": "list[].i", "id": "list[].id|id"}
    line = '{"user":"u","id":"o","list":[{"i":"a","id":"x"},{"i":"b"},{"i":"c","id":""}]}'
    assert decoder(each="list[]", fields=fields).decode([line], NOW).ids == ["x", "o#1", "o#2"]


def test_ids_that_are_whole_numbers_are_numbered_too() -> None:
    preset = resolve("millirec", each="list[]", fields={"item": "list[].i"})
    whole = Decoder(DecodeSettings(preset=preset, weights=WEIGHTS, ids="integers"))
    lines = [
        '{"user":1001.0,"id":7.0,"list":[{"i":5.0},{"i":"6.0"},{"i":5.5}]}',
        '{"user":"1001","list":[{"i":"x","j":NaN}]}',
    ]
    got = whole.decode(lines, NOW)
    assert (got.users, got.items, got.ids) == (["1001"] * 2, ["5", "6"], ["7#0", "7#1"])
    assert [(one.index, one.element) for one in got.rejected] == [(0, 2), (1, 0)]


@pytest.mark.parametrize(("user", "other", "expected"), [
    ("u", "v", "u"), (None, "v", "v"), ("", "v", "v"), ("absent", "v", "v"), ("", None, None),
    (None, None, None), (None, "", None), ("absent", 7, "7"), (0, "v", "0"),
])  # fmt: skip
def test_the_second_place_is_read_where_the_first_has_no_value(
    user: Any, other: Any, expected: str | None
) -> None:
    event = {"item": "i", "b": {"c": other}} | ({} if user == "absent" else {"a": user})
    got = decoder(fields={"user": "a|b.c"}).decode([text(event)], NOW)
    assert got.users == ([] if expected is None else [expected])
    assert len(got.rejected) == (expected is None)


@pytest.mark.parametrize(("own", "sentence"), [
    ({"each": "products"}, "write it with its name and \\[\\] at the end"),
    ({"each": "a[].b[]"}, "no path to a list"),
    ({"each": "[]"}, "Lines that are lists themselves are read without it"),
    ({"each": "a[]"}, "name one in \\[source.fields\\], such as item = 'a\\[\\].item'"),
    ({"fields": {"item": "a[].b"}}, "set source.each = 'a\\[\\]'"),
    ({"each": "a[]", "fields": {"item": "a[].b[].c"}}, "through one list only"),
    ({"each": "a[]", "fields": {"item": "a[].i", "user": "a.u"}}, "behind the list's name"),
    ({"each": "a[]", "fields": {"item": "a[].i", "user": "a"}}, "inside 'a' of the field 'user'"),
    ({"each": "a[]", "fields": {"item": "a[]", "id": "a[].id"}}, "inside 'a\\[\\]'"),
    ({"fields": {"user": "a|"}}, "has an empty part"),
    ({"fields": {"user": "a|b", "id": "b.c"}}, "inside 'b' of the field 'user'"),
])  # fmt: skip
def test_mappings_that_cannot_be_read_are_refused(own: Any, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        resolve("millirec", **own)


def test_own_fields_of_a_preset_may_leave_its_list() -> None:
    preset = resolve("segment", fields={"item": "properties.sku"})
    assert preset.each == ""
    assert resolve("segment").each == "properties.products[]"


any_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ui[]{},", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["who", "sku", "basket", "things", "at", "no"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.lists(any_json.map(text) | st.text('{}[],:"who \n', max_size=9), max_size=6))
def test_any_nesting_is_accounted_for_and_means_the_same_alone(lines: list[str]) -> None:
    together = EACH.decode(lines, NOW)
    alone = [EACH.decode([line], NOW) for line in lines]
    assert columns(together) == [row for found in alone for row in columns(found)]
    assert together.received == sum(found.received for found in alone) >= len(lines)
    assert [one.reason for one in together.rejected] == [
        one.reason for found in alone for one in found.rejected
    ]
