"""Lists by a ranker from a file: those of the built-in ranker where both have the same weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of
from tests.udfs.models.own.files import ranker
from udfs.models.options import RankerOptions
from udfs.models.own.network import ModelFailure
from udfs.options.own import BUILT_IN_RANKER, OWN_RANKER
from udfs.ranking import own_ranker as own
from udfs.ranking.features import ACTIVITY, features
from udfs.ranking.own_network import OwnNetwork

NAMES = [feature.name for feature in features()]
USERS = [f"u{n}" for n in range(12)]


def events(seed: int, n: int = 300) -> Any:
    random = np.random.default_rng(seed)
    pairs = zip(random.integers(0, len(USERS), n), random.zipf(1.3, n) % 50, strict=True)
    return batch_of([(USERS[user], f"i{item}") for user, item in pairs])


def shard_with(file: Path | str, **options: Any) -> OneShard:
    """A shop that has learned some events."""
    shard = OneShard(ranker=RankerOptions(model=str(file), **options))
    for seed in range(2):
        shard.learn(events(seed))
    return shard


def served(shard: OneShard) -> Any:
    """What users get."""
    return {key: value["items"] for key, value in shard.lists(*USERS).items()}


def lists(shard: OneShard, model: str = "") -> Any:
    ((_, _, found),) = shard.learner.models.rank(shard.slots(*USERS), NOW, model)
    return found


def test_the_same_weights_make_the_same_lists(tmp_path: Path) -> None:
    weights = {name: 0.25 * (k + 1) for k, name in enumerate(NAMES)} | {"item-cf": 9.0}
    shard = shard_with(ranker(tmp_path / "m", weights))
    w = shard.learner.models.ranker.w
    w[:] = 0
    w[: len(NAMES)] = [*weights.values()]
    mine, built_in = lists(shard), lists(shard, BUILT_IN_RANKER)
    np.testing.assert_array_equal(mine.items, built_in.items)
    np.testing.assert_array_equal(mine.models, built_in.models)
    np.testing.assert_allclose(mine.scores, built_in.scores, rtol=1e-4)
    told = served(shard)  # with reasons, in one call
    names = shard.learner.catalogue.ids
    assert '"because"' in json.dumps(told)
    for row, user in enumerate(USERS):
        items = [names[slot] for slot in mine.items[row]]
        assert [entry["item"] for entry in told[f"rec:{user}"]] == items


def test_other_weights_make_other_lists(tmp_path: Path) -> None:
    shard = shard_with(ranker(tmp_path / "m", {"taken": -1.0, ACTIVITY: 3.0}))
    c, found = shard.learner.catalogue, lists(shard)
    taken = c.events[found.items]
    assert (np.diff(taken, axis=1) >= 0).all(), "the least taken candidates come first"
    assert (found.items != lists(shard, BUILT_IN_RANKER).items).any()


def test_it_is_the_same_for_many_and_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ranker(tmp_path / "m", {"product": 1.0, "item-cf": 0.5})
    many = lists(shard_with(file))
    monkeypatch.setattr(own, "_ROOM", 1)  # which grows until a list has room
    shard = shard_with(file)
    np.testing.assert_array_equal(lists(shard).items, many.items)
    alone = [shard.learner.models.rank(shard.slots(user), NOW)[0][2].items[0] for user in USERS]
    np.testing.assert_array_equal(alone, many.items)


def test_in_the_shadow_nothing_is_served_of_it(tmp_path: Path) -> None:
    file = ranker(tmp_path / "m", {"taken": -1.0})
    shard, plain = shard_with(file, shadow=True), shard_with("")
    assert served(shard) == served(plain)
    taken = shard.learner.catalogue.events[lists(shard, OWN_RANKER).items]
    assert (np.diff(taken, axis=1) >= 0).all()


def test_where_it_fails_the_built_in_ranker_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard, plain = shard_with(ranker(tmp_path / "m", {"taken": -1.0})), shard_with("")
    file = shard.learner.models.own_files[OWN_RANKER]
    file.take()

    def fail(*_: Any) -> None:
        raise ModelFailure("no")

    monkeypatch.setattr(OwnNetwork, "run", fail)
    assert served(shard) == served(plain), "it has learned all the same"
    assert file.silent
    assert file.take() == {"ranker:failed": 1, "ranker:without": len(USERS)}


def test_a_new_file_changes_the_next_lists(tmp_path: Path) -> None:
    shard = shard_with(ranker(tmp_path / "m", {"taken": 1.0}))
    models = shard.learner.models
    before = lists(shard).items
    ranker(tmp_path / "m", {"taken": -1.0})
    assert models.own_files[OWN_RANKER].look(NOW)
    models.learned()
    assert (lists(shard).items != before).any()


def test_without_a_file_there_is_none() -> None:
    assert own.own_ranker(SETTINGS) is None
    assert own.files_of({}, None) == {}
    assert (own.built_in(OWN_RANKER), own.built_in("mf")) == ("ranker", "mf")
