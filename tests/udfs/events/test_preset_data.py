"""Lines of data sets that hold several events, or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.udfs.events.test_presets import NOW, decode
from udfs.errors import SourceError
from udfs.events.decode import Decoded, Decoder, DecodeSettings
from udfs.events.resolve import resolve


def test_a_session_of_otto_is_its_events() -> None:
    got = decode(
        "otto",
        '{"session":12,"events":[{"aid":5,"ts":1661724000278,"type":"clicks"},'
        '{"aid":6,"ts":1661724020278,"type":"carts"},{"aid":5,"ts":1661724058352,"type":"orders"}]}',
        '{"session":13,"events":[]}',
    )
    assert (got.users, got.items) == (["12"] * 3, ["5", "6", "5"])
    assert got.weights.tolist() == [1.0, 2.0, 4.0]
    assert got.ts.tolist() == [1661724000278, 1661724020278, 1661724058352]
    assert (got.ids, got.ignored) == ([""] * 3, 1)


def test_impressions_of_mind_are_clicked_or_not() -> None:
    got = decode(
        "mind",
        "1\tU1\t11/11/2019 9:05:58 AM\tN10 N11\tN1-0 N2-1 N-3-1",
        "2\tU2\t11/12/2019 6:11:30 PM\t\tN1-1",
        "3\tU3\t11/12/2019 6:11:30 PM\tN1\t",
        "4\tU4\t11/12/2019 6:11:30 PM\tN1\tN5 N6-7",
    )
    assert got.users == ["U1", "U1", "U1", "U2", "U4"]
    assert got.items == ["N1", "N2", "N-3", "N1", "N5"]
    assert (got.weights.tolist(), got.flags.tolist()) == ([0, 1, 1, 1, 0], [0, 1, 1, 1, 0])
    assert got.ts.tolist()[:4] == [1573463158000] * 3 + [1573582290000]
    assert got.ignored == 1
    assert [(one.index, one.element, one.reason) for one in got.rejected] == [
        (3, 1, "unknown_type")
    ]


def test_a_track_without_an_id_is_known_by_its_name() -> None:
    got = decode(
        "lastfm",
        "u\t2009-05-04T23:08:57Z\ta\tDeep Dish\t\tThe Lounge",
        'u\t2009-05-04\ta\tB\t"c\t12" Mix',
    )
    assert got.items == ["The Lounge", '"c']


def test_titles_of_steam_may_hold_delimiters() -> None:
    got = decode(
        "steam", '1,"Warhammer 40,000 Dawn of War",purchase,1.0,0', "1,Skyrim,play,273.0,0"
    )
    assert (got.items, got.weights.tolist()) == (
        ["Warhammer 40,000 Dawn of War", "Skyrim"],
        [4, 1.25],
    )


def test_a_zero_of_book_crossing_is_a_view() -> None:
    got = decode("book-crossing", '"User-ID";"ISBN";"Book-Rating"', '"u";"i";"0"', '"u";"i";"10"')
    assert (got.weights.tolist(), got.rejected, got.ignored) == ([0.25, 1.0], [], 1)


def test_what_is_no_rating_is_ignored() -> None:
    shelf = '{"user_id":"u","book_id":"i","is_read":false,"rating":0,'
    shelf += '"date_updated":"Thu Aug 25 05:51:36 -0700 2022"}'
    got = decode("goodreads", shelf, shelf.replace('"rating":0', '"rating":5'))
    assert (got.weights.tolist(), got.rejected, got.ignored) == ([1.0], [], 1)


def test_removals_from_a_cart_of_rees46_are_ignored() -> None:
    row = (
        "2019-10-01 00:00:00 UTC,{},44600062,2103807459595387724,,shiseido,35.79,541312140,72d76fde"
    )
    got = decode("rees46", row.format("remove_from_cart"), row.format("purchase"))
    assert (got.users, got.items, got.ignored) == (["541312140"], ["44600062"], 1)
    assert got.ts.tolist() == [1569888000000]


def test_a_message_of_csv_may_hold_several_lines() -> None:
    got = decode(
        "retail", "1661431896711,u,view,i,\n\n1661431896711,u,stare,j,\n", "1661431896711,v,view,i,"
    )
    assert (got.users, got.items) == (["u", "v"], ["i", "i"])
    assert [(one.index, one.element, one.reason) for one in got.rejected] == [
        (0, 1, "unknown_type")
    ]
    assert got.received == 3
    quoted = decode("steam", '1,"two\nlines",play,1.0,0\n1,Skyrim,play,1.0,0')
    assert quoted.items == ["two\nlines", "Skyrim"]


def lines_of(text: str, tmp_path: Path, **own: Any) -> Decoded:
    """What a file of CSV with this text is read as."""
    path = tmp_path / "events.csv"
    path.write_text(text)
    preset = resolve("millirec", format="csv", **own)
    decoder = Decoder(DecodeSettings(preset=preset, weights={"click": 1.0, "view": 1.0}))
    lines = text.split("\n")[:-1]
    return decoder.decode(lines, NOW, [str(path)] * len(lines))


@pytest.mark.parametrize("places", ["member|visitor", "Visitor|MEMBER"])
def test_the_second_column_is_read_where_the_first_is_empty(places: str, tmp_path: Path) -> None:
    text = "visitor,sku,member\nv,a,\nv,b,m\n,c,m\n,d,\n"
    got = lines_of(text, tmp_path, fields={"user": places, "item": "sku"})
    both = "m" if places.startswith("m") else "v"
    assert (got.users, got.items) == (["v", both, "m"], ["a", "b", "c"])
    assert [(one.index, one.reason) for one in got.rejected] == [(4, "empty_user")]


def test_a_column_by_its_number_may_be_a_second_choice(tmp_path: Path) -> None:
    got = lines_of("v,a,\nv,b,m\n", tmp_path, fields={"user": "3|1", "item": "2"})
    assert (got.users, got.items) == (["v", "m"], ["a", "b"])


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("user,shown,id\nann,a b  c,9\n", {"each": "shown", "fields": {"item": "shown"}}),
        ("id,SHOWN,user\n9,a b  c,ann\n", {"each": "shown", "fields": {"item": "shown"}}),
        ("ann,a b  c,9\n", {"each": "2", "fields": {"user": "1", "item": "2", "id": "3"}}),
        (
            "ann,a b  c,9\n",
            {"columns": ["user", "x", "id"], "each": "x", "fields": {"item": "x"}},
        ),
    ],
)
def test_the_words_of_a_column_are_items(text: str, own: Any, tmp_path: Path) -> None:
    got = lines_of(text, tmp_path, **own)
    assert (got.users, got.items, got.ids) == (["ann"] * 3, ["a", "b", "c"], ["9#0", "9#1", "9#2"])
    assert got.rejected == []


def test_a_list_that_no_item_is_read_from_is_refused() -> None:
    with pytest.raises(SourceError, match=r"no field is read from .*item = 'shown'"):
        resolve("millirec", format="csv", each="shown")
