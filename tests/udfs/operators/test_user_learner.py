"""The shell of the user learner: deduplication, coalescing, restart, the end of the input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.udfs.builders import NOW, with_columns
from tests.udfs.flink import Subtask
from tests.udfs.user_learners import END, Clock, counted, listed, operator, progress, sent
from udfs.accounts import unpack_account
from udfs.errors import ServiceError
from udfs.events.batch import pack, unpack
from udfs.learning.settings import Trial
from udfs.operators.flink import STATS
from udfs.options.privacy import Privacy


def test_a_batch_becomes_lists_and_messages(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url))
    out = flink.process(7, sent([("ann", "a"), ("bob", "b"), ("ann", "c")], NOW))
    assert listed(redis_client, "ann") == ["b"]
    assert listed(redis_client, "bob") == ["a", "c"]
    counts = counted(flink, out)
    assert redis_client.exists("popular")
    assert (counts.learned, counts.lists, counts.users, counts.duplicates) == (3, 2, 2, 0)
    assert sum(counts.freshness.values()) == 3
    assert {key for key, _ in out if key is not STATS} <= {100, 101}
    assert flink.metrics.counters == {
        "learned": 3,
        "duplicates": 0,
        "lists": 2,
        "batches": 1,
        "fresh_events": 3,
        "freshness_ms_sum": 0,
    }
    assert (counts.batches, counts.waited) == (1, 0)
    later = counted(flink, flink.process(7, sent([("ann", "b")], NOW - 30)))
    assert (later.batches, later.waited, later.learned) == (1, 30, 1)


def test_queued_batches_are_learned_as_one(redis_url: str, redis_client: Any, clock: Clock) -> None:
    flink = Subtask(operator(redis_url, window_ms=20))
    in_time = counted(flink, flink.process(7, sent([("ann", "a")], NOW - 40)))
    assert (in_time.learned, in_time.batches) == (1, 1)
    assert flink.process(7, sent([("bob", "b")], NOW - 41)) == []
    assert flink.process(7, sent([("ann", "c"), ("bob", "c")], NOW - 41)) == []
    assert not redis_client.exists("rec:bob")
    assert counted(flink, flink.fire(NOW)).learned == 0
    counts = counted(flink, flink.fire(NOW + 1))
    assert (counts.learned, counts.lists, counts.batches, counts.waited) == (3, 2, 1, 41)
    assert listed(redis_client, "ann") == ["b"]
    assert listed(redis_client, "bob") == ["a"]
    assert counted(flink, flink.fire(NOW + 1000)).learned == 0, "nothing is learned twice"

    assert flink.process(7, sent([("cid", "a")], NOW - 60)) == []
    counts = counted(flink, flink.process(7, sent([("cid", "b")], NOW - 20)))
    assert (counts.learned, counts.batches, counts.waited) == (2, 1, 60), "one in time takes them"
    assert listed(redis_client, "cid") == ["c"]


def test_a_short_window_that_is_a_little_late_waits_for_no_other(
    redis_url: str, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url, window_ms=2))
    out = flink.process(7, sent([("ann", "a")], NOW - 12))
    assert counted(flink, out).learned == 1
    assert flink.process(7, sent([("ann", "b")], NOW - 13)) == []


def test_waiting_batches_survive_a_restart(redis_url: str, clock: Clock) -> None:
    flink = Subtask(operator(redis_url, window_ms=20))
    assert flink.process(7, sent([("bob", "b")], NOW - 100, ["1"])) == []
    again = Subtask(operator(redis_url, window_ms=20), flink)
    assert counted(again, again.fire(NOW + 20)).learned == 1
    counts = counted(again, again.process(7, sent([("bob", "b")], NOW, ["1"])))
    assert (counts.learned, counts.duplicates) == (0, 1)


def test_the_end_of_the_input_learns_waiting_batches_and_postpones_no_list(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url, window_ms=20))
    flink.process(7, sent([("ann", "a")], NOW))
    for shard in (7, 8):
        late = sent([(f"bob{shard}", "b")], NOW - 5000)[1]
        assert flink.process(shard, (shard, late)) == []
    clock.now = NOW + 5
    counts = counted(flink, flink.fire(END))
    assert (counts.learned, counts.lists) == (3, 3)
    assert listed(redis_client, "bob7") == listed(redis_client, "bob8") == ["a"]


def test_no_more_events_wait_than_fit_into_one_batch(
    redis_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udfs.learning.batch_queue.MOST", 2)
    flink = Subtask(operator(redis_url, window_ms=20))
    out = [counted(flink, flink.process(7, sent([("bob", str(n))], NOW - 100))) for n in range(4)]
    assert [each.learned for each in out] == [0, 0, 3, 0]


@pytest.mark.parametrize("strict", [False, True])
def test_without_refreshing_all_is_learned_and_lists_come_with_the_next_event(
    redis_url: str, redis_client: Any, clock: Clock, strict: bool
) -> None:
    pairs = [("ann", "a"), ("bob", "b"), ("ann", "c")]
    flink = Subtask(operator(redis_url, refresh_lists=False, strict=strict))
    counts = counted(flink, flink.process(7, sent(pairs, NOW)))
    assert (counts.learned, counts.lists, counts.users) == (3, 0, 2)
    assert not redis_client.keys("rec:*")
    assert redis_client.exists("popular")
    again = Subtask(operator(redis_url, strict=strict), flink)
    counts = counted(again, again.process(7, sent([("bob", "c")], NOW)))
    assert (counts.learned, counts.lists, counts.users) == (1, 1, 0)
    assert [key.decode() for key in redis_client.keys("rec:*")] == ["rec:bob"]


def test_duplicates_are_learned_once_also_after_a_restart(redis_url: str, clock: Clock) -> None:
    flink = Subtask(operator(redis_url))
    pairs = [("ann", "a"), ("ann", "a"), ("ann", "b")]
    counts = counted(flink, flink.process(7, sent(pairs, NOW, ["1", "1", ""])))
    assert (counts.learned, counts.duplicates) == (2, 1)
    again = Subtask(operator(redis_url), flink)
    counts = counted(again, again.process(7, sent([("ann", "a")], NOW, ["1"])))
    assert (counts.learned, counts.duplicates, counts.lists) == (0, 1, 0)
    assert progress(again).learned == 2


def test_strict_writes_a_list_after_each_event_and_postpones_none(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url, strict=True))
    counts = counted(flink, flink.process(7, sent([("ann", "a"), ("ann", "b")], NOW - 10_000)))
    counts.add(counted(flink, flink.process(7, sent([("ann", "c")], NOW - 10_000))))
    assert (counts.learned, counts.lists) == (3, 3)
    assert listed(redis_client, "ann") == []


def test_a_long_batch_reports_its_progress(
    redis_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [("ann", "a"), ("ann", "b"), ("bob", "a")]
    flink = Subtask(operator(redis_url, strict=True))
    whole = counted(flink, flink.process(7, sent(pairs, NOW)))
    monkeypatch.setattr("udfs.learning.learn_step._REPORT_S", -1.0)
    flink = Subtask(operator(redis_url, strict=True))
    out = flink.process(7, sent(pairs, NOW))
    reports = [unpack_account(value) for key, value in out if key is STATS]
    assert [report.learned for report in reports] == [1, 1, 1]
    assert (whole.learned, whole.lists, whole.users) == (3, 3, 2)
    total = counted(flink, out)
    assert (total.learned, total.lists, total.users) == (3, 3, 2)
    assert flink.metrics.counters["learned"] == 3
    assert flink.metrics.counters["batches"] == 1


@pytest.mark.parametrize("strict", [False, True])
def test_the_first_events_of_a_shard_are_no_tests(
    redis_url: str, clock: Clock, strict: bool
) -> None:
    flink = Subtask(
        operator(redis_url, strict=strict, trial=Trial(after=3), test_models=[], test_every=1)
    )
    users = ["ann", "bob", "cat", "dan"]
    counts = counted(flink, flink.process(7, sent([(user, "a") for user in users[:2]], NOW)))
    assert counts.quality == {}
    counts = counted(flink, flink.process(7, sent([(user, "a") for user in users[2:]], NOW)))
    assert counts.quality == {"unknown_users": 1}


@pytest.mark.parametrize("strict", [False, True])
def test_a_frozen_trial_learns_no_more_than_its_first_events(
    redis_url: str, clock: Clock, strict: bool
) -> None:
    def job(freeze: bool) -> Subtask:
        trial = Trial(after=3, sequential=not strict, freeze=freeze)
        return Subtask(operator(redis_url, strict=strict, trial=trial, test_every=1))

    first, then = [("ann", "a"), ("bob", "a"), ("bob", "b")], [("ann", "c"), ("cat", "b")]
    told = []
    for flink in (job(False), job(True)):
        messages = [flink.process(7, sent(pairs, NOW)) for pairs in (first, then)]
        told.append([[value for key, value in out if key is not STATS] for out in messages])
        assert counted(flink, messages[1]).learned == 5
    (learned, more), (frozen, nothing) = told
    assert frozen == learned
    assert more and not nothing
    # A batch that goes beyond the limit is learned up to it.
    parted = job(True)
    out = [value for key, value in parted.process(7, sent(first + then, NOW)) if key is not STATS]
    assert out == frozen


@pytest.mark.parametrize("sequential", [False, True])
def test_a_test_may_see_what_the_same_batch_taught(
    redis_url: str, clock: Clock, sequential: bool
) -> None:
    flink = Subtask(operator(redis_url, test_every=1, trial=Trial(sequential=sequential)))
    pairs = [("bob", "a"), ("bob", "b"), ("ann", "a"), ("ann", "b"), ("ann", "a")]
    counts = counted(flink, flink.process(7, sent(pairs, NOW)))
    if sequential:
        assert (counts.quality["served:tests"], counts.quality["unknown_users"]) == (2, 2)
        assert counts.quality["served:recall@1"] == 1, "ann is shown b after a"
        assert counts.quality["repeats"] == 1
        metrics = flink.metrics.counters
        assert (metrics["served_tests"], metrics["repeats"]) == (2, 1)
        assert metrics["served_recall_1_millionths"] == 1_000_000
    else:
        assert counts.quality == {"unknown_users": 5}
    assert counts.learned == 5


@pytest.mark.parametrize("size", [1, 7, 90])
def test_strict_learns_the_same_however_the_batches_are_cut(
    redis_url: str, clock: Clock, size: int
) -> None:
    """With negatives drawn: each event is a batch of its own."""
    pairs = [(f"user {k % 7}", f"item {k * k % 41}") for k in range(90)]
    whole, parts = (Subtask(operator(redis_url, strict=True)) for _ in range(2))
    whole.process(7, sent(pairs, NOW))
    for begin in range(0, 90, size):
        parts.process(7, sent(pairs[begin : begin + size], NOW))
    assert parts.state["users"][7].data == whole.state["users"][7].data
    assert progress(parts).learned == progress(whole).learned == 90


@pytest.mark.parametrize("user_cache", [1000, 1])
def test_under_overload_lists_are_postponed_and_then_correct(
    redis_url: str, redis_client: Any, clock: Clock, user_cache: int
) -> None:
    """A cache of one user evicts those put off: they come back from state."""
    flink = Subtask(operator(redis_url, user_cache=user_cache))
    late = NOW - 5000
    flink.process(7, sent([("ann", "a"), ("ann", "b"), ("bob", "c")], late))
    clock.now = NOW + 10
    out = flink.process(7, sent([("ann", "c"), ("eve", "d")], late))
    counts = counted(flink, out)
    assert counts.lists == 2, "those of the first batch"
    assert counts.learned == 5, "learning is never put off"
    assert listed(redis_client, "eve") is None
    clock.now = NOW + 210
    counts = counted(flink, flink.process(7, sent([("bob", "a"), ("kim", "e")], late)))
    assert counts.lists == 4
    assert listed(redis_client, "ann") == ["d", "e"]
    assert listed(redis_client, "bob") == ["b", "d", "e"]
    assert listed(redis_client, "eve") == ["a", "b", "c", "e"]
    assert listed(redis_client, "kim") == ["a", "b", "c", "d"]


def test_a_timer_writes_postponed_lists_also_after_a_restart(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url))
    flink.process(7, sent([("ann", "a")], NOW - 5000))
    flink.process(7, sent([("bob", "b")], NOW - 5000))
    assert listed(redis_client, "bob") is None
    again = Subtask(operator(redis_url), flink)
    again.operator.learner.catalogue.slots(["a", "b"])
    clock.now = NOW + 200
    assert counted(again, again.fire(clock.now)).lists == 2, "also what had not been reported"
    assert listed(redis_client, "bob") == ["a"]
    assert again.state["due"][7].data is None


def test_a_clock_that_jumps_loses_nothing(redis_url: str, redis_client: Any, clock: Clock) -> None:
    """An hour back, an hour forward, and back again: by a time server, or a machine that slept."""
    flink = Subtask(operator(redis_url, window_ms=20, refill_per_s=10))
    clock.settle(flink)
    items = [f"i{n}" for n in range(6)]
    for number, jump in enumerate([0, -3_600_000, 7_200_000, -3_600_000, 10, 3_600_000]):
        clock.now += jump
        pairs = [(user, items[number]) for user in ("ann", "bob")]
        counts = counted(
            flink, flink.process(7, sent(pairs, clock.now, [f"{number}a", f"{number}b"]))
        )
        counts.add(counted(flink, flink.fire(clock.now)))
        assert (counts.learned, counts.duplicates) == (2, 0)
        again = sent(pairs, clock.now, [f"{number}a", f"{number}b"])
        assert counted(flink, flink.process(7, again)).duplicates == 2
        assert listed(redis_client, "ann") == listed(redis_client, "bob") == []
    flink.process(7, sent([("eve", "i0")], clock.now))
    assert listed(redis_client, "eve") == items[1:]
    assert progress(flink).learned == 13


def test_the_end_of_the_input_writes_postponed_lists(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url))
    flink.process(7, sent([("ann", "a")], NOW - 5000))
    flink.process(7, sent([("bob", "b"), ("ann", "c")], NOW - 5000))
    clock.now = NOW + 10
    assert counted(flink, flink.fire(END)).lists == 3
    assert listed(redis_client, "bob") == ["a", "c"]
    assert listed(redis_client, "ann") == ["b"]
    flink.operator.close()
    assert {key.decode() for key in redis_client.keys("similar:*")} == {
        "similar:a",
        "similar:b",
        "similar:c",
    }


def test_ratings_are_predicted_before_they_are_learned_also_after_a_restart(
    redis_url: str, clock: Clock
) -> None:
    rated = [("ann", "a"), ("ann", "b"), ("bob", "a"), ("bob", "b")]

    def ratings(values: list[float]) -> Any:
        key, data = sent(rated, NOW)
        return key, pack(with_columns(unpack(data), ratings=values))

    one = Subtask(operator(redis_url, loss="squared", trial=Trial(after=2)))
    counts = counted(one, one.process(7, ratings([4.0, 2.0, np.nan, 3.0])))
    assert counts.quality["ratings:tests"] == 1
    assert 0 < counts.quality["ratings:squared_error"] < 1
    assert progress(one).mean == pytest.approx((3, 3.0 / 2.5))
    again = Subtask(operator(redis_url, loss="squared", trial=Trial(after=2)), one)
    counts = counted(again, again.process(7, ratings([4.0, 2.0, 4.0, 2.0])))
    assert counts.quality["ratings:tests"] == 4
    assert counts.quality["ratings:squared_error"] < 4
    assert progress(again).mean[0] == 7
    # An error beyond what Java's counters hold fails nothing.
    again.process(7, ratings([3e38, -3e38, 3e38, np.inf]))


def test_without_ratings_there_is_no_mean(redis_url: str, clock: Clock) -> None:
    flink = Subtask(operator(redis_url))
    assert "ratings:tests" not in counted(flink, flink.process(7, sent([("a", "a")], NOW))).quality
    assert progress(flink).mean == (0, 0)


def test_an_idle_user_is_forgotten(redis_url: str, clock: Clock) -> None:
    flink = Subtask(operator(redis_url, user_expiry_days=0.01))
    flink.process(7, sent([("ann", "a")], NOW))
    clock.now = NOW + 864_000
    flink.process(7, sent([("bob", "a")], clock.now))
    clock.now = NOW + 864_000 + 864_000 // 8 + 60_000
    flink.fire(clock.now)
    assert list(flink.state["users"][7].data) == ["bob"]
    assert any(at > clock.now for at, _ in flink.timers), "it will look again"


def test_state_of_another_layout_is_refused(redis_url: str, clock: Clock) -> None:
    flink = Subtask(operator(redis_url))
    flink.process(7, sent([("ann", "a")], NOW))
    other = Subtask(operator(redis_url, shards=8), flink)
    with pytest.raises(ServiceError, match=r"job\.shards = 4, but this job has 8"):
        other.process(7, sent([("ann", "a")], NOW))


@pytest.mark.parametrize("ended", [True, False])
def test_only_the_end_of_the_input_waits_for_the_counts_of_its_last_day(
    ended: bool, redis_url: str, clock: Clock
) -> None:
    learner = operator(redis_url, privacy=Privacy(epsilon=1.0))
    flink = Subtask(learner)
    flink.process(7, sent([("ann", "a")], NOW))
    waited: list[int] = []
    learner.feed.await_noised = lambda models, day: waited.append(day)  # type: ignore[method-assign]
    if ended:
        flink.fire(END)
    learner.close()
    assert waited == ([NOW // 86_400_000] if ended else []), "not where a job is stopped"
