"""The meaning of an expression: the third step of what `expressions` does.

In: a tree of `Node`s, and the fields that it may name. Out: `Part`s: a type, and a Python function
of an item's fields, made of the functions of its parts. Nothing that an expression says is ever
executed; no function takes longer than its parts and the lists that it looks through.

A function raises one of `FAILURES` where its result is unknown. && and || are known wherever one
side alone decides (as CEL says, and Kleene's logic): `has(price) && price < 20`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

from udfs.rules import functions, operators
from udfs.rules.errors import ExpressionError, meant
from udfs.rules.operators import FAILURES
from udfs.rules.parser import Node
from udfs.rules.running import NAMED_LIKE, Run, decided, element_of, field_of, truth
from udfs.rules.types import ANY, BOOL, DOUBLE, INT, MAP, STRING, Fields, Type, list_of, unified

WORK = 100_000
"""The maximum number of parts that an expression evaluates for the elements of lists."""

_OVER_LISTS = ("exists", "all", "exists_one", "filter", "map")
_REFUSED = {
    "matches": "regular expressions can take without end: use contains, startsWith or endsWith.",
}


class Part(NamedTuple):
    """A part of an expression: what it gives, how, and whether that is always the same."""

    type: Type
    run: Run
    constant: bool = False


class Bound(NamedTuple):
    """The name in a condition of exists, all and so on."""

    name: str
    type: Type


def size_of(node: Node) -> int:
    """Of how many parts it consists."""
    return 1 + sum(map(size_of, node.parts))


class Compiler:
    """Compiles the parts of one expression.

    Attributes:
        names: the fields that the expression names.
    """

    def __init__(self, fields: Fields, size: int) -> None:
        self._fields, self._most = fields, WORK // size
        self.names: set[str] = set()

    def compile(self, node: Node, bound: Bound | None = None) -> Part:
        """One part.

        Raises:
            ExpressionError: a name that does not exist, or a type that does not fit.
        """
        part: Part = getattr(self, f"_{node.kind}")(node, bound)
        return part

    def condition(self, node: Node, bound: Bound | None = None) -> Part:
        """One part that is true or false."""
        part = self.compile(node, bound)
        if part.type not in (BOOL, ANY):
            raise ExpressionError(
                f"a condition was expected, but this is {part.type}: compare it with something.",
                node.at,
            )
        return part

    def _constant(self, node: Node, bound: Bound | None) -> Part:
        value = node.value
        kinds = {bool: BOOL, int: INT, float: DOUBLE, str: STRING}
        return Part(kinds[type(value)], lambda fields, one: value, True)

    def _name(self, node: Node, bound: Bound | None) -> Part:
        name = str(node.value)
        if bound and name == bound.name:
            return Part(bound.type, lambda fields, one: one)
        if name == "null":
            raise ExpressionError("there is no null: write has(price) or !has(price).", node.at)
        if name not in self._fields:
            hint = meant(name, [*self._fields, *([bound.name] if bound else [])])
            raise ExpressionError(f"there is no field {name}: {hint}", node.at)
        self.names.add(name)
        return Part(self._fields[name], field_of(name))

    def _select(self, node: Node, bound: Bound | None) -> Part:
        table, name = self.compile(node.parts[0], bound), str(node.value)
        if table.type != MAP:
            raise ExpressionError(
                f"{table.type} has no {name}: only attributes have names after a dot, such as "
                "attributes.color.",
                node.at,
            )
        return Part(ANY, lambda fields, one: table.run(fields, one)[name])

    def _index(self, node: Node, bound: Bound | None) -> Part:
        of, at = (self.compile(part, bound) for part in node.parts)
        if of.type == MAP and at.type in (STRING, ANY):
            return Part(ANY, lambda fields, one: of.run(fields, one)[at.run(fields, one)])
        if of.type.sort in ("list", "any") and at.type == INT:
            result = of.type.element if of.type.sort == "list" else ANY
            return Part(result, lambda f, one: element_of(of.run(f, one), at.run(f, one)))
        raise ExpressionError(f"{of.type} cannot be indexed with {at.type}.", node.at)

    def _list(self, node: Node, bound: Bound | None) -> Part:
        parts = [self.compile(part, bound) for part in node.parts]
        kind: Type | None = parts[0].type if parts else ANY
        for part, written in zip(parts, node.parts, strict=True):
            kind = kind and unified(kind, part.type)
            if kind is None or part.type.sort in ("list", "map"):
                raise ExpressionError(
                    f"{part.type} does not go into this list, which begins with {parts[0].type}.",
                    written.at,
                )
        assert kind is not None
        runs = [part.run for part in parts]
        if all(part.constant for part in parts):
            values = tuple(run({}, None) for run in runs)
            return Part(list_of(kind), lambda fields, one: values, True)
        return Part(list_of(kind), lambda fields, one: tuple(run(fields, one) for run in runs))

    def _unary(self, node: Node, bound: Bound | None) -> Part:
        if node.value == "!":
            run = self.condition(node.parts[0], bound).run
            return Part(BOOL, lambda fields, one: not truth(run(fields, one)))
        part = self.compile(node.parts[0], bound)
        if not part.type.is_number and part.type.sort != "duration":
            raise ExpressionError(f"- goes before a number, but this is {part.type}.", node.at)
        return Part(part.type, lambda fields, one: -part.run(fields, one), part.constant)

    def _binary(self, node: Node, bound: Bound | None) -> Part:
        left, right = (self.compile(part, bound) for part in node.parts)
        found = operators.find(str(node.value), left.type, right.type)
        if found is None:
            self._does_not_fit(str(node.value), left.type, right.type, node.at)
        result, function = found
        one_side, other_side = left.run, right.run
        if right.constant and node.value == "in" and left.type == right.type.element == STRING:
            known = frozenset(right.run({}, None))
            return Part(result, lambda fields, one: one_side(fields, one) in known)
        if right.constant:
            fixed = right.run({}, None)
            return Part(result, lambda fields, one: function(one_side(fields, one), fixed))
        return Part(
            result,
            lambda fields, one: function(one_side(fields, one), other_side(fields, one)),
        )

    def _does_not_fit(self, sign: str, left: Type, right: Type, at: int) -> NoReturn:
        hint = ""
        if "list" in (left.sort, right.sort) and sign in ("==", "!="):
            hint = ' To look into a list, write "books" in categories.'
        elif sign == "in" and right == STRING:
            hint = ' To look into a text, write title.contains("red").'
        raise ExpressionError(f"{sign} does not go between {left} and {right}.{hint}", at)

    def _many(self, node: Node, bound: Bound | None) -> Part:
        runs = [self.condition(part, bound).run for part in node.parts]
        decides = node.value == "||"  # the value of one part that decides
        return Part(BOOL, lambda f, one: decided([(run, one) for run in runs], f, decides))

    def _choice(self, node: Node, bound: Bound | None) -> Part:
        condition = self.condition(node.parts[0], bound).run
        yes, no = (self.compile(part, bound) for part in node.parts[1:])
        result = unified(yes.type, no.type)
        if result is None:
            raise ExpressionError(
                f"what ? chooses from must be of one type, not {yes.type} and {no.type}.", node.at
            )
        return Part(result, lambda f, one: (yes if truth(condition(f, one)) else no).run(f, one))

    def _call(self, node: Node, bound: Bound | None) -> Part:
        name = str(node.value)
        if name == "has":
            return self._has(node, bound)
        if name not in functions.CALLS:
            hint = meant(name, functions.CALLS)
            if name in (*functions.METHODS, *_OVER_LISTS):
                hint = f"write it after what it is about, such as title.{name}(…)."
            raise ExpressionError(f"there is no function {name}: {hint}", node.at)
        return self._apply(node, [self.compile(part, bound) for part in node.parts])

    def _method(self, node: Node, bound: Bound | None) -> Part:
        name = str(node.value)
        if name in _OVER_LISTS:
            return self._over_list(node, bound)
        if name not in functions.METHODS:
            hint = _REFUSED.get(name) or meant(name, (*functions.METHODS, *_OVER_LISTS))
            raise ExpressionError(f"there is no function {name}: {hint}", node.at)
        return self._apply(node, [self.compile(part, bound) for part in node.parts])

    def _apply(self, node: Node, parts: list[Part]) -> Part:
        find = functions.find_call if node.kind == "call" else functions.find_method
        types = [part.type for part in parts]
        found = find(str(node.value), types)
        if found is None:
            given = " and ".join(map(str, types)) or "nothing"
            raise ExpressionError(f"{node.value} does not take {given}.", node.at)
        result, function = found
        runs = [part.run for part in parts]
        if all(part.constant for part in parts):
            try:
                value = function(*(run({}, None) for run in runs))
            except FAILURES as error:
                raise ExpressionError(f"{node.value}: {error}", node.at) from None
            return Part(result, lambda fields, one: value, True)
        if len(runs) == 1:
            (only,) = runs
            return Part(result, lambda fields, one: function(only(fields, one)))
        first, second = runs
        return Part(result, lambda f, one: function(first(f, one), second(f, one)))

    def _has(self, node: Node, bound: Bound | None) -> Part:
        (part,) = node.parts if len(node.parts) == 1 else (node,)
        if part.kind == "name" and not (bound and part.value == bound.name):
            self._name(part, None)
            where, at = NAMED_LIKE.get(str(part.value), (str(part.value), None))
            if at is None:
                return Part(BOOL, lambda fields, one: where in fields)
            return Part(BOOL, lambda fields, one: bool(fields.get(where)))
        if part.kind == "select":
            self._select(part, bound)
            table, name = self.compile(part.parts[0], bound).run, str(part.value)
            return Part(BOOL, lambda fields, one: name in table(fields, one))
        raise ExpressionError("has takes a field: has(price), has(attributes.color).", node.at)

    def _over_list(self, node: Node, bound: Bound | None) -> Part:
        name = str(node.value)
        if bound:
            raise ExpressionError(f"{name} within another: only one of them is possible.", node.at)
        if len(node.parts) != 3 or node.parts[1].kind != "name":
            raise ExpressionError(
                f'{name} takes a name and a condition: tags.{name}(tag, tag == "red").', node.at
            )
        those = self.compile(node.parts[0])
        if those.type.sort not in ("list", "any"):
            raise ExpressionError(f"{name} looks through a list, not {those.type}.", node.at)
        element = those.type.element if those.type.sort == "list" else STRING
        inner = Bound(str(node.parts[1].value), element)
        if name == "map":
            body = self.compile(node.parts[2], inner)
            return Part(
                list_of(body.type),
                lambda f, _: tuple(body.run(f, x) for x in self._all(those.run(f, None))),
            )
        test = self.condition(node.parts[2], inner).run
        if name == "filter":
            return Part(
                list_of(element),
                lambda f, _: tuple(x for x in self._all(those.run(f, None)) if truth(test(f, x))),
            )
        if name == "exists_one":
            return Part(
                BOOL,
                lambda f, _: sum(truth(test(f, x)) for x in self._all(those.run(f, None))) == 1,
            )
        decides = name == "exists"
        return Part(
            BOOL,
            lambda f, _: decided([(test, x) for x in self._all(those.run(f, None))], f, decides),
        )

    def _all(self, those: Any) -> Iterable[Any]:
        """The elements of a list that is not too long."""
        if not isinstance(those, (list, tuple)):
            raise TypeError(those)
        if len(those) > self._most:
            raise ValueError(len(those))
        return those
