"""Writes events to a Kafka topic, keyed by user so that each user's events keep their order.

In: batches of events, each a line of JSON as bytes. Out: one Kafka record per event, key and value
bytes. Needs the package confluent-kafka, which is imported only when a KafkaWriter is created.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flink_app.writers.files import Writer
from udfs.errors import ServiceError

_CONNECT_S = 10.0
_DELIVER_S = 20.0
_FLUSH_S = 30.0  # longer than a delivery may take, so that a failed one has been reported


class _Keyed(msgspec.Struct):
    """The only fields that the writer reads: of an event the user, of a line about an item that."""

    user: str = ""
    item: str = ""


class KafkaWriter(Writer):
    """A Kafka topic.

    bootstrap: "host:port", several separated by commas. topic: its name. options: more options of
    librdkafka, such as those for TLS and passwords; they override the ones set here. Raises
    ServiceError if confluent-kafka is not installed, an option is wrong, or no broker answers
    within 10 seconds.
    """

    def __init__(
        self, bootstrap: str, topic: str, options: Mapping[str, str | int | bool] | None = None
    ) -> None:
        self._where = f"Kafka at {bootstrap}, topic {topic!r}"
        self._topic = topic
        self._failure: str | None = None
        self._key = msgspec.json.Decoder(_Keyed)
        defaults: dict[str, str | int | bool] = {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,  # retries neither repeat nor reorder a user's events
            "partitioner": "murmur2_random",  # a key's partition is the one Java clients choose
            "linger.ms": 1,  # events that are written together are sent together all the same
            "message.timeout.ms": int(_DELIVER_S * 1000),
        }
        self._producer = self._connect({**defaults, **(options or {})})

    def _connect(self, options: dict[str, str | int | bool]) -> Any:
        """A producer whose broker has answered."""
        try:
            client = importlib.import_module("confluent_kafka")
        except ImportError as error:
            raise ServiceError(
                "Writing to Kafka needs the package confluent-kafka, which is not installed:"
                " install it with 'pip install confluent-kafka'."
            ) from error
        try:
            # by default, librdkafka prints each retry to stderr
            producer = client.Producer({"log_level": 0, **options})
            producer.list_topics(timeout=_CONNECT_S)
        except client.KafkaException as error:
            raise ServiceError(
                f"{self._where} cannot be used: {error.args[0].str()}. Check that the"
                " broker runs and that its address and the options are right."
            ) from error
        return producer

    def write(self, lines: Sequence[bytes], keys: Sequence[bytes] = ()) -> None:
        """Pass the batch to the producer, which sends it in the background.

        keys: of the records; by default, the field `user` of each event, and `item` of lines about
        items.
        """
        owners = [] if keys else map(self._key.decode, lines)
        keys = keys or [(one.user or one.item).encode() for one in owners]
        for line, key in zip(lines, keys, strict=True):
            while not self._produced(key, line):
                self._producer.poll(0.1)
                self._check()
        self._producer.poll(0)
        self._check()

    def _produced(self, key: bytes, line: bytes) -> bool:
        """Put the record into the producer's queue; False if the queue is full."""
        try:
            self._producer.produce(self._topic, value=line, key=key, on_delivery=self._delivered)
        except BufferError:
            return False
        return True

    def _delivered(self, error: Any, _record: object) -> None:
        """Keep the first failure; librdkafka has already retried."""
        if error is not None and self._failure is None:
            self._failure = error.str()

    def _check(self) -> None:
        if self._failure is not None:
            raise ServiceError(
                f"{self._where} did not accept an event: {self._failure}. Check that the topic"
                " exists and may be written to."
            )

    def flush(self) -> None:
        """Wait, at most 30 seconds, until the broker has everything."""
        self._check()
        left = self._producer.flush(_FLUSH_S)
        self._check()
        if left:
            raise ServiceError(
                f"{self._where} did not accept {left} events within {_FLUSH_S:g} seconds. Check"
                " that the broker still runs."
            )
