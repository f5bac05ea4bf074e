"""GRU4Rec against its rule written plainly, and sequences whose ends are known."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.evaluate.baselines import Shape
from flink_app.evaluate.baselines import gru4rec as module
from flink_app.evaluate.baselines.gru4rec import Gru4rec, Network, Rule, lanes

SESSIONS = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), max_size=12)
RULE = Rule(rate=0.1, dropout=0.0, negatives=5, alpha=0.5)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch comes with the extra torch")


def trained(sessions: list[list[int]], items: int, **settings: Any) -> Gru4rec:
    """The sessions of users 0, 1, …, trained."""
    model = Gru4rec(Shape(99, items, 999), **{"size": 16, "negatives": 8, "dropout": 0, **settings})
    for user, session in enumerate(sessions):
        for item in session:
            model.learn(user, item, 1.0)
    model.begin_tests()
    return model


def follow(model: Gru4rec, user: int, *items: int) -> np.ndarray:
    for item in items:
        model.follow(user, item)
    return model.scores(user)


@given(SESSIONS, st.integers(1, 4))
def test_every_pair_is_trained_once_and_sessions_stay_whole(
    sessions: list[list[int]], width: int
) -> None:
    steps = lanes(sessions, width)
    found = []
    for lane in range(width):
        ended = steps.given[:, lane] < 0
        assert np.array_equal(ended, steps.wanted[:, lane] < 0)
        assert np.array_equal(ended, np.sort(ended))  # who has ended does not go on
        for at in np.flatnonzero(~ended):
            if steps.first[at, lane]:
                found.append([int(steps.given[at, lane])])
            assert found[-1][-1] == steps.given[at, lane]
            found[-1].append(int(steps.wanted[at, lane]))
    assert sorted(found) == sorted(session for session in sessions if len(session) > 1)
    lengths = (steps.given >= 0).sum(axis=0)
    assert np.array_equal(lengths, -np.sort(-lengths))
    # No lane waits: none is longer than another by more than one session.
    assert lengths[0] - lengths[-1] <= max((len(each) - 1 for each in sessions), default=0)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def plain_state(network: Network, item: int, h: np.ndarray) -> np.ndarray:
    """**h** after an item; the rows of PyTorch's matrices are those of r, z and n in this order."""
    cell = network.cell
    q = network.items.detach().numpy()[item]
    given = cell.weight_ih.detach().numpy() @ q + cell.bias_ih.detach().numpy()
    before = cell.weight_hh.detach().numpy() @ h + cell.bias_hh.detach().numpy()
    size = len(h)
    r = sigmoid(given[:size] + before[:size])
    z = sigmoid(given[size : 2 * size] + before[size : 2 * size])
    n = np.tanh(given[2 * size :] + r * before[2 * size :])
    return (1.0 - z) * n + z * h


def test_the_loss_as_published(torch: Any) -> None:
    counts, random = np.array([4, 1, 9, 2, 0, 7]), np.random.default_rng(2)
    network = Network(counts, 3, seed=1)
    with torch.no_grad():
        network.bias[:, 0] = torch.tensor(random.normal(size=6))
        network.cell.bias_ih[:] = torch.tensor(random.normal(size=9))
    given, wanted, negatives = [0, 2], [2, 5], [1, 3, 2, 5, 5]
    before = random.normal(size=(2, 3)).astype(np.float32)
    lists = (torch.tensor(each) for each in (given, wanted, negatives))
    loss, state = network.loss(*lists, torch.tensor(before), RULE)
    expected, columns = 0.0, [*wanted, *negatives]
    weights = [*counts[wanted], *counts[negatives] ** RULE.alpha]
    vectors, bias = network.items.detach().numpy(), network.bias.detach().numpy()[:, 0]
    for row, item in enumerate(given):
        h = plain_state(network, item, before[row])
        assert state[row].tolist() == pytest.approx(h.tolist(), rel=1e-4)
        scores = vectors[columns] @ h + bias[columns] - np.log(weights)
        expected += np.log(np.exp(scores).sum()) - scores[row]
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-4)


def test_negatives_are_drawn_by_a_power_of_popularity(torch: Any) -> None:
    counts = np.array([0, 1, 4, 16, 0, 64, 0])
    network = Network(counts, 2, seed=3)
    sums = torch.cumsum(torch.tensor(counts, dtype=torch.float64) ** 0.5, 0)
    found = np.bincount(network._drawn(sums, 30_000).numpy(), minlength=len(counts)) / 30_000
    expected = counts**0.5 / (counts**0.5).sum()
    assert np.abs(found - expected).max() < 0.015  # five standard errors
    assert not found[counts == 0].any()


def test_it_learns_what_follows_and_remembers_what_was_before(torch: Any) -> None:
    model = trained([[0, 2, 3], [1, 2, 4]] * 30, 6, epochs=20)
    for first, last in ((0, 3), (1, 4)):
        scores = follow(model, 90 + first, first)
        assert np.argmax(scores) == 2
        scores = follow(model, 90 + first, 2)
        assert np.argmax(scores) == last
        assert scores[5] == -np.inf  # which nobody took in the warm-up


def test_popular_items_where_nothing_is_trained(torch: Any) -> None:
    model = trained([[0, 2], [2, 1], [2]], 4, epochs=1)
    counts = [1, 1, 3, 0]
    assert model.scores(50).tolist() == counts
    assert follow(model, 50, 3).tolist() == counts  # an item of which nothing is known
    assert follow(model, 50, 2).tolist() != counts
    model.learn(51, 3, 1.0)
    assert model.scores(51).tolist() == counts  # later events are not learned
    assert trained([[0], [1]], 4).scores(0).tolist() == [1, 1, 0, 0]  # no pair to train


def test_a_list_depends_on_the_session_and_not_on_when_it_was_asked_for(torch: Any) -> None:
    sessions = [[0, 1, 2], [3, 1], [2, 0, 3]]
    often, once = (trained(sessions, 5, epochs=2) for _ in range(2))
    for item in (1, 4, 3, 3):
        follow(often, 7, item)
        follow(often, 8, 0)
    assert np.array_equal(follow(once, 7, 1, 4, 3, 3), often.scores(7))
    # Users of the warm-up go on where they were.
    assert np.array_equal(follow(once, 1, 2), follow(often, 9, 3, 1, 2))


def test_a_seed_decides_everything(torch: Any) -> None:
    sessions = [[0, 1, 2], [3, 1], [2, 0, 3]]
    one, same, other = (trained(sessions, 4, seed=s, dropout=0.4, epochs=2) for s in (1, 1, 2))
    assert np.array_equal(one.scores(0), same.scores(0))
    assert not np.array_equal(one.scores(0), other.scores(0))


def test_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "such as --warmup half" in Gru4rec.lacks(warmup=False)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert Gru4rec.lacks(warmup=True).startswith("needs PyTorch, which is not installed: pip ")
    monkeypatch.setattr(module, "find_spec", find_spec)
    assert (find_spec("torch") is None) == bool(Gru4rec.lacks(warmup=True))
