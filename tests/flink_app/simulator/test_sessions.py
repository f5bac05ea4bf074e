from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flink_app.simulator.actions import Actions
from flink_app.simulator.sessions import LONGEST, Ahead, lengths, moments, pick


def actions(users: list[int]) -> Actions:
    numbers = np.arange(len(users))
    return Actions(np.array(users, np.int64), numbers, numbers * 0, numbers)


def test_sessions_are_as_long_as_asked_in_the_mean_and_end() -> None:
    found = lengths(np.random.default_rng(1), 20_000, 5.0)
    assert found.min() == 1 and found.max() <= LONGEST
    assert abs(found.mean() - 5.0) < 0.15


def test_choices_are_as_likely_as_their_scores_say() -> None:
    scores = np.tile(np.log([[1.0, 2.0, 5.0]]), (40_000, 1)).astype(np.float32)
    shares = np.bincount(pick(np.random.default_rng(1), scores)) / 40_000
    np.testing.assert_allclose(shares, [0.125, 0.25, 0.625], atol=0.01)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(0, 9))
def test_views_of_a_session_are_half_a_step_apart_at_least(long: list[int], seed: int) -> None:
    found = moments(np.random.default_rng(seed), np.array(long), 3.0)
    for own in np.split(found, np.cumsum(long)[:-1]):
        assert 0 <= own[0] < 3 and (np.diff(own) >= 0.5 - 1e-9).all()


eighths = st.integers(0, 160).map(lambda eighth: eighth / 8)  # sums of them are exact


@given(st.lists(st.lists(eighths, max_size=9), min_size=1, max_size=5))
def test_every_action_comes_once_and_in_order(blocks: list[list[float]]) -> None:
    ahead, got, at = Ahead(actions([])), list[tuple[float, int]](), 0.0
    wanted = []
    for n, given_moments in enumerate([*blocks, *[[]] * 8]):
        users = [100 * n + k for k in range(len(given_moments))]
        wanted += [(at + moment, user) for moment, user in zip(given_moments, users, strict=True)]
        block = ahead.block(actions(users), np.array(given_moments), 4.0)
        due = {user for moment, user in wanted if moment < at + 4.0}
        got += [(at, user) for user in block.users.tolist()]
        at += 4.0
        assert {user for _, user in got} == due
        assert {*ahead.users.tolist()} == {user for _, user in wanted} - due
    when = {user: moment for moment, user in wanted}
    assert len(got) == len(wanted)
    assert [when[user] for _, user in got] == sorted(when.values())
