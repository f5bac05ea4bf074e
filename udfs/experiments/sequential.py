"""What is known of a difference between two groups of users, at any time and however often one
looks.

In: sums over users. Out: the lift of a rate with an interval, and how surprising the sizes of the
groups are. Both hold at all times together: the probability that the truth is ever outside of an
interval, from the first look to the last, is at most alpha.

The lift is y₁/x₁ : y₀/x₀ − 1, with y what users did and x what they could do (views), or 1 for each
user. Its logarithm L has the variance V, by the delta method, in which a user is one observation,
however many events there are of it. With a normal mixture of standard deviation τ over the true
value (Robbins 1970; Johari, Pekelis, Walsh 2015: mSPRT; Waudby-Smith et al. 2021: the asymptotic
confidence sequence), the interval is

    L ± √( V (V + τ²) / τ² · (log((V + τ²) / V) + 2 log(1 / alpha)) )

It is asymptotic: nothing is told before both groups are as well known as `LEAST` clicks would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, lgamma, log, sqrt
from typing import NamedTuple

ALPHA = 0.05
"""How likely the truth is ever outside of an interval, at most."""
SURPRISE = 0.001
"""The same of an alarm about the sizes of groups: it says that something is broken."""
LEAST = 50
"""As many users, and as many independent clicks or what is as certain, each group needs."""
NOTHING = 1e-100
"""A sum of which the square would not be represented as a number counts as none; so does one above
1 / NOTHING."""
_TAU = 0.1  # lifts of about 10 % are found soonest; of 2 or 50 %, a fifth later at most
_FIRM = 1000.0  # users: how many would have to be surprising for the mixture to look for more


class Sums(NamedTuple):
    """Sums over the n users of a group: x, y, and the products.

    >>> Sums.of([(1.0, 0.0), (1.0, 2.0)])
    Sums(n=2, x=2.0, y=2.0, xx=2.0, xy=2.0, yy=4.0)
    """

    n: float
    x: float
    y: float
    xx: float
    xy: float
    yy: float

    @staticmethod
    def of(users: Sequence[tuple[float, float]]) -> Sums:
        """The sums over users, x and y of each."""
        products = [(1, x, y, x * x, x * y, y * y) for x, y in users]
        return Sums(*map(sum, zip(*products, strict=True))) if products else NONE


NONE = Sums(0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Lift(NamedTuple):
    """How much more the rate of one group is than that of another: 0.05 is 5 % more. Between low
    and high, −1 to ∞, it is with what is known by now."""

    lift: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Whether it is known which rate is higher."""
        return self.low > 0.0 or self.high < 0.0


UNKNOWN = Lift(0.0, -1.0, inf)


def log_rate(sums: Sums) -> tuple[float, float]:
    """The logarithm of y / x and its variance: Σ (y − r x)² / (Σ y)² with r = Σ y / Σ x, which is
    (yy − 2 r xy + r² xx) / y². Infinite where nothing happened.

    >>> log_rate(Sums.of([(1.0, 1.0), (1.0, 0.0)]))  # of two users one
    (-0.6931471805599453, 0.5)
    """
    if sums.x <= 0.0 or not NOTHING <= sums.y <= 1.0 / NOTHING:
        return 0.0, inf
    rate = sums.y / sums.x
    spread = sums.yy - 2.0 * rate * sums.xy + rate * rate * sums.xx
    return log(rate), max(spread, 0.0) / (sums.y * sums.y)


def lift(control: Sums, variant: Sums, alpha: float = ALPHA) -> Lift:
    """The lift of the variant, with an interval that holds at all times.

    Args:
        alpha: how likely it ever does not hold, 0 to 1. For k variants that are compared with the
            same control it is to be divided by k.

    >>> many = Sums.of([(10.0, 1.0), (10.0, 2.0)] * 2000)
    >>> more = Sums.of([(10.0, 1.0), (10.0, 3.0)] * 2000)
    >>> [round(end, 3) for end in lift(many, more)], lift(many, NONE)
    ([0.333, 0.292, 0.376], Lift(lift=0.0, low=-1.0, high=inf))
    """
    (before, some), (after, others) = log_rate(control), log_rate(variant)
    if max(some, others) > 1.0 / LEAST or min(control.n, variant.n) < LEAST:
        return UNKNOWN
    half, found = radius(some + others, alpha), after - before
    return Lift(exp(found) - 1.0, exp(found - half) - 1.0, exp(found + half) - 1.0)


def paired(sums: Sums, alpha: float = ALPHA) -> Lift:
    """The lift of y against x, what the same users did of one kind and of another; as `lift`.

    >>> some = Sums.of([(10.0, 11.0), (10.0, 13.0)] * 2000)
    >>> [round(end, 3) for end in paired(some)], paired(NONE)
    ([0.2, 0.194, 0.206], Lift(lift=0.0, low=-1.0, high=inf))
    """
    found, variance = log_rate(sums)
    if min(sums.n, sums.x, sums.y) < LEAST or variance > 2.0 / LEAST:
        return UNKNOWN
    half = radius(variance, alpha)
    return Lift(exp(found) - 1.0, exp(found - half) - 1.0, exp(found + half) - 1.0)


def radius(variance: float, alpha: float) -> float:
    """Half of the width of the interval of a mean of this variance, see the module.

    >>> [round(radius(v, 0.05) / sqrt(v), 2) for v in (1e-2, 1e-3, 1e-4)]  # for one look: 1.96
    [3.66, 3.04, 3.27]
    """
    if variance <= 0.0:
        return 0.0
    wide = variance + _TAU * _TAU
    return sqrt(variance * wide / _TAU**2 * (log(wide / variance) + 2.0 * log(1.0 / alpha)))


def mismatch(counts: Sequence[int], wanted: Sequence[float]) -> float:
    """How likely groups ever become as uneven as these, at most: a p-value that holds at all times.

    The groups are compared with a Dirichlet mixture around the wanted shares θ (Lindon, Malek
    2022), of K = 1000; with n users, nᵢ in group i,

        1 / p = Γ(K) / Γ(K + n) · Πᵢ Γ(K θᵢ + nᵢ) / (Γ(K θᵢ) θᵢ^nᵢ)

    >>> mismatch([500, 500], [0.5, 0.5]), round(mismatch([5000, 5400], [0.5, 0.5]), 4)
    (1.0, 0.003)
    """
    n = sum(counts)
    found = lgamma(_FIRM) - lgamma(_FIRM + n)
    for count, share in zip(counts, wanted, strict=True):
        prior = _FIRM * share
        found += lgamma(prior + count) - lgamma(prior) - count * log(share)
    return min(exp(-max(found, 0.0)), 1.0)
