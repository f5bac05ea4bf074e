"""What to do about lines that cannot be used: a sentence for each reason of a dead letter, and the
options by which more of them could be read.

In: reasons of `udfs.events.decode`; the first lines of a file. Out: text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from udfs.events.decode import Decoder, DecodeSettings
from udfs.events.presets import PRESETS, Preset, resolve

_FORMAT = "name the format: --preset NAME, or --set source.format=csv"

ADVICE = {
    "not_json": _FORMAT,
    "not_an_object": "each line has to be one JSON object: take lists apart (jq -c '.[]')",
    "wrong_columns": f"{_FORMAT}; other separators by --set source.delimiter=…, other columns by "
    "--set source.fields.user=NUMBER and so on",
    "missing_user": "name the field that holds it: --set source.fields.user=…",
    "missing_item": "name the field that holds it: --set source.fields.item=…",
    "missing_value": "a rating needs a number: --set source.fields.value=…, or another type",
    "empty_user": "leave events of nobody out, or send an id of the visit",
    "empty_item": "leave events without an item out",
    "id_too_long": "raise events.max_id_bytes, or see why ids are so long",
    "not_utf8": "convert the file to UTF-8: iconv -f latin1 -t utf-8",
    "wrong_type": "see the example: the field has to be text or a number, as docs/events.md says",
    "not_finite": "leave NaN and infinity out where events are made",
    "value_out_of_range": "another preset, or none: the ratings are not in this one's scale",
    "bad_time": "write seconds or milliseconds since 1970, or ISO 8601; or another field: "
    "--set source.fields.ts=…",
    "time_out_of_range": "see to the unit of times; the limits are events.earliest and a day "
    "from now",
    "unknown_type": "give it a weight, --set events.weights.TYPE=1, or take all with "
    "--set events.unknown_type=accept",
    "too_many": "raise events.user_per_minute",
}
"""By reason: see `udfs.events.decode`."""

_DELIMITERS = ",", "\t", ";", "|", "::"
_ENOUGH = 0.5


def suggestion(lines: Sequence[str], settings: DecodeSettings, now_ms: int) -> str:
    """The options by which most of `lines` are events, and more than by `settings`; else "".

    Args:
        lines: some of a file's first.
    """

    def events(preset: Preset) -> int:
        known = replace(settings, preset=preset, zero_weight="learn", user_per_minute=0)
        return len(Decoder(known).decode(lines, now_ms))

    best, options = max(_ENOUGH * len(lines), events(settings.preset)), ""
    for named, preset in _forms():
        if (found := events(preset)) > best:
            best, options = found, named
    return options


def _forms() -> Iterator[tuple[str, Preset]]:
    """Every form that is known, with the options for it: millirec's own first, presets as they are
    before those with other delimiters."""
    yield from _with_delimiters("millirec")
    for name, preset in PRESETS.items():
        yield f"--preset {name}", preset
    for name, preset in PRESETS.items():
        if preset.format == "csv":
            yield from _with_delimiters(name)


def _with_delimiters(name: str) -> Iterator[tuple[str, Preset]]:
    base = PRESETS[name]
    for delimiter in _DELIMITERS:
        options = [f"--preset {name}"] if name != "millirec" else []
        if base.format != "csv":
            options.append("--set source.format=csv")
        if delimiter != base.delimiter:
            shown = delimiter.replace("\t", "\\t")
            options.append(f"--set 'source.delimiter=\"{shown}\"'")
        yield " ".join(options), resolve(name, format="csv", delimiter=delimiter)
