"""What `ranker.position_bias` needs."""

from __future__ import annotations

import pytest

from flink_app.config import load
from flink_app.config.attribution import check_attribution
from udfs.errors import ConfigError

ON = ["ranker.position_bias=true", "quality.attribution_days=7"]


@pytest.mark.parametrize(
    "more, words",
    [
        (["quality.attribution_days=0"], "quality.attribution_days is 0"),
        (["explore.share=0"], "explore.share is 0"),
        (["lists.model=item-cf"], 'lists.model is "item-cf"'),
    ],
)
def test_what_is_missing_is_said(more: list[str], words: str) -> None:
    check_attribution(load(None, ON, {}).config)
    check_attribution(load(None, more, {}).config)
    with pytest.raises(ConfigError, match=words):
        check_attribution(load(None, [*ON, *more], {}).config)
