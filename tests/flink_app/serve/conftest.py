"""What tests of the server share: a browser, the folder that a job watches, a server that writes
there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.flink_app.serve.browsers import chromium
from tests.flink_app.serve.servers import serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=30_000)
    with chromium() as browser:
        yield browser


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


@pytest.fixture
def client(redis_url: str, inbox: Path) -> Iterator[httpx.Client]:
    where = "source.kind=directory", f"source.paths={inbox}"
    with serving(redis_url, *where, "serve.max_batch=100") as client:
        yield client
