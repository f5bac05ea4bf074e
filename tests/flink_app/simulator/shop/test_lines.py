from __future__ import annotations

import json

import numpy as np

from flink_app.simulator.actions import Actions
from flink_app.simulator.shop.lines import SEARCH, encode
from flink_app.simulator.shop.wording import query


def some(*rows: tuple[int, int, int, int]) -> Actions:
    return Actions(*np.array(rows, np.int64).T)


def test_lines_are_events_in_order_with_consecutive_ids() -> None:
    actions = some((3, 14, 0, 9), (3, 14, 2, 9))
    events = [json.loads(line) for line in encode(actions, [1000, 1001], first=40, run="x-")]
    assert events == [
        {"user": "u3", "item": "i14", "type": "view", "ts": 1000, "id": "x-e40", "session": "x-s9"},
        {
            "user": "u3",
            "item": "i14",
            "type": "purchase",
            "ts": 1001,
            "id": "x-e41",
            "session": "x-s9",
        },
    ]


def test_a_search_has_words_and_no_item() -> None:
    [line] = encode(some((3, 205, SEARCH, 9)), [1000], first=0, run="")
    assert json.loads(line) == {
        "user": "u3",
        "type": "search",
        "query": query(205),
        "ts": 1000,
        "id": "e0",
        "session": "s9",
    }
