"""What users do in experiments: sums over users, of which each is one observation.

In: users whose lists are written; what became of lists (`udfs.learning.attribution`). Out: what
each user has done since the first list in an experiment, in the shard's state, and sums over users
in its account, by `udfs.experiments.results`. Both are as of the same event after a failure.

A user counts for a variant from the first list that was made in it: what became of lists of before
does not. Whoever has moved to another variant, because its shares were changed under the same
name, counts no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from udfs.accounts import Account
from udfs.experiments import results
from udfs.experiments.assignment import OUTSIDE, Assignment
from udfs.options.experiments import Experiment
from udfs.state.handles import Rows
from udfs.state.taking_part import Part, pack_parts, unpack_parts

_TOLD = (results.LISTS, results.VIEWS, results.CLICKS, results.CONVERSIONS, results.VALUE)
_PRODUCTS = (
    (results.VIEWS, results.VIEWS),
    (results.VIEWS, results.CLICKS),
    (results.CLICKS, results.CLICKS),
    (results.CONVERSIONS, results.CONVERSIONS),
    (results.VALUE, results.VALUE),
)


class Experiments:
    """The experiments of one subtask; `rows` is scoped to the current shard."""

    def __init__(self, rows: Rows, experiments: Sequence[Experiment] = ()) -> None:
        self._rows, self._experiments = rows, experiments
        self._all = [(one, Assignment(one)) for one in experiments]

    @property
    def some(self) -> bool:
        """Whether there are any."""
        return bool(self._all)

    def serve(self, experiments: Sequence[Experiment]) -> None:
        """From now on, count these."""
        if experiments != self._experiments:
            self._experiments = experiments
            self._all = [(one, Assignment(one)) for one in experiments]

    def variants(self, user: str) -> dict[str, str]:
        """The variant that a user is in, by experiment."""
        found = ((one, assignment.of(user)) for one, assignment in self._all)
        return {one.name: one.variants[at].name for one, at in found if at != OUTSIDE}

    def written(self, account: Account, users: Mapping[str, int]) -> None:
        """Note that users got lists that were made at these times, ms."""
        changed = dict[str, bytes]()
        for user, at_ms in users.items():
            if not (variants := self.variants(user)):
                continue
            parts = unpack_parts(self._rows.get(user))
            new = {name: Part(v, at_ms) for name, v in variants.items() if name not in parts}
            if new:
                kept = {name: part for name, part in parts.items() if name in variants}
                changed[user] = pack_parts(kept | new)
                for name, part in new.items():
                    _add(account, name, part.variant, {results.SERVED: 1.0})
        if changed:
            self._rows.put_all(changed)

    def count(
        self, account: Account, user: str, at_ms: int, made: Mapping[str, float], first: bool
    ) -> None:
        """Count what became of one item of a list.

        Args:
            at_ms: when the list was made. made: by measure, what is new. first: whether nothing was
                known of the list before.
        """
        if not self._all or not (variants := self.variants(user)):
            return
        parts, changed = unpack_parts(self._rows.get(user)), False
        for name, variant in variants.items():
            part = parts.get(name)
            if part is None or part.variant != variant or at_ms < part.since:
                continue
            before = _values(part)
            for measure, by in made.items():
                setattr(part, measure, getattr(part, measure) + type(getattr(part, measure))(by))
            part.lists += first
            _add(account, name, variant, grown(before, _values(part)))
            changed = True
        if changed:
            self._rows.put_all({user: pack_parts(parts)})


def grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What the sums over users, and over their squares and products, grow by as one user's do.

    >>> grown({"clicks": 1.0}, {"clicks": 3.0})
    {'clicks': 2.0, 'clicks*clicks': 8.0}
    """
    found = {name: after[name] - before.get(name, 0.0) for name in after}
    for one, other in _PRODUCTS:
        if one in after and other in after:
            past = before.get(one, 0.0) * before.get(other, 0.0)
            found[f"{one}*{other}"] = after[one] * after[other] - past
    return {name: by for name, by in found.items() if by}


def _values(part: Part) -> dict[str, float]:
    found: dict[str, Any] = {name: float(getattr(part, name)) for name in _TOLD}
    return {results.USERS: float(part.lists > 0), **found}


def _add(account: Account, experiment: str, variant: str, grows: Mapping[str, float]) -> None:
    sums = account.experiments
    for measure, by in grows.items():
        name = results.key(experiment, variant, measure)
        sums[name] = sums.get(name, 0.0) + by
