"""A whole job with pseudonyms: no id of a user is in state, Redis, letters or logs."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytest

from flink_app.config import load
from flink_app.config.pseudonyms import stored_user
from tests.flink_app.jobs import counts, letters, lists, live, stats
from tests.flink_app.savepoint import SETTINGS
from tests.flink_app.test_forgotten import everything, savepoint
from tests.flink_app.test_savepoints import deliver
from tests.waiting import wait_for
from udfs.events.pseudonyms import VARIABLE

pytestmark = pytest.mark.job

ALICE, BOB = "alice-liddell-of-oxford", "bob-the-follower-of-alice"
ON = "privacy.pseudonyms=true"


def test_no_id_is_anywhere(
    tmp_path: Path,
    redis_url: str,
    redis_client: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(VARIABLE, "k" * 32)
    inbox, saved, refused = tmp_path / "inbox", tmp_path / "saved", tmp_path / "letters"
    inbox.mkdir()
    settings = [
        *SETTINGS,
        f"source.paths=['{inbox}']",
        "redis.factors=true",
        "lists.kept=5",
        ON,
        "dead_letters.kind=files",
        f"dead_letters.path={refused}",
        f"state.checkpoints={tmp_path / 'checkpoints'}",
        "state.checkpoint_s=0.5",
    ]
    ts = time.time_ns() // 1_000_000
    events = [{"user": ALICE, "item": f"i{n}", "type": "view", "id": f"e{n}"} for n in range(60)]
    said = {"kind": "profile", "user": ALICE, "country": "DE", "follows": [BOB, "author:7"]}
    search = {"user": ALICE, "type": "search", "query": "red kettle", "ts": ts}
    bad = [{"user": ALICE, "item": "i1", "value": "much"}, {"user": BOB * 40, "item": "i1"}]
    user = stored_user(load(None, [ON], {}).config)(ALICE)
    with live(redis_url, *settings) as job:
        deliver(inbox, "first", [said, *events, search, *bad])
        wait_for(lambda: counts(stats(redis_url))["learned"] == 60)
        wait_for(lambda: counts(stats(redis_url))["dead"] == 2)
        wait_for(lambda: list(lists(redis_url)) == [f"rec:{user}"])
        found = [*everything(redis_client).values(), savepoint(job, saved)]
        wait_for(lambda: len(letters(refused)) == 2)  # a checkpoint finishes their file
        assert any(user.encode() in value for value in found[:-1]) and user.encode() in found[-1]
    found += [file.read_bytes() for file in refused.rglob("*") if file.is_file()]
    assert {one["line"] for one in letters(refused)} == {""}
    found.append(caplog.text.encode())
    assert not [value for value in found if ALICE.encode() in value or BOB.encode() in value]
