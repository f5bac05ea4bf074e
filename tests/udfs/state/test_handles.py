"""The layout check, and the log of byte chunks."""

from __future__ import annotations

import pytest

from tests.udfs.fakes import DictCell, DictState
from udfs.errors import ServiceError
from udfs.state.layout import Layout
from udfs.state.time_log import TimeLog


def test_a_layout_is_stored_and_then_compared() -> None:
    cell = DictCell()
    Layout(32, 8, 64).check(cell, "the user learner")
    assert cell.data == b'{"shards":32,"item_shards":8,"dimensions":64}', "this form is in state"
    Layout(32, 8, 64).check(cell, "the user learner")


@pytest.mark.parametrize(
    ("layout", "option"),
    [
        (Layout(16, 8, 64), "job.shards = 32, but this job has 16: set job.shards = 32"),
        (Layout(32, 4, 64), "job.item_shards = 8, but this job has 4"),
        (Layout(32, 8, 32), "model.dimensions = 64, but this job has 32"),
        (Layout(32, 8, 64, "squared"), "model.loss = softmax, but this job has squared"),
    ],
)
def test_another_layout_is_refused(layout: Layout, option: str) -> None:
    cell = DictCell()
    Layout(32, 8, 64).check(cell, "the user learner")
    with pytest.raises(ServiceError) as error:
        layout.check(cell, "the user learner")
    assert f"the state of the user learner was written with {option}" in str(error.value)


def test_an_empty_log() -> None:
    log = TimeLog(DictState(), 800)
    assert (log.current, log.expired(10**15), list(log.chunks())) == (-1, [], [])


def test_chunks_go_into_buckets_of_an_eighth_of_the_span() -> None:
    rows = DictState()
    log = TimeLog(rows, 800)
    for now in (1000, 1099, 1100, 1150, 1300):
        log.append(log.begin(now), str(now).encode())
    assert log.buckets == {1000: 2, 1100: 2, 1300: 1}
    assert rows.data["1100:1"] == b"1150"
    again = TimeLog(rows.copy(), 800)
    assert list(again.buckets.items()) == list(log.buckets.items())
    assert again.current == 1300


def test_a_bucket_expires_when_its_last_chunk_must_be_older_than_the_span() -> None:
    rows = DictState()
    log = TimeLog(rows, 800)
    for now in (1000, 1100):
        log.append(log.begin(now), str(now).encode())
    assert log.expired(1900) == []
    assert log.expired(1901) == [1000]
    assert log.expired(2000) == [1000]
    assert log.expired(2001) == [1000, 1100]
    assert log.drop(1000) == [b"1000"]
    assert list(rows.data) == ["1100:0"]


def test_a_full_bucket_is_followed_by_another_at_once() -> None:
    log = TimeLog(DictState(), 800)
    first = log.begin(1000)
    second = log.begin(1000, full=True)
    third = log.begin(1000, full=True)
    assert first < second < third
    assert log.begin(1001) == third


def test_a_clock_that_goes_back_changes_nothing() -> None:
    log = TimeLog(DictState(), 800)
    assert log.begin(1000) == log.begin(500) == log.current == 1000
    assert log.expired(0) == []


def test_a_dropped_bucket_comes_back_in_order() -> None:
    rows = DictState()
    log = TimeLog(rows, 800)
    bucket = log.begin(5)
    for k in range(12):
        log.append(bucket, bytes([k]))
    assert TimeLog(rows, 800).drop(bucket) == [bytes([k]) for k in range(12)]
    assert rows.is_empty()
