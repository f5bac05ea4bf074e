"""The alarm for falling quality: it finds a fall, and nothing in a steady stream."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from flink_app.monitoring.drift import Drift


def feed(drift: Drift, share: float, tests: int, seed: int, look: int = 20) -> None:
    """Go on with the totals of `tests` more tests, `look` at a time."""
    hits = np.random.default_rng(seed).random(tests) < share
    before = drift.tests, drift.hits
    for n in range(0, tests + 1, look):
        drift.look(before[0] + n, before[1] + int(hits[:n].sum()), float(n))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("look", [1, 100, 5000])
def test_a_steady_stream_raises_none(seed: int, look: int) -> None:
    drift = Drift()
    feed(drift, 0.18, 20_000, seed, look)
    assert (drift.falls, drift.fell_at) == (0, 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_a_fall_is_found_with_its_time(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    drift = Drift()
    feed(drift, 0.18, 10_000, seed)
    with caplog.at_level(logging.WARNING):
        feed(drift, 0.12, 4000, seed)
    assert drift.falls >= 1
    assert 0 < drift.fell_at <= 4000
    assert "the quality of the lists has fallen: recall@10 was 0.1" in caplog.text


def test_a_rise_is_no_alarm() -> None:
    drift = Drift()
    feed(drift, 0.02, 5000, 1)
    feed(drift, 0.18, 5000, 1)
    assert drift.falls == 0


def test_the_first_look_and_totals_that_went_back_are_where_it_begins() -> None:
    drift = Drift()
    drift.look(1_000_000_000, 180_000_000, 0.0)
    drift.look(1_000_000_100, 180_000_018, 1.0)
    drift.look(1_000_000_050, 180_000_009, 2.0)
    assert drift.width == 100
    drift.look(10, 1, 3.0)
    drift.look(20, 3, 4.0)
    assert drift.width == 110


def test_what_came_in_a_long_silence_is_taken_as_some_of_it() -> None:
    drift = Drift()
    drift.look(0, 0, 0.0)
    drift.look(10**9, 18 * 10**7, 1.0)
    assert drift.width == 10_000
    assert drift.falls == 0
