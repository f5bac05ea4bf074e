"""The options of what comes in, and of the lines that are refused.

In: nothing; the defaults are here. Out: `Source`, `DeadLetters`, sections of `tree.Config`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Texts = dict[str, str]


class Source(Struct, frozen=True, kw_only=True):
    """Where the events come from, and how a line is read."""

    kind: Annotated[
        Literal["files", "directory", "kafka", "flink"],
        Meta(
            description="The input: files read once, a directory watched for new files, Kafka, "
            "or any other Flink SQL connector."
        ),
    ] = "files"
    paths: Annotated[
        list[str],
        Meta(description="Files or folders to read (kind files), or to watch (kind directory)."),
    ] = []
    format: Annotated[
        Literal["", "json", "csv"],
        Meta(description="How a line is written; empty: as the preset says."),
    ] = ""
    preset: Annotated[
        str,
        Meta(description="Whose field names the events use: millirec's own, or another system's."),
    ] = "millirec"
    delimiter: Annotated[
        str,
        Meta(description='What separates CSV columns, such as ";"; empty: as the preset says.'),
    ] = ""
    header: Annotated[
        Literal["auto", "yes", "no"],
        Meta(
            description="A CSV line that holds the column names is skipped (auto, yes) or read as "
            "an event (no)."
        ),
    ] = "auto"
    poll_ms: Annotated[
        int,
        Meta(
            description="How often a watched directory is looked at, in milliseconds.",
            ge=1,
            le=60_000,
        ),
    ] = 20
    brokers: Annotated[
        str, Meta(description="Kafka's bootstrap servers, host:port separated by commas.")
    ] = "127.0.0.1:9092"
    topic: Annotated[str, Meta(description="The Kafka topic that holds the events.")] = "events"
    group: Annotated[str, Meta(description="The Kafka consumer group.")] = "millirec"
    start: Annotated[
        Literal["earliest", "latest", "committed"],
        Meta(
            description="Where a first start begins in the Kafka topic; a job that is restored "
            "goes on from its checkpoint."
        ),
    ] = "earliest"
    bounded: Annotated[
        bool,
        Meta(
            description="Whether a run over Kafka or a Flink connector stops at what was the end "
            "when it started."
        ),
    ] = False
    properties: Annotated[
        Texts, Meta(description="Kafka client properties, such as security.protocol.")
    ] = {}
    options: Annotated[
        Texts,
        Meta(description="The connector's own options (kind flink); its name is connector."),
    ] = {}
    fields: Annotated[
        Texts,
        Meta(
            description="Your own mapping over the preset's: millirec's field (user, item, type, "
            "ts, value, id, session, rec) = the source's, a dotted path in JSON, a column's name "
            "or number from 1 in CSV."
        ),
    ] = {}


class DeadLetters(Struct, frozen=True, kw_only=True):
    """Where a line goes that cannot be used, with the reason."""

    kind: Annotated[
        Literal["files", "kafka", "none"],
        Meta(
            description="Where refused lines go: files, a Kafka topic, or nowhere (counted only)."
        ),
    ] = "files"
    path: Annotated[str, Meta(description="The folder they are written to (kind files).")] = (
        "dead-letters"
    )
    topic: Annotated[str, Meta(description="The topic they are written to (kind kafka).")] = (
        "dead-letters"
    )
    brokers: Annotated[
        str,
        Meta(
            description="Kafka's bootstrap servers, host:port separated by commas; empty: the "
            "source's."
        ),
    ] = ""
