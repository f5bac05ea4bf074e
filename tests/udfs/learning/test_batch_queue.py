"""Pieces of a window wait for each other, late batches for the next ones, nothing is lost."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import batch_of
from udfs.events.batch import EventBatch, pack
from udfs.learning.batch_queue import BatchQueue


class MemoryLog(list[bytes]):
    """A `Log` in memory."""

    def get(self) -> list[bytes]:
        return [*self]

    def add(self, value: bytes) -> None:
        self.append(value)


def piece(user: str, opened: int) -> EventBatch:
    return msgspec.structs.replace(batch_of([(user, "item")]), opened=opened)


def pauses(queue: BatchQueue, *opened: int) -> list[bool]:
    """Whether each piece of these windows, that comes when its window closes, has to wait."""
    found = []
    for window in opened:
        made = piece("ann", window)
        found.append(bool(queue.pause(made, window + 10)))
        if found[-1]:
            queue.put(pack(made), made)
        else:
            queue.take(made)
    return found


def test_a_piece_waits_if_the_window_before_had_more() -> None:
    queue = BatchQueue(MemoryLog(), 10)
    assert pauses(queue, 0, 0, 10, 10, 20, 20) == [False, False, True, False, True, False]
    assert pauses(queue, 30, 50, 60, 60) == [True, False, False, False], "there was only one"
    assert pauses(queue, 50, 70) == [False, True], "an older one does not count"


def test_the_only_piece_of_each_window_does_not_wait() -> None:
    assert not any(pauses(BatchQueue(MemoryLog(), 10), *range(0, 1000, 10)))


def test_without_a_window_nothing_waits() -> None:
    queue = BatchQueue(MemoryLog(), 0)
    assert not any(queue.pause(piece("ann", 10), now) for now in (10, 20, 1000))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=40))
def test_each_event_is_learned_once_in_order(arrivals: list[tuple[int, int]]) -> None:
    log = MemoryLog()
    queue, learned, now = BatchQueue(log, 5), list[str](), 0
    for number, (lag, pause) in enumerate(arrivals):
        made, now = piece(str(number), now - lag), now + pause
        if queue.pause(made, now):
            assert queue.put(pack(made), made) == (len(log) == 1)
        else:
            learned += queue.take(made).users
        if number % 7 == 6:
            queue = BatchQueue(log, 5)  # a restart
    if queue:
        learned += queue.take().users
    assert learned == [str(number) for number in range(len(arrivals))]
    assert not log
