"""Reasons in words over HTTP: in every answer with a list, with titles, in three languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from tests.flink_app.serve.servers import made, serving


@pytest.fixture
def client(redis_url: str, redis_client: Any) -> Iterator[httpx.Client]:
    why = b'{"model":"item-cf","because":["k"]}'
    value = made("ab", user="alice").replace(b'{"model":"mf"}', why, 1)
    redis_client.set("rec:alice", value)
    redis_client.set("item:k", '{"title":"Kettle <b>"}')
    redis_client.set("popular", made("xyz").replace(b'"mf"', b'"popular"'))
    redis_client.set("trending", made("z").replace(b'"mf"', b'"trending"'))
    redis_client.set("similar:a", made("b", item="a"))
    beginning = made("x", segment="country:DE").replace(b'"mf"', b'"segments"')
    redis_client.set("segment:country:DE", beginning)
    with serving(redis_url) as client:
        yield client


def texts(answer: Any) -> list[str]:
    return [entry["why"]["text"] for entry in answer["items"]]


def test_each_answer_says_its_reasons(client: httpx.Client) -> None:
    german = {"words": "de"}
    mine = client.get("/recommend/alice", params=german).json()
    # Text as it is: a page inserts it as text, a template escapes it.
    assert texts(mine) == ["weil du dir Kettle <b> angesehen hast", "trifft deinen Geschmack"]
    assert (mine["known"], mine["stale"], mine["id"]) == (True, False, "x-1")
    some = client.get("/recommend/alice", params={**german, "n": 1}).json()
    assert (some["total"], len(some["items"])) == (2, 1)
    for path, text in (
        ("/popular", "gerade beliebt"),
        ("/trending", "gerade im Kommen"),
        ("/similar/a", "trifft deinen Geschmack"),
    ):
        assert {*texts(client.get(path, params=german).json())} == {text}
    many = client.post("/recommend", json={"users": ["alice"], "words": "zh"}).json()
    assert texts(many["lists"][0])[1] == "\u7b26\u5408\u4f60\u7684\u53e3\u5473"
    filtered = {**german, "filter": 'item != "a"'}
    assert texts(client.get("/recommend/alice", params=filtered).json())[0] == (
        "trifft deinen Geschmack"
    )


def test_strangers_are_told_where_it_is_popular(client: httpx.Client) -> None:
    asked = {"country": "DE", "words": "de"}
    assert texts(client.get("/recommend/new", params=asked).json())[0] == "beliebt in DE"


def test_the_language_of_a_context_is_no_wish_for_words(client: httpx.Client) -> None:
    """A shop may tell that somebody speaks a language that the catalogue lacks."""
    answer = client.get("/recommend/new", params={"country": "DE", "language": "fr"}).json()
    assert answer["items"][0]["why"] == {"model": "segments"}


def test_without_a_language_answers_are_as_they_were(client: httpx.Client) -> None:
    for query in ({}, {"explain": True}, {"words": ""}):
        answer = client.get("/recommend/alice", params=query).json()
        assert answer["items"][0]["why"] == {"model": "item-cf", "because": ["k"]}
    bare = client.get("/recommend/alice", params={"words": "de", "explain": False}).json()
    assert "why" not in bare["items"][0]


def test_another_language_is_refused_with_those_there_are(client: httpx.Client) -> None:
    for answer in (
        client.get("/popular", params={"words": "tlh"}),
        client.post("/recommend", json={"users": ["a"], "words": "tlh"}),
    ):
        assert answer.status_code == 400
        assert "ask for en, zh or de" in answer.json()["detail"]


def test_a_stream_speaks_too(client: httpx.Client) -> None:
    with client.stream("GET", "/stream/alice?words=de") as answer:
        data = next(line for line in answer.iter_lines() if line.startswith("data: "))
    assert texts(msgspec.json.decode(data[6:]))[1] == "trifft deinen Geschmack"
