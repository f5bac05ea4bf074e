"""What users in memory say of themselves."""

from __future__ import annotations

import numpy as np

from udfs.memory.people import SEGMENTS, Profiles


def test_it_is_kept_by_slot_until_the_user_leaves_memory() -> None:
    profiles = Profiles()
    profiles.put(3, [5, -1, 7], ("mug",))
    profiles.put(4, [*range(SEGMENTS + 3)], ())
    assert profiles.of(3) == [5, 7] and profiles.known[3] and profiles.likes == {3: ("mug",)}
    assert profiles.of(4) == [*range(SEGMENTS)]
    profiles.clear(np.array([3]))
    assert profiles.of(3) == [] and not profiles.known[3] and profiles.likes == {}
    assert profiles.of(4)
    profiles.put(4, [1], ())
    assert profiles.of(4) == [1]
