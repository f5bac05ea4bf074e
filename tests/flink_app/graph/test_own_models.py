"""Models of a team's own in a job."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import redis

from flink_app.config import load
from flink_app.graph.own_models import with_own_models
from tests.flink_app.jobs import counts, lists, live, start, stats
from tests.flink_app.savepoint import stop
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


def _events() -> list[str]:
    """Some users and items, each item taken once at least by the middle."""
    pairs = [(f"u{n % 9}", f"i{n * 7 % 20}") for n in range(80)]
    return [
        json.dumps({"user": user, "item": item, "ts": 1_700_000_000 + n, "id": f"e{n}"})
        for n, (user, item) in enumerate(pairs)
    ]


@pytest.mark.job
def test_lists_are_the_same_after_a_restart_in_strict_mode(tmp_path: Path, redis_url: str) -> None:
    """By the sequence model alone, whose best are always candidates: what other sources know of
    users in memory is not in the state."""
    vectors = np.random.default_rng(1).normal(0, 0.5, (20, 6))
    file = sequence(tmp_path / "s.onnx", [f"i{n}" for n in range(20)], vectors)
    own = ranker(tmp_path / "r.onnx", {"sequence": 1.0})
    lines = _events()

    def learned(n: int) -> None:
        wait_for(lambda: counts(stats(redis_url))["learned"] == n, seconds=240)

    def settings(inbox: Path) -> list[str]:
        inbox.mkdir(exist_ok=True)
        return [
            "source.kind=directory", f"source.paths=['{inbox}']", "dead_letters.kind=none",
            "job.strict=true", "lists.length=5", "quality.every=1", f"sequence.model={file}",
            f"ranker.model={own}",
        ]  # fmt: skip

    def shown() -> dict[str, list[str]]:
        found = lists(redis_url)
        return {key: [one["item"] for one in value["items"]] for key, value in found.items()}

    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "1").write_text("\n".join(lines))
    with live(redis_url, *settings(tmp_path / "whole")):
        learned(len(lines))
        whole, told = shown(), stats(redis_url)
    assert len(whole) == 9 and all(len(items) == 5 for items in whole.values())
    for name in ("sequence", "ranker"):
        assert int(told[f"model:{name}:lists"]) > 0 and int(told[f"model:{name}:us"]) > 0
        assert f"model:{name}:without" not in told
    tests = told["total_quality:served:tests"]
    assert told["total_quality:sequence:tests"] == tests
    assert told["total_quality:built-in-ranker:tests"] == tests
    assert told["total_quality:sequence:recall@5"] == told["total_quality:served:recall@5"]

    redis.Redis.from_url(redis_url).flushall()
    inbox = tmp_path / "parts"
    job = start(redis_url, *settings(inbox))
    (inbox / "1").write_text("\n".join(lines[:50]))
    learned(50)
    savepoint = stop(job, (tmp_path / "saved").as_uri())
    with live(redis_url, *settings(inbox), f"state.restore={savepoint}"):
        (inbox / "2").write_text("\n".join(lines[50:]))
        learned(len(lines))
        assert shown() == whole
