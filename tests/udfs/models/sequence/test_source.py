"""A sequence model in a learner: its candidates in the next list, none without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.udfs.builders import NOW, OneShard, batch_of, shown
from tests.udfs.models.own.files import sequence
from udfs.models.own.network import ModelFailure
from udfs.models.sequence.network import SequenceNetwork
from udfs.models.sequence.source import sequence_of
from udfs.options.sequence import Sequence
from udfs.ranking.features import features

EVENTS = [("ann", "a"), ("bob", "c"), ("bob", "d"), ("eve", "e"), ("eve", "f"), ("eve", "x")]
IDS = ["a", "b", "c", "d", "e", "f", "none has met it"]
# Who took a wants f, then e; nobody who took a took either.
WANTS = np.eye(7, dtype=np.float32)[[5, 0, 0, 0, 0, 0, 0]] * 9
VECTORS = np.eye(7, dtype=np.float32)
VECTORS[4, 5] = 0.5


def model(path: Path, wanted: Any = WANTS) -> str:
    return str(sequence(path, IDS, VECTORS, wanted=wanted))


def shard_with(file: str, **options: Any) -> OneShard:
    more = {"sequence": Sequence(model=file, **options)} if file else {}
    shard = OneShard(length=4, **more)
    shard.learn(batch_of(EVENTS))
    return shard


def best(shard: OneShard, *users: str) -> Any:
    models = shard.learner.models
    models.learned()
    found = sequence_of(models.sources).candidates(models.moment(shard.slots(*users), NOW))
    return [[shard.learner.catalogue.ids[j] for j in row if j >= 0] for row in found[0]]


@pytest.fixture
def shard(tmp_path: Path) -> OneShard:
    return shard_with(model(tmp_path / "m"))


def test_the_nearest_items_are_candidates(shard: OneShard) -> None:
    assert best(shard, "ann")[0][:2] == ["f", "e"]
    assert "a" not in best(shard, "ann")[0], "it is consumed"
    assert best(shard, "eve", "ann") == [["a", "c", "d"], best(shard, "ann")[0]]


def test_they_are_in_the_next_list_and_it_is_said_why(shard: OneShard) -> None:
    w, names = shard.learner.models.ranker.w, [f.name for f in features(shard.learner.settings)]
    assert names[-1] == "sequence"
    w[names.index("sequence")] = 5.0
    entries = shard.lists("ann")["rec:ann"]["items"]
    assert entries[0]["item"] == "f"
    assert entries[0]["why"]["model"] == "sequence"


def test_the_ranker_learns_how_far_to_trust_it(shard: OneShard) -> None:
    names = [f.name for f in features(shard.learner.settings)]
    w = shard.learner.models.ranker.w
    before = w[names.index("sequence")]
    shard.learn(batch_of([("ann", "f")]))
    assert w[names.index("sequence")] > before


def test_what_may_not_be_shown_is_none(shard: OneShard) -> None:
    c = shard.learner.catalogue
    c.seen[: c.size] = NOW
    c.seen[c.find(["f"])] = 1
    shard.learner.expire_items(2)
    assert best(shard, "ann")[0][0] == "e"
    shard.learn(batch_of([("bob", "f")]))  # back again, in the slot that it had
    assert best(shard, "ann")[0][0] == "f"


def test_users_of_whom_it_knows_nothing_are_not_asked_for(shard: OneShard) -> None:
    models = shard.learner.models
    models.own_files["sequence"].take()
    shard.learn(batch_of([("tim", "x"), ("tom", "a")]))
    models.learned()
    found = sequence_of(models.sources)
    wanted = found.wanted(models.moment(shard.slots("tim", "tom"), NOW))
    assert not wanted[0].any() and wanted[1].any()
    assert models.own_files["sequence"].take()["sequence:lists"] == 1


def test_in_the_shadow_nothing_is_served_of_it(tmp_path: Path) -> None:
    users = ("ann", "bob", "eve")
    dark, plain = shard_with(model(tmp_path / "m"), shadow=True), shard_with("")
    dark_lists, plain_lists = dark.lists(*users), plain.lists(*users)
    for key in plain_lists:
        assert dark_lists[key]["items"] == plain_lists[key]["items"]
    np.testing.assert_array_equal(dark.learner.models.ranker.w, plain.learner.models.ranker.w)
    ((_, _, alone),) = dark.learner.models.rank(dark.slots("ann"), NOW, "sequence")
    assert dark.learner.catalogue.ids[alone.items[0, 0]] == "f"


def test_where_it_fails_lists_are_made_without_it(
    shard: OneShard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ModelFailure("no")

    monkeypatch.setattr(SequenceNetwork, "run", fail)
    shard.learner.models.learned()
    users = ("ann", "bob", "eve")
    assert {user: shown(shard.lists(user)[f"rec:{user}"]) for user in users} == {
        user: shown(shard_with("").lists(user)[f"rec:{user}"]) for user in users
    }
    assert best(shard, "ann") == [[]]
    assert shard.learner.models.own_files["sequence"].silent


def test_a_new_file_has_another_vocabulary(shard: OneShard, tmp_path: Path) -> None:
    assert best(shard, "ann")[0][0] == "f"
    ids, rows = ["c", "a"], np.array([[2.0, 0, 1], [0, 1, 0]])
    sequence(tmp_path / "m", ids, rows, wanted=rows[::-1], length=1)
    assert shard.learner.models.own_files["sequence"].look(NOW)
    assert best(shard, "ann") == [["c"]]


def test_slots_that_move_are_followed(shard: OneShard) -> None:
    learner = shard.learner
    learner.catalogue.seen[learner.catalogue.find(["x", "d"])] = 1
    learner.catalogue.expire(2)
    place = learner.catalogue.compact(learner.users.consumed())
    learner.users.renumber(place)
    assert best(shard, "ann")[0][:2] == ["f", "e"]


def test_what_was_learned_without_it_stays(tmp_path: Path) -> None:
    plain = shard_with("")
    plain.learn(batch_of([("ann", "c"), ("bob", "e")]))
    learned = plain.learner.models.ranker
    on = shard_with(model(tmp_path / "m")).learner.models.ranker
    on.put(learned.parameters)
    n = len(learned.w) // 2
    assert on.w[:n].tolist() == learned.w[:n].tolist()
    on.w[:n] += 1
    learned.put(on.parameters)
    assert learned.w[:n].tolist() == on.w[:n].tolist()
