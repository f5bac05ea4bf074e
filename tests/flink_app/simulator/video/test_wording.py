from __future__ import annotations

import numpy as np

from flink_app.simulator.video.library import Library


def test_videos_with_the_same_words_are_more_alike_than_others() -> None:
    library = Library(np.random.default_rng(2), 600, 0.8, 0.0)
    same, other = [], []
    for one in range(0, 600, 10):
        for two in range(one + 10, 600, 10):  # of one genre
            shared = set(library.wording.tags(one)) & set(library.wording.tags(two))
            likeness = float(library.vectors[one] @ library.vectors[two])
            (same if len(shared) >= 2 else other).append(likeness)
    assert len(same) > 20
    assert np.mean(same) > np.mean(other) + 0.05
