"""`millirec metrics`, as Prometheus meets it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from flink_app import cli
from flink_app.monitoring.exporter import address
from tests.documents import ROOT
from udfs.errors import ConfigError


@contextmanager
def exporter(redis_url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and the address it has told."""
    command = ["-m", "flink_app", "metrics", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(
        [sys.executable, *command, "--set", "redis.prefix=shop:", "--set", "redis.timeout_s=0.2"],
        env=os.environ | {"REDIS_URL": redis_url, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        told = re.fullmatch(r"metrics at (http://127\.0\.0\.1:\d+/metrics)\n", said)
        assert told, said + process.stderr.read()
        yield process, told[1]
    finally:
        process.kill()
        process.communicate()


def scrape(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=60) as answer:
        return str(answer.read().decode())


def test_it_tells_what_redis_holds_until_it_is_stopped(redis_url: str, redis_client: Any) -> None:
    redis_client.hset("shop:stats", mapping={"learned": 7, "dead:not_json": 2})
    with exporter(redis_url) as (process, url):
        text = scrape(url)
        assert "# TYPE millirec_events_learned_total counter" in text
        assert "\nmillirec_events_learned_total 7.0\n" in text
        assert '\nmillirec_dead_letters_total{reason="not_json"} 2.0\n' in text
        assert "\nmillirec_quality_falls_total 0.0\n" in text
        redis_client.hset("shop:stats", "learned", 8)
        assert "\nmillirec_events_learned_total 8.0\n" in scrape(url)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 130


def test_without_a_redis_it_says_so_and_goes_on() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with exporter(f"redis://127.0.0.1:{closed.getsockname()[1]}/0") as (_, url):
            for _ in range(2):
                assert "\nmillirec_up 0.0\n" in scrape(url)


def test_an_address_that_is_taken(capsys: pytest.CaptureFixture[str], redis_url: str) -> None:
    port = redis.Redis.from_url(redis_url).connection_pool.connection_kwargs["port"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["metrics", "--listen", f"127.0.0.1:{port}"])
    assert ended.value.code == 3
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


@pytest.mark.parametrize("listen", ["", "9099", ":9099", "host", "host:", "host:x", "host:65536"])
def test_what_is_no_address(listen: str) -> None:
    with pytest.raises(ConfigError, match="is not an address"):
        address(listen)
