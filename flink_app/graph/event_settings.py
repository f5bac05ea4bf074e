"""From the configuration to what a line means: for `parse`, and for all that reads lines without
the operators, so that nothing here imports Flink or a kernel.

In: a `Config`. Out: the settings of `udfs.events.decode`.
"""

from __future__ import annotations

from flink_app.config import Config
from flink_app.config.check import earliest_ms
from flink_app.config.input_options import Source
from flink_app.config.schema_registry import registered_formats
from udfs.events.items.resolve import resolve_items
from udfs.events.resolve import Form, resolve
from udfs.events.settings import DecodeSettings, RatingRule
from udfs.formats.settings import ValueSettings
from udfs.models.running import Against
from udfs.options.cassandra import keeps_history
from udfs.options.schema_registry import VALUE_FORMATS

AHEAD_MS = 86_400_000
"""How far ahead of the clock an event's time may be, ms. A day: what is further ahead has a
wrong unit or zone (zones differ by up to 14 hours), and would make all that follows look old."""


def decode_settings(config: Config) -> DecodeSettings:
    """What a line means.

    Raises:
        ConfigError: events.earliest is no time. SourceError: an unknown preset, or a mapping that
            cannot work, of events or of items.
    """
    source, events, items = config.source, config.events, config.items
    preset = resolve(source.preset, **form_of(source))
    return DecodeSettings(
        preset=preset,
        weights=events.weights,
        consumed=tuple(config.lists.consumed_types),
        unknown_type=events.unknown_type,
        default_type=events.default_type,
        rating=RatingRule(
            kind=events.rating_rule,
            neutral=events.rating_neutral,
            scale=events.rating_scale,
            threshold=events.rating_threshold,
        ),
        fractions=events.fractions,
        zero_weight=events.zero_weight,
        max_id_bytes=events.max_id_bytes,
        earliest_ms=earliest_ms(events.earliest),
        ahead_ms=AHEAD_MS,
        ids=events.ids,
        ratings=config.model.loss == "squared",
        user_per_minute=events.user_per_minute,
        identity=config.identity.enabled,
        types=keeps_history(config.cassandra),
        conversions=config.quality.attribution_days > 0,
        items=resolve_items(items.preset, source.preset, **form_of(items)),
        values=_values(config),
        against=Against(config.settings),
    )


def _values(config: Config) -> ValueSettings:
    """Which lines are values with a schema."""
    found = registered_formats(config)
    return ValueSettings(
        events=found.get("source.format"),
        items=found.get("items.format"),
        registry=config.schema_registry,
    )


def form_of(section: Source) -> Form:
    """What `[source]` or `[items]` changes of its preset; values with a schema become JSON."""
    return Form(
        format="json" if section.format in VALUE_FORMATS else section.format,
        delimiter=section.delimiter,
        encoding=section.encoding,
        header=section.header,
        columns=section.columns,
        quote=section.quote,
        decimal=section.decimal,
        time_format=section.time_format,
        each=section.each,
        fields=section.fields,
    )
