"""The sections of the configuration that the operators are built with.

In: nothing; the defaults are in the sections. Out: `Settings`, which
`flink_app.config.Config` extends: an option is defined once, in its section.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, defstruct, field

from udfs.models.options import ItemCF, RankerOptions, UserCF
from udfs.options.cassandra import Cassandra
from udfs.options.crowd import Crowd
from udfs.options.encoders import Images, Text
from udfs.options.events import Events
from udfs.options.experiments import Experiment
from udfs.options.explore import Explore
from udfs.options.identity import Identity
from udfs.options.learning import Feed, Lists, Model, Quality
from udfs.options.privacy import Privacy
from udfs.options.rerank import Rerank
from udfs.options.rules import Rule
from udfs.options.runtime import Job, Redis, State
from udfs.options.sources import SOURCES


class Settings(Struct, frozen=True, kw_only=True):
    """The sections, by their names in the configuration, the rules and the experiments.

    >>> Settings().model.dimensions, Settings().lists.length
    (32, 20)
    """

    events: Events = field(default_factory=Events)
    model: Model = field(default_factory=Model)
    item_cf: ItemCF = field(default_factory=ItemCF)
    user_cf: UserCF = field(default_factory=UserCF)
    ranker: RankerOptions = field(default_factory=RankerOptions)
    text: Text = field(default_factory=Text)
    images: Images = field(default_factory=Images)
    lists: Lists = field(default_factory=Lists)
    rerank: Rerank = field(default_factory=Rerank)
    explore: Explore = field(default_factory=Explore)
    identity: Identity = field(default_factory=Identity)
    crowd: Crowd = field(default_factory=Crowd)
    quality: Quality = field(default_factory=Quality)
    redis: Redis = field(default_factory=Redis)
    feed: Feed = field(default_factory=Feed)
    state: State = field(default_factory=State)
    job: Job = field(default_factory=Job)
    privacy: Privacy = field(default_factory=Privacy)
    cassandra: Cassandra = field(default_factory=Cassandra)
    rules: list[Rule] = field(default_factory=list)
    experiments: list[Experiment] = field(default_factory=list)

    @property
    def half_life_ms(self) -> float:
        """After how long an event counts half as much for popularity as it decays by itself, ms."""
        return (self.model.popularity_half_life_s or 86_400.0) * 1000.0

    @property
    def fixed_half_life(self) -> bool:
        """Whether that is the only half-life; if not, a mixture of several is learned."""
        return self.model.popularity_half_life_s > 0

    @property
    def item_expiry_ms(self) -> int:
        """After how long without an event an item is forgotten, ms."""
        return int(self.state.item_expiry_days * 86_400_000)

    def of(self, section: str) -> Any:
        """The options of a candidate source, by its section; None if it has none."""
        return getattr(self, section, None)


def _sections() -> list[tuple[str, Any, Any]]:
    """The sections of registered sources that `Settings` does not define."""
    found = ((source.section, source.load_options()) for source in SOURCES.values())
    known = Settings.__struct_fields__
    return [
        (section, options, field(default_factory=options))
        for section, options in found
        if options is not None and section not in known
    ]


if not TYPE_CHECKING and (_more := _sections()):
    Settings = defstruct(
        "Settings", _more, bases=(Settings,), module=__name__, frozen=True, kw_only=True
    )
