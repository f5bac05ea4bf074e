"""`millirec simulate` writes to the target and prints the command that learns from it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from flink_app.config import load
from flink_app.graph.event_settings import decode_settings
from flink_app.simulator import ShopSettings
from flink_app.simulator.scenarios import scenario
from flink_app.simulator.simulation import simulate
from flink_app.writers.targets import how_to_run
from udfs.errors import ConfigError
from udfs.events.decode import Decoder

SMALL = ShopSettings(users=20, items=30)


def test_a_file_of_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "events.jsonl"
    simulate(str(target), 300, None, None, SMALL)
    lines = target.read_bytes().splitlines()
    assert len(lines) == 300
    assert msgspec.json.decode(lines[0]).keys() >= {"user", "item", "type", "ts", "id"}
    assert capsys.readouterr().err.splitlines()[-1] == f"learn from them: millirec run {target}"


def test_a_watched_folder(tmp_path: Path) -> None:
    simulate(str(tmp_path), 50, None, None, SMALL)
    files = list(tmp_path.glob("*.jsonl"))
    assert sum(len(file.read_bytes().splitlines()) for file in files) == 50
    assert how_to_run(str(tmp_path)).endswith("--set source.kind=directory")


def test_a_topic_must_be_named() -> None:
    with pytest.raises(ConfigError, match="kafka://host:port/topic"):
        simulate("kafka://127.0.0.1:9092", 1, None, None, SMALL)


def test_a_platform_whose_types_need_weights_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "events.jsonl"
    simulate(str(target), 30, None, None, scenario("video").given(users=20, items=30))
    end = capsys.readouterr().err.splitlines()[-1]
    assert end.endswith("--set events.weights.watch=1 --set events.fractions.watch=0.2")
    _, *settings = end.removeprefix("learn from them: millirec run ").split(" --set ")
    decoder = Decoder(decode_settings(load(None, settings, {}).config))
    decoded = decoder.decode(target.read_text().splitlines(), 1_800_000_000_000)
    assert (len(decoded), decoded.rejected) == (30, [])
