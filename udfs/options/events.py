"""The options of what an event is worth.

In: nothing; the defaults are here. Out: `Events`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Weight = Annotated[float, Meta(ge=-10, le=10)]

WEIGHTS = {
    "impression": 0.0,
    "view": 1.0,
    "click": 1.2,
    "play": 1.2,
    "favourite": 1.6,
    "cart": 1.6,
    "like": 2.0,
    "purchase": 2.0,
    "dislike": -1.0,
}
"""What an event of each type says about the user's taste; the learning rate is meant for 1."""


class Events(Struct, frozen=True, kw_only=True):
    """What an event is worth, and which events are refused."""

    default_type: Annotated[
        str, Meta(description="The type of an event that names none.", min_length=1)
    ] = "view"
    unknown_type: Annotated[
        Literal["reject", "accept"],
        Meta(
            description="An event whose type has no weight goes to the dead letters (reject) or "
            "is learned with weight 1 (accept)."
        ),
    ] = "reject"
    rating_rule: Annotated[
        Literal["linear", "threshold"],
        Meta(
            description="How a rating becomes a weight; linear: (value - rating_neutral) / "
            "rating_scale, clipped to -1 to 1; threshold: 1 from rating_threshold up, else 0."
        ),
    ] = "linear"
    rating_neutral: Annotated[
        float,
        Meta(description="The rating of weight 0 (rule linear), in the source's own scale."),
    ] = 2.5
    rating_scale: Annotated[
        float,
        Meta(
            description="How far above neutral a rating has weight 1 (rule linear), in the "
            "source's own scale; half of its width. model.loss squared learns in this unit.",
            gt=0,
        ),
    ] = 2.5
    rating_threshold: Annotated[
        float,
        Meta(
            description="The lowest rating that counts as liked (rule threshold), in the source's "
            "own scale."
        ),
    ] = 4.0
    zero_weight: Annotated[
        Literal["learn", "ignore"],
        Meta(
            description="An event of weight 0 counts and, unless it is an impression, consumes its "
            "item (learn), or is passed over (ignore)."
        ),
    ] = "learn"
    deduplicate_s: Annotated[
        float,
        Meta(
            description="How long an event's id is remembered, so that a second event with it is "
            "dropped, in seconds.",
            gt=0,
            le=31_536_000,
        ),
    ] = 3600.0
    deduplicate_ids: Annotated[
        int,
        Meta(
            description="The most ids remembered per shard; the oldest give way.",
            ge=1,
            le=100_000_000,
        ),
    ] = 100_000
    max_id_bytes: Annotated[
        int,
        Meta(description="The longest user, item or event id, in bytes of UTF-8.", ge=1, le=65_536),
    ] = 512
    user_per_minute: Annotated[
        int,
        Meta(
            description="How many events of one user are taken in a minute of the clock, against "
            "bots; more are dead letters. 0: all, as when history is read.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 0
    earliest: Annotated[
        str,
        Meta(description="An event with an earlier time is refused; ISO 8601 with its zone."),
    ] = "1990-01-01T00:00:00Z"
    latest_ahead_s: Annotated[
        float,
        Meta(
            description="An event whose time is further ahead of the clock is refused, in seconds.",
            ge=0,
            le=3_153_600_000,
        ),
    ] = 86_400.0
    weights: Annotated[
        dict[str, Weight],
        Meta(
            description="The weight of each event type, negative for dislike; entries you give "
            "are added to these. Type rating has its own rule."
        ),
    ] = field(default_factory=lambda: dict(WEIGHTS))
