"""The examples that train models: what each writes is what the job takes, and has learned.

Trees are trained here. The network and the GRU were trained once by `python -m tests.trained`; with
TRAIN_MODELS=1 they are trained here too, in environments of their own.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trained import EXAMPLES, ITEMS, KEPT, needed, rankings, train, with_environment
from tests.udfs.builders import NOW, OneShard, batch_of
from udfs.models.options import RankerOptions
from udfs.models.sequence.network import SequenceNetwork
from udfs.models.sequence.source import sequence_of
from udfs.options.sequence import Sequence
from udfs.ranking.features import names
from udfs.ranking.own_network import OwnNetwork


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an example."""
    pytest.importorskip("onnxruntime", reason="it comes with the extra onnx")
    example, folder = request.param, tmp_path_factory.mktemp(request.param)
    if example == "trees":
        pytest.importorskip("skl2onnx", reason="it comes with the extra test")
        train(example, folder / "model.onnx")
    elif os.environ.get("TRAIN_MODELS"):
        with_environment(example, folder / "model.onnx")
    else:
        return KEPT / f"{example}.onnx"
    assert [path.name for path in folder.iterdir()] == ["model.onnx"]
    return folder / "model.onnx"


RANKERS = pytest.mark.parametrize("made", ["trees", "network"], indirect=True)
GRU = pytest.mark.parametrize("made", ["gru"], indirect=True)


@RANKERS
def test_a_ranker_has_learned_what_is_taken(made: Path) -> None:
    network, hits = OwnNetwork(made, names()), []
    assert sorted(network.pick) == [*range(len(names()))], "it uses all that is known"
    for row in rankings(200, 4):
        x = np.array([*row["features"].values()], np.float32)[network.pick].T
        scores = network.run(np.ascontiguousarray(x))
        np.testing.assert_allclose(network.run(x[:1].copy())[0], scores[0], rtol=1e-5)
        hits.append(row["items"][int(scores.argmax())] == row["taken"])
    assert np.mean(hits) > 0.6  # by chance .14


@GRU
def test_a_sequence_model_has_learned_what_follows(made: Path) -> None:
    shard = shard_with(sequence=Sequence(model=str(made)))
    source = sequence_of(shard.learner.models.sources)
    slots = shard.slots(*(f"user {n}" for n in range(12)))
    found, _ = source.candidates(shard.learner.models.moment(slots, NOW))
    follows = [
        shard.learner.catalogue.ids[row[0]] == ITEMS[(n + 1) % 12] for n, row in enumerate(found)
    ]
    assert sum(follows) >= 10
    network = SequenceNetwork(made)
    asked = np.zeros((13, network.length), np.int64)
    asked[:, -1] = np.arange(13)
    one = network.run(asked[5:6])[0]
    np.testing.assert_allclose(network.run(asked)[5], one, atol=1e-5)


@RANKERS
def test_a_ranker_makes_lists(made: Path) -> None:
    shard = shard_with(ranker=RankerOptions(model=str(made)))
    users = [f"user {n}" for n in range(12)]
    assert all(found["items"] for found in shard.lists(*users).values())
    (file,) = shard.learner.models.own_files.values()
    told = file.take()
    assert told.pop("ranker:us") > 0 and told == {"ranker:lists": 12}, "none of them without it"


def shard_with(**own: Any) -> OneShard:
    """A shop where the user of each number took the item of that number last."""
    shard = OneShard(length=5, **own)
    shard.learn(batch_of([(f"user {n}", item) for n, item in enumerate(ITEMS)]))
    return shard


@pytest.mark.parametrize("name", ["network", "gru"])
def test_what_was_kept_names_no_folder_of_whoever_made_it(name: str) -> None:
    assert not re.search(rb"site-packages|\.py\b", (KEPT / f"{name}.onnx").read_bytes())


def test_the_examples_know_the_features() -> None:
    found = re.search(r"FEATURES = (\[.*?\])", (EXAMPLES / "rankings.py").read_text("utf-8"), re.S)
    assert found is not None and ast.literal_eval(found[1]) == [*names()]


@pytest.mark.parametrize("example", ["trees", "network", "gru"])
def test_what_an_example_needs_is_in_its_head_and_in_the_requirements(example: str) -> None:
    listed = (EXAMPLES / "requirements.txt").read_text("utf-8").splitlines()
    assert {*needed(example)} <= {*listed}
