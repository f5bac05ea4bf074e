"""Where lines go that the running job is to read: a Kafka topic, or the folder that it watches.

In: a configuration. Out: a `Sink` that writes lines of JSON durably; or why there is none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from flink_app.config import Config
from flink_app.config.input_options import Source
from flink_app.config.paths import local
from flink_app.graph.sources import item_section
from flink_app.writers.files import DirectoryWriter
from flink_app.writers.kafka import KafkaWriter
from udfs.events.text_files import codec
from udfs.options.schema_registry import VALUE_FORMATS

DURABLE_S = 10.0
"""How long a request waits until its events are durable, and a producer for its broker: long
enough for a partition to get a new leader, shorter than HTTP clients usually wait."""


class Sink(ABC):
    """Writes lines; called from one thread at a time."""

    @abstractmethod
    def write(self, lines: Sequence[bytes], keys: Sequence[str]) -> None:
        """Return when the lines are durable; ServiceError if they may not be.

        Args:
            keys: the user or the item of each line, whose lines keep their order.
        """


class Folder(Sink):
    """A watched folder: a file for each write."""

    def __init__(self, path: Path) -> None:
        self._writer = DirectoryWriter(path, durable=True)

    def write(self, lines: Sequence[bytes], keys: Sequence[str]) -> None:
        """See `Sink`."""
        self._writer.write(lines)


class Topic(Sink):
    """A Kafka topic; a producer that has failed is replaced at the next write."""

    def __init__(self, brokers: str, topic: str, options: dict[str, str], wait_s: float) -> None:
        self._where = brokers, topic
        limit = {"message.timeout.ms": str(int(wait_s * 1000)), "linger.ms": "0"}
        self._options = {**limit, **options}
        self._writer: KafkaWriter | None = None

    def write(self, lines: Sequence[bytes], keys: Sequence[str]) -> None:
        """See `Sink`."""
        writer = self._writer or KafkaWriter(*self._where, self._options)
        self._writer = None
        writer.write(lines, [key.encode() for key in keys])
        writer.flush()
        self._writer = writer


def sink_of(config: Config) -> Sink | str:
    """The sink from which the job of `config` reads events; or why there is none."""
    source = config.source
    if refusal := _refusal(source):
        return f"source.kind is {refusal} source.paths, as for the job"
    if codec(source.encoding) != "utf-8":
        return f"the job reads {source.encoding} (source.encoding), but POST /events writes UTF-8"
    return _framed(source, "source") or _made(source, config)


def item_sink_of(config: Config) -> Sink | str:
    """The sink from which the job of `config` reads lines about items: that of items alone if it
    has one, else that of events; or why there is none."""
    section = item_section(config) if config.items.kind else config.source
    name = "items" if config.items.kind else "source"
    if _refusal(section):
        return (
            f'{name}.kind is "{section.kind}", so that nothing can be sent into the job: start it '
            "with these files, --set items.kind=files --set items.paths=FILE; or let it read items "
            "from a folder that it watches, --set items.kind=directory --set items.paths=FOLDER, "
            "and set the same here"
        )
    if codec(section.encoding) != "utf-8":
        return (
            f"the job reads {section.encoding} ({name}.encoding), but `millirec items` writes UTF-8"
        )
    return _framed(section, name) or _made(section, config)


def place_of(config: Config) -> str:
    """Where `item_sink_of` writes, for a sentence."""
    section = item_section(config) if config.items.kind else config.source
    if section.kind == "kafka":
        return f"the topic {section.topic} at {section.brokers}"
    return str(local(section.paths[0]))


def _refusal(section: Source) -> str:
    """What to set so that a section has a sink, as part of a sentence; "" if it has one."""
    if section.kind == "kafka" or (section.kind == "directory" and section.paths):
        return ""
    return f'"{section.kind}": set it to kafka, or to directory with the folder in'


def _framed(section: Source, name: str) -> str:
    """Why lines of JSON must not go to a topic of values with a schema; "": it is none."""
    if section.format not in VALUE_FORMATS:
        return ""
    return (
        f'{name}.format is "{section.format}", and lines of JSON would stop other readers of the '
        f"topic {section.topic}: send the same fields as values of a schema, by your own producer"
    )


def _made(section: Source, config: Config) -> Sink:
    if section.kind == "kafka":
        return Topic(section.brokers, section.topic, config.serve.kafka, DURABLE_S)
    return Folder(local(section.paths[0]))
