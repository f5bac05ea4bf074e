"""BiasedMF by hand and against River's own."""

from __future__ import annotations

import numpy as np
import pytest

from flink_app.evaluate.baselines import Shape
from flink_app.evaluate.baselines.biased import BiasedMf


def test_a_rating_by_hand() -> None:
    model = BiasedMf(Shape(1, 1, 1), factors=1, bias_rate=0.1, rate=0.2, penalty=0.5)
    model.users[:], model.items[:] = 1.0, 2.0
    assert model.predict(0, 0) == 2.0  # mean 0, biases 0, product 2
    model.learn(0, 0, 4.0)  # mean 4, predicted 6, slope 4
    assert model.users[0, 0] == pytest.approx(1 - 0.2 * (4 * 2 + 0.5 * 1))
    assert model.items[0, 0] == pytest.approx(2 - 0.2 * (4 * 1 + 0.5 * 2))
    product = model.users[0, 0] * model.items[0, 0]
    assert model.predict(0, 0) == pytest.approx(4 - 2 * 0.1 * 4 + product)
    assert model.scores(0)[0] == pytest.approx(-0.1 * 4 + product)


def test_it_predicts_what_river_predicts() -> None:
    reason = "River comes with the extra peers"
    reco = pytest.importorskip("river.reco", reason=reason)
    optim = pytest.importorskip("river.optim", reason=reason)
    random = np.random.default_rng(2)
    model = BiasedMf(Shape(8, 9, 500), factors=4, bias_rate=0.03, rate=0.05, penalty=0.02)
    peer = reco.BiasedMF(
        n_factors=4, bias_optimizer=optim.SGD(0.03), latent_optimizer=optim.SGD(0.05),
        l2_latent=0.02,
    )  # fmt: skip
    for user in range(8):
        peer.u_latents[user] = model.users[user].copy()
    for item in range(9):
        peer.i_latents[item] = model.items[item].copy()
    for _ in range(500):
        user, item = int(random.integers(8)), int(random.integers(9))
        assert model.predict(user, item) == pytest.approx(peer.predict_one(user, item), abs=1e-9)
        rating = float(random.integers(1, 6))
        model.learn(user, item, rating)
        peer.learn_one(user, item, rating)
