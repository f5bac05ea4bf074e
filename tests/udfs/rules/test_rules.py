from __future__ import annotations

import pytest

from udfs.errors import ConfigError
from udfs.options.rules import Rule
from udfs.rules.rules import NO_RULES, Rules, Verdict


def test_without_rules_nothing_is_evaluated() -> None:
    rules = Rules([])
    assert not rules
    assert rules.judge({"price": 3.0}) is NO_RULES


def test_an_item_gets_what_all_rules_say_of_it() -> None:
    rules = Rules(
        [
            Rule(when="price > 50", exclude=True),
            Rule(when='"new" in tags', boost=3.0),
            Rule(when="price < 10", boost=0.5),
            Rule(when='item == "kettle"', pin=1),
            Rule(most=2, of="brand"),
            Rule(when='category == "toys"', least=0.2),
        ]
    )
    assert rules and [rule.pin for rule in rules.listed] == [1, 0, 0]
    assert rules.judge({"price": 60.0}) == Verdict(True, 1.0, 0b010)
    assert rules.judge({"price": 5.0, "tags": ["new"]}) == Verdict(False, 1.5, 0b010)
    assert rules.judge({"categories": ["toys"]}, "kettle") == Verdict(False, 1.0, 0b111)
    assert rules.judge({}) == Verdict(False, 1.0, 0b010)


def test_boosts_that_come_together_stay_finite() -> None:
    high = Rules([Rule(when="available", boost=1000.0)] * 9)
    low = Rules([Rule(when="available", boost=0.001)] * 9)
    assert high.judge({}).boost == 1e6
    assert low.judge({}).boost == 1e-6


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (Rule(name="a", when="hidden"), '.*number 2 "a" has nothing to do: write one of exclude'),
        (Rule(when="hidden", exclude=True, pin=1), "number 2 has exclude and pin to do"),
        (Rule(exclude=True), "number 2 has no condition: write when"),
        (Rule(when="hidden", least=3.0, of="brand"), "has of, which says what most counts"),
        (Rule(when="price <", exclude=True), "number 2, when, at character 8: the expression ends"),
        (Rule(when="now > published", boost=2.0), "there is no field now"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(rule: Rule, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Rules([Rule(when="hidden", exclude=True), rule])


def test_there_are_as_many_listed_rules_as_bits() -> None:
    assert Rules([Rule(most=2)] * 32).judge({}).bits == 2**32 - 1
    with pytest.raises(ConfigError, match="33 rules have pin, most, least or exposure"):
        Rules([Rule(most=2)] * 33)
