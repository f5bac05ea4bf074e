"""Small inputs that failed once: each gives the right result, or the right sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.console import Console

from flink_app.config import load
from flink_app.data.replay.recording import read_recording
from flink_app.data.validate.validation import examine
from flink_app.graph.event_settings import decode_settings

CASES = Path(os.environ.get("RECORDED_CASES", Path(__file__).parents[2] / "shared" / "cases"))
pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"there is no folder {CASES} (RECORDED_CASES names another)"
)


class Case(NamedTuple):
    """What a file gives with some options.

    Attributes:
        pairs: user and item of each event, in the order of the file.
        rejected, ignored: lines or elements that are no events, and why nothing of the rest is.
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
    Case("bookx/BX-Book-Ratings.csv", ("source.preset=book-crossing",), [
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
    Case("jsonarray/events.json", (), AB, ignored=2),
    Case("jsonarray/oneline.json", (), AB),
    Case("lastfm/tracks.tsv", ("source.preset=lastfm",), [
        ("user_000001", "Fuck Me Im Famous (Pacha Ibiza)-09-28-2007"),
        ("user_000001", 'Composition 0919 "Live_2009"'),
        ("user_000002", "No id"),
    ]),
    Case("pandasfloat/events.jsonl", (INTEGERS,), [("1001", "7"), ("1002", "8"), ("1003", "8")]),
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
    found = examine(config, [CASES / case.file], Console(quiet=True))
    assert found.events == len(case.pairs)
    recording = read_recording([CASES / case.file], decode_settings(config), 2**43)
    pairs = list(zip(recording.users, recording.items, strict=True))
    assert sorted(pairs) == sorted(case.pairs)
