"""Java's options: one collector, ours weaker than those given, and what suits a job."""

from __future__ import annotations

import pytest

from flink_app.config import load
from flink_app.local.java_options import SMALL, java_options, suited


@pytest.mark.parametrize(
    ("settings", "pauses"),
    [
        (["source.kind=files"], True),
        (["source.kind=directory"], False),
        (["source.kind=kafka", "source.topic=events"], False),
        (["source.kind=kafka", "source.topic=events", "source.bounded=true"], True),
    ],
)
def test_java_may_pause_only_where_the_input_ends(settings: list[str], pauses: bool) -> None:
    options = suited(load(None, settings, {}).config)
    assert ("-XX:+UseSerialGC" in options) is pauses


@pytest.mark.parametrize(
    ("given", "other", "initial"),
    [
        ("", "", ["-Xms32m", "-Xms384m"]),
        ("-Xmx256m", "", ["-Xms32m"]),
        ("", "-XX:MaxHeapSize=256m", ["-Xms32m"]),
    ],
)
def test_the_heap_does_not_begin_above_a_limit_that_is_given(
    given: str, other: str, initial: list[str]
) -> None:
    """Java would refuse to start."""
    told = java_options(given, suited(load(None, [], {}).config), other)
    assert [one for one in told.split() if one.startswith("-Xms")] == initial


@pytest.mark.parametrize("also", [(), SMALL, suited(load(None, [], {}).config)])
def test_what_is_given_comes_last_and_names_the_collector(also: tuple[str, ...]) -> None:
    given = "-XX:+UseZGC -XX:TieredStopAtLevel=4"
    told = java_options(given, also)
    assert told.endswith(given) and told.count("GC") == 1
