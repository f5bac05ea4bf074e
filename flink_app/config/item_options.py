"""The options of what is told about items, if it comes apart from the events.

In: nothing; the defaults are here. Out: `Items`, a section of `tree.Config`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from flink_app.config.input_options import Brokers, Source, Texts
from udfs.options import USUAL


class Items(Source, frozen=True, kw_only=True):
    """Where lines about items come from, and how they are read, if not among the events."""

    kind: Annotated[
        Literal["", "files", "directory", "kafka", "flink"],
        Meta(
            description="The input of lines about items alone: files that are read once, a "
            "directory that is watched for new files, kafka, or any other Flink SQL connector "
            "(flink). Empty means that there is none; lines of the kind item among the events are "
            "read in any case.",
            extra=USUAL,
        ),
    ] = ""  # type: ignore[assignment]
    paths: Annotated[
        list[str],
        Meta(
            description="The files or folders to read (kind files), or the folders to watch (kind "
            "directory)."
        ),
    ] = field(default_factory=list)
    preset: Annotated[
        str,
        Meta(
            description="Which names the fields have: those of millirec, or of another system, "
            "such as shopify, google or debezium; empty means those that go with source.preset."
        ),
    ] = ""
    columns: Annotated[
        list[str],
        Meta(
            description="The names of CSV columns from left to right, for input without a header; "
            "empty means the preset's."
        ),
    ] = field(default_factory=list)
    time_format: Annotated[
        str,
        Meta(
            description="How times are written, such as %d.%m.%Y %H:%M, in the notation of Python's"
            " strptime; empty means all forms that can be read in one way only."
        ),
    ] = ""
    each: Annotated[
        str,
        Meta(
            description="The list in an object whose elements are the items, such as products; "
            "empty means the preset's. Lines that are lists themselves are read without it."
        ),
    ] = ""
    header: Annotated[
        Literal["auto", "yes", "no"],
        Meta(
            description="Whether the first line of a CSV file is a header, by whose names columns "
            "are found: auto, if it has that of the item, or the preset has no columns; yes; or no."
        ),
    ] = "auto"
    brokers: Brokers = ""
    topic: Annotated[str, Meta(description="The Kafka topic with the lines about items.")] = "items"
    properties: Annotated[
        Texts,
        Meta(
            description="Properties of the Kafka client, such as security.protocol; empty means "
            "those of source.properties."
        ),
    ] = field(default_factory=dict)
    fields: Annotated[
        Texts,
        Meta(
            description="Your own field names, in addition to the preset's: millirec's field "
            "(item, ts, title, text, categories, tags, price, currency, provider, image, vector, "
            "text_vector, image_vector, available, hidden, published, expires, attributes, deleted)"
            " = the source's field, which is a dotted path in JSON, and a column's name in CSV. Of "
            "several, with | between them, the first that has a value is read; ! before a flag's "
            "negates it."
        ),
    ] = field(default_factory=dict)
