"""What the rules of the configuration say about one item.

In: the rules, and the fields of an item whenever these change. Out: a `Verdict`, which the item
learner publishes: rules are evaluated once for an item, not for each list. What is then done with
lists is in `udfs.ranking.steps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from udfs.errors import ConfigError
from udfs.options.rules import Rule
from udfs.rules.errors import ExpressionError
from udfs.rules.expressions import Expression, compile_expression

MOST_BITS = 32
"""So many rules may look at whole lists: pin, most, least, exposure."""

_ACTIONS = ("exclude", "boost", "pin", "most", "least", "exposure")
_LISTED = ("pin", "most", "least", "exposure")


class Verdict(NamedTuple):
    """What holds for an item.

    Attributes:
        excluded: it is in no list.
        boost: what its chance is multiplied by, above 0.
        bits: bit k is set where the condition of `Rules.listed[k]` holds; below 2^32.
    """

    excluded: bool = False
    boost: float = 1.0
    bits: int = 0


NO_RULES = Verdict()
"""What holds for an item that no rule is about."""


class Rules:
    """The rules, compiled.

    Attributes:
        listed: those that look at whole lists, in order.

    Raises:
        ConfigError: a rule does nothing, or more than one thing; its condition is no expression;
            there are too many.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        conditions = [_condition(rule, place) for place, rule in enumerate(rules, 1)]
        pairs = list(zip(rules, conditions, strict=True))
        self._excluding = [test for rule, test in pairs if rule.exclude]
        self._boosting = [(rule.boost, test) for rule, test in pairs if rule.boost != 1.0]
        listed = [pair for pair in pairs if any(getattr(pair[0], key) for key in _LISTED)]
        if len(listed) > MOST_BITS:
            raise ConfigError(
                f"{len(listed)} rules have pin, most, least or exposure: there may be {MOST_BITS} "
                "at most."
            )
        self.listed = tuple(rule for rule, _ in listed)
        self._bits = [test for _, test in listed]

    def __bool__(self) -> bool:
        return bool(self._excluding or self._boosting or self.listed)

    def judge(self, fields: Mapping[str, Any], item: str = "") -> Verdict:
        """What the rules say about an item.

        Args:
            fields: of the item; times in ms since 1970. item: its id.

        >>> rules = Rules([Rule(when="price > 50", exclude=True), Rule(when="price < 9", boost=2)])
        >>> rules.judge({"price": 60.0}).excluded, rules.judge({"price": 5.0}).boost
        (True, 2.0)
        """
        if not self:
            return NO_RULES
        known = {**fields, "item": item} if item else fields
        boost = 1.0
        for factor, test in self._boosting:
            if test is None or test.test(known):
                boost *= factor
        bits = 0
        for bit, test in enumerate(self._bits):
            if test is None or test.test(known):
                bits |= 1 << bit
        excluded = any(test is not None and test.test(known) for test in self._excluding)
        return Verdict(excluded, min(max(boost, 1e-6), 1e6), bits)


def _condition(rule: Rule, place: int) -> Expression | None:
    """The condition of a rule; None: it is about all items."""
    where = f"[[rules]] number {place}" + (f' "{rule.name}"' if rule.name else "")
    given = [key for key in _ACTIONS if getattr(rule, key) != _NOTHING[key]]
    if len(given) != 1:
        found = " and ".join(given) or "nothing"
        raise ConfigError(
            f"{where} has {found} to do: write one of {', '.join(_ACTIONS)} in each rule."
        )
    if rule.of and not rule.most:
        raise ConfigError(f"{where} has of, which says what most counts: write most, or no of.")
    if not rule.when and not rule.most:
        raise ConfigError(f'{where} has no condition: write when, such as "price < 20".')
    if not rule.when:
        return None
    try:
        return compile_expression(rule.when)
    except ExpressionError as error:
        raise ConfigError(f"{where}, when, {error}") from None


_NOTHING = {key: getattr(Rule(), key) for key in _ACTIONS}
