"""What is told of experiments: lifts of sums, and decisions that stay."""

from __future__ import annotations

import numpy as np

from udfs.experiments.results import (
    MISMATCH,
    decide,
    fields,
    key,
    lifts,
    sums_of,
    uneven,
)
from udfs.experiments.sequential import Sums
from udfs.options.experiments import GOALS, Experiment, Variant

TWO = Experiment(name="e", variants=[Variant(name="a"), Variant(name="b")])


def sums(seed: int, users: dict[str, int], taste: dict[str, float]) -> dict[str, float]:
    rng, found = np.random.default_rng(seed), dict[str, float]()
    for name, n in users.items():
        views = rng.poisson(12.0, n) + 1.0
        made = {"users": np.ones(n), "views": views}
        made["clicks"] = rng.binomial(views.astype(int), taste[name]).astype(float)
        made["conversions"] = rng.binomial(made["clicks"].astype(int), 0.3).astype(float)
        made["value"] = made["conversions"] * 9.0
        pairs = [("views", "clicks"), *((one, one) for one in made if one != "users")]
        found |= {key("e", name, one): float(v.sum()) for one, v in made.items()}
        found |= {key("e", name, f"{a}*{b}"): float(made[a] @ made[b]) for a, b in pairs}
    return found


def test_what_is_known_is_told_and_nothing_else() -> None:
    found = sums(1, {"a": 900, "b": 900}, {"a": 0.1, "b": 0.2})
    told = fields(found, [TWO], {"e:b": 7, "gone:b": 3})
    for goal in GOALS:
        low, lift, high = (
            float(told[f"experiment:e:b:{goal}:{at}"]) for at in ("low", "lift", "high")
        )
        assert low < lift < high
        assert 0.5 < lift < 1.5
    assert told["experiment:e:b:since"] == "7" and not any("gone" in name for name in told)
    assert told["experiment:e:a:views"] == f"{found['e:a:views']:g}"
    few = fields(sums(1, {"a": 20, "b": 20}, {"a": 0.1, "b": 0.2}), [TWO], {})
    assert not any("lift" in name for name in few) and "experiment:e:mismatch_p" in few
    assert fields(found, [], {}) == {} and [*fields({}, [TWO], {})] == [
        f"experiment:e:{name}" for name in ("goal", "control", "mismatch_p")
    ]


def test_what_is_decided_stays_so() -> None:
    clear = sums(2, {"a": 900, "b": 900}, {"a": 0.1, "b": 0.2})
    assert decide(clear, [TWO], {}, 5) == {"e:b": 5}
    assert decide(clear, [TWO], {"e:b": 3}, 5) == {"e:b": 3}
    assert decide({}, [TWO], {"e:b": 3}, 9) == {"e:b": 3}
    assert decide(sums(3, {"a": 900, "b": 900}, {"a": 0.1, "b": 0.1}), [TWO], {}, 5) == {}


def test_sizes_that_do_not_fit_are_an_alarm() -> None:
    broken = sums(4, {"a": 1400, "b": 900}, {"a": 0.1, "b": 0.1})
    assert uneven(broken, TWO) < 0.001
    assert decide(broken, [TWO], {}, 5) == {f"e:{MISMATCH}": 5}
    weighed = [Variant(name="a", weight=14), Variant(name="b", weight=9)]
    assert uneven(broken, Experiment(name="e", variants=weighed)) > 0.5


def test_more_variants_need_more_certainty() -> None:
    found = sums(5, {"a": 900, "b": 900, "c": 900}, {"a": 0.1, "b": 0.12, "c": 0.1})
    three = Experiment(name="e", variants=[Variant(name=n) for n in "abc"])
    [(_, alone)], both = lifts(found, TWO, "clicks"), dict(lifts(found, three, "clicks"))
    assert [*both] == ["b", "c"] and both["b"].low < alone.low < alone.high < both["b"].high


def test_a_rate_for_each_user_counts_users() -> None:
    found = sums(6, {"a": 50}, {"a": 0.2})
    one = sums_of(found, "e", "a", "value")
    assert one == Sums(50, 50, found["e:a:value"], 50, found["e:a:value"], found["e:a:value*value"])
