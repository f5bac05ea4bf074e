"""An evaluation of nothing says so, and leaves neither a table nor a file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.cli import main
from flink_app.config import Config
from flink_app.evaluate.baselines import BASELINES
from flink_app.evaluate.prequential import Prequential, Rule
from flink_app.evaluate.results import Result, has_tests
from flink_app.evaluate.stream import read_stream
from flink_app.evaluate.testable import NothingToTest, require_test
from flink_app.graph.event_settings import decode_settings

NOW = 1_790_000_000_000
SETTINGS = decode_settings(Config())


def written(path: Path, events: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path


def event(user: object, item: object, place: int, **more: Any) -> dict[str, Any]:
    return {"user": f"u{user}", "item": f"i{item}", "ts": 1_600_000_000 + place} | more


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["view", "impression"])),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 6),
    st.booleans(),
)
def test_it_agrees_with_the_protocol(
    events: list[tuple[int, int, str]], warmup: int, repeat: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [event(u, i, n, type=kind) for n, (u, i, kind) in enumerate(events)]
        path = written(Path(folder) / "events", rows)
        stream = read_stream(path, SETTINGS, NOW)
        baseline = BASELINES["popular"](stream.shape, 1)
        quality = Prequential(stream, baseline, 20, not repeat, Rule(warmup)).run(1).quality
        try:
            require_test(path, SETTINGS, NOW, warmup, repeat=repeat)
            tested = True
        except NothingToTest as error:
            tested = False
            assert str(error).startswith("nothing can be tested: ")
        assert tested == any(
            kind == "view"
            and n >= warmup
            and any(u == user for u, _, _ in events[:n])
            and any(i == item for _, i, _ in events[:n])
            and len({i for _, i, _ in events[:n]}) > 1
            and (repeat or (user, item, "view") not in events[:n])
            for n, (user, item, kind) in enumerate(events)
        )
        if tested:
            assert quality["served:tests"] > quality["new_items"]


FILES: dict[str, tuple[list[dict[str, Any]], str, int]] = {
    "empty": ([], "there are no lines", 1),
    "one event": ([event(1, 1, 0)], "one item for", 1),
    "no times": ([{"user": f"u{n % 3}", "item": f"i{n % 5}"} for n in range(50)], "has a time", 1),
    "one item": ([event(n % 7, 1, n) for n in range(50)], "one item for", 1),
    "one user": ([event(1, n % 7, n) for n in range(50)], "one user for", 1),
    "new users": ([event(n, n % 7, n) for n in range(50)], "50 a user's first. Record", 1),
    "repeats": ([event(n % 7, n % 7, n) for n in range(50)], "Test repeats with --repeat", 1),
    "new items": ([event(n % 2, n, n) for n in range(50)], "on items that nobody had before", 1),
    "impressions": (
        [event(n % 7, n % 5, n, type="impression") for n in range(50)],
        "without a weight above 0. Give their types",
        1,
    ),
    "no events": ([{"who": 1}], "none of 1 lines can be used: name the format", 2),
}


@pytest.mark.parametrize("name", FILES)
def test_an_evaluation_of_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, says, code = FILES[name]
    path = written(tmp_path / "events.jsonl", events)
    out, plot = tmp_path / "report.json", tmp_path / "quality.svg"
    given = ["evaluate", str(path), "--out", str(out), "--plot", str(plot), "--baseline", "popular"]
    with pytest.raises(SystemExit) as ended:
        main(given)
    told = capsys.readouterr()
    assert ended.value.code == code
    assert says in told.err and told.err.count("\n") == 1
    assert "recall" not in told.out
    assert not out.exists() and not plot.exists()


def test_weights_below_the_threshold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [event(n % 7, n % 5, n, type="rating", value=3) for n in range(50)]
    path = written(tmp_path / "events.jsonl", rows)
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(path), "--positive", "rating>=4.5"])
    assert ended.value.code == 1
    assert "--positive" in capsys.readouterr().err


def test_a_warmup_that_leaves_no_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [event(n % 2, n, n) for n in range(20)] + [event(0, 1, 20), event(9, 9, 21)]
    path = written(tmp_path / "events.jsonl", rows)
    require_test(path, SETTINGS, NOW, 20, repeat=False)
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(path), "--warmup", "21"])
    assert ended.value.code == 1
    assert "Lower --warmup" in capsys.readouterr().err


def test_a_report_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("jinja2")
    zeros = Result(
        mode="strict", seed=1, events=1, seconds=1.0, quality={"unknown_users": 1.0}, curve=[],
        microseconds={},
    )  # fmt: skip
    assert not has_tests([zeros])
    assert has_tests([msgspec.structs.replace(zeros, rmse=0.9)])
    path, page = tmp_path / "evaluation.json", tmp_path / "report.html"
    path.write_bytes(msgspec.json.encode([zeros]))
    with pytest.raises(SystemExit) as ended:
        main(["report", str(path), "--out", str(page)])
    assert ended.value.code == 1
    assert "no list was tested" in capsys.readouterr().err
    assert not page.exists()
