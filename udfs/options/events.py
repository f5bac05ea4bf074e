"""The options of what an event is worth.

In: nothing; the defaults are here. Out: `Events`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from udfs.options import USUAL

Weight = Annotated[float, Meta(ge=-10, le=10)]
Neutral = Annotated[float, Meta(ge=0, lt=1)]

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
"""How much an event of each type says about taste; the learning rate suits a weight of 1."""


class Events(Struct, frozen=True, kw_only=True):
    """What an event is worth, and which events are rejected."""

    default_type: Annotated[
        str, Meta(description="The type of an event that has none.", min_length=1)
    ] = "view"
    unknown_type: Annotated[
        Literal["reject", "accept"],
        Meta(
            description="What happens to an event whose type has no weight: reject sends it to the "
            "dead letters, accept learns it with weight 1."
        ),
    ] = "reject"
    rating_rule: Annotated[
        Literal["linear", "threshold"],
        Meta(
            description="How a rating becomes a weight. linear: (value - rating_neutral) / "
            "rating_scale, limited to -1 to 1. threshold: 1 if the value is at least "
            "rating_threshold, otherwise 0."
        ),
    ] = "linear"
    rating_neutral: Annotated[
        float,
        Meta(description="The rating that gets weight 0 (rule linear), on the source's own scale."),
    ] = 2.5
    rating_scale: Annotated[
        float,
        Meta(
            description="How far above rating_neutral a rating gets weight 1 (rule linear), on the "
            "source's own scale: half of the scale's width. With model.loss squared, "
            "ratings are learned in this unit.",
            gt=0,
        ),
    ] = 2.5
    rating_threshold: Annotated[
        float,
        Meta(
            description="The lowest rating that counts as liked (rule threshold), on the source's "
            "own scale."
        ),
    ] = 4.0
    zero_weight: Annotated[
        Literal["learn", "ignore"],
        Meta(
            description="What happens to an event of weight 0. learn: it counts, and consumes its "
            "item unless it is an impression. ignore: it is skipped, unless it tells what was "
            "seen of a list."
        ),
    ] = "learn"
    deduplicate_s: Annotated[
        float,
        Meta(
            description="How long the id of an event is remembered, in seconds; another event with "
            "the same id is dropped in that time.",
            gt=0,
            le=31_536_000,
        ),
    ] = 3600.0
    deduplicate_ids: Annotated[
        int,
        Meta(
            description="The maximum number of event ids remembered per user shard; beyond it, the "
            "oldest are forgotten.",
            ge=1,
            le=100_000_000,
        ),
    ] = 100_000
    max_id_bytes: Annotated[
        int,
        Meta(
            description="The maximum length of a user, item or event id, in bytes of UTF-8.",
            ge=1,
            le=65_536,
        ),
    ] = 512
    ids: Annotated[
        Literal["text", "integers"],
        Meta(
            description="What ids are. text: any characters, compared exactly. integers: whole "
            "numbers in any notation, so that 1001.0 and 1.001E+3 are 1001."
        ),
    ] = "text"
    user_per_minute: Annotated[
        int,
        Meta(
            description="The maximum number of events accepted from one user in a minute of "
            "wall-clock time, against bots; the rest go to the dead letters. 0 means no"
            " limit, as needed to read history.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 0
    earliest: Annotated[
        str,
        Meta(
            description="Events with an earlier time are rejected; an ISO 8601 time with its zone."
        ),
    ] = "1990-01-01T00:00:00Z"
    fractions: Annotated[
        dict[str, Neutral],
        Meta(
            description="Event types whose value is a fraction from 0 to 1, such as how much of a "
            "video was watched, each with the fraction that says nothing. The type's weight is "
            "multiplied by (value - it) / (1 - it), limited to -1 to 1: what is given up early "
            "is a weak dislike."
        ),
    ] = {}
    weights: Annotated[
        dict[str, Weight],
        Meta(
            description="The weight of each event type; a negative weight is a dislike. Your "
            "entries are added to the defaults. Ratings get their weight from "
            "rating_rule instead.",
            extra=USUAL,
        ),
    ] = field(default_factory=lambda: dict(WEIGHTS))
