"""Raw lines to events: how `parse` decodes the lines of a micro-batch.

In: n lines (`Sequence[str]`) and the time. Out: `Decoded`: the columns of the events on them, a
`Rejected` for each unusable one, and the number of those that are ignored.

The reasons, stable codes for metrics and dead letters:

    not_json, not_an_object    the line is not JSON, or not a JSON object
    wrong_columns              the line has more or fewer cells than the CSV has columns, or open
                               quotes; or the header of its file does not name the user or the item
    missing_user, missing_item, missing_value (of a rating or a fraction)
    empty_user, empty_item     an id is ""
    id_too_long                an id has more bytes than allowed
    not_utf8                   an id holds U+FFFD or half of a surrogate pair
    wrong_type                 a field has the wrong JSON type, or a cell or an id the wrong form
    not_finite                 a number is NaN or infinite
    value_out_of_range         a rating is outside the scale of its source, a fraction is not in
                               0 to 1, or a number is too large for its column
    bad_time                   a time is neither a number nor written in a form that is known
    time_out_of_range          a time is absurdly early, or too far ahead
    unknown_type               an event type has no weight
    too_many                   its user has sent more events this minute than are accepted
    too_large                  a list or a name of a line about an item or a user is longer than
                               allowed
    not_framed, unknown_schema, unfit_schema, unreadable_value
                               of values that are no lines, see `udfs.formats.values`
    missing_query, empty_query, missing_to, empty_to, missing_personalise, no_identity,
    missing_experiment, cannot_run
                               of lines that are no events, see `searches`, `people`, `experiments`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from udfs.errors import ConfigError
from udfs.events.batch import EventBatch, from_columns
from udfs.events.columns import COLUMNS
from udfs.events.csv_elements import CsvElements
from udfs.events.json_lines import JsonReader
from udfs.events.places import Only, fold
from udfs.events.plain_columns import read_column
from udfs.events.rate_limit import RateLimit
from udfs.events.raw_columns import Problem, RawColumns, RawId, Rejected, clean_times, shown
from udfs.events.rows import CONSUMED, CONVERTED, Events
from udfs.events.sessions import name_users
from udfs.events.settings import (
    CONVERSIONS,
    IMPRESSION,
    RATING,
    DecodeSettings,
    RatingRule,
    fraction_weights,
)

__all__ = ["DecodeSettings", "Decoded", "Decoder", "RatingRule", "Rejected"]

_MOST_WORTH = 1e12
"""What is worth more is taken for a mistake, and counts as nothing."""


class Decoded(Events, frozen=True, eq=False, kw_only=True):
    """The result for n lines, of which most hold one event.

    Attributes:
        columns: of the m accepted events, in the order of the lines.
        rejected: the events that cannot be used, by ascending index of their lines.
        ignored: how many lines are blank, a CSV header, without an interaction, or, if configured,
            how many events are of weight 0.
    """

    rejected: list[Rejected]
    ignored: int

    @property
    def received(self) -> int:
        """How many events the lines held, accepted, rejected and ignored: n if each held one."""
        return len(self) + len(self.rejected) + self.ignored

    def batch(self, opened: int) -> EventBatch:
        """The events as a batch whose window opened at `opened`, milliseconds since the epoch."""
        return from_columns(self.columns, opened)


class _Kind(msgspec.Struct, frozen=True):
    """The meaning of an event type; `weight` is NaN if the type is unknown and rejected, `neutral`
    the fraction that says nothing, NaN if its value is no fraction."""

    name: str
    weight: float
    flags: int
    is_rating: bool
    neutral: float


class Decoder:
    """Decodes lines by fixed settings; it keeps only the rate limit's counts between batches."""

    def __init__(self, settings: DecodeSettings) -> None:
        """Prepare for `settings`.

        Raises:
            ConfigError: the default type has no weight, so every event without one would fail.
        """
        preset = settings.preset
        self._settings = settings
        self._limit = RateLimit(settings.user_per_minute) if settings.user_per_minute else None
        only = Only(preset, settings.weights)
        self._reader: JsonReader | CsvElements = (
            JsonReader(preset, only, floats=settings.ids == "integers")
            if preset.format == "json"
            else CsvElements(preset, only)
        )
        # Type words are compared ignoring case and surrounding spaces.
        self._types = {fold(word): fold(kind) for word, kind in preset.types.items()}
        self._weights = {RATING: 1.0} | {fold(k): w for k, w in settings.weights.items()}
        self._fractions = {fold(kind): part for kind, part in settings.fractions.items()}
        self._consumed = {fold(kind) for kind in settings.consumed}
        self._default = fold(preset.default_type or settings.default_type)
        words: list[RawId] = [None, *settings.weights, *preset.types]
        self._known = {word: self._kind(word) for word in words}
        if np.isnan(self._known[None].weight):
            raise ConfigError(
                f"the default event type {self._default!r} has no weight: "
                f"give it one, or choose one of {', '.join(self._weights)}"
            )

    def decode(self, lines: Sequence[str], now_ms: int, files: Sequence[str] = ()) -> Decoded:
        """The events on `lines`; the content of a line never makes it raise.

        Args:
            lines: n lines as they come from the source, with or without line ends.
            now_ms: the clock, milliseconds since the epoch, which is the time of events without
                one.
            files: the path of each line's file, n paths, or () if the lines are of no files. CSV is
                then read by the header of its file.
        """
        return self.check(self.read(lines, files), now_ms)

    def read(self, lines: Sequence[str], files: Sequence[str] = ()) -> RawColumns:
        """The columns of n lines, unchecked, for `check`."""
        reader = self._reader
        return reader.read(lines, files) if isinstance(reader, CsvElements) else reader.read(lines)

    def check(self, raw: RawColumns, now_ms: int) -> Decoded:
        """The events among `raw`'s rows; the problems of the others are added to `raw.problems`.

        If `settings.zero_weight` is `learn`, the events are the rows without a problem, in order.
        """
        problems, settings = raw.problems, self._settings
        integers = settings.ids == "integers"
        name_users(raw, integers=integers)
        columns = {
            name: read_column(column, raw, settings.max_id_bytes, integers=integers)
            for name, column in COLUMNS.items()
            if column.source in raw.fields
        }
        if raw.numbers and "ids" in columns:
            columns["ids"] = _numbered(columns["ids"], raw.numbers)
        form, option = settings.preset.time_format, settings.time_option
        times = clean_times(raw.times, now_ms, settings.bounds, problems, form, option)
        columns["ts"] = times.astype(np.int64)
        weights, columns["flags"] = self._weigh(raw.types, raw.values, problems)
        columns["weights"] = weights.astype(np.float32)
        if settings.ratings:
            with np.errstate(over="ignore"):  # beyond float32: infinite, not learned
                columns["ratings"] = self.ratings(raw).astype(np.float32)
        if settings.types:
            kinds = self._kinds(raw.types)
            columns["types"] = [kinds[word].name for word in raw.types]
        if settings.conversions:
            columns["amounts"] = _amounts(raw.values, columns["flags"])
        if self._limit:
            self._limit.mark(columns["users"], now_ms, problems)
        decoded = Decoded(columns=columns, rejected=raw.rejected, ignored=raw.ignored)
        if problems:
            decoded = _without(problems, decoded, raw)
        return decoded if settings.zero_weight == "learn" else _weighty(decoded)

    def ratings(self, raw: RawColumns) -> NDArray[np.float64]:
        """The ratings of m rows as given, float64[m]; NaN where an event is not a rating."""
        kinds = self._kinds(raw.types)
        rated = [kinds[word].is_rating for word in raw.types]
        return np.where(rated, raw.values, np.nan)

    def _weigh(
        self, types: Sequence[RawId], values: NDArray[np.float64], problems: dict[int, Problem]
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """The weights and flags of m events, by type and, for ratings and fractions, value."""
        number = {word: at for at, word in enumerate(dict.fromkeys(types))}
        kinds = [*self._kinds(number).values()]
        codes = np.fromiter(map(number.__getitem__, types), dtype=np.intp, count=len(types))
        weights = np.array([kind.weight for kind in kinds], dtype=np.float64)[codes]
        flags = np.array([kind.flags for kind in kinds], dtype=np.uint8)[codes]
        if any(kind.is_rating for kind in kinds):
            rated = np.array([kind.is_rating for kind in kinds], dtype=np.bool_)[codes]
            weights[rated] *= self._settings.rating.apply(values[rated])
            bounds = self._settings.preset.rating_range or (-np.inf, np.inf)
            _check_values(np.flatnonzero(rated), values, bounds, "rating", problems)
        if self._fractions:
            neutral = np.array([kind.neutral for kind in kinds], dtype=np.float64)[codes]
            rows = np.flatnonzero(~np.isnan(neutral))
            weights[rows] *= fraction_weights(values[rows], neutral[rows])
            _check_values(rows, values, (0.0, 1.0), "fraction", problems)
        unknown = np.isnan(weights)
        if unknown.any():
            for row in np.flatnonzero(unknown).tolist():
                detail = f"the event type {shown(types[row])} has no weight in the configuration"
                problems.setdefault(row, ("unknown_type", detail))
        return weights, flags

    def _kinds(self, words: Iterable[RawId]) -> dict[RawId, _Kind]:
        """The meaning of each of some words, in their order."""
        known = self._known
        return {word: known.get(word) or self._kind(word) for word in dict.fromkeys(words)}

    def _kind(self, word: RawId) -> _Kind:
        name = self._default if word is None else fold(str(word))
        name = self._types.get(name, name)
        unknown = 1.0 if self._settings.unknown_type == "accept" else np.nan
        consumed = name in self._consumed if self._consumed else name != IMPRESSION
        weight, flags = self._weights.get(name, unknown), CONSUMED if consumed else 0
        if self._settings.conversions and name in CONVERSIONS:
            flags |= CONVERTED
        neutral = self._fractions.get(name, np.nan)
        return _Kind(name, weight, flags, name == RATING, neutral)


def _amounts(values: NDArray[np.float64], flags: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What m events are worth, float32[m], 0 where one is no conversion or says nothing."""
    worth = (flags & CONVERTED > 0) & (values > 0) & (values < _MOST_WORTH)
    return np.where(worth, values, 0.0).astype(np.float32)


def _check_values(
    rows: NDArray[np.intp],
    values: NDArray[np.float64],
    bounds: tuple[float, float],
    what: str,
    problems: dict[int, Problem],
) -> None:
    """Note the problem of each of some rows whose value is missing or outside the bounds."""
    low, high = bounds
    found = values[rows]
    for row in rows[~((found >= low) & (found <= high))].tolist():
        if np.isnan(values[row]):
            problem = "missing_value", f"the {what} has no value"
        else:
            detail = f"the {what} {values[row]:g} is not between {low:g} and {high:g}"
            problem = "value_out_of_range", detail
        problems.setdefault(row, problem)


def _numbered(ids: Sequence[str], numbers: Sequence[int]) -> list[str]:
    """The ids, those that several events share with the number of each."""
    pairs = zip(ids, numbers, strict=True)
    return [f"{one}#{number}" if one and number >= 0 else one for one, number in pairs]


def _without(problems: dict[int, Problem], decoded: Decoded, raw: RawColumns) -> Decoded:
    """`decoded` without the rows that have a problem, which are rejected."""
    rejected = [
        *decoded.rejected,
        *(Rejected(*why, raw.rows[row], raw.element(row)) for row, why in problems.items()),
    ]
    keep = np.ones(len(decoded), np.bool_)
    keep[list(problems)] = False
    rejected.sort(key=lambda one: (one.index, one.element))
    return replace(decoded.take(keep), rejected=rejected)


def _weighty(decoded: Decoded) -> Decoded:
    """`decoded` without the events of weight 0, which are ignored, unless they tell what was
    seen."""
    kept = decoded.take((decoded.weights != 0) | decoded.seen)
    return replace(kept, ignored=decoded.ignored + len(decoded) - len(kept))
