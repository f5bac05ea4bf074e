"""A schema as a registry has it.

In: what `udfs.formats.registry` found. Out: what `avro` and `protobuf` read values by.
"""

from __future__ import annotations

import msgspec


class RegisteredSchema(msgspec.Struct, frozen=True):
    """A schema.

    Attributes:
        kind: "avro", "protobuf", or another of the registry's types in lower case.
        text: as it was registered. references: the texts of the schemas that it refers to, by the
            names that it has for them, each after those that it refers to itself.
    """

    kind: str
    text: str
    references: dict[str, str] = {}


class Unfit(Exception):
    """Values of a schema cannot be read; the text says why."""
