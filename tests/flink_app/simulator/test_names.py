from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.simulator import names
from udfs.errors import MillirecError


def test_titles_stay_distinct_past_the_end_of_the_word_lists() -> None:
    count = 50_000
    titles = {names.title(number) for number in range(count)}
    assert len(titles) == count
    assert names.title(count).endswith(" 2")


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
