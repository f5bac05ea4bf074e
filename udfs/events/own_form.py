"""Events in millirec's own JSON where a source has CSV, so that others can write between its lines.

In: the settings by which the lines of a source are read. Out: those for the lines of the kind
`event`: `{"kind":"event","user":"ann","item":"7"}`. A source of JSON has them in its own form.
"""

from __future__ import annotations

import msgspec

from udfs.events.columns import CONTEXT
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings

KIND = "event"
"""What `kind` says on such a line."""


def own_form(settings: DecodeSettings) -> DecodeSettings:
    """The settings for lines of the kind `event`: the same where the source has JSON, else
    millirec's own fields, with the words and the scale of the source."""
    csv = settings.preset
    if csv.format == "json":
        return settings
    own = resolve("millirec")
    preset = msgspec.structs.replace(
        own,
        fields={**own.fields, **{name: name for name in CONTEXT if name in csv.fields}},
        types=csv.types,
        default_type=csv.default_type,
        rating_range=csv.rating_range,
    )
    return msgspec.structs.replace(settings, preset=preset, time_option="")
