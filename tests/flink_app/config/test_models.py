"""Which models can be tested beside which."""

from __future__ import annotations

import pytest

from flink_app.config import load
from flink_app.config.check import check
from udfs.errors import ConfigError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["quality.models=item-cv"], "did you mean item-cf?"),
        (["quality.models=popular"], "choose from item-cf, user-cf, mf"),
        (["quality.models=item-cf", "lists.model=mf"], 'lists.model is "mf", which does not count'),
    ],
)
def test_models_that_cannot_be_tested_get_a_sentence(settings: list[str], message: str) -> None:
    config = load(None, ["source.paths=u.data", *settings], {}).config
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        check(config)


def test_models_that_are_learned_can_be_tested() -> None:
    check(load(None, ["source.paths=u.data", 'quality.models=["item-cf", "mf"]'], {}).config)
    check(load(None, ["source.paths=u.data", "quality.models=mf", "lists.model=mf"], {}).config)
