"""Small inputs that failed once: each gives the right result, or the right sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.console import Console

from flink_app.config import load
from flink_app.data.recorded import read_blocks
from flink_app.data.validate.validation import examine
from flink_app.graph.event_settings import decode_settings
from udfs.events.decode import Decoder

CASES = Path(os.environ.get("RECORDED_CASES", Path(__file__).parents[2] / "shared" / "cases"))
pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"there is no folder {CASES} (RECORDED_CASES names another)"
)


class Case(NamedTuple):
    """What a file gives with some options.

    Attributes:
        pairs: user and item of each event, in the order of the file.
        rejected, ignored: how many lines or elements are dead letters, and how many are ignored.
    """

    file: str
    settings: tuple[str, ...]
    pairs: list[tuple[str, str]]
    rejected: int = 0
    ignored: int = 0


INTEGERS = "events.ids=integers"
CSV = "source.format=csv"
KETTLES = [("alice", "kettle"), ("bob", "kettle"), ("alice", "mug")]
AB = [("a", "x"), ("b", "y")]
READ = [
    Case("bookx/BX-Book-Ratings.csv", ("source.preset=book-crossing", "source.encoding=latin-1"), [
        ("276725", "034545104X"), ("276726", "0155061224"), ("276727", "0446520802"),
        ("276729", "052165615X"), ("276730", "2070é234"), ("276731", "0 00 225;669 1"),
    ], ignored=1),
    Case("compressed/noeol.jsonl", (), [("noeol", "it1")]),
    Case("compressed/nul.jsonl", (), [("nul\0x", "it1"), ("emoji😀", "it1")], rejected=2),
    Case("floatcsv/e.csv", (CSV,), [("1001.0", "7"), ("1001", "7.0"), ("1002.0", "8")], ignored=1),
    Case("floatcsv/e.csv", (CSV, INTEGERS), [
        ("1001", "7"), ("1001", "7"), ("1002", "8"),
    ], ignored=1),
    Case("gorse516/feedback.csv", ("source.preset=gorse", CSV), [
        ("3401", "18601"), ("3401", "18602"), ("2801", "18603"),
    ], ignored=1),
    Case("ga4/events.jsonl", ("source.preset=ga4",), [
        ("1234567.8901234", "SKU1"), ("u1", "SKU1"), ("u1", "SKU2"),
    ]),
    Case("jsonarray/events.json", (), AB, ignored=2),
    Case("jsonarray/oneline.json", (), AB),
    Case("lastfm/tracks.tsv", ("source.preset=lastfm",), [
        ("user_000001", "Fuck Me Im Famous (Pacha Ibiza)-09-28-2007"),
        ("user_000001", 'Composition 0919 "Live_2009"'),
        ("user_000002", "No id"),
    ]),
    Case("metarank/events.jsonl", ("source.preset=metarank",), [
        ("alice", "72998"), ("alice", "589"), ("alice", "72998"), ("s2", "589"),
    ], ignored=2),
    Case("otto/test.jsonl", ("source.preset=otto",), [
        ("12899779", "59625"), ("12899779", "59626"), ("12899780", "1142000"),
        ("12899780", "582732"),
    ]),
    Case("pandasfloat/events.jsonl", (INTEGERS,), [("1001", "7"), ("1002", "8"), ("1003", "8")]),
    Case("segment-order/track.jsonl", ("source.preset=segment",), [
        ("u1", "p1"), ("u1", "p1"), ("u1", "p2"), ("an-1", "p2"), ("u1", "505"),
    ], ignored=3),
    Case("steam/steam-200k.csv", ("source.preset=steam",), [
        ("151603712", "The Elder Scrolls V Skyrim"), ("151603712", "The Elder Scrolls V Skyrim"),
        ("151603712", "Warhammer 40,000 Dawn of War"), ("59945701", 'He said "Go"'),
    ]),
    Case("swapped/own.csv", (CSV,), KETTLES, ignored=1),
    Case("swapped/ml.csv", ("source.preset=movielens-csv",), [
        ("1", "296"), ("1", "306"), ("2", "296"),
    ], ignored=1),
    Case("trailing/events.jsonl", (), AB),
    Case("utf16/events.jsonl", (), AB),
]  # fmt: skip


@pytest.mark.parametrize("case", READ, ids=lambda case: " ".join([case.file, *case.settings]))
def test_the_file_gives_its_events(case: Case) -> None:
    config = load(None, case.settings, {}).config
    settings = decode_settings(config)
    decoder, pairs, rejected, ignored = Decoder(settings), [], 0, 0
    for block in read_blocks([CASES / case.file], encoding=config.source.encoding):
        found = decoder.decode(block.lines, 2**41, block.files)
        pairs += zip(found.users, found.items, strict=True)
        rejected, ignored = rejected + len(found.rejected), ignored + found.ignored
    assert (pairs, rejected, ignored) == (case.pairs, case.rejected, case.ignored)
    validated = examine(config, [CASES / case.file], Console(quiet=True))
    assert validated.events == len(case.pairs)
