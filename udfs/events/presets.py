"""How other systems and data sets write an event: a table of field names.

In: the rows of `udfs.events.preset_systems` and `udfs.events.preset_data`. Out: `PRESETS`, from
which `udfs.events.resolve` makes what a decoder follows.
"""

from __future__ import annotations

from udfs.events.preset import FIELDS, Preset
from udfs.events.preset_data import DATA_SETS
from udfs.events.preset_systems import SYSTEMS

PRESETS: dict[str, Preset] = {
    "millirec": Preset(
        format="json",
        columns=FIELDS,  # for the same events as CSV
        fields={field: field for field in (*FIELDS, "session")},
    ),
    **SYSTEMS,
    **DATA_SETS,
}
