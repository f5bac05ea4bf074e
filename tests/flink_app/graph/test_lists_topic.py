"""The table that lists are written to; tests/deploy/stack writes some."""

from __future__ import annotations

from flink_app.config import load
from flink_app.config.lists_topic_options import ListsTopic
from flink_app.graph.lists_topic import query, table, topic_kinds, with_source


def made(*settings: str) -> str:
    return table(with_source(load(None, ["lists_topic.topic=recs", *settings], {}).config))


def test_without_a_topic_the_user_learner_sends_no_lists() -> None:
    assert topic_kinds(load(None, ["source.kind=kafka"], {}).config) == ()
    assert "user" in topic_kinds(load(None, ["lists_topic.topic=recs"], {}).config)


def test_the_client_is_that_of_the_source_unless_it_has_a_broker_of_its_own() -> None:
    source = "source.brokers=k:1", "source.properties.security.protocol=SSL"
    assert "'properties.bootstrap.servers' = 'k:1'" in made(*source)
    assert "'properties.security.protocol' = 'SSL'" in made(*source)
    other = made(*source, "lists_topic.brokers=m:1")
    assert "'properties.bootstrap.servers' = 'm:1'" in other and "SSL" not in other
    assert "'properties.compression.type' = 'lz4'" in made(
        "lists_topic.properties.compression.type=lz4"
    )


def test_a_transaction_is_no_longer_than_brokers_allow() -> None:
    assert "transaction" not in made()
    once = made("lists_topic.delivery=exactly-once")
    assert "'properties.transaction.timeout.ms' = '900000'" in once
    assert "'sink.transactional-id-prefix' = 'millirec-recs'" in once


def test_texts_are_literals() -> None:
    assert "'it''s'" in made("lists_topic.properties.client.id=it's")
    assert "THEN 'it''s-shared' ELSE 'it''s' END" in query(ListsTopic(topic="it's"))


def test_only_json_has_a_content_type() -> None:
    assert "'application/json'" in query(ListsTopic(topic="recs"))
    assert "json" not in query(ListsTopic(topic="recs", format="avro"))
