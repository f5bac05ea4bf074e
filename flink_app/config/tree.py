"""Every option of millirec, as one frozen tree: what the whole job is built from.

In: nothing; the defaults stand in the sections. Out: `Config`, a section per attribute and an
option per field. Each option carries a sentence with its unit, its type and its bounds: `load`
checks them, `render` prints them into `deploy/millirec.toml` and `docs/configuration.md`.
"""

from __future__ import annotations

from msgspec import Struct, field

from flink_app.config.input_options import DeadLetters, Events, Source
from flink_app.config.learning_options import Feed, Lists, Model, Quality
from flink_app.config.runtime_options import Flink, Job, Redis, State
from flink_app.config.serve_options import Serve
from udfs.models.options import ItemCF, RankerOptions, UserCF

__all__ = [
    "Config",
    "DeadLetters",
    "Events",
    "Feed",
    "Flink",
    "Job",
    "Lists",
    "Model",
    "Quality",
    "Redis",
    "Serve",
    "Source",
    "State",
]


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration, in the order of an event's path.

    >>> Config().model.dimensions, Config().lists.length
    (32, 20)
    """

    source: Source = field(default_factory=Source)
    events: Events = field(default_factory=Events)
    model: Model = field(default_factory=Model)
    item_cf: ItemCF = field(default_factory=ItemCF)
    user_cf: UserCF = field(default_factory=UserCF)
    ranker: RankerOptions = field(default_factory=RankerOptions)
    lists: Lists = field(default_factory=Lists)
    quality: Quality = field(default_factory=Quality)
    redis: Redis = field(default_factory=Redis)
    feed: Feed = field(default_factory=Feed)
    state: State = field(default_factory=State)
    job: Job = field(default_factory=Job)
    dead_letters: DeadLetters = field(default_factory=DeadLetters)
    serve: Serve = field(default_factory=Serve)
    flink: Flink = field(default_factory=Flink)
