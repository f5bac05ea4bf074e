from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.simulator import names
from udfs.errors import MillirecError


def test_every_category_has_as_many_nouns_and_no_word_has_two_meanings() -> None:
    nouns = [names.NOUNS[name] for name in names.CATEGORIES]
    assert {len(words) for words in nouns} == {names.NOUNS_EACH}
    words = [*(word for words in nouns for word in words), *names.LOOKS, *names.TRAITS]
    assert len({word.lower() for word in words}) == len(words)


def test_categories_are_of_equal_size() -> None:
    categories = [names.category(number) for number in range(1200)]
    assert {categories.count(name) for name in names.CATEGORIES} == {100}


@given(st.integers(0, 10**6))
def test_an_id_is_parsed_to_its_number(number: int) -> None:
    assert names.number_of(f"i{number}", "i", number + 1) == number


@pytest.mark.parametrize("name", ["", "i", "u3", "i10", "i-1", "i03", "i3 ", "i³", "i٣"])
def test_an_unknown_id_is_reported(name: str) -> None:
    with pytest.raises(MillirecError, match="its ids go from i0 to i9"):
        names.number_of(name, "i", 10)
