from __future__ import annotations

from flink_app.simulator.item_lines import DAY_MS, long_ago


def test_what_was_there_from_the_first_was_published_within_the_year_before() -> None:
    days = [(1_704_067_200_000 - long_ago(n, 1_704_067_200_000)) / DAY_MS for n in range(500)]
    assert min(days) >= 30
    assert max(days) < 365
