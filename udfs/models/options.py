"""The options of the models, sections of the configuration and what the models are built with.

In: nothing; the defaults stand here. Out: `ItemCF`, `UserCF`, `RankerOptions`, read by
`flink_app.config`, by `udfs.models.item_cf.neighbours`, `udfs.models.user_cf.consumers` and
`udfs.ranking.ranker`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class ItemCF(Struct, frozen=True, kw_only=True):
    """Item-based collaborative filtering: what was taken together."""

    neighbours: Annotated[
        int,
        Meta(
            description="K, the most neighbours an item keeps, 8 bytes each, 12 in state.",
            ge=1,
            le=10_000,
        ),
    ] = 200
    window: Annotated[
        int,
        Meta(
            description="L, an event is paired with so many last items of its user.",
            ge=1,
            le=255,
        ),
    ] = 50
    window_decay: Annotated[
        float,
        Meta(
            description="The item d before counts exp(−(d − 1) / window_decay) + floor.",
            gt=0,
            le=10_000,
        ),
    ] = 3.0
    floor: Annotated[
        float, Meta(description="What every pair counts at least, see window_decay.", ge=0, le=1)
    ] = 0.3
    backward: Annotated[
        float,
        Meta(
            description="What a pair counts from the later item to the earlier one, as a share.",
            ge=0,
            le=1,
        ),
    ] = 1.0
    span: Annotated[
        float,
        Meta(
            description="After how many events a count weighs 1/e; 0: nothing is forgotten.",
            ge=0,
            le=1e15,
        ),
    ] = 0.0
    recent: Annotated[
        int, Meta(description="H, a list is made from so many last items.", ge=1, le=1000)
    ] = 20
    position_decay: Annotated[
        float,
        Meta(
            description="The k-th newest of these, from 0, counts exp(−k / position_decay).",
            gt=0,
            le=10_000,
        ),
    ] = 8.0
    shrink: Annotated[
        float,
        Meta(
            description="A count of an item with n events is divided by (n + shrink)^power.",
            gt=0,
            le=1e6,
        ),
    ] = 4.0
    target_power: Annotated[
        float, Meta(description="The power for the item that is recommended, α.", ge=0, le=2)
    ] = 0.5
    source_power: Annotated[
        float, Meta(description="The power for the item of the history, β.", ge=0, le=2)
    ] = 0.6


class UserCF(Struct, frozen=True, kw_only=True):
    """User-based collaborative filtering: what like-minded users took."""

    consumers: Annotated[
        int,
        Meta(
            description="R, the last consumers noted for an item; 12 bytes each.", ge=1, le=10_000
        ),
    ] = 50
    recent: Annotated[
        int, Meta(description="Users are alike by so many last items.", ge=1, le=1000)
    ] = 10
    position_decay: Annotated[
        float,
        Meta(
            description="The k-th newest of these, from 0, counts exp(−k / position_decay).",
            gt=0,
            le=10_000,
        ),
    ] = 5.0
    neighbours: Annotated[
        int, Meta(description="How many of the most alike users are asked.", ge=1, le=10_000)
    ] = 50
    said: Annotated[int, Meta(description="For how many last items each.", ge=1, le=10_000)] = 30
    shrink: Annotated[
        float,
        Meta(description="An item that n users share counts by (n + shrink)^−power.", gt=0, le=1e6),
    ] = 4.0
    hermit: Annotated[
        float,
        Meta(description="A user with n events says as much as (n + hermit)^−power.", gt=0, le=1e6),
    ] = 10.0
    power: Annotated[float, Meta(description="See shrink and hermit.", ge=0, le=2)] = 0.5


class RankerOptions(Struct, frozen=True, kw_only=True):
    """The ranker: one score from what all models say, learned from what users take next."""

    network: Annotated[
        Literal["linear", "neural"],
        Meta(description="A weighted sum, or a hidden layer of sigmoids before it."),
    ] = "linear"
    hidden: Annotated[int, Meta(description="Units of the hidden layer.", ge=1, le=1024)] = 8
    learning_rate: Annotated[float, Meta(description="The step of AdaGrad.", gt=0, le=10)] = 0.2
    candidates: Annotated[
        int,
        Meta(
            description="How many items with evidence get a score, those with the most; the best "
            "by factors and the popular do besides.",
            ge=1,
            le=100_000,
        ),
    ] = 200
    samples: Annotated[
        int,
        Meta(
            description="Items drawn as not wanted, beside the candidates, for each event learned.",
            ge=0,
            le=100_000,
        ),
    ] = 200
    train_per_batch: Annotated[
        int,
        Meta(
            description="The most events of a micro-batch that the ranker learns from, evenly "
            "spread; the other models learn from all.",
            ge=0,
            le=1_000_000,
        ),
    ] = 8
