"""The options of a schema registry, which has the schemas of Avro and Protobuf values.

In: nothing; the defaults are here. Out: `SchemaRegistry`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

ValueFormat = Literal["avro", "protobuf"]
"""A format of values whose schemas are in a registry."""
VALUE_FORMATS: tuple[ValueFormat, ...] = ("avro", "protobuf")


class SchemaRegistry(Struct, frozen=True, kw_only=True):
    """Where the schemas of Avro and Protobuf values are; see docs/formats.md."""

    url: Annotated[
        str,
        Meta(
            description="The address of the registry's API, as Confluent's, such as "
            "https://registry:8081; of Apicurio with the path /apis/ccompat/v7."
        ),
    ] = ""
    user: Annotated[
        str, Meta(description="The user name, or API key; empty means that none is asked for.")
    ] = ""
    password: Annotated[
        str,
        Meta(
            description="Its password, or the secret of the API key. Set it through the variable "
            "MILLIREC_SCHEMA_REGISTRY_PASSWORD."
        ),
    ] = ""
    ssl_ca: Annotated[
        str,
        Meta(
            description="The file with the certificates that the registry's is checked by; empty "
            "means the system's. Every TaskManager must have it."
        ),
    ] = ""
