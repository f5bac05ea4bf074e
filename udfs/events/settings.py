"""What decides the meaning of a line: the frozen settings of `udfs.events.decode.Decoder`.

In: the configuration. Out: `DecodeSettings`, with a `RatingRule` that turns ratings, float64 of
any shape, into weights of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.events.item_preset import OWN, ItemPreset
from udfs.events.preset import Preset
from udfs.formats.settings import ValueSettings
from udfs.options.experiments import Experiment

RATING = "rating"
"""The event type whose weight is computed from its value."""
IMPRESSION = "impression"
"""The event type for an item that was shown; the only type that does not consume by default."""

CONVERSIONS = ("cart", "purchase")
"""The event types that lists are there for in the end; their value is what they are worth."""


class RatingRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a rating r becomes a weight, before the weight of the type multiplies it.

    linear: w = min(1, max(-1, (r - neutral) / scale)); threshold: w = 1 if r ≥ threshold else 0.
    """

    kind: Literal["linear", "threshold"] = "linear"
    neutral: float = 3.0
    scale: float = 2.0
    threshold: float = 4.0

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"the rating scale is {self.scale}, it must be above 0")

    def apply(self, ratings: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights of ratings, any shape, within [-1, 1].

        >>> RatingRule().apply(np.array([1.0, 3.0, 4.0, 9.0])).tolist()
        [-1.0, 0.0, 0.5, 1.0]
        """
        if self.kind == "threshold":
            return (ratings >= self.threshold).astype(np.float64)
        return np.clip((ratings - self.neutral) / self.scale, -1.0, 1.0)


def fraction_weights(
    fractions: NDArray[np.float64], neutral: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What the weights of n events are multiplied by: w = max(-1, (f - neutral) / (1 - neutral)).

    fractions: float64[n] in 0 to 1. neutral: float64[n], at least 0 and below 1, the fraction that
    says nothing. Returns float64[n] in -1 to 1.

    >>> fraction_weights(np.array([0.0, 0.2, 0.6, 1.0]), np.full(4, 0.2)).round(2).tolist()
    [-0.25, 0.0, 0.5, 1.0]
    """
    return np.maximum((fractions - neutral) / (1.0 - neutral), -1.0)


class DecodeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what a line means.

    Attributes:
        preset: where the fields are; see `udfs.events.resolve`.
        weights: event type → weight; these and "rating" are the known types.
        consumed: the types after which the user no longer needs the item; empty means all but
            `IMPRESSION`.
        unknown_type: whether an event of another type is rejected or accepted with weight 1.
        default_type: the type of an event that names none, unless the preset sets it.
        rating: how ratings become weights.
        fractions: event type → the fraction that says nothing, of types whose value is a fraction.
        zero_weight: whether an event of weight 0 is learned or ignored.
        max_id_bytes: longest id of a user, item or event in UTF-8.
        earliest_ms: the earliest believable time, milliseconds since the epoch.
        ahead_ms: how far ahead of the clock a time may be, milliseconds.
        ratings: whether a rating is kept along with its weight.
        ids: "text", or "integers": whole numbers in any notation become their digits.
        user_per_minute: how many events of a user are accepted in a minute; 0: all.
        items: where the fields are on lines about items.
        identity: whether the job resolves several ids of one person.
        types: whether the type of an event is carried.
        conversions: whether `CONVERSIONS` are marked, and what they are worth is carried.
        time_option: the option that says how times are written; "": none does.
        values: which lines are values that become lines first.
        against: what the job has against an experiment that a line starts, in a sentence; "":
            nothing. None: nothing against any.
    """

    preset: Preset
    weights: dict[str, float]
    consumed: tuple[str, ...] = ()
    unknown_type: Literal["reject", "accept"] = "reject"
    default_type: str = "click"
    rating: RatingRule = RatingRule()
    fractions: dict[str, float] = {}
    zero_weight: Literal["learn", "ignore"] = "learn"
    max_id_bytes: int = 512
    earliest_ms: int = 631_152_000_000  # 1990-01-01
    ahead_ms: int = 86_400_000
    ratings: bool = False
    ids: Literal["text", "integers"] = "text"
    user_per_minute: int = 0
    items: ItemPreset = OWN
    identity: bool = False
    types: bool = False
    conversions: bool = False
    time_option: str = "source.time_format"
    values: ValueSettings = ValueSettings()
    against: Callable[[Experiment], str] | None = None

    @property
    def bounds(self) -> tuple[int, int]:
        """`earliest_ms` and `ahead_ms`."""
        return self.earliest_ms, self.ahead_ms
