"""Ids as spreadsheets and data frames leave them, in both modes of `events.ids`."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from udfs.events.decode import Decoded, Decoder, DecodeSettings
from udfs.events.resolve import resolve
from udfs.events.whole_ids import EXACT, GivenId, NotWhole, digits, stored, whole

NOW = 1_700_000_000_000


def decode(*lines: str, ids: Any = "integers", format: str = "json") -> Decoded:
    preset = resolve("millirec", format=format)
    weights = {"view": 1.0}
    settings = DecodeSettings(preset=preset, weights=weights, default_type="view", ids=ids)
    return Decoder(settings).decode(lines, NOW)


def line(user: object, item: object = "i1", **more: object) -> str:
    return json.dumps({"user": user, "item": item} | more)


SMALL = st.integers(-EXACT + 1, EXACT - 1)
NOTATIONS = [
    str,
    lambda n: f"{n}.0",
    lambda n: f"{n}.",
    lambda n: f"{n}.000",
    lambda n: f" {n} ",
    lambda n: f"{n}.0\t",
    lambda n: f"{Decimal(n):E}",
    lambda n: f"{Decimal(n):e}",
    lambda n: f"-00{-n}" if n < 0 else f"00{n}",
    lambda n: f"{n}" if n < 0 else f"+{n}",
]


@given(SMALL, st.sampled_from(NOTATIONS))
@example(1001, lambda n: "1.001E+3")
@example(1_000_000_000, lambda n: "1.0E+9")
@example(0, lambda n: "-0.0")
def test_every_notation_of_a_number_is_its_digits(number: int, write: Any) -> None:
    assert digits(write(number)) == str(number)
    assert digits(number) == digits(float(number)) == str(number)


@given(st.integers())
def test_digits_of_any_length_are_exact(number: int) -> None:
    assert digits(number) == digits(str(number)) == digits(f" {number}") == str(number)


@pytest.mark.parametrize("value", ["NaN", "nan", "None", "null", "NULL", "\\N", "<NA>", "NaT", ""])
def test_stand_ins_are_missing(value: str) -> None:
    assert digits(value) == digits(f" {value} ") == ""
    [bad] = decode(line(value, 1)).rejected
    assert bad.reason == "empty_user"
    assert decode(line(1, value)).rejected[0].reason == "empty_item"
    assert decode(line(1, 2, id=value)).ids == [""]


@pytest.mark.parametrize("value", [None, float("nan")])
def test_nothing_is_missing(value: GivenId) -> None:
    assert digits(value) == ""


WRONG: list[tuple[GivenId, str]] = [
    ("ann", "not a whole number"),
    ("1001.5", "has a fraction"),
    (1001.5, "has a fraction"),
    ("1.0000000000000001", "has a fraction"),
    ("1E-400", "has a fraction"),
    ("0.0E-99999999999999999999", "has a fraction"),
    ("9.78014E+17", "lost digits"),
    ("9007199254740993.0", "lost digits"),
    (9007199254740992.0, "lost digits"),
    (1e300, "lost digits"),
    ("1E+999999999999999999999", "lost digits"),
    (float("inf"), "lost digits"),
    ("inf", "not a whole number"),
    ("1,001", "not a whole number"),
    ("1_001", "not a whole number"),
    ("0x10", "not a whole number"),
    ("١٠", "not a whole number"),
    ("1001.0.0", "not a whole number"),
]


@pytest.mark.parametrize(("value", "says"), WRONG)
def test_what_is_no_whole_number_is_refused(value: GivenId, says: str) -> None:
    with pytest.raises(NotWhole, match=says):
        digits(value)
    problems: dict[int, tuple[str, str]] = {}
    assert whole([1, value], "user", problems, repr, required=True) == ["1", ""]
    reason, detail = problems[1]
    assert reason == "wrong_type" and says in detail and repr(value) in detail


@given(st.none() | st.integers() | st.floats() | st.text(), st.booleans())
def test_no_id_raises(value: GivenId, required: bool) -> None:
    problems: dict[int, tuple[str, str]] = {}
    [text] = whole([value], "id", problems, repr, required=required)
    assert stored("integers")(str(value)) or not str(value)
    assert isinstance(text, str)


def test_equal_numbers_of_two_types_are_judged_apart() -> None:
    """2^53 as an integer is exact; as a float it may have been another number."""
    problems: dict[int, tuple[str, str]] = {}
    assert whole([EXACT, float(EXACT)], "user", problems, repr, required=True)[0] == str(EXACT)
    assert list(problems) == [1]


def test_lines_of_json_as_pandas_writes_them() -> None:
    got = decode(line(1001.0, 7.0), line("1001", 7), line(" 1001.0", "7.0", id=17.0))
    assert (got.users, got.items, got.ids) == (["1001"] * 3, ["7"] * 3, ["", "", "17"])


def test_lines_of_csv_as_pandas_writes_them() -> None:
    got = decode("1001.0,7,view,,,", "1001,7.0,view,,,e-1", "NaN,7,view,,,", format="csv")
    assert (got.users, got.items, got.ids) == (["1001", "1001"], ["7", "7"], ["", "e-1"])
    assert [bad.reason for bad in got.rejected] == ["empty_user"]


def test_an_id_of_an_event_may_be_any_text_but_not_a_damaged_number() -> None:
    got = decode(line(1, 2, id="3f2a"), line(1, 2, id="12.0"), line(1, 2, id=1e20))
    assert got.ids == ["3f2a", "12"]
    assert [bad.reason for bad in got.rejected] == ["wrong_type"]


@pytest.mark.parametrize("field", ["user", "item", "id"])
def test_as_text_a_float_is_a_dead_letter_that_names_the_option(field: str) -> None:
    [bad] = decode(json.dumps({"user": 1, "item": 2} | {field: 1001.0}), ids="text").rejected
    assert bad.reason == "wrong_type"
    assert 'events.ids = "integers"' in bad.detail


def test_as_text_every_notation_is_an_id_of_its_own() -> None:
    got = decode(line("1001.0"), line("1001"), line("NaN"), line("01001"), ids="text")
    assert got.users == ["1001.0", "1001", "NaN", "01001"]


def test_the_true_reason_is_told_beside_a_float() -> None:
    [bad] = decode(line(1001.0, 7.0, type=["view"])).rejected
    assert bad.reason == "wrong_type" and "type" in bad.detail and "1001" not in bad.detail
