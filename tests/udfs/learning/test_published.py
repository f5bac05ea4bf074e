"""An item shard whose published counts have noise: when its days are closed."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from tests.udfs.builders import NOW, SETTINGS, changed, keys
from tests.udfs.fakes import DictCell, DictState
from tests.udfs.learning.test_item_step import KEY, Feed, handles, message, outside, step
from udfs.events.item_changes import ItemChange, pack_changes
from udfs.learning.contributions import pack_contributions
from udfs.learning.effects import END, Effect, Wake
from udfs.learning.item_state import ItemHandles
from udfs.learning.item_step import ItemStep
from udfs.learning.settings import JobSettings
from udfs.models.popular.noise import DAY_MS, day_of
from udfs.options.privacy import Privacy


class Nights:
    """A step of a shard with noise, whose clock the test moves; the shard has the item a."""

    def __init__(self, state: ItemHandles | None = None, expiry_days: float = 30.0) -> None:
        self.feed, self.now, self.wakes = Feed(), NOW, set[int]()
        self.state = state or handles()._replace(noisy=DictState(), noise=DictCell())
        options = changed(
            SETTINGS, snapshot_s=10, item_expiry_days=expiry_days, privacy=Privacy(epsilon=1.0)
        )
        settings = JobSettings(options=options, item_keys=[100, 101])
        self.step = ItemStep(settings, self.state, outside(self.feed), False, lambda: self.now)

    def take(self, data: bytes) -> None:
        self.note(self.step.message(KEY, data))

    def note(self, effects: Iterator[Effect]) -> None:
        self.wakes |= {some.at_ms for some in effects if isinstance(some, Wake)}

    def until(self, at: int) -> None:
        """Let time pass, and fire the timers, but not more often than each hour."""
        while (due := min(self.wakes, default=END)) <= at and due != END:
            self.now = max(self.now, due)
            self.wakes = {one for one in self.wakes if one > self.now}
            self.note(self.step.timer(KEY, self.now))
            self.now += 3_600_000 if at - self.now > 7_200_000 else 0
        self.now = max(self.now, at)

    def midnight(self, days: int = 1) -> int:
        return (day_of(NOW) + days) * DAY_MS


A = pack_changes([ItemChange("a", NOW, {"title": "a"})])


def test_a_day_is_closed_ten_minutes_after_midnight() -> None:
    nights = Nights()
    nights.take(A)
    nights.take(pack_contributions(day_of(NOW), {"a": 1000}))
    nights.until(nights.midnight())
    nights.take(pack_contributions(day_of(NOW) + 1, {"a": 5000}))
    nights.until(nights.midnight() + 599_000)
    told = [sums for sums in nights.feed.noised if len(sums.keys)]
    assert not told, "what was counted before midnight may be on its way"
    nights.until(nights.midnight() + 600_000)
    found = nights.feed.noised[-1]
    assert found.day == day_of(NOW)
    assert found.sums[0] == pytest.approx([1000, 1000], abs=60)
    nights.until(nights.midnight(2) + 600_000)
    assert nights.feed.noised[-1].sums[0, 1] == pytest.approx(5000 + 1000 / 2**0.5, abs=60)


def test_a_restart_between_two_closings_changes_nothing() -> None:
    nights = Nights()
    nights.take(A)
    nights.take(pack_contributions(day_of(NOW), {"a": 10}))
    again = Nights(copy.deepcopy(nights.state))
    again.note(again.step.timer(KEY, NOW + 1))
    for one in (nights, again):
        one.until(nights.midnight() + 600_000)
    assert again.feed.noised[0].day == day_of(NOW) - 1, "nothing was closed"
    assert not len(again.feed.noised[0].keys)
    assert nights.feed.noised[-1].sums.tolist() == again.feed.noised[-1].sums.tolist()


def test_at_the_end_of_the_input_the_day_is_closed() -> None:
    nights = Nights()
    nights.take(A)
    nights.take(pack_contributions(day_of(NOW), {"a": 1000}))
    nights.note(nights.step.timer(KEY, END))
    assert nights.feed.noised[-1].day == day_of(NOW)
    assert nights.feed.noised[-1].sums[0, 0] == pytest.approx(1000, abs=60)


def test_sums_that_redis_has_lost_are_written_again() -> None:
    nights = Nights()
    nights.take(A)
    nights.until(NOW + 30_000)
    nights.until(nights.midnight() + 600_000)
    count = len(nights.feed.noised)
    nights.feed.origins.clear()
    nights.until(nights.now + 20_000)
    assert len(nights.feed.noised) > count
    assert nights.feed.noised[-1].keys.tolist() == keys("a").tolist()


def test_what_lines_describe_does_not_expire_whether_or_not_it_is_taken() -> None:
    nights = Nights(expiry_days=2.0)
    nights.take(A)
    nights.take(message({}))
    nights.take(pack_changes([ItemChange("b", NOW, {"title": "b"})]))
    for day in range(1, 8):
        nights.until(nights.midnight(day) + 600_000)
    assert nights.step.shards[KEY].shard.catalogue.find(["a", "b"]).min() >= 0
    assert {*nights.feed.noised[-1].keys.tolist()} == {*keys("ab").tolist()}


def test_contributions_of_a_job_whose_noise_is_off_by_now_change_nothing() -> None:
    state = handles()
    one = step(state, Feed())
    list(one.message(KEY, pack_contributions(5, {"a": 1})))
    assert not list(state.inbox.get() or ())
