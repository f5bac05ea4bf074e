"""Which formats need a registry, and mistakes as sentences before a job starts."""

from __future__ import annotations

import pytest

from flink_app.config import load
from flink_app.config.check import check
from flink_app.config.render import effective
from flink_app.config.schema_registry import registered_formats
from flink_app.data.replay.playback import target_of
from flink_app.data.sinks import item_sink_of, sink_of
from flink_app.package import configuration
from udfs.errors import ConfigError

KAFKA = "source.kind=kafka", "schema_registry.url=https://registry:8081"
AVRO = (*KAFKA, "source.format=avro")
ITEMS = "items.kind=kafka", "items.topic=goods"


@pytest.mark.parametrize(
    ("settings", "formats"),
    [
        (AVRO, ["avro"]),
        ((*AVRO, *ITEMS, "items.format=protobuf"), ["avro", "protobuf"]),
        ((*KAFKA, "lists_topic.format=json"), []),
        ((*AVRO, "lists_topic.topic=recs", "lists_topic.format=protobuf"), ["avro", "protobuf"]),
        ((*AVRO, "source.fields.user=@key", "source.preset=segment"), ["avro"]),
        (("source.paths=in", "schema_registry.url=http://[::1]:8081/apis/ccompat/v7"), []),
    ],
)
def test_what_can_be_configured(settings: tuple[str, ...], formats: list[str]) -> None:
    config = load(None, settings, {}).config
    check(config)
    assert list(registered_formats(config).values()) == formats


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("schema_registry.url=",), "schema_registry.url is empty"),
        (("source.kind=files", "source.paths=in"), 'source.kind is "files"'),
        (("source.encoding=latin-1",), "leave source.encoding empty"),
        (("source.preset=key-value",), 'source.fields.user = "@key"'),
        (("schema_registry.url=registry:8081",), "it must be https://host:port"),
        (("schema_registry.url=http://ann:secret@r:1",), 'is "http://ann:***@r:1"'),
        (("schema_registry.url=http://r:1?a=b",), "it must be https://host:port"),
        (("schema_registry.password=secret",), "without a schema_registry.user"),
        ((*ITEMS, "items.format=avro", "items.encoding=gbk"), "leave items.encoding empty"),
        (("items.format=protobuf",), "items.kind is empty, so it does nothing"),
        (
            ("lists_topic.format=avro",),
            "set lists_topic.topic too, or leave lists_topic.format out",
        ),
        (("items.kind=directory", "items.paths=in", "items.format=avro"), "items.kind"),
    ],
)
def test_what_does_not_fit(settings: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        check(load(None, [*AVRO, *settings], {}).config)
    assert sentence in str(error.value) and "secret" not in str(error.value)


def test_the_password_is_shown_nowhere() -> None:
    variable = {"MILLIREC_SCHEMA_REGISTRY_PASSWORD": "secret"}
    loaded = load(None, [*AVRO, "schema_registry.user=ann"], variable)
    assert loaded.config.schema_registry.password == "secret"
    assert "secret" not in str(list(effective(loaded)))
    text, left_out = configuration(loaded)
    assert "secret" not in text and left_out == ["schema_registry.password"]


def test_commands_write_no_json_between_values() -> None:
    config = load(None, AVRO, {}).config
    for sink in (sink_of(config), item_sink_of(config)):
        assert isinstance(sink, str) and "other readers of the topic events" in sink
    with pytest.raises(ConfigError, match="name a target with --to"):
        target_of(config, "")
    assert target_of(config, "kafka://k:1/t") == "kafka://k:1/t"
    apart = load(None, [*AVRO, *ITEMS], {}).config
    assert not isinstance(item_sink_of(apart), str), "they have a topic of their own"
