"""The shell of stats: exact totals across restarts, and the Redis hash."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.udfs.builders import NOW, changed
from tests.udfs.flink import Subtask
from udfs.accounts import Account, pack_account
from udfs.experiments.words import Word, Words
from udfs.models.settings import Settings
from udfs.operators.stats import Stats
from udfs.options.experiments import Experiment, Variant
from udfs.stores.redis_writer import RedisSettings


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("udfs.operators.stats.now_ms", clock)
    return clock


def test_totals_are_written_and_survive_a_restart(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    settings = RedisSettings(redis_url, prefix="shop:", retry_s=1)
    flink = Subtask(Stats(settings))
    flink.process(0, pack_account(Account(received=5, dead={"json": 1})))
    flink.process(0, pack_account(Account(learned=4, lists=2, freshness={10: 4})))
    clock.now += 1000
    flink.fire(clock.now)
    again = Subtask(Stats(settings), flink)
    again.process(0, pack_account(Account(received=3, learned=3, lists=1, freshness={10: 3})))
    clock.now += 1000
    again.fire(clock.now)
    found = {k.decode(): v.decode() for k, v in redis_client.hgetall("shop:stats").items()}
    assert (found["received"], found["learned"], found["lists"]) == ("8", "7", "3")
    assert (found["dead"], found["dead:json"]) == ("1", "1")


def test_accounts_that_are_not_yet_added_survive_a_restart(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    settings = RedisSettings(redis_url, retry_s=1)
    flink = Subtask(Stats(settings))
    flink.process(0, pack_account(Account(received=5, learned=5)))
    flink.process(0, pack_account(Account(received=2, learned=1, duplicates=1)))
    assert len(flink.timers) == 1, "accounts of the same half second share a timer"
    again = Subtask(Stats(settings), flink)
    again.process(0, pack_account(Account(received=1, learned=1)))
    clock.now += 1000
    again.fire(clock.now)
    assert redis_client.hmget("stats", "received", "learned") == [b"8", b"7"]
    clock.now += 1000
    Subtask(Stats(settings), again).fire(clock.now)
    assert redis_client.hget("stats", "received") == b"8", "each is added once"


def test_a_timer_that_comes_before_its_time_is_set_again(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(Stats(RedisSettings(redis_url, retry_s=1)))
    flink.process(0, pack_account(Account(received=1, learned=1)))
    flink.fire(NOW + 1000)  # but the clock still shows NOW
    flink.process(0, pack_account(Account(received=1, learned=1)))
    clock.now += 1000
    flink.fire(clock.now)
    assert redis_client.hget("stats", "received") == b"2"


def test_rates_fall_to_zero_after_the_last_event(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(Stats(RedisSettings(redis_url, retry_s=1)))
    for _ in range(4):
        flink.process(0, pack_account(Account(received=10, learned=10)))
        clock.now += 500
        flink.fire(clock.now)
    clock.now += 1000
    flink.fire(clock.now)
    assert int(redis_client.hget("stats", "events_per_s")) > 0
    for _ in range(20):
        clock.now += 500
        flink.fire(clock.now)
    assert redis_client.hget("stats", "events_per_s") == b"0"
    assert flink.timers == set(), "an idle job sets no more timers"


def test_the_end_of_the_input_writes_the_final_totals(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(Stats(RedisSettings(redis_url, retry_s=1)))
    flink.operator.close()
    assert not redis_client.exists("stats")
    flink.process(0, pack_account(Account(received=1, ignored=1)))
    flink.operator.close()
    assert redis_client.hget("stats", "ignored") == b"1"


def test_what_is_decided_of_an_experiment_stays_so_after_a_restart(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    def sums(name: str, clicks: float) -> dict[str, float]:
        made = {"users": 1000.0, "views": 10_000.0, "views*views": 100_000.0}
        made |= {"clicks": 1000 * clicks, "views*clicks": 10_000 * clicks}
        made["clicks*clicks"] = 1000 * (clicks + clicks * clicks)
        return {f"e:{name}:{measure}": value for measure, value in made.items()}

    settings = RedisSettings(redis_url, retry_s=1)
    one = Experiment(name="e", variants=[Variant(name="a"), Variant(name="b")])
    flink = Subtask(Stats(settings, (), Settings(experiments=[one])))
    flink.process(0, pack_account(Account(experiments=sums("a", 1.0) | sums("b", 2.0))))
    clock.now += 1000
    first = clock.now
    flink.fire(clock.now)
    found = {k.decode(): v.decode() for k, v in redis_client.hgetall("stats").items()}
    assert found["experiment:e:b:since"] == str(first) and found["experiment:e:a:users"] == "1000"
    assert 0 < float(found["experiment:e:b:clicks_per_view:low"]) < 1
    assert float(found["experiment:e:b:clicks_per_view:lift"]) == pytest.approx(1.0)
    again = Subtask(Stats(settings, (), Settings(experiments=[one])), flink)
    again.process(0, pack_account(Account(experiments={"e:a:clicks": 1000.0})))
    clock.now += 1000
    again.fire(clock.now)
    assert redis_client.hget("stats", "experiment:e:b:since") == str(first).encode()
    assert redis_client.hget("stats", "experiment:e:a:clicks") == b"2000"


def told(redis_client: Any, name: str) -> dict[str, str]:
    """What the hash tells of an experiment."""
    pairs = {k.decode(): v.decode() for k, v in redis_client.hgetall("stats").items()}
    begin = f"experiment:{name}:"
    return {k.removeprefix(begin): v for k, v in pairs.items() if k.startswith(begin)}


def test_what_lines_start_and_end_is_told_also_after_a_restart_without_the_configuration(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    job = changed(Settings(), attribution_days=7.0)
    variants = [Variant(name="a"), Variant(name="b", set={"rules": False})]
    one, other, late = (Experiment(name=n, variants=variants) for n in ("one", "other", "late"))
    settings, configured = RedisSettings(redis_url, retry_s=1), replace(job, experiments=[one])

    def hear(flink: Subtask, words: Words, **counts: Any) -> Subtask:
        flink.process(0, pack_account(Account(started=words, **counts)))
        clock.now += 1000
        flink.fire(clock.now)
        return flink

    flink = hear(Subtask(Stats(settings, (), configured)), {"other": Word(5, other)})
    assert told(redis_client, "one")["waits"] == "" and told(redis_client, "one")["ended"] == "0"
    assert told(redis_client, "one")["started"] == "0"
    waiting = told(redis_client, "other")
    assert waiting.keys() == {"definition", "started", "ended", "waits"}
    assert waiting["started"] == "5" and "one and other both set rules" in waiting["waits"]
    hear(flink, {"one": Word(ended=9)}, experiments={"one:a:users": 3.0})
    assert told(redis_client, "other")["waits"] == "" and "mismatch_p" in told(
        redis_client, "other"
    )
    assert told(redis_client, "one")["ended"] == "9"
    redis_client.delete("stats")
    again = hear(Subtask(Stats(settings, (), job), flink), {"late": Word(11, late)})
    assert told(redis_client, "one")["a:users"] == "3", "the result of one that is over is told"
    assert "both set rules" in told(redis_client, "late")["waits"]
    hear(again, {"other": Word(ended=12)})
    assert told(redis_client, "late")["waits"] == ""


def test_without_experiments_nothing_is_told_of_any(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = Subtask(Stats(RedisSettings(redis_url, retry_s=1)))
    flink.process(0, pack_account(Account(received=1)))
    clock.now += 1000
    flink.fire(clock.now)
    assert redis_client.hget("stats", "received") == b"1"
    assert not [name for name in redis_client.hgetall("stats") if b"experiment" in name]


def test_what_is_not_told_any_more_leaves_the_hash(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    variants = [Variant(name="a"), Variant(name="b")]
    one, other = (Experiment(name=name, variants=variants) for name in ("one", "other"))
    settings, job = RedisSettings(redis_url, retry_s=1), changed(Settings(), attribution_days=7.0)
    counts = {f"{name}:{of}:users": 3.0 for name in ("one", "other") for of in "abc"}

    def run(configured: list[Experiment], before: Subtask | None, **account: Any) -> Subtask:
        flink = Subtask(Stats(settings, (), replace(job, experiments=configured)), before)
        return hear(flink, **account)

    def hear(flink: Subtask, **account: Any) -> Subtask:
        flink.process(0, pack_account(Account(received=1, **account)))
        clock.now += 1000
        flink.fire(clock.now)
        return flink

    flink = run([one, other], None, experiments=counts)
    redis_client.hset("stats", mapping={"began": "7", "another": "8"})
    assert told(redis_client, "one")["b:users"] == told(redis_client, "other")["b:users"] == "3"
    flink = run([other], flink)  # from a savepoint, without one of them
    assert told(redis_client, "one") == {} and told(redis_client, "other")["b:users"] == "3"
    again = replace(other, variants=[variants[0], Variant(name="c")])
    hear(flink, started={"other": Word(5, again)})  # the same name, another variant, and no restart
    assert "b:users" not in told(redis_client, "other")
    assert told(redis_client, "other")["c:users"] == "3"
    run([], run([one], None))  # a state without experiments
    assert told(redis_client, "one") == told(redis_client, "other") == {}
    assert redis_client.hmget("stats", "began", "another", "received") == [b"7", b"8", b"2"]
