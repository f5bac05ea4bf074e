"""What steps of re-ranking give on real ratings: on the first of MovieLens-100K's ratings of 5."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.rerank_curves import (
    by_slot,
    facts,
    ideal,
    learner_of,
    passed,
    read,
    rerank,
    settings,
)
from flink_app.evaluate.beyond import measures
from tests.data_sets import data
from udfs.models.ranked import Told
from udfs.ranking.steps.rerank import Reranking


@pytest.mark.parametrize("step", ["diversity", "calibration", "debias"])
def test_each_step_gives_what_it_is_for_and_takes_little(step: str) -> None:
    folder = data("ml-100k/u.item").parent
    ratings = read(folder, 900)
    learner = learner_of(folder / "u.item")
    strength = {"diversity": 1.0, "calibration": 3.0, "debias": 0.2}[step]
    steps = {name: rerank(learner, some) for name, some in settings({step: [strength]}).items()}
    replayed = passed(ratings, learner, steps)
    of = facts(replayed, by_slot(learner, ratings.genres))
    before, after, _ = (measures(lists, of) for lists in replayed.lists.values())
    gained = {name: after[name] / before[name] - 1 for name in before}
    wanted = {
        "diversity": gained["diversity"] > 0.08,
        "calibration": gained["calibration"] < -0.3,
        "debias": gained["coverage"] > 0.01,
    }
    assert wanted[step], gained
    assert gained["recall@10"] > -0.05, gained
    for found in replayed.lists.values():
        assert found.shape[1] == 20 and (found >= 0).all()
        assert all(len(np.unique(row)) == 20 for row in found)


class AsRanked:
    """Re-ranking that changes nothing."""

    def put(self, told: Told, users: NDArray[np.int32]) -> Told:
        return told


def test_the_search_that_knows_the_measure_weighs_chances_against_it() -> None:
    """Twelve lanterns, and a kettle of half their chance."""
    genres = np.zeros((13, 2), np.float32)
    genres[:12, 0] = genres[12, 1] = 1
    scores = np.array([[0.1] * 12 + [0.05]], np.float32)
    items = np.arange(13, dtype=np.int32)[None]
    nothing = np.zeros((1, 13, 1), np.int32)
    told = Told(items, scores, np.zeros((1, 13), np.int8), nothing, nothing[0])
    found = {
        worth: ideal(genres, worth, cast(Reranking, AsRanked()))(told, items[0, :1], 0)
        for worth in (0.0, 0.1)
    }
    assert found[0.0].tolist() == [*range(10)] + [-1] * 10
    assert found[0.1].tolist() == [*range(9), 12] + [-1] * 10
