"""Rows of CSV: one true reason for every bad row, and quotes that stay within their line."""

from __future__ import annotations

import msgspec
import pytest

from udfs.events.decode import Decoded, Decoder, DecodeSettings
from udfs.events.resolve import resolve

NOW = 1_700_000_000_000
HUGE = "9" * 5000


def decode(preset: str, *lines: str) -> Decoded:
    settings = DecodeSettings(preset=resolve(preset), weights={"click": 1.0})
    return Decoder(settings).decode(lines, NOW)


@pytest.mark.parametrize(
    ("reason", "bad"),
    [
        ("wrong_columns", "u\ti\t5"),
        ("wrong_columns", "u\ti\t5\t880000000\t1"),
        ("wrong_columns", 'u\t"i\t5\t1661431896'),
        ("empty_user", "\ti\t5\t1661431896"),
        ("empty_item", "u\t\t5\t1661431896"),
        ("id_too_long", "u" * 513 + "\ti\t5\t1661431896"),
        ("not_utf8", "u\ufffd\ti\t5\t1661431896"),
        ("not_utf8", "\ud800\ti\t5\t1661431896"),
        ("missing_value", "u\ti\t\t1661431896"),
        ("wrong_type", "u\ti\tfive\t1661431896"),
        ("wrong_type", "u\ti\t1_0\t1661431896"),
        ("not_finite", "u\ti\tNaN\t1661431896"),
        ("not_finite", "u\ti\t1e999\t1661431896"),
        ("value_out_of_range", "u\ti\t10\t1661431896"),
        ("value_out_of_range", "u\ti\t-1\t1661431896"),
        ("bad_time", "u\ti\t5\tsoon"),
        ("time_out_of_range", "u\ti\t5\t-1"),
        ("time_out_of_range", "u\ti\t5\t" + HUGE),
    ],
)
def test_a_bad_row_is_rejected_for_its_true_reason(reason: str, bad: str) -> None:
    good = "u\ti\t5\t1661431896"
    got = decode("movielens", good, bad, good)
    assert [(one.reason, one.index) for one in got.rejected] == [(reason, 1)]
    assert len(got) == 2


def test_quoted_cells() -> None:
    lines = ['"u,1","i ""x""",5.0,1661431896', '"userId","movieId","rating","timestamp"']
    got = decode("movielens-csv", *lines)
    assert (got.users, got.items, got.ignored) == (["u,1"], ['i "x"'], 1)


def test_an_open_quote_does_not_swallow_the_next_line() -> None:
    got = decode("movielens-csv", '"u,i,5.0,1661431896', "v,i,5.0,1661431896")
    assert (got.users, [one.reason for one in got.rejected]) == (["v"], ["wrong_columns"])


def test_an_empty_cell_of_a_time_is_now() -> None:
    got = decode("movielens-csv", "u,i,5.0,", "u,i,5.0,1661431896")
    assert got.ts.tolist() == [NOW, 1661431896000]


@pytest.mark.parametrize("place", range(6))
def test_the_null_of_a_database_is_an_empty_cell(place: int) -> None:
    cells = ["u", "i", "click", "1661431896", "4", "e"]
    cells[place] = r"\N"
    preset = msgspec.structs.replace(resolve("millirec"), format="csv")
    decoder = Decoder(DecodeSettings(preset=preset, weights={"click": 1.0}, default_type="click"))
    null, empty = (
        decoder.decode([",".join(cells).replace(r"\N", word)], NOW) for word in (r"\N", "")
    )
    assert null.rejected == empty.rejected
    assert null.columns.keys() == empty.columns.keys()
    assert [bad.reason for bad in null.rejected] == {0: ["empty_user"], 1: ["empty_item"]}.get(
        place, []
    )
