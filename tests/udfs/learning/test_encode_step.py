"""The step of the encoder, with encoders that the test holds up."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from tests.udfs.fakes import DictState
from udfs.encoders.encoders import Encoded, Which
from udfs.encoders.problems import ImageProblem
from udfs.events.item_changes import ItemChange, pack_changes, unpack_changes
from udfs.learning.effects import END, Effect, Emit, Report, Wake
from udfs.learning.encode_plan import EncodeHandles
from udfs.learning.encode_step import MOST, EncodeStep

NOW, KEY = 1_700_000_000_000, 101


class Encoders:
    """Makes the length of a content its vector, when it may."""

    kinds: tuple[Which, ...] = ("text", "image")

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.seen: list[str] = []

    def encode(self, which: Which, content: str) -> Encoded:
        assert self.go.wait(60)
        self.seen.append(content)
        if content == "broken.png":
            raise ImageProblem("not_an_image", "it is no image")
        if content == "bug":
            raise RuntimeError("a bug")
        return Encoded(np.array([len(content)], np.int8), False)


@pytest.fixture
def encoders() -> Encoders:
    return Encoders()


@pytest.fixture
def state() -> EncodeHandles:
    return EncodeHandles(DictState(), DictState())


def step(encoders: Encoders, state: EncodeHandles) -> EncodeStep:
    threads: dict[Which, int] = {"text": 1, "image": 1}
    return EncodeStep(encoders, state, {100: 0, KEY: 1}, threads, lambda: NOW)


def changes(effects: Iterable[Effect]) -> list[ItemChange]:
    """What is passed on."""
    found = []
    for effect in effects:
        if isinstance(effect, Emit):
            assert effect.item_shard == 1
            found += unpack_changes(effect.message)
    return found


def totals(effects: Iterable[Effect]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for effect in effects:
        if isinstance(effect, Report):
            for name, n in effect.account.encoder.items():
                sums[name] = sums.get(name, 0) + n
    return {name: n for name, n in sums.items() if not name.startswith("spent:")}


def balance(effects: Iterable[Effect]) -> int:
    """The changes that the item learner counts, less what the encoder takes back."""
    effects = list(effects)
    taken = sum(effect.account.described for effect in effects if isinstance(effect, Report))
    return len(changes(effects)) + taken


def message(*found: tuple[str, int, dict[str, Any]]) -> bytes:
    return pack_changes([ItemChange(*one) for one in found])


def test_a_change_is_passed_on_before_it_is_encoded(
    encoders: Encoders, state: EncodeHandles
) -> None:
    encoders.go.clear()
    tested = step(encoders, state)
    effects = list(tested.message(KEY, message(("a", 5, {"title": "Mug", "price": 2.0}))))
    assert changes(effects) == [ItemChange("a", 5, {"title": "Mug", "price": 2.0})]
    assert {effect.at_ms for effect in effects if isinstance(effect, Wake)} == {NOW + 1, END}
    later = list(tested.timer(KEY, NOW + 1))  # handed out, and not waited for
    assert changes(later) == []
    assert [effect.at_ms > NOW for effect in later if isinstance(effect, Wake)] == [True]
    encoders.go.set()
    done = list(tested.timer(KEY, END))
    assert changes(done) == [ItemChange("a", 5, {"text_vector": [3]})]
    assert totals([*effects, *done]) == {"waiting": 0, "made:text": 1}
    assert balance([*effects, *done]) == 1
    gone = list(tested.message(KEY, message(("a", 6, {"title": None}))))
    assert changes(gone)[1:] == [ItemChange("a", 6, {"text_vector": None})]
    assert balance(gone) == 1
    assert state.waiting.is_empty()
    assert list(tested.timer(KEY, NOW + 2)) == []


def test_changes_of_other_fields_cost_nothing(encoders: Encoders, state: EncodeHandles) -> None:
    effects = list(step(encoders, state).message(KEY, message(("a", 5, {"price": 2.0}))))
    assert [type(effect) for effect in effects] == [Emit]
    assert state.known.is_empty()


def test_one_timer_is_enough(encoders: Encoders, state: EncodeHandles) -> None:
    encoders.go.clear()
    tested = step(encoders, state)
    titles = [message((f"i{n}", 5, {"title": f"title {n}"})) for n in range(3)]

    def timers(effects: Iterable[Effect]) -> int:
        return sum(isinstance(effect, Wake) and effect.at_ms != END for effect in effects)

    assert timers(tested.message(KEY, titles[0])) == 1
    assert timers(tested.message(KEY, titles[1])) == 0
    assert timers(tested.timer(KEY, NOW + 1)) == 1
    assert timers(tested.message(KEY, titles[2])) == 0
    assert timers(tested.timer(KEY, NOW + 1)) == 0  # an older one, of before a failure
    encoders.go.set()
    assert len(changes(tested.timer(KEY, END))) == 3


def test_more_than_fit_at_once_are_all_encoded(encoders: Encoders, state: EncodeHandles) -> None:
    tested, n = step(encoders, state), 3 * MOST
    titles = [(f"i{k}", 5, {"title": f"title {k}"}) for k in range(n)]
    effects = [*tested.message(KEY, message(*titles)), *tested.timer(KEY, END)]
    made = [change.item for change in changes(effects) if "text_vector" in change.fields]
    assert sorted(made) == sorted(f"i{k}" for k in range(n))
    assert totals(effects) == {"waiting": 0, "made:text": n}


def test_what_waits_is_encoded_after_a_failure(encoders: Encoders, state: EncodeHandles) -> None:
    encoders.go.clear()
    lost = step(encoders, state)
    first = [*lost.message(KEY, message(("a", 5, {"title": "Mug"}))), *lost.timer(KEY, NOW + 1)]
    encoders.go.set()
    effects = list(step(encoders, state).timer(KEY, END))
    assert changes(effects) == [ItemChange("a", 5, {"text_vector": [3]})]
    assert totals([*first, *effects])["waiting"] == 0


def test_the_newest_text_counts(encoders: Encoders, state: EncodeHandles) -> None:
    encoders.go.clear()
    tested = step(encoders, state)
    effects = list(tested.message(KEY, message(("a", 5, {"title": "Mug"}))))
    effects += tested.timer(KEY, NOW + 1)  # the old title is with the thread
    effects += tested.message(KEY, message(("a", 6, {"title": "Teapot"})))
    effects += tested.message(KEY, message(("b", 6, {"title": "x"}), ("b", 7, {"deleted": True})))
    encoders.go.set()
    effects += tested.timer(KEY, END)
    made = [change for change in changes(effects) if "text_vector" in change.fields]
    assert made == [ItemChange("a", 6, {"text_vector": [6]})]
    assert totals(effects) == {"waiting": 0, "made:text": 1}


def test_broken_images_cost_the_image(
    encoders: Encoders, state: EncodeHandles, caplog: pytest.LogCaptureFixture
) -> None:
    tested = step(encoders, state)
    items = [
        ("a", 5, {"title": "Mug", "image": "broken.png"}),
        ("b", 5, {"image": "broken.png"}),
        ("c", 5, {"image": "whole.png"}),
        ("d", 5, {"title": "bug"}),
    ]
    effects = [*tested.message(KEY, message(*items)), *tested.timer(KEY, END)]
    made = {change.item: change.fields for change in changes(effects)[len(items) :]}
    assert made == {"a": {"text_vector": [3]}, "c": {"image_vector": [9]}}
    assert totals(effects) == {
        "waiting": 0,
        "made:text": 1,
        "made:image": 1,
        "failed:not_an_image": 2,
        "failed:error": 1,
    }
    assert "it is no image" in caplog.text
    assert len(caplog.records) == 2  # of each reason the first
    again = [*tested.message(KEY, message(items[0])), *tested.timer(KEY, END)]
    assert totals(again) == {"waiting": 0, "failed:not_an_image": 1}


def test_shards_do_not_mix(encoders: Encoders, state: EncodeHandles) -> None:
    other = EncodeHandles(DictState(), DictState())
    tested = step(encoders, state)
    list(tested.message(KEY, message(("a", 5, {"title": "Mug"}))))
    tested._state = other  # Flink's handles show the current key's
    assert changes(tested.timer(100, END)) == []
    tested._state = state
    assert len(changes(tested.timer(KEY, END))) == 1
