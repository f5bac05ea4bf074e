"""The options of what is learned, and of the resulting lists.

In: nothing; the defaults are here. Out: `Model`, `Lists`, `Quality`, `Feed`, sections of the
configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from udfs.options import USUAL
from udfs.options.sources import models, silent, testable, words

if TYPE_CHECKING:
    Served = str
else:
    _names = ("ranker", *models())
    Served = Literal[_names]


class Model(Struct, frozen=True, kw_only=True):
    """Matrix factorisation, learned online, and popularity."""

    dimensions: Annotated[
        int,
        Meta(
            description="The number of dimensions of each user's and item's factor. It cannot "
            "change while a job keeps its state.",
            ge=1,
            le=1024,
            extra=USUAL,
        ),
    ] = 32
    loss: Annotated[
        Literal["softmax", "squared"],
        Meta(
            description="What the factors learn. softmax: which item a user chooses next, from "
            "events of any type. squared: how a user rates an item, from ratings alone."
            " It cannot change while a job keeps its state."
        ),
    ] = "softmax"
    learning_rate: Annotated[
        float,
        Meta(
            description="The size of each step, as a fraction of the gradient divided by the root "
            "of its past squares (AdaGrad).",
            gt=0,
            le=1,
        ),
    ] = 0.1
    regularisation: Annotated[
        float,
        Meta(
            description="How strongly the factors of an event are pulled towards 0, as a fraction "
            "of each step.",
            ge=0,
            le=1,
        ),
    ] = 0.1
    negatives: Annotated[
        int,
        Meta(
            description="The number of random items that each event's item is compared with. More "
            "give better factors, but take more time.",
            ge=0,
            le=1024,
        ),
    ] = 128
    window: Annotated[
        int,
        Meta(
            description="How many of a user's latest liked items add to the user's own factor. 0 "
            "means none: plain matrix factorisation.",
            ge=0,
            le=256,
        ),
    ] = 10
    window_decay: Annotated[
        float,
        Meta(
            description="After how many items of the window an item's weight has fallen to 1/e of "
            "the latest item's.",
            gt=0,
            le=10_000,
        ),
    ] = 3.0
    seed: Annotated[
        int,
        Meta(
            description="The seed of the initial factors and of the random negatives.",
            ge=0,
            le=9_007_199_254_740_991,
        ),
    ] = 1
    popularity_half_life_s: Annotated[
        float,
        Meta(
            description="After how long an event counts half as much for popularity, in seconds. 0 "
            "mixes several half-lives, from an hour to none, and what new users take, by what "
            "predicts best what these take first.",
            ge=0,
            le=3_153_600_000,
        ),
    ] = 0.0


class Lists(Struct, frozen=True, kw_only=True):
    """The lists that a front end reads, and how fresh they are."""

    model: Annotated[
        Served,
        Meta(
            description="What makes the users' lists: ranker combines all models; any other value "
            f"is one model alone. {words(silent(), 'and')} do not count which items go together, "
            "and are the fastest."
        ),
    ] = "ranker"
    length: Annotated[
        int,
        Meta(
            description="The number of items in a list.",
            ge=1,
            le=1000,
            extra=USUAL,
        ),
    ] = 20
    exclude_consumed: Annotated[
        bool,
        Meta(
            description="Whether items that the user has already consumed are left out. With false "
            "a user's history has an item again each time that the user returns to it.",
            extra=USUAL,
        ),
    ] = True
    exclude_own: Annotated[
        bool,
        Meta(
            description="Whether items whose provider is the user are left out of the user's lists:"
            " where users publish what others take."
        ),
    ] = False
    consumed_types: Annotated[
        list[str],
        Meta(
            description="The event types that consume an item; empty means every type but "
            "impression. Events of a type that is missing here never enter a user's "
            "history, not even dislikes."
        ),
    ] = []
    minimum_events: Annotated[
        int,
        Meta(
            description="The number of events after which a user gets a list of their own; with "
            "fewer, the list contains what users like them begin with, or popular items.",
            ge=1,
            le=1_000_000,
        ),
    ] = 1
    refresh: Annotated[
        bool,
        Meta(
            description="Whether users' lists are written. With false the job only learns, which is"
            " faster for a long history. When it is restarted with true, it writes each"
            " user's list at the user's next event."
        ),
    ] = True
    search: Annotated[
        Literal["auto", "exact", "approximate"],
        Meta(
            description="How the best items by factors are found: among all items (exact), or among"
            " those of the most promising clusters (approximate). auto is exact below "
            "20,000 items."
        ),
    ] = "auto"
    kept: Annotated[
        int,
        Meta(
            description="How many items that follow a user's list are kept in Redis besides, as "
            "kept:<user>: filters of requests choose from them too. 0 means none, so that a "
            "filtered list is filled with what is popular.",
            ge=0,
            le=1000,
        ),
    ] = 0
    coalesce_ms: Annotated[
        int,
        Meta(
            description="Under overload, which is a lag of more than 500 milliseconds, each user's "
            "list is refreshed at most once in this time, in milliseconds. 0 means with"
            " every batch, even then.",
            ge=0,
            le=600_000,
        ),
    ] = 200
    similar_every_s: Annotated[
        float,
        Meta(
            description="How often the list of items similar to an item is written at most, in "
            "seconds.",
            gt=0,
            le=86_400,
        ),
    ] = 10.0
    popular_every_s: Annotated[
        float,
        Meta(
            description="How often the popular and the trending list are written, in seconds.",
            gt=0,
            le=86_400,
        ),
    ] = 1.0
    trending_window_s: Annotated[
        float,
        Meta(
            description="The time over which demand is compared, in seconds: an item is trending if"
            " it was chosen more often than before in the last one to two such periods,"
            " by the events' times.",
            gt=0,
            le=31_536_000,
        ),
    ] = 3600.0


class Quality(Struct, frozen=True, kw_only=True):
    """How well the lists predict what users choose, measured while the job runs."""

    every: Annotated[
        int,
        Meta(
            description="One event in this many is a test: before the event is learned, the job "
            "checks whether the user's list contains its item. 0 means no tests.",
            ge=0,
            le=1_000_000,
        ),
    ] = 50
    models: Annotated[
        list[str],
        Meta(
            description=f"Models whose lists are tested too: {words(testable())}. The lists that "
            "users get and the popular list are always tested."
        ),
    ] = []
    attribution_days: Annotated[
        float,
        Meta(
            description="For how many days the last lists of a user are kept in the state, so that "
            "events with rec are joined to them: views, clicks and conversions, by place, model "
            "and more. 0 means that nothing is kept.",
            ge=0,
            le=90,
        ),
    ] = 0.0


class Feed(Struct, frozen=True, kw_only=True):
    """The item feed, through which user learners follow the items."""

    snapshot_s: Annotated[
        float,
        Meta(
            description="How often an item shard publishes all of its items, in seconds.",
            gt=0,
            le=86_400,
        ),
    ] = 10.0
    megabytes_per_s: Annotated[
        float,
        Meta(
            description="The maximum that all item shards together publish per second, in "
            "megabytes: so much of changes, and as much again of snapshots. Changes "
            "beyond it wait, and are published once, with their latest values.",
            gt=0,
            le=1e6,
        ),
    ] = 4.0
