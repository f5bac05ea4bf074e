"""The clock of user learners, for all tests of udfs."""

from __future__ import annotations

import pytest

from tests.udfs.user_learners import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """It stands still, and a user learner reads it."""
    clock = Clock()
    monkeypatch.setattr("udfs.operators.user_learner.now_ms", clock)
    return clock
