"""The options of what is known of people: whether by name, for how long, and what they may ask.

In: nothing; the defaults are here. Out: `Privacy`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

GRACE_MS = 600_000
"""How long after its end a day is closed. What was counted on it has arrived by then, and is in a
checkpoint: so whatever is restored later closes the day with the same counts."""


class Privacy(Struct, frozen=True, kw_only=True):
    """What is kept of people and for how long, and what lists for everybody may tell of them."""

    pseudonyms: Annotated[
        bool,
        Meta(
            description="Whether ids of users are replaced by hashes as soon as lines are read, "
            "with the secret key in the environment variable MILLIREC_PSEUDONYM_KEY, so that no "
            "id is in state, Redis, logs or dead letters. Another key makes everybody a new user.",
        ),
    ] = False
    checkpoints_days: Annotated[
        float,
        Meta(
            description="For how many days you keep checkpoints and savepoints. millirec does not "
            "delete old ones: a receipt of forgetting says until when they still hold the user, "
            "and events from before are refused until then.",
            ge=0,
            le=36_500,
        ),
    ] = 7.0
    source_days: Annotated[
        float,
        Meta(
            description="For how many days what the job reads keeps its lines, such as "
            "retention.ms of a Kafka topic. A receipt of forgetting says so, and events from "
            "before are refused until then.",
            ge=0,
            le=36_500,
        ),
    ] = 7.0
    export_s: Annotated[
        int,
        Meta(
            description="How long the answer to what is known of a user stays in Redis, in "
            "seconds.",
            ge=1,
            le=86_400,
        ),
    ] = 600
    min_users: Annotated[
        int,
        Meta(
            description="How many different users must have taken an item before it is in a list "
            "that everybody may read: popular, trending, those of categories, segments and similar "
            "items. 0 means any item. Users count from when this is first set.",
            ge=0,
            le=255,
        ),
    ] = 0
    epsilon: Annotated[
        float,
        Meta(
            description="The privacy budget of a user and day for what everybody may read. If it "
            "is above 0, popular, trending and those of categories are made of each day's counts "
            "with Laplace noise, of items that lines describe, and similar items and segments "
            "have no lists. The smaller, the more noise. 0 means exact counts.",
            ge=0,
            le=100,
        ),
    ] = 0.0

    @property
    def held_ms(self) -> int:
        """For how long after a deletion older copies exist somewhere, ms."""
        return int(max(self.checkpoints_days, self.source_days) * 86_400_000)
