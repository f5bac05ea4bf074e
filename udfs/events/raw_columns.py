"""What the JSON and the CSV reader hand to `udfs.events.decode`, and the checks of ids and times
that all readers share.

In: lines, split into fields by `udfs.events.json_lines` or `udfs.events.csv_lines`. Out:
`RawColumns`, one entry per event of a line that has the right shape, and a `Rejected` for each
other one.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.events.times import RawTime, complaint, to_ms
from udfs.events.whole_ids import GivenId, whole

Problem = tuple[str, str]
"""Why a line is not an event: a stable code and a sentence."""

RawId = str | int | None

Bounds = tuple[int, int]
"""The earliest believable time, and how far ahead of the clock one may be, both in ms."""

_SHOWN = 60  # characters of a bad value that go into a sentence


class Rejected(msgspec.Struct, frozen=True):
    """A line that cannot be used.

    Attributes:
        reason: a stable code, for counting; see `udfs.events.decode`.
        detail: a sentence for the person who has to fix the source.
        index: the line's position among those given to `decode`, from 0.
        element: which event of the line it is, from 0; −1 if it is the whole line.
    """

    reason: str
    detail: str
    index: int
    element: int = -1


class RawColumns(msgspec.Struct, eq=False):
    """m rows as read from n lines, unchecked unless noted; a line may give several rows, or none.

    Attributes:
        rows: the index of each row's line, ascending.
        fields: by the names of `udfs.events.columns.fields`, those that the mapping reads. Texts
            are strings or integers, as written; words, times and whole numbers too, and None where
            absent; numbers are float64[m], finite, NaN where absent.
        problems: row → what is wrong with it, as far as the reader knows.
        rejected: the lines that did not give a row.
        ignored: how many lines are blank, a CSV header, or about something else.
        elements: which event of its line each row is, from 0; −1 if it is the whole line, as all
            are if there are no `elements`.
        numbers: the number of each row among those that share an id, from 0; −1 if its id is its
            own, as all are if there are no `numbers`.
    """

    rows: Sequence[int]
    fields: dict[str, Any]
    problems: dict[int, Problem]
    rejected: list[Rejected]
    ignored: int
    elements: Sequence[int] = ()
    numbers: Sequence[int] = ()

    def take(self, chosen: Sequence[int]) -> RawColumns:
        """The rows that are `chosen`, in that order; a row may be chosen several times."""
        if not chosen:
            pick: Any = lambda values: []  # noqa: E731
        elif len(chosen) == 1:
            pick = lambda values: [values[chosen[0]]]  # noqa: E731
        else:
            pick = itemgetter(*chosen)
        fields = {
            name: values[np.asarray(chosen, np.intp)]
            if isinstance(values, np.ndarray)
            else list(pick(values))
            for name, values in self.fields.items()
        }
        problems = {
            new: self.problems[row] for new, row in enumerate(chosen) if row in self.problems
        } if self.problems else {}  # fmt: skip
        return RawColumns(
            rows=list(pick(self.rows)),
            fields=fields,
            problems=problems,
            rejected=self.rejected,
            ignored=self.ignored,
            elements=list(pick(self.elements)) if self.elements else (),
        )

    def element(self, row: int) -> int:
        """Which event of its line the row is; −1 if it is the whole line."""
        return self.elements[row] if self.elements else -1

    @property
    def types(self) -> Sequence[RawId]:
        """The source's words for the event types; None where absent."""
        return self.fields.get("type") or [None] * len(self.rows)

    @property
    def times(self) -> Sequence[RawTime]:
        """The times as written; None where absent."""
        return self.fields.get("ts") or [None] * len(self.rows)

    @property
    def values(self) -> NDArray[np.float64]:
        """The values of ratings: float64[m], finite; NaN where absent."""
        values: NDArray[np.float64] | None = self.fields.get("value")
        return np.full(len(self.rows), np.nan) if values is None else values


def shown(value: object) -> str:
    """A bad value for use in a sentence: quoted, short, printable, encodable.

    >>> shown("a\\ud800b")
    "'a\\\\ud800b'"
    """
    text = value if isinstance(value, str) else str(value)
    return repr(text) if len(text) <= _SHOWN else repr(text[:_SHOWN]) + "…"


def clean_times(
    given: Sequence[RawTime],
    now_ms: int,
    bounds: Bounds,
    problems: dict[int, Problem],
    form: str = "",
    option: str = "source.time_format",
) -> NDArray[np.float64]:
    """Whole milliseconds of each time, float64[m]; 0 where it cannot be used, which is added to
    `problems` unless its row has one.

    Args:
        now_ms: the clock, the time of what names none. form: how times are written, see `to_ms`;
            option: what sets it; "": nothing does.
    """
    earliest, latest = bounds[0], now_ms + bounds[1]
    times = to_ms(given, now_ms, form)
    good = (times >= earliest) & (times <= latest)  # False for NaN
    if good.all():
        return times
    for row in np.flatnonzero(~good).tolist():
        if row not in problems:
            reason, why = complaint(given[row], float(times[row]), earliest, latest, form, option)
            problems[row] = reason, f"the time {shown(given[row])} {why}"
    return np.where(good, times, 0.0)


def clean_ids(
    column: Sequence[GivenId],
    field: str,
    max_bytes: int,
    problems: dict[int, Problem],
    *,
    required: bool,
    integers: bool = False,
) -> list[str]:
    """The column as strings, "" for None; rows with an unusable id are added to `problems`.

    Args:
        column: m ids as read; integers become their decimal digits.
        field: what it is read from, such as "user", for reasons and sentences.
        max_bytes: longest UTF-8 form allowed.
        problems: row → problem; a row that already has a problem keeps it.
        required: whether an empty id is a problem.
        integers: whether ids are whole numbers in any notation, see `udfs.events.whole_ids`.
    """
    if integers:
        column = whole(column, field, problems, shown, required=required)
    texts = cast("list[str]", column)  # usually they are strings already; join finds out
    try:
        joined = "".join(texts)
    except TypeError:
        texts = ["" if entry is None else str(entry) for entry in column]
        for row, entry in enumerate(column):
            if isinstance(entry, float):
                problems.setdefault(row, ("wrong_type", f"the {field} is {not_an_id(entry)}"))
        joined = "".join(texts)
    # All of them at once; a character takes four bytes at most.
    ascii_only = joined.isascii()
    longest = max(map(len, texts), default=0)
    if (
        longest <= (max_bytes if ascii_only else max_bytes // 4)
        and (ascii_only or ("\ufffd" not in joined and has_utf8(joined)))
        and (not required or all(texts))
    ):
        return texts
    for row, text in enumerate(texts):
        problem = _id_problem(text, field, max_bytes, required)
        if problem:
            problems.setdefault(row, problem)
    return texts


def not_an_id(value: float) -> str:
    """What is wrong with an id that is a float, for a sentence."""
    return f'{value!r}: ids are text or whole numbers; with events.ids = "integers" 7.0 is 7'


def has_utf8(text: str) -> bool:
    """Whether the text can be encoded: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _id_problem(text: str, field: str, max_bytes: int, required: bool) -> Problem | None:
    if not text:
        return (f"empty_{field}", f"the {field} is an empty string") if required else None
    if "\ufffd" in text or not has_utf8(text):
        return "not_utf8", f"the {field} {shown(text)} was not UTF-8: its true bytes are lost"
    size = len(text.encode())
    if size > max_bytes:
        return "id_too_long", f"the {field} {shown(text)} has {size} bytes, {max_bytes} are allowed"
    return None
