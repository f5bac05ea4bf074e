"""The options of the lists that are also written to Kafka.

In: nothing; the defaults are here. Out: `ListsTopic`, a section of `tree.Config`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from flink_app.config.input_options import Brokers, Texts
from udfs.lists.keys import NAMES

KINDS = [*dict.fromkeys(NAMES.values())]
"""What kinds of lists there are."""


class ListsTopic(Struct, frozen=True, kw_only=True):
    """Lists as records of a compacted Kafka topic, besides Redis."""

    topic: Annotated[
        str,
        Meta(
            description="The compacted Kafka topic that also gets each user's list, by the user's "
            "id; empty means none. Lists that all share go to the topic of this name and -shared."
        ),
    ] = ""
    brokers: Brokers = ""
    format: Annotated[
        Literal["json", "avro", "protobuf"],
        Meta(
            description="How a list is written: as JSON as in Redis, or in Avro or Protobuf, whose "
            "schema the job registers in schema_registry.url."
        ),
    ] = "json"
    kinds: Annotated[
        list[str],
        Meta(description=f"Which lists are written: any of {', '.join(KINDS)}."),
    ] = field(default_factory=KINDS.copy)
    delivery: Annotated[
        Literal["at-least-once", "exactly-once"],
        Meta(
            description="Whether a list may be written again after a failure, or each belongs to a "
            "transaction that a checkpoint commits: readers then see lists state.checkpoint_s "
            "late."
        ),
    ] = "at-least-once"
    properties: Annotated[
        Texts,
        Meta(
            description="Properties of the Kafka client, such as security.protocol; without any, "
            "and without lists_topic.brokers, those of the source."
        ),
    ] = {}
