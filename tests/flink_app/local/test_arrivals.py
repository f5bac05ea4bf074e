"""Compressed files in a watched folder are unpacked beside themselves, or said to be unread."""

from __future__ import annotations

import bz2
import lzma
import os
import re
import signal
import time
from pathlib import Path

import pytest
import redis

from flink_app.local.arrivals import SUFFIX, Arrivals
from flink_app.local.redis_server import RedisServer
from tests.flink_app.local.test_run import WAIT_S, events, millirec


def test_what_comes_is_unpacked_once(tmp_path: Path) -> None:
    arrivals, warned = Arrivals(tmp_path, ""), list[str]()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.XZ").write_bytes(lzma.compress(b"1\n") + lzma.compress(b"2"))
    (tmp_path / "b.jsonl").touch()
    arrivals.look(warned.append)
    lines = tmp_path / "sub" / f"a.XZ{SUFFIX}"
    assert lines.read_text() == "1\n2\n"
    written = lines.stat().st_mtime_ns
    arrivals.look(warned.append)
    assert lines.stat().st_mtime_ns == written and not warned
    assert sorted(file.name for file in tmp_path.iterdir()) == ["b.jsonl", "sub"]


def test_a_file_that_grows_is_waited_for_and_one_that_is_torn_is_named(tmp_path: Path) -> None:
    arrivals, warned = Arrivals(tmp_path, ""), list[str]()
    data, file = lzma.compress(b"1\n" * 9), tmp_path / "a.xz"
    for size in (9, 40):
        file.write_bytes(data[:size])
        arrivals.look(warned.append)
    assert not warned
    for _ in range(3):
        arrivals.look(warned.append)
    assert len(warned) == 1 and "a.xz cannot be read: it ends in the middle" in warned[0]
    assert list(arrivals.unread) == [file]
    file.write_bytes(data)
    arrivals.look(warned.append)
    assert not arrivals.unread and (tmp_path / f"a.xz{SUFFIX}").read_text() == "1\n" * 9


def test_it_looks_in_a_thread(tmp_path: Path) -> None:
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"1"))
    arrivals = Arrivals(tmp_path, "latin-1")
    arrivals.start(print)
    arrivals.stop()
    assert (tmp_path / f"a.xz{SUFFIX}").read_bytes() == b"1\n"


@pytest.mark.job
def test_a_hidden_folder_is_watched_and_the_job_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    here = tmp_path / "my José dir"
    inbox, checkpoints = here / "_inbox", here / "chk 50%"
    inbox.mkdir(parents=True)
    (inbox / "1.jsonl").write_text(events(20))
    settings = ("source.kind=directory", "state.checkpoints=chk 50%", "state.checkpoint_s=1")
    arguments = ["run", "_inbox", *(part for one in settings for part in ("--set", one))]
    with RedisServer() as server, redis.Redis.from_url(server.url, decode_responses=True) as client:

        def learn(number: int, *more: str) -> str:
            """Until so many are learned and in a checkpoint."""
            before = set(checkpoints.glob("*/chk-*/_metadata"))
            run = millirec(here, server.url, *arguments, *more)
            try:
                while client.hget("stats", "learned") != str(number):
                    assert run.poll() is None
                    time.sleep(0.2)
                learned = time.time()
                while not any(
                    file.stat().st_mtime > learned
                    for file in set(checkpoints.glob("*/chk-*/_metadata")) - before
                ):
                    assert run.poll() is None
                    time.sleep(0.2)
                os.killpg(run.pid, signal.SIGINT)
                return run.communicate(timeout=WAIT_S)[0]
            finally:
                run.kill()

        (inbox / "2.xz").write_bytes(lzma.compress(events(10, 20).encode()))
        assert "accounted for: all" in learn(30)
        (inbox / "3.bz2").write_bytes(bz2.compress(events(5, 30).encode()) * 2)
        out = learn(35, "--restore", "latest")
    assert "40 lines received" in out and "  5 duplicates" in out
    assert re.search(r"last checkpoint: --restore '.*/my José dir/chk 50%/\S+'$", out, re.MULTILINE)
