"""The options of what comes in, and of the lines that are rejected.

In: nothing; the defaults are here. Out: `Source`, `DeadLetters`, sections of `tree.Config`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from udfs.options import USUAL

Texts = dict[str, str]
Brokers = Annotated[
    str,
    Meta(
        description="Kafka's bootstrap servers, as host:port, separated by commas; empty means "
        "those of source.brokers."
    ),
]
"""The brokers of a section besides the source."""


class Source(Struct, frozen=True, kw_only=True):
    """Where the events come from, and how a line is read."""

    kind: Annotated[
        Literal["files", "directory", "kafka", "flink"],
        Meta(
            description="The input: files that are read once, a directory that is watched for new "
            "files, kafka, or any other Flink SQL connector (flink).",
            extra=USUAL,
        ),
    ] = "files"
    paths: Annotated[
        list[str],
        Meta(
            description="The files or folders to read (kind files), or the folders to watch (kind "
            "directory).",
            extra=USUAL,
        ),
    ] = []
    format: Annotated[
        Literal["", "json", "csv", "avro", "protobuf"],
        Meta(
            description="The format of a line, or of a Kafka message's value: avro and protobuf "
            "have their schemas in schema_registry.url. Empty means the preset's."
        ),
    ] = ""
    preset: Annotated[
        str,
        Meta(
            description="Which field names the events use: those of millirec, or of another system,"
            " such as segment or movielens.",
            extra=USUAL,
        ),
    ] = "millirec"
    delimiter: Annotated[
        str,
        Meta(
            description='What is between two CSV columns, such as ";" or "\\t"; empty means '
            "the preset's."
        ),
    ] = ""
    encoding: Annotated[
        str,
        Meta(
            description="How text is encoded, by Python's name, such as latin-1; empty means UTF-8,"
            " or what a byte order mark says."
        ),
    ] = ""
    columns: Annotated[
        list[str],
        Meta(
            description="The names of CSV columns from left to right, for input without a header, "
            'or with one of other names (source.header = "yes"); empty means the preset\'s.'
        ),
    ] = []
    quote: Annotated[
        str,
        Meta(
            description="The character around CSV cells; empty if quotes are ordinary characters; "
            "auto means the preset's."
        ),
    ] = "auto"
    decimal: Annotated[
        Literal["", ".", ","],
        Meta(description="The decimal mark of numbers in CSV; empty means the preset's."),
    ] = ""
    time_format: Annotated[
        str,
        Meta(
            description="How times are written, such as %d.%m.%Y %H:%M, in the notation of Python's"
            " strptime; empty means seconds to nanoseconds since 1970, ISO 8601, and other forms "
            "that can be read in one way only."
        ),
    ] = ""
    each: Annotated[
        str,
        Meta(
            description="The list on a line whose elements are events of their own, such as "
            "properties.products[]; in CSV a column whose words are items. Empty means the "
            "preset's."
        ),
    ] = ""
    header: Annotated[
        Literal["auto", "yes", "no"],
        Meta(
            description="Whether the first line of a CSV file is a header, by whose names columns "
            "are found: auto, if it has those of the user and the item; yes; or no."
        ),
    ] = "auto"
    poll_ms: Annotated[
        int,
        Meta(
            description="How often a watched directory is checked for new files, in milliseconds. "
            "Each check lists all of its files, at about 10 µs each.",
            ge=1,
            le=60_000,
        ),
    ] = 10
    brokers: Annotated[
        str,
        Meta(
            description="Kafka's bootstrap servers, as host:port, separated by commas.",
            extra=USUAL,
        ),
    ] = "127.0.0.1:9092"
    topic: Annotated[
        str,
        Meta(
            description="The Kafka topic with the events.",
            extra=USUAL,
        ),
    ] = "events"
    group: Annotated[str, Meta(description="The Kafka consumer group.")] = "millirec"
    start: Annotated[
        Literal["earliest", "latest", "committed"],
        Meta(
            description="Where to start in the Kafka topic when the job starts without state; a "
            "restored job continues from its checkpoint."
        ),
    ] = "earliest"
    bounded: Annotated[
        bool,
        Meta(
            description="Whether a run over Kafka or a Flink connector stops at what was the end of"
            " the input when it started."
        ),
    ] = False
    properties: Annotated[
        Texts, Meta(description="Properties of the Kafka client, such as security.protocol.")
    ] = {}
    options: Annotated[
        Texts,
        Meta(
            description="The connector's own options (kind flink); its name is the option "
            "connector."
        ),
    ] = {}
    fields: Annotated[
        Texts,
        Meta(
            description="Your own field names, in addition to the preset's: millirec's field (user,"
            " item, type, ts, value, id, session, rec) = the source's field, which is a"
            " dotted path in JSON, and a column's name or its number from 1 in CSV. Of several,"
            " with | between them, the first that has a value is read."
        ),
    ] = {}


class DeadLetters(Struct, frozen=True, kw_only=True):
    """Where rejected lines go, each with the reason."""

    kind: Annotated[
        Literal["files", "kafka", "none"],
        Meta(
            description="Where rejected lines go: files, a Kafka topic, or nowhere (they are only "
            "counted)."
        ),
    ] = "files"
    path: Annotated[str, Meta(description="The folder for rejected lines (kind files).")] = (
        "dead-letters"
    )
    topic: Annotated[str, Meta(description="The topic for rejected lines (kind kafka).")] = (
        "dead-letters"
    )
    brokers: Brokers = ""
