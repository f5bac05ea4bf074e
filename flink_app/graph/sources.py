"""Reads lines: Flink SQL tables of the raw lines and their positions.

In: `[source]` and `[items]` of the configuration. Out: a `Source` for each, from which come the
`CREATE TABLE` statements and the micro-batches.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from flink_app.config import Config
from flink_app.config.check import with_brokers
from flink_app.config.input_options import Source as Section
from flink_app.config.item_options import Items
from flink_app.config.paths import flink_uri, is_local, local
from flink_app.graph import remote
from flink_app.graph.event_settings import decode_settings
from flink_app.graph.inputs import (
    NOT_LEFT_ALONE,
    charset,
    files_below,
    is_left_alone,
    name_oddity,
    oddities,
    refuse,
)
from flink_app.graph.record_keys import KEY_COLUMN, KEY_COLUMNS, KEY_OPTIONS, LINE, line_of
from udfs.errors import SourceError
from udfs.options.schema_registry import VALUE_FORMATS


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
        tables: how its tables are named, before their numbers.
        line: SQL of a line.
    """

    name: str
    columns: str
    position: str
    lane: str
    options: dict[str, str]
    bounded: bool
    lanes: int = 1
    paths: tuple[str, ...] = ("",)
    tables: str = "source"
    line: str = LINE


def source_of(config: Config) -> Source:
    """The configured source of events.

    Raises:
        SourceError: a file or folder does not exist, or is of the wrong kind.
    """
    return _source(config.source, config)


def items_of(config: Config) -> Source | None:
    """The source of lines about items alone, if there is one. Errors as in `source_of`."""
    return _source(item_section(config), config) if config.items.kind else None


def item_section(config: Config) -> Items:
    """The section of items, with what it leaves to that of events and to the preset."""
    items = with_brokers(config)
    encoding = items.encoding or decode_settings(config).items.encoding
    return msgspec.structs.replace(items, encoding=encoding)


def _source(section: Section, config: Config) -> Source:
    lanes = config.job.parallelism
    if section.kind == "kafka":
        found = _kafka(section, lanes)
    elif section.kind == "flink":
        found = _flink(section, lanes)
    else:
        found = _files(section, lanes, strict=config.job.strict)
    return found if name_of(section) == "source" else msgspec.structs.replace(found, tables="items")


def name_of(section: Section) -> str:
    """The name of a section of the configuration."""
    return "items" if isinstance(section, Items) else "source"


def create_tables(source: Source, time_column: str) -> list[str]:
    """`CREATE TABLE source0`, `source1`, … with `line`, the metadata and a time attribute; those
    of items are `items0`, …"""
    statements = []
    for number, path in enumerate(source.paths):
        options = source.options | ({"path": path} if path else {})
        statements.append(
            f"CREATE TABLE {source.tables}{number} (line STRING{source.columns}, {time_column}) "
            f"WITH ({sql_options(options)})"
        )
    return statements


def _files(section: Section, lanes: int, *, strict: bool) -> Source:
    """Files and folders, read once; or watched folders, whose new files are read as they appear."""
    watched, name = section.kind == "directory", name_of(section)
    paths, encoding = paths_in(section, strict=strict), section.encoding
    odd = {path: reason for path in paths if (reason := name_oddity(path))}
    for file, reason in (odd or ({} if watched else oddities(files_of(paths), encoding))).items():
        raise refuse(file, reason)
    _check_elsewhere(elsewhere(section), name, watched=watched, strict=strict)
    options = {"connector": "filesystem", "format": "raw"} | charset(encoding)
    if watched:
        options["source.monitor-interval"] = f"{section.poll_ms} ms"
        options["source.path.regex-pattern"] = NOT_LEFT_ALONE
    return Source(
        name="",
        columns=", file STRING NOT NULL METADATA FROM 'file.path' VIRTUAL",
        position="file",
        lane=f"MOD(ABS(HASH_CODE(file)), {lanes})" if lanes > 1 else "0",
        options=options,
        bounded=not watched,
        lanes=lanes,
        paths=tuple(flink_uri(path, f"{name}.paths") for path in section.paths),
    )


def elsewhere(section: Section) -> list[str]:
    """The addresses among the paths of a section that are not on this machine."""
    return [path for path in section.paths if not is_local(path)]


def _check_elsewhere(paths: Sequence[str], name: str, *, watched: bool, strict: bool) -> None:
    """What can be said of files of other machines without reading them."""
    remote.require(paths, f"{name}.paths", folders=watched, file=strict)
    for path in () if watched else paths:
        for file in remote.files_below(path):
            if is_left_alone(Path(file.name)):
                raise SourceError(
                    f"Flink may not read {file.address} whole, because of how its name says that "
                    "it is compressed: compress it by gzip (.gz), or not at all"
                )


def paths_of(config: Config) -> list[Path]:
    """The absolute paths in source.paths. Errors as in `paths_in`."""
    return paths_in(config.source, strict=config.job.strict)


def paths_in(section: Section, *, strict: bool = False) -> list[Path]:
    """The absolute paths on this machine that a section names.

    Raises:
        SourceError: there is no such file or folder, or it is of the wrong kind.
    """
    watched, name = section.kind == "directory", name_of(section)
    paths = [local(path) for path in section.paths if is_local(path)]
    for path in paths:
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise SourceError(
                f"there is no file or folder {path} that can be read ({error.strerror}): "
                f"{'make it, or ' if watched else ''}correct {name}.paths"
            ) from error
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            raise SourceError(f"{path} is neither a file nor a folder: write its lines to a file")
        if watched and not path.is_dir():
            raise SourceError(f"{path} is not a folder: {name}.kind = 'directory' watches folders")
    whole = len(section.paths) == 1 and all(path.is_file() for path in paths)
    if strict and (watched or not whole):
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


def _kafka(source: Section, lanes: int) -> Source:
    options = {f"properties.{key}": value for key, value in source.properties.items()}
    start = {"committed": "group-offsets", "earliest": "earliest-offset", "latest": "latest-offset"}
    options |= {
        "connector": "kafka",
        "topic": source.topic,
        "properties.bootstrap.servers": source.brokers,
        "properties.group.id": source.group,
        "scan.startup.mode": start[source.start],
        "value.format": "raw",
        # Each byte of a value with a schema becomes a character, whatever it is.
        **_prefixed(charset("latin-1" if source.format in VALUE_FORMATS else source.encoding)),
    }
    options.setdefault("properties.auto.offset.reset", "earliest")
    if source.bounded:
        options["scan.bounded.mode"] = "latest-offset"
    line = line_of(source)
    if keyed := KEY_COLUMN in line:
        options |= KEY_OPTIONS
    return Source(
        name=f"kafka:{source.topic}",
        line=line,
        columns=(KEY_COLUMNS if keyed else "")
        + (
            ", kafka_partition INT METADATA FROM 'partition' VIRTUAL"
            ", kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL"
        ),
        position="CAST(kafka_partition AS STRING) || ':' || CAST(kafka_offset AS STRING)",
        lane=f"MOD(kafka_partition + {_first_reader(source.topic, lanes)}, {lanes})",
        options=options,
        bounded=source.bounded,
        lanes=lanes,
    )


def _prefixed(options: Mapping[str, str]) -> dict[str, str]:
    """Options of the format of values."""
    return {f"value.{key}": value for key, value in options.items()}


def _flink(section: Section, lanes: int) -> Source:
    options = dict(section.options)
    if not any(key in options for key in ("format", "value.format")):
        options |= {"format": "raw", **charset(section.encoding)}
    return Source(
        name=options.get("connector", "flink"),
        columns="",
        position="",
        lane=f"MOD(ABS(HASH_CODE(line)), {lanes})" if lanes > 1 else "0",
        options=options,
        bounded=section.bounded,
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


def sql_options(options: Mapping[str, str]) -> str:
    """A table's options, for its WITH."""
    return ", ".join(f"{sql_text(key)} = {sql_text(value)}" for key, value in options.items())


def sql_text(text: str) -> str:
    """A literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
