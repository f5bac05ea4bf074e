"""Decoding: one true reason for every bad line, and every line accounted for exactly once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.errors import ConfigError
from udfs.events.decode import Decoded, Decoder, DecodeSettings, RatingRule
from udfs.events.places import slots
from udfs.events.presets import PRESETS
from udfs.events.resolve import resolve

NOW = 1_700_000_000_000
WEIGHTS = {"view": 0.25, "click": 1.0, "cart": 2.0, "dislike": -1.0}
WEIGHTS |= {"purchase": 4.0, "play": 1.0, "impression": 0.0}
GOOD = '{"user":"u","item":"i"}'


def decoder(preset: str = "millirec", **changes: Any) -> Decoder:
    return Decoder(DecodeSettings(preset=resolve(preset), weights=WEIGHTS, **changes))


def decode(*lines: str, **changes: Any) -> Decoded:
    return decoder(**changes).decode(lines, NOW)


def line(**fields: object) -> str:
    return json.dumps({"user": "u", "item": "i", **fields})


DEEP = "[" * 100_000
HUGE = "9" * 5000

REASONS = [
    ("not_json", "hello"),
    ("not_json", '{"user":"u","item":"i"'),
    ("not_json", "{'user':'u','item':'i'}"),
    ("not_json", '{"user":"a\x00","item":"i"}'),
    ("not_json", '{"user":"u","item":"i","x":' + DEEP),
    ("not_json", DEEP),
    ("not_an_object", "[1]"),
    ("not_json", "1, 2"),
    ("not_json", GOOD + " " + GOOD + "}"),
    ("not_an_object", '"user"'),
    ("not_an_object", "17"),
    ("not_an_object", "null"),
    ("missing_user", '{"item":"i"}'),
    ("missing_user", '{"user":null,"item":"i"}'),
    ("missing_item", '{"user":"u"}'),
    ("missing_item", '{"user":"u","item":null}'),
    ("missing_item", "{}"),
    ("missing_user", '{"item":"i","session":""}'),
    ("wrong_type", '{"item":"i","session":{"id":"s"}}'),
    ("wrong_type", '{"item":"i","session":1.0}'),
    ("wrong_type", '{"item":"i","session":true,"user":""}'),
    ("wrong_type", '{"item":"i","session":' + HUGE + "}"),
    ("not_utf8", '{"item":"i","session":"\\ud800"}'),
    ("id_too_long", '{"item":"i","session":"' + "s" * 505 + '"}'),
    ("empty_user", line(user="")),
    ("empty_item", line(item="")),
    ("id_too_long", line(user="u" * 513)),
    ("id_too_long", line(item="é" * 257)),
    ("id_too_long", line(id="e" * 513)),
    ("id_too_long", '{"user":' + "9" * 600 + ',"item":"i"}'),
    ("id_too_long", '{"user":' + HUGE + ',"item":"i"}'),
    ("not_utf8", line(user="u\ufffd")),
    ("not_utf8", '{"user":"u","item":"i\ufffd"}'),
    ("not_utf8", '{"user":"\\ud800","item":"i"}'),
    ("not_utf8", '{"user":"\ud800","item":"i"}'),
    ("wrong_type", line(user=True)),
    ("wrong_type", line(user=1.5)),
    ("wrong_type", line(item=17.0)),
    ("wrong_type", line(item=["i"])),
    ("wrong_type", line(user={"id": "u"})),
    ("wrong_type", line(type=1.5)),
    ("wrong_type", line(type=["click"])),
    ("wrong_type", line(ts=True)),
    ("wrong_type", line(ts=[1])),
    ("wrong_type", line(value=True)),
    ("wrong_type", line(value="five")),
    ("wrong_type", line(value="1_0")),
    ("not_finite", line(value="1e999")),
    ("missing_value", line(type="rating", value=float("nan"))),
    ("missing_value", line(type="rating", value=" ")),
    ("missing_user", line(user=float("nan"))),
    ("wrong_type", line(id=False)),
    ("not_finite", line(value=float("-inf"))),
    ("not_finite", '{"user":"u","item":"i","value":1e999}'),
    ("not_finite", '{"user":"u","item":"i","value":' + "9" * 400 + "}"),
    ("not_finite", '{"user":"u","item":"i","value":' + HUGE + "}"),
    ("not_finite", line(ts=float("inf"))),
    ("not_finite", '{"user":"u","item":"i","ts":1e999}'),
    ("bad_time", line(ts="yesterday")),
    ("bad_time", line(ts="")),
    ("bad_time", line(ts="2022-02-30T00:00:00Z")),
    ("time_out_of_range", line(ts=-1)),
    ("time_out_of_range", line(ts=0)),
    ("time_out_of_range", line(ts="1970-01-02")),
    ("time_out_of_range", line(ts=9999999999)),
    ("time_out_of_range", line(ts=NOW + 86_400_001)),
    ("time_out_of_range", line(ts=10**400)),
    ("time_out_of_range", '{"user":"u","item":"i","ts":' + HUGE + "}"),
    ("unknown_type", line(type="teleport")),
    ("unknown_type", line(type="")),
    ("unknown_type", line(type=7)),
    ("missing_value", line(type="rating")),
    ("missing_value", line(type="rating", value=None)),
]


@pytest.mark.parametrize(("reason", "bad"), REASONS)
def test_a_bad_line_is_rejected_for_its_true_reason(reason: str, bad: str) -> None:
    got = decode(GOOD, bad, GOOD)
    (rejected,) = got.rejected
    assert (rejected.reason, rejected.index) == (reason, 1)
    assert len(got) == 2
    assert len(rejected.detail) > 10
    assert len(rejected.detail.encode()) < 400  # encodes, and does not repeat a long line


def test_reasons_keep_the_order_of_the_lines() -> None:
    got = decode(line(type="teleport"), "oops", GOOD, "", line(user=""), "[7]")
    assert [(one.index, one.reason) for one in got.rejected] == [
        (0, "unknown_type"),
        (1, "not_json"),
        (4, "empty_user"),
        (5, "not_an_object"),
    ]
    assert (len(got), got.ignored) == (1, 1)


def test_columns_of_the_accepted_events() -> None:
    got = decode(
        line(type="cart", ts=1661431896, id="e1", session="s", rec="r", value=9.5),
        "oops",
        line(user=17, item="böb 🛒\n:", id=4),
    )
    assert got.users == ["u", "17"]
    assert got.items == ["i", "böb 🛒\n:"]
    assert got.ids == ["e1", "4"]
    assert got.weights.dtype == np.float32
    assert got.weights.tolist() == [2.0, 1.0]
    assert got.ts.dtype == np.int64
    assert got.ts.tolist() == [1661431896000, NOW]
    assert got.flags.dtype == np.uint8
    assert got.flags.tolist() == [1, 1]


def test_ids_up_to_the_limit_are_fine_and_may_hold_anything() -> None:
    odd = ["u" * 512, "é" * 256, "🛒" * 128, " ", "a\u0000b", "a:b\nc", '"', str(10**30)]
    got = decode(*(line(user=user) for user in odd), line(user=10**30))
    assert got.users == [*odd, str(10**30)]


def test_events_of_weight_0_are_ignored_if_configured() -> None:
    lines = [line(type="rating", value=value) for value in (5, 4, "x", 4.5)] + ["", line()]
    rule = RatingRule(kind="threshold", threshold=4.5)
    got = decode(*lines, rating=rule, zero_weight="ignore")
    assert (got.weights.tolist(), got.ignored) == ([1.0, 1.0, 1.0], 2)
    assert [one.index for one in got.rejected] == [2]
    assert len(decode(*lines, rating=rule)) == 4


def test_blank_lines_are_ignored_and_byte_order_marks_skipped() -> None:
    got = decode("", "  ", "\r\n", "\ufeff", "\ufeff" + GOOD, GOOD + "\r\n")
    assert (len(got), got.ignored, got.rejected) == (2, 4, [])
    assert decode("\ufeffoops").rejected[0].reason == "not_json"


def test_what_json_forbids_or_types_forbid_is_read_where_its_meaning_is_clear() -> None:
    got = decode(
        line(type="rating", value="4.5"),
        line(type="rating", value=" 2 "),
        line(value=float("nan")),
        '{"user":"u","item":"i","x":NaN,"y":-Infinity}',
        '{"user":"u","item":"i","x":"\\ud800"}',
        '{"user":1.5,"user":"u","item":"i"}',
        line(value=""),
    )
    assert got.rejected == [] and len(got) == 7
    assert got.weights.tolist() == [0.75, -0.5, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_an_empty_batch_is_empty() -> None:
    for name in ("millirec", "movielens"):
        got = decode(preset=name)
        assert (len(got), len(got.weights), len(got.ts), got.rejected) == (0, 0, 0, [])


def test_case_and_outer_spaces_of_a_type_do_not_matter() -> None:
    assert decode(line(type=" Cart ")).weights.tolist() == [2.0]


def test_unknown_types_can_be_accepted_with_weight_1() -> None:
    got = decode(line(type="teleport"), unknown_type="accept")
    assert (got.weights.tolist(), got.rejected) == ([1.0], [])


def test_only_consumed_types_set_the_flag() -> None:
    kinds = [line(type=kind) for kind in ("view", "cart", "click")]
    assert decode(*kinds, consumed=("cart", "purchase")).flags.tolist() == [0, 1, 0]
    assert decode(*kinds).flags.tolist() == [1, 1, 1]


def test_ratings_follow_the_rule_and_the_weight_of_their_type() -> None:
    ratings = [line(type="rating", value=value) for value in (1, 2.5, 4, 100)]
    assert decode(*ratings).weights.tolist() == [-1.0, -0.25, 0.5, 1.0]
    threshold = RatingRule(kind="threshold", threshold=4.0)
    assert decode(*ratings, rating=threshold).weights.tolist() == [0.0, 0.0, 1.0, 1.0]
    twice = DecodeSettings(preset=PRESETS["millirec"], weights={"rating": 2.0, "click": 1.0})
    assert Decoder(twice).decode(ratings, NOW).weights.tolist() == [-2.0, -0.5, 1.0, 2.0]


def test_a_value_does_not_multiply_other_types() -> None:
    assert decode(line(type="cart", value=50)).weights.tolist() == [2.0]


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
    st.floats(0, 0.99),
    st.sampled_from([2.0, -1.0, 0.5]),
)
def test_a_fraction_multiplies_the_weight_of_its_type(
    values: list[float], neutral: float, weight: float
) -> None:
    settings = DecodeSettings(
        preset=PRESETS["millirec"],
        weights={"click": 1.0, "watch": weight},
        fractions={"watch": neutral},
    )
    lines = [line(type="Watch", value=value) for value in values]
    lines.append(line(type="click", value=0.1))
    *found, other = Decoder(settings).decode(lines, NOW).weights.tolist()
    wanted = [weight * max(-1.0, (value - neutral) / (1 - neutral)) for value in values]
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)
    assert other == 1.0


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        ({}, "missing_value", "the fraction has no value"),
        ({"value": None}, "missing_value", "the fraction has no value"),
        ({"value": 37}, "value_out_of_range", "the fraction 37 is not between 0 and 1"),
        ({"value": -0.1}, "value_out_of_range", "the fraction -0.1 is not between 0 and 1"),
    ],
)
def test_what_is_no_fraction_is_rejected(value: dict[str, Any], reason: str, detail: str) -> None:
    [one] = decode(line(type="play", **value), fractions={"play": 0.2}).rejected
    assert (one.reason, one.detail) == (reason, detail)
    assert not decode(line(type="play", **value)).rejected


def test_settings_that_would_fail_every_event_are_refused() -> None:
    with pytest.raises(ConfigError, match="default event type 'buy' has no weight"):
        decoder(default_type="buy")
    with pytest.raises(ValueError, match="above 0"):
        RatingRule(scale=0.0)


def test_original_ratings_are_kept_if_configured() -> None:
    lines = line(type="rating", value=4.5), line(type="click", value=3), line(type="stare")
    assert decode(*lines, ratings=True).ratings.tolist() == pytest.approx(
        [4.5, np.nan], nan_ok=True
    )
    assert np.isnan(decode(*lines).ratings).tolist() == [True, True]
    assert decode(line(type="rating", value=1e300), ratings=True).ratings.tolist() == [np.inf]


def test_nested_paths() -> None:
    preset = resolve(
        "millirec", fields={"user": "context.user", "item": "context.goods.sku", "id": "meta.id"}
    )
    nested = Decoder(DecodeSettings(preset=preset, weights=WEIGHTS))
    lines = [
        '{"context":{"user":"u","goods":{"sku":5}},"meta":{"id":"e"}}',
        '{"context":{"user":"u","goods":{"sku":"i"}},"meta":null}',
        '{"context":{"user":"u","goods":{"sku":"i"}}}',
        '{"context":{"user":"u"}}',
        '{"context":null}',
        '{"context":[]}',
        '{"context":{"user":"u","goods":{"sku":"i"}},"meta":7}',
    ]
    got = nested.decode(lines, NOW)
    assert (got.users, got.items, got.ids) == (["u"] * 3, ["5", "i", "i"], ["e", "", ""])
    assert [one.reason for one in got.rejected] == [
        "missing_item",
        "missing_item",
        "wrong_type",
        "wrong_type",
    ]


def test_two_halves_of_an_object_do_not_make_an_event() -> None:
    got = decode('{"user":"u",', '"item":"i"}', GOOD)
    assert (len(got), len(got.rejected)) == (1, 2)


any_text = st.text(st.characters(), max_size=60)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
names = sorted(
    {
        part.removesuffix("[]")
        for preset in PRESETS.values()
        for place in slots(preset).values()
        for part in place.split(".")
    }
)
objects = st.dictionaries(st.sampled_from(names), json_values, max_size=9).map(
    lambda value: json.dumps(value, ensure_ascii=False)
)
pieces = st.sampled_from(["u", "i", "5", "", "1661431896", "NaN", "2022-08-25 12", '"', "\ufeff"])
cells = st.tuples(st.sampled_from([",", "\t", "::"]), st.lists(pieces, max_size=7)).map(
    lambda pair: pair[0].join(pair[1])
)
headers = st.sampled_from([preset.delimiter.join(preset.columns) for preset in PRESETS.values()])
any_line = any_text | objects | cells | headers | st.sampled_from([GOOD, line(type="cart"), ""])

DECODERS = {name: decoder(name) for name in PRESETS}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(PRESETS)), st.lists(any_line, max_size=12))
def test_any_lines_are_accounted_for_exactly_once(name: str, lines: list[str]) -> None:
    got = DECODERS[name].decode(lines, NOW)
    indexes = [one.index for one in got.rejected]
    assert len(got) + len(indexes) + got.ignored == got.received >= len(lines)
    assert indexes == sorted(indexes)
    places = [(one.index, one.element) for one in got.rejected]
    assert len(set(places)) == len(places)
    assert set(indexes) <= set(range(len(lines)))
    columns = (got.users, got.items, got.ids, got.weights, got.flags, got.ts)
    assert {len(column) for column in columns} == {len(got)}
    assert np.isfinite(got.weights).all()
    assert all(text.encode() for text in got.users + got.items)
    assert all(one.detail.encode() for one in got.rejected)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PRESETS)), st.lists(any_line, max_size=8))
def test_a_line_means_the_same_alone_and_among_others(name: str, lines: list[str]) -> None:
    together = DECODERS[name].decode(lines, NOW)
    alone = [DECODERS[name].decode([one], NOW) for one in lines]
    assert together.users == [user for got in alone for user in got.users]
    assert together.ts.tolist() == [ms for got in alone for ms in got.ts.tolist()]
    assert together.weights.tolist() == [w for got in alone for w in got.weights.tolist()]
    assert [one.reason for one in together.rejected] == [
        one.reason for got in alone for one in got.rejected
    ]


def test_ratings_are_kept_as_given_whatever_their_weight() -> None:
    lines = [
        '{"user":"a","item":"x","type":"rating","value":4.5}',
        '{"user":"a","item":"x","type":"click","value":3}',
        '{"user":"a","item":"x","type":"Rating ","value":0}',
    ]
    decoder = DECODERS["millirec"]
    found = decoder.ratings(decoder.read(lines))
    assert np.array_equal(found, [4.5, np.nan, 0.0], equal_nan=True)
    decoder = DECODERS["movielens"]
    assert decoder.ratings(decoder.read(["1\t2\t3.5\t875747190"])).tolist() == [3.5]


def test_events_of_a_user_beyond_the_limit_per_minute_are_rejected() -> None:
    limited = decoder(user_per_minute=2)
    lines = [line(user=user) for user in "abaa"] + ["{", line(user="a", item="")]
    found = limited.decode(lines, NOW)
    assert found.users == ["a", "b", "a"]
    assert [(bad.index, bad.reason) for bad in found.rejected] == [
        (3, "too_many"), (4, "not_json"), (5, "empty_item"),
    ]  # fmt: skip
    assert "events.user_per_minute" in found.rejected[0].detail
    assert limited.decode([line(user="b"), line(user="b"), line(user="a")], NOW + 1).users == ["b"]
    assert limited.decode([line(user="a")] * 3, NOW + 60_000).users == ["a", "a"]
    assert limited.decode([line(user="a")], NOW).users == ["a"], "a clock that is set back"
    assert len(decoder().decode([line()] * 1000, NOW)) == 1000


def test_the_counts_of_the_rate_limit_are_those_of_one_minute() -> None:
    limited = decoder(user_per_minute=2)
    for minute in range(3):
        limited.decode([line(user=f"{minute}-{n}") for n in range(100)], NOW + minute * 60_000)
    assert limited._limit is not None
    assert len(limited._limit._counts) == 100


def test_events_of_weight_0_that_name_their_list_tell_what_was_seen() -> None:
    lines = (
        line(type="impression", rec="7a-1"),
        line(type="impression"),
        line(type="click", rec="7a-1"),
        line(type="impression", rec=12),
        line(type="impression", rec=None),
        line(type="impression", rec=""),
    )
    got = decode(*lines)
    assert got.seen.tolist() == [True, False, False, True, False, False]
    assert got.column("recs") == ["7a-1", "", "7a-1", "12", "", ""]
    least = decode(*lines, zero_weight="ignore")
    assert (least.column("recs"), least.ignored) == (["7a-1", "7a-1", "12"], 3)
    consumed = decode(*lines, consumed=("impression", "click"))
    assert not consumed.seen.any()
    (wrong,) = decode(line(type="impression", rec=["7a-1"])).rejected
    assert wrong.reason == "wrong_type"
    assert "recs" not in decode(GOOD).batch(NOW).columns


def test_types_are_carried_only_if_they_are_wanted() -> None:
    lines = line(type=" Click "), line(), line(type="bad")
    assert "types" not in decode(*lines).columns
    found = decode(*lines, types=True)
    assert found.column("types") == ["click", "click"]
    assert found.batch(NOW).column("types") == found.column("types")
