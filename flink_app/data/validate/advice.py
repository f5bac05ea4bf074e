"""What to do about the problems that `millirec validate` finds: a sentence for each check.

In: reasons of `udfs.events.decode`, names of checks. Out: text. Options in it can be typed as they
are, once words in capitals have a value.
"""

from __future__ import annotations

ADVICE = {
    "not_json": "if the lines are cells between delimiters, --set source.format=csv; otherwise "
    "mend what writes them: one whole JSON object a line",
    "not_an_object": "an event is a JSON object: mend what writes the lines",
    "wrong_columns": "another separator: --set 'source.delimiter=\";\"'; quotes that are ordinary "
    "characters: --set 'source.quote=\"\"'; other columns: --set 'source.columns=[\"user\", …]' "
    "names them from left to right",
    "missing_user": "name the field that holds it: --set source.fields.user=NAME",
    "missing_item": "name the field that holds it: --set source.fields.item=NAME; if it is inside "
    "a list, name that too: --set 'source.each=LIST[]'",
    "missing_value": "a rating needs a number: name the field, --set source.fields.value=NAME",
    "empty_user": "leave out events without a user, or name a field that holds a visit: "
    "--set source.fields.session=NAME",
    "empty_item": "leave out events without an item",
    "id_too_long": "--set events.max_id_bytes=NUMBER, or find out why the ids are so long",
    "not_utf8": "name the encoding, --set source.encoding=ENCODING (see `lines` for a guess), or "
    "export the data again: where it says \ufffd, characters are lost already",
    "wrong_type": "ids like 1001.0 are mended by --set events.ids=integers; otherwise name a field "
    "that is text or a number, --set source.fields.user=NAME",
    "not_finite": "remove NaN and infinity where the events are created",
    "value_out_of_range": "the ratings are on another scale than the preset's: "
    "--set source.preset=millirec, with the fields' names in source.fields",
    "bad_time": "say how they are written, --set 'source.time_format=%d.%m.%Y %H:%M' (the example "
    "has the form), or name another field: --set source.fields.ts=NAME",
    "time_out_of_range": "check the unit of the times, or say how they are written, "
    "--set source.time_format=%Y%m%d; older ones are accepted with "
    "--set events.earliest=1970-01-01T00:00:00Z, ones more than a day ahead never",
    "unknown_type": "give it a weight, --set events.weights.TYPE=1, or accept every type with "
    "--set events.unknown_type=accept",
    "too_many": "--set events.user_per_minute=0 means no limit",
    "too_large": "send fewer or shorter words; at most 64 categories, tags and attributes, 4,096 "
    "numbers in a vector",
    "missing_query": "a search says what is looked for: write it into its query",
    "empty_query": "leave out searches without words",
    "missing_personalise": 'write "personalise":true or false',
    "missing_to": "a link names another id of the same person: write it into its to",
    "empty_to": "leave out links to nobody",
    "no_identity": "have the job resolve them, --set identity.enabled=true, or leave them out",
    "missing_experiment": "write what starts or ends an experiment, or leave the line out: "
    "docs/events.md has both",
    "cannot_run": "let the experiment set what this job can vary, and the job know what becomes of "
    "lists, --set quality.attribution_days=7",
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
    "described": "look whether both write the same ids, items.fields.item and source.fields.item; "
    "items that nothing describes are learned from events alone",
    "users": "these users get popular items: make sure that ids last longer than a visit",
    "items": "little can be learned about these items: recommend what variants have in common, "
    "such as a product instead of its sizes",
    "busiest user": "a bot, or many people under one id: leave out its events, or limit events "
    "per user with events.user_per_minute",
    "popularity": "make sure that people choose these items, which are not vouchers, bags or home "
    "pages; compare the lists with popular ones by `millirec evaluate`",
    "repeats": "people return to items here: --set lists.exclude_consumed=false lists them again, "
    "`millirec evaluate --repeat` measures that",
    "tests": "with few tests, differences in quality are mostly chance; with none, `millirec "
    "evaluate` refuses to run: record more, or measure with several --seeds",
} | {
    f"{kind} {name}": advice.format(kind=kind)
    for kind in ("user", "item")
    for name, advice in _ID_ADVICE.items()
}
"""By the name of a check of events."""
