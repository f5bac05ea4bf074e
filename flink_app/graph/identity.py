"""The part of the graph in which ids become persons, if it is configured.

In: a `Config` and what `parse` sends to the user learner. Out: the same by persons, and the
operator's accounts; the same stream if identities are not resolved.
"""

from __future__ import annotations

from pyflink.datastream import DataStream

from flink_app.config import Config
from flink_app.graph.edges import at_once, by_key, side_output
from udfs.operators.flink import PIECE, STATS
from udfs.operators.identity import Identity

NAME = "identity"


def heard_by(config: Config, user_keys: list[int]) -> list[int]:
    """The keys to which `parse` sends what is for the user learner."""
    return user_keys[:1] if config.identity.enabled else user_keys


def with_persons(
    events: DataStream, config: Config, user_keys: list[int]
) -> tuple[DataStream, list[DataStream]]:
    """What the user learner gets, and the accounts, if any.

    Args:
        events: `(key of heard_by: int, bytes)`. user_keys: Flink's key of each user shard.
    """
    if not config.identity.enabled:
        return events, []
    persons = at_once(
        by_key(events)
        .process(Identity(config.settings, user_keys), PIECE)
        .name(NAME)
        .uid(NAME)
        .set_parallelism(1)
        .disable_chaining()
    )
    return persons, [side_output(persons, STATS)]
