from __future__ import annotations

import numpy as np

from flink_app.simulator.actions import Actions, joined


def some(*rows: tuple[int, int, int, int]) -> Actions:
    return Actions(*np.array(rows, np.int64).T)


def test_taking_and_joining_keep_rows_together() -> None:
    actions = joined(some((1, 2, 0, 4), (5, 6, 1, 8)), some((9, 10, 2, 12)))
    taken = actions.take(np.array([2, 0]))
    assert len(actions) == 3
    assert taken.users.tolist() == [9, 1]
    assert taken.items.tolist() == [10, 2]
    assert taken.kinds.tolist() == [2, 0]
    assert taken.sessions.tolist() == [12, 4]
