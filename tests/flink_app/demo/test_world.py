"""The demo's shop, its traffic and the job's configuration."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flink_app.config.check import check
from flink_app.demo.world import PAST, Traffic, demo_config, demo_settings
from flink_app.simulator import Shop
from flink_app.simulator.scenarios import SCENARIOS
from tests.waiting import wait_for
from udfs.errors import ServiceError

SHOP, RATE = SCENARIOS["shop"].demo, SCENARIOS["shop"].rate


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_job_can_run_with_the_configuration_and_writes_below_the_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLIREC_MODEL_DIMENSIONS", "99")
    folder = tmp_path / 'a "quoted" name'
    config = demo_config(
        demo_settings("redis://127.0.0.1:7777/0", "p:", folder, SCENARIOS[name].choices)
    )
    check(config)
    assert config.source.paths == [str(folder / "inbox")]
    assert (folder / "inbox").is_dir()
    assert Path(config.dead_letters.path).parent == folder
    assert set(config.flink.options.values()) == {str(folder)}
    assert (config.redis.url, config.redis.prefix) == ("redis://127.0.0.1:7777/0", "p:")
    assert config.model.dimensions == 16


def test_traffic_goes_on_phase_by_phase_and_stops(tmp_path: Path) -> None:
    with Traffic(Shop(SHOP), RATE, tmp_path) as traffic:
        assert traffic.written == 0
        traffic.go_on()
        wait_for(lambda: traffic.written >= PAST[0], 20)
        assert traffic.written == PAST[0]
        traffic.go_on()
        wait_for(lambda: traffic.written >= PAST[0] + 100, 20)
        traffic.stop()
        written = traffic.written
        assert PAST[0] + 100 <= written < sum(PAST)
    files = [file.read_bytes().splitlines() for file in tmp_path.glob("[0-9]*.jsonl")]
    kinds = [b'"kind":"item"' in line for lines in files for line in lines]
    assert kinds.count(False) == written == traffic.written
    assert kinds.count(True) >= SHOP.items
    traffic.check()


def test_old_files_are_swept_unless_the_job_is_behind(tmp_path: Path) -> None:
    traffic = Traffic(Shop(SHOP), RATE, tmp_path)
    traffic.written = 10_000
    old, new = tmp_path / "1-1-1.jsonl", tmp_path / "2-1-1.jsonl"
    old.touch()
    new.touch()
    os.utime(old, (time.time() - 60, time.time() - 60))
    traffic.sweep(received=10_000 - int(RATE) - 1)
    assert old.exists()
    traffic.sweep(received=10_000)
    assert old.exists(), "it may be among the last that are not read yet"
    traffic._behind -= 60
    traffic.sweep(received=10_000)
    assert (old.exists(), new.exists()) == (False, True)


def test_events_of_others_do_not_hide_that_the_job_is_behind(tmp_path: Path) -> None:
    traffic = Traffic(Shop(SHOP), RATE, tmp_path)
    traffic.written = 10_000
    clicks = 2 * int(RATE)
    traffic.sweep(received=10_000 + clicks)
    old = tmp_path / "1-1-1.jsonl"
    old.touch()
    os.utime(old, (time.time() - 60, time.time() - 60))
    traffic.written = 20_000
    traffic.sweep(received=20_000 + clicks - int(RATE) - 1)
    assert old.exists()
    traffic._behind -= 60
    traffic.sweep(received=20_000 + clicks)
    assert not old.exists()


def test_a_failure_of_the_writing_thread_is_raised_by_check(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.write_text("a file, where a folder should be")
    with Traffic(Shop(SHOP), RATE, inbox) as traffic:
        end = time.monotonic() + 60
        with pytest.raises(ServiceError, match="cannot be written"):
            while time.monotonic() < end:
                traffic.check()
                time.sleep(0.005)
