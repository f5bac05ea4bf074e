"""The options of what is learned and what lists come of it.

In: nothing; the defaults are here. Out: `Model`, `Lists`, `Quality`, `Feed`, sections of the
configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

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
            description="Numbers in each user's and item's factor; fixed for the life of a state.",
            ge=1,
            le=1024,
        ),
    ] = 32
    loss: Annotated[
        Literal["softmax", "squared"],
        Meta(
            description="What the factors are learned by: softmax, which item a user takes next, "
            "from events of any type; squared, how a user rates an item, from ratings alone. Fixed "
            "for the life of a state."
        ),
    ] = "softmax"
    learning_rate: Annotated[
        float,
        Meta(
            description="The step of each update, a fraction of the gradient over the root of its "
            "past squares.",
            gt=0,
            le=1,
        ),
    ] = 0.12
    regularisation: Annotated[
        float,
        Meta(
            description="The pull of an event's factors towards 0, a fraction of each step.",
            ge=0,
            le=1,
        ),
    ] = 0.1
    negatives: Annotated[
        int,
        Meta(
            description="Items drawn to compare each event's item with: more learn better, and "
            "cost time.",
            ge=0,
            le=1024,
        ),
    ] = 128
    window: Annotated[
        int,
        Meta(
            description="How many of a user's last liked items add to the user's own factor; 0: "
            "none, plain matrix factorisation.",
            ge=0,
            le=256,
        ),
    ] = 10
    window_decay: Annotated[
        float,
        Meta(
            description="After how many items of the window one weighs 1/e of the last.",
            gt=0,
            le=10_000,
        ),
    ] = 6.0
    seed: Annotated[
        int,
        Meta(
            description="The seed of first factors and of negatives.",
            ge=0,
            le=9_007_199_254_740_991,
        ),
    ] = 1
    popularity_half_life_s: Annotated[
        float,
        Meta(
            description="After how long an event counts half for popularity, in seconds.",
            gt=0,
            le=3_153_600_000,
        ),
    ] = 86_400.0


class Lists(Struct, frozen=True, kw_only=True):
    """The lists a front end reads, and how fresh they are."""

    model: Annotated[
        Served,
        Meta(
            description="What makes users' lists: the ranker from all models, or one model alone. "
            f"{words(silent(), 'and')} leave uncounted what was taken together, and are the "
            "fastest."
        ),
    ] = "ranker"
    length: Annotated[int, Meta(description="Items in a list.", ge=1, le=1000)] = 20
    exclude_consumed: Annotated[
        bool, Meta(description="Whether items a user has already consumed are left out.")
    ] = True
    consumed_types: Annotated[
        list[str],
        Meta(
            description="The event types that consume an item; empty: every type but impression. "
            "A type that is left out never enters a user's history, dislikes included."
        ),
    ] = []
    minimum_events: Annotated[
        int,
        Meta(
            description="Events of a user before the list is the user's own; with fewer it holds "
            "what is popular.",
            ge=1,
            le=1_000_000,
        ),
    ] = 1
    refresh: Annotated[
        bool,
        Meta(
            description="Whether users' lists are written; false: the job only learns, to take in "
            "a long history fast. Started again with true, it writes a user's list at the user's "
            "next event."
        ),
    ] = True
    search: Annotated[
        Literal["auto", "exact", "approximate"],
        Meta(
            description="How the best items by factors are found: among all items, or among those "
            "of the most promising clusters; auto: among all below 20,000 items."
        ),
    ] = "auto"
    coalesce_ms: Annotated[
        int,
        Meta(
            description="Under overload a user's list is refreshed at most this often, in "
            "milliseconds; 0: never coalesce.",
            ge=0,
            le=600_000,
        ),
    ] = 200
    overload_ms: Annotated[
        int,
        Meta(
            description="The lag behind the input beyond which lists are coalesced, in "
            "milliseconds.",
            ge=0,
            le=600_000,
        ),
    ] = 500
    similar_every_s: Annotated[
        float,
        Meta(
            description="How often the lists of similar items are written, in seconds.",
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
            description="An item is trending if it is taken more than before in the last one to "
            "two times so many seconds, by the events' times.",
            gt=0,
            le=31_536_000,
        ),
    ] = 3600.0


class Quality(Struct, frozen=True, kw_only=True):
    """How good the lists are, measured while they are served."""

    every: Annotated[
        int,
        Meta(
            description="One event in so many tests, before it is learned, whether its user's list "
            "holds its item; 0: none.",
            ge=0,
            le=1_000_000,
        ),
    ] = 50
    after: Annotated[
        int,
        Meta(
            description="How many events each shard learns before the first of them is a test.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 0
    sequential: Annotated[
        bool,
        Meta(
            description="Whether each event is tested after all that its user did before it, not "
            "just what came in earlier micro-batches: for measuring, slower where users come again."
        ),
    ] = False
    models: Annotated[
        list[str],
        Meta(
            description=f"Models whose lists are tested too: {words(testable())}. The "
            "lists that users have and the popular one always are."
        ),
    ] = []


class Feed(Struct, frozen=True, kw_only=True):
    """The item feed, by which user learners follow the items."""

    publish_ms: Annotated[
        int,
        Meta(
            description="How often an item shard publishes its changes, in milliseconds.",
            ge=1,
            le=60_000,
        ),
    ] = 200
    snapshot_s: Annotated[
        float,
        Meta(
            description="How often an item shard publishes all of its items, in seconds.",
            gt=0,
            le=86_400,
        ),
    ] = 10.0
    keep_s: Annotated[
        float,
        Meta(
            description="How long the feed's stream keeps a change, in seconds; a user learner "
            "that was away for longer loads the snapshots.",
            gt=0,
            le=86_400,
        ),
    ] = 30.0
    megabytes_per_s: Annotated[
        float,
        Meta(
            description="How much all item shards together publish in a second at most, in "
            "megabytes of changes, and as much of snapshots: more changes wait, and are published "
            "once with their newest values.",
            gt=0,
            le=1e6,
        ),
    ] = 4.0
