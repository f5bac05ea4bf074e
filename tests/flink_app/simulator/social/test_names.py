from __future__ import annotations

from collections.abc import Iterator

import msgspec

from flink_app.simulator.social.names import (
    COMMENTS,
    MOODS,
    SAYINGS,
    SUBJECTS,
    SUBJECTS_EACH,
    person,
)
from flink_app.simulator.truth import FACTORS


def texts() -> Iterator[str]:
    yield from (word for words in SUBJECTS.values() for word in words)
    yield from (*MOODS, *SAYINGS, *COMMENTS, *SUBJECTS)


def test_topics_have_a_direction_and_ten_subjects_each() -> None:
    assert len(SUBJECTS) <= FACTORS
    assert all(len({*words}) == SUBJECTS_EACH for words in SUBJECTS.values())
    assert len({*MOODS}) == len(MOODS)


def test_no_word_needs_escaping() -> None:
    for text in texts():
        assert msgspec.json.encode(text) == f'"{text}"'.encode(), "lines are put together as text"


def test_hundreds_of_people_have_names_of_their_own() -> None:
    assert len({person(number) for number in range(598)}) == 598
