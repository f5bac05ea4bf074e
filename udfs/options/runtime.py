"""The options of what the job depends on: Redis, Flink's state, the job itself.

In: nothing; the defaults are here. Out: `Redis`, `State`, `Job`, sections of the configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from udfs.options import USUAL


class Redis(Struct, frozen=True, kw_only=True):
    """Where the lists are written."""

    url: Annotated[
        str,
        Meta(
            description="The address of Redis: redis://user:password@host:port/database; rediss:// "
            "for TLS; unix:// for a socket; "
            "redis+sentinel://user:password@host:port,host:port/service/database with "
            "Sentinels; redis+cluster://user:password@host:port,host:port for a Redis "
            "Cluster. The variable REDIS_URL sets it too.",
            extra=USUAL,
        ),
    ] = "redis://127.0.0.1:6379/0"
    username: Annotated[
        str, Meta(description="The user name for Redis; empty means the one in redis.url.")
    ] = ""
    password: Annotated[
        str, Meta(description="The password for Redis; empty means the one in redis.url.")
    ] = ""
    prefix: Annotated[
        str,
        Meta(
            description='The prefix of every key and channel, such as "shop1:".',
            extra=USUAL,
        ),
    ] = ""
    expiry_s: Annotated[
        int,
        Meta(
            description="How long a list is kept after it was last written, in seconds.",
            ge=1,
            le=3_153_600_000,
        ),
    ] = 2_592_000
    old_lists_s: Annotated[
        int,
        Meta(
            description="How long the lists of an earlier job stay when a job starts without "
            "state, in seconds, for a shop that is open meanwhile. 0 means that they are removed "
            "before it starts.",
            ge=0,
            le=31_536_000,
        ),
    ] = 0
    keep: Annotated[
        str,
        Meta(
            description="The folder in which the Redis that millirec run starts keeps its lists "
            "when the run has ended, for millirec get, similar, serve and the others. Empty means "
            "that they end with the run."
        ),
    ] = ".millirec/redis"
    refill_per_s: Annotated[
        int,
        Meta(
            description="How many lists per second each user shard rewrites when Redis has lost all"
            " of them. 0 means none: each list comes back with its user's next event.",
            ge=0,
            le=1_000_000,
        ),
    ] = 500
    publish: Annotated[
        bool,
        Meta(
            description="Whether the user's id is published on the channel rec when a list changes."
        ),
    ] = True
    factors: Annotated[
        bool,
        Meta(
            description="Whether each user's factor is written along with the list, as "
            "factor:<user>. POST /rank of millirec serve needs it. It takes about 260 "
            "bytes per user with 32 dimensions."
        ),
    ] = False
    timeout_s: Annotated[
        float,
        Meta(description="How long to wait for an answer from Redis, in seconds.", gt=0, le=600),
    ] = 2.0
    retry_s: Annotated[
        float,
        Meta(
            description="How long to retry while Redis is unreachable, in seconds; after that, the "
            "job goes back to its last checkpoint.",
            ge=0,
            le=86_400,
        ),
    ] = 60.0


class State(Struct, frozen=True, kw_only=True):
    """What Flink keeps, where, and for how long."""

    backend: Annotated[
        Literal["hashmap", "rocksdb"],
        Meta(description="Where Flink keeps the state: in memory (hashmap) or on disk (rocksdb)."),
    ] = "hashmap"
    checkpoints: Annotated[
        str,
        Meta(
            description="The folder or URI for checkpoints; empty means that none are made.",
            extra=USUAL,
        ),
    ] = ""
    checkpoint_s: Annotated[
        float, Meta(description="How often a checkpoint is made, in seconds.", gt=0, le=86_400)
    ] = 10.0
    restore: Annotated[
        str,
        Meta(
            description="The path of the checkpoint or savepoint to start from, or latest for the "
            "newest one in state.checkpoints; empty means to start without any state."
        ),
    ] = ""
    user_expiry_days: Annotated[
        float,
        Meta(
            description="After how many days without an event a user is forgotten.",
            gt=0,
            le=36_500,
        ),
    ] = 90.0
    item_expiry_days: Annotated[
        float,
        Meta(
            description="After how many days without an event an item is forgotten.",
            gt=0,
            le=36_500,
        ),
    ] = 90.0
    user_cache: Annotated[
        int,
        Meta(
            description="The number of users that each subtask keeps in memory.",
            ge=1,
            le=1_000_000_000,
        ),
    ] = 100_000
    max_items: Annotated[
        int,
        Meta(
            description="The maximum number of items; further ones wait until others expire.",
            ge=1,
            le=1_000_000_000,
        ),
    ] = 1_000_000
    history: Annotated[
        int,
        Meta(
            description="The maximum number of consumed items remembered per user.",
            ge=1,
            le=1_000_000,
        ),
    ] = 5000


class Job(Struct, frozen=True, kw_only=True):
    """The Flink job: its name, its size and its micro-batches."""

    name: Annotated[str, Meta(description="The job's name in Flink.", min_length=1)] = "millirec"
    parallelism: Annotated[
        int,
        Meta(
            description="The number of subtasks of each operator.",
            ge=1,
            le=32_768,
            extra=USUAL,
        ),
    ] = 1
    threads: Annotated[
        int,
        Meta(
            description="The number of threads with which each user learner counts and ranks. 0 "
            "means its share of the machine's cores, but at most 4.",
            ge=0,
            le=256,
        ),
    ] = 0
    shards: Annotated[
        int,
        Meta(
            description="The number of parts that the users are divided into, which is the maximum "
            "number of subtasks that can share the work. It cannot change while a job "
            "keeps its state. Every micro-batch is split into this many pieces, so 1 is"
            " fastest on one machine.",
            ge=1,
            le=32_768,
            extra=USUAL,
        ),
    ] = 1
    item_shards: Annotated[
        int,
        Meta(
            description="The number of parts that the items are divided into, which is the maximum "
            "number of subtasks that can share the work. It cannot change while a job "
            "keeps its state.",
            ge=1,
            le=32_768,
            extra=USUAL,
        ),
    ] = 1
    max_parallelism: Annotated[
        int,
        Meta(
            description="The number of Flink's key groups, which is the maximum number of subtasks "
            "that the state can be distributed over. It cannot change while a job keeps"
            " its state.",
            ge=1,
            le=32_768,
        ),
    ] = 128
    window_ms: Annotated[
        int,
        Meta(
            description="How long events are collected for one micro-batch, in milliseconds, for "
            "each subtask: a job of two collects twice as long, a larger one at most 50 ms; for a "
            "bounded input at least 200. Under load, micro-batches that have queued are learned as "
            "one, so it need not be longer for that.",
            ge=1,
            le=60_000,
        ),
    ] = 5
    strict: Annotated[
        bool,
        Meta(
            description="Whether events are processed one at a time and in a fixed order, so that a"
            " bounded run gives the same result every time. It sets shards, item_shards"
            " and parallelism to 1."
        ),
    ] = False
