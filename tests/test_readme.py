"""The README's commands do what it says.

Each command is in one of the tables below. What takes minutes or changes the machine is run by
`.ci/run` or has tests of its own; the rest runs here, in the order of the README, with the files
that the README gives, in one folder and with one Redis.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import redis

from tests.documents import ROOT, blocks, commands

README = ROOT / "README.md"

ELSEWHERE = {
    "uvx --python 3.11 --from 'millirec[demo]' millirec demo": "tests/test_wheel.py",
    "make demo": ".ci/run",
    "make test": ".ci/run",
    "source .venv/bin/activate": ".ci/run, by make",
    "python -m deploy.local up redis": "tests/deploy",
    "export REDIS_URL=redis://127.0.0.1:6379/0": "here, with the tests' Redis",
    "millirec fetch ml-100k": "tests/flink_app/data/fetch",
    "millirec replay data/ml-100k/u.data --preset movielens --speed 100000 --to inbox": (
        "tests/flink_app/data/replay"
    ),
    "millirec items data/ml-100k/u.item --to inbox/": "tests/flink_app/data/test_items.py",
    "millirec evaluate data/ml-100k/u.data --preset movielens": "tests/flink_app/evaluate",
    "millirec run ratings.dat --preset movielens-dat": "tests/flink_app/test_job.py",
    "mkdir -p inbox": "nothing to test",
    "millirec run --set source.kind=directory --set source.paths=inbox": "tests/flink_app/demo",
    "millirec run --set source.kind=kafka --set source.brokers=127.0.0.1:9092 "
    "--set source.topic=events": "tests/deploy",
    "millirec serve --set source.kind=directory --set source.paths=inbox": (
        "tests/flink_app/serve"
    ),
    "python -m deploy.local up": "tests/deploy",
    "python -m deploy.local flink run -d -p 2 -pyfs millirec-job.zip -pym flink_app.main": (
        "tests/deploy"
    ),
    "millirec simulate kafka://127.0.0.1:9092/events --rate 500 --seconds 120": "tests/deploy",
    "python -m deploy.local status": "tests/deploy",
    "python -m deploy.local down": "tests/deploy",
}

HERE = {
    "millirec run events.jsonl": r"5 [^\n]*learned",
    "millirec get alice": r'"item":"mug"',
    "millirec similar kettle": r'"item":"teapot"',
    "millirec run items.jsonl": r"2 [^\n]*learned",
    "millirec run events.csv --set source.format=csv": r"4 [^\n]*learned",
    "millirec validate events.jsonl": r"5 events of 3 users on 3 items.* 0 FAIL",
    "millirec report": r"written: report\.html",
    "millirec package --set source.kind=kafka --set job.shards=2 --set job.item_shards=2": (
        r"flink run .*millirec-job\.zip"
    ),
}
"""Commands, and what their output has in it."""


def test_every_command_is_in_one_of_the_tables() -> None:
    assert set(commands(README)) == {*ELSEWHERE, *HERE}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the README gives."""
    for block in blocks(README):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    return tmp_path


@pytest.mark.job
def test_the_quick_commands_in_their_order(
    folder: Path, redis_client: redis.Redis, redis_url: str
) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "REDIS_URL": redis_url}
    quick = [command for command in commands(README) if command in HERE]
    for command in quick:
        done = subprocess.run(
            [sys.executable, "-m", "flink_app", *command.split()[1:]],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert re.search(HERE[command], done.stdout), f"{command}\n{done.stdout}"
    _assert_the_front_end_finds_the_list(redis_client, redis_url)


def _front_end(client_url: str) -> list[str]:
    """The items that the README's Python finds, run as it is except for the address of Redis."""
    snippet = next(block.text for block in blocks(README) if block.language == "python")
    assert len([line for line in snippet.splitlines() if line]) == 4
    names: dict[str, list[str]] = {}
    exec(snippet.replace("redis.Redis()", f"redis.Redis.from_url({client_url!r})"), names)
    return names["items"]


def _assert_the_front_end_finds_the_list(client: redis.Redis, redis_url: str) -> None:
    held = client.get("rec:alice")
    assert isinstance(held, bytes)
    items = [entry["item"] for entry in msgspec.json.decode(held)["items"]]
    assert items
    assert _front_end(redis_url) == items


DEFAULTS = ["kettle", "mug"]
LIST = '{"items":[{"item":"tray"},{"item":"lamp"}]}'
EMPTY = '{"items":[]}'
FOUND = [
    (None, None, DEFAULTS),
    (None, LIST, ["tray", "lamp"]),
    (LIST, None, ["tray", "lamp"]),
    (LIST, EMPTY, ["tray", "lamp"]),
    (None, EMPTY, DEFAULTS),
]
"""A user's list and `popular` as they may be, and what a page shows."""


@pytest.mark.parametrize(("own", "popular", "shown"), FOUND)
def test_the_front_end_in_python_has_something_to_show(
    redis_client: redis.Redis,
    redis_url: str,
    own: str | None,
    popular: str | None,
    shown: list[str],
) -> None:
    for key, value in (("rec:alice", own), ("popular", popular)):
        if value is not None:
            redis_client.set(key, value)
    assert _front_end(redis_url) == shown


@pytest.mark.parametrize(("own", "popular", "shown"), FOUND)
def test_the_front_end_in_javascript_has_something_to_show(
    tmp_path: Path, own: str | None, popular: str | None, shown: list[str]
) -> None:
    node = shutil.which("node")
    if node is None and not os.environ.get("CI"):
        pytest.skip("node is not installed")
    assert node is not None, "node is not installed"
    [snippet] = [block.text for block in blocks(README) if "createClient" in block.text]
    values = msgspec.json.encode([own, popular]).decode()
    client = f"{{ connect: async () => ({{ mGet: async () => {values} }}) }}"
    script = tmp_path / "front_end.mjs"
    script.write_text(
        f"const createClient = () => ({client});\n{snippet}console.log(JSON.stringify(items));"
    )
    done = subprocess.run([node, str(script)], capture_output=True, text=True, check=True)
    assert msgspec.json.decode(done.stdout) == shown
