"""Savepoints of every past version come back: who was there, what was taken, what was counted.

`tests/flink_app/savepoint.py` makes them. By their folder: `rows-1` is of commit b25a1f3 (users
and items in form 1, changes of items in form 1, nothing counted together), `rows-2` of a02946e
(form 2 of both, pairs), `layout` of the first version that keeps its layout in an operator's name.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis

from flink_app.config import load
from flink_app.data import experiments
from tests.flink_app.jobs import counts, lists, live, start, stats
from tests.flink_app.published import counted, in_state, together
from tests.flink_app.savepoint import FOLDER, SETTINGS, stop, unpack
from tests.waiting import wait_for
from udfs.errors import ConfigError
from udfs.experiments.assignment import Assignment
from udfs.options.experiments import Experiment, Variant
from udfs.options.rules import Rule

pytestmark = pytest.mark.job

PAIRS = Experiment(
    name="pairs",
    variants=[Variant(name="now"), Variant(name="new", set={"lists.model": "item-cf"})],
)
EXPOSED = Rule(when='item in ["i4", "i5"]', exposure=0.5)
# However old a savepoint is, users and items have not expired.
KEPT = "state.user_expiry_days=36500", "state.item_expiry_days=36500"


def deliver(inbox: Path, name: str, events: list[dict[str, Any]]) -> None:
    """Put a finished file into the folder that the job watches."""
    (inbox / f".{name}").write_text("\n".join(map(json.dumps, events)) + "\n")
    (inbox / f".{name}").rename(inbox / name)


def exposed(url: str) -> float:
    """The multiplier that was learned for `EXPOSED`, as it is published."""
    shared = in_state(url, 8, rules=[EXPOSED]).shared["exposure"]
    return float(shared.parameters[0])


def events_of(found: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Events by user, as the ids of their lists tell."""
    return {stored["user"]: int(stored["id"].split("-")[1], 16) for stored in found.values()}


@pytest.mark.parametrize("name", sorted(folder.name for folder in FOLDER.iterdir()))
def test_a_savepoint_of_a_past_version_comes_back(
    name: str, tmp_path: Path, redis_url: str
) -> None:
    lines = (FOLDER / name / "events.jsonl").read_text().splitlines()
    before: list[dict[str, Any]] = list(map(json.loads, lines))
    users = Counter(event["user"] for event in before)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    settings = [
        *SETTINGS, *KEPT, f"source.paths=['{inbox}']",
        f"state.restore={unpack(name, tmp_path)}", "state.backend=rocksdb",
    ]  # fmt: skip
    with live(redis_url, *settings):
        items = Counter(event["item"] for event in before)
        wait_for(lambda: counted(in_state(redis_url, 8))[0] == items)
        pairs = counted(in_state(redis_url, 8))[1]
        assert pairs == (together(before) if name != "rows-1" else set())
        later = [
            {"user": user, "item": f"new{n}", "type": "view", "id": f"later{user}"}
            for n, user in enumerate(users)
        ]
        deliver(inbox, "later", later)
        wait_for(lambda: events_of(lists(redis_url)) == {user: users[user] + 1 for user in users})
        wait_for(lambda: counts(stats(redis_url))["learned"] == len(before) + len(users))
        # One that was made before all items were there is written again.
        wait_for(lambda: all(stored["items"] for stored in lists(redis_url).values()))
        for stored in lists(redis_url).values():
            user = stored["user"]
            shown = {item["item"] for item in stored["items"]}
            assert not shown & {event["item"] for event in before if event["user"] == user}


def test_described_items_come_back_at_another_parallelism(tmp_path: Path, redis_url: str) -> None:
    inbox, catalogue = tmp_path / "inbox", tmp_path / "catalogue"
    settings = [*SETTINGS, *KEPT, f"source.paths=['{inbox}']", "job.shards=4"]
    apart = ["items.kind=directory", f"items.paths=['{catalogue}']"]
    # Lists that are written again would be seen again: then the multiplier would not be the same.
    settings += [f"rules=[{{when = '{EXPOSED.when}', exposure = 0.5}}]", "redis.refill_per_s=0"]
    settings += ["quality.attribution_days=7"]
    client: Any = redis.Redis.from_url(redis_url, decode_responses=True)
    client.flushall()

    def say(name: str, gone: str) -> None:
        """Nine events, each with an id of its own, and what each of six items is."""
        deliver(
            inbox,
            name,
            [{"user": f"u{n % 5}", "item": f"i{n % 4}", "type": "view"} for n in range(9)],
        )
        items = [
            {"item": f"i{n}", "title": f"{name} {n}", "available": f"i{n}" != gone}
            for n in range(6)
        ]
        deliver(catalogue, name, items)

    def counted_are(rounds: int) -> bool:
        fields = stats(redis_url)
        return counts(fields)["learned"] == 9 * rounds and fields["described"] == str(6 * rounds)

    def look(name: str, found: dict[str, dict[str, Any]], most: int) -> None:
        """Users look at the first items of their lists."""
        deliver(
            inbox,
            name,
            [
                {"user": one["user"], "item": entry["item"], "type": "impression", "rec": one["id"]}
                for one in found.values()
                for entry in one["items"][:most]
            ],
        )

    def views() -> list[int]:
        fields = stats(redis_url)
        names = [f"attribution:position:{place}:views" for place in (1, 2)]
        return [int(fields.get(name, 0)) for name in names]

    for folder in (inbox, catalogue):
        folder.mkdir()
    job = start(redis_url, *settings, *apart, "job.parallelism=2")
    say("first", "i3")
    wait_for(lambda: counted_are(1))
    wait_for(lambda: exposed(redis_url) > 0)

    def settled() -> bool:
        """Whether no list is written any more: of those that nobody has seen few are kept."""
        before = lists(redis_url)
        time.sleep(1.0)
        return lists(redis_url) == before

    wait_for(settled)
    before = lists(redis_url)
    served = {key: one for key, one in before.items() if one["items"]}
    second = sum(len(one["items"]) > 1 for one in served.values())
    assert len(served) > 2 and second
    look("seen", served, 1)
    wait_for(lambda: sum(views()) >= len(served), 120)
    assert views() == [len(served), 0]
    say_to_job = load(None, [f"redis.url={redis_url}", *settings], {})
    assert experiments.start(say_to_job, [PAIRS], wait=False) == 0
    wait_for(lambda: stats(redis_url).get("experiment:pairs:ended") == "0")
    assert lists(redis_url) == before, "nobody's list is made again for it"
    savepoint = f"state.restore={stop(job, tmp_path.as_uri())}"
    multiplier = exposed(redis_url)
    client.flushall()
    with pytest.raises(ConfigError, match=r"items\.kind = directory, but this job has none: set"):
        start(redis_url, *settings, savepoint, "job.parallelism=2")
    assert client.dbsize() == 0
    with live(redis_url, *settings, *apart, savepoint, "job.parallelism=3"):
        wait_for(lambda: client.smembers("hidden") == {"i3"})
        wait_for(lambda: exposed(redis_url) == multiplier)
        wait_for(lambda: "first 5" in (client.get("item:i5") or ""))
        say("second", "i5")
        wait_for(lambda: counted_are(2))
        wait_for(lambda: client.smembers("hidden") == {"i5"})
        assert "second 0" in client.get("item:i0")
        wait_for(lambda: sum(counted(in_state(redis_url, 8))[0].values()) == 18)
        wait_for(lambda: sum(events_of(lists(redis_url)).values()) == 18)
        assert counted_are(2), "nothing more comes"
        look("seen more", served, 2)  # what was seen before, once more
        wait_for(lambda: views() == [len(served), second])
        assert "attribution:unknown_lists" not in stats(redis_url)

        def sources() -> dict[str, str]:
            return {one["user"]: one["source"] for one in lists(redis_url).values()}

        of = Assignment(PAIRS).of
        made = {user: ("ranker", "item-cf")[of(user)] for user in sources()}
        assert {*made.values()} == {"ranker", "item-cf"}
        wait_for(lambda: sources() == made)
        assert stats(redis_url)["experiment:pairs:new:served"] == str(sum(map(of, made)))
        assert experiments.end(say_to_job, "pairs", wait=False) == 0
        wait_for(lambda: stats(redis_url).get("experiment:pairs:ended") not in ("0", None))
        deliver(inbox, "ended", [{"user": u, "item": "i0", "type": "view"} for u in made])
        wait_for(lambda: sources() == dict.fromkeys(made, "ranker"))
