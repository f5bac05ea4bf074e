"""The job's answer why, in words and in a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from flink_app.lookup.explained import named, shown, with_words
from flink_app.lookup.reasons import Said
from flink_app.lookup.words import CATALOGUE

ANSWER: dict[str, Any] = {
    "ts": 5,
    "user": "ann",
    "item": "mug",
    "list": {"source": "ranker", "length": 20, "place": 3},
    "why": {"model": "item-cf", "because": ["kettle"]},
    "facts": [{"fact": "moved", "step": "debias", "before": 1, "after": 3}],
    "steps": [{"step": "ranker", "place": 1}, {"step": "debias", "place": 3}],
    "rules": [{"most": 3, "of": "category"}],
    "ranker": {
        "logit": 1.5, "rest": 0.25, "place": 1, "candidates": 30, "last": 0.5,
        "parts": [
            {"feature": "item-cf", "source": "item-cf", "value": 0.5, "weight": 2.5, "adds": 1.25}
        ],
    },
    "events": [
        {"item": "kettle", "liked": True, "place": None, "logit": 0.5, "adds": {"item-cf": 1.0}},
        {"key": "00ff", "liked": False, "place": 2},
    ],
    "without": ["kettle"],
}  # fmt: skip
SAID = Said(items={"kettle": {"title": "Kettle"}, "mug": {"title": "Mug"}})
OUT = {"ts": 5, "user": "ann", "item": "mug"}

FACTS: list[dict[str, Any]] = [
    {"fact": "unknown_user"},
    {"fact": "unknown_item"},
    {"fact": "expired"},
    {"fact": "not_allowed"},
    {"fact": "not_yet", "at": "2026-12-24"},
    {"fact": "over", "at": "2026-12-24"},
    {"fact": "consumed"},
    {"fact": "own"},
    {"fact": "few_events", "events": 1, "least": 2},
    {"fact": "no_candidate"},
    {"fact": "ranked_below", "place": 21, "candidates": 30, "length": 20},
    {"fact": "below", "source": "mf", "length": 20},
    {"fact": "moved", "step": "debias", "before": 1, "after": 3},
    {"fact": "dropped", "step": "rules", "before": 1},
]


def test_the_whole_answer_in_sentences() -> None:
    found = with_words(ANSWER, SAID)
    assert found["sentences"] == [
        "Mug is at place 3 of 20 in the list",
        "because you looked at Kettle",
        "the step debias moved it from place 1 to 3",
        "without what you did with Kettle, it would not be in the list",
    ]
    assert found["why"]["text"] == "because you looked at Kettle"
    assert found["ranker"] == ANSWER["ranker"]
    assert "text" not in ANSWER["why"] and "text" not in ANSWER["facts"][0]


@pytest.mark.parametrize("language", CATALOGUE)
@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: str(fact["fact"]))
def test_every_fact_is_said_in_every_language(language: str, fact: dict[str, Any]) -> None:
    found = with_words({**OUT, "facts": [fact]}, Said(language))
    [told] = found["facts"]
    assert all(str(value) in told["text"] for name, value in fact.items() if name != "fact")
    assert len(told["text"]) > 4
    assert found["sentences"] == [Said(language).text("absent", item="mug"), told["text"]]


def test_all_facts_of_the_catalogue_are_tested() -> None:
    names = {name.removeprefix("fact.") for name in CATALOGUE["en"] if name.startswith("fact.")}
    assert names == {str(fact["fact"]) for fact in FACTS}


def test_nothing_decides_alone() -> None:
    found = with_words({**ANSWER, "without": []}, SAID)
    assert found["sentences"][-1] == CATALOGUE["en"]["without_none"]
    drawn = {"model": "content", "because": ["kettle"], "chance": 0.25}
    told = with_words({**ANSWER, "why": drawn}, SAID)["sentences"]
    assert "it stands there by chance, 25%, to become known" in told


def test_the_items_of_an_answer_are_named_once() -> None:
    assert named(ANSWER) == ["mug", "kettle"]
    assert named(OUT) == ["mug"]


def test_a_terminal_shows_sums_steps_and_events_as_text() -> None:
    hostile = "a\x1b[2J[red]b"
    answer = with_words(ANSWER, Said(items={"kettle": {"title": hostile}}))
    out = io.StringIO()
    console = Console(file=out, width=120)
    console.print(shown(answer, Said(items={"kettle": {"title": hostile}})))
    console.print(shown(with_words({**OUT, "facts": [{"fact": "unknown_user"}]}, SAID), SAID))
    text = out.getvalue()
    assert "\x1b" not in text and r"a\x1b[2J[red]b" in text
    for part in ("1.250", "the rest", "0.250", "ranker 1, debias 3", "most 3, of category"):
        assert part in text
    assert "item-cf +1.000" in text and "00ff (disliked)" in text
    assert "the job knows nothing of this user" in text
