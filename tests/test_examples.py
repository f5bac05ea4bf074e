"""Each example's configuration is one that a job runs with; a scenario's is that of its demo."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flink_app.config import Config, load
from flink_app.config.check import check
from flink_app.demo.world import demo_config
from flink_app.graph.event_settings import decode_settings
from flink_app.simulator.scenarios import SCENARIOS
from tests.documents import ROOT, blocks
from udfs.events.decode import Decoder
from udfs.events.items import ItemReader

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/README.md"))
NOW = 1_800_000_000_000


def configuration(folder: Path) -> Config:
    return load(folder / "millirec.toml", [], {}).config


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_a_job_can_run_with_it(folder: Path) -> None:
    check(configuration(folder))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_s_example_is_what_its_demo_is_told(name: str) -> None:
    own = configuration(ROOT / "examples" / name)
    told = demo_config(["source.kind=directory", "source.paths=inbox", *SCENARIOS[name].choices])
    for section in ("events", "items", "lists", "explore", "social", "rules", "source", "serve"):
        assert getattr(own, section) == getattr(told, section), section


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_lines_that_its_readme_shows_are_read(name: str) -> None:
    folder = ROOT / "examples" / name
    settings = decode_settings(configuration(folder))
    [shown] = [block.text for block in blocks(folder / "README.md") if block.language == "json"]
    lines = shown.splitlines()
    items = [line for line in lines if json.loads(line).get("kind") == "item"]
    events = [line for line in lines if re.search('"type":"(?!search)', line)]
    assert not Decoder(settings).decode(events, NOW).rejected
    read = ItemReader(settings).decode(items, NOW)
    assert (len(read.changes), read.rejected) == (len(items), [])
    assert events
    assert items
