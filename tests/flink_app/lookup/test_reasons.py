"""Reasons in words: for every source, in every language, with titles, and nothing but text."""

from __future__ import annotations

import string
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.lookup import reasons
from flink_app.lookup.reasons import Said, sentence
from flink_app.lookup.words import CATALOGUE, DEFAULT, text
from tests.flink_app.serve.servers import made
from udfs.events.people import NO_USERS
from udfs.lists.contract import read_items
from udfs.options.sources import SOURCES

ITEMS = {
    "t": {"title": "Teapot", "tags": ["tea", "ceramic"], "categories": ["kitchen"]},
    "k": {"title": "Kettle", "tags": ["ceramic", "tea", "steel"]},
}


def places(one: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(one) if name is not None}


@pytest.mark.parametrize("language", CATALOGUE)
def test_every_language_says_all_of_it_with_the_same_places(language: str) -> None:
    texts, first = CATALOGUE[language], CATALOGUE[DEFAULT]
    assert texts.keys() == first.keys()
    assert {name: places(one) for name, one in texts.items()} == {
        name: places(one) for name, one in first.items()
    }


@pytest.mark.parametrize("language", CATALOGUE)
def test_every_source_has_words_of_its_own_in_every_language(language: str) -> None:
    assert all(f"model.{name}" in CATALOGUE[language] for name in SOURCES)
    said = [sentence("k", {"model": name}, Said(language)) for name in SOURCES]
    assert len({*said}) == len(SOURCES) and all(said)
    follows = [sentence("k", {"followed": f"{kind}x"}, Said(language)) for kind in NO_USERS]
    assert all("x" in one and ":" not in one for one in follows)


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ({"model": "item-cf", "because": ["k", "u"]}, "because you looked at Kettle, u"),
        ({"model": "content", "because": ["t"]}, "new, like Teapot: ceramic, tea"),
        ({"model": "content", "because": ["u"]}, "new, like u"),
        ({"model": "content"}, "fits what you are looking for"),
        ({"model": "social", "followed": "bob"}, "bob, whom you follow, liked it"),
        ({"model": "social", "followed": "category:tea"}, "new in tea, which you follow"),
        ({"model": "social", "followed": "odd:name"}, "odd:name, whom you follow, liked it"),
        ({"model": "popular"}, "popular now"),
        ({"model": "one of a team's own"}, "chosen for you"),
        ({}, "chosen for you"),
    ],
)
def test_reasons_in_english(why: dict[str, Any], told: str) -> None:
    assert sentence("k", why, Said(items=ITEMS)) == told


def test_strangers_are_told_where_it_is_popular() -> None:
    why = {"model": "segments"}
    near = ["device:phone", "country:DE", "city:Berlin"]
    assert sentence("k", why, Said(segments=near)) == "popular in Berlin"
    assert sentence("k", why, Said("zh", segments=near[:2])) == "\u5728DE\u5f88\u53d7\u6b22\u8fce"
    assert sentence("k", why, Said(segments=near[:1])) == "popular with people like you: phone"


def test_chinese_separates_in_its_own_way() -> None:
    why = {"model": "item-cf", "because": ["k", "t"]}
    assert (
        sentence("m", why, Said("zh", ITEMS)) == "\u56e0\u4e3a\u4f60\u770b\u8fc7Kettle\u3001Teapot"
    )


@given(st.text(min_size=1), st.sampled_from([*CATALOGUE]))
def test_what_is_inserted_is_no_text_with_places(name: str, language: str) -> None:
    """Ids and titles may hold braces, or whatever else."""
    said = Said(language, {"k": {"title": name}})
    assert name in sentence("m", {"model": "item-cf", "because": ["k"]}, said)
    assert name in sentence("m", {"model": "social", "followed": f"author:{name}"}, said)


def test_a_list_gets_sentences_and_keeps_the_rest() -> None:
    before, found = read_items(made("kt", user="ann")), read_items(made("kt", user="ann"))
    reasons.worded(found.items, Said("de"))
    entry = msgspec.json.decode(bytes(found.items[0].why))  # type: ignore[arg-type]
    assert entry == {"model": "mf", "text": "trifft deinen Geschmack"}
    assert (found.id, found.items[0].score) == (before.id, before.items[0].score)
    found.items[0].why = msgspec.UNSET
    reasons.worded(found.items, Said("de"))
    assert found.items[0].why is msgspec.UNSET


def test_items_that_a_sentence_may_name_are_found() -> None:
    found = read_items(made("kt"))
    found.items[1].why = msgspec.Raw(b'{"model":"content","because":["u","k"]}')
    assert reasons.named_in(found.items) == ["t", "u", "k"]


def test_what_a_shop_has_written_may_be_anything() -> None:
    values = {"a": b"no JSON", "b": b"[]", "c": None, "d": b'{"title":7}', "e": b"\xff"}
    said = reasons.read_items_said(values)
    assert said == {"d": {"title": 7}}
    assert Said(items=said).title("d") == "d"


def test_a_text_that_is_missing_is_said_in_english() -> None:
    assert text("tlh", "model.popular") == text("en", "model.popular")
