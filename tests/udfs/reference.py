"""The kernels again, plain and sequential, as their formulas read: what the tests compare with."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MASK = 2**64 - 1
LIMIT = 16.0

Event = tuple[int, int, float]
"""User slot, item slot (negative: outside the catalogue), weight."""


class SplitMix64:
    """The generator of Steele, Lea and Flood (2014), in Python's integers."""

    def __init__(self, state: int) -> None:
        self.state = state & MASK

    def draw(self) -> int:
        """64 random bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)


def initial_factors(key: int, seed: int, d: int) -> list[float]:
    """`d` numbers uniform on ±.1·√3."""
    random = SplitMix64(key ^ seed)
    return [((random.draw() >> 11) / 2**53 * 2 - 1) * 0.17320508 for _ in range(d)]


def clip(x: NDArray[Any]) -> NDArray[Any]:
    return np.clip(x, -LIMIT, LIMIT)


def learn(
    p: NDArray[Any], user_bias: NDArray[Any], q: NDArray[Any], item_bias: NDArray[Any],
    alive: Sequence[bool], consumed: Mapping[int, Iterable[int]], events: Iterable[Event],
    rate: float, regularisation: float, negatives: int, random: SplitMix64,
) -> list[int]:  # fmt: skip
    """Learn the events in place (float64 matrices); returns the touched items in order."""
    touched: list[int] = []

    def step(user: int, item: int, target: float, size: float) -> None:
        if item not in touched:
            touched.append(item)
        x = user_bias[user] + item_bias[item] + p[user] @ q[item]
        e = target - (1 / (1 + math.exp(-x)) if x > -700 else 0.0)
        p_u, q_i = p[user].copy(), q[item].copy()
        p[user] = clip(p_u + size * (e * q_i - regularisation * p_u))
        q[item] = clip(q_i + size * (e * p_u - regularisation * q_i))
        user_bias[user] = clip(user_bias[user] + size * (e - regularisation * user_bias[user]))
        item_bias[item] = clip(item_bias[item] + size * (e - regularisation * item_bias[item]))

    start = random.state
    for number, (user, item, weight) in enumerate(events):
        random.state = (start + number * 0xD1B54A32D192ED03) % 2**64
        size = min(rate * abs(weight), 1.0)
        if size == 0 or item < 0:
            continue
        step(user, item, 1.0 if weight > 0 else 0.0, size)
        for _ in range(negatives if weight > 0 else 0):
            drawn = random.draw() % len(alive)
            if drawn != item and alive[drawn] and drawn not in consumed.get(user, ()):
                step(user, drawn, 0.0, size)
    return touched


def remember(events: Iterable[tuple[int, int, bool]]) -> dict[int, list[int]]:
    """What each user consumed, first to last, each once, of (user, item, whether consumed)."""
    history: dict[int, list[int]] = defaultdict(list)
    for user, item, counts in events:
        if counts and item >= 0 and item not in history[user]:
            history[user].append(item)
    return dict(history)


def top_n(
    scores: NDArray[np.float32], alive: Sequence[bool], left_out: Iterable[int], n: int
) -> list[tuple[int, float]]:
    """The best `n` of one row as (item, score), equal scores by lower item."""
    out = set(left_out)
    order = np.argsort(-scores, kind="stable").tolist()
    best = [(j, float(scores[j])) for j in order if alive[j] and j not in out]
    return [(j, score) for j, score in best if score > -math.inf][:n]


def popularity(events: Iterable[tuple[float, float]], at: float, half_life: float) -> float:
    """Σ max(w, 0) · 2^(−(at − ts) / half-life) over (w, ts), with no ts after `at`."""
    return sum(max(w, 0.0) * math.pow(2.0, -(at - ts) / half_life) for w, ts in events)
