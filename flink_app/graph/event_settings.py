"""From the configuration to what a line means: for `parse`, and for all that reads lines without
the operators, so that nothing here imports Flink or a kernel.

In: a `Config`. Out: the settings of `udfs.events.decode`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from flink_app.config import Config
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings, RatingRule

AHEAD_MS = 86_400_000
"""How far ahead of the clock an event's time may be, ms. A day: what is further ahead has a
wrong unit or zone (zones differ by up to 14 hours), and would make all that follows look old."""


def decode_settings(config: Config) -> DecodeSettings:
    """What a line means.

    Raises:
        SourceError: an unknown preset or a mapping that cannot work.
    """
    source, events = config.source, config.events
    preset = resolve(
        source.preset,
        format=source.format,
        delimiter=source.delimiter,
        encoding=source.encoding,
        header=source.header,
        columns=source.columns,
        quote=source.quote,
        decimal=source.decimal,
        time_format=source.time_format,
        each=source.each,
        fields=source.fields,
    )
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
        zero_weight=events.zero_weight,
        max_id_bytes=events.max_id_bytes,
        earliest_ms=int(1000 * msgspec.convert(events.earliest, datetime).timestamp()),
        ahead_ms=AHEAD_MS,
        ids=events.ids,
        ratings=config.model.loss == "squared",
        user_per_minute=events.user_per_minute,
    )
