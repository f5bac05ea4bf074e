"""Every option of millirec, as one frozen tree: what the whole job is built from.

In: nothing; the defaults are in the sections. Out: `Config`, a section per attribute and an option
per field. Each option carries a sentence with its unit, its type and its bounds: `load` checks
them, `render` prints them into `deploy/millirec.toml`, `docs/configuration.md` and
`docs/configuration-expert.md`.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from flink_app.config.input_options import DeadLetters, Source
from flink_app.config.item_options import Items
from flink_app.config.lists_topic_options import ListsTopic
from flink_app.config.serve_options import Serve
from udfs.models.settings import Settings
from udfs.options.schema_registry import SchemaRegistry


class Flink(Struct, frozen=True, kw_only=True):
    """Anything else that Flink understands."""

    options: Annotated[
        dict[str, str],
        Meta(description="Flink's own options, passed on unchanged, such as state.backend.type."),
    ] = {}


class Config(Settings, frozen=True, kw_only=True):
    """The whole configuration: what the operators are built with, and what surrounds them.

    >>> Config().model.dimensions, Config().lists.length
    (32, 20)
    """

    source: Source = field(default_factory=Source)
    items: Items = field(default_factory=Items)
    dead_letters: DeadLetters = field(default_factory=DeadLetters)
    lists_topic: ListsTopic = field(default_factory=ListsTopic)
    schema_registry: SchemaRegistry = field(default_factory=SchemaRegistry)
    serve: Serve = field(default_factory=Serve)
    flink: Flink = field(default_factory=Flink)

    @property
    def bounded(self) -> bool:
        """Whether the input ends: that of events, and that of items if they have their own."""
        inputs = [self.source] + [self.items] * bool(self.items.kind)
        return all(one.kind == "files" or one.bounded for one in inputs)

    @property
    def settings(self) -> Settings:
        """The operators' part alone."""
        return Settings(**{name: getattr(self, name) for name in Settings.__struct_fields__})
