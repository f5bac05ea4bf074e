"""The `stats` hash is read back as it was written."""

from __future__ import annotations

import redis
from msgspec.structs import replace

from flink_app.console.totals import Totals, parse_totals, read_totals
from flink_app.local.redis_server import RedisServer
from udfs.accounts import Account, fields
from udfs.experiments import results
from udfs.experiments.standing import fields as standing
from udfs.experiments.words import Known
from udfs.options.experiments import Experiment, Variant

ACCOUNT = Account(
    received=12,
    learned=7,
    duplicates=2,
    ignored=1,
    dead={"json": 1, "user": 1},
    lists=5,
    users=3,
    items={0: 4, 1: 2},
    freshness={30: 7},
    stages={"learn": 40},
    quality={"served:tests": 2.0, "served:recall@10": 1.0},
)


def as_redis(account: Account) -> dict[bytes, bytes]:
    written = fields(account, account, 5, account, now_ms=1_700_000_000_000, shown={"served": 3})
    return {name.encode(): value.encode() for name, value in written.items()}


def test_what_stats_writes_is_read_back() -> None:
    totals = parse_totals(as_redis(ACCOUNT))
    assert (totals.received, totals.learned, totals.duplicates, totals.ignored) == (12, 7, 2, 1)
    assert totals.dead == {"json": 1, "user": 1}
    assert (totals.rejected, totals.missing) == (2, 0)
    assert (totals.lists, totals.users, totals.items) == (5, 3, 6)
    assert totals.quality == {"served:tests": 2.0, "served:recall@10": 0.5}
    assert totals.stages == {"learn": 40}
    assert totals.total_quality == {**totals.quality, "served:coverage@10": 0.5}
    assert totals.at == 1_700_000_000_000
    assert totals.freshness_p50_ms == totals.total_freshness_p50_ms > 0


def test_what_is_told_of_experiments_are_numbers_and_texts() -> None:
    one = Experiment(name="new", variants=[Variant(name="now"), Variant(name="other")])
    account = replace(ACCOUNT, experiments={"new:now:views": 3.0}, exposure={"1:lists": 2.0})
    told = results.fields(account.experiments, [one], {"new:other": 5}) | standing([Known(one)], {})
    totals = parse_totals(as_redis(account) | {k.encode(): v.encode() for k, v in told.items()})
    assert totals.experiment["new:now:views"] == "3" and totals.experiment["new:control"] == "now"
    assert {f"experiment:{name}" for name in totals.experiment} == {*told}


def test_missing_lines_are_counted() -> None:
    assert Totals(received=10, learned=4, duplicates=1, ignored=1, dead={"json": 1}).missing == 3


def test_totals_of_an_earlier_run_are_not_taken_for_this_ones() -> None:
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        assert read_totals(client, "p:") is None
        client.hset("p:stats", mapping=as_redis(ACCOUNT))
        assert read_totals(client, "p:", since_ms=1_700_000_000_000) is not None
        assert read_totals(client, "p:", since_ms=1_700_000_000_001) is None
