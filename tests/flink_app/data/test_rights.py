"""`millirec forget` and `millirec export`: a line where the job reads, and its answer in Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from flink_app.config import Loaded, load
from flink_app.data import rights
from tests.flink_app.serve.test_event_routes import written
from udfs.errors import ConfigError
from udfs.lists.keys import KNOWN, RECEIPT, digest

RECEIVED = {
    "ts": 2**50, "digest": digest("ann"), "done": "2026-01-01T00:00:00.000Z",
    "checkpoints_until": "2026-01-08T00:00:00.000Z", "source_until": "2026-01-15T00:00:00.000Z",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "ANSWER_S", 0.1)


def loaded(redis_url: str, inbox: Path) -> Loaded:
    given = [f"redis.url={redis_url}", "source.kind=directory", f"source.paths={inbox}"]
    return load(None, given, {})


def test_receipts_are_printed(
    redis_url: str, redis_client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    redis_client.set(RECEIPT + digest("ann"), msgspec.json.encode(RECEIVED))
    assert rights.forget(loaded(redis_url, tmp_path), ["ann"]) == 0
    assert capsys.readouterr().out == (
        "ann was forgotten at 2026-01-01T00:00:00.000Z; checkpoints and savepoints may hold it "
        "until 2026-01-08T00:00:00.000Z, what the job reads until 2026-01-15T00:00:00.000Z "
        f"(receipt forget:{digest('ann')})\n"
    )
    assert [(one["kind"], one["user"]) for one in written(tmp_path)] == [("forget", "ann")]


def test_cassandra_is_asked_for_all_ids_of_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reads:
        def __init__(self, options: object) -> None: ...

        def kept(self, users: list[str]) -> dict[str, Any]:
            return {"asked": users}

    monkeypatch.setattr(rights, "CassandraReads", Reads)
    known = {"ids": [{"id": "ann", "events": 2}, {"id": "anon-9", "events": 1}]}
    config = load(None, ["cassandra.hosts=['c1']"], {}).config
    assert rights.kept_of(config, "ann", known) == {"asked": ["ann", "anon-9"]}
    assert rights.kept_of(load(None, [], {}).config, "ann", known) == {}


def test_a_job_that_does_not_answer_is_told_and_need_not_be_waited_for(
    redis_url: str, redis_client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rights.forget(loaded(redis_url, tmp_path), ["ann", "bob"]) == 1
    assert "bob: the line is written, but the job has not answered" in capsys.readouterr().err
    assert rights.forget(loaded(redis_url, tmp_path), ["ann"], wait=False) == 0
    assert rights.export(loaded(redis_url, tmp_path), "ann") == 1
    kinds = [one["kind"] for one in written(tmp_path)]
    assert sorted(kinds) == ["export", "forget", "forget", "forget"]


def test_what_is_known_is_printed_with_the_lists(
    redis_url: str, redis_client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    redis_client.set(KNOWN + digest("ann"), b'{"ts":1125899906842624,"user":"ann"}')
    redis_client.set("rec:ann", b'{"user":"ann","items":[]}')
    redis_client.set("factor:ann", b"numbers")
    assert rights.export(loaded(redis_url, tmp_path), "ann") == 0
    assert msgspec.json.decode(capsys.readouterr().out) == {
        "ts": 2**50,
        "user": "ann",
        "list": {"user": "ann", "items": []},
        "factor_in_redis": True,
    }


def test_a_job_that_reads_files_once_cannot_be_asked(redis_url: str) -> None:
    given = [f"redis.url={redis_url}", "source.paths=events.jsonl"]
    with pytest.raises(ConfigError, match=r"nothing can be asked of the job: source\.kind"):
        rights.forget(load(None, given, {}), ["ann"])
