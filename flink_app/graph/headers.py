"""Refuses CSV whose header does not say where the user or the item is, before a job reads it.

In: a configuration, or the files themselves. Out: nothing, or a SourceError with what to set.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from flink_app.config import Config
from flink_app.graph.event_settings import decode_settings
from flink_app.graph.sources import elsewhere, files_of, paths_in, paths_of
from udfs.errors import SourceError
from udfs.events.csv_mapping import require_names
from udfs.events.first_lines import first_lines
from udfs.events.item_preset import ItemPreset
from udfs.events.items.tables import table_of
from udfs.events.layout import layout_of
from udfs.events.preset import Preset

_MOST = 1000
"""Files whose header is looked at; those of more become dead letters that say the same."""


def check_headers(config: Config) -> None:
    """Refuse configured input that no line of can be read.

    The files of a watched folder are not looked at: one of them must not keep a job from starting.

    Raises:
        SourceError: a mapping that cannot work, or a file whose columns cannot be told.
    """
    settings, source = decode_settings(config), config.source
    preset = settings.preset
    if source.kind in ("kafka", "flink"):
        require_names(preset, f'lines of source.kind "{source.kind}" have no header')
    elif preset.format == "csv" and preset.header != "no" and (far := elsewhere(source)):
        raise _far(far[0], "source")
    elif source.kind == "files":
        check_files(preset, files_of(paths_of(config)))
    if config.items.kind and settings.items.format == "csv":
        _check_items(settings.items, config)


def _check_items(preset: ItemPreset, config: Config) -> None:
    """Refuse lines about items whose columns cannot be told."""
    if config.items.kind in ("kafka", "flink"):
        if problem := table_of(preset).problem:
            raise SourceError(
                f'lines of items.kind "{config.items.kind}" have no header: {problem}'
            )
    elif far := elsewhere(config.items):
        raise _far(far[0], "items")
    elif config.items.kind == "files":
        for file in islice(files_of(paths_in(config.items)), _MOST):
            first = first_lines(str(file), preset.encoding)[:1]
            problem = table_of(preset, *first).problem if first else ""
            if problem:
                raise SourceError(f"{file} cannot be read: {problem}")


def _far(address: str, section: str) -> SourceError:
    """Operators look for the header of a file themselves, and see this machine only."""
    return SourceError(
        f"{address} is CSV whose header cannot be looked for on another machine: store it as lines "
        f"of JSON (millirec lines), read it by Kafka, or copy it to a path of this machine for "
        f"{section}.paths"
        + ("; without a header: source.header = no, and source.columns" * (section == "source"))
    )


def check_files(preset: Preset, files: Iterable[Path]) -> None:
    """Refuse a file whose header does not name what `preset` reads.

    Raises:
        SourceError: there is one, or a file cannot be read.
    """
    if preset.format != "csv" or preset.header == "no":
        return
    for file in islice(files, _MOST):
        layout = layout_of(preset, first_lines(str(file), preset.encoding))
        if layout.problem and (layout.header or file.stat().st_size):
            raise SourceError(f"{file} cannot be read: {layout.problem}")
