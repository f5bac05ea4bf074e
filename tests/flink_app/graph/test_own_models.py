"""Models of a team's own in a job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis

from flink_app.config import load
from flink_app.graph.own_models import with_own_models
from tests.flink_app.jobs import counts, lists, live, run, start, stats
from tests.udfs.models.own.files import ranker, sequence
from tests.waiting import wait_for
from udfs.errors import ConfigError


def test_paths_are_those_of_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sequence(tmp_path / "s.onnx", ["a", "b"], [[1, 0], [0, 1]])
    ranker(tmp_path / "r.onnx", {"sequence": 1.0, "activity": 1.0})
    monkeypatch.chdir(tmp_path)
    found = with_own_models(load(None, ["sequence.model=s.onnx", "ranker.model=r.onnx"], {}).config)
    assert found.of("sequence").model == str(tmp_path / "s.onnx")
    assert found.ranker.model == str(tmp_path / "r.onnx")


def test_nothing_is_changed_without_models() -> None:
    config = load(None, [], {}).config
    assert with_own_models(config) is config


@pytest.mark.parametrize("option", ["sequence.model", "ranker.model"])
def test_what_is_missing_is_said_before_a_job_is_submitted(option: str) -> None:
    config = load(None, [f"{option}=nowhere.onnx"], {}).config
    with pytest.raises(ConfigError, match=rf"{option} is .*nowhere\.onnx.*there is no such file"):
        with_own_models(config)


def test_features_of_what_is_in_the_shadow_are_none(tmp_path: Path) -> None:
    file = sequence(tmp_path / "s.onnx", ["a"], [[1, 0]])
    own = ranker(tmp_path / "r.onnx", {"sequence": 1.0})
    given = [f"sequence.model={file}", f"ranker.model={own}", "sequence.shadow=true"]
    with pytest.raises(ConfigError, match="wants the features sequence, which there are not"):
        with_own_models(load(None, given, {}).config)


@pytest.mark.job
def test_a_strict_job_that_was_killed_comes_to_the_same_lists(
    tmp_path: Path, redis_url: str
) -> None:
    """By the sequence model, whose best are always candidates; of users, what other sources have in
    memory is not in the state."""
    ids, total = [f"i{n}" for n in range(60)], 1200
    vectors = np.random.default_rng(1).normal(0, 0.5, (60, 6))
    lines = [
        json.dumps({"user": f"u{n % 53}", "item": ids[n * 104_729 % 7013 % 60], "ts": 1e9 + n})
        for n in range(total)
    ]
    # What is no event takes its time to be read: a checkpoint comes between the two halves.
    parted = [*lines[: total // 2], *["{"] * 200_000, *lines[total // 2 :]]
    events, checkpoints = tmp_path / "events.jsonl", tmp_path / "checkpoints"
    events.write_text("\n".join(parted))
    settings = [
        f"source.paths=['{events}']", "dead_letters.kind=none", "job.strict=true",
        "lists.length=5", "lists.exclude_consumed=false", "quality.every=1",
        f"sequence.model={sequence(tmp_path / 's.onnx', ids, vectors)}",
        f"ranker.model={ranker(tmp_path / 'r.onnx', {'sequence': 1.0})}",
    ]  # fmt: skip

    def shown() -> dict[str, Any]:
        found = lists(redis_url)
        return {key: [one["item"] for one in value["items"]] for key, value in found.items()}

    told, whole = run(redis_url, *settings), shown()
    assert len(whole) == 53 and all(len(items) == 5 for items in whole.values())
    for name in ("sequence", "ranker"):
        assert int(told[f"model:{name}:lists"]) >= total and int(told[f"model:{name}:us"]) > 0
        assert f"model:{name}:without" not in told
    tests = told["total_quality:served:tests"]
    assert told["total_quality:sequence:tests"] == told["total_quality:built-in-ranker:tests"]
    assert told["total_quality:sequence:tests"] == tests
    assert told["total_quality:sequence:recall@5"] == told["total_quality:served:recall@5"]

    def complete() -> set[str]:
        return {file.parent.name for file in checkpoints.glob("*/chk-*/_metadata")}

    redis.Redis.from_url(redis_url).flushall()
    settings += [f"state.checkpoints={checkpoints}", "state.checkpoint_s=0.3"]
    with live(redis_url, *settings):
        wait_for(shown)
        before = complete()
        wait_for(lambda: complete() - before)
    assert counts(stats(redis_url))["learned"] < total
    start(redis_url, *settings, "state.restore=latest").get_job_execution_result().result()
    assert counts(stats(redis_url))["learned"] == total
    assert shown() == whole
