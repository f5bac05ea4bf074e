"""Lists that Redis has lost come back: all of an emptied one, the newest of one with older data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flink_app.local.redis_server import RedisServer
from tests.udfs.builders import NOW
from tests.udfs.flink import Subtask
from tests.udfs.user_learners import Clock, account, listed, operator, progress, sent
from udfs.events.people import PersonChange, pack_people


def refilled(flink: Subtask, clock: Clock, after_ms: int = 1000) -> int:
    """A second later: how many lists were written."""

    def unreported() -> int:
        return sum(progress(flink, key).account.lists for key in flink.state["learned"])

    before = unreported()
    clock.now += after_ms
    return account(flink.fire(clock.now)).lists + unreported() - before


def test_an_emptied_redis_gets_all_lists_again_a_few_each_second(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url, refill_per_s=2))
    clock.settle(flink)
    people = ["ann", "bob", "cid", "dan", "eve"]
    flink.process(7, sent([(name, item) for name, item in zip(people, "abcab", strict=True)], NOW))
    before = {name: listed(redis_client, name) for name in people}
    assert refilled(flink, clock) == 0, "nothing is lost"
    redis_client.flushall()
    assert refilled(flink, clock) == 2
    assert refilled(flink, clock) == 2
    redis_client.flushall()  # again: from the beginning
    assert [refilled(flink, clock) for _ in range(5)] == [2, 2, 1, 0, 0]
    assert {name: listed(redis_client, name) for name in people} == before
    assert redis_client.exists("popular", "similar:a", "similar:b", "similar:c") == 4


def test_lists_of_forgotten_users_are_not_restored(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url, refill_per_s=1))
    clock.settle(flink)
    people = ["ann", "bob", "cid"]
    flink.process(7, sent([(name, "a") for name in people], NOW))
    redis_client.flushall()
    assert refilled(flink, clock) == 1
    flink.process(7, (7, pack_people([PersonChange("forget", "ann", NOW)])))
    for _ in range(4):
        refilled(flink, clock)
    assert [listed(redis_client, name) is None for name in people] == [True, False, False]


def back(client: Any, data: dict[bytes, bytes]) -> None:
    """Put Redis back to older data, as a restart does, and cut its connections."""
    client.flushall()
    for key, value in data.items():
        client.restore(key, 0, value)
    client.client_kill_filter(_type="normal", skipme=True)


def test_a_redis_with_older_data_gets_the_lists_that_it_lacks(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url, refill_per_s=10))
    clock.settle(flink)
    old: list[dict[bytes, bytes]] = []
    for number, user in enumerate(["ann", "bob", "cid", "dan"]):
        clock.now += 1000
        flink.process(7, sent([(user, "a"), (user, "b")], clock.now))
        old.append({key: redis_client.dump(key) for key in redis_client.scan_iter()})
        assert refilled(flink, clock, 0) == 0, number
    flink.process(7, sent([("eve", "a")], clock.now))
    want = {key: redis_client.get(key) for key in redis_client.keys("rec:*")}
    for data, lost in zip(reversed(old), (1, 2, 3, 4), strict=True):
        back(redis_client, data)
        assert len(redis_client.keys("rec:*")) == 5 - lost
        # These, and others that were written after the mark, and may be there.
        assert lost <= refilled(flink, clock) <= 5
        assert refilled(flink, clock) == 0
        found = {key: redis_client.get(key) for key in redis_client.keys("rec:*")}
        assert found.keys() == want.keys()
    again = Subtask(operator(redis_url, refill_per_s=10), flink)
    catalogue = again.operator.learner.catalogue
    catalogue.seen[catalogue.slots(["a", "b"])] = clock.now
    clock.settle(again)
    back(redis_client, old[2])
    assert refilled(again, clock) == 5, "older than the state: all of them"


def test_a_restart_beside_an_emptied_redis_writes_the_lists_from_state(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url, refill_per_s=10))
    flink.process(7, sent([("ann", "a"), ("bob", "b")], NOW))
    flink.process(8, (8, sent([("cid", "b")], NOW)[1]))
    redis_client.flushall()
    again = Subtask(operator(redis_url, refill_per_s=10), flink)
    catalogue = again.operator.learner.catalogue
    catalogue.seen[catalogue.slots(["a", "b"])] = NOW
    assert refilled(again, clock) == 0, "a replica waits for the items first"
    clock.settle(again)
    assert refilled(again, clock) == 3
    assert listed(redis_client, "ann") == ["b"]
    assert listed(redis_client, "bob") == listed(redis_client, "cid") == ["a"]
    third = Subtask(operator(redis_url, refill_per_s=10), again)
    clock.settle(third)
    assert refilled(third, clock) == 0, "they are there"


def test_an_idle_job_does_not_end_because_redis_is_away(tmp_path: Path, clock: Clock) -> None:
    with RedisServer(folder=tmp_path) as server:
        flink = Subtask(operator(server.url, refill_per_s=10))
        clock.settle(flink)
        flink.process(7, sent([("ann", "a")], NOW))
        assert refilled(flink, clock) == 0
    for _ in range(3):
        assert refilled(flink, clock) == 0
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    with RedisServer(port, tmp_path):
        assert refilled(flink, clock) == 1


def test_lists_of_users_who_are_forgotten_or_whose_list_has_expired_do_not_come_back(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(operator(redis_url, refill_per_s=10, expiry_s=60))
    clock.settle(flink)
    flink.process(7, sent([("ann", "a"), ("bob", "b"), ("cid", "a")], NOW))
    del flink.state["users"][7].data["ann"]
    flink.operator.learner.users.forget("ann")
    clock.now += 50_000
    flink.process(7, sent([("cid", "b"), ("cid", "c")], clock.now))
    redis_client.flushall()
    clock.now += 15_000
    assert refilled(flink, clock) == 1
    assert [key.decode() for key in redis_client.keys("rec:*")] == ["rec:cid"]
    assert flink.operator.learner.users.find("ann") == -1
