"""Estimates from logs against the value of the policy in a world that is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from flink_app.evaluate.off_policy import (
    Estimate,
    Estimates,
    Logged,
    estimates,
    expected,
    looked_at,
    of_users,
)
from udfs.errors import ConfigError

PATIENCE, ITEMS, LENGTH = 0.7, 5, 3
TASTE = np.array([0.05, 0.1, 0.15, 0.2, 0.25])


def world(seed: int, n: int, *, support: bool = True) -> tuple[Logged, NDArray[np.int64], float]:
    """n lists of three of five items, in an order that is drawn with known chances; the places of a
    policy, and what it is worth. Without support the last item is never listed."""
    rng = np.random.default_rng(seed)
    shift = np.where(rng.random(n) < 0.5, 1.0, 1.5)  # a kind of users: half as much more
    drawn = rng.random((n, ITEMS)).argsort(axis=1)
    if not support:
        drawn = np.array([[*row[row != 4], 4] for row in drawn])
    place = np.zeros((n, ITEMS), np.int64)
    np.put_along_axis(place, drawn[:, :LENGTH], np.arange(1, LENGTH + 1)[None], axis=1)
    taste = TASTE[None] * shift[:, None]
    taken = rng.random((n, ITEMS)) < taste * looked_at(place, PATIENCE)
    chance = np.full((n, ITEMS), LENGTH / (ITEMS if support else ITEMS - 1))
    wanted = np.tile(np.array([0, 0, 3, 2, 1]), (n, 1))
    features = np.stack([taste, np.tile(np.eye(1, ITEMS)[0], (n, 1))], axis=2)
    log = Logged(
        np.repeat(np.arange(n), ITEMS),
        np.arange(n),
        place.ravel(),
        chance.ravel(),
        taken.ravel(),
        features.reshape(-1, 2),
    )
    worth = (taste * looked_at(wanted, PATIENCE)).sum(axis=1).mean()
    return log, wanted.ravel(), float(worth)


def estimated(seed: int, n: int, *, support: bool = True) -> tuple[Estimates, float]:
    log, wanted, worth = world(seed, n, support=support)
    return estimates(log, wanted, PATIENCE), worth


@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
def test_intervals_hold_the_value_of_the_policy(name: str) -> None:
    held = 0
    for seed in range(60):
        found, worth = estimated(seed, 1500)
        one: Estimate = getattr(found, name)
        held += one.low <= worth <= one.high
    assert held >= 50


def test_items_that_no_list_had_are_missed_by_weights_alone() -> None:
    found, worth = estimated(4, 6000, support=False)
    assert found.ips.high < worth and found.known < 1
    assert found.dr.low <= worth <= found.dr.high


def test_the_lists_of_the_log_are_worth_what_they_were() -> None:
    log, _, _ = world(5, 300)
    sure = log._replace(chance=np.ones_like(log.chance))
    found = estimates(sure, sure.place, PATIENCE)
    assert found.ips == found.logged and found.snips.value == pytest.approx(found.ips.value)
    assert found.known == 1.0


def test_lists_of_one_user_are_one_observation() -> None:
    values = np.array([0.0, 1.0] * 50)
    apart, alike = of_users(values, np.arange(100)), of_users(values, np.tile([0, 1], 50))
    assert apart.value == alike.value == 0.5
    assert alike.high - alike.low > 5 * (apart.high - apart.low)


def test_the_model_is_fitted_to_other_users() -> None:
    log, _, _ = world(6, 400)
    was = looked_at(log.place, PATIENCE)
    before = expected(log, was)
    even = (log.users % 2 == 0)[log.lists]
    after = expected(log._replace(taken=np.where(even, ~log.taken, log.taken)), was)
    assert np.array_equal(before[even], after[even])
    assert not np.allclose(before[~even], after[~even])


def test_too_few_lists_are_refused() -> None:
    log, wanted, _ = world(7, 20)
    with pytest.raises(ConfigError, match="the log has 20 lists"):
        estimates(log, wanted, PATIENCE)
