"""Counts of days with noise: when they are closed, what is added, and what a restart draws."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import NOW, keys
from tests.udfs.fakes import DictCell, DictState
from udfs.errors import ServiceError
from udfs.learning import noisy_counts
from udfs.learning.noisy_counts import NoisyCounts
from udfs.models.popular.noise import DAY_MS, day_of, laplace
from udfs.models.popular.noised import DECAY, Sums, read_sums
from udfs.options.privacy import GRACE_MS
from udfs.state.item_records import merged, pack_record

TODAY = day_of(NOW)


class Noised:
    """A `RedisFeed` that has only the last sums."""

    def put_noised(self, shard: int, sums: bytes) -> None:
        self.shard, self.sums = shard, read_sums(sums)

    def of(self, item: str) -> list[float] | None:
        at = np.flatnonzero(self.sums.keys == keys([item])[0])
        return self.sums.sums[at[0]].tolist() if len(at) else None


class OneShard:
    """The counts of a shard of items that lines describe, with their state."""

    def __init__(self, described: str = "ab", epsilon: float = 1.0, before: Any = None) -> None:
        self.rows, self.cell = DictState(), DictCell()
        lines = {item: pack_record(merged({}, 1, {"title": item})) for item in described}
        self.metadata = DictState(lines)
        if before is not None:
            self.rows, self.cell = before.rows.copy(), DictCell(before.cell.data)
            self.metadata = before.metadata.copy()
        self.epsilon = epsilon
        self.start()

    def start(self, now: int = NOW) -> None:
        feed: Any = Noised()
        self.feed: Noised = feed
        own = self.rows, self.cell, self.metadata
        self.counts = NoisyCounts(*own, feed, 3, self.epsilon)
        self.counts.load(now)

    @property
    def key(self) -> bytes:
        found: bytes = msgspec.msgpack.decode(self.cell.data or b"")[1]
        return found

    def noise(self, item: str, day: int) -> int:
        return int(laplace(self.key, [item], day, 1 / self.epsilon)[0])


def test_a_day_is_closed_with_noise_for_each_item_whether_or_not_anybody_took_it() -> None:
    one = OneShard("ab")
    one.counts.take(TODAY, {"a": 40})
    one.counts.take(TODAY, {"a": 2})
    assert one.counts.close(TODAY) == ["a", "b"]
    assert one.feed.shard == 3
    assert one.feed.sums.day == TODAY
    for item, n in {"a": 42, "b": 0}.items():
        assert one.feed.of(item) == [n + one.noise(item, TODAY)] * 2


def test_a_sum_fades_by_the_day_and_gets_the_noise_of_each() -> None:
    one = OneShard("a")
    one.counts.take(TODAY, {"a": 100})
    one.counts.take(TODAY + 1, {"a": 10})
    one.counts.close(TODAY)
    first = 100 + one.noise("a", TODAY)
    assert one.feed.of("a") == [first] * 2, "the next day is open"
    one.counts.close(TODAY + 3)
    wanted = first * DECAY + 10 + one.noise("a", TODAY + 1)
    for day in (TODAY + 2, TODAY + 3):
        wanted = wanted * DECAY + one.noise("a", day)
    assert one.feed.of("a") == pytest.approx(wanted.tolist())


def test_a_closed_day_takes_nothing_and_is_not_closed_again() -> None:
    one = OneShard("a")
    one.counts.close(TODAY)
    before, state = one.feed.of("a"), dict(one.rows.data)
    one.counts.take(TODAY, {"a": 5})
    one.counts.take(TODAY - 1, {"a": 5})
    one.counts.close(TODAY)
    assert one.feed.of("a") == before
    assert one.rows.data == state


def test_what_is_taken_back_before_the_day_is_closed_leaves_nothing() -> None:
    one = OneShard("a")
    one.counts.take(TODAY, {"a": 1})
    one.counts.take(TODAY, {"a": -1})
    one.counts.close(TODAY)
    assert one.feed.of("a") == [one.noise("a", TODAY)] * 2


def test_what_is_restored_closes_the_day_with_the_same_noise_and_a_new_start_with_other() -> None:
    items = "abcdefghij"
    one = OneShard(items)
    one.counts.take(TODAY, {"a": 7})
    again, other = OneShard(before=one), OneShard(items)
    other.counts.take(TODAY, {"a": 7})
    for shard in (one, again, other):
        shard.counts.close(TODAY)
    assert one.feed.sums.sums.tolist() == again.feed.sums.sums.tolist()
    assert one.feed.sums.sums.tolist() != other.feed.sums.sums.tolist()
    assert len({one.key, again.key, other.key}) == 2


def test_after_a_start_the_sums_are_told_again() -> None:
    one = OneShard("a")
    one.counts.take(TODAY, {"a": 7})
    one.counts.close(TODAY)
    before = one.feed.of("a")
    one.start(NOW + 5 * DAY_MS)
    assert one.feed.of("a") == before
    assert one.counts.next_ms == (TODAY + 2) * DAY_MS + GRACE_MS, "no day is left out"


def test_the_first_day_is_closed_ten_minutes_after_its_end() -> None:
    at = OneShard().counts.next_ms
    assert day_of(at - GRACE_MS) == TODAY + 1
    assert (at - GRACE_MS) % DAY_MS == 0


def test_what_lines_do_not_describe_is_not_published_and_loses_its_counts() -> None:
    one = OneShard("a")
    one.counts.take(TODAY, {"x": 50})
    one.counts.take(TODAY + 1, {"x": 3})
    assert one.counts.close(TODAY) == ["a"]
    assert one.feed.of("x") is None
    one.metadata.put_all({"x": pack_record(merged({}, 1, {"title": "x"}))})
    one.counts.close(TODAY + 1)
    assert one.feed.of("x") == [3 + one.noise("x", TODAY + 1)] * 2
    gone = merged({}, 2, {"deleted": True})
    one.metadata.put_all({"x": pack_record(gone)})
    one.counts.close(TODAY + 2)
    assert one.feed.of("x") is None
    assert [*one.rows.data] == ["a"]
    one.metadata.put_all({"x": pack_record(merged(gone, 3, {"title": "x"}))})
    one.counts.close(TODAY + 3)
    assert one.feed.of("x") == [one.noise("x", TODAY + 3)] * 2


def test_whether_an_item_was_taken_does_not_change_which_items_are_published() -> None:
    for taken in ({}, {"a": 1}, {"a": 1, "x": 1}):
        one = OneShard("abc")
        one.counts.take(TODAY, taken)
        assert one.counts.close(TODAY) == ["a", "b", "c"]
        assert sorted(one.feed.sums.keys.tolist()) == sorted(keys("abc").tolist())


def test_one_user_more_moves_the_counts_before_noise_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(noisy_counts, "laplace", lambda key, items, day, b: np.zeros(len(items)))
    without, whole = OneShard("abc"), OneShard("abc")
    for one in (without, whole):
        one.counts.take(TODAY, {"a": 5, "b": 2})
    whole.counts.take(TODAY, {"b": 1})
    for one in (without, whole):
        one.counts.close(TODAY)
    apart = np.abs(whole.feed.sums.sums - without.feed.sums.sums)
    assert apart.sum(axis=0).tolist() == [1.0, 1.0]


def test_a_long_stop_draws_no_endless_noise() -> None:
    one = OneShard("a")
    one.counts.take(TODAY, {"a": 10**9})
    one.counts.close(TODAY)
    one.counts.close(TODAY + 40_000)
    found = one.feed.of("a")
    assert found is not None
    assert abs(found[0]) < 100


def test_the_forms_in_the_state() -> None:
    one = OneShard("a")
    shard = bytes.fromhex("9301c420") + bytes(32) + bytes.fromhex("cd4e20")
    one.cell.update(shard)
    one.rows.put_all({"a": bytes.fromhex("930181cd4e210592cb3ff0000000000000cbc000000000000000")})
    one.start()
    assert one.feed.sums.day == 20_000
    assert one.feed.of("a") == [1.0, -2.0]
    one.counts.close(20_001)
    wanted = np.array([1.0, -2.0]) * DECAY + 5 + one.noise("a", 20_001)
    assert one.feed.of("a") == pytest.approx(wanted.tolist())
    assert one.cell.data == shard[:-1] + b"\x21"


@pytest.mark.parametrize("data", [b"", b"\xc1", msgspec.msgpack.encode([2, b"", 5])])
def test_another_form_is_refused_in_words(data: bytes) -> None:
    one = OneShard("a")
    one.cell.update(data)
    with pytest.raises(ServiceError, match="the noisy counts of an item shard"):
        one.start()


def test_the_sums_of_no_items_are_told_too() -> None:
    one = OneShard("")
    one.counts.close(TODAY)
    assert isinstance(one.feed.sums, Sums)
    assert not len(one.feed.sums.keys)
