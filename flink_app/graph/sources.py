"""Reads events: Flink SQL tables of the raw lines and their positions.

In: `[source]` of the configuration. Out: a `Source`, from which come the `CREATE TABLE` statements
and the micro-batches.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from flink_app.config import Config
from flink_app.config.paths import flink_uri, local
from flink_app.graph.inputs import (
    NOT_LEFT_ALONE,
    charset,
    files_below,
    name_oddity,
    oddities,
    refuse,
)
from udfs.errors import SourceError


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A table to read lines from.

    Attributes:
        name: what positions refer to, for dead letters.
        columns: SQL of the metadata columns after `line`.
        position: SQL of a line's position, "" if there is none.
        lane: SQL of an integer that is equal for lines whose order matters, from 0 to lanes - 1.
        lanes: how many there are, one for each subtask.
        options: the connector's options.
        bounded: whether the input ends.
        paths: the tables to union: one `path` each for files; a single "" otherwise.
    """

    name: str
    columns: str
    position: str
    lane: str
    options: dict[str, str]
    bounded: bool
    lanes: int = 1
    paths: tuple[str, ...] = ("",)


def source_of(config: Config) -> Source:
    """The configured source.

    Raises:
        SourceError: a file or folder does not exist, or is of the wrong kind.
    """
    kind = config.source.kind
    if kind == "kafka":
        return _kafka(config)
    if kind == "flink":
        return _flink(config)
    return _files(config)


def create_tables(source: Source, time_column: str) -> list[str]:
    """`CREATE TABLE source0`, `source1`, … with `line`, the metadata and a time attribute."""
    statements = []
    for number, path in enumerate(source.paths):
        options = source.options | ({"path": path} if path else {})
        listed = ", ".join(f"{_sql(key)} = {_sql(value)}" for key, value in options.items())
        statements.append(
            f"CREATE TABLE source{number} (line STRING{source.columns}, {time_column}) "
            f"WITH ({listed})"
        )
    return statements


def _files(config: Config) -> Source:
    """Files and folders, read once; or watched folders, whose new files are read as they appear."""
    watched = config.source.kind == "directory"
    paths, encoding = paths_of(config), config.source.encoding
    odd = {path: reason for path in paths if (reason := name_oddity(path))}
    for file, reason in (odd or ({} if watched else oddities(files_of(paths), encoding))).items():
        raise refuse(file, reason)
    options = {"connector": "filesystem", "format": "raw"} | charset(encoding)
    if watched:
        options["source.monitor-interval"] = f"{config.source.poll_ms} ms"
        options["source.path.regex-pattern"] = NOT_LEFT_ALONE
    lanes = config.job.parallelism
    return Source(
        name="",
        columns=", file STRING NOT NULL METADATA FROM 'file.path' VIRTUAL",
        position="file",
        lane=f"MOD(ABS(HASH_CODE(file)), {lanes})" if lanes > 1 else "0",
        options=options,
        bounded=not watched,
        lanes=lanes,
        paths=tuple(flink_uri(path, "source.paths") for path in paths),
    )


def paths_of(config: Config) -> list[Path]:
    """The absolute paths in source.paths.

    Raises:
        SourceError: there is no such file or folder, or it is of the wrong kind.
    """
    watched = config.source.kind == "directory"
    paths = [local(path) for path in config.source.paths]
    for path in paths:
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise SourceError(
                f"there is no file or folder {path} that can be read ({error.strerror}): correct "
                "source.paths"
            ) from error
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            raise SourceError(f"{path} is neither a file nor a folder: write its lines to a file")
        if watched and not path.is_dir():
            raise SourceError(f"{path} is not a folder: source.kind = 'directory' watches folders")
    if config.job.strict and (watched or len(paths) != 1 or not paths[0].is_file()):
        raise SourceError(
            "job.strict reads one file, because the order between files is undefined: give one "
            "file in source.paths (concatenate several in order of time)"
        )
    return paths


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files among `paths` and those below the folders.

    Raises:
        SourceError: a folder cannot be read.
    """
    try:
        found = [files_below(path) if path.is_dir() else [path] for path in paths]
    except OSError as error:
        raise SourceError(f"{error.filename} cannot be read: {error.strerror}") from error
    return [file for files in found for file in files]


def _kafka(config: Config) -> Source:
    source, lanes = config.source, config.job.parallelism
    options = {f"properties.{key}": value for key, value in source.properties.items()}
    start = {"committed": "group-offsets", "earliest": "earliest-offset", "latest": "latest-offset"}
    options |= {
        "connector": "kafka",
        "topic": source.topic,
        "properties.bootstrap.servers": source.brokers,
        "properties.group.id": source.group,
        "scan.startup.mode": start[source.start],
        "value.format": "raw",
        **{f"value.{key}": value for key, value in charset(source.encoding).items()},
    }
    options.setdefault("properties.auto.offset.reset", "earliest")
    if source.bounded:
        options["scan.bounded.mode"] = "latest-offset"
    return Source(
        name=f"kafka:{source.topic}",
        columns=(
            ", kafka_partition INT METADATA FROM 'partition' VIRTUAL"
            ", kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL"
        ),
        position="CAST(kafka_partition AS STRING) || ':' || CAST(kafka_offset AS STRING)",
        lane=f"MOD(kafka_partition + {_first_reader(source.topic, lanes)}, {lanes})",
        options=options,
        bounded=source.bounded,
        lanes=lanes,
    )


def _flink(config: Config) -> Source:
    options = dict(config.source.options)
    if not any(key in options for key in ("format", "value.format")):
        options |= {"format": "raw", **charset(config.source.encoding)}
    lanes = config.job.parallelism
    return Source(
        name=options.get("connector", "flink"),
        columns="",
        position="",
        lane=f"MOD(ABS(HASH_CODE(line)), {lanes})" if lanes > 1 else "0",
        options=options,
        bounded=config.source.bounded,
        lanes=lanes,
    )


def _first_reader(topic: str, readers: int) -> int:
    """The subtask that reads partition 0 of a topic; the next one reads partition 1, and so on.

    As in `KafkaSourceEnumerator.getSplitOwner`. If a connector did otherwise, lines would only
    take a longer way to their window.

    >>> _first_reader("events", 1), _first_reader("events", 4)
    (0, 3)
    """
    found = 0
    for unit in memoryview(topic.encode("utf-16-le")).cast("H"):
        found = (31 * found + unit) & 0xFFFFFFFF  # Java's String.hashCode
    return (found * 31 & 0x7FFFFFFF) % readers


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
