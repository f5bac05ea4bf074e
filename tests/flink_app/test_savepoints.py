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
import redis

from flink_app.config import Config
from flink_app.settings import model_settings
from tests.flink_app.jobs import counts, lists, live, start, stats, wait_for
from tests.flink_app.savepoint import FOLDER, SETTINGS, unpack
from udfs.catalogue import Catalogue
from udfs.errors import ConfigError
from udfs.feed import FeedReader
from udfs.models import Models
from udfs.redis_writer import RedisSettings, RedisWriter
from udfs.users import Users

pytestmark = pytest.mark.job

# However old a savepoint is, users and items have not expired.
KEPT = "state.user_expiry_days=36500", "state.item_expiry_days=36500"


def deliver(inbox: Path, name: str, events: list[dict[str, str]]) -> None:
    """Put a finished file into the folder that the job watches."""
    (inbox / f".{name}").write_text("\n".join(map(json.dumps, events)) + "\n")
    (inbox / f".{name}").rename(inbox / name)


def items_in(url: str) -> Counter[str]:
    """Events by item, as the item learners publish them from their state."""
    catalogue = Catalogue(8, 1, 100)
    models = Models(model_settings(Config()), catalogue, Users(8, 1, 10, 10))
    FeedReader(RedisWriter(RedisSettings(url)), "", 2, False, 30.0).start(models)
    living = catalogue.living_slots()
    return Counter(
        dict(zip(catalogue.names(living), catalogue.events[living].tolist(), strict=True))
    )


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
        wait_for(lambda: items_in(redis_url) == Counter(event["item"] for event in before))
        later = [
            {"user": user, "item": f"new{n}", "type": "view", "id": f"later{user}"}
            for n, user in enumerate(users)
        ]
        deliver(inbox, "later", later)
        wait_for(lambda: events_of(lists(redis_url)) == {user: users[user] + 1 for user in users})
        wait_for(lambda: counts(stats(redis_url))["learned"] == len(before) + len(users))
        for stored in lists(redis_url).values():
            user = stored["user"]
            shown = {item["item"] for item in stored["items"]}
            assert shown
            assert not shown & {event["item"] for event in before if event["user"] == user}


@pytest.mark.parametrize(
    ("name", "setting", "sentence"),
    [
        ("layout", "model.dimensions=16", "model.dimensions = 8, but this job has 16: set model"),
        ("layout", "job.shards=4", "job.shards = 2, but this job has 4: set job.shards = 2,"),
        ("layout", "job.item_shards=1", "job.item_shards = 2, but this job has 1"),
        ("layout", "model.loss=squared", "model.loss = softmax, but this job has squared"),
        ("rows-1", "job.max_parallelism=64", "job.max_parallelism = 128, but this job has 64"),
    ],
)
def test_another_layout_is_refused_before_anything_is_submitted(
    name: str, setting: str, sentence: str, tmp_path: Path, redis_client: redis.Redis,
    redis_url: str,
) -> None:  # fmt: skip
    path = unpack(name, tmp_path)
    settings = [*SETTINGS, f"source.paths=['{tmp_path}']", f"state.restore={path}", setting]
    with pytest.raises(ConfigError) as refused:
        start(redis_url, *settings)
    assert f"{path} was written with {sentence}" in str(refused.value)
    assert redis_client.dbsize() == 0


def test_where_the_savepoint_does_not_tell_the_operators_refuse(
    tmp_path: Path, redis_url: str
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    deliver(inbox, "one", [{"user": "u1", "item": "left"}])
    job = start(
        redis_url, *SETTINGS, f"source.paths=['{inbox}']", "model.dimensions=16",
        f"state.restore={unpack('rows-1', tmp_path)}",
    )  # fmt: skip
    with pytest.raises(Exception, match=r"model\.dimensions = 8, but this job has 16"):
        job.get_job_execution_result().result()


def test_the_other_execution_mode_is_refused(tmp_path: Path, redis_url: str) -> None:
    mode = "flink.options={'python.execution-mode' = 'process'}"
    with pytest.raises(ConfigError, match=r"python\.execution-mode is process: millirec runs in"):
        start(redis_url, *SETTINGS, f"source.paths=['{tmp_path}']", mode)


def test_state_that_cannot_be_read_is_left_to_flink(
    tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"state.restore=s3://bucket/{tmp_path.name}"
    with pytest.raises(Exception, match="s3://bucket"):
        start(redis_url, *SETTINGS, f"source.paths=['{tmp_path}']", path)
    assert f"s3://bucket/{tmp_path.name} is not compared with this job: " in caplog.text
