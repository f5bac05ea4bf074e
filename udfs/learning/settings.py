"""What both learners are built with, pickled where the job is submitted.

In: the configuration's sections and what the graph knows. Out: `JobSettings`.
"""

from __future__ import annotations

from msgspec import Struct

from udfs.models.settings import Settings
from udfs.state.layout import Layout
from udfs.stores.redis_writer import RedisSettings


class JobSettings(Struct, frozen=True, kw_only=True):
    """See the module.

    Attributes:
        options: the sections of the configuration.
        item_keys: Flink's key of each item shard.
        window_ms: how long the micro-batches have gathered events.
        born_ms: when the job was submitted, by which its writers shut out those of older ones; 0:
            they don't.
    """

    options: Settings
    item_keys: list[int]
    window_ms: int = 0
    born_ms: int = 0

    @property
    def redis(self) -> RedisSettings:
        """Where Redis is."""
        return RedisSettings.of(self.options.redis, self.born_ms)

    @property
    def layout(self) -> Layout:
        """What must not change while the job keeps its state."""
        return Layout.of(self.options.job, self.options.model)

    @property
    def gather_ms(self) -> int:
        """How long batches that come late may wait for each other, ms."""
        return 0 if self.options.job.strict else self.window_ms

    @property
    def refills(self) -> bool:
        """Whether lists that Redis has lost are written again."""
        return self.options.lists.refresh and self.options.redis.refill_per_s > 0
