"""The demo as a person starts it: a separate process that leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import redis

from flink_app.console.totals import Totals
from flink_app.demo import demo, story
from flink_app.demo.outcome import Outcome
from tests.waiting import wait_for
from udfs.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
LIMIT_S = 300


def _start(tmp_path: Path, **variables: str) -> tuple[subprocess.Popen[str], str]:
    """The demo, and a marker in the environment of each of its processes."""
    mark = f"DEMO_MARK={uuid.uuid4().hex}"
    given = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    environment = given | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", "flink_app", "demo"],
        env=environment | dict([mark.split("=")]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
    )
    return process, mark


def _assert_nothing_is_left(tmp_path: Path, mark: str) -> None:
    # What compiled kernels and Java's classes are kept in is this user's own folder.
    assert [
        file.name for file in tmp_path.iterdir() if file.name != f"millirec-{os.getuid()}"
    ] == []
    # The process that makes the archive of Java's classes ends by itself.
    wait_for(lambda: not [line for line in _processes(mark) if b"Xshare:dump" in line], 120)
    assert _processes(mark) == []


def _processes(mark: str) -> list[bytes]:
    """The command lines of the processes that have the marker."""
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                left.append((process / "cmdline").read_bytes())
        except OSError:
            continue
    return left


@pytest.mark.job
def test_lists_move_after_clicks_and_nothing_is_left(tmp_path: Path) -> None:
    process, mark = _start(tmp_path, DEMO_SECONDS="10")
    output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, output
    # The page's address comes first.
    assert re.match(r"(Starting Redis\n)?Live page: http://127\.0\.0\.1:\d+/", output), output
    assert re.search(r"the list follows after \d+ ms", output), output
    assert re.search(r"^  \d  .*\) +(up|down) \d+$|^  \d  .*\) +in$", output, re.MULTILINE), output
    assert "in progress" not in output
    assert " 0 dead letters" in output
    assert "millirec run" in output
    _assert_nothing_is_left(tmp_path, mark)


@pytest.mark.job
def test_ctrl_c_ends_it_cleanly_and_a_given_redis_is_left_as_it_was(
    tmp_path: Path, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("rec:alice", "mine")
        process, mark = _start(
            tmp_path, DEMO_SECONDS="0", DEMO_SCENARIO="video", REDIS_URL=redis_url
        )
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if "the list follows after" in line:
                process.send_signal(signal.SIGINT)
                break
        output, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, output
        assert "Learning the video platform's past, 24,000 events\n" in lines
        told = " ".join("".join(lines).split())  # without the breaks of long lines
        assert re.search(r"\) watches .+?, \d+ min\): the list follows", told), told
        assert re.search(r"\d plays?, and (a list|lists) that followed", output), output
        assert " 0 dead letters" in output
        assert client.get("rec:alice") == b"mine"
        assert list(client.scan_iter("millirec-demo:*")) == []
        client.delete("rec:alice")
    _assert_nothing_is_left(tmp_path, mark)


def test_files_are_deleted_by_how_many_events_were_read_whatever_else_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    totals = Totals(received=1500, described=700, learned=800)
    monkeypatch.setattr(story, "read_totals", lambda *_: totals)
    swept: list[int] = []
    traffic: Any = SimpleNamespace(sweep=swept.append, check=lambda: None)
    anything: Any = MagicMock()
    show = story._Show(anything, anything, "", anything, traffic, Outcome())
    show._pass(0.0, anything)
    assert swept == [800]


def test_a_demo_that_has_shown_nothing_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(story, "_run", interrupted)
    assert demo(0) == 130


def test_an_unknown_scenario_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEMO_SCENARIO", "vidio")
    with pytest.raises(ConfigError, match="'vidio': did you mean video"):
        demo(1)


@pytest.mark.parametrize("seconds", ["a minute", "-1", "inf", "nan"])
def test_an_invalid_duration_is_refused_before_anything_starts(
    seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_SECONDS", seconds)
    with pytest.raises(ConfigError, match="number of seconds"):
        demo()
