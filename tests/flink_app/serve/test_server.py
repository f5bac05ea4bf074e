"""The command `millirec serve`: a process that says where it is, and ends when it is told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from flink_app.cli import main
from flink_app.config import Config, load
from flink_app.console.failures import SERVICE, USAGE
from flink_app.local.ports import free_port
from flink_app.serve import server
from flink_app.serve.server import Server, address
from tests.flink_app.serve.servers import serving
from udfs.events.pseudonyms import VARIABLE

ROOT = Path(__file__).resolve().parents[3]


def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flink_app", "serve", *arguments],
        cwd=ROOT, env=os.environ | variables, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_cleanly_also_while_a_stream_is_open(
    redis_url: str, how: signal.Signals
) -> None:
    process = start("--port", str(free_port()), REDIS_URL=redis_url)
    assert process.stdout is not None
    url = process.stdout.readline().split()[0]
    transport = httpx.HTTPTransport(retries=20)
    with httpx.Client(base_url=url, transport=transport, timeout=20) as client:
        assert client.get("/health/live").json() == {"status": "ok"}
        with client.stream("GET", "/stream/a") as response:
            text = response.iter_text()
            next(text)
            process.send_signal(how)
            assert list(text) == []
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")


def test_a_port_that_is_taken_is_said(redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("--port", str(taken.getsockname()[1]), REDIS_URL=redis_url)
        _, said = process.communicate(timeout=60)
        assert process.returncode == SERVICE
        assert "is the port taken?" in said


@pytest.mark.parametrize(
    "setting", ["redis.url=http://x", "serve.timeout_s=0", "source.preset=x", "serve.host="]
)
def test_what_cannot_be_is_a_mistake_of_the_configuration(
    setting: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Server, "run", lambda _: pytest.fail("it runs"))
    given = "--set", "source.kind=kafka", "--set", setting
    with pytest.raises(SystemExit) as left:
        main(["serve", "--port", str(free_port()), *given])
    assert left.value.code == USAGE
    assert capsys.readouterr().err.startswith("error: ")


def test_an_evaluation_is_named_by_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = list[Config]()
    monkeypatch.setattr(server, "run", ran.append)
    with pytest.raises(SystemExit) as left:
        main(["serve", "--evaluation", "out/e.json", "--set", "redis.url=redis://127.0.0.1:1"])
    assert left.value.code in (None, 0)
    assert [config.serve.evaluation for config in ran] == ["out/e.json"]


def test_a_page_that_sends_ids_of_users_is_not_served_where_these_are_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Server, "run", lambda _: pytest.fail("it runs"))
    monkeypatch.setenv(VARIABLE, "k" * 20)
    given = "--set=privacy.pseudonyms=true", "--set=serve.page=social"
    with pytest.raises(SystemExit) as left:
        main(["serve", "--port", str(free_port()), *given])
    assert left.value.code == USAGE
    assert 'serve.page is "social" and privacy.pseudonyms is on' in capsys.readouterr().err


def test_other_machines_and_no_key_is_worth_a_warning(redis_url: str) -> None:
    process = start("--host", "0.0.0.0", "--port", str(free_port()), REDIS_URL=redis_url)
    assert process.stderr is not None
    assert "serve.api_key is empty" in process.stderr.readline()
    process.terminate()
    process.communicate(timeout=60)


def test_addresses() -> None:
    assert address(load(None, ["serve.host=::1"], {}).config) == "http://[::1]:8080"
    assert address(load(None, [], {}).config) == "http://127.0.0.1:8080"


def test_several_servers_in_one_process(redis_url: str) -> None:
    with serving(redis_url) as one, serving(redis_url) as other:
        assert one.base_url != other.base_url
        assert one.get("/popular").json() == other.get("/popular").json()
