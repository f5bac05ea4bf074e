"""The examples of docs/http.md and of the README give what stands below them."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import redis

from flink_app.config.registry import OPTIONS
from flink_app.serve import app, problems
from tests.documents import ROOT, Block, blocks
from tests.flink_app.serve.servers import serving

HTTP = ROOT / "docs" / "http.md"
TEXT = HTTP.read_text(encoding="utf-8")
AT = {"id": "1a20f02a45b-6e", "at": 1795548161115, "v": 1}
ALICE = [
    {"item": "mug", "score": 1.0, "why": {"model": "item-cf", "because": ["kettle"]}},
    {"item": "teapot", "score": 0.8636, "why": {"model": "mf"}},
    {"item": "lamp", "score": 0.5, "why": {"model": "mf"}},
]
ITEMS = {
    "kettle": {"title": "Copper Kettle", "categories": ["kitchen"], "price": 39.5},
    "mug": {"title": "Mug", "categories": ["kitchen"], "price": 9},
    "teapot": {"title": "Teapot", "categories": ["kitchen"], "price": 24},
}
POPULAR = [{"item": "kettle", "score": 1.0, "why": {"model": "popular"}}]


@pytest.fixture
def client(redis_url: str, redis_client: redis.Redis, tmp_path: Path) -> Iterator[httpx.Client]:
    own = {"user": "alice", **AT, "source": "ranker", "items": ALICE}
    redis_client.set("rec:alice", msgspec.json.encode(own))
    popular = {**AT, "id": "1a20f02a45b", "source": "popular", "items": POPULAR}
    redis_client.set("popular", msgspec.json.encode(popular))
    begun = {**popular, "source": "segments"}
    teapot = {"item": "teapot", "score": 1.0, "why": {"model": "segments"}}
    redis_client.set("segment:country:DE", msgspec.json.encode({**begun, "items": [teapot]}))
    redis_client.set("similar:kettle", msgspec.json.encode({**popular, "item": "kettle"}))
    for item, fields in ITEMS.items():
        redis_client.set(f"item:{item}", msgspec.json.encode(fields))
    where = "source.kind=directory", f"source.paths={tmp_path}"
    with serving(redis_url, *where, "redis.factors=true") as client:
        yield client


def needed(program: str) -> str:
    """The path of a program, or the test is skipped; it fails where CI is set."""
    found = shutil.which(program)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{program} is not installed")
    assert found is not None, f"{program} is not installed"
    return found


def moved(text: str, client: httpx.Client) -> str:
    """An example, for the server of the test."""
    return text.replace("http://127.0.0.1:8080", str(client.base_url).rstrip("/"))


def asked() -> list[tuple[str, Block]]:
    """Each command with curl, and the block after it."""
    found = blocks(HTTP)
    return [
        (line, after)
        for block, after in itertools.pairwise(found)
        if block.language == "sh"
        for line in block.text.splitlines()
        if line.startswith("curl")
    ]


def test_each_command_answers_what_stands_below_it(client: httpx.Client) -> None:
    needed("curl")
    commands = asked()
    assert len(commands) == 8
    for command, below in commands:
        done = subprocess.run(
            ["sh", "-c", moved(command, client)], capture_output=True, text=True, check=True
        )
        answer: Any = msgspec.json.decode(done.stdout)
        if "/rank" in command:
            assert (answer["user"], {*answer["items"][0]}) == ("alice", {"item", "score", "known"})
        else:
            assert answer == msgspec.json.decode(below.text)


def test_the_compressed_file_is_taken(client: httpx.Client, tmp_path: Path) -> None:
    needed("curl")
    [command] = [line for line in TEXT.splitlines() if line.startswith("gzip -c events.jsonl")]
    (tmp_path / "events.jsonl").write_text('{"user":"a","item":"b"}\n{"user":"a","item":"c"}\n')
    done = subprocess.run(
        ["sh", "-c", moved(command, client)], cwd=tmp_path, capture_output=True, check=True
    )
    assert msgspec.json.decode(done.stdout) == {"accepted": 2, "rejected": []}


@pytest.mark.parametrize("document", [HTTP, ROOT / "README.md"], ids=["http", "readme"])
def test_the_python_examples_run(client: httpx.Client, document: Path) -> None:
    found = [block.text for block in blocks(document) if "Recommender(" in block.text]
    found += [block.text for block in blocks(document) if "from gorse" in block.text]
    assert found
    for text in found:
        exec(moved(text, client), {})


def test_the_javascript_of_the_readme_runs(client: httpx.Client, tmp_path: Path) -> None:
    node = needed("node")
    [text] = [
        b.text for b in blocks(ROOT / "README.md") if b.language == "js" and "fetch" in b.text
    ]
    assert len(text.strip().splitlines()) <= 12
    program = (
        moved(text, client) + "console.log(JSON.stringify([await list('alice'), await list('q')]));"
    )
    program += "console.log((await send({ user: 'alice', item: 'mug' })).accepted);"
    script = tmp_path / "example.mjs"
    script.write_text(program)
    done = subprocess.run([node, str(script)], capture_output=True, text=True, check=True)
    lists, accepted = done.stdout.splitlines()
    assert msgspec.json.decode(lists) == [["mug", "teapot", "lamp"], ["kettle"]]
    assert accepted == "1"


def test_without_a_server_the_javascript_falls_back(tmp_path: Path) -> None:
    node = needed("node")
    [text] = [
        b.text for b in blocks(ROOT / "README.md") if b.language == "js" and "fetch" in b.text
    ]
    script = tmp_path / "example.mjs"
    script.write_text(text.replace(":8080", ":1") + "console.log(JSON.stringify(await list('q')));")
    done = subprocess.run([node, str(script)], capture_output=True, text=True, check=True)
    assert msgspec.json.decode(done.stdout)


def test_every_problem_and_option_is_named() -> None:
    folder = Path(app.__file__).parent
    code = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    slugs = set(re.findall(r'Problem\(\s*\d{3},\s*"([a-z-]+)"', code)) | set(
        problems._BY_STATUS.values()
    )
    assert len(slugs) > 15
    for slug in slugs:
        assert f"`{slug}`" in TEXT, slug
    for name in OPTIONS:
        if name.startswith("serve.") and name != "serve.port":
            assert f"`{name}" in TEXT, name


def test_every_route_is_named(client: httpx.Client) -> None:
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in TEXT, path
