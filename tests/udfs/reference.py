"""The kernels again, plain and sequential, as their formulas read: what the tests compare with."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory import popularity_kernels
from udfs.models.popular import popular_kernels
from udfs.models.popular.first import BUCKETS, SHRINK
from udfs.models.popular.mixture import Mixture
from udfs.models.popular.popular import Ordered, Popular

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


class Factors:
    """Factor learning in float64, as the formulas of `udfs.models.factors.softmax_kernels.learn`
    read.

    Matrices as there; `history` maps a user to (item, liked) pairs, oldest first.
    """

    def __init__(self, model: Any) -> None:
        self.p, self.q, self.y = (np.array(m, np.float64) for m in (model.p, model.q, model.y))
        self.bias = model.bias.astype(np.float64)
        self.user_spread = model.user_spread.astype(np.float64)
        self.spread = model.spread.astype(np.float64)
        self.alive: list[bool] = model.alive.tolist()
        places = model.places
        self.places, self.squares = (
            np.array(m, np.float64) for m in (places.weights, places.squares)
        )
        self.scale: list[float] = places.scale.tolist()
        self.shared, self.again = float(places.shared), bool(model.again)
        self.history: dict[int, list[tuple[int, bool]]] = defaultdict(list)
        self.touched: list[int] = []

    def window(self, user: int, target: int) -> list[tuple[int, NDArray[Any]]]:
        """The last items liked, newest first, with c_k / √Σw."""
        liked = [
            item
            for item, liked in reversed(self.history[user])
            if liked and item != target and self.alive[item]
        ]
        pairs = list(zip(liked, self.places, strict=False))
        return [(item, c * self.scale[len(pairs)]) for item, c in pairs]

    def left_out(self, item: int) -> int:
        """The item that the window of an event on `item` has not."""
        return -1 if self.again else item

    def vector(self, user: int, target: int = -1) -> NDArray[Any]:
        """v_u = p_u + Σ c_k ∘ (q + y) / √Σw."""
        window = self.window(user, target)
        shares = [share * (self.shared * self.q[item] + self.y[item]) for item, share in window]
        return np.asarray(sum(shares, self.p[user].copy()))

    def touch(self, item: int) -> None:
        if item not in self.touched:
            self.touched.append(item)

    def learn(
        self, events: Iterable[Event], flags: Iterable[int], size: int, rate: float, pull: float,
        negatives: int, random: SplitMix64,
    ) -> None:  # fmt: skip
        """Learn the events in place, and append those flagged to the history."""
        start, known = random.state, size
        for number, ((user, item, weight), flag) in enumerate(zip(events, flags, strict=True)):
            if item < 0:
                continue
            known = max(known, item + 1)
            step = min(float(np.float32(rate) * np.float32(abs(weight))), 1.0)
            if step > 0:
                random.state = (start + number * 0xD1B54A32D192ED03) % 2**64
                self.step(user, item, weight > 0, step, pull, known, negatives, random)
            past = self.history[user]
            if item in [old for old, _ in past]:
                later = [(old, weight > 0 if old == item else liked) for old, liked in past]
                self.history[user] = later if step > 0 else past
            elif flag & 1:
                past.append((item, weight > 0))

    def step(
        self, user: int, item: int, positive: bool, step: float, pull: float, known: int,
        negatives: int, random: SplitMix64,
    ) -> None:  # fmt: skip
        """One event."""
        left_out = {item, *(old for old, _ in self.history[user])}
        chosen = [(random.draw() >> 32) * known >> 32 for _ in range(negatives)]
        drawn = [j for j in chosen if self.alive[j] and j not in left_out]
        left = self.left_out(item)
        window, v = self.window(user, left), self.vector(user, left)
        scores = [self.bias[j] + self.q[j] @ v for j in (item, *drawn)]
        top = max(scores) if drawn else max(scores[0], 0.0)
        mine, *each = (math.exp(score - top) for score in scores)
        share = (known - 1) / negatives if positive and negatives else 1 / max(len(drawn), 1)
        others = share * sum(each) if drawn else math.exp(-top)
        if positive:
            errors = [others / (mine + others), *(-share * z / (mine + others) for z in each)]
        else:
            errors, drawn = [-mine / (mine + others)], []
        g = np.zeros(len(v))
        for k, (j, e) in enumerate(zip((item, *drawn), errors, strict=True)):
            g += e * self.q[j]
            if k > 0 and -e < 1 / 16:
                if (random.draw() >> 40) / 2**24 / 16 >= -e:
                    continue
                e = -1 / 16
            self.touch(j)
            s = step / self.grow(self.spread, (j, 0), e * e * (v @ v) / len(v))
            b = 2 * step / self.grow(self.spread, (j, 2), e * e)
            keep = max(1 - s * pull, 0.0) if k == 0 else 1.0
            self.q[j] = clip(keep * self.q[j] + s * e * v)
            self.bias[j] = clip(self.bias[j] + b * e)
        energy = g @ g / len(g)
        s = 2 * step / self.grow(self.user_spread, user, energy)
        self.p[user] = clip(max(1 - s * pull, 0.0) * self.p[user] + s * g)
        for k, (j, share) in enumerate(window):
            self.touch(j)
            h, slope = share * g, self.scale[len(window)] * g * (self.q[j] + self.y[j])
            energy = h @ h / len(g)
            s = step / self.grow(self.spread, (j, 1), energy)
            kept = np.maximum(1 - s * abs(share) * pull, 0.0)
            self.y[j] = clip(kept * self.y[j] + s * h)
            s = step / self.grow(self.spread, (j, 0), energy)
            self.q[j] = clip(self.q[j] + s * h)
            self.squares[k] += slope**2
            self.places[k] = clip(self.places[k] + step * slope / np.sqrt(self.squares[k] + 0.03))

    def grow(self, spread: NDArray[Any], place: Any, gain: float) -> float:
        """Add to an accumulator of AdaGrad; returns the root to divide a step by."""
        spread[place] = min(spread[place] + gain, 100.0)
        return math.sqrt(spread[place] + 0.03)


def remember(
    events: Iterable[tuple[int, int, bool]], repeats: bool = False
) -> dict[int, list[int]]:
    """What each user consumed, first to last, of (user, item, whether consumed): each item once, or
    again whenever it is not the last one."""
    history: dict[int, list[int]] = defaultdict(list)
    for user, item, counts in events:
        if counts and item >= 0 and item not in history[user][-1 if repeats else 0 :]:
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


def by_popularity(
    catalogue: Any, now: float, half_life: float, mixture: Any = None, first: Any = None
) -> Popular:
    """Living items by the weighted shares of their popularity at each half-life, and of what
    strangers take: `first` has the counts of its buckets, as of now."""
    size, spans = catalogue.size, popularity_kernels.SPANS
    mixture, counts = mixture or Mixture(fixed=True), np.zeros(BUCKETS) if first is None else first
    age = np.maximum(now - catalogue.popularity_at[:size], 0.0)
    sums, alive = catalogue.sums[:size], catalogue.shown[:size]
    levels = [sums[:, h] * 2.0 ** (-age / spans[h]) for h in range(4)]
    levels.insert(1, catalogue.popularity[:size] * 2.0 ** (-age / half_life))

    def mixed(weights: Sequence[float]) -> Any:
        value = np.zeros(size)
        for weight, level in zip(weights, levels[: len(weights)], strict=True):
            value += weight * alive * level / max((alive * level).sum(), 1e-300)
        return value / max(float(value.max(initial=0.0)), 1e-300)

    p = mixed(mixture.of_half_lives)
    p /= max(p.sum(), 1e-300)
    held = [int(key) % BUCKETS for key in catalogue.keys[:size]]
    totals = dict.fromkeys(held, 0.0)
    for place, share in zip(held, p, strict=True):
        totals[place] += share
    all_counts = sum(counts[place] for place, total in totals.items() if total > 0)
    levels.append(
        np.array(
            [
                share / totals[place] * (counts[place] + SHRINK * totals[place]) if share else 0.0
                for place, share in zip(held, p, strict=True)
            ]
        )
        / (all_counts + SHRINK)
    )
    orders = []
    for weights in (mixture.of_half_lives, mixture.weights):
        shares = np.asarray(mixed(weights), np.float32)
        order = np.argsort(-shares, kind="stable").astype(np.int32)
        orders.append(Ordered(order[alive[order]], shares))
    best = np.zeros(size, np.uint8)
    for h, level in enumerate(levels):
        top = np.argsort(-np.float32(alive * level), kind="stable")[: popular_kernels.BEST]
        best[top[np.float32(alive * level)[top] > 0]] |= np.uint8(1 << h)
    return Popular(*orders, best, levels[-1])


class Trends:
    """What is trending, by name: all events (w, ts) of each living item, and two snapshots."""

    def __init__(self, window: float, half_life: float) -> None:
        self.window, self.half_life = window, half_life
        self.events: dict[str, list[tuple[float, float]]] = {}
        self.taken: list[tuple[float, dict[str, float]]] = []

    def surprises(self, clock: float) -> dict[str, float]:
        """How surprising each item is at a look."""
        h = self.half_life
        now = {name: popularity(events, clock, h) for name, events in self.events.items()}
        if not self.taken or clock // self.window > self.taken[-1][0] // self.window:
            self.taken = [*self.taken[-1:], (clock, now)]
        at, values = self.taken[0]
        before = {name: values.get(name, 0.0) for name in now}
        left = 2.0 ** (-(clock - at) / h)
        gained = {name: max(now[name] - before[name] * left, 0.0) for name in now}
        r = sum(gained.values()) / (sum(before.values()) + 0.5)
        return {
            name: (gained[name] - r * (before[name] + 0.5))
            / math.sqrt(r * (before[name] + 0.5) * (1 + r) + 4)
            for name in now
        }

    def expire(self, names: set[str]) -> None:
        """Forget items."""
        every: list[dict[str, Any]] = [self.events, *(values for _, values in self.taken)]
        for kept in every:
            for name in names & set(kept):
                del kept[name]


def add_popularity(
    items: NDArray[Any],
    weights: NDArray[Any],
    ts: NDArray[Any],
    half_life: float,
    value: NDArray[Any],
    at: NDArray[Any],
    events: NDArray[Any],
) -> None:
    """Add events to the decayed popularity of their items.

    Args:
        items, weights, ts: int32[n] (negative: skipped), float32[n], int64[n] ms. Weights ≤ 0 count
            as events but add no popularity. half_life: ms.
        value, at: float64[I]: the decayed sum and its time in ms; events: int64[I]. All changed in
            place.
    """
    for e in range(items.shape[0]):
        j = items[e]
        if j < 0:
            continue
        weight = max(np.float64(weights[e]), 0.0)
        value[j], at[j] = popularity_kernels.add_decayed(
            value[j], at[j], weight, np.float64(ts[e]), half_life
        )
        events[j] += 1
