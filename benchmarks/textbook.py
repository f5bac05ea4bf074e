"""A job for comparison, written like those in the PyFlink tutorials: one event at a time.

In: JSON lines from files, or a watched folder. Out: the same lists in Redis, by the same
mathematics: key by user, a `ValueState` per user, one learning step, one ranking and one Redis
pipeline per event. It uses the same compiled kernels, and thread mode unless `flink.options` say
otherwise, so it is faster than most such jobs; its item factors are in the operator's memory, where
a failure would lose them, which a real job could not accept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from pyflink.common import Duration, Types, WatermarkStrategy
from pyflink.datastream import (
    KeyedProcessFunction,
    RuntimeContext,
    StreamExecutionEnvironment,
)
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.table import StreamTableEnvironment

from flink_app.config import Config
from flink_app.connections.redis_access import redis_settings
from udfs.learning.learner import Learner
from udfs.memory import history_kernels, random_kernels
from udfs.memory.history_kernels import Batch
from udfs.models.factors import arrays, softmax_kernels
from udfs.models.factors.arrays import Draws
from udfs.operators.flink import share_interpreter
from udfs.stores.redis_lists import RedisLists
from udfs.stores.redis_writer import Command, RedisWriter


class Textbook(KeyedProcessFunction):  # type: ignore[misc]
    """Learn from one event and refresh its user's list."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def open(self, context: RuntimeContext) -> None:
        """Take the state handle, start with no items, connect to Redis."""
        share_interpreter()
        settings = self._config.settings
        self._state = context.get_state(ValueStateDescriptor("user", Types.PICKLED_BYTE_ARRAY()))
        self._learner = Learner(settings)
        self._weights = self._config.events.weights
        self._redis = RedisWriter(redis_settings(self._config))
        self._lists = RedisLists(settings, self._redis)
        self._random = np.ones(1, np.uint64)
        self._eaten = np.zeros(0, np.int64)
        self._count = 0
        self._one = np.zeros(1, np.int32)
        self._totals = {"received": 0, "learned": 0, "lists": 0}

    def process_element(self, line: str, context: KeyedProcessFunction.Context) -> Iterator[Any]:
        """One event."""
        event = json.loads(line)
        learner, s = self._learner, self._learner.settings.model
        users, catalogue = learner.users, learner.catalogue
        slot, user = 0, event["user"]
        if not users.names:
            users.locate(["-"], {}, {}, catalogue)  # type: ignore[arg-type]
            users.reserve_pages(4096)
        item = catalogue.slots([event["item"]])
        self._read(self._state.value(), users, user)
        self._count += 1
        weights = np.array([self._weights[event["type"]]], np.float32)
        room = 1 + s.negatives + s.window
        touched, spare = arrays.touched(catalogue, self._count, room), users.spare(1)
        if len(self._eaten) < len(catalogue.alive):
            self._eaten = np.zeros(len(catalogue.alive), np.int64)
        count = softmax_kernels.learn(
            arrays.user_factors(users),
            users.view,
            spare,
            arrays.item_factors(catalogue),
            Batch(self._one, item, weights, np.ones(1, np.uint8)),
            learner.models.rule,
            Draws(s.negatives, catalogue.size, self._random, self._eaten, self._count),
            touched,
        )
        users.free_count = int(spare.counts[0])
        catalogue.measure(touched.slots[:count])
        users.events[slot] += 1
        users.names[slot] = user
        self._state.update(self._bytes(users))
        learner.models.learned()
        made = learner.user_lists(self._one, int(time.time() * 1000))
        commands = self._lists.commands(made)
        self._totals["received"] += 1
        self._totals["learned"] += 1
        self._totals["lists"] += 1
        if self._count % 500 == 0:
            commands.append(self._stats())
        self._redis.send(commands)
        yield from ()

    def _stats(self) -> Command:
        return ("HSET", "stats", *(part for pair in self._totals.items() for part in pair))

    def _read(self, stored: Any, users: Any, user: str) -> None:
        page = users.tail[0]
        while page >= 0:
            users.free[users.free_count] = page
            users.free_count += 1
            page = users.older[page]
        users.tail[0] = -1
        if stored is None:
            start = np.array([hash(user) & 0xFFFFFFFF], np.uint64)
            random_kernels.initial_factors(start, 1, users.p[:1])
            users.spread[0] = users.events[0] = 0
            return
        d = users.dimensions
        numbers = np.frombuffer(stored, np.float32, d + 1)
        users.p[0], users.spread[0] = numbers[:d], numbers[d]
        history = np.frombuffer(stored, np.int32, -1, 4 * (d + 1))
        users.events[0] = history[0]
        rest = history[1:]
        users.disliked[:] = 0  # the files of the benchmark have no dislikes
        for begin in range(0, len(rest), history_kernels.PAGE):
            part = rest[begin : begin + history_kernels.PAGE]
            users.free_count -= 1
            page = users.free[users.free_count]
            users.pages[page, : len(part)] = part
            users.older[page], users.tail[0], users.fill[0] = users.tail[0], page, len(part)

    def _bytes(self, users: Any) -> bytes:
        parts, page, length = [], users.tail[0], int(users.fill[0])
        while page >= 0:
            parts.append(users.pages[page, :length])
            page, length = users.older[page], history_kernels.PAGE
        history = np.concatenate([users.events[:1].astype(np.int32), *reversed(parts)])
        return b"".join([users.p[0].tobytes(), users.spread[:1].tobytes(), history.tobytes()])

    def close(self) -> None:
        """At the end: the totals."""
        if hasattr(self, "_redis"):
            self._redis.send([self._stats()])


def build(
    environment: StreamExecutionEnvironment, _: StreamTableEnvironment, config: Config
) -> None:
    """Put the job into `environment`."""
    source = FileSource.for_record_stream_format(
        StreamFormat.text_line_format(), *config.source.paths
    )
    if config.source.kind == "directory":
        source.monitor_continuously(Duration.of_millis(config.source.poll_ms))
    (
        environment.from_source(source.build(), WatermarkStrategy.no_watermarks(), "lines")
        .key_by(lambda line: json.loads(line)["user"], Types.STRING())
        .process(Textbook(config), Types.STRING())
        .disable_chaining()
    )
