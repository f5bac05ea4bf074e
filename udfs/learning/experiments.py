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
from typing import Any, NamedTuple

from udfs.accounts import Account
from udfs.experiments import results
from udfs.experiments.assignment import OUTSIDE, Assignment
from udfs.experiments.teams import FIRST, NEITHER, TEAMS
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


class Taken(NamedTuple):
    """What a user is in: the variant of an experiment; team: whose items those of the variant are
    in its lists, `NEITHER` where all are."""

    experiment: Experiment
    variant: str
    team: int = NEITHER


_Change = tuple[Taken, Mapping[str, float], Mapping[str, float]]
"""What a user did in a variant, before and after."""


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

    def taken(self, user: str) -> dict[str, Taken]:
        """The variants that a user is in, by the name under which they are kept of the user."""
        found = dict[str, Taken]()
        for one, assignment in self._all:
            if (at := assignment.of(user)) == OUTSIDE:
                continue
            if one.interleave:
                for team, variant in enumerate(one.variants, FIRST):
                    found[f"{one.name}:{variant.name}"] = Taken(one, variant.name, team)
            else:
                found[one.name] = Taken(one, one.variants[at].name)
        return found

    def written(self, account: Account, users: Mapping[str, int]) -> None:
        """Note that users got lists that were made at these times, ms."""
        changed = dict[str, bytes]()
        for user, at_ms in users.items():
            if not (taken := self.taken(user)):
                continue
            parts = unpack_parts(self._rows.get(user))
            new = {name: Part(one.variant, at_ms) for name, one in taken.items()
                   if name not in parts}  # fmt: skip
            if new:
                kept = {name: part for name, part in parts.items() if name in taken}
                changed[user] = pack_parts(kept | new)
                for name in new:
                    _add(account, taken[name], {results.SERVED: 1.0})
        if changed:
            self._rows.put_all(changed)

    def count(
        self,
        account: Account,
        user: str,
        at_ms: int,
        made: Mapping[str, float],
        first: bool,
        team: int = NEITHER,
    ) -> None:
        """Count what became of one item of a list.

        Args:
            at_ms: when the list was made. made: by measure, what is new. first: whether nothing was
                known of the list before. team: whose item it is, see `udfs.ranking.interleaving`.
        """
        if not self._all or not (taken := self.taken(user)):
            return
        parts, rivals = unpack_parts(self._rows.get(user)), list[_Change]()
        changed = False
        for name, one in taken.items():
            part = parts.get(name)
            if part is None or part.variant != one.variant or at_ms < part.since:
                continue
            before = _values(part)
            for measure, by in made.items() if one.team in (NEITHER, team) else ():
                setattr(part, measure, getattr(part, measure) + type(getattr(part, measure))(by))
            part.lists += first
            after = _values(part)
            _add(account, one, grown(before, after))
            rivals += [(one, before, after)] if one.team else []
            changed = True
        if len(rivals) == len(TEAMS):
            _add_products(account, *rivals)
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


def _add(account: Account, one: Taken, grows: Mapping[str, float]) -> None:
    sums = account.experiments
    for measure, by in grows.items():
        name = results.key(one.experiment.name, one.variant, measure)
        sums[name] = sums.get(name, 0.0) + by


def _add_products(account: Account, first: _Change, second: _Change) -> None:
    """What the sums grow by of what a user did with the items of one variant times the same with
    those of the other."""
    (one, *ours), (other, *theirs) = first, second
    both = Taken(one.experiment, results.both(one.variant, other.variant))
    (a, b), (c, d) = ours, theirs
    measures = (results.CLICKS, results.CONVERSIONS, results.VALUE)
    grows = {measure: b[measure] * d[measure] - a[measure] * c[measure] for measure in measures}
    _add(account, both, {measure: by for measure, by in grows.items() if by})
