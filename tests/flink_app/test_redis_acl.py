"""The users of docs/redis.md can do what they are for, and no more: tried with a real Redis."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from flink_app import cli
from flink_app.config import load
from flink_app.connections.redis_access import redis_client
from flink_app.connections.redis_start import require_rights, start_afresh
from flink_app.lookup.sample import read_sample
from flink_app.monitoring.exporter import Stats as Exported
from tests.documents import ROOT
from tests.flink_app import jobs
from tests.flink_app.serve.servers import items, made, serving
from tests.udfs.builders import NOW
from tests.udfs.flink import Subtask
from tests.udfs.operators.test_item_learner import KEY, message, subtask
from tests.udfs.user_learners import operator, sent
from tests.waiting import wait_for
from udfs.accounts import Account, pack_account
from udfs.errors import ServiceError
from udfs.operators.stats import Stats
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_stats import RedisStats
from udfs.stores.redis_writer import RedisSettings, RedisWriter

PREFIX = "shop:"
LINES = re.findall(
    r"^ACL SETUSER (\S+) (.+)$", (ROOT / "docs" / "redis.md").read_text("utf-8"), re.MULTILINE
)


@pytest.fixture
def users(redis_url: str, redis_client: Any) -> Iterator[dict[str, str]]:
    """The URLs of the users, by what follows "millirec-" in their names."""
    assert [name for name, _ in LINES] == [f"millirec-{n}" for n in USERS]
    for name, rules in LINES:
        redis_client.execute_command("ACL", "SETUSER", name, *shlex.split(rules))
    yield {name: redis_url.replace("//", f"//millirec-{name}:SECRET@") for name in USERS}
    for name, _ in LINES:
        redis_client.acl_deluser(name)


USERS = ("job", "serve", "lists", "monitoring")


def settings(url: str, *more: str) -> list[str]:
    return [f"redis.url={url}", f"redis.prefix={PREFIX}", *more]


def test_a_job_and_its_readers(
    users: dict[str, str], redis_client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    config = load(None, settings(users["job"], "redis.factors=true"), {}).config
    client = redis_client_of(config)
    require_rights(client, config)
    redis_client.set("shop:rec:old", "1")
    assert start_afresh(client, config, NOW) == ""
    assert redis_client.keys("shop:rec:*") == []
    _learn(users["job"])
    assert {key.decode().split(":")[1] for key in redis_client.keys("shop:*")} >= {
        "rec", "popular", "trending", "similar", "factor", "feed", "stats", "writers",
    }  # fmt: skip
    assert redis_client.keys("feed:trial*") == []
    _read(users, redis_client, capsys)


def redis_client_of(config: Any) -> redis.Redis:
    return redis_client(config)


def _learn(url: str) -> None:
    """The three writers of a job, as Flink would call them."""
    changes = {"prefix": PREFIX, "factors": True, "publish": True, "refill_per_s": 100}
    user_learner = Subtask(operator(url, born_ms=NOW + 1, **changes))
    user_learner.process(7, sent([("ann", "a"), ("bob", "a"), ("bob", "b")], NOW))
    user_learner.operator.close()
    item_learner = subtask(url, prefix=PREFIX)
    item_learner.process(KEY, message(["a", "b"], NOW))
    item_learner.fire(NOW + 20_000)
    writer = RedisWriter(RedisSettings(url, prefix=PREFIX, retry_s=0))
    feed = RedisFeed(writer, PREFIX)
    feed.append(b"rows", 0)
    assert list(feed.follow("0-0")) and feed.end() and feed.origins([0])
    assert not list(feed.chunks(9)) and feed.snapshot(9) == (None, None)
    RedisStats(writer, PREFIX).show({"served": ["a"]})
    stats = Subtask(Stats(RedisSettings(url, prefix=PREFIX, retry_s=0, born_ms=NOW + 1)))
    stats.process(0, pack_account(Account(received=5, quality={"served:tests": 1.0})))
    stats.fire(2**62)


def _read(users: dict[str, str], redis_client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`serve`, lookups and monitoring, each by its own user."""
    redis_client.set("shop:item:a", '{"title":"A kettle"}')
    given = [f"redis.prefix={PREFIX}", "redis.factors=true", "serve.stale_s=0"]
    with serving(users["serve"], *given) as client:
        assert client.get("/recommend/ann").json()["known"] is True
        for path in ("/popular", "/trending", "/stats", "/items?id=a", "/similar/a"):
            assert client.get(path).status_code == 200, path
        asked = {"user": "ann", "items": ["a", "b"]}
        assert client.post("/rank", json=asked).status_code == 200
        with client.stream("GET", "/stream/ann") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: list"
            wait_for(lambda: redis_client.pubsub_numsub("shop:rec")[0][1])
            redis_client.set("shop:rec:ann", made("z", user="ann"))
            redis_client.publish("shop:rec", "ann")
            wait_for(lambda: "z" in next(lines))
    for command in (["get", "ann"], ["get"], ["get", "--trending"], ["similar", "a"]):
        said = _said(command, users["lists"], capsys)
        assert '"items":[' in said
    figures = Exported(load(None, settings(users["monitoring"]), {})).read()
    assert figures[b"received"] == b"5"
    with redis.Redis.from_url(users["monitoring"]) as client:
        assert read_sample(client, PREFIX, 2) is not None
    assert "unknown: this user may not use INFO" in _said(
        ["redis-usage"], users["monitoring"], capsys
    )


def _said(command: list[str], url: str, capsys: pytest.CaptureFixture[str]) -> str:
    given = [part for setting in settings(url) for part in ("--set", setting)]
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, *given])
    told = capsys.readouterr()
    assert ended.value.code == 0, told.err
    return told.out


FORBIDDEN = {
    "job": [("SET", "other", "1"), ("KEYS", "*"), ("FLUSHALL",), ("CONFIG", "GET", "*"), ("INFO",)],
    "serve": [("SET", "shop:rec:ann", "1"), ("GET", "shop:writers"), ("SCAN", "0"), ("INFO",)],
    "lists": [("SET", "shop:rec:ann", "1"), ("GET", "shop:stats"), ("PUBLISH", "shop:rec", "a")],
    "monitoring": [("SET", "shop:stats", "1"), ("GET", "other"), ("DEL", "shop:stats")],
}


@pytest.mark.parametrize("name", USERS)
def test_nobody_can_do_more(users: dict[str, str], name: str) -> None:
    with redis.Redis.from_url(users[name]) as client:
        for command in FORBIDDEN[name]:
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


RULES = dict(LINES)["millirec-job"].split()


@pytest.mark.parametrize(
    "right",
    [
        rule
        for rule in RULES
        if rule[0] in "+~&"
        and rule not in ("+select", "+eval", "+client|setname", "+scan", "+expire")
    ],
)
def test_each_right_that_the_job_lacks_is_told_before_it_starts(
    users: dict[str, str], redis_client: Any, right: str
) -> None:
    redis_client.execute_command("ACL", "SETUSER", "millirec-job", "reset")
    rest = [rule for rule in RULES if rule != right]
    redis_client.execute_command("ACL", "SETUSER", "millirec-job", *rest)
    more = "redis.factors=true", "lists.kept=50"
    config = load(None, settings(users["job"], *more), {}).config
    with pytest.raises(ServiceError, match="does not allow its user to do this: ") as told:
        require_rights(redis_client_of(config), config)
    assert "SECRET" not in str(told.value) and "docs/redis.md" in str(told.value)
    if right[0] == "+":
        assert f": {right[1:].upper()}" in str(told.value)


def test_without_scan_old_lists_stay_and_it_is_said(
    users: dict[str, str], redis_client: Any
) -> None:
    redis_client.execute_command("ACL", "SETUSER", "millirec-job", "-scan")
    redis_client.mset({"shop:rec:old": "1", "shop:stats:x": "1"})
    config = load(None, settings(users["job"]), {}).config
    said = start_afresh(redis_client_of(config), config, NOW)
    assert "does not allow SCAN" in said and redis_client.exists("shop:rec:old")


@pytest.mark.job
def test_a_whole_job_with_its_user(users: dict[str, str], redis_client: Any, tmp_path: Any) -> None:
    lines = [f'{{"user":"u{n % 5}","item":"i{n % 7}","id":"{n}"}}\n' for n in range(100)]
    (tmp_path / "events.jsonl").write_text("".join(lines))
    source = f'source.paths=["{tmp_path}/events.jsonl"]'
    given = ["source.kind=files", source, "redis.retry_s=1", "redis.factors=true"]
    job = jobs.start(users["job"], f"redis.prefix={PREFIX}", *given)
    job.get_job_execution_result().result()
    assert redis_client.hget("shop:stats", "learned") == b"100"
    assert items({"items": []}) == "" and redis_client.exists("shop:rec:u1", "shop:popular") == 2
