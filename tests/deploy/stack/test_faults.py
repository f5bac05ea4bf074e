"""A short run of the fault suite, with one fault of each component that the job depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults.__main__ import Trial, report
from deploy.stack import Stack
from tests.deploy.stack.cluster import Cluster

pytestmark = pytest.mark.stack


def test_nothing_is_lost_or_counted_twice(running: Stack, cluster: Cluster, tmp_path: Path) -> None:
    trial = Trial(running, tmp_path, 100, 1)
    trial.begin()
    outcomes = [
        trial.suffer(fault) for fault in ("redis_emptied", "task_manager", "damaged_checkpoint")
    ]
    trial.close()
    assert all(outcome.books.agree for outcome in outcomes), "\n".join(map(str, outcomes))
    assert sum(outcome.at for outcome in outcomes) > 300
    assert report(outcomes).row_count == 3
