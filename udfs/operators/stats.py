"""The operator `stats`: with one key, it adds up the accounts of all others and writes `stats` to
Redis.

In: packed accounts. Out: nothing; outside the graph, the Redis hash `stats`, absolute values. The
totals are in Flink's state, so that they are exact across failures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyflink.datastream import KeyedProcessFunction, RuntimeContext

from udfs.accounts import LISTS, Account, Window, fields, pack_account, unpack_account
from udfs.learning.timers import next_tick
from udfs.operators.code_check import CodeChecked
from udfs.operators.flink import cell, now_ms, redis_writer
from udfs.stores.redis_stats import RedisStats
from udfs.stores.redis_writer import RedisSettings

_WRITE_MS = 500
_RECENT_S = 5


class Stats(CodeChecked, KeyedProcessFunction):  # type: ignore[misc]
    """See the module; `udfs.accounts` does the sums."""

    def __init__(self, redis: RedisSettings, models: Sequence[str] = ()) -> None:
        self._redis = redis
        self._lists = (*LISTS, *models)

    def open(self, context: RuntimeContext) -> None:
        """Take the state handle and connect to Redis."""
        self._stored = cell(context, "totals")
        writer = redis_writer(context, self._redis, "stats")
        self._store = RedisStats(writer, self._redis.prefix)
        self._total: Account | None = None
        self._window = Window()
        self._began_s = now_ms() // 1000

    def process_element(
        self, value: bytes, context: KeyedProcessFunction.Context
    ) -> Iterator[bytes]:
        """Add one account."""
        if self._total is None:
            self._total = unpack_account(self._stored.value() or pack_account(Account()))
        account = unpack_account(value)
        self._total.add(account)
        self._stored.update(pack_account(self._total))
        now = now_ms()
        self._window.add(now // 1000, account)
        context.timer_service().register_processing_time_timer(next_tick(now, _WRITE_MS))
        yield from ()

    def on_timer(
        self, timestamp: int, context: KeyedProcessFunction.OnTimerContext
    ) -> Iterator[bytes]:
        """Write the hash; once more after the last event, so that rates fall to zero."""
        if self._total is None:
            self._total = unpack_account(self._stored.value() or pack_account(Account()))
        self._write()
        now = now_ms()
        if self._window.total(now // 1000 + 1, _RECENT_S + 1) != Account():
            context.timer_service().register_processing_time_timer(next_tick(now, _WRITE_MS))
        yield from ()

    def _fields(self) -> dict[str, str]:
        now = now_ms()
        second = now // 1000
        seconds = max(1, min(_RECENT_S, second - self._began_s))
        recent = self._window.total(second, seconds)
        minute = self._window.total(second + 1, 60)
        total = self._total or Account()
        shown = self._store.shown(self._lists) if total.quality else {}
        return fields(total, recent, seconds, minute, now, shown)

    def _write(self) -> None:
        self._store.write(self._fields())

    def close(self) -> None:
        """At the end of a bounded input: write the final totals."""
        if getattr(self, "_total", None) is not None:
            self._write()
