"""What must not be set beside `privacy.epsilon`."""

from __future__ import annotations

import pytest

from flink_app.config import load
from flink_app.config.check import check
from udfs.errors import ConfigError

GIVEN = ["source.paths=u.data", "privacy.epsilon=1"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["privacy.epsilon=0.0001"], "nothing but noise"),
        (["privacy.min_users=3"], "set one of them to 0"),
        (["state.checkpoints=kept", "state.checkpoint_s=301"], "Set it to 300 or less"),
        (["state.item_expiry_days=1.5"], "Set it to 2 or more"),
    ],
)
def test_what_would_break_the_promise_is_refused(more: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(load(None, [*GIVEN, *more], {}).config)


def test_without_a_budget_nothing_is_refused() -> None:
    check(load(None, GIVEN, {}).config)
    check(load(None, [GIVEN[0], "privacy.min_users=3", "state.item_expiry_days=1"], {}).config)
