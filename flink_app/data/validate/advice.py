"""What to do about the problems that `millirec validate` finds: a sentence for each check, and the
options with which more lines could be read.

In: reasons of `udfs.events.decode`, names of checks; the first lines of a file. Out: text.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from flink_app.data.recorded import Block
from udfs.events.decode import Decoder, DecodeSettings
from udfs.events.preset import Preset
from udfs.events.presets import PRESETS
from udfs.events.resolve import resolve

_FORMAT = "name the format: --preset NAME, or --set source.format=csv"

ADVICE = {
    "not_json": _FORMAT,
    "not_an_object": "each line must be one JSON object: split lists (jq -c '.[]')",
    "wrong_columns": f"{_FORMAT}; other separators with --set source.delimiter=…, other columns "
    "with --set source.fields.user=NUMBER and so on",
    "missing_user": "name the field that holds it: --set source.fields.user=…",
    "missing_item": "name the field that holds it: --set source.fields.item=…",
    "missing_value": "a rating needs a number: --set source.fields.value=…, or another type",
    "empty_user": "leave out events without a user, or send a visit id",
    "empty_item": "leave out events without an item",
    "id_too_long": "raise events.max_id_bytes, or find out why the ids are so long",
    "not_utf8": "convert the file to UTF-8: iconv -f latin1 -t utf-8",
    "wrong_type": "see the example: the field must be text or a number, see docs/events.md",
    "not_finite": "remove NaN and infinity where the events are created",
    "value_out_of_range": "use another preset, or none: the ratings are on a different scale",
    "bad_time": "say how they are written, --set 'source.time_format=%d.%m.%Y %H:%M' (see the "
    "example for the form), or name another field: --set source.fields.ts=…",
    "time_out_of_range": "check the unit of the times, or say how they are written, --set "
    "source.time_format=%Y%m%d; the limits are events.earliest and a day from now",
    "unknown_type": "give it a weight, --set events.weights.TYPE=1, or accept every type with "
    "--set events.unknown_type=accept",
    "too_many": "raise events.user_per_minute",
}
"""By the reason of a dead letter, see `udfs.events.decode`."""

_ID_ADVICE = {
    "ids": "they differ from the ids without these characters: clean them where the events are "
    "created",
    "case": "ids are compared exactly: if these are the same {kind}, write them the same way",
    "stand-ins": "all events with a missing {kind} would be learned as those of a single one: "
    "leave them out",
}

EVENT_ADVICE = {
    "times": "they get the time at which they are read; `millirec evaluate` and `replay` need "
    "times: name the field with --set source.fields.ts=…",
    "future": "check the clocks and time zones of whatever writes them: a time without a zone is "
    "read as UTC; events more than a day ahead are rejected",
    "order": "the job learns each user's events in the order they arrive: sort the file by time; "
    "`millirec evaluate` and `millirec replay` sort it themselves",
    "ids": "the job drops those that arrive within events.deduplicate_s; if they are not "
    "duplicates, the field is not an id: --set source.fields.id=",
    "duplicates": "if events are sent twice, give each an id, so that the job can drop the "
    "second; coarse times, of an hour or a day, are harmless",
    "types": "no event has a weight above 0, so there is nothing to recommend: give the types "
    "weights, --set events.weights.TYPE=1, or set events.rating_neutral to the middle of the scale",
    "ratings": "all ratings outside this range weigh the same: set events.rating_neutral to the "
    "middle of the scale and events.rating_scale to half its width",
    "users": "these users get popular items: make sure that ids last longer than a visit",
    "items": "little can be learned about these items: recommend what variants have in common, "
    "such as a product instead of its sizes",
    "busiest user": "a bot, or many people under one id: leave out its events, or limit events "
    "per user with events.user_per_minute",
    "popularity": "make sure that people choose these items, which are not vouchers, bags or home "
    "pages; compare the lists with popular ones by `millirec evaluate`",
    "repeats": "people return to items here: --set lists.exclude_consumed=false lists them again, "
    "`millirec evaluate --repeat` measures that",
    "tests": "with few tests differences in quality are mostly chance, without any `millirec "
    "evaluate` refuses to run: record more, or measure with several "
    "--seeds",
} | {
    f"{kind} {name}": advice.format(kind=kind)
    for kind in ("user", "item")
    for name, advice in _ID_ADVICE.items()
}
"""By the name of a check of events."""

_DELIMITERS = ",", "\t", ";", "|", "::"
_MIN_READABLE = 0.5


def suggestion(block: Block, settings: DecodeSettings, now_ms: int) -> str:
    """The options with which most lines are events, and more than with `settings`; else "".

    Args:
        block: the first lines of a file.
    """

    def events(preset: Preset) -> int:
        known = replace(settings, preset=preset, zero_weight="learn", user_per_minute=0)
        return len(Decoder(known).decode(block.lines, now_ms, block.files))

    best, best_options = max(_MIN_READABLE * len(block.lines), events(settings.preset)), ""
    for options, preset in _forms():
        if (found := events(preset)) > best:
            best, best_options = found, options
    return best_options


def _forms() -> Iterator[tuple[str, Preset]]:
    """Every known form, with the options for it: millirec's own first, then the presets as they
    are, then the presets with other delimiters."""
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
