"""Every error of redis-py is a sentence; the kinds are told apart in tests/flink_app."""

from __future__ import annotations

import inspect

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import ServiceError
from udfs.stores.redis_refusals import AWAY, refusal, sentence, told, words

ERRORS = [
    kind
    for _, kind in inspect.getmembers(redis.exceptions, inspect.isclass)
    if issubclass(kind, redis.RedisError) and not issubclass(kind, redis.exceptions.AskError)
]


@given(st.sampled_from(ERRORS), st.text())
def test_any_error_is_one_line_of_whole_sentences(kind: type[Exception], text: str) -> None:
    said = sentence("redis://cache:6379/0", kind(text))
    assert said.startswith("Redis at redis://cache:6379/0 ") and said.endswith(".")
    assert len(said.splitlines()) == 1 and len(said) < 700
    assert refusal(kind(text)).advice in said


@given(st.text())
def test_words_are_bounded(text: str) -> None:
    assert len(words(ValueError(text))) <= 241


def test_what_is_not_known_is_an_absence() -> None:
    assert refusal(redis.ConnectionError("Connection refused")) == AWAY


def test_tls_where_there_is_none_may_only_be_late() -> None:
    late = redis.TimeoutError("Timeout connecting to server")
    assert "redis:// instead of rediss://" in sentence("rediss://cache:6379/0", late)
    assert "rediss://" not in sentence("redis://cache:6379/0", late)


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), told("redis://cache"):
        1 / 0  # noqa: B018
    with pytest.raises(ServiceError, match="is a read-only replica"), told("redis://cache"):
        raise redis.ReadOnlyError("no")
