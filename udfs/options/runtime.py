"""The options of what the job stands on: Redis, Flink's state, the job itself.

In: nothing; the defaults are here. Out: `Redis`, `State`, `Job`, sections of the configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Redis(Struct, frozen=True, kw_only=True):
    """Where the lists are written."""

    url: Annotated[
        str,
        Meta(
            description="Redis as redis://user:password@host:port/database; rediss:// for TLS, "
            "unix:// for a socket, redis+sentinel://user:password@host:port,host:port/service/"
            "database for one that Sentinels watch, redis+cluster:// and such hosts for a Redis "
            "Cluster. The variable REDIS_URL sets it too."
        ),
    ] = "redis://127.0.0.1:6379/0"
    username: Annotated[str, Meta(description="Used instead of the URL's, unless empty.")] = ""
    password: Annotated[str, Meta(description="Used instead of the URL's, unless empty.")] = ""
    prefix: Annotated[str, Meta(description="Put before every key and channel.")] = ""
    expiry_s: Annotated[
        int,
        Meta(
            description="After how long without a refresh a list expires, in seconds.",
            ge=1,
            le=3_153_600_000,
        ),
    ] = 2_592_000
    refill_per_s: Annotated[
        int,
        Meta(
            description="How many lists a second each user shard writes anew when Redis has lost "
            "them all; 0: none, each comes back with its user's next event.",
            ge=0,
            le=1_000_000,
        ),
    ] = 500
    publish: Annotated[
        bool, Meta(description="Whether channel rec tells which user's list has changed.")
    ] = True
    factors: Annotated[
        bool,
        Meta(
            description="Whether each list is written with its user's factor, factor:<user>, which "
            "POST /rank of millirec serve needs: some 260 bytes of Redis a user with 32 dimensions."
        ),
    ] = False
    timeout_s: Annotated[
        float, Meta(description="How long an answer is waited for, in seconds.", gt=0, le=600)
    ] = 2.0
    retry_s: Annotated[
        float,
        Meta(
            description="How long an unreachable Redis is retried before the job goes back to its "
            "checkpoint, in seconds.",
            ge=0,
            le=86_400,
        ),
    ] = 60.0


class State(Struct, frozen=True, kw_only=True):
    """What Flink keeps, for how long, and how it is made safe."""

    backend: Annotated[
        Literal["hashmap", "rocksdb"],
        Meta(description="Where Flink holds the state: in memory, or in RocksDB on disk."),
    ] = "hashmap"
    checkpoints: Annotated[
        str, Meta(description="The folder or URI of checkpoints; empty: none are made.")
    ] = ""
    checkpoint_s: Annotated[
        float, Meta(description="How often a checkpoint is made, in seconds.", gt=0, le=86_400)
    ] = 10.0
    restore: Annotated[
        str,
        Meta(
            description="The checkpoint or savepoint to start from: its path, or latest for the "
            "newest in checkpoints; empty: start anew."
        ),
    ] = ""
    user_expiry_days: Annotated[
        float,
        Meta(
            description="After how long without an event a user is forgotten, in days.",
            gt=0,
            le=36_500,
        ),
    ] = 90.0
    item_expiry_days: Annotated[
        float,
        Meta(
            description="After how long without an event an item is forgotten, in days.",
            gt=0,
            le=36_500,
        ),
    ] = 90.0
    user_cache: Annotated[
        int, Meta(description="Users cached in memory per subtask.", ge=1, le=1_000_000_000)
    ] = 100_000
    max_items: Annotated[
        int,
        Meta(
            description="Items learned at most; further ones wait until others expire.",
            ge=1,
            le=1_000_000_000,
        ),
    ] = 1_000_000
    history: Annotated[
        int, Meta(description="Consumed items remembered per user.", ge=1, le=1_000_000)
    ] = 5000


class Job(Struct, frozen=True, kw_only=True):
    """The Flink job: its name, its size and its rhythm."""

    name: Annotated[str, Meta(description="The job's name in Flink.", min_length=1)] = "millirec"
    parallelism: Annotated[int, Meta(description="Subtasks of each operator.", ge=1, le=32_768)] = 1
    threads: Annotated[
        int,
        Meta(
            description="Threads in which each user learner counts and ranks; 0: its share of the "
            "machine's cores, at most 4.",
            ge=0,
            le=256,
        ),
    ] = 0
    shards: Annotated[
        int,
        Meta(
            description="Parts the users are divided into; fixed for the life of a state, and the "
            "most subtasks that can ever share the work. Each cuts its piece out of every "
            "micro-batch, so one is fastest on one machine.",
            ge=1,
            le=32_768,
        ),
    ] = 1
    item_shards: Annotated[
        int,
        Meta(
            description="Parts the items are divided into; fixed for the life of a state, and the "
            "most subtasks that can ever share the work.",
            ge=1,
            le=32_768,
        ),
    ] = 1
    max_parallelism: Annotated[
        int,
        Meta(
            description="Flink's key groups, the most subtasks the state can ever be spread over; "
            "fixed for the life of a state.",
            ge=1,
            le=32_768,
        ),
    ] = 128
    window_ms: Annotated[
        int,
        Meta(
            description="How long events are gathered into one micro-batch, in milliseconds; "
            "from a bounded input at least 200.",
            ge=1,
            le=60_000,
        ),
    ] = 20
    strict: Annotated[
        bool,
        Meta(
            description="Whether all runs in sequence, so that a bounded run gives the same result "
            "twice: makes shards, item_shards and parallelism 1."
        ),
    ] = False
