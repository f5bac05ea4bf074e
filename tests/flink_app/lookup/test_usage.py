"""`millirec redis-usage`: whose keys they are, and how much they take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flink_app import cli
from flink_app.lookup.usage import measure


def fill(client: Any, prefix: str) -> None:
    for n in range(700):
        client.set(f"{prefix}rec:u{n}", "x" * 1000)
    client.set(f"{prefix}similar:a", "y" * 300)
    client.set(f"{prefix}item:a", "{}")
    client.set(f"{prefix}feed:snapshot:{{0}}", "z" * 50_000)
    client.hset(f"{prefix}stats", mapping={"learned": 3})
    client.set(f"{prefix}recipes", "not ours")


@pytest.mark.parametrize("prefix", ["", "shop*[1]:"])
def test_families_are_counted_and_what_is_not_millirecs_is_not(
    redis_client: Any, prefix: str
) -> None:
    fill(redis_client, prefix)
    if prefix:
        fill(redis_client, "shopX1:")
    found = {family.prefix: family for family in measure(redis_client, prefix)}
    assert {name: family.keys for name, family in found.items()} == {
        "rec:": 700, "similar:": 1, "item:": 1, "feed:": 1, "": 1,
    }  # fmt: skip
    assert found["rec:"].sampled == 500
    assert 1000 < found["rec:"].each < 1200
    assert found["rec:"].total == pytest.approx(700 * found["rec:"].each)
    assert found["feed:"].total > 50_000


def test_the_command_prints_a_table_or_json(
    redis_url: str, redis_client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(redis_client, "")
    arguments = ["redis-usage", "--set", f"redis.url={redis_url}"]
    for extra, wanted in (
        ([], ["users' lists", "700", "no limit", "noeviction"]),
        (["--json"], []),
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main([*arguments, *extra])
        assert ended.value.code == 0
        text = capsys.readouterr().out
        assert all(part in text for part in wanted)
    assert json.loads(text)["rec:*"]["keys"] == 700
    assert json.loads(text)["rec:*"]["bytes"] > 700_000
