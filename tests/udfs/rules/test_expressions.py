from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from udfs.rules.expressions import FILTER, ExpressionError, compile_expression, filter_of

KETTLE: dict[str, Any] = {
    "item": "kettle",
    "title": "Red Kettle",
    "categories": ["kitchen", "kettles"],
    "tags": ["new", "steel"],
    "price": 24.5,
    "currency": "EUR",
    "provider": "acme",
    "published": 1_767_225_600_000,  # 2026-01-01
    "attributes": {"color": "red", "watts": 2200.0, "sizes": ["s", "m"], "boxed": True},
}

# Conditions, and whether they hold for the kettle; those of `COMMON` in any implementation of CEL.
COMMON = [
    ('provider == "acme" && price < 30.0', True),
    ('provider == "acme" && price < 20', False),
    ("price >= 24.5 || price < 1", True),
    ("!(price > 30)", True),
    ('"new" in tags', True),
    ('"old" in tags', False),
    ('provider in ["acme", "bolt"]', True),
    ('title.contains("Kettle")', True),
    ('title.startsWith("red")', False),
    ('title.endsWith("e" + "ttle")', True),
    ('tags.exists(tag, tag == "steel")', True),
    ('tags.all(tag, tag != "steel")', False),
    ('tags.exists_one(tag, tag.contains("e"))', False),
    ('size(tags.filter(tag, tag != "new")) == 1', True),
    ('"NEW" in tags.map(tag, tag == "new" ? "NEW" : tag)', True),
    ('attributes.color == "red"', True),
    ('attributes["watts"] > 2000.0', True),
    ('"color" in attributes', True),
    ("has(attributes.weight)", False),
    ("attributes.boxed", True),
    ('attributes.sizes[0] == "s"', True),
    ('"m" in attributes.sizes', True),
    ("attributes.boxed == 1", False),
    ("attributes.color == 1", False),
    ("attributes.weight < 3.0", False),
    ("attributes.weight < 3.0 || price > 1.0", True),
    ("price > 1.0 || attributes.weight < 3.0", True),
    ("attributes.weight < 3.0 && price < 1.0", False),
    ("7 / 2 == 3 && -7 / 2 == -3 && -7 % 2 == -1", True),
    ("1 / 0 == 1", False),
    ("size(tags) == 2 && tags.size() > 1", True),
    ("price > 20 ? true : false", True),
    ("1 < 2 == true", True),
    ("2 + 3 * 4 == 14 && (2 + 3) * 4 == 20", True),
    ("true || false && false", True),
    ("double('1.5') == 1.5 && int('7') == 7 && int(2.9) == 2", True),
    ("r'a\\b' == 'a\\\\b' && '\\u00e4' == 'ä'", True),
    ("timestamp('2026-01-01T00:00:00Z') <= timestamp('2026-01-01T01:00:00+01:00')", True),
    ("duration('1h30m') == duration('90m')", True),
]
OWN = [
    ('category == "kitchen"', True),
    ('category == "kettles"', False),
    ('brand == "acme"', True),
    ('item == "kettle"', True),
    ("has(price) && has(category) && has(brand)", True),
    ("has(image)", False),
    ('image == "x"', False),
    ('image != "x"', False),
    ('!(image == "x")', False),
    ('!has(image) || image == "x"', True),
    ("available && !hidden", True),
    ("has(available)", False),
    ("expires > published", False),
    ("price * 2 == 49 && price - 1 > 23", True),
    ("attributes.watts / 2 == 1100 && attributes.watts + 1 > 2000", True),
    ("attributes.color + 'dish' == 'reddish'", True),
    ("attributes.color < 3", False),
    ("attributes.boxed < 3", False),
    ("attributes.color.lowerAscii().contains('e')", True),
    ("'ÄRGER'.lowerAscii() == 'Ärger'", True),
    ("attributes.watts.contains('e')", False),
    ("tags[0] == 'new' && !(tags[5] == 'x')", False),
    ("tags[-1] == 'steel'", False),
    ("size('añb') == 3", True),
    ("now - published < duration('7d')", True),
    ("published.getFullYear() == 2026", True),
    ("published + duration('1d') > now", False),
    ("price < 20 ? unknown : price < 30", None),
    ("9223372036854775807 + 1 > 0", False),
    ("[] == [] && size([]) == 0", True),
]


@pytest.mark.parametrize(("text", "holds"), COMMON + OWN)
def test_conditions(text: str, holds: bool | None) -> None:
    now = KETTLE["published"] + 2 * 86_400_000
    if holds is None:
        with pytest.raises(ExpressionError):
            compile_expression(text, FILTER)
    else:
        assert compile_expression(text, FILTER).test(KETTLE | {"now": now}) is holds


@pytest.mark.parametrize(("text", "holds"), COMMON)
def test_another_implementation_says_the_same(text: str, holds: bool) -> None:
    cel = pytest.importorskip("cel")
    fields = {name: value for name, value in KETTLE.items() if name != "published"}
    try:
        found = cel.evaluate(text, fields)
    except (KeyError, RuntimeError, TypeError, ValueError, ZeroDivisionError):
        found = False  # what is unknown does not hold
    assert found is holds


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "at character 1: the expression is empty: write a condition."),
        ("prise < 20", "at character 1: there is no field prise: did you mean price?"),
        ("price < 'x'", "at character 7: < does not go between a number and a text."),
        ("price = 3", "at character 7: = has no meaning: write ==."),
        ("price < 3 and hidden", "at character 11: and is not an operator here: write &&."),
        ("price <", "at character 8: the expression ends where a value was expected."),
        ("(price < 3", "at character 11: the expression ends where ) was expected."),
        ("price < 3 tags", "there is 'tags' where an operator or the end was expected."),
        ("price", "a condition was expected, but this is a number"),
        ("title == 'x", "the text that begins here does not end: write ' after it."),
        ("'books' in category", 'write title.contains("red")'),
        ("categories == 'books'", 'write "books" in categories'),
        ("title.matches('(a+)+$')", "regular expressions can take without end"),
        ("title.upper() == 'x'", "there is no function upper"),
        ("contains(title, 'x')", "write it after what it is about, such as title.contains(…)."),
        ("price != null", "there is no null: write has(price) or !has(price)."),
        ("title.red", "only attributes have names after a dot"),
        ("price < timestamp('2026')", "it must be a time with its zone"),
        ("now - published < duration('x')", "it must be a duration, such as 90s, 1h30m or 7d."),
        ("tags.exists(a, tags.exists(b, a == b))", "exists within another"),
        ("tags.exists('x')", "exists takes a name and a condition"),
        ("price in [1, 'x']", "does not go into this list"),
        ("title == {}", "maps and messages cannot be written"),
        ("has(1)", "has takes a field"),
        ("99999999999999999999 > 1", "is too large"),
        ("'\\q' == ''", "stands for no character"),
        ("-title == 'x'", "- goes before a number, but this is a text."),
        ("a" * 10_001, "it may have 10,000 at most"),
        ("(" * 5000, "nested more than 32 deep"),
        ("!" * 5000 + "hidden", "nested more than 32 deep"),
        ("price" + " + 1" * 2000 + " > 1", "nested more than 32 deep"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(text: str, problem: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_expression(text, FILTER)
    assert problem in str(error.value)


def test_a_rule_knows_no_time() -> None:
    with pytest.raises(ExpressionError, match="there is no field now"):
        compile_expression("expires < now")
    assert compile_expression("published < expires && price < 3").names == {
        "published",
        "expires",
        "price",
    }


def test_the_present_is_now_where_no_time_is_given() -> None:
    assert filter_of("now > timestamp('2020-01-01T00:00:00Z')").test({})
    assert filter_of("price < 3") is filter_of("price < 3")


def test_long_chains_and_lists_are_possible() -> None:
    assert compile_expression(" || ".join(["hidden"] * 900 + ["available"])).test({})
    ids = ", ".join(f"'{number}'" for number in range(900))
    assert compile_expression(f"item in [{ids}]").test({"item": "899"})


def test_long_lists_are_not_looked_through_without_end() -> None:
    text = "tags.exists(tag, " + " || ".join(["tag == 'x'"] * 500) + ")"
    some, many = ["a"] * 50 + ["x"], ["a"] * 5000 + ["x"]
    assert compile_expression(text).test({"tags": some})
    assert not compile_expression(text).test({"tags": many})
    twice = "text + text + text + text != ''"
    assert compile_expression(twice).test({"text": "a"})
    assert not compile_expression(twice).test({"text": "a" * 9999})


@given(st.text("abprice<>=!&|()[]'\".,?:+-*/% \n0123456789tags", max_size=40) | st.text())
@example("0x")
@example("\ud800")
@example("'\\ud800'")
def test_no_text_does_anything_but_mean_something_or_fail(text: str) -> None:
    try:
        found = compile_expression(text, FILTER)
    except ExpressionError as error:
        assert 0 <= error.at <= len(text)
    else:
        assert found.test(KETTLE) in (True, False)


_values = st.none() | st.booleans() | st.floats() | st.text() | st.lists(st.text(max_size=3))


@given(st.sampled_from(COMMON + OWN[:20]), st.dictionaries(st.sampled_from([*FILTER]), _values))
def test_fields_of_any_kind_break_nothing(case: tuple[str, bool], fields: dict[str, Any]) -> None:
    assert compile_expression(case[0], FILTER).test(fields) in (True, False)


_conditions = st.recursive(
    st.sampled_from(["price < 20", "hidden", "attributes.x == 1", "1 / 0 == 1", "'a' in tags"]),
    lambda inner: (
        st.tuples(inner, inner).map(lambda two: f"({two[0]} && {two[1]})")
        | st.tuples(inner, inner).map(lambda two: f"({two[0]} || {two[1]})")
        | inner.map(lambda one: f"!({one})")
    ),
    max_leaves=8,
)


def _three(text: str, fields: dict[str, Any]) -> bool | None:
    """True, false or unknown, read by Kleene's tables."""
    yes = compile_expression(text).test(fields)
    no = compile_expression(f"!({text})").test(fields)
    assert not (yes and no)
    return True if yes else False if no else None


@given(_conditions, _conditions, st.sampled_from([{}, {"price": 3.0}, {"attributes": {"x": 1.0}}]))
def test_the_unknown_follows_kleene(one: str, other: str, fields: dict[str, Any]) -> None:
    a, b = _three(one, fields), _three(other, fields)
    both = False if False in (a, b) else None if None in (a, b) else True
    any_ = True if True in (a, b) else None if None in (a, b) else False
    assert _three(f"{one} && {other}", fields) is both
    assert _three(f"{one} || {other}", fields) is any_
    assert _three(f"!({one} && {other})", fields) is _three(f"!({one}) || !({other})", fields)
