"""Why an item is where it is in a user's list, or why it is not there, in numbers and facts.

In: a learner, a user in its memory, an item. Out: the answer as JSON has it (docs/why.md), computed
by what makes the lists, from the state as it is; nothing is changed by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec.structs import asdict

from udfs.learning.learner import Learner
from udfs.learning.person import moment
from udfs.memory.left_out import left_out
from udfs.options.rules import Rule
from udfs.options.sources import SOURCES
from udfs.ranking.trace import Sum, Trace, Tracer
from udfs.rules.rules import Rules

LAST = 50
"""So many of a user's last items are left out in turn: for each a list is made."""
FEWEST, WORK = 5, 5_000_000
"""Fewer where a list takes longer: items times lists, since all items may be looked at for one."""

Fact = dict[str, Any]
"""Why an item is not in a list: `fact`, one of those below, and what it is about.

    unknown_user, unknown_item         nothing is known of it
    expired, not_allowed               it is in no list of anybody
    not_yet, over: at                  nor before this time, or after it
    consumed, own                      nor in this user's lists
    few_events: events, least          the user has no list of her own yet
    no_candidate                       no source names it
    ranked_below: place, candidates, length    the ranker prefers others
    below: source, length              the same of lists that the built-in ranker does not score
    moved, dropped: step, before, after        a step has moved it, or took it out
"""


class Why:
    """Answers of one subtask."""

    def __init__(self, learner: Learner) -> None:
        self._learner, self._tracer = learner, Tracer(learner.models)
        self._listed = Rules(learner.settings.rules).listed

    def answer(self, slot: int, item: str, now_ms: int) -> dict[str, Any]:
        """The answer about an item for the user in a cache slot."""
        learner = self._learner
        place = int(learner.catalogue.find([item])[0])
        if place < 0:
            return {"facts": [{"fact": "unknown_item"}]}
        with self._tracer.still(now_ms):
            trace = self._tracer.trace(slot, place, now_ms)
            barred = [*self._barred(slot, place, now_ms)]
            events = [] if barred else [*self._events(slot, place, now_ms, trace)]
        found: dict[str, Any] = {
            "list": {
                "source": trace.source,
                "length": self._length,
                "place": trace.place or None,
            },
            "facts": [*barred, *self._facts(slot, trace, bool(barred))],
            "steps": [{"step": name, "place": at or None} for name, at in trace.steps],
            "events": events,
        }
        if trace.place:
            found["why"] = self._reason(slot, trace)
        if trace.sum is not None:
            found["ranker"] = _told(trace.sum)
        if rules := self._rules(place):
            found["rules"] = rules
        # Where the item of the event would come back itself, it is the one that takes the place.
        decide = [one for one in events if one["place"] is None]
        found["without"] = [one["item"] for one in decide if "item" in one] if trace.place else []
        return found

    @property
    def _length(self) -> int:
        return self._learner.settings.lists.length

    def _barred(self, slot: int, item: int, now_ms: int) -> Iterator[Fact]:
        """What keeps an item out of the user's lists whatever the sources say."""
        learner, steps = self._learner, self._learner.models.steps
        c, users = learner.catalogue, learner.users
        at = np.array([item])
        if not c.alive[item]:
            yield {"fact": "expired"}
        elif not c.metadata.may_be_shown(at, now_ms)[0]:
            begins, ends = int(c.metadata.published[item]), int(c.metadata.expires[item])
            if not c.metadata.allowed[item]:
                yield {"fact": "not_allowed"}
            elif now_ms < begins:
                yield {"fact": "not_yet", "at": moment(begins)}
            else:
                yield {"fact": "over", "at": moment(ends)}
        if learner.settings.lists.exclude_consumed and item in users.history_of(slot):
            yield {"fact": "consumed"}
        if steps.own.has(slot, at)[0]:
            yield {"fact": "own"}

    def _facts(self, slot: int, trace: Trace, barred: bool) -> Iterator[Fact]:
        """How the item comes to its place, or falls behind others."""
        n, lists = self._length, self._learner.settings.lists
        events = int(self._learner.users.events[slot])
        if events < lists.minimum_events:
            yield {"fact": "few_events", "events": events, "least": lists.minimum_events}
        pairs, dropped, last = zip(trace.steps, trace.steps[1:], strict=False), False, 0
        for (_, before), (step, after) in pairs:
            if before and after and before != after:
                yield {"fact": "moved", "step": step, "before": before, "after": after}
            elif before and not after and before <= n:
                yield {"fact": "dropped", "step": step, "before": before}
                dropped = True
        for _, place in trace.steps:
            last = place or last
        if not trace.place and not barred and not dropped:
            yield self._ranked(trace, last)

    def _ranked(self, trace: Trace, place: int) -> Fact:
        """Others are before it; `place`: after the last step that has it, 0: after none."""
        n = self._length
        if trace.sum is not None:
            at = place or trace.sum.place
            many = trace.sum.candidates
            return {"fact": "ranked_below", "place": at, "candidates": many, "length": n}
        if trace.scored:
            return {"fact": "no_candidate"}
        return {"fact": "below", "source": trace.source, "length": n}

    def _events(self, slot: int, item: int, now_ms: int, trace: Trace) -> Iterator[Fact]:
        """The user's last items, the newest first, with what the list would be without each."""
        users, c = self._learner.users, self._learner.catalogue
        items, likes = users.standing(slot)
        most = max(FEWEST, min(LAST, WORK // c.size))
        newest = zip(items[::-1].tolist()[:most], likes[::-1].tolist(), strict=False)
        for ago, (taken, liked) in enumerate(newest):
            with left_out(users, slot, ago):
                other = self._tracer.trace(slot, item, now_ms)
            name = c.ids[taken]
            known = {"key": f"{int(c.keys[taken]):016x}"} if name is None else {"item": name}
            found = {**known, "liked": liked, "place": other.place or None}
            if taken in other.served.items[0, : self._length]:
                found["returns"] = True
            if trace.sum is not None and other.sum is not None:
                found["logit"] = other.sum.logit
                found["adds"] = _differences(trace.sum, other.sum)
            yield found

    def _reason(self, slot: int, trace: Trace) -> dict[str, Any]:
        """`why` as in the list."""
        served, k, names = trace.served, trace.place - 1, self._learner.catalogue.names
        found: dict[str, Any] = {"model": [*SOURCES][int(served.models[0, k])]}
        if because := [one for one in served.reasons[0, k].tolist() if one >= 0]:
            found["because"] = names(because)
        followed = self._learner.models.steps.followed.names(np.array([slot]), served.lists)
        if (name := followed.get(0, {}).get(k)) is not None:
            found["followed"] = name
        if served.explored is not None and served.explored[0, k]:
            found["chance"] = float(served.explored[0, k])
        return found

    def _rules(self, item: int) -> list[dict[str, Any]]:
        """The rules about lists that hold for an item."""
        bits = int(self._learner.catalogue.metadata.bits[item])
        held = [rule for bit, rule in enumerate(self._listed) if bits >> bit & 1]
        usual = asdict(Rule())
        return [
            {name: value for name, value in asdict(rule).items() if value != usual[name]}
            for rule in held
        ]


def _told(found: Sum) -> dict[str, Any]:
    parts = [part._asdict() for part in found.parts]
    return {**found._asdict(), "parts": parts}


def _differences(one: Sum, other: Sum) -> dict[str, float]:
    """What each feature adds more than in the other sum, the most first; nothing of those that
    add the same."""
    pairs = zip(one.parts, other.parts, strict=True)
    found = {a.feature: a.adds - b.adds for a, b in pairs if abs(a.adds - b.adds) > 1e-6}
    return dict(sorted(found.items(), key=lambda pair: -abs(pair[1])))
