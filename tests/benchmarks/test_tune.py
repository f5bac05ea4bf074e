"""The choice of settings, on invented ratings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks.evaluate import SETS
from benchmarks.tune import GRIDS, defaults, first_half, recall, settings, shares, show
from flink_app.evaluate.baselines import BASELINES


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    """40 ratings of 5 users, the newest first; every other one is a 5."""
    path = tmp_path / "u.data"
    lines = [f"{n % 5}\t{n * n % 13}\t{5 if n % 2 else 3}\t{1_000_000_000 + n}" for n in range(40)]
    path.write_text("\n".join(reversed(lines)) + "\n")
    return path


def test_the_first_half_is_of_all_ratings_for_any_positive_rule(
    ratings: Path, tmp_path: Path
) -> None:
    for positive, counted in zip(SETS.values(), (10, 20), strict=True):
        stream, length = first_half(ratings, positive, tmp_path)
        assert stream.shape.events == len(stream.users) == 20 and length > 0
        assert int(stream.counted.sum()) == counted
        assert stream.ratings.tolist() == [3.0, 5.0] * 10  # by time
        assert stream.shape.users == 5 and stream.shape.items == len(set(stream.items.tolist()))


@pytest.mark.parametrize("name", GRIDS)
def test_grids_hold_the_defaults_and_valid_parameters(
    name: str, ratings: Path, tmp_path: Path
) -> None:
    tried = list(settings(GRIDS[name]))
    assert defaults(BASELINES[name], list(GRIDS[name])) in tried
    stream, length = first_half(ratings, "rating>=0", tmp_path)
    assert 0 <= recall(BASELINES[name], stream, length, 1, tried[-1]) <= 1


def test_a_setting_that_is_best_for_both_has_score_1() -> None:
    scores = shares([(0.1, 0.02), (0.2, 0.04), (0.0, 0.04)])
    np.testing.assert_allclose(scores, [0.5, 1.0, 0.5])
    np.testing.assert_allclose(shares([(0.0, 0.1), (0.0, 0.2)]), [0.25, 0.5])


def test_the_defaults_are_shown_even_if_they_are_not_among_the_best() -> None:
    present = defaults(BASELINES["item-knn"], ["recent"])
    rows = [
        {"setting": given, "recall@10": dict.fromkeys(SETS, value), "share": value}
        for given, value in (({"recent": -1}, 0.9), ({"recent": -2}, 0.8), (present, 0.7))
    ]
    console = Console(record=True, width=120)
    show(console, "item-knn", rows, 1)
    text = console.export_text()
    assert "0.9000" in text and "0.7000" in text and "0.8000" not in text
    assert f"*     {present['recent']}" in text
