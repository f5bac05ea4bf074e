"""What users say of themselves, loaded with their rows: the segments by which lists begin.

In: users in memory, and their records in the shard's state. Out: `udfs.memory.people.Profiles`, set
for each of them. A shard of whose users nobody has said anything is not asked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.learning.learner import Learner
from udfs.learning.user_shard import UserShard
from udfs.models.segments.names import likes_of, of_profile
from udfs.models.social.source import follows_of
from udfs.state.handles import Rows
from udfs.state.item_records import Record, fields_of, unpack_record


class ProfileStep:
    """See the module; `people` are the records of the current shard's users."""

    def __init__(self, people: Rows, learner: Learner) -> None:
        self._people, self._learner = people, learner

    def load(self, shard: UserShard, slots: NDArray[np.int32]) -> None:
        """Look for the records of the users in these slots, int32[n], who are new in memory."""
        if not shard.profiled:
            return
        known, names = self._learner.models.segments.profiles.known, self._learner.users.names
        for slot in slots[~known[slots]].tolist():
            record = unpack_record(self._people.get(names[slot]), "what is said of a user")
            self.put(slot, record)

    def put(self, slot: int, record: Record) -> None:
        """Know the user in a slot by a record."""
        fields = fields_of(record)
        segments = self._learner.models.segments
        self._learner.models.social.follows.put(slot, follows_of(fields))
        segments.describe_user(slot, of_profile(fields), likes_of(fields))
