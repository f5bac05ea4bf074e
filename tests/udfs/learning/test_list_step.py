"""From when on the freshness of lists counts."""

from __future__ import annotations

import msgspec

from tests.udfs.builders import batch_of
from udfs.learning.list_step import since_of


def test_freshness_counts_from_a_live_event_or_from_its_batch() -> None:
    opened = 1_000_000
    ts = [opened - 10, opened + 5, opened + 999, opened - 60_000, 5]
    batch = batch_of([("u", "i")] * 5, ts=ts)
    batch = msgspec.structs.replace(batch, opened=opened)
    found = since_of(batch, opened + 100)
    assert found == [opened - 10, opened + 5, opened, opened, opened]
