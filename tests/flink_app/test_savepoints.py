"""Savepoints of every past version come back: who was there, what was taken, what was counted.

`tests/flink_app/savepoint.py` makes them. By their folder: `rows-1` is of commit b25a1f3 (users
and items in form 1, changes of items in form 1, nothing counted together), `rows-2` of a02946e
(form 2 of both, pairs), `layout` of the first version that keeps its layout in an operator's name.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.flink_app.jobs import counts, lists, live, stats
from tests.flink_app.published import counted, in_state, together
from tests.flink_app.savepoint import FOLDER, SETTINGS, unpack
from tests.waiting import wait_for

pytestmark = pytest.mark.job

# However old a savepoint is, users and items have not expired.
KEPT = "state.user_expiry_days=36500", "state.item_expiry_days=36500"


def deliver(inbox: Path, name: str, events: list[dict[str, str]]) -> None:
    """Put a finished file into the folder that the job watches."""
    (inbox / f".{name}").write_text("\n".join(map(json.dumps, events)) + "\n")
    (inbox / f".{name}").rename(inbox / name)


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
