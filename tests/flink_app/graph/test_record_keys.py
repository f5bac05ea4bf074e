"""What of a Kafka message is on its line; tests/deploy/stack reads some."""

from __future__ import annotations

from flink_app.config import load
from flink_app.graph.record_keys import FEED, LINE, line_of
from flink_app.graph.sources import create_tables, source_of


def test_the_key_is_read_only_where_a_mapping_names_it() -> None:
    plain = load(None, ["source.kind=kafka"], {}).config
    assert line_of(plain.source) == LINE
    assert "key.format" not in source_of(plain).options
    assert "record_key" not in create_tables(source_of(plain), "t")[0]
    named = "fields.user=user|@key", "fields.user=user | @key", "fields.ts=@time"
    for setting in ("preset=key-value", *named):
        config = load(None, ["source.kind=kafka", f"source.{setting}"], {}).config
        assert "record_key" in line_of(config.source)
        assert source_of(config).options["key.format"] == "raw"
        assert "record_time TIMESTAMP_LTZ(3)" in create_tables(source_of(config), "t")[0]


def test_a_value_with_a_schema_stands_behind_a_line_feed() -> None:
    avro = "source.kind=kafka", "source.format=avro"
    plain = load(None, avro, {}).config.source
    assert line_of(plain) == f"{FEED} || {LINE}"
    keyed = load(None, [*avro, "source.fields.user=@key"], {}).config
    assert line_of(keyed.source).endswith(f"|| '}}' || {FEED} || {LINE}")
    assert source_of(keyed).options["key.format"] == "raw"
    assert "record_key" not in create_tables(source_of(load(None, avro, {}).config), "t")[0]
