"""What a user shard does with a question why an item is in a user's list, or is not: it answers.

In: a `PersonChange` of the kind why. Out: an `Answer` under a key of the user's own, where it is
kept for a while. It asks of each list what fifty lists cost, so that a subtask answers only so many
a second; no state, list or draw is another because of it.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from udfs.events.people import PersonChange
from udfs.learning.allowance import Allowance
from udfs.learning.effects import Answer
from udfs.learning.learner import Learner
from udfs.learning.person import moment
from udfs.learning.profiles import ProfileStep
from udfs.learning.user_shard import Handles, UserShard
from udfs.learning.why import Why
from udfs.lists.keys import WHY, digest

PER_S = 2.0
"""Questions that a subtask answers a second, and ten times as many at once: an answer takes some 70
ms, in which no list is made."""
_json = msgspec.json.Encoder().encode


class WhyStep:
    """The users of one subtask's shards; `state` is scoped to the current one."""

    def __init__(self, state: Handles, learner: Learner, profiles: ProfileStep) -> None:
        self._state, self._learner, self._profiles = state, learner, profiles
        self._why, self._allowance = Why(learner), Allowance(PER_S)

    def answer(self, shard: UserShard, change: PersonChange, now_ms: int) -> Answer:
        """Answer a question, for a while in Redis."""
        user, item = change.user, str(change.fields["item"])
        name = str(change.fields.get("asked", user))  # another id of the same person
        found: dict[str, Any] = {"ts": change.ts, "user": name, "item": item}
        found["answered"] = moment(now_ms)
        if self._allowance.most(now_ms) < 1:
            found["busy"] = True
        else:
            self._allowance.take(1)
            found |= self._found(shard, user, item, now_ms)
        return Answer(WHY + digest(name), _json(found), self._learner.settings.privacy.export_s)

    def _found(self, shard: UserShard, user: str, item: str, now_ms: int) -> dict[str, Any]:
        learner, state = self._learner, self._state
        if state.users.get(user) is None:  # and none is made of whoever is asked about
            return {"facts": [{"fact": "unknown_user"}]}
        rows = state.users, state.history
        slot = learner.users.locate([user], *rows, learner.catalogue)[user]
        slots = np.array([slot], np.int32)
        self._profiles.load(shard, slots)
        shard.noted.load(slots, learner.users.names)
        return self._why.answer(slot, item, now_ms)
