"""What is asked of a registry before a job starts."""

from __future__ import annotations

import sys

import pytest

from flink_app.config import Config, load
from flink_app.connections.kafka import require_kafka
from flink_app.connections.schema_registry import list_format, require_registry
from flink_app.local.ports import free_port
from tests.udfs.formats.pretend import pretended
from udfs.errors import ConfigError, ServiceError
from udfs.formats.list_values import PROTOBUF
from udfs.formats.settings import ListFormat


def config(url: str, *settings: str) -> Config:
    return load(None, ["source.kind=kafka", f"schema_registry.url={url}", *settings], {}).config


def test_a_registry_is_asked_only_where_it_is_needed() -> None:
    nowhere = f"http://localhost:{free_port()}"
    require_registry(config(nowhere))
    assert list_format(config(nowhere, "lists_topic.topic=recs")) == ListFormat()
    with pytest.raises(ServiceError, match="no schema registry answers at"):
        require_registry(config(nowhere, "source.format=avro"))
    with pytest.raises(ServiceError, match=r"no Kafka broker answers"):
        require_kafka(config(nowhere, f"source.brokers=localhost:{free_port()}"))
    with pretended() as there:
        require_registry(config(there.url, "source.format=avro"))
        assert [path for path, _ in there.asked] == ["/schemas/types"]


def test_a_missing_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://localhost:{free_port()}"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "fastavro", None)
        with pytest.raises(ConfigError, match=r"source\.format .* 'millirec\[formats\]'"):
            require_registry(config(url, "source.format=avro"))
    monkeypatch.setitem(sys.modules, "grpc_tools", None)
    lists = "lists_topic.topic=recs", "lists_topic.format=protobuf"
    with pytest.raises(ConfigError, match="the package grpc_tools is not installed"):
        require_registry(config(url, *lists))


def test_lists_have_the_ids_of_their_topics() -> None:
    with pretended() as there:
        lists = config(there.url, "lists_topic.topic=recs", "lists_topic.format=protobuf")
        found = list_format(lists)
        assert found == list_format(lists) and found.format == "protobuf"
        assert there.subjects == {"recs-value": [found.own], "recs-shared-value": [found.shared]}
        assert there.schemas[found.own] == {"schema": PROTOBUF, "schemaType": "PROTOBUF"}
        there.refuses.add("own-value")
        for kinds, ids in (('["user"]', (True, False)), ('["popular"]', (False, True))):
            one = list_format(config(
                there.url, "lists_topic.topic=x", "lists_topic.format=avro",
                f"lists_topic.kinds={kinds}",
            ))  # fmt: skip
            assert (bool(one.own), bool(one.shared)) == ids
        with pytest.raises(ServiceError, match="incompatible"):
            list_format(config(there.url, "lists_topic.topic=own", "lists_topic.format=avro"))
