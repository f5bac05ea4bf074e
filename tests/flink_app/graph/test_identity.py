"""Persons in whole jobs: through a kill, with more subtasks, turned on for an old state and off."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import redis

from flink_app.config import load
from flink_app.graph.identity import heard_by
from tests.flink_app.jobs import counts, lists, live, stats
from tests.waiting import wait_for


def test_parse_sends_to_one_key_only_if_identities_are_resolved() -> None:
    plain, resolved = (
        load(None, [f"identity.enabled={on}"], {}).config for on in ("false", "true")
    )
    assert heard_by(plain, [3, 5]) == [3, 5]
    assert heard_by(resolved, [3, 5]) == [3]


def click(user: str, item: str, number: int) -> dict[str, Any]:
    return {"user": user, "item": item, "type": "view", "id": f"{user}/{number}"}


def link(one: str, other: str) -> dict[str, Any]:
    return {"kind": "link", "user": one, "to": other}


def deliver(inbox: Path, name: str, lines: list[dict[str, Any]]) -> None:
    (inbox / f".{name}").write_text("\n".join(map(json.dumps, lines)) + "\n")
    (inbox / f".{name}").rename(inbox / name)


def numbers(url: str) -> dict[str, int]:
    """Events by user, as the ids of their lists tell."""
    found = lists(url).values()
    return {one["user"]: int(one["id"].split("-")[1], 16) for one in found if "-" in one["id"]}


def day(users: range, items: range, first: int) -> list[dict[str, Any]]:
    """A click of each user on each item, by several devices."""
    return [
        click(f"u{user}{'' if item % 2 else '-phone'}", f"i{(item * 7 + user) % 40}", first + item)
        for item in items
        for user in users
    ]


@pytest.mark.job
def test_persons_keep_their_events_through_a_kill_more_subtasks_on_and_off(
    tmp_path: Path, redis_url: str
) -> None:
    inbox, checkpoints = tmp_path / "inbox", tmp_path / "checkpoints"
    inbox.mkdir()
    redis.Redis.from_url(redis_url).flushall()
    settings = [
        "source.kind=directory", f"source.paths=['{inbox}']", "dead_letters.kind=none",
        f"state.checkpoints={checkpoints}", "state.checkpoint_s=0.3", "state.backend=rocksdb",
        "job.shards=4", "job.item_shards=2",
        "job.parallelism=2",
    ]  # fmt: skip
    on, again = "identity.enabled=true", "state.restore=latest"
    wanted: Counter[str] = Counter()

    def put(name: str, lines: list[dict[str, Any]]) -> None:
        wanted.update(line["user"] for line in lines if "kind" not in line)
        deliver(inbox, name, lines)

    def right(persons: dict[str, list[str]]) -> bool:
        """Whether the lists of each person count all events of its ids."""
        each = {id_: sum(wanted[one] for one in ids) for ids in persons.values() for id_ in ids}
        found = numbers(redis_url)
        return all(found.get(id_) == count for id_, count in each.items() if count)

    def checkpointed() -> None:
        seen = {path.parent.name for path in checkpoints.glob("*/chk-*/_metadata")}
        wait_for(lambda: {p.parent.name for p in checkpoints.glob("*/chk-*/_metadata")} - seen)

    alone = {f"old{n}": [f"old{n}"] for n in range(6)}
    with live(redis_url, *settings):
        put("zero", [click(f"old{n}", f"i{k}", k) for k in range(5) for n in range(6)])
        wait_for(lambda: right(alone))
        checkpointed()
    pairs = {f"u{n}": [f"u{n}", f"u{n}-phone"] for n in range(20)}
    with live(redis_url, *settings, again, on):
        put("one", [*day(range(20), range(8), 0), *[link(*ids) for ids in pairs.values()]])
        put("old", [click(f"old{n}", f"i{9 + n}", 99) for n in range(6)])
        wait_for(lambda: right(pairs) and right(alone), 180.0)
        checkpointed()
        put("two", day(range(20), range(8, 14), 0))  # perhaps after the last checkpoint
        wait_for(lambda: counts(stats(redis_url))["learned"] >= 240)
    redis.Redis.from_url(redis_url).flushall()  # an empty Redis heals from the state
    with live(redis_url, *settings, again, on, "job.parallelism=3"):
        wait_for(lambda: right(pairs) and right(alone), 180.0)
        deliver(inbox, "twice", day(range(20), range(6, 14), 0))
        everyone = {"u": [id_ for n in range(4) for id_ in pairs[f"u{n}"]]}
        put(
            "three",
            [*[link(f"u{n}", f"u{n + 1}") for n in range(3)], *day(range(4, 20), range(14, 16), 0)],
        )
        wait_for(lambda: right(everyone) and right({k: v for k, v in pairs.items() if k > "u3"}))
        found = lists(redis_url)
        shown = defaultdict(set)
        for id_ in everyone["u"]:
            shown[json.dumps(found[f"rec:{id_}"]["items"])].add(id_)
        assert len(shown) == 1
        deliver(inbox, "four", [{"kind": "unlink", "user": "u1"}])
        parted = [["u1"], ["u0", "u0-phone"], ["u1-phone"], ["u2", "u2-phone", "u3", "u3-phone"]]
        wait_for(lambda: right({ids[0]: ids for ids in parted}))
        fields = stats(redis_url)
        wait_for(lambda: counts(stats(redis_url))["duplicates"] == 160)
        lines = sum(wanted.values()) + 160 + 20 + 3 + 1
        wait_for(lambda: counts(stats(redis_url))["received"] == lines)
        wait_for(lambda: int(stats(redis_url)["described"]) == 24)
        wait_for(lambda: counts(stats(redis_url))["learned"] >= sum(wanted.values()))
        fields = counts(stats(redis_url))
        assert fields["learned"] == sum(wanted.values())
        assert (fields["dead"], fields["ignored"]) == (0, 0)
        checkpointed()
    with live(redis_url, *settings, again, "job.parallelism=3"):
        put("five", [click(f"old{n}", f"i{20 + n}", 100) for n in range(6)])
        wait_for(lambda: right(alone))
