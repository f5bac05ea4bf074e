"""The table of an event's columns: what `parse` decodes and sends to the user learner.

In: nothing; a row is one `Column`, added by `register`. Out: `COLUMNS`, by which
`udfs.events.decode` reads lines and `udfs.events.batch` takes, cuts, joins and packs columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from udfs.errors import ConfigError

Values = list[str] | NDArray[Any]
"""What a column holds, one entry per event: strings, or numbers of shape (n,)."""

Holds = Literal["text", "word", "time", "number", "whole"]
"""What a field of a line may hold: text is an id or any string (integers become their digits), a
word names an event type, a time is as in `udfs.events.times`, a whole number is an integer."""

FIELDS: dict[str, Holds] = {
    "user": "text",
    "item": "text",
    "type": "word",
    "ts": "time",
    "value": "number",
    "id": "text",
}
"""What millirec itself reads of an event; registered columns read more of a line."""

SESSION = "session"
"""The field that may stand for the user, see `udfs.events.sessions`; no column carries it."""

REQUIRED = ("user", "item")
"""The fields that every event must have; a session may stand for its user."""

IDS = (*REQUIRED, "id")
"""The fields to which `events.ids` applies."""


@dataclass(frozen=True)
class Column:
    """One value of each event.

    Attributes:
        name: its name in a batch.
        kind: `str`, or the dtype of its numbers: a NumPy integer or float type.
        fill: stands for a missing value; a column in which all values are missing is not carried.
            None: every event has a value.
        field: the field of a line that it is read from; "": the field of the same name; None: it
            is derived by the decoder.
        personal: whether its strings are ids of users, or anything else that tells who it was,
            which `privacy.pseudonyms` replaces.
    """

    name: str
    kind: Any
    fill: Any = None
    field: str | None = ""
    personal: bool = False

    @cached_property
    def dtype(self) -> np.dtype[Any] | None:
        """The dtype of the numbers, little-endian; None for strings."""
        return None if self.kind is str else np.dtype(self.kind).newbyteorder("<")

    @cached_property
    def size(self) -> int:
        """How much one event adds to the length of the packed column: bytes, or 1 string."""
        return 1 if self.dtype is None else self.dtype.itemsize

    @cached_property
    def source(self) -> str | None:
        """The field of a line that it is read from, if it is read from one."""
        return self.name if self.field == "" else self.field

    @cached_property
    def holds(self) -> Holds:
        """What its field may hold."""
        dtype = self.dtype
        return "text" if dtype is None else "number" if dtype.kind == "f" else "whole"

    def convert(self, values: Any) -> Values:
        """Strings or numbers, n of them, as the column keeps them."""
        dtype = self.dtype
        if dtype is None:
            return values if isinstance(values, list) else list(values)
        return frozen(np.array(values, dtype))

    def filled(self, n: int) -> Values:
        """The column of n events without a value."""
        dtype = self.dtype
        return [self.fill] * n if dtype is None else frozen(np.full(n, self.fill, dtype))

    def blank(self, values: Values) -> bool:
        """Whether all values are missing, so that the column need not be carried."""
        fill = self.fill
        if fill is None:
            return False
        if isinstance(values, list):
            return not values or (values[0] == fill and values.count(fill) == len(values))
        return bool((np.isnan(values) if fill != fill else values == fill).all())

    def joined(self, parts: Sequence[Values]) -> Values:
        """The values of all parts, one after the other."""
        if self.dtype is None:
            return list(chain.from_iterable(parts))
        return frozen(np.concatenate(parts))


def frozen(numbers: NDArray[Any]) -> NDArray[Any]:
    """Make the array read-only and return it. Unpacked arrays are read-only, and Numba would
    compile each kernel twice if it met writable arrays too."""
    numbers.setflags(write=False)
    return numbers


CONTEXT = ("country", "device", "referrer", "campaign")
"""The context of an event: read from the fields that `source.fields` names, and from no others, so
that lines which always had a field of such a name mean what they did."""

COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("users", str, field="user", personal=True),
        Column("items", str, field="item"),
        Column("weights", np.float32, field=None),
        Column("flags", np.uint8, field=None),
        Column("ts", np.int64, field=None),
        Column("ids", str, fill="", field="id"),
        Column("ratings", np.float32, fill=np.nan, field=None),
        Column("recs", str, fill="", field="rec"),
        *(Column(name, str, fill="") for name in CONTEXT),
        Column("types", str, fill="", field=None),
        Column("amounts", np.float32, fill=0.0, field=None),
        Column("worth", np.float32, fill=1.0, field=None),
    )
}
"""The columns by name, in the order in which they are packed."""


def register(column: Column) -> None:
    """Add a column: from then on its field is read from lines, and batches carry its values.

    Call it while modules are imported, since every process of a job must know the column. A name
    must keep its kind forever, since batches with the column may wait in a job's state.

    Raises:
        ConfigError: the column is invalid, or its name or field is already taken.
    """
    name, source = column.name, column.source
    taken = {*FIELDS, *(other.source for other in COLUMNS.values())}
    if name in COLUMNS or (source is not None and source in taken):
        raise ConfigError(
            f"the column {name!r} or its field {source!r} is taken: choose another name"
        )
    if column.fill is None:
        raise ConfigError(f"the column {name!r} has no fill: set one, for events without a value")
    if column.dtype is not None and column.dtype.kind not in "iuf":
        raise ConfigError(
            f"the column {name!r} holds {column.kind!r}: a column holds str, or an integer or "
            "float type of NumPy"
        )
    if not _fits(column):
        raise ConfigError(
            f"the column {name!r} cannot hold its fill {column.fill!r}: give it one that is "
            f"of its kind, {column.dtype or 'str'}"
        )
    COLUMNS[name] = column


def _fits(column: Column) -> bool:
    """Whether the column can hold its own fill."""
    fill, dtype = column.fill, column.dtype
    if dtype is None:
        return isinstance(fill, str)
    if dtype.kind == "f":
        return isinstance(fill, int | float)
    limits = np.iinfo(dtype)
    return isinstance(fill, int) and limits.min <= fill <= limits.max


def registered() -> dict[str, Column]:
    """The columns that are read from fields other than `FIELDS`, by field."""
    found = ((column.source, column) for column in COLUMNS.values())
    return {field: column for field, column in found if field and field not in FIELDS}


def fields() -> dict[str, Holds]:
    """What is read of a line: field → what it may hold."""
    return (
        FIELDS | {SESSION: "text"} | {field: column.holds for field, column in registered().items()}
    )
