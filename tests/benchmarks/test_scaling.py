"""The calculation for large jobs: its layouts, and how needs grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks.scaling import (
    BUSY,
    SITES,
    Site,
    batches,
    changed_row,
    feed_written,
    item_row,
    lag,
    needs,
    pairs_row,
    pieces,
    python_load,
    user_state,
)
from benchmarks.scaling_constants import Constants, measured
from udfs.feed.entries import change_dtype
from udfs.learning.batch_queue import MOST
from udfs.memory.history_kernels import PAGE
from udfs.state.records import item_dtype, user_dtype

C = Constants()
SITE = Site(task_managers=8, rate=40_000.0)


def changed(**changes: object) -> Site:
    return msgspec.structs.replace(SITE, **changes)


@pytest.mark.parametrize("d", [8, 64])
def test_bytes_match_the_layouts(d: int) -> None:
    assert item_row(d) == item_dtype(d).itemsize + 12
    state = user_state(changed(dimensions=d, history=0))
    assert state == pytest.approx(user_dtype(d).itemsize, abs=16)
    assert user_state(changed(history=2 * PAGE)) - user_state(changed(history=PAGE)) == 260
    full = feed_written(changed(items=1, bound=1e6), C) * 1e6
    assert changed_row(d) == change_dtype(d).itemsize
    assert full == pytest.approx(5 * changed_row(32) + pairs_row(200))


def test_a_batch_has_at_least_one_event() -> None:
    assert pieces(SITE) == 8 * 200
    assert pieces(changed(task_managers=512)) == pytest.approx(40_000 / 512)
    assert pieces(changed(window_ms=200)) == 40


def test_constants_are_read_from_what_benchmarks_print(tmp_path: Path) -> None:
    assert measured(None, None) == C
    batches, feed = tmp_path / "batches", tmp_path / "feed"
    rows: list[dict[str, Any]] = [
        {"size": n, "trained": trained, "learn": 10.0 * n + trained, "rank": 5.0, "redis": 3.0,
         "step": 2.0}
        for trained in (0, 100)
        for n in (1, 10)
    ]  # fmt: skip
    messages = [{"size": n, "item": 50.0 + n} for n in (1, 10)]
    printed = msgspec.json.encode({"batches": rows, "messages": messages})
    batches.write_bytes(b"progress\n" + printed + b"\n")
    found = measured(batches, None)
    assert found.batches == ((1, 20.0), (10, 110.0))
    assert found.trained == pytest.approx((100 / 1 + 100 / 2) / 2)
    assert (found.message_us, found.change_us) == pytest.approx((50.0, 1.0))
    assert found.rows == C.rows
    feed.write_bytes(msgspec.json.encode([
        {"items": 5, "bound": 1.0, "rows": 7.0, "pair_rows": 2.0, "message_bytes": 20,
         "read_us_per_kb": 3.0}
    ]))  # fmt: skip
    assert measured(batches, feed).batches == found.batches
    assert measured(None, feed).rows == 7.0


def test_busy_learners_combine_pieces() -> None:
    few, *_, many = SITES
    assert batches(changed(rate=100.0), C) == pieces(changed(rate=100.0))
    for site in SITES:
        assert python_load(site, C, pieces(site)) > BUSY
        assert python_load(site, C, batches(site, C)) == pytest.approx(BUSY)
    assert batches(few, C) > batches(many, C)
    hopeless = changed(rate=8e6, window_ms=1)
    assert batches(hopeless, C) == pytest.approx(1e6 / MOST)
    assert python_load(hopeless, C, batches(hopeless, C)) > 1


def test_the_replica_of_items_has_the_same_size_for_any_number_of_task_managers() -> None:
    small, *_, large = (needs(site, C)["items in each TaskManager"].amount for site in SITES)
    assert small == large > 16


def test_every_task_manager_reads_the_feed_and_its_bound_holds() -> None:
    few, many = (needs(site, C) for site in (SITES[0], SITES[-1]))
    assert few["Redis, feed written"].amount == many["Redis, feed written"].amount == SITE.bound
    ratio = many["Redis, feed read by all"].amount / few["Redis, feed read by all"].amount
    assert ratio == SITES[-1].task_managers / SITES[0].task_managers
    assert feed_written(changed(rate=1.0), C) < 0.1
    assert lag(changed(rate=1.0), C) == 1.0
    np.testing.assert_allclose(lag(SITE, C) / lag(changed(bound=2 * SITE.bound), C), 2)


def test_a_need_that_cannot_be_met_has_a_share_above_1() -> None:
    for site in SITES:
        shares = {name: need.share for name, need in needs(site, C).items()}
        assert shares["items in each TaskManager"] > 1
    assert needs(changed(items=1_000_000), C)["items in each TaskManager"].share < 1
