"""Which lines of Java's standard error are warnings of operators, and what is said of its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flink_app.local.gateway import JavaGateway, operator_warning
from flink_app.local.java_options import SMALL


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


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["kill -9 $$"], "ended by SIGKILL, as the system does when memory runs out. See "),
        (["kill -15 $$"], "ended by SIGTERM. See "),
        (["exit 7"], "ended by itself, exit code 7: it printed nothing. See "),
    ],
)
def test_the_end_of_java_is_told(command: list[str], words: str, tmp_path: Path) -> None:
    gateway = JavaGateway(tmp_path / "millirec.log", lambda _: None)
    gateway._process = subprocess.Popen(["/bin/sh", "-c", *command])
    assert words in gateway.death()


def test_java_that_runs_is_not_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flink_app.local.gateway._NOTICE_S", 0.01)
    gateway = JavaGateway(tmp_path / "millirec.log", lambda _: None)
    assert gateway.death() == ""
    gateway._process = subprocess.Popen(["sleep", "60"])
    assert gateway.death() == ""
    gateway._process.kill()
    gateway._process.wait()


@pytest.mark.parametrize("name", ["JVM_ARGS", "FLINK_ENV_JAVA_OPTS", "JDK_JAVA_OPTIONS"])
def test_a_collector_that_is_named_elsewhere_is_the_only_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, str] = {}

    def launch(environment: dict[str, str], _: Any) -> None:
        told.update(environment)
        raise OSError

    server = pytest.importorskip("pyflink.pyflink_gateway_server")
    monkeypatch.setattr(server, "launch_gateway_server_process", launch)
    monkeypatch.setattr(server, "Popen", server.Popen)
    monkeypatch.setattr("flink_app.local.class_archive.own_folder", lambda: None)
    monkeypatch.setattr(os, "environ", dict(os.environ) | {name: "-XX:+UseParallelGC"})
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(OSError):
        JavaGateway(tmp_path / "millirec.log", lambda _: None, SMALL).__enter__()
    assert "-Xmn" in told["JAVA_TOOL_OPTIONS"] and "SerialGC" not in told["JAVA_TOOL_OPTIONS"]
