"""Experiments in the configuration: read, shown, packed, and refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_app.config import load
from flink_app.config.check import check
from flink_app.config.experiments import document
from flink_app.config.render import effective
from udfs.errors import ConfigError

TEXT = """
[quality]
attribution_days = 7

[[experiments]]
name = "diverse"
share = 0.25
goal = "conversions"
variants = [{name = "now"}, {name = "more", weight = 2.0, set = {"rerank.diversity" = 0.5}}]
"""
READ = ["source.paths=a"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "shop.toml"
    found.write_text(TEXT)
    return found


def test_experiments_come_from_a_file_and_are_shown(path: Path) -> None:
    loaded = load(path, READ, {})
    check(loaded.config)
    [one] = loaded.config.experiments
    assert (one.name, one.share, one.goal) == ("diverse", 0.25, "conversions")
    assert one.variants[1].set == {"rerank.diversity": 0.5} and one.variants[1].weight == 2.0
    [row] = [row for row in effective(loaded) if row[0] == "experiments[1]"]
    assert row[2] == str(path) and "rerank.diversity" in row[1]
    assert loaded.config.settings.experiments == [one]
    assert load(None, (), {}).config.experiments == []


def test_they_travel_with_a_package(path: Path) -> None:
    loaded = load(path, READ, {})
    path.write_text(document(loaded.config.experiments))
    assert load(path, READ, {}).config.experiments == loaded.config.experiments


def test_a_later_source_replaces_them(path: Path) -> None:
    other = '[{name = "b", variants = [{name = "x"}, {name = "y"}]}]'
    loaded = load(path, READ, {"MILLIREC_EXPERIMENTS": other})
    assert [one.name for one in loaded.config.experiments] == ["b"]
    assert loaded.origins["experiments"] == "environment MILLIREC_EXPERIMENTS"
    assert load(path, [*READ, "experiments=[]"], {}).config.experiments == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{variants = [{name = "x"}, {name = "y"}]}]', "missing required field `name`"),
        ('[{name = "A b", variants = []}]', "matching regex"),
        ('[{name = "a", variants = [{name = "x"}]}]', "length >= 2"),
        ('[{name = "a", share = 2.0, variants = [{name = "x"}, {name = "y"}]}]', "<= 1"),
        ('[{name = "a", variant = []}]', "unknown field `variant`"),
        ("none", "Expected `array`"),
    ],
)
def test_what_is_not_understood_is_said(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=r"\[\[experiments\]\] \(from --set\).*" + words):
        load(None, [f"experiments={text}"], {})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["quality.attribution_days=0"], "quality.attribution_days is 0"),
        (["lists.model=mf", 'experiments=[{name = "a", variants = [{name = "x"}, {name = "y", '
          'set = {"lists.model" = "ranker"}}]}]'], "experiment a, y: lists.model is 'ranker'"),
    ],
)  # fmt: skip
def test_a_job_that_cannot_run_them_does_not_start(path: Path, more: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(load(path, [*READ, *more], {}).config)
