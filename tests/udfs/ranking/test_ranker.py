"""The ranker against its formulas in plain NumPy: evidence, features, scores, learning."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, OneShard, batch_of
from udfs.models.item_cf import neighbours as item_cf
from udfs.models.options import RankerOptions, UserCF
from udfs.models.user_cf import consumers as user_cf
from udfs.options.sources import SOURCES, evident
from udfs.ranking import ranker as ranking
from udfs.ranking.features import features
from udfs.ranking.last_kernels import SCALE
from udfs.ranking.ranker import OLD, Ranker, first_parameters
from udfs.ranking.recommender import Recommender

BASE = len(features())
FEATURES = 2 * BASE
MODELS = tuple(SOURCES)
USERS = [f"u{n}" for n in range(8)]
taken = st.lists(st.tuples(st.sampled_from(USERS), st.integers(0, 30)), min_size=20, max_size=150)


def shop(pairs: list[tuple[str, int]], **options: Any) -> OneShard:
    shard = OneShard(length=40, **options)
    shard.learn(batch_of([("u0", "i0"), *((user, f"i{item}") for user, item in pairs)]))
    return shard


class Plain:
    """All candidates of a user with their features, from what the models hold."""

    def __init__(self, shard: OneShard) -> None:
        self.models: Recommender = shard.learner.models
        self.shard = shard
        self.histories: dict[str, list[int]] = {}
        self.consumers: dict[int, list[str]] = {}

    def tell(self, pairs: list[tuple[str, int]]) -> Plain:
        catalogue = self.models.catalogue
        for user, item in [("u0", 0), *pairs]:
            slot = int(catalogue.find([f"i{item}"])[0])
            if slot not in self.histories.setdefault(user, []):
                self.histories[user].append(slot)
                self.consumers.setdefault(slot, []).append(user)
        return self

    def item_cf(self, user: str) -> Any:
        neighbours, c = self.models.neighbours, item_cf
        found = np.zeros(self.models.catalogue.size)
        position = neighbours.pairs.position
        for k, h in enumerate(self.histories[user][::-1][: c.RECENT]):
            row = neighbours.get_row(h)
            found[row.slots] += position[k] * row.values / (row.weight + c.SHRINK) ** c.SOURCE_POWER
        weights = neighbours.weights(np.arange(len(found)))
        return found / (weights + c.SHRINK) ** c.TARGET_POWER

    def user_cf(self, user: str) -> Any:
        c, most = user_cf, self.models.settings.user_cf.consumers
        alike: dict[str, float] = {}
        by: dict[str, int] = {}
        own = self.histories[user][::-1][: c.RECENT]
        for k, h in enumerate(own):
            part = 1 / (k + 1) / (len(self.consumers[h]) + c.SHRINK) ** c.POWER
            for other in self.consumers[h][-most:]:
                if other != user:
                    alike[other] = alike.get(other, 0.0) + part
                    by.setdefault(other, h)
        found = np.zeros(self.models.catalogue.size)
        users = self.models.users
        for other in sorted(alike, key=lambda name: -alike[name])[: c.NEIGHBOURS]:
            events = users.events[users.find(other)]
            amount = alike[other] / (events + c.ACTIVITY_SHRINK) ** c.POWER
            theirs = self.histories[other][::-1]
            anchor = theirs.index(by[other])
            for k, item in enumerate(theirs):
                if abs(k - anchor) <= c.REACH:
                    near = 1 / (1 + abs(k - anchor))
                    found[item] += amount * near * (c.BEFORE if k > anchor else 1)
        return found

    def features(self, user: str) -> tuple[Any, Any]:
        """Slots of all unseen items, and their features: int[n], float[n, FEATURES]."""
        models, catalogue = self.models, self.models.catalogue
        slots = np.setdiff1d(np.arange(catalogue.size), self.histories[user])
        (slot,) = self.shard.slots(user)
        columns = []
        for source, evidence in zip(
            evident(), (self.item_cf(user), self.user_cf(user)), strict=True
        ):
            share = evidence[slots] / max(evidence[slots].max(initial=0), 1e-30)
            columns.append(np.log(source.floor + share))
        product = catalogue.bias[slots] + catalogue.q[slots] @ models.vectors(np.array([slot]))[0]
        columns.append(np.maximum(product - product.max(initial=-np.inf), -10))
        columns.append(np.log(1 + catalogue.events[slots]))
        age = models.clock_ms - catalogue.popularity_at[slots]
        decayed = catalogue.popularity[slots] * 2 ** (-age / models.settings.half_life_ms)
        columns.append(np.log(0.05 + decayed))
        columns += [np.zeros(len(slots))] * 3  # no item is described, and none is there again
        q, last = catalogue.q[slots], self.histories[user][-1]
        wanted, norms = catalogue.q[last] + catalogue.y[last], np.linalg.norm(q, axis=1)
        columns.append(SCALE * (q @ wanted) / norms / np.linalg.norm(wanted))
        columns.append(SCALE * np.log(0.05 + norms))
        x = np.stack(columns, axis=1)
        active = 0.3 * (np.log(1 + models.users.events[slot]) - 3)
        return slots, np.hstack([x, x * active])


def logits(x: Any, hidden: int, w: Any) -> Any:
    if not hidden:
        return x @ w
    inner = w[: hidden * (FEATURES + 1)].reshape(hidden, FEATURES + 1)
    units = 1 / (1 + np.exp(-(x @ inner[:, :-1].T + inner[:, -1])))
    return units @ w[hidden * (FEATURES + 1) :]


def loss(plain: Plain, user: str, item: int, hidden: int, w: Any) -> float:
    slots, x = plain.features(user)
    z = logits(x, hidden, w)
    return float(np.log(np.exp(z).sum()) - z[slots.tolist().index(item)])


@settings(max_examples=40)
@given(taken, st.sampled_from(["linear", "neural"]), st.integers(0, 2**32))
def test_lists_are_all_logits_sorted(pairs: list[tuple[str, int]], network: Any, seed: int) -> None:
    with patch.object(ranking, "HIDDEN", 3):
        shard = shop(pairs, ranker=RankerOptions(network=network))
    plain, ranker = Plain(shard).tell(pairs), shard.learner.models.ranker
    ranker.w[:] = np.random.default_rng(seed).normal(0, 1, len(ranker.w))
    for user in plain.histories:
        ((source, _, lists),) = shard.learner.models.rank(shard.slots(user), NOW)
        assert source == "ranker"
        slots, x = plain.features(user)
        wanted = dict(zip(slots.tolist(), logits(x, ranker.hidden, ranker.w), strict=True))
        found = [item for item in lists.items[0].tolist() if item >= 0]
        assert set(found) <= set(wanted), "nothing consumed"
        assert set(found) == set(wanted), "so few items are all candidates: by factors"
        values = np.array([wanted[item] for item in found])
        assert (np.diff(values) <= 1e-3 * (1 + np.abs(values[1:]))).all()
        if len(values):
            np.testing.assert_allclose(
                lists.scores[0, : len(found)], np.exp(values - values[0]), rtol=2e-2, atol=1e-3
            )


@settings(max_examples=40)
@given(taken, st.sampled_from(["item-cf", "user-cf"]))
def test_a_model_alone_lists_its_evidence(pairs: list[tuple[str, int]], model: str) -> None:
    shard = shop(pairs)
    plain = Plain(shard).tell(pairs)
    for user in plain.histories:
        ((_, _, lists),) = shard.learner.models.rank(shard.slots(user), NOW, model)
        evidence = plain.item_cf(user) if model == "item-cf" else plain.user_cf(user)
        evidence[plain.histories[user]] = 0
        own = lists.models[0] == MODELS.index(model)
        found = lists.items[0][own & (lists.items[0] >= 0)]
        assert len(found) == min((evidence > 1e-7).sum(), 40)
        share = evidence / max(evidence.max(), 1e-30)
        np.testing.assert_allclose(lists.scores[0, : len(found)], share[found], atol=1e-3)
        filled = lists.items[0][~own & (lists.items[0] >= 0)]
        assert not set(filled) & set(plain.histories[user])
        assert len(set(found) | set(filled)) == len(found) + len(filled)


@settings(max_examples=25)
@given(taken, st.sampled_from(["linear", "neural"]), st.data())
def test_a_step_follows_the_gradient(
    pairs: list[tuple[str, int]], network: Any, data: st.DataObject
) -> None:
    with patch.object(ranking, "HIDDEN", 2):
        shard = shop(pairs, ranker=RankerOptions(network=network))
    plain, models = Plain(shard).tell(pairs), shard.learner.models
    user = data.draw(st.sampled_from(sorted(plain.histories)))
    unseen = plain.features(user)[0].tolist()
    if not unseen:
        return
    item, ranker = data.draw(st.sampled_from(unseen)), models.ranker
    before = ranker.w.copy()
    models.blend.train(models.moment(shard.slots(user), NOW), np.array([item], np.int32))
    slope = np.zeros(len(before))
    for k in range(len(before)):
        near = [before.copy(), before.copy()]
        near[0][k] -= 1e-4
        near[1][k] += 1e-4
        below, above = (loss(plain, user, item, ranker.hidden, w) for w in near)
        slope[k] = (below - above) / 2e-4
    np.testing.assert_allclose(np.sqrt(ranker.squares - 1e-8), np.abs(slope), rtol=2e-2, atol=5e-3)
    moved = np.abs(slope) > 0.02
    assert (np.sign(ranker.w - before)[moved] == np.sign(slope)[moved]).all()


def test_what_was_consumed_teaches_the_ranker_nothing() -> None:
    shard = shop([(user, item) for user in USERS for item in range(6)])
    models = shard.learner.models
    before = models.ranker.parameters
    item = models.catalogue.find(["i3"])
    models.blend.train(models.moment(shard.slots("u1"), NOW), item)
    assert np.array_equal(models.ranker.parameters, before)
    lists = models.rank(shard.slots("u1"), NOW)[0][2]
    assert (lists.items == -1).all()


def test_a_model_that_foretells_is_listened_to() -> None:
    """Everyone goes from an item to the next: what is popular says nothing."""
    random = np.random.default_rng(2)
    shard = OneShard(ranker=RankerOptions(), length=5, negatives=0)
    at = random.integers(0, 60, 30)
    for _ in range(40):
        at = (at + 1) % 60
        order = random.permutation(30)
        shard.learn(batch_of([(f"u{n}", f"i{at[n]}") for n in order]))
    w = shard.learner.models.ranker.w
    assert w[0] > first_parameters(0)[0]
    _, _, lists = shard.learner.models.rank(shard.slots(*[f"u{n}" for n in range(30)]), NOW)[0]
    names = [shard.learner.catalogue.ids[slot] for slot in lists.items[:, 0]]
    right = [name == f"i{(at[n] + 1) % 60}" for n, name in enumerate(names)]
    assert np.mean(right) > 0.8
    spoken = {MODELS[k] for k in lists.models[:, 0].tolist()}
    assert spoken <= {"item-cf", "user-cf", "mf"}, "all three can know"


@pytest.mark.parametrize("size", [0, 1, 30])
def test_parameters_of_another_ranker_are_left(size: int) -> None:
    ranker = Ranker(RankerOptions())
    ranker.put(np.zeros(size))
    assert np.array_equal(ranker.w, first_parameters(0))


def test_parameters_without_the_last_features_are_kept() -> None:
    ranker, old = Ranker(RankerOptions()), np.arange(1.0, 21.0)
    size = len(ranker.w) // 2
    ranker.put(old)
    assert ranker.w[:5].tolist() == old[:5].tolist()
    assert ranker.w[size : size + 5].tolist() == old[5:10].tolist()
    assert ranker.squares[:5].tolist() == old[10:15].tolist()
    assert (ranker.w[5:size] == first_parameters(0)[5:size]).all()


@pytest.mark.parametrize("serves", [True, False])
def test_what_was_learned_of_a_sequence_model_stays_its_own(serves: bool) -> None:
    """It was learned before `last-item` and `norm`, whose places it has now if a model serves."""
    one = next(iter(features()))._replace(name="of one", source="sequence")
    ranker = Ranker(RankerOptions(), (*features(), *[one] * serves))
    old, before = np.arange(1.0, 4 * (OLD + 1) + 1).reshape(4, -1), ranker.parameters.reshape(4, -1)
    ranker.put(old.ravel())
    now = ranker.parameters.reshape(4, -1)
    assert (now[:, :OLD] == old[:, :OLD]).all()
    assert (now[:, OLD:BASE] == before[:, OLD:BASE]).all()
    assert (now[:, BASE:] == old[:, OLD:]).all() if serves else now.shape[1] == BASE


def test_parameters_with_more_features_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    ranker, size = Ranker(RankerOptions()), BASE
    more = np.arange(1.0, 4 * (size + 1) + 1)
    monkeypatch.setattr(ranking, "most", lambda: size + 1)
    ranker.put(more)
    assert ranker.w.reshape(2, size).tolist() == more.reshape(4, -1)[:2, :size].tolist()
    assert ranker.squares.reshape(2, size).tolist() == more.reshape(4, -1)[2:, :size].tolist()


def test_parameters_that_are_not_finite_are_none() -> None:
    ranker = Ranker(RankerOptions(network="neural"))
    assert len(ranker.w) == 8 * (FEATURES + 2)
    ranker.put(np.full(2 * len(ranker.w), np.nan))
    assert np.isfinite(ranker.parameters).all()
    assert (ranker.squares > 0).all()


def test_the_neural_ranker_begins_near_the_linear_one() -> None:
    x = np.random.default_rng(1).uniform(-0.5, 0.5, (200, FEATURES))
    x[:, BASE:] = 0
    a, b = (logits(x, hidden, first_parameters(hidden)) for hidden in (0, 8))
    assert np.corrcoef(a, b)[0, 1] > 0.98


def test_a_slot_given_to_another_user_is_not_asked() -> None:
    shard = OneShard(user_cache=3, length=5, user_cf=UserCF())
    shard.learn(batch_of([("ann", "a"), ("bob", "a"), ("bob", "b")]))
    shard.learn(batch_of([("eve", "c"), ("kim", "d"), ("lea", "e")]))  # ann and bob are evicted
    shard.learn(batch_of([("ann", "f")]))
    ((_, _, lists),) = shard.learner.models.rank(shard.slots("ann"), NOW, "user-cf")
    assert (lists.models[lists.items >= 0] == MODELS.index("popular")).all()


def test_an_evicted_user_takes_no_neighbours_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_cf, "NEIGHBOURS", 1)
    shard = OneShard(length=5)
    shard.learn(batch_of([("eve", "a"), ("eve", "c"), ("bob", "a"), ("bob", "b"), ("bob", "d")]))
    shard.learn(batch_of([("ann", "a"), ("ann", "b")]))

    def by_user_cf() -> list[str]:
        ((_, _, lists),) = shard.learner.models.rank(shard.slots("ann"), NOW, "user-cf")
        found = lists.items[lists.models == MODELS.index("user-cf")]
        return shard.learner.catalogue.names(found[found >= 0].tolist())

    assert by_user_cf() == ["d"], "bob is most like ann"
    shard.learner.users.forget("bob")
    assert by_user_cf() == ["c"]
