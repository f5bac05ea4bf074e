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
from flink_app.data.sinks import DURABLE_S, Sink, item_sink_of, sink_of
from flink_app.graph.event_settings import decode_settings
from flink_app.serve.events import Judge, Judged
from flink_app.serve.factors import Factors
from flink_app.serve.filters import Filters
from flink_app.serve.hidden import Hidden
from flink_app.serve.inbox import Inbox
from flink_app.serve.item_fields import ItemFields
from flink_app.serve.lists import Lists
from flink_app.serve.metrics import Metrics
from flink_app.serve.reader import Away, Reader
from flink_app.serve.redis_sources import FAILURES
from flink_app.serve.second_source import second_source
from flink_app.serve.streams import Streams
from flink_app.serve.told import Clock, Told, parted, together
from flink_app.serve.wording import Wording
from udfs.events.items import ItemReader
from udfs.events.people import PeopleReader


class Services:
    """The parts of one server; `start` and `stop` in the event loop that uses them.

    Attributes:
        second: None if there are no lists in Cassandra. judge: None if the server takes no events.
        item_inbox: where lines about items go: to the events, or where the job reads them apart.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        serve = config.serve
        settings = redis_settings(
            replace(config, redis=replace(config.redis, timeout_s=serve.timeout_s))
        )
        self.reader = Reader(settings)
        self.hidden = Hidden(self.reader.source, settings.prefix)
        self.second = second_source(config)
        self.lists = Lists(self.reader, config, self.hidden, self.second)
        self.fields = ItemFields(self.reader, settings.prefix)
        self.filters = Filters(self.lists, self.fields, config)
        self.wording = Wording(self.fields)
        self.streams = Streams(
            self.reader.source,
            self.lists,
            self.filters,
            settings.prefix,
            serve.max_streams,
            self.wording,
        )
        self.hidden.changed += [self.fields.clear, self.streams.wake_all]
        sink = sink_of(config)
        self.inbox = Inbox(sink, DURABLE_S, serve.max_batch)
        self.judge = Judge(config) if isinstance(sink, Sink) else None
        self.clock, forms = Clock(), decode_settings(config)
        self.items = Told(ItemReader(forms), self.clock)
        self.people = Told(PeopleReader(forms), self.clock)
        apart = bool(config.items.kind) or not isinstance(sink, Sink)
        self.item_inbox = (
            Inbox(item_sink_of(config), DURABLE_S, serve.max_batch, "items")
            if apart
            else self.inbox  # two writers of one folder might give two files the same name
        )
        self.factors = Factors(config) if config.redis.factors else None
        self.metrics = Metrics()
        self.accepted = 0
        """How many events were made durable."""
        self._keepers: list[asyncio.Task[None]] = []
        m = self.metrics
        m.gauge("millirec_redis_up", "Whether Redis answers.", lambda: not self.reader.away)
        m.gauge("millirec_streams", "Open streams.", lambda: self.streams.count)
        m.counter("millirec_events_accepted", "Events made durable.", lambda: self.accepted)
        kept_out = "Items that may not be shown now and are left out of every answer."
        m.gauge("millirec_hidden_items", kept_out, lambda: len(self.hidden.ids))
        stale = "Lists answered from memory while Redis was down."
        if (second := self.second) is not None:
            others = "Lists answered from Cassandra, because Redis had none."
            m.counter("millirec_cassandra_answers", others, lambda: second.answers)
        m.counter("millirec_stale_answers", stale, lambda: self.lists.stale_answers)

    async def start(self) -> None:
        """Connect and start the background tasks; it is no error if Redis is away."""
        with contextlib.suppress(Away):
            await self.lists.refresh()
            with contextlib.suppress(*FAILURES):
                await self.hidden.refresh()  # before the first answer
        self._keepers = [asyncio.create_task(one.keep()) for one in (self.lists, self.hidden)]
        if self.factors is not None:
            self.factors.start()
        if self.second is not None:
            self.second.start()

    async def stop(self) -> None:
        """Stop; accepted events are written first."""
        self.streams.close()
        self.hidden.stop()
        if self.second is not None:
            self.second.stop()
        for keeper in self._keepers:
            keeper.cancel()
        if self.factors is not None:
            await asyncio.to_thread(self.factors.stop)
        await self.inbox.close()
        await self.item_inbox.close()
        await self.reader.close()

    @property
    def failing(self) -> bool:
        """Whether the last events, or lines about items, could not be written."""
        return self.inbox.failing or self.item_inbox.failing

    async def take(self, lines: list[bytes]) -> Judged:
        """Judge events and write the accepted ones; return when they are durable.

        Raises:
            Problem: the server takes none, or they may not be durable.
        """
        if self.judge is None:
            self.inbox.require()
        assert self.judge is not None
        events, items, people = parted(lines)
        parts = (self._judge_events, events), (self.items.judge, items), (self.people.judge, people)
        found = [(judge([lines[at] for at in at_]), at_) for judge, at_ in parts if at_]
        judged = await self._put(together(found), self.inbox)
        if events:
            self.accepted += len(found[0][0].lines)
        return judged

    def _judge_events(self, lines: list[bytes]) -> Judged:
        assert self.judge is not None
        return self.judge.judge(lines, time.time_ns() // 1_000_000)

    async def take_items(self, lines: list[bytes], item: str | None = None) -> Judged:
        """The same for lines about items, or about one, whatever they say.

        Raises:
            Problem: see `take`.
        """
        self.item_inbox.require()
        return await self._put(self.items.judge(lines, item), self.item_inbox)

    async def _put(self, judged: Judged, inbox: Inbox) -> Judged:
        if judged.lines:
            await inbox.put(judged.lines, judged.users)
        for one in judged.rejected:
            self.metrics.rejected.labels(one.reason).inc()
        return judged
