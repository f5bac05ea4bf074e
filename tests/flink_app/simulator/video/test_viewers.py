"""What was watched, compared with a plain account of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flink_app.simulator.video.library import NONE, Library
from flink_app.simulator.video.truth import AGAIN, AMIDST, NEXT, PEEK, WATCHED
from flink_app.simulator.video.viewers import Viewers

LIBRARY = Library(np.random.default_rng(4), 40, 0.8, 0.8)
WATCHES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 39), st.sampled_from([0.05, 0.5, 0.95])),
    max_size=60,
)


@given(WATCHES)
def test_lifts_and_what_is_next_follow_what_was_watched(
    watches: list[tuple[int, int, float]],
) -> None:
    viewers = Viewers(LIBRARY)
    viewers.grow(3)
    ended: set[tuple[int, int]] = set()
    following, begun = [NONE] * 3, [NONE] * 3
    for user, item, part in watches:
        viewers.note(np.array([user]), np.array([item]), np.array([part]))
        if part >= WATCHED:
            ended.add((user, item))
            if LIBRARY.after[item] != NONE:
                following[user] = int(LIBRARY.after[item])
            if begun[user] == item:
                begun[user] = NONE
        elif part >= PEEK:
            begun[user] = item
    assert viewers.following.tolist() == following
    assert viewers.begun.tolist() == begun
    everything = np.tile(np.arange(40), (3, 1))
    lifted = viewers.lift(np.arange(3), everything)
    for user in range(3):
        for item in range(40):
            before = int(LIBRARY.before[item])
            wanted = -AGAIN * ((user, item) in ended)
            if before != NONE:
                wanted += NEXT if (user, before) in ended else -AMIDST
            assert abs(lifted[user, item] - wanted) < 1e-6


def test_new_users_have_watched_nothing_and_old_ones_keep_what_they_have() -> None:
    library = Library(np.random.default_rng(4), 20, 0.8, 0.5)
    viewers = Viewers(library)
    viewers.grow(2)
    viewers.note(np.array([1]), np.array([3]), np.array([1.0]))
    library.grow(5)
    viewers.grow(4)
    assert viewers.ended.shape == (4, 25)
    assert np.argwhere(viewers.ended).tolist() == [[1, 3]]
    assert viewers.following[2:].tolist() == viewers.begun[2:].tolist() == [NONE, NONE]
