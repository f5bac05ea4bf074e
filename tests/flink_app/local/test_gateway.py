"""Which lines of Java's standard error are warnings of operators."""

from __future__ import annotations

import pytest

from flink_app.local.gateway import operator_warning


@pytest.mark.parametrize("folder", ["/site/udfs/", "C:\\job\\udfs\\", "/tmp/a/job.zip/udfs/"])
@pytest.mark.parametrize("room", ["", "stores/", "models/item_cf/"])
def test_a_warning_is_shown_whichever_sub_package_it_comes_from(folder: str, room: str) -> None:
    line = f"warning|{folder}{room}redis_writer.py:9|Redis at a:1: away | retrying"
    assert operator_warning(line) == "Redis at a:1: away | retrying"


@pytest.mark.parametrize(
    "line",
    [
        "warning|org.apache.flink.runtime.taskmanager.Task|Restarting",
        "warning|/site/pyflink/fn_execution/state.py:9|slow",
        "Picked up JAVA_TOOL_OPTIONS: /udfs/a.py:1|x",
    ],
)
def test_what_flink_or_java_says_is_not_shown(line: str) -> None:
    assert operator_warning(line) == ""
