"""The table of presets, what a configuration may change in it, and the real files it is for."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from udfs.errors import SourceError
from udfs.events.decode import Decoded, Decoder, DecodeSettings
from udfs.events.places import in_changes
from udfs.events.preset import FIELDS
from udfs.events.presets import PRESETS
from udfs.events.resolve import resolve

NOW = 1_790_000_000_000
WEIGHTS = {"view": 0.25, "click": 1.0, "cart": 2.0, "purchase": 4.0, "favourite": 3.0, "like": 1.5}
WEIGHTS |= {"play": 1.25, "impression": 0.0}


PRODUCTS = "contexts_com_snowplowanalytics_snowplow_ecommerce_product_1"
ACTION = "unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1"


def decode(name: str, *lines: str, **overrides: Any) -> Decoded:
    preset = resolve(name, **overrides)
    return Decoder(DecodeSettings(preset=preset, weights=WEIGHTS)).decode(lines, NOW)


EXAMPLES = [
    ("millirec", '{"user":"u","item":"i","type":"click","ts":1661431896711,"id":"e"}', 1.0, "e"),
    ("movielens", "u\ti\t5\t1661431896", 1.0, ""),
    ("movielens-csv", "u,i,4.0,1661431896", 0.5, ""),
    ("movielens-dat", "u::i::1::1661431896", -1.0, ""),
    (
        "gorse",
        '{"FeedbackType":"star","UserId":"u","ItemId":"i","Timestamp":"2022-08-25T12:51:36Z"}',
        1.5,
        "",
    ),
    (
        "metarank",
        '{"event":"interaction","id":"e","ranking":"r","timestamp":"1661431896711","user":"u",'
        '"session":"s","type":"add-to-cart","item":"i","fields":[{"name":"count","value":1}]}',
        2.0,
        "e",
    ),
    (
        "segment",
        '{"type":"track","userId":"u","event":"Product Viewed","messageId":"e",'
        '"properties":{"product_id":"i","price":1.5},"timestamp":"2022-08-25T12:51:36.711Z"}',
        0.25,
        "e",
    ),
    (
        "key-value",
        '{"topic":"t","partition":0,"offset":7,"tstype":"create","ts":1661431896711,"broker":0,'
        '"key":"u","payload":"i"}',
        1.0,
        "",
    ),
    (
        "debezium",
        '{"schema":{},"payload":{"op":"c","before":null,"after":{"id":"e","user_id":"u",'
        '"item_id":"i","created_at":1661431896711000},"source":{"ts_ms":1661431897000}}}',
        1.0,
        "e",
    ),
    ("personalize", "u,i,1661431896,Purchase,", 4.0, ""),
    ("retail", "1661431896711,u,transaction,i,77", 4.0, ""),
    ("tianchi", "u,i,2,95q6d6a,4245,2022-08-25 12", 3.0, ""),
    (
        "ga4",
        '{"event_date":"20220825","event_timestamp":"1661431896711000","event_name":"add_to_cart",'
        '"event_params":[{"key":"currency","value":{"string_value":"EUR"}}],"user_id":null,'
        '"user_pseudo_id":"u","items":[{"item_id":"i","item_name":"Mug","quantity":"1"}]}',
        2.0,
        "",
    ),
    (
        "shopify",
        '{"id":820982911946154508,"email":"jon@example.com","created_at":"2022-08-25T12:51:36Z",'
        '"customer":{"id":"u","email":"jon@example.com"},"user_id":null,'
        '"line_items":[{"id":"e","product_id":"i","variant_id":808950810,"quantity":1}]}',
        4.0,
        "e",
    ),
    (
        "snowplow",
        '{"app_id":"shop","event_name":"snowplow_ecommerce_action","event_id":"e","user_id":null,'
        '"domain_userid":"u","collector_tstamp":"2022-08-25T12:51:37.000Z",'
        f'"derived_tstamp":"2022-08-25T12:51:36.711Z","{ACTION}":{{"type":"add_to_cart"}},'
        f'"{PRODUCTS}":[{{"id":"i","category":"mugs","price":9.5,"currency":"EUR"}}]}}',
        2.0,
        "e#0",
    ),
    ("rees46", "2022-08-25 12:51:36,cart,i,1487580005092295511,,brand,2.62,u,s", 2.0, ""),
    ("otto", '{"session":"u","events":[{"aid":"i","ts":1661431896711,"type":"carts"}]}', 2.0, ""),
    ("h-and-m", "2022-08-25,u,i,0.0508,2", 4.0, ""),
    (
        "amazon",
        '{"rating":4.0,"title":"Nice","text":"…","images":[],"asin":"x","parent_asin":"i",'
        '"user_id":"u","timestamp":1661431896711,"helpful_vote":0,"verified_purchase":true}',
        0.5,
        "",
    ),
    ("amazon-csv", "u,i,4.0,1661431896711", 0.5, ""),
    (
        "amazon-2018",
        '{"overall":4.0,"verified":true,"reviewTime":"08 25, 2022","reviewerID":"u","asin":"i",'
        '"reviewerName":"J","summary":"…","unixReviewTime":1661431896}',
        0.5,
        "",
    ),
    ("amazon-2018-csv", "i,u,4.0,1661431896", 0.5, ""),
    ("lastfm", "u\t2022-08-25T12:51:36Z\ta7f7df4a\tDeep Dish\ti\tThe Lounge", 1.25, ""),
    (
        "yelp",
        '{"review_id":"e","user_id":"u","business_id":"i","stars":4.0,"useful":0,"funny":0,'
        '"cool":0,"text":"…","date":"2022-08-25 12:51:36"}',
        0.5,
        "e",
    ),
]
# Their files have no times, or times in a form of their own.
OTHERS = [
    ("mind", "1\tu\t8/25/2022 12:51:36 PM\tN106403 N871\ti-1", 1.0),
    ("steam", "u,i,play,273.0,0", 1.25),
    (
        "goodreads",
        '{"user_id":"u","book_id":"i","review_id":"r","is_read":true,"rating":4,'
        '"review_text_incomplete":"","date_added":"Thu Aug 25 05:51:36 -0700 2022",'
        '"date_updated":"Thu Aug 25 05:51:36 -0700 2022","read_at":"","started_at":""}',
        0.5,
    ),
    ("book-crossing", '"u";"i";"4"', 0.5),
    ("diginetica", "s;u;i;526309;2022-08-25", 0.25),
    ("session-rec", "u\ti\t1661431896.711", 1.0),
]


@pytest.mark.parametrize(("name", "line", "weight", "event_id"), EXAMPLES)
def test_each_preset_reads_a_line_of_its_system(
    name: str, line: str, weight: float, event_id: str
) -> None:
    got = decode(name, line)
    assert got.rejected == []
    assert (got.users, got.items, got.ids) == (["u"], ["i"], [event_id])
    assert got.weights.tolist() == [weight]
    assert 1661385600000 <= got.ts[0] <= 1661431896711


def test_every_preset_has_an_example() -> None:
    assert {name for name, *_ in [*EXAMPLES, *OTHERS]} == set(PRESETS)


@pytest.mark.parametrize(("name", "line", "weight"), OTHERS)
def test_each_other_preset_reads_a_line_of_its_data_set(
    name: str, line: str, weight: float
) -> None:
    got = decode(name, line)
    assert got.rejected == []
    assert (got.users, got.items, got.weights.tolist()) == (["u"], ["i"], [weight])
    if PRESETS[name].time_format:
        assert got.ts.tolist() == [1_661_431_896_000]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_resolves_to_itself(name: str) -> None:
    own = {"rec": "rec"} if name == "millirec" else {}  # only its JSON has columns besides
    fields = PRESETS[name].fields | own
    if PRESETS[name].shape:  # whose fields are columns
        fields = in_changes(fields)
    expected = msgspec.structs.replace(PRESETS[name], fields=fields)
    assert resolve(name) == expected
    assert set(PRESETS[name].fields) <= {*FIELDS, "rec", "session"}


@pytest.mark.parametrize("name", [n for n, preset in PRESETS.items() if preset.format == "csv"])
def test_headers_are_ignored_unless_configured_otherwise(name: str) -> None:
    header = PRESETS[name].delimiter.join(PRESETS[name].columns)
    assert decode(name, header, "\ufeff" + header + "\r\n").ignored == 2
    read = decode(name, header, header="no")
    assert len(read.rejected) == 1 or (PRESETS[name].only and read.ignored == 1)


def test_the_delimiter_can_be_replaced() -> None:
    assert decode("movielens-dat", "u|i|5.0|1661431896", delimiter="|").users == ["u"]


def test_millirec_events_can_be_csv() -> None:
    got = decode("millirec", "u,i,cart,1661431896,,e", format="csv")
    assert (got.weights.tolist(), got.ids) == ([2.0], ["e"])


def test_own_columns_fields_and_types() -> None:
    preset = resolve(
        "millirec",
        format="csv",
        delimiter=";",
        columns=["when", "who", "what", "how"],
        fields={"user": "who", "item": "what", "ts": "when", "type": "how", "value": "", "id": ""},
        types={"C": "cart"},
    )
    decoder = Decoder(DecodeSettings(preset=preset, weights=WEIGHTS))
    got = decoder.decode(["2022-08-25;u;i;c"], NOW)
    assert (got.users, got.items, got.weights.tolist()) == (["u"], ["i"], [2.0])


def test_numbers_of_columns_are_a_whole_mapping() -> None:
    preset = resolve("millirec", format="csv", fields={"item": "1", "user": "3"})
    decoder = Decoder(DecodeSettings(preset=preset, weights=WEIGHTS))
    got = decoder.decode(["i,x,u", "i,x,u,more", "i,x", ""], NOW)
    assert (got.users, got.items, got.weights.tolist()) == (["u", "u"], ["i", "i"], [1.0, 1.0])
    (rejected,) = got.rejected
    assert rejected.reason == "wrong_columns"
    assert rejected.detail == "the line has 2 cells between ',', fewer than the 3 of the mapping"
    assert got.ignored == 1


def test_one_number_is_a_column_of_the_preset() -> None:
    assert resolve("retail", fields={"item": "5"}).fields["item"] == "transactionid"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"preset": "segmnt"}, "no preset 'segmnt': did you mean 'segment'?"),
        ({"preset": "xyz"}, "choose one of millirec, gorse"),
        ({"fields": {"itm": "x"}}, "no field 'itm': did you mean 'item'?"),
        ({"format": "xml"}, "write 'json' or 'csv'"),
        ({"header": "none"}, "write 'auto', 'yes' or 'no'"),
        ({"fields": {"user": ""}}, "has no field 'user'"),
        ({"fields": {"user": "item"}}, "'user' and 'item' are both read from 'item'"),
        ({"fields": {"user": "a..b"}}, "has an empty part"),
        ({"fields": {"user": "a", "item": "a.b"}}, "'a.b', inside 'a'"),
    ],
)
def test_invalid_mappings_are_refused_with_advice(
    arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SourceError, match=sentence.replace("?", r"\?")):
        resolve(**{"preset": "millirec", **arguments})  # type: ignore[arg-type]


def data_file(name: str) -> list[str]:
    """The lines of a data set, or skip the test."""
    default = Path(__file__).resolve().parents[4] / "shared" / "data"
    path = Path(os.environ.get("RECORDED_DATA", default)) / name
    if not path.exists():
        pytest.skip(f"{path} is not there: set RECORDED_DATA to the folder that holds {name}")
    return path.read_text(encoding="utf-8").splitlines()


def test_movielens_100k_is_read_whole() -> None:
    got = decode("movielens", *data_file("ml-100k/u.data"))
    assert (len(got), got.rejected, got.ignored) == (100_000, [], 0)
    assert (len(set(got.users)), len(set(got.items))) == (943, 1682)


def test_exactly_the_corrupt_rows_of_the_dirty_movielens_are_rejected() -> None:
    lines = data_file("ml-1m-dirty/ratings.dat")
    got = decode("movielens-dat", *lines, delimiter="|")
    reasons = {one.index: one.reason for one in got.rejected}
    assert len(got) + len(reasons) == len(lines)
    assert len(reasons) == 15_288
    for index, line in enumerate(lines):
        _, _, rating, seconds = line.split("|")
        true: set[str | None] = set()
        if not rating:
            true.add("missing_value")
        elif not 1 <= float(rating) <= 5:
            true.add("value_out_of_range")
        if not 9e8 < int(seconds) < NOW / 1000:
            true.add("time_out_of_range")
        assert reasons.get(index) in (true or {None}), line


def test_tianchi_event_types_have_their_weights() -> None:
    got = decode("tianchi", *data_file("tianchi-mobile-sample/user_behavior.csv"))
    assert (len(got), got.rejected, got.ignored) == (1_999, [], 1)
    assert Counter(got.weights.tolist()) == {0.25: 1876, 3.0: 18, 2.0: 70, 4.0: 35}
