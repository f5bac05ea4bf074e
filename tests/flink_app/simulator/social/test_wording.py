from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.simulator.social.names import SAYINGS, TOPICS
from flink_app.simulator.social.wording import Wording, beginning, said, tags
from flink_app.simulator.truth import FACTORS, unit


@pytest.fixture
def wording() -> Wording:
    return Wording(np.random.default_rng(1), np.eye(len(TOPICS), FACTORS, dtype=np.float32))


def test_what_is_alike_is_worded_alike(wording: Wording) -> None:
    rng = np.random.default_rng(2)
    topics = np.repeat(np.arange(len(TOPICS)), 40)
    own = unit(rng.standard_normal((len(topics), FACTORS)).astype(np.float32))
    vectors = np.eye(len(TOPICS), FACTORS, dtype=np.float32)[topics] + own
    words = wording.choose(vectors, topics)
    of = [{*tags(words, n, int(topic))} for n, topic in enumerate(topics)]
    pairs = [(a, b) for a in range(40) for b in range(a)]
    alike = np.array([own[a] @ own[b] for a, b in pairs])
    shared = np.array([len(of[a] & of[b]) for a, b in pairs])
    assert shared[alike > 0.5].mean() > 2 * shared[alike < 0.0].mean()


def test_a_post_says_what_its_tags_say(wording: Wording) -> None:
    vectors = np.random.default_rng(3).standard_normal((24, FACTORS)).astype(np.float32)
    topics = np.arange(24) % len(TOPICS)
    words = wording.choose(vectors, topics)
    for number, topic in enumerate(topics.tolist()):
        text, (subject, *moods) = said(words, number, topic), tags(words, number, topic)
        assert subject in text and any(mood in text for mood in moods) and "{" not in text
    assert {said(words, number, 0).split()[0] for number in range(24)} == {
        form.split()[0] for form in SAYINGS
    }


@given(st.lists(st.text("abc", min_size=1, max_size=12), min_size=1, max_size=20).map(" ".join))
def test_a_title_is_the_first_whole_words(text: str) -> None:
    title = beginning(text)
    assert len(title) <= 40
    if title != text:
        assert len(text) > 40 and (text + " ").startswith(title.removesuffix("…") + " ")
