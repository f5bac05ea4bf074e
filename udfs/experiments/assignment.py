"""Which variant of an experiment a user is in.

In: an `Experiment` and a user's id. Out: the place of a variant, or nothing. It is computed from
the two names alone, so that nothing is stored: it is the same in every shard, after every failure
and however often the job is rescaled, and a front end can compute it, too.

A user's hash is BLAKE2b of the id with the experiment's name as the key, 16 bytes. The first 8, as
a whole number below 2^64 (little-endian), say whether the user is in the experiment, the last 8
in which variant. The two are independent, so that the share can grow and nobody moves.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from hashlib import blake2b
from itertools import accumulate
from math import ceil

from udfs.options.experiments import Experiment

OUTSIDE = -1
"""The place of the variant of users who are not in the experiment."""
_WHOLE = 1 << 64


class Assignment:
    """The users of one experiment.

    >>> from udfs.options.experiments import Variant
    >>> two = [Variant(name="now"), Variant(name="new")]
    >>> of = Assignment(Experiment(name="new-order", variants=two, share=0.5)).of
    >>> [of(user) for user in ("ann", "bob", "cat", "dan", "eve", "flo")]
    [1, -1, -1, 0, 0, 0]
    """

    def __init__(self, experiment: Experiment) -> None:
        self._key = experiment.name.encode()
        self._below = ceil(Fraction(experiment.share) * _WHOLE)
        weights = [Fraction(variant.weight) for variant in experiment.variants]
        total = sum(weights)
        self._ends = [ceil(end / total * _WHOLE) for end in accumulate(weights)]

    def of(self, user: str) -> int:
        """The place of the user's variant among those of the experiment; `OUTSIDE`: none."""
        digest = blake2b(user.encode(), digest_size=16, key=self._key).digest()
        if int.from_bytes(digest[:8], "little") >= self._below:
            return OUTSIDE
        return bisect_right(self._ends, int.from_bytes(digest[8:], "little"))


def shares(experiment: Experiment) -> list[float]:
    """Which share of the experiment's users each variant gets.

    >>> from udfs.options.experiments import Variant
    >>> shares(Experiment(name="a", variants=[Variant(name="x", weight=3), Variant(name="y")]))
    [0.75, 0.25]
    """
    total = sum(variant.weight for variant in experiment.variants)
    return [variant.weight / total for variant in experiment.variants]
