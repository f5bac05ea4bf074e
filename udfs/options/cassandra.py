"""The options of Cassandra, where lists and histories may be kept for long.

In: nothing; the defaults are here. Out: `Cassandra`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

_DAYS = 7300  # Cassandra's own limit is 20 years


class Cassandra(Struct, frozen=True, kw_only=True):
    """Where users' lists and histories are kept for long, besides Redis; see docs/cassandra.md."""

    hosts: Annotated[
        list[str],
        Meta(
            description="Some nodes of the cluster, by which the others are found. Empty means that"
            " there is no Cassandra."
        ),
    ] = []
    port: Annotated[int, Meta(description="The port of CQL.", ge=1, le=65_535)] = 9042
    keyspace: Annotated[
        str,
        Meta(
            description="The keyspace that holds the tables; `millirec cassandra-schema --apply` "
            "makes it."
        ),
    ] = "millirec"
    user: Annotated[str, Meta(description="The user name; empty means that none is asked for.")] = (
        ""
    )
    password: Annotated[
        str,
        Meta(description="Its password. Set it through the variable MILLIREC_CASSANDRA_PASSWORD."),
    ] = ""
    ssl: Annotated[
        bool, Meta(description="Whether connections use TLS; the nodes' certificates are checked.")
    ] = False
    ssl_ca: Annotated[
        str,
        Meta(
            description="The file with the certificates that those of the nodes are checked by; "
            "empty means the system's. Every TaskManager must have it."
        ),
    ] = ""
    consistency: Annotated[
        Literal["ONE", "LOCAL_ONE", "LOCAL_QUORUM", "QUORUM", "EACH_QUORUM", "ALL"],
        Meta(description="How many replicas must have taken a write before it counts as done."),
    ] = "LOCAL_QUORUM"
    lists: Annotated[bool, Meta(description="Whether users' lists are kept.")] = True
    lists_days: Annotated[
        float,
        Meta(description="How long a list is kept after it was written, in days.", gt=0, le=_DAYS),
    ] = 90.0
    history: Annotated[bool, Meta(description="Whether users' events are kept.")] = True
    history_days: Annotated[
        float,
        Meta(description="How long an event is kept after it happened, in days.", gt=0, le=_DAYS),
    ] = 365.0
    in_flight: Annotated[
        int,
        Meta(
            description="How many writes of each subtask may be under way at once.", ge=1, le=1024
        ),
    ] = 64


def keeps_history(cassandra: Cassandra) -> bool:
    """Whether users' events are kept."""
    return bool(cassandra.hosts) and cassandra.history
