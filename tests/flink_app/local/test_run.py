"""`millirec run` as a user starts it: a bounded run, a run that is stopped, a run that fails."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from flink_app.local.kept_redis import KeptRedis
from flink_app.local.redis_server import RedisServer
from tests.flink_app.savepoint import SETTINGS, unpack

pytestmark = pytest.mark.job
WAIT_S = 240


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def millirec(folder: Path, url: str, *arguments: str) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[3])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    return subprocess.Popen(
        [sys.executable, "-m", "flink_app", *arguments],
        cwd=folder,
        env={**os.environ, "REDIS_URL": url, "PYTHONPATH": path},  # "": its own
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def events(number: int, first: int = 0) -> str:
    return "".join(
        json.dumps({"user": f"u{n % 7}", "item": f"i{n % 11}", "type": "click", "id": str(n)})
        + "\n"
        for n in range(first, first + number)
    )


def test_a_bounded_run_accounts_for_every_line(tmp_path: Path, server: RedisServer) -> None:
    lines = events(300) + events(5) + 'no JSON\n{"item":"i1"}\n\n'
    (tmp_path / "events.jsonl").write_text(lines)
    run = millirec(tmp_path, server.url, "run", "events.jsonl", "--set", "redis.prefix=a:")
    out, err = run.communicate(timeout=WAIT_S)
    assert run.returncode == 0, err
    for line in (
        "finished",
        "308 lines received",
        "  300 learned",
        "    5 duplicates",
        "    1 ignored  blank lines, headers, no interaction, weight 0",
        "accounted for: all",
        "the dead letters are in the folder dead-letters",
    ):
        assert line in out.splitlines()
    assert re.search(r"^    2 dead letters  \S+ 1, \S+ 1$", out, re.MULTILINE)
    letters = [
        json.loads(line)
        for file in (tmp_path / "dead-letters").rglob("dead-letters*.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert sorted(letter["line"] for letter in letters) == ["no JSON", '{"item":"i1"}']
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert client.hget("a:stats", "received") == "308"
        users = {key.removeprefix("a:rec:") for key in client.keys("a:rec:*")}
        assert users <= {f"u{n}" for n in range(7)} and users
    assert "Traceback" not in err and "WARN" not in out + err


def test_lists_outlive_the_run_and_those_before_it_do_not(tmp_path: Path) -> None:
    with KeptRedis(tmp_path / ".millirec" / "redis") as before:
        assert before.claim()
        with redis.Redis.from_url(before.url) as client:
            old = ("rec:old", "similar:old", "factor:old", "popular", "trending", "feed:log")
            client.mset(dict.fromkeys((*old, "item:i1"), "old"))
        assert before.save() == ""
    (tmp_path / "events.jsonl").write_text(events(300))
    run = millirec(tmp_path, "", "run", "events.jsonl")
    out, err = run.communicate(timeout=WAIT_S)
    assert run.returncode == 0, err
    assert "the lists are kept in .millirec/redis (" in out and "  millirec serve" in out
    with KeptRedis(tmp_path / ".millirec" / "redis") as kept:
        with redis.Redis.from_url(kept.url, decode_responses=True) as client:
            values = {key: client.get(key) for key in ("popular", "trending", "item:i1")}
            assert values["item:i1"] == "old"
            assert "old" not in (values["popular"], values["trending"])
            assert not client.exists("rec:old", "similar:old", "factor:old")
            assert client.exists("rec:u1", "similar:i1") == 2
        looked_up = millirec(tmp_path, "", "get", "u1")
        out, err = looked_up.communicate(timeout=WAIT_S)
        assert looked_up.returncode == 0 and '"user":"u1"' in out
        assert "from .millirec/redis: the lists of a run that has ended, 0:" in err


def test_sigterm_ends_a_live_run_that_could_not_write_its_dead_letters_with_a_summary(
    tmp_path: Path, server: RedisServer
) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "1.jsonl").write_text(events(200))
    run = millirec(
        tmp_path, server.url, "run", "inbox", "--set", "source.kind=directory",
        "--set", "redis.prefix=b:", "--set", "state.checkpoints=checkpoints",
        "--set", "state.checkpoint_s=1",
    )  # fmt: skip
    try:
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            deadline = time.monotonic() + WAIT_S
            while client.hget("b:stats", "learned") != "200" or not list(
                (tmp_path / "checkpoints").glob("*/chk-*/_metadata")
            ):
                assert run.poll() is None and time.monotonic() < deadline
                time.sleep(0.2)
            (tmp_path / "dead-letters").touch()  # in the way of the folder
            part = tmp_path / "inbox" / ".part"  # a file must be whole when it is seen
            part.write_text("no JSON\n" * 3 + events(1, 200))
            part.rename(tmp_path / "inbox" / "2.jsonl")
            while client.hmget("b:stats", "learned", "dead") != ["201", "3"]:
                assert run.poll() is None and time.monotonic() < deadline
                time.sleep(0.2)
        # As systemd and `timeout` do: to the whole group, Java included.
        os.killpg(run.pid, signal.SIGTERM)
        out, err = run.communicate(timeout=WAIT_S)
    finally:
        run.kill()
    assert run.returncode == 130, err
    assert out.splitlines()[0] == "stopped"
    assert "204 lines received" in out and "accounted for: all" in out
    assert re.search(
        r"^dead letters that cannot be written are only counted: .+", out, re.MULTILINE
    )
    assert err.count("warning: dead letters that cannot be written") == 1
    assert re.search(r"last checkpoint: --restore /\S+/chk-\d+$", out, re.MULTILINE)
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("times", [1, 5])
def test_a_signal_before_the_job_runs(
    number: signal.Signals, times: int, tmp_path: Path, server: RedisServer
) -> None:
    (tmp_path / "events.jsonl").write_text(events(1))
    run = millirec(tmp_path, server.url, "run", "events.jsonl")
    assert run.stderr is not None
    first = run.stderr.readline()
    for _ in range(times):
        if run.poll() is None:
            os.killpg(run.pid, number)
            time.sleep(0.02)
    _, err = run.communicate(timeout=WAIT_S)
    assert run.returncode == 130, first + err
    assert "Traceback" not in err and "stopped before the job started" in err


def test_a_failure_is_one_sentence_and_a_log(tmp_path: Path, server: RedisServer) -> None:
    run = millirec(
        tmp_path, server.url, "run", "--set", "source.kind=flink",
        "--set", "source.options.connector=pulsar",
    )  # fmt: skip
    _, err = run.communicate(timeout=WAIT_S)
    assert run.returncode == 1
    said = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(said) == 1 and "pulsar" in said[0]
    assert "\tat " not in err
    log = re.search(r"^log: (.+)$", err, re.MULTILINE)
    assert log and "pulsar" in Path(log[1]).read_text()


def test_a_savepoint_of_another_layout_is_refused(tmp_path: Path, server: RedisServer) -> None:
    path = unpack("layout", tmp_path)
    (tmp_path / "events.jsonl").write_text(events(1))
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    run = millirec(
        tmp_path, server.url, "run", "events.jsonl", "--restore", path, *settings,
        "--set", "source.kind=files", "--set", "model.dimensions=16", "--set", "redis.prefix=c:",
    )  # fmt: skip
    _, err = run.communicate(timeout=WAIT_S)
    assert run.returncode == 2
    assert f"error: {path} was written with model.dimensions = 8, but this job has 16: " in err
    with redis.Redis.from_url(server.url) as client:
        assert not client.keys("c:*")


def test_a_redis_that_is_down_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(events(1))
    run = millirec(tmp_path, "redis://:geheim@127.0.0.1:1/0", "run", "events.jsonl")
    _, err = run.communicate(timeout=WAIT_S)
    assert run.returncode == 3
    assert "Redis at redis://127.0.0.1:1/0 does not answer" in err
    assert "geheim" not in err


def test_the_graph_has_the_operators_of_the_job(tmp_path: Path, server: RedisServer) -> None:
    run = millirec(tmp_path, server.url, "graph")
    out, err = run.communicate(timeout=WAIT_S)
    assert run.returncode == 0, err
    steps = {re.split(r" {2,}", line)[0]: line for line in out.splitlines()}
    assert list(steps)[:3] == ["source0", "micro-batches", "parse"]
    assert steps.keys() >= {"user learner", "item learner", "stats", "dead letters"}
    assert "<- parse by key" in steps["user learner"]
    assert "-> Redis feed:*" in steps["item learner"]
