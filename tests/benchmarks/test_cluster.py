"""The pure parts of the measurement on a cluster; tests/deploy/stack has a small run of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from benchmarks import evaluate
from benchmarks.cluster import flat, shuffled
from benchmarks.cluster_events import RATINGS_OF_5, pace, structured
from benchmarks.cluster_jobs import Look, rates
from benchmarks.usage import Usage
from flink_app.config import load
from flink_app.console.totals import Totals
from flink_app.graph.event_settings import decode_settings
from flink_app.writers.files import Writer
from udfs.events.decode import Decoder


def test_rates_are_those_between_two_looks() -> None:
    first = Look(
        Totals(at=1000, learned=100, lists=10, stages={"learn": 50}, feed={"read": 7}),
        Usage(5.0, {"redis": 1.0}, {"commands": 10}),
    )
    last = Look(
        Totals(
            at=3000,
            learned=500,
            lists=210,
            stages={"learn": 450, "rank": 40},
            feed={"read": 807, "changes": 4},
        ),
        Usage(6.0, {"redis": 1.8}, {"commands": 1010}),
    )
    assert rates(first, last) == {
        "events": 400,
        "seconds": 2.0,
        "events_per_s": 200,
        "lists_per_s": 100,
        "cpu_us": {"redis": 2000.0},
        "cores": 0.8,
        "stages_us": {"learn": 1.0, "rank": 0.1},
        "feed_bytes": {"read": 2.0, "changes": 0.01},
        "redis": {"commands": 2.5},
    }


def test_bytes_are_counted_for_the_last_operator_of_a_task() -> None:
    job = {
        "vertices": [
            {"name": "Source: source0[1] -> Calc[2]", "metrics": {"write-bytes": 900}},
            {"name": "GroupWindowAggregate[6] -> parse", "metrics": {"write-bytes": 4000}},
            {"name": "user learner", "metrics": {"write-bytes": 9000}},
            {"name": "item learner -> Map", "metrics": {"write-bytes": 10}},
            {"name": "stats", "metrics": {"write-bytes": 0}},
        ]
    }
    found = shuffled(job, 10)
    wanted = {"source": 90, "parse": 400, "user learner": 900, "item learner": 1, "stats": 0}
    assert found == wanted


def test_ratings_of_5_become_events_in_order_of_time(tmp_path: Path) -> None:
    file = tmp_path / "u.data"
    file.write_text("1\t7\t5\t881250949\n2\t8\t4\t881250950\n3\t9\t5\t881250940\n")
    found = structured(file, 10, tmp_path)
    assert found.name == "ml-100k, ratings of 5"
    assert found.settings == RATINGS_OF_5
    decoder = Decoder(decode_settings(load(None, list(found.settings), {}).config))
    decoded = decoder.decode([line.decode() for line in found.lines], 1_700_000_000_000)
    assert (decoded.users, decoded.items) == (["3", "1"], ["9", "7"])
    assert list(decoded.weights) == [1.0, 1.0]
    assert structured(tmp_path, 1, tmp_path).lines == found.lines[:1]


def test_without_the_data_set_the_simulated_shop_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "DATA", tmp_path / "nowhere")
    found = structured(None, 50, tmp_path)
    assert found.name == "simulated shop"
    assert len(found.lines) == 50
    assert {"user", "item", "type"} <= msgspec.json.decode(found.lines[0]).keys()


class Kept(Writer):
    """Keeps the lines, and how many there were at each time; its time passes only in `sleep`."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.counts: dict[float, int] = {}
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now = round(self.now + seconds, 6)

    def write(self, lines: Sequence[bytes]) -> None:
        self.lines += lines
        self.counts[self.now] = len(self.lines)

    def flush(self) -> None:
        """There is nothing to wait for."""


def test_events_are_written_in_order_and_no_faster_than_the_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept, lines = Kept(), [b"%d" % n for n in range(60)]
    monkeypatch.setattr("benchmarks.cluster_events.time", kept)
    pace(kept, lines, 200)
    assert kept.lines == lines
    assert all(200 * at <= count <= 200 * at + 1 for at, count in kept.counts.items())
    assert max(kept.counts) == pytest.approx(0.3)


def test_groups_of_figures_are_rows() -> None:
    assert list(flat({"seconds": 2, "cpu_us": {"redis": 3}})) == [
        ("seconds", 2),
        ("cpu_us: redis", 3),
    ]
