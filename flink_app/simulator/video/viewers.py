"""What the users of the video platform have watched, and what that makes them want.

In: watched fractions. Out: how much better or worse a video suits a user for it; the episode that
is next, and the video that was begun.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.video.library import NONE, Library
from flink_app.simulator.video.truth import AGAIN, AMIDST, NEXT, PEEK, WATCHED


class Viewers:
    """All users so far; user n is row n of each array.

    ended: (users, items) bool, what each has watched to its end. following: (users,) int64, the
    episode after the one that was watched last, or NONE. begun: (users,) int64, the video that was
    left last and not given up, or NONE.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self.ended: NDArray[np.bool_] = np.zeros((0, 0), np.bool_)
        self.following: NDArray[np.int64] = np.empty(0, np.int64)
        self.begun: NDArray[np.int64] = np.empty(0, np.int64)

    def grow(self, users: int) -> None:
        """Have rows for so many users, and columns for all videos of the library."""
        rows, columns = users - len(self.ended), len(self._library) - self.ended.shape[1]
        if rows or columns:
            self.ended = np.pad(self.ended, ((0, rows), (0, columns)))
        nothing = np.full(rows, NONE)
        self.following = np.concatenate([self.following, nothing])
        self.begun = np.concatenate([self.begun, nothing])

    def lift(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float32]:
        """What is added to the affinity of each row's user for each row's videos.

        An episode whose previous one the user has watched is better by `NEXT`, another later
        episode worse by `AMIDST`; what was watched is worse by `AGAIN`.

        users: (n,) int64. items: (n, k) int64. Returns (n, k) float32.
        """
        before = self._library.before[items]
        ready = self.ended[users[:, None], np.maximum(before, 0)]
        lifted = np.where(before < 0, 0.0, np.where(ready, NEXT, -AMIDST))
        lifted -= AGAIN * self.ended[users[:, None], items]
        return lifted.astype(np.float32)

    def note(
        self,
        users: NDArray[np.int64],
        items: NDArray[np.int64],
        fractions: NDArray[np.float64],
    ) -> None:
        """Take note of n watches of different users: (n,) numbers, and fractions in 0 to 1."""
        whole = fractions >= WATCHED
        self.ended[users[whole], items[whole]] = True
        after = self._library.after[items]
        self.following[users[whole & (after >= 0)]] = after[whole & (after >= 0)]
        left = ~whole & (fractions >= PEEK)
        self.begun[users[left]] = items[left]
        done = whole & (self.begun[users] == items)
        self.begun[users[done]] = NONE
