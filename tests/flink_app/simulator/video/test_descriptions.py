from __future__ import annotations

import numpy as np

from flink_app.simulator.item_lines import DAY_MS
from flink_app.simulator.video.descriptions import fields, opened
from flink_app.simulator.video.library import Library
from flink_app.simulator.video.names import GENRES

NOW = 1_704_067_200_000
LIBRARY = Library(np.random.default_rng(5), 200, 0.8, 0.6)


def test_films_and_episodes_have_the_documented_fields() -> None:
    common = ["title", "text", "category", "tags", "duration_s", "published"]
    for number in range(200):
        told = fields(LIBRARY, number, 88)
        serial = ["series", "episode"] if LIBRARY.episodes[number] else []
        assert list(told) == common + serial
        assert told["category"] in GENRES
        assert len(told["tags"]) == 4
        assert 30 * 60 <= told["duration_s"] < 140 * 60
        if serial:
            assert told["title"].startswith(f"{told['series']}, {told['episode']}: ")


def test_episodes_were_published_in_order_and_all_before_now() -> None:
    for number in range(200):
        since = opened(LIBRARY, number, NOW)
        assert 20 <= (NOW - since) / DAY_MS < 365
        before = int(LIBRARY.before[number])
        if before >= 0:
            assert opened(LIBRARY, before, NOW) == since - DAY_MS
