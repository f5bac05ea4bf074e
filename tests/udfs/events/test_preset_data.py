"""Lines of data sets that hold several events, or none."""

from __future__ import annotations

from tests.udfs.events.test_presets import decode


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


def test_what_is_no_rating_is_ignored() -> None:
    got = decode("book-crossing", '"User-ID";"ISBN";"Book-Rating"', '"u";"i";"0"', '"u";"i";"10"')
    assert (got.weights.tolist(), got.rejected, got.ignored) == ([1.0], [], 2)
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
