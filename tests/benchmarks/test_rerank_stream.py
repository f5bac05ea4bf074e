"""What exposure and no repeats give on real ratings: on the first of MovieLens-100K's."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import rerank_stream
from benchmarks.rerank_curves import read
from tests.data_sets import data


def test_exposure_grows_with_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerank_stream, "SHARES", (0.3,))
    folder = data("ml-100k/u.item").parent
    found = rerank_stream.measure_exposure(read(folder, 1500), folder / "u.item")
    none, asked = found.values()
    assert none["theta"] == 0.0 < asked["theta"]
    assert asked["of the last half"] > none["of the last half"] + 0.02


def test_what_was_seen_often_is_seen_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerank_stream, "REPEATS", (3,))
    folder = data("ml-100k/u.item").parent
    none, some = rerank_stream.measure_repeats(read(folder, 900), folder / "u.item").values()
    assert some["repeated"] < 0.7 * none["repeated"]


def test_exposure_is_weighted_by_place() -> None:
    meant = np.array([True, False])
    first, second = (np.full((1, 20), -1, np.int32) for _ in range(2))
    first[0, :2], second[0, :2] = (0, 1), (1, 0)
    assert rerank_stream.exposed(first, meant) == pytest.approx(1 / (1 + 1 / np.log2(3)))
    assert rerank_stream.exposed(second, meant) < 0.5
