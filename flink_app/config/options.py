"""Every option of millirec, as one frozen tree: what the whole job is built from.

In: nothing; the defaults stand in the sections. Out: `Config`, a section per attribute and an
option per field. Each option carries a sentence with its unit, its type and its bounds: `load`
checks them, `render` prints them into `deploy/millirec.toml` and `docs/configuration.md`.
"""

from __future__ import annotations

from msgspec import Struct

from flink_app.config.input_options import DeadLetters, Events, Source
from flink_app.config.learning_options import Feed, Lists, Model
from flink_app.config.runtime_options import Flink, Job, Redis, State

__all__ = [
    "Config",
    "DeadLetters",
    "Events",
    "Feed",
    "Flink",
    "Job",
    "Lists",
    "Model",
    "Redis",
    "Source",
    "State",
]


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration, in the order of an event's path.

    >>> Config().model.dimensions, Config().lists.length
    (32, 20)
    """

    source: Source = Source()
    events: Events = Events()
    model: Model = Model()
    lists: Lists = Lists()
    redis: Redis = Redis()
    feed: Feed = Feed()
    state: State = State()
    job: Job = Job()
    dead_letters: DeadLetters = DeadLetters()
    flink: Flink = Flink()
