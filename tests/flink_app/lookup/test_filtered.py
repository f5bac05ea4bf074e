"""What a list becomes by a filter, and `millirec get --filter`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from flink_app.config import load
from flink_app.lookup.filtered import Choice, condition, fields_in, filtered
from flink_app.lookup.lists import show
from tests.flink_app.serve.servers import made
from udfs.errors import ConfigError
from udfs.lists.contract import read_items
from udfs.lists.keys import CATEGORY_POPULAR


def items(choice: Choice) -> str:
    return "".join(entry.item for entry in choice.entries)


def taken(choice: Choice, passed: str, *lists: str, own: bool = True) -> None:
    for one in lists:
        choice.take(read_items(made(one)).items, lambda item: item in passed, own)


WORDS = st.text("abcdefgh", max_size=6).map(lambda text: "".join(dict.fromkeys(text)))


@given(WORDS, WORDS, WORDS, WORDS, WORDS, WORDS)
def test_items_come_once_in_the_order_of_the_lists(
    own: str, kept: str, popular: str, passed: str, exclude: str, consumed: str
) -> None:
    choice = Choice([*exclude], [*consumed])
    taken(choice, passed, own, kept)
    taken(choice, passed, popular, own=False)
    wanted = [one for one in own + kept if one in passed and one not in exclude]
    wanted += [one for one in popular if one in passed and one not in exclude + consumed]
    assert items(choice) == "".join(dict.fromkeys(wanted))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('category == "a"', ["a"]),
        ('"a" in categories && price < 2', ["a"]),
        ('category in ["a", "b"]', ["a", "b"]),
        ('title == "a"', []),
        ('category == "a" && title == "t"', ["a", "t"]),
        ("category in " + str([f"c{n}" for n in range(20)]).replace("'", '"'), 8),
    ],
)
def test_the_categories_that_a_condition_names(text: str, names: Any) -> None:
    found = condition(text).within(CATEGORY_POPULAR)
    assert (
        len(found) == names if isinstance(names, int) else found == [f"popular:{n}" for n in names]
    )


def test_scores_only_fall_where_lists_follow_that_are_not_the_users() -> None:
    choice = Choice()
    taken(choice, "abxyz", "abc")
    taken(choice, "abxyz", "xy", "z", own=False)
    scores = [float(bytes(entry.score)) for entry in choice.entries]
    assert len(scores) == 5 and scores == sorted(scores, reverse=True)


NO_OBJECTS = [None, b"", b"[1]", b"no", b"\xff", b"1", b'"a"', b"[" * 5000, b'{"price":']


@pytest.mark.parametrize("value", NO_OBJECTS)
def test_what_is_no_object_has_no_fields(value: bytes | None) -> None:
    assert fields_in(value) == {}
    assert not condition("!has(price) && price < 2").test(value, {}, "a")
    assert condition("!has(price)").test(value, {}, "a")


@pytest.mark.parametrize(
    "text",
    [
        'category == "tea"',
        '"tea" in categories && brand == "b"',
        'provider == "b" && has(brand) && has(category)',
        "attributes.size > 2 && available && !hidden",
        'title == "Pot" || text == ""',
        "size(tags) == 0 && has(price)",
        'user == "al" && now > timestamp(5) && item == "a"',
        "true",
    ],
)
def test_a_condition_reads_all_fields_that_it_names(text: str) -> None:
    fields = {"title": "Pot", "categories": ["tea"], "provider": "b", "price": 1, "other": [{}]}
    value = msgspec.json.encode({**fields, "attributes": {"size": 3}, "item": "no"})
    assert condition(text).test(value, {"user": "al", "now": 10_000}, "a")
    assert not condition(f"!({text})").test(value, {"user": "al", "now": 10_000}, "a")


@pytest.fixture
def filled(redis_client: redis.Redis) -> redis.Redis:
    for name in "abcdefgxyz":
        fields = {"categories": ["even" if ord(name) % 2 == 0 else "odd"]}
        redis_client.set(f"p:item:{name}", msgspec.json.encode(fields))
    redis_client.set("p:rec:al", made("abcd", user="al")[:-1] + b',"consumed":["z"]}')
    redis_client.set("p:kept:al", made("efg", user="al"))
    redis_client.set("p:popular", made("zyx"))
    redis_client.set("p:popular:even", made("xz"))
    redis_client.sadd("p:hidden", "b")
    return redis_client


def test_a_list_in_redis(filled: redis.Redis) -> None:
    def found(name: str, text: str, length: int = 9) -> str:
        value = filtered(filled, "p:", name, text, length)
        assert value is not None
        return "".join(entry.item for entry in read_items(value).items)

    assert found("rec:al", 'category == "even"') == "dfx"
    assert found("rec:al", 'category == "even"', 2) == "df"
    assert found("rec:al", 'category != "even"', 4) == "aceg"
    assert found("popular", 'category == "even"') == "zx"
    assert found("rec:al", 'user == "al"', 1) == "a"
    assert filtered(filled, "p:", "rec:bo", "available", 9) is None


def test_the_command(
    filled: redis.Redis, redis_url: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    loaded = load(None, [f"redis.url={redis_url}", "redis.prefix=p:"], {})
    assert show("rec:al", loaded, as_json=True, where='category == "even"') == 0
    shown = msgspec.json.decode(capsysbinary.readouterr().out)
    assert (shown["user"], [one["item"] for one in shown["items"]]) == ("al", ["d", "f", "x"])
    with pytest.raises(ConfigError, match="--filter cannot be used: at character 1"):
        show("rec:al", loaded, as_json=True, where="colour == 1")
