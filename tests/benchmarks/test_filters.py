"""The benchmark of filtered lists, in a run of a second over fewer items."""

from __future__ import annotations

import pytest

from benchmarks import filters
from benchmarks.serve import measure, server
from flink_app.local.ports import free_port
from flink_app.lookup.filtered import condition


def test_every_request_is_answered(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "ITEMS", 500)
    monkeypatch.setattr(filters, "USERS", 50)
    filters.fill(redis_url)
    port = free_port()
    with server(redis_url, port, "lists.kept=100") as pid:
        row = measure(port, pid, 30.0, 1.0, filters.requests)
    assert (row["asked"], row["answered"], row["failed"]) == (30, 30, 0)


@pytest.mark.parametrize("text", filters.FILTERS)
def test_every_condition_is_one(text: str) -> None:
    assert condition(text).expression.text == text
