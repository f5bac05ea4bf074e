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
        (*FILES, "events.weights.watch=1", "events.fractions.watch=0.2"),
        (*FILES, "dead_letters.kind=none", "dead_letters.path="),
        (*FILES, "model.loss=squared", "events.rating_rule=threshold"),
        (*FILES, "state.restore=latest", "state.checkpoints=checkpoints"),
        ("source.paths=in", "dead_letters.path=in-refused"),
        (*FILES, 'cassandra.hosts=["c-1.shop", "10.0.0.2", "::1"]', "cassandra.keyspace=shop_1"),
    ],
)
def test_what_goes_together_passes(overrides: tuple[str, ...]) -> None:
    check_with(*overrides)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ((), "source.paths is empty: set it to the files or folders to read"),
        ((*FILES, "cassandra.hosts=a:9042"), 'cassandra.hosts has "a:9042"'),
        ((*FILES, "cassandra.hosts=a", "cassandra.keyspace=a;b"), "cassandra.keyspace is 'a;b'"),
        ((*FILES, "cassandra.hosts=a", "cassandra.password=x"), "without a cassandra.user"),
        (
            (*FILES, "cassandra.hosts=a", "events.max_id_bytes=65536"),
            "events.max_id_bytes is 65536, but Cassandra's keys hold 65535 bytes",
        ),
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
        ((*FILES, "events.fractions.watch=0.2"), "events.fractions: .*has no weight"),
        ((*FILES, "events.fractions.rating=0.2"), "events.rating_neutral"),
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
        (
            (*FILES, "lists.exclude_own=true", "privacy.pseudonyms=true"),
            "lists.exclude_own and privacy.pseudonyms are both on",
        ),
        (
            (*FILES, "serve.page=social", "privacy.pseudonyms=true"),
            'serve.page is "social" and privacy.pseudonyms is on',
        ),
        (
            (*FILES, "lists.model=mf", "sequence.model=s.onnx"),
            'sequence.model is set but lists.model is "mf"',
        ),
        (
            (*FILES, "lists.model=item-cf", "ranker.model=r.onnx", "ranker.shadow=true"),
            'set lists.model = "ranker"',
        ),
        ((*FILES, "state.restore=latest"), "state.checkpoints is empty"),
        ((*FILES, "items.kind=files"), "items.paths is empty: set it to the files or folders"),
        ((*FILES, "items.kind=directory"), "items.paths is empty: set it to the folder to watch"),
        ((*FILES, "items.kind=flink"), "items.options has no connector"),
        ((*FILES, "items.kind=kafka", "items.topic="), "items.topic is empty"),
        ((*FILES, "items.kind=kafka", "items.brokers=b"), 'items.brokers has "b"'),
        ((*FILES, "items.kind=kafka", "job.strict=true"), "the order between two inputs"),
        (
            (*FILES, "items.kind=files", "items.paths=in", "dead_letters.path=in/refused"),
            'inside "in" of items.paths',
        ),
        (
            ('source.paths=["s3://b/in/"]', "dead_letters.path=s3://b/in/refused"),
            'inside "s3://b/in/" of source.paths',
        ),
        (
            (*FILES, "state.checkpoints=s3://key:hunter2@b/c"),
            r'state\.checkpoints is "s3://key:\*\*\*@b/c", an address with keys',
        ),
        (
            (*KAFKA, "items.kind=kafka", "dead_letters.kind=kafka", "dead_letters.topic=items"),
            "the topic of the items",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_with(*overrides)


def test_the_password_of_a_wrong_url_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        check_with(*FILES, "redis.url=http://ann:hunter2@cache")
    assert "hunter2" not in str(caught.value)
