"""Recorded events as columns."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from flink_app.config import Config
from flink_app.evaluate.baselines import Shape
from flink_app.evaluate.evaluation import with_positive
from flink_app.evaluate.stream import keep_all, read_stream
from flink_app.graph.event_settings import decode_settings
from udfs.events.settings import DecodeSettings

NOW = 1_700_000_000_000
LINES = (
    '{"user":"a","item":"x","type":"rating","value":5,"ts":1500000000}',
    '{"user":"b","item":"y","type":"like","ts":1500000001}',
    '{"user":"a","item":"z","type":"rating","value":2,"ts":1500000002}',
)


def settings(positive: str) -> DecodeSettings:
    return decode_settings(with_positive(Config(), positive))


def test_ids_are_numbered_and_ratings_are_as_given(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("\n".join(LINES) + "\n")
    stream = read_stream(tmp_path / "events", settings(""), NOW)
    assert stream.shape == Shape(2, 3, 3)
    assert (stream.users.tolist(), stream.items.tolist()) == ([0, 1, 0], [0, 1, 2])
    assert stream.times.tolist() == [1500000000, 1500000001, 1500000002]
    assert np.array_equal(stream.ratings, [5, np.nan, 2], equal_nan=True)
    assert stream.weights.tolist() == pytest.approx([1, 2, -0.2])
    assert stream.counted.all() and stream.consumed.all()


def test_a_rating_that_does_not_count_stays_for_those_who_learn_ratings(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("\n".join(LINES) + "\n")
    stream = read_stream(tmp_path / "events", settings("rating>=4.5"), NOW)
    assert stream.counted.tolist() == [True, True, False]
    assert stream.ratings[2] == 2


def test_only_some_types_consume(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("\n".join(LINES) + "\n")
    lists = msgspec.structs.replace(Config().lists, consumed_types=["like"])
    chosen = decode_settings(msgspec.structs.replace(Config(), lists=lists))
    assert read_stream(tmp_path / "events", chosen, NOW).consumed.tolist() == [False, True, False]
    assert keep_all(chosen).consumed == ("like",)


def test_what_was_seen_in_lists_is_no_event_of_the_evaluation(tmp_path: Path) -> None:
    seen = '{"user":"a","item":"y","type":"impression","rec":"7-1","ts":1500000003}'
    (tmp_path / "events").write_text("\n".join((*LINES, seen)) + "\n")
    stream = read_stream(tmp_path / "events", settings(""), NOW)
    assert stream.counted.tolist() == [True, True, True, False]
