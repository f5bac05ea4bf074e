"""Refuses CSV whose header does not say where the user and the item are, before a job reads it.

In: a configuration, or the files themselves. Out: nothing, or a SourceError with what to set.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from flink_app.config import Config
from flink_app.graph.event_settings import decode_settings
from flink_app.graph.sources import files_of, paths_of
from udfs.errors import SourceError
from udfs.events.csv_mapping import require_names
from udfs.events.first_lines import first_lines
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
    preset, source = decode_settings(config).preset, config.source
    if source.kind in ("kafka", "flink"):
        require_names(preset, f'lines of source.kind "{source.kind}" have no header')
    elif source.kind == "files":
        check_files(preset, files_of(paths_of(config)))


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
