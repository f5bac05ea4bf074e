"""Recorded events as columns of numbers: what a baseline is tested on and learns from.

In: a file in order of time, and what its lines mean. Out: a `Stream`.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from flink_app.evaluate.baselines import Shape
from udfs.events.batch import CONSUMED
from udfs.events.decode import Decoder
from udfs.events.settings import DecodeSettings

_BLOCK = 10_000  # lines


class Stream(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """n events in order of time.

    Attributes:
        users, items: int32[n], numbers from 0 up in the order of their first events.
        weights: float32[n].
        consumed: bool[n], whether the user needs the item no more.
        counted: bool[n], whether it is an event of the evaluation; the others are ratings that
            only a baseline of ratings learns from.
        ratings: float64[n], as they were given; NaN for an event that is not a rating.
        times: float64[n], seconds since 1970.
        shape: how many users, items and events there are.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    weights: NDArray[np.float32]
    consumed: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    ratings: NDArray[np.float64]
    times: NDArray[np.float64]
    shape: Shape


def keep_all(settings: DecodeSettings) -> DecodeSettings:
    """The settings by which events of weight 0 stay in the stream, for `read_stream`."""
    return msgspec.structs.replace(settings, zero_weight="learn")


def read_stream(path: Path, settings: DecodeSettings, now_ms: int) -> Stream:
    """Read a file that `flink_app.evaluate.ordered` wrote by `keep_all(settings)`."""
    decoder = Decoder(keep_all(settings))
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    blocks = []
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        while lines := [line.rstrip("\n") for line in islice(file, _BLOCK)]:
            raw = decoder.read(lines)
            found = decoder.check(raw, now_ms)
            blocks.append(
                (
                    np.array([users.setdefault(name, len(users)) for name in found.users]),
                    np.array([items.setdefault(name, len(items)) for name in found.items]),
                    found.weights,
                    (found.flags & CONSUMED).astype(np.bool_),
                    decoder.ratings(raw),
                    found.seen,
                    found.ts / 1000.0,
                )
            )
    who, what, weights, consumed, ratings, seen, times = (
        np.concatenate(column) for column in zip(*blocks, strict=True)
    )
    counted = ~seen & ((weights != 0) | (settings.zero_weight == "learn"))
    return Stream(
        users=who.astype(np.int32),
        items=what.astype(np.int32),
        weights=weights,
        consumed=consumed,
        counted=counted,
        ratings=ratings,
        times=times,
        shape=Shape(len(users), len(items), len(weights)),
    )
