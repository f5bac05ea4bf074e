"""The loops of the session baselines by hand; `test_sessions` compares them with plain rules."""

from __future__ import annotations

import numpy as np

from flink_app.evaluate.baselines import Shape
from flink_app.evaluate.baselines.session_kernels import add_rules, last_items, sharing
from flink_app.evaluate.baselines.sessions import Log


def log_of(pairs: list[tuple[int, int]]) -> Log:
    log = Log(Shape(4, 5, len(pairs)))
    for n, (user, item) in enumerate(pairs):
        log.add(user, item, float(n))
    return log


def test_a_session_from_its_newest_event_back() -> None:
    log = log_of([(0, 1), (0, 2), (1, 4), (0, 1), (0, 3)])
    step_of = np.zeros(5, np.int32)
    length, items = last_items(0, log.what, log.last, log.older, 9, step_of)
    assert (length, items.tolist()) == (4, [3, 1, 2])
    assert step_of.tolist() == [0, 2, 3, 1, 0]
    step_of[:] = 0
    length, items = last_items(0, log.what, log.last, log.older, 2, step_of)
    assert (length, items.tolist()) == (2, [3, 1])


def test_the_newest_sessions_that_share_an_item() -> None:
    log = log_of([(0, 1), (1, 1), (2, 2), (3, 4), (1, 3), (0, 2)])
    chain = log.who, log.last, log.last_of_item, log.older_of_item
    both = np.array([2, 1], np.int32)
    assert sharing(0, both, *chain, 9).tolist() == [1, 2]
    assert sharing(0, both, *chain, 1).tolist() == [1]
    assert sharing(0, np.array([4], np.int32), *chain, 9).tolist() == [3]


def test_rules_reach_so_far_back() -> None:
    log = log_of([(0, 1), (0, 2), (0, 3)])
    rules = np.zeros((5, 5), np.float32)
    add_rules(2, 3, log.what, log.older, 2, rules)
    expected = np.zeros((5, 5), np.float32)
    expected[3, 3], expected[2, 3] = 1.0, 0.5
    assert np.array_equal(rules, expected)
