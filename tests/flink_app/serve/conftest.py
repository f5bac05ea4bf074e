"""What tests of the server share: a browser, and the folder that a job watches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.flink_app.serve.browsers import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=30_000)
    with chromium() as browser:
        yield browser


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"
