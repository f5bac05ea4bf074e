"""Exposure: items that a rule is about get at least a share of what all users' lists show.

In: candidates, the rules that hold for them; lists as they are served. Out: values, with the
logarithm θ_r of a factor added for each rule r; θ_r, learned from each list's gap:

    θ_r ← clip(θ_r + RATE · (share_r − e_r), 0, MOST),   e_r = Σ_{k: item k is meant} w_k / Σ_k w_k

where e_r is the exposure of the list's N items, with w_k = 1 / log2(k + 1) for place k from 1. This
is dual ascent on the mean exposure of all lists: over any T of them in which θ_r is less than MOST
it is at least share_r − MOST / (RATE · T). All user learners share θ; each applies its own changes
at once.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.compiling import njit
from udfs.direct import Direct
from udfs.models.model import Shop
from udfs.models.settings import Settings
from udfs.ranking.steps.candidates import Candidates
from udfs.rules.rules import Rules

EXPOSURE = "exposure"
"""The name of the shared parameters."""
RATE = 0.004
"""What a gap of 1 in one list adds to θ. A gap of .2 is closed within some 1,500 lists. Another
learner's lists are seen half a second late, so 10,000 lists a second would be too many for more."""
LISTS, SHOWN, WANTED = "lists", "shown", "wanted"
"""What is counted of lists, see `Exposure.counted`."""
MOST = 6.0
"""The largest θ, a factor of 400: a group that has no candidates cannot be shown at any."""


@njit(cache=True, nogil=True)
def favour(items, values, bits, meant, theta):
    """Add θ_r of each rule to the values of the items that it is about.

    Args:
        items, values: int32[rows, M], float32[rows, M], the latter changed. bits: uint32[I].
        meant: uint32[R], the bit of each rule. theta: float64[R].
    """
    for r in range(items.shape[0]):
        for k in range(items.shape[1]):
            if items[r, k] >= 0:
                for rule in range(meant.shape[0]):
                    if bits[items[r, k]] & meant[rule]:
                        values[r, k] += np.float32(theta[rule])


@njit(cache=True, nogil=True)
def add_exposures(items, n, bits, meant, out):
    """Add e_r of each list to `out` (float64[R]); returns how many lists have any item.

    Args:
        items: int32[rows, K], lists, −1 where one has ended. n: of how many places.
    """
    lists = 0
    for r in range(items.shape[0]):
        whole = 0.0
        for k in range(min(n, items.shape[1])):
            if items[r, k] < 0:
                break
            whole += 1.0 / np.log2(k + 2.0)
        if whole == 0.0:
            continue
        lists += 1
        for k in range(min(n, items.shape[1])):
            if items[r, k] < 0:
                break
            for rule in range(meant.shape[0]):
                if bits[items[r, k]] & meant[rule]:
                    out[rule] += 1.0 / np.log2(k + 2.0) / whole
    return lists


class Multipliers:
    """θ of R rules, in an item learner or in a user learner.

    >>> found = Multipliers(2)
    >>> found.put(np.array([-1.0, 9.0])), found.parameters.tolist()
    (None, [0.0, 6.0])
    """

    def __init__(self, rules: int) -> None:
        self._theta = np.zeros(rules)

    @property
    def parameters(self) -> NDArray[np.float64]:
        """θ, float64[R]; a copy."""
        return self._theta.copy()

    def put(self, parameters: NDArray[np.float64]) -> None:
        """Set θ, clipped; an array of another length than R changes nothing: there are other rules
        now."""
        if len(parameters) == len(self._theta):
            self._theta = np.nan_to_num(parameters, posinf=0.0, neginf=0.0).clip(0.0, MOST)


class Exposure(Multipliers):
    """See the module."""

    def __init__(self, settings: Settings, shop: Shop) -> None:
        pairs = shares_of(settings)
        super().__init__(len(pairs))
        self._shop, self._n = shop, settings.lists.length
        self._meant = np.array([1 << bit for bit, _ in pairs], np.uint32)
        self._shares = np.array([share for _, share in pairs])
        self._untold, self._shown, self._lists = np.zeros(len(pairs)), np.zeros(len(pairs)), 0
        self._names = names_of(settings)
        self._favour, self._add = Direct(favour), Direct(add_exposures)

    @property
    def some(self) -> bool:
        """Whether any rule asks for exposure."""
        return len(self._shares) > 0

    def weigh(self, candidates: Candidates) -> None:
        """See `udfs.ranking.steps.candidates.Step`."""
        bits = self._shop.catalogue.metadata.bits
        self._favour(candidates.items, candidates.values, bits, self._meant, self._theta)

    def see(self, items: NDArray[np.int32]) -> None:
        """Learn from lists as they are served: int32[n, K], slots, −1 where one has ended."""
        if not self.some:
            return
        bits, found = self._shop.catalogue.metadata.bits, np.zeros(len(self._shares))
        given: tuple[Any, ...] = np.ascontiguousarray(items), self._n, bits, self._meant, found
        lists = self._add(*given)
        self._shown += found
        self._lists += lists
        before = self._theta
        self._theta = (before + RATE * (lists * self._shares - found)).clip(0.0, MOST)
        self._untold += self._theta - before

    def added(self) -> NDArray[np.float64] | None:
        """What θ was changed by since the last call, float64[R]; None: nothing."""
        if not self._untold.any():
            return None
        found, self._untold = self._untold, np.zeros(len(self._untold))
        return found

    def counted(self) -> dict[str, float]:
        """What lists have shown since the last call, by `<rule>:<measure>`: their number, LISTS,
        and the sums over them of the exposure that they gave, SHOWN, and of what is asked for,
        WANTED."""
        if not self._lists:
            return {}
        found = dict[str, float]()
        for name, shown, share in zip(self._names, self._shown, self._shares, strict=True):
            found[f"{name}:{LISTS}"] = float(self._lists)
            found[f"{name}:{SHOWN}"] = float(shown)
            found[f"{name}:{WANTED}"] = float(share) * self._lists
        self._shown, self._lists = np.zeros(len(self._shown)), 0
        return found

    def put(self, parameters: NDArray[np.float64]) -> None:
        """Set what all learners have told, to which what this one has not told yet is added."""
        if len(parameters) == len(self._untold):
            super().put(parameters + self._untold)


def shares_of(settings: Settings) -> list[tuple[int, float]]:
    """The bit and the least share of each rule that has one."""
    listed = enumerate(Rules(settings.rules).listed)
    return [(bit, rule.exposure) for bit, rule in listed if rule.exposure]


def names_of(settings: Settings) -> list[str]:
    """What each rule with a share is called in `stats`: its name, if that can be a label of its
    own, or its number among all rules.

    >>> from udfs.options.rules import Rule
    >>> rules = [Rule(name="a:b", when="x", exposure=0.1), Rule(name="new", when="y", exposure=0.1)]
    >>> names_of(Settings(rules=rules))
    ['1', 'new']
    """
    names, found = [rule.name for rule in settings.rules], []
    for number, rule in enumerate(settings.rules, 1):
        if rule.exposure:
            fits = re.fullmatch("[a-z0-9_-]{1,40}", rule.name) and names.count(rule.name) == 1
            found.append(rule.name if fits else str(number))
    return found
