"""Which values of a job have their schema in a registry, for `parse` and for the user learner.

In: the configuration. Out: `ValueSettings` of what comes in, `ListFormat` of the lists that go out.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from udfs.options.schema_registry import SchemaRegistry, ValueFormat


class ValueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How values become lines of JSON.

    Attributes:
        events, items: the formats of the two sources; None: their lines are lines already.
        registry: where the schemas are.
    """

    events: ValueFormat | None = None
    items: ValueFormat | None = None
    registry: SchemaRegistry = SchemaRegistry()


class ListFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How lists are written to Kafka.

    Attributes:
        format: of a value. own, shared: the ids of the schema in the topic of users' lists, and in
            that of lists that all share.
    """

    format: Literal["json", ValueFormat] = "json"
    own: int = 0
    shared: int = 0


JSON = ListFormat()
"""Lists without a schema."""
