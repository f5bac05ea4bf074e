"""What is known of experiments, from sums over their users.

In: sums by `<experiment>:<variant>:<measure>`, which the user learners count. Out: the fields of
the Redis hash `stats`: the sums, lifts against the first variant with intervals, how surprising the
sizes of the variants are, and since when something is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isinf

from udfs.experiments.assignment import shares
from udfs.experiments.sequential import ALPHA, SURPRISE, Lift, Sums, lift, mismatch
from udfs.options.experiments import GOALS, Experiment

SERVED, USERS, LISTS, VIEWS = "served", "users", "lists", "views"
CLICKS, CONVERSIONS, VALUE = "clicks", "conversions", "value"
MEASURES = (SERVED, USERS, LISTS, VIEWS, CLICKS, CONVERSIONS, VALUE)
"""Users who got a list; users who looked at one; lists that were looked at, items of them, and what
became of these."""
MISMATCH = "mismatch"
"""Among decisions: of the sizes of variants."""
GOAL, CONTROL = "goal", "control"
"""Of an experiment: what decides, and the variant that the others are compared with."""
PREFIX = "experiment:"


def key(experiment: str, variant: str, measure: str) -> str:
    """The name of a sum. Of squares and products the measures are joined by *, as in views*clicks.

    >>> key("new-order", "now", "views*clicks")
    'new-order:now:views*clicks'
    """
    return f"{experiment}:{variant}:{measure}"


def sums_of(sums: Mapping[str, float], experiment: str, variant: str, goal: str) -> Sums:
    """What a goal is computed from: y of each user, and x, which is 1 unless it is of views.

    >>> sums_of({"e:v:users": 3.0, "e:v:clicks": 2.0, "e:v:clicks*clicks": 4.0}, "e", "v", "clicks")
    Sums(n=3.0, x=3.0, y=2.0, xx=3.0, xy=2.0, yy=4.0)
    """

    def of(measure: str) -> float:
        return sums.get(key(experiment, variant, measure), 0.0)

    n, y = of(USERS), goal.partition("_per_")[0]
    squares = of(f"{y}*{y}")
    if goal != "clicks_per_view":
        return Sums(n, n, of(y), n, of(y), squares)
    return Sums(n, of(VIEWS), of(y), of(f"{VIEWS}*{VIEWS}"), of(f"{VIEWS}*{y}"), squares)


def lifts(sums: Mapping[str, float], one: Experiment, goal: str) -> Iterator[tuple[str, Lift]]:
    """The lift of each variant but the first, by its name; the probability that any of them is ever
    outside of its interval is at most ALPHA."""
    control, *others = [variant.name for variant in one.variants]
    before = sums_of(sums, one.name, control, goal)
    for name in others:
        after = sums_of(sums, one.name, name, goal)
        yield name, lift(before, after, ALPHA / len(others))


def uneven(sums: Mapping[str, float], one: Experiment) -> float:
    """How likely the variants ever get users as unevenly as they did, at most: of those who looked
    at a list, for whoever does not see a variant is the likeliest mistake."""
    counts = [int(sums.get(key(one.name, v.name, USERS), 0)) for v in one.variants]
    return mismatch(counts, shares(one))


def decide(
    sums: Mapping[str, float],
    experiments: Sequence[Experiment],
    known: Mapping[str, int],
    now_ms: int,
) -> dict[str, int]:
    """Since when the goal of each variant is decided, and since when sizes do not fit, ms since
    1970, by `<experiment>:<variant>` and `<experiment>:mismatch`.

    Args:
        known: the same as of the last call: what is decided stays so, as the intervals hold at all
            times together.
    """
    found = dict(known)
    for one in experiments:
        for name, result in lifts(sums, one, one.goal):
            if result.decided:
                found.setdefault(f"{one.name}:{name}", now_ms)
        if uneven(sums, one) < SURPRISE:
            found.setdefault(f"{one.name}:{MISMATCH}", now_ms)
    return found


def fields(
    sums: Mapping[str, float], experiments: Sequence[Experiment], decided: Mapping[str, int]
) -> dict[str, str]:
    """The fields of `stats`; none without experiments. What is not known yet has no field.

    >>> from udfs.options.experiments import Variant
    >>> one = Experiment(name="e", variants=[Variant(name="a"), Variant(name="b")])
    >>> fields({"e:a:users": 3.0, "e:b:users": 3.0}, [one], {"e:b": 5})["experiment:e:b:since"]
    '5'
    """
    values: dict[str, float] = {}
    names: dict[str, str] = {}
    for one in experiments:
        names |= {f"{one.name}:{GOAL}": one.goal, f"{one.name}:{CONTROL}": one.variants[0].name}
        for variant in one.variants:
            before = key(one.name, variant.name, "")
            values |= {k: v for k, v in sorted(sums.items()) if k.startswith(before)}
        for goal in GOALS:
            for name, found in lifts(sums, one, goal):
                if not isinf(found.high):
                    told = key(one.name, name, goal)
                    values[f"{told}:lift"], values[f"{told}:low"] = found.lift, found.low
                    values[f"{told}:high"] = found.high
        values[f"{one.name}:{MISMATCH}_p"] = uneven(sums, one)
    running = {one.name for one in experiments}
    since = {f"{k}:since": at for k, at in decided.items() if k.partition(":")[0] in running}
    texts = names | {name: f"{value:.15g}" for name, value in (values | since).items()}
    return {f"{PREFIX}{name}": text for name, text in texts.items()}
