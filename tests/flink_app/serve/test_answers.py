"""Answers out of lists, compared with the same done plainly."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.serve.answers import Wish, answer, items_of
from flink_app.serve.lists import Found
from flink_app.serve.problems import Problem

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
WHY = st.fixed_dictionaries({"model": st.just("item-cf")}, optional={"because": st.lists(TEXTS)})
ENTRIES = st.lists(
    st.fixed_dictionaries({"item": TEXTS, "score": st.floats(0, 1)}, optional={"why": WHY}),
    max_size=8,
)
WISHES = st.builds(
    Wish,
    n=st.none() | st.integers(1, 9),
    exclude=st.frozensets(TEXTS, max_size=3),
    explain=st.booleans(),
    offset=st.integers(0, 9),
)


def plainly(value: dict[str, Any], wish: Wish) -> dict[str, Any]:
    entries = [entry for entry in value["items"] if entry["item"] not in wish.exclude]
    total = {} if wish.everything else {"total": len(entries)}
    entries = entries[wish.offset :][: wish.n]
    if not wish.explain:
        entries = [{k: v for k, v in entry.items() if k != "why"} for entry in entries]
    return {**value, **total, "items": entries}


@given(ENTRIES, WISHES, TEXTS, st.booleans(), st.booleans())
def test_an_answer_is_the_list_less_what_is_not_wanted(
    entries: list[dict[str, Any]], wish: Wish, user: str, own: bool, stale: bool
) -> None:
    head = {"user": user} if own else {}
    value = {**head, "id": "x", "at": 7, "v": 1, "source": "ranker", "items": entries}
    found = Found(msgspec.json.encode(value), stale)
    told = msgspec.json.decode(answer(found, wish, user, own))
    assert told == {"known": own, "stale": stale, "user": user, **plainly(value, wish)}
    shared = msgspec.json.decode(answer(found, wish))
    assert shared == {"stale": stale, **plainly(value, wish)}


@given(ENTRIES)
def test_items_and_scores(entries: list[dict[str, Any]]) -> None:
    value = {"id": "x", "at": 7, "v": 1, "source": "ranker", "items": entries}
    expected = [(entry["item"], entry["score"]) for entry in entries]
    assert items_of(msgspec.json.encode(value)) == expected
    assert items_of(None) == []


@pytest.mark.parametrize("value", [b"{", b"[]", b'{"items":[]}', b'{"items":3}', b"\xff"])
def test_what_is_no_list_is_a_problem(value: bytes) -> None:
    with pytest.raises(Problem, match="not a list of millirec"):
        answer(Found(value, False), Wish(n=1))
