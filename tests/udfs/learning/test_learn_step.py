"""Models of a team's own in the steps of a shard: tested, counted, loaded again between batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.udfs.builders import NOW
from tests.udfs.flink import Subtask
from tests.udfs.models.own.files import ranker, sequence
from tests.udfs.user_learners import Clock, counted, operator, sent
from udfs.models.options import RankerOptions
from udfs.models.own.file import LOOK_MS
from udfs.models.own.network import ModelFailure
from udfs.models.sequence.network import SequenceNetwork
from udfs.options.sequence import Sequence

IDS = ["a", "b", "c", "d"]
FIRST = [(user, item) for user in ("ann", "bob", "tim") for item in "ab"]


def learner(url: str, folder: Path, **options: Any) -> Subtask:
    rank = ranker(folder / "r", {"taken": 1.0})
    own = {
        "sequence": Sequence(model=str(sequence(folder / "s", IDS, np.eye(4)))),
        "ranker": RankerOptions(model=str(rank), shadow=True),
    }
    return Subtask(operator(url, **{"test_every": 1, **own, **options}))


def test_their_lists_are_tested_beside_those_that_are_served(
    redis_url: str, clock: Clock, tmp_path: Path
) -> None:
    flink = learner(redis_url, tmp_path)
    total = counted(flink, flink.process(7, sent([*FIRST, ("eve", "c"), ("eve", "d")], NOW)))
    total.add(counted(flink, flink.process(7, sent([("ann", "c"), ("bob", "d")], NOW))))
    for name in ("served", "popular", "sequence", "own-ranker"):
        assert total.quality[f"{name}:tests"] == 2
    assert "built-in-ranker:tests" not in total.quality
    assert total.models["sequence:lists"] >= 2 and total.models["sequence:us"] > 0
    assert total.models["ranker:lists"] == 2, "in the shadow it makes no list to be served"
    assert not counted(flink, []).models, "each is counted once"


def test_a_model_that_fails_is_not_tested(
    redis_url: str, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flink = learner(redis_url, tmp_path)
    flink.process(7, sent([*FIRST, ("eve", "c")], NOW))

    def fail(*_: Any) -> None:
        raise ModelFailure("no")

    monkeypatch.setattr(SequenceNetwork, "run", fail)
    clock.now += 1  # or what was said of the same users at the same time holds
    total = counted(flink, flink.process(7, sent([("ann", "c")], NOW)))
    assert total.quality["served:tests"] == total.quality["own-ranker:tests"] == 1
    assert "sequence:tests" not in total.quality
    assert total.models["sequence:failed"] > 0


def test_files_are_looked_at_between_batches(redis_url: str, clock: Clock, tmp_path: Path) -> None:
    flink = learner(redis_url, tmp_path)
    flink.process(7, sent(FIRST, NOW))
    ranker(tmp_path / "r", {"taken": -1.0})
    (tmp_path / "s").write_text("no model")
    clock.now += LOOK_MS
    total = counted(flink, flink.process(7, sent([("ann", "c")], NOW)))
    assert total.models["ranker:loaded"] == 1
    assert total.models["sequence:refused"] == 1
