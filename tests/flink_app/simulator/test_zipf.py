from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from flink_app.simulator import zipf_events


def events(count: int, seed: int = 1) -> list[dict[str, object]]:
    text = b"".join(zipf_events(count, users=200, items=50, exponent=1.0, seed=seed))
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def many() -> list[dict[str, object]]:
    return events(50_001)


@pytest.mark.parametrize(("field", "letter", "size"), [("user", "u", 200), ("item", "i", 50)])
def test_users_and_items_follow_truncated_zipf(
    many: list[dict[str, object]], field: str, letter: str, size: int
) -> None:
    counts = Counter(str(event[field]) for event in many)
    expected = 1.0 / np.arange(1, size + 1)
    expected /= expected.sum()
    shares = np.array([counts.pop(f"{letter}{rank}", 0) for rank in range(size)]) / len(many)
    assert not counts
    np.testing.assert_allclose(shares, expected, atol=0.008)


def test_users_and_items_are_independent(many: list[dict[str, object]]) -> None:
    common = [event["item"] == "i0" for event in many if event["user"] == "u0"]
    overall = np.mean([event["item"] == "i0" for event in many])
    assert np.mean(common) == pytest.approx(overall, abs=0.02)


def test_ids_are_unique_times_ascend_and_types_are_mixed(many: list[dict[str, object]]) -> None:
    assert [event["id"] for event in many] == [f"e{number}" for number in range(50_001)]
    times = np.array([event["ts"] for event in many])
    assert np.all(np.diff(times) == 1)
    kinds = Counter(event["type"] for event in many)
    assert kinds["view"] > kinds["cart"] > kinds["purchase"] > 1000


def test_a_hot_user_and_a_hot_item_get_an_additional_share() -> None:
    text = b"".join(zipf_events(20_000, 200, 50, 0.0, hot_user=0.2, hot_item=0.3))
    found = [json.loads(line) for line in text.splitlines()]
    for field, name, share, size in (("user", "u0", 0.2, 200), ("item", "i0", 0.3, 50)):
        hot = np.mean([event[field] == name for event in found])
        assert hot == pytest.approx(share + (1 - share) / size, abs=0.02)
        assert len({event[field] for event in found}) == size


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert events(500, seed=3) == events(500, seed=3) != events(500, seed=4)
    assert list(zipf_events(0, users=1, items=1)) == []
