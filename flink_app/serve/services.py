"""Everything a running server needs, started and stopped together.

In: a `Config`. Out: `Services`, which the routes use.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from msgspec.structs import replace

from flink_app.config import Config
from flink_app.connections.redis_access import redis_settings
from flink_app.serve.events import Judge, Judged
from flink_app.serve.factors import Factors
from flink_app.serve.inbox import DURABLE_S, Inbox, Sink, sink_of
from flink_app.serve.lists import Lists
from flink_app.serve.metrics import Metrics
from flink_app.serve.reader import Away, Reader
from flink_app.serve.streams import Streams


class Services:
    """The parts of one server; `start` and `stop` in the event loop that uses them.

    Attributes:
        judge: None if the server takes no events.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        serve = config.serve
        settings = redis_settings(
            replace(config, redis=replace(config.redis, timeout_s=serve.timeout_s))
        )
        self.reader = Reader(settings)
        self.lists = Lists(self.reader, config)
        self.streams = Streams(self.reader.source, self.lists, settings.prefix, serve.max_streams)
        sink = sink_of(config)
        self.inbox = Inbox(sink, DURABLE_S, serve.max_batch)
        self.judge = Judge(config) if isinstance(sink, Sink) else None
        self.factors = Factors(config) if config.redis.factors else None
        self.metrics = Metrics()
        self.accepted = 0
        """How many events were made durable."""
        self._keeper: asyncio.Task[None] | None = None
        m = self.metrics
        m.gauge("millirec_redis_up", "Whether Redis answers.", lambda: not self.reader.away)
        m.gauge("millirec_streams", "Open streams.", lambda: self.streams.count)
        m.counter("millirec_events_accepted", "Events made durable.", lambda: self.accepted)
        stale = "Lists answered from memory while Redis was down."
        m.counter("millirec_stale_answers", stale, lambda: self.lists.stale_answers)

    async def start(self) -> None:
        """Connect and start the background tasks; it is no error if Redis is away."""
        with contextlib.suppress(Away):
            await self.lists.refresh()
        self._keeper = asyncio.create_task(self.lists.keep())
        if self.factors is not None:
            self.factors.start()

    async def stop(self) -> None:
        """Stop; accepted events are written first."""
        self.streams.close()
        if self._keeper is not None:
            self._keeper.cancel()
        if self.factors is not None:
            await asyncio.to_thread(self.factors.stop)
        await self.inbox.close()
        await self.reader.close()

    async def take(self, lines: list[bytes]) -> Judged:
        """Judge events and write the accepted ones; return when they are durable.

        Raises:
            Problem: the server takes none, or they may not be durable.
        """
        if self.judge is None:
            self.inbox.require()
        assert self.judge is not None
        judged = self.judge.judge(lines, time.time_ns() // 1_000_000)
        if judged.lines:
            await self.inbox.put(judged.lines, judged.users)
            self.accepted += len(judged.lines)
        for one in judged.rejected:
            self.metrics.rejected.labels(one.reason).inc()
        return judged
