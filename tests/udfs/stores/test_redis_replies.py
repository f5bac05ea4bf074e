"""Replies read at once, on a real connection."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from udfs.stores.redis_replies import Replies


@pytest.fixture
def connection(redis_url: str) -> Any:
    """A connection with the parser, closed at the end."""
    client = redis.Redis.from_url(redis_url, parser_class=Replies, socket_timeout=30)
    made: Any = client.connection_pool.get_connection()
    yield made
    made.disconnect()


def ask(connection: Any, *commands: tuple[Any, ...]) -> Any:
    connection.send_packed_command(connection.pack_commands(commands))
    connection.replies.wanted = len(commands)
    return connection.read_response()


def test_replies_are_a_list_in_order(connection: Any) -> None:
    assert ask(connection, ("SET", "a", 1), ("GET", "a"), ("GET", "none")) == [b"OK", b"1", None]
    assert ask(connection, ("PING",)) == [b"PONG"]


def test_then_one_reply_is_as_it_is(connection: Any) -> None:
    ask(connection, ("SET", "a", 1), ("SET", "b", 2))
    connection.send_command("GET", "b")
    assert connection.read_response() == b"2"


def test_a_refusal_stands_in_its_place_and_the_rest_is_read(connection: Any) -> None:
    found = ask(connection, ("SET", "a", 1), ("INCR", "a", "b"), ("LPUSH", "a", 1), ("GET", "a"))
    assert (found[0], found[3]) == (b"OK", b"1")
    assert [isinstance(reply, redis.ResponseError) for reply in found] == [False, True, True, False]
    assert ask(connection, ("PING",)) == [b"PONG"]


def test_more_than_fits_into_one_read(connection: Any) -> None:
    value = b"x" * 70_000
    found = ask(connection, ("SET", "a", value), *[("GET", "a")] * 20)
    assert found == [b"OK", *[value] * 20]


def test_only_what_nobody_asked_for_can_be_read(connection: Any) -> None:
    assert not connection.can_read()
    connection.send_command("PING")
    assert connection.can_read(timeout=30)
    assert connection.can_read()
    assert connection.read_response() == b"PONG"
    assert not connection.can_read()


def test_the_end_of_a_connection_is_seen(connection: Any, redis_client: Any) -> None:
    connection.send_command("CLIENT", "ID")
    redis_client.execute_command("CLIENT", "KILL", "ID", connection.read_response())
    with pytest.raises(redis.ConnectionError):
        connection.can_read(timeout=30)
