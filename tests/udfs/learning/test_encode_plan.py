"""What is to be encoded, by what changes of an item."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.fakes import DictState
from udfs.encoders.encoders import Which
from udfs.events.item_changes import ItemChange
from udfs.learning.encode_plan import EncodeHandles, Plan, failed, waits

KINDS: tuple[Which, ...] = ("text", "image")


@pytest.fixture
def state() -> EncodeHandles:
    return EncodeHandles(DictState(), DictState())


def note(state: EncodeHandles, *changes: tuple[int, dict[str, Any]], kinds: Any = KINDS) -> Plan:
    """Note changes of the item "a" in one message, each with its time."""
    plan = Plan(state, kinds)
    for ts, fields in changes:
        plan.note(ItemChange("a", ts, fields))
    plan.store()
    return plan


def waiting(state: EncodeHandles) -> dict[str, tuple[int, str]]:
    return {row: waits(data) for row, data in state.waiting.items()}


def test_title_and_text_are_one_text(state: EncodeHandles) -> None:
    assert note(state, (5, {"title": "Mug", "price": 2.0, "image": "a.png"})).queued == 2
    assert waiting(state) == {"text:a": (5, "Mug"), "image:a": (5, "a.png")}
    assert note(state, (7, {"text": "For tea"})).queued == 0  # in the place of the other
    assert waiting(state)["text:a"] == (7, "Mug. For tea")


def test_what_says_nothing_new_is_not_encoded_again(state: EncodeHandles) -> None:
    note(state, (5, {"title": "Mug", "image": "a.png"}))
    for row in list(waiting(state)):
        state.waiting.remove(row)  # encoded
    for ts, fields in (
        (5, {"title": "Mug"}),
        (9, {"title": "Mug", "image": "a.png"}),
        (3, {"title": "Older"}),
        (10, {"price": 3.0, "available": False}),
    ):
        assert note(state, (ts, fields)).queued == 0
    assert waiting(state) == {}


def test_a_vector_that_comes_with_the_item_is_not_made(state: EncodeHandles) -> None:
    plan = note(state, (5, {"title": "Mug", "text_vector": [1.0], "image": "a.png"}))
    assert list(waiting(state)) == ["image:a"]
    assert plan.gone == []
    note(state, (6, {"title": "Cup"}))
    assert waiting(state)["text:a"] == (6, "Cup")
    assert note(state, (7, {"title": "Can", "text_vector": [1.0]})).queued == -1


def test_what_is_gone_has_no_vector(state: EncodeHandles) -> None:
    note(state, (5, {"title": "Mug", "image": "a.png"}))
    plan = note(state, (6, {"title": None, "image": None}))
    assert plan.gone == [
        ItemChange("a", 6, {"text_vector": None}),
        ItemChange("a", 6, {"image_vector": None}),
    ]
    assert (plan.queued, waiting(state)) == (-2, {})


def test_nothing_is_kept_of_an_item_that_is_deleted(state: EncodeHandles) -> None:
    note(state, (5, {"title": "Mug", "image": "a.png"}))
    assert note(state, (6, {"deleted": True})).queued == -2
    assert state.known.is_empty() and state.waiting.is_empty()
    note(state, (7, {"title": "Mug"}), (8, {"deleted": True}))
    assert state.known.is_empty() and state.waiting.is_empty()
    assert note(state, (9, {"title": "Mug"})).queued == 1


def test_what_failed_is_tried_when_it_is_named_again(state: EncodeHandles) -> None:
    note(state, (5, {"image": "a.png"}))
    state.waiting.remove("image:a")
    failed(state, "image", "a")
    failed(state, "image", "unknown")
    assert note(state, (6, {"title": "Mug"})).queued == 1  # not the image
    assert note(state, (7, {"image": "a.png"})).queued == 1


def test_only_what_can_be_encoded_waits(state: EncodeHandles) -> None:
    note(state, (5, {"title": "Mug", "image": "a.png"}), kinds=("image",))
    assert list(waiting(state)) == ["image:a"]


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["Mug", "Cup", None]),
        "text": st.sampled_from(["tea", None]),
        "image": st.sampled_from(["a.png", "b.png", None]),
        "text_vector": st.just([1.0]),
        "deleted": st.just(True),
        "price": st.just(1.0),
    },
)


def test_an_older_change_names_no_image_for_a_newer_one_without_a_vector() -> None:
    for named in (None, "b.png"):
        state = EncodeHandles(DictState(), DictState())
        note(state, (1, {"image": "a.png"}), (2, {"image": "a.png"}))
        state.waiting.remove("image:a")  # encoded
        note(state, (1, {"deleted": True}), (1, {"image": named}))
        assert waiting(state) == {}
        note(state, (3, {"image": "a.png"}))
        assert waiting(state) == {"image:a": (3, "a.png")}


@given(st.lists(st.lists(st.tuples(st.integers(1, 9), FIELDS), max_size=3)))
def test_the_number_of_those_that_wait_is_counted(
    messages: list[list[tuple[int, dict[str, Any]]]],
) -> None:
    state = EncodeHandles(DictState(), DictState())
    total = 0
    for changes in messages:
        total += note(state, *changes).queued
        assert total == len(waiting(state))
