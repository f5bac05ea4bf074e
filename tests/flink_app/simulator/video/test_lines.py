from __future__ import annotations

import json

import numpy as np

from flink_app.simulator.video.lines import FAVOURITE, RATING, WATCH, Watches, encode


def test_watches_and_ratings_have_a_value_and_favourites_none() -> None:
    rows = np.array([[3, 14, WATCH, 9], [3, 14, RATING, 9], [3, 14, FAVOURITE, 9]]).T
    actions = Watches(*rows, np.array([0.934, 4.0, 0.0]))
    told = [json.loads(line) for line in encode(actions, [1, 2, 3], first=40, run="x-")]
    whole = {"user": "u3", "item": "i14", "session": "x-s9"}
    assert told == [
        {**whole, "type": "watch", "value": 0.934, "ts": 1, "id": "x-e40"},
        {**whole, "type": "rating", "value": 4, "ts": 2, "id": "x-e41"},
        {**whole, "type": "favourite", "ts": 3, "id": "x-e42"},
    ]
    assert encode(actions.take(slice(1, 2)), [2], 41, "x-") == [json_line(told[1])]


def json_line(event: dict[str, object]) -> bytes:
    order = ("user", "item", "type", "value", "ts", "id", "session")
    return json.dumps({key: event[key] for key in order}, separators=(",", ":")).encode()
