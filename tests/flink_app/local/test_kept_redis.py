"""A folder's Redis: shared while it is used, there again afterwards, whatever ends its users."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from flink_app.local.kept_redis import KeptRedis
from flink_app.local.ports import free_port, in_use
from flink_app.local.redis_server import Unreadable, answers
from tests.documents import ROOT
from tests.waiting import wait_for


def put(url: str, value: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.set("rec:ann", value)


def got(url: str) -> bytes | None:
    with redis.Redis.from_url(url) as client:
        return client.get("rec:ann")  # type: ignore[return-value]


def kept(folder: Path, value: str) -> None:
    """A run that has written it."""
    with KeptRedis(folder) as run:
        assert run.claim()
        put(run.url, value)
        assert run.save() == ""


def test_what_a_run_wrote_is_there_for_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "a b" / "é"
    for value in ("1", "2"):
        kept(folder, value)
        with KeptRedis(folder) as reader:
            assert reader.started and not reader.running() and got(reader.url) == value.encode()
        wait_for(lambda url=reader.url: not answers(url))  # type: ignore[misc]


def test_the_second_uses_the_first_ones_and_the_last_one_ends_it(tmp_path: Path) -> None:
    port = free_port()
    first, second = KeptRedis(tmp_path, port), KeptRedis(tmp_path)
    with first, second:
        assert (first.started, second.started) == (True, False)
        assert first.url == second.url == f"redis://127.0.0.1:{port}/0"
        assert first.claim() and not second.claim() and second.running()
        first.leave()
        assert second.claim() and answers(second.url)
    wait_for(lambda: not in_use(port))


def test_find_starts_nothing_for_nothing(tmp_path: Path) -> None:
    folder = KeptRedis(tmp_path)
    assert not folder.find() and not folder.url
    kept(tmp_path, "1")
    assert folder.find() and got(folder.url) == b"1"
    folder.leave()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_dies_keeps_its_lists(tmp_path: Path, how: signal.Signals) -> None:
    program = (
        "import pathlib, redis, signal, sys\n"
        "from flink_app.local.kept_redis import KeptRedis\n"
        "run = KeptRedis(pathlib.Path(sys.argv[1])).__enter__()\n"
        "assert run.claim()\n"
        "redis.Redis.from_url(run.url).set('rec:ann', '1')\n"
        "print(run.url, flush=True)\n"
        "signal.pause()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    process.send_signal(how)
    process.communicate()
    wait_for(lambda: not answers(url))
    with KeptRedis(tmp_path) as reader:  # waits until the first one's has saved and ended
        assert reader.started and got(reader.url) == b"1"


@pytest.mark.parametrize("content", [b"", b"garbage", b"REDIS9999", b"REDIS0009\xfa\x09redis"])
def test_a_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    folder = KeptRedis(tmp_path)
    folder.dump.write_bytes(content)
    with pytest.raises(Unreadable):
        folder.__enter__()
    assert folder.set_aside().read_bytes() == content
    with folder:
        assert folder.started and got(folder.url) is None


def test_what_cannot_be_saved_is_told_and_the_server_ends(tmp_path: Path) -> None:
    with KeptRedis(tmp_path) as run:
        assert run.claim()
        put(run.url, "1")
        run.dump.mkdir()  # the file cannot take its place
        assert run.save()
        url = run.url
    wait_for(lambda: not answers(url))


def test_writes_go_on_when_a_save_fails(tmp_path: Path) -> None:
    with KeptRedis(tmp_path) as run, redis.Redis.from_url(run.url) as client:
        assert run.claim()
        run.dump.mkdir()
        put(run.url, "1")
        client.bgsave()
        wait_for(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        put(run.url, "2")
        run.save()
