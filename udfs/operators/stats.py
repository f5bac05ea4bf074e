"""The operator `stats`: with one key, it adds up the accounts of all others and writes `stats` to
Redis.

In: packed accounts. Out: nothing; outside the graph, the Redis hash `stats`, absolute values.
Accounts are appended to Flink's state as they come and added to the totals there when the hash is
written, so that the totals are exact across failures and an account costs one append.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyflink.datastream import KeyedProcessFunction, RuntimeContext

from udfs.accounts import LISTS, Account, fields, pack_account, unpack_account
from udfs.experiments import results, standing
from udfs.experiments.words import known, with_configured
from udfs.learning.timers import next_tick
from udfs.learning.window import Window
from udfs.models.running import running
from udfs.models.settings import Settings
from udfs.operators.code_check import CodeChecked
from udfs.operators.flink import cell, log, now_ms, redis_writer
from udfs.stores.redis_stats import RedisStats
from udfs.stores.redis_writer import RedisSettings

_WRITE_MS = 500
_RECENT_S = 5


class Stats(CodeChecked, KeyedProcessFunction):  # type: ignore[misc]
    """See the module; `udfs.accounts` does the sums.

    Args:
        models: other lists that are tested. options: of the job.
    """

    def __init__(
        self,
        redis: RedisSettings,
        models: Sequence[str] = (),
        options: Settings = Settings(),  # noqa: B008  (it is frozen)
    ) -> None:
        self._redis, self._options = redis, options
        self._lists = (*LISTS, *models)

    def open(self, context: RuntimeContext) -> None:
        """Take the state handles and connect to Redis."""
        self._stored, self._inbox = cell(context, "totals"), log(context, "accounts")
        writer = redis_writer(context, self._redis, "stats")
        self._store = RedisStats(writer, self._redis.prefix)
        self._total: Account | None = None
        self._waiting: list[bytes] = []  # what is in the inbox
        self._told: set[str] | None = None  # the fields of experiments in the hash
        self._window = Window()
        self._began_s = now_ms() // 1000
        self._tick_ms = 0

    def process_element(
        self, value: bytes, context: KeyedProcessFunction.Context
    ) -> Iterator[bytes]:
        """Keep one account until the hash is written."""
        self._load()
        self._inbox.add(value)
        self._waiting.append(value)
        self._wake(context, now_ms())
        yield from ()

    def on_timer(
        self, timestamp: int, context: KeyedProcessFunction.OnTimerContext
    ) -> Iterator[bytes]:
        """Write the hash; once more after the last event, so that rates fall to zero."""
        self._load()
        self._tick_ms = 0  # the clock may be before it, if it was set back
        if self._waiting:
            self._stored.update(pack_account(self._sum()))
            self._inbox.clear()
        self._write()
        now = now_ms()
        if self._window.total(now // 1000 + 1, _RECENT_S + 1) != Account():
            self._wake(context, now)
        yield from ()

    def _load(self) -> None:
        """Take the totals and the inbox from the state, on first use."""
        if self._total is None:
            self._total = unpack_account(self._stored.value() or pack_account(Account()))
            self._waiting = list(self._inbox.get() or ())

    def _wake(self, context: KeyedProcessFunction.Context, now: int) -> None:
        """Have the hash written soon."""
        tick = next_tick(now, _WRITE_MS)
        if tick != self._tick_ms:
            self._tick_ms = tick
            context.timer_service().register_processing_time_timer(tick)

    def _sum(self) -> Account:
        """Add what is waiting to the totals, and return them."""
        new, total = Account(), self._total or Account()
        for account in map(unpack_account, self._waiting):
            new.add(account)
        self._waiting.clear()
        total.add(new)
        configured = self._options.experiments
        if new.started:
            total.started = with_configured(total.started, configured)
        shown = [one.experiment for one in known(configured, total.started)]
        if shown:
            decided = total.experiments, shown, total.decided
            total.decided = results.decide(*decided, now_ms())
        self._window.add(now_ms() // 1000, new)
        return total

    def _fields(self) -> dict[str, str]:
        now = now_ms()
        second = now // 1000
        seconds = max(1, min(_RECENT_S, second - self._began_s))
        recent = self._window.total(second, seconds)
        minute = self._window.total(second + 1, 60)
        total = self._total or Account()
        shown = self._store.shown(self._lists) if total.quality else {}
        found = fields(total, recent, seconds, minute, now, shown)
        return found | self._of_experiments(total)

    def _of_experiments(self, total: Account) -> dict[str, str]:
        """What is told of experiments, also of those that wait or are over."""
        found = known(self._options.experiments, total.started)
        waiting = running(self._options, total.started).waiting
        shown = [one.experiment for one in found if one.experiment.name not in waiting]
        told = standing.fields(found, waiting)
        return told | results.fields(total.experiments, shown, total.decided)

    def _write(self) -> None:
        fields = self._fields()
        told = {name for name in fields if name.startswith(results.PREFIX)}
        if self._told is None:
            self._told = self._store.names(results.PREFIX)
        self._store.write(fields, sorted(self._told - told))
        self._told = told

    def close(self) -> None:
        """At the end of a bounded input: write the final totals."""
        if getattr(self, "_total", None) is not None:
            self._sum()
            self._write()
