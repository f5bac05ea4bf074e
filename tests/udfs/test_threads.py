"""Work shared by threads: all rows are processed once, each thread uses its own memory, errors are
raised."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.udfs.builders import NOW, SETTINGS, batch_of
from udfs.learning.learner import Learner
from udfs.state.handles import MemoryRows
from udfs.threads import Threads, share_of_cores


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 1000])
def test_every_row_is_processed_once_and_no_memory_is_shared(count: int, rows: int) -> None:
    done, busy = np.zeros(rows, np.int64), [threading.Lock() for _ in range(count)]

    def call(thread: int, begin: int, end: int) -> None:
        assert busy[thread].acquire(blocking=False)
        done[begin:end] += 1
        busy[thread].release()

    Threads(count).each(call, rows)
    assert (done == 1).all()


def test_an_error_in_any_thread_is_raised() -> None:
    threads, met = Threads(2), threading.Barrier(2)

    def call(thread: int, begin: int, end: int) -> None:
        met.wait(10)
        if thread == 1:
            raise ValueError("in the other thread")

    with pytest.raises(ValueError, match="in the other thread"):
        threads.each(call, 128)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("rows", [1, 1000])
def test_a_parallel_call_is_done_after_waiting_for_it(count: int, rows: int) -> None:
    done: list[int] = []
    Threads(count).beside(lambda: done.append(1), rows)()
    assert done == [1]
    with pytest.raises(ZeroDivisionError):
        Threads(count).beside(lambda: 1 // 0, rows)()


def test_threads_change_no_list_and_no_message() -> None:
    """Many users and events, so that both threads have work."""
    random = np.random.default_rng(1)
    alone, both = Learner(SETTINGS), Learner(SETTINGS, threads=2)
    rows = {id(learner): (MemoryRows(), MemoryRows()) for learner in (alone, both)}
    for number in range(6):
        pairs = [(f"u{u}", f"i{i}") for u, i in random.integers(0, (400, 60), (500, 2)).tolist()]
        written = []
        for learner in (alone, both):
            found = learner.learn(batch_of(pairs), *rows[id(learner)], number * 500, NOW)
            lists = [some.json for some in learner.user_lists(found.slots, NOW)]
            written.append((lists, sorted(learner.messages(NOW).items())))
        assert written[0] == written[1]
        assert sum(map(len, written[0][0])) > 200


def test_the_share_of_cores_is_at_least_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    assert [share_of_cores(subtasks) for subtasks in (1, 2, 4, 100)] == [4, 3, 1, 1]
