"""The cross checks: which options do not go together, and what the message advises."""

import pytest

from flink_app.config import load
from flink_app.config.check import check
from udfs.errors import ConfigError

FILES = ("source.paths=events.jsonl",)
KAFKA = ("source.kind=kafka",)


def check_with(*overrides: str) -> None:
    check(load(None, overrides, {}).config)


@pytest.mark.parametrize(
    "overrides",
    [
        FILES,
        KAFKA,
        ("source.kind=directory", "source.paths=/data/incoming"),
        ("source.kind=flink", "source.options.connector=datagen"),
        (*FILES, "job.strict=true"),
        (*FILES, "job.strict=true", "job.shards=1"),
        (*FILES, "job.parallelism=4", "job.shards=4", "job.item_shards=4", "job.max_parallelism=4"),
        (*FILES, "redis.url=rediss://ann:p%2Fw@[::1]:6380/3"),
        (*FILES, "redis.url=unix:///run/redis.sock"),
        (*FILES, "redis.url=redis://cache"),
        (*KAFKA, "source.brokers=a:9092, b:9092,[::1]:9093,SSL://c:9094"),
        (*FILES, "events.default_type=read", "events.unknown_type=accept"),
        (*FILES, 'lists.consumed_types=["purchase", "rating"]'),
        (*FILES, "dead_letters.kind=none", "dead_letters.path="),
        (*FILES, "model.loss=squared", "events.rating_rule=threshold"),
        (*FILES, "state.restore=latest", "state.checkpoints=checkpoints"),
        ("source.paths=in", "dead_letters.path=in-refused"),
    ],
)
def test_what_goes_together_passes(overrides: tuple[str, ...]) -> None:
    check_with(*overrides)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ((), "source.paths is empty: set it to the files or folders to read"),
        (
            (*FILES, "model.loss=squared", "events.zero_weight=ignore"),
            'model.loss is "squared" but events.zero_weight is "ignore"',
        ),
        (("source.kind=directory",), "source.paths is empty: set it to the folder to watch"),
        (("source.kind=flink",), "source.options has no connector"),
        ((*KAFKA, "source.topic="), 'source.topic is empty: source.kind "kafka" needs it'),
        ((*KAFKA, "source.group="), "source.group is empty"),
        ((*KAFKA, "source.brokers=a:9092,b"), 'source.brokers has "b": write host:port'),
        ((*KAFKA, "source.brokers="), "write host:port"),
        ((*FILES, "events.default_type=veiw"), "events.default_type: .*did you mean view"),
        ((*FILES, "lists.consumed_types=read"), "lists.consumed_types: .*give it a weight"),
        ((*FILES, "events.earliest=1990"), "must be a time with its zone"),
        ((*FILES, "events.earliest=1990-01-01T00:00:00"), "must be a time with its zone"),
        ((*FILES, "redis.url=cache:6379"), "redis.url is .*must be redis://"),
        ((*FILES, "redis.url="), "must be redis://"),
        ((*FILES, "redis.url=redis://"), "must be redis://"),
        ((*FILES, "redis.url=redis://cache:port"), "must be redis://"),
        ((*FILES, "redis.url=redis://cache/shop"), "must be a number"),
        ((*FILES, "dead_letters.path="), "dead_letters.path is empty"),
        (("source.paths=in", "dead_letters.path=in/refused"), "Choose a folder outside"),
        (("source.paths=in", "dead_letters.path=./in"), "Choose a folder outside"),
        ((*KAFKA, "dead_letters.kind=kafka", "dead_letters.topic=events"), "Choose another topic"),
        ((*FILES, "dead_letters.kind=kafka", "dead_letters.brokers=b"), "dead_letters.brokers has"),
        ((*FILES, "job.parallelism=9"), "raise job.shards to at least 9"),
        ((*FILES, "job.parallelism=4", "job.shards=4"), "raise job.item_shards to at least 4"),
        ((*FILES, "job.shards=200"), "raise job.max_parallelism to at least 200"),
        ((*FILES, "job.item_shards=200"), "raise job.max_parallelism to at least 200"),
        ((*FILES, "job.strict=true", "job.shards=8"), "job.strict is true but job.shards is 8"),
        ((*FILES, "job.strict=true", "job.parallelism=2"), "but job.parallelism is 2"),
        ((*FILES, "state.restore=latest"), "state.checkpoints is empty"),
    ],
)
def test_what_does_not_go_together_is_refused(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_with(*overrides)


def test_the_password_of_a_wrong_url_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        check_with(*FILES, "redis.url=http://ann:hunter2@cache")
    assert "hunter2" not in str(caught.value)
