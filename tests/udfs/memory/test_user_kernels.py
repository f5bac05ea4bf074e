"""Users' rows, packed by the kernel, against the record they are read as."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.memory import user_kernels
from udfs.memory.history_kernels import PAGE, History
from udfs.memory.user_kernels import HEAD, Stored
from udfs.state.records import USER_VERSION, user_dtype

D, USERS, PAGES, ITEMS = 3, 6, 5, 50


def arrays(seed: int) -> tuple[History, Stored]:
    random = np.random.default_rng(seed)

    def large(top: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return random.integers(0, top, USERS)

    history = History(
        random.integers(-1, PAGES, USERS).astype(np.int32),
        random.integers(0, PAGE + 1, USERS).astype(np.int32),
        np.full(PAGES, -1, np.int32),
        random.integers(0, ITEMS, (PAGES, PAGE)).astype(np.int32),
        random.integers(0, 2**32, PAGES).astype(np.uint32),
        large(2**32),
        large(9),
    )
    stored = Stored(
        random.normal(size=(USERS, D)).astype(np.float32),
        random.normal(size=USERS).astype(np.float32),
        random.integers(-(2**40), 2**62, USERS),
        large(2**62),
        large(2**32),
        large(2**32),
        random.integers(0, 2**64, ITEMS, np.uint64),
    )
    return history, stored


@given(st.integers(0, 10**6), st.lists(st.integers(0, USERS - 1), unique=True))
def test_rows_hold_the_columns(seed: int, users: list[int]) -> None:
    history, stored = arrays(seed)
    slots = np.array(users, np.int32)
    packed = np.full((len(slots), HEAD + D + 2 * PAGE), 77, np.uint32)
    user_kernels.pack_rows(slots, history, stored, packed)
    records = np.frombuffer(packed.tobytes(), user_dtype(D))
    assert len(records) == len(slots)
    for record, slot in zip(records, slots, strict=True):
        page, fill = history.tail[slot], int(history.fill[slot])
        fill = 0 if page < 0 or fill == PAGE else fill
        wanted = [stored.keys[j] for j in history.pages[page, :fill]]
        assert (record["version"], record["d"], record["fill"]) == (USER_VERSION, D, fill)
        assert record["recent"].tolist() == [*map(int, wanted), *[0] * (PAGE - fill)]
        assert record["disliked"] == (history.disliked[page] if fill else 0)
        assert record["events"] == history.events[slot]
        for name in ("last", "seen", "first", "sealed", "spread"):
            assert record[name] == getattr(stored, name)[slot], name
        assert record["factor"].tolist() == stored.p[slot].tolist()
