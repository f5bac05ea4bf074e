"""The settings that both learners are built with, pickled where the job is submitted.

In: the sections of the configuration and values from the graph. Out: `JobSettings`.
"""

from __future__ import annotations

from msgspec import Struct

from udfs.formats.settings import ListFormat
from udfs.models.settings import Settings
from udfs.state.layout import Layout
from udfs.stores.redis_writer import RedisSettings


class Trial(Struct, frozen=True, kw_only=True):
    """Which events are tests, and what a test may see; set by `millirec evaluate`, not an option.

    Attributes:
        after: how many events each shard learns before the first of them is a test.
        freeze: whether it learns nothing after these: events count for their users alone.
        sequential: whether each event is tested after all earlier events of its user, not only
            those of earlier micro-batches; slower if users recur.
        per_batch: whether lists are written once a batch in strict mode too, not after each event:
            nobody reads them before the end.
        items: metadata that user learners know from the beginning: entries of
            `udfs.feed.metadata.pack`.
        people: what is said of users before the first event, packed `PersonChange`s.
        nth: whether a user's first, second, fifth and tenth events are tests by themselves.
    """

    after: int = 0
    freeze: bool = False
    sequential: bool = False
    per_batch: bool = False
    items: list[bytes] = []
    people: list[bytes] = []
    nth: bool = False


ORDINARY = Trial()
"""The default: tests as configured."""


class JobSettings(Struct, frozen=True, kw_only=True):
    """See the module.

    Attributes:
        options: the sections of the configuration.
        item_keys: Flink's key of each item shard.
        window_ms: how long micro-batches gather events.
        born_ms: when the job was submitted: its writers shut out those of older jobs; 0: they do
            not.
        trial: how `millirec evaluate` tests.
        topic: which lists also go to Kafka, see `udfs.lists.keys.NAMES`; none: no topic.
        list_format: how they are written there.
    """

    options: Settings
    item_keys: list[int]
    window_ms: int = 0
    born_ms: int = 0
    trial: Trial = ORDINARY
    topic: tuple[str, ...] = ()
    list_format: ListFormat = ListFormat()

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
        """How long late batches may wait for each other, ms."""
        return 0 if self.options.job.strict else self.window_ms

    @property
    def refills(self) -> bool:
        """Whether lists that Redis has lost are restored."""
        return self.options.lists.refresh and self.options.redis.refill_per_s > 0
