"""The tokens of a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from udfs.models.content.tokens import plain, trigrams, words


def test_words_of_any_language() -> None:
    assert words("Crème brûlée — 250 g") == ["creme", "brulee", "250", "g"]
    assert words("Чайник Ёлка") == ["чаиник", "елка"]
    assert words("手机壳 red") == ["手机", "机壳", "red"]
    assert words("茶") == ["茶"]
    assert words("a_b") == ["a", "b"]


def test_no_more_words_than_asked_for() -> None:
    assert words("a b c d", 2) == ["a", "b"]
    assert len(words("手" * 50, 7)) == 7


@given(st.text(max_size=60))
def test_case_and_form_make_no_difference(text: str) -> None:
    assert words(plain(text)) == words(text)
    for word in words(text):
        assert 0 < len(word) <= 40
        assert all(len(gram) == 3 for gram in trigrams(word))
