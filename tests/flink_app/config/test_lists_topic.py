"""Which topics lists can go to: mistakes are sentences before a job starts."""

from __future__ import annotations

import pytest

from flink_app.config import load
from flink_app.config.check import check
from udfs.errors import ConfigError

KAFKA = "source.kind=kafka", "lists_topic.topic=recs"
LETTERS = "dead_letters.kind=kafka", "dead_letters.topic=recs-shared"


@pytest.mark.parametrize(
    "settings",
    [
        KAFKA,
        (*KAFKA, 'lists_topic.kinds=["user"]'),
        (*KAFKA, "source.topic=recs", "lists_topic.brokers=elsewhere:9092"),
        (*KAFKA, "lists_topic.delivery=exactly-once", "state.checkpoints=here"),
        ("source.paths=in", "lists_topic.topic=recs"),
        ("source.paths=in", "lists_topic.kinds=[]"),
    ],
)
def test_what_can_be_configured(settings: tuple[str, ...]) -> None:
    check(load(None, settings, {}).config)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("lists_topic.topic=my lists",), "Kafka takes letters"),
        (("lists_topic.brokers=kafka",), "lists_topic.brokers has"),
        (("lists_topic.kinds=[]",), "lists_topic.kinds is empty"),
        (('lists_topic.kinds=["users"]',), "did you mean user?"),
        (("source.topic=recs",), "the topic of the events"),
        (LETTERS, "the topic of the dead letters"),
        (("items.kind=kafka", "items.topic=recs-shared"), "the topic of the items"),
        (("lists_topic.delivery=exactly-once",), "name a folder in state.checkpoints"),
    ],
)
def test_what_does_not_fit(settings: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        check(load(None, [*KAFKA, *settings], {}).config)
    assert sentence in str(error.value)
