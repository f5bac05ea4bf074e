"""Where what was ranked can go: mistakes are sentences before a job starts."""

from __future__ import annotations

import pytest

from flink_app.config import load
from flink_app.config.check import check
from udfs.errors import ConfigError


@pytest.mark.parametrize(
    "settings",
    [
        ["ranker.log=ranked"],
        ["ranker.log=s3://shop/ranked", "source.paths=s3://shop/events"],
        ["ranker.log=kafka:ranked", "ranker.sample=1", "ranker.log_users=true"],
        ["ranker.log=inbox-ranked", "source.paths=inbox"],
        ["lists.model=mf"],
    ],
)
def test_what_can_be_configured(settings: list[str]) -> None:
    check(load(None, ["source.paths=in", *settings], {}).config)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["ranker.log=a", "lists.model=mf"], 'lists.model is "mf"'),
        (["ranker.log=a", "ranker.train_per_s=0"], "ranker.train_per_s is 0"),
        (["ranker.log=kafka:my lists"], "the name of a topic"),
        (["ranker.log=kafka:"], "the name of a topic"),
        (["ranker.log=kafka:a", "source.brokers=nowhere"], "source.brokers"),
        (["ranker.log=kafka:events", "source.kind=kafka"], "the topic of the events"),
        (["ranker.log=kafka:recs", "lists_topic.topic=recs"], "ranker's log"),
        (["ranker.log=in/ranked"], "would be read as events"),
        (["ranker.log=a\\b"], "a backslash"),
        (["ranker.log=s3://key:secret@b/a"], "an address with keys in it"),
    ],
)
def test_what_does_not_fit(settings: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        check(load(None, ["source.paths=in", *settings], {}).config)
    assert sentence in str(error.value) and "secret" not in str(error.value)


def test_a_share_of_nobody_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"ranker\.sample"):
        load(None, ["ranker.sample=0"], {})
