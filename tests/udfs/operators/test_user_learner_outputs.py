"""What leaves the user learner besides messages for its peers: lists for a topic, what Cassandra
keeps, what was ranked."""

from __future__ import annotations

from typing import Any

from tests.udfs.builders import NOW
from tests.udfs.flink import Subtask
from tests.udfs.user_learners import END, Clock, operator, sent
from udfs.events.people import PersonChange, pack_people
from udfs.models.options import RankerOptions
from udfs.operators.flink import KEPT, LISTS, RANKINGS
from udfs.options.cassandra import Cassandra
from udfs.stores import cassandra_message


def records(out: list[Any]) -> list[tuple[str, bytes | None]]:
    """What the lists' topics get: key and value, None to remove it."""
    messages = [data for tag, data in out if tag is LISTS]
    return [(key.decode(), value) for message in messages for key, value in message.items()]


def test_lists_go_to_a_topic_as_they_go_to_redis(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url, topic=("user", "similar", "popular")))
    found = records(flink.process(7, sent([("ann", "a"), ("bob", "b"), ("ann", "c")], NOW)))
    found += records(flink.process(8, sent([("cid", "b")], NOW)))
    assert {key for key, _ in found} >= {"ann", "bob", "cid"}
    found += records(flink.fire(END))
    flink.operator.close()
    last = {key if ":" in key or key == "popular" else f"rec:{key}": v for key, v in found}
    assert {"popular", "similar:a", "rec:ann"} <= last.keys()
    stored = {key: redis_client.get(key) for key in last}
    assert last == stored
    assert not records(Subtask(operator(redis_url)).process(7, sent([("ann", "a")], NOW)))


def test_silent_users_leave_the_topic(redis_url: str, clock: Clock) -> None:
    flink = Subtask(operator(redis_url, topic=("user",)))
    flink.process(7, sent([("ann", "a"), ("bob", "b")], NOW))
    out = []
    for _ in range(3):
        clock.now += 20 * 3_600_000
        out += flink.process(7, sent([("bob", "b")], clock.now)) + flink.fire(clock.now)
    gone = {key for key, value in records(out) if value is None}
    assert gone == {"ann"}


def test_what_cassandra_keeps_leaves_with_the_batch(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url, cassandra=Cassandra(hosts=["c1"])))
    out = flink.process(7, sent([("ann", "a"), ("bob", "b"), ("ann", "c")], NOW))
    [message] = [value for tag, value in out if tag is KEPT]
    kept = cassandra_message.unpack(message)
    assert {one.user: one.json for one in kept.lists} == {
        user: redis_client.get(f"rec:{user}") for user in ("ann", "bob")
    }
    assert [(e.user, e.item) for e in kept.events] == [("ann", "a"), ("bob", "b"), ("ann", "c")]
    line = pack_people([PersonChange("forget", "ann", NOW + 1, {})])
    out = flink.process(7, (7, line))
    [message] = [value for tag, value in out if tag is KEPT]
    erased = cassandra_message.unpack(message).erased
    assert set(erased) == {"ann"} and erased["ann"] > kept.lists[0].stamp


def test_nothing_leaves_for_cassandra_without_one(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url))
    out = flink.process(7, sent([("ann", "a")], NOW))
    assert not [pair for pair in out if pair[0] is KEPT]


def test_what_was_ranked_is_sent_only_if_it_is_logged(redis_url: str, clock: Clock) -> None:
    rankers = RankerOptions(), RankerOptions(log="ranked", sample=1.0)
    pairs = [("ann", "a"), ("bob", "b"), ("ann", "b"), ("bob", "a"), ("cid", "c")]
    sent_rows = []
    for ranker in rankers:
        flink = Subtask(operator(redis_url, ranker=ranker))
        out = [*flink.process(7, sent(pairs, NOW))]
        rows = flink.operator.process_element(sent([("cid", "a")], NOW), flink._context)
        sent_rows.append([value for tag, value in [*rows] if tag is RANKINGS])
        assert not [value for tag, value in out if tag is RANKINGS]  # all of them were new
    assert sent_rows[0] == []
    (row,) = sent_rows[1]
    assert (row[1], row[2], row[3]) == (None, ["c"], "a") and "a" in row[4]
