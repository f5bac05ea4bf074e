from __future__ import annotations

from flink_app.simulator.shop import names


def test_every_category_has_as_many_nouns_and_no_word_has_two_meanings() -> None:
    nouns = [names.NOUNS[name] for name in names.CATEGORIES]
    assert {len(words) for words in nouns} == {names.NOUNS_EACH}
    words = [*(word for words in nouns for word in words), *names.LOOKS, *names.TRAITS]
    assert len({word.lower() for word in words}) == len(words)


def test_categories_are_of_equal_size() -> None:
    categories = [names.category(number) for number in range(1200)]
    assert {categories.count(name) for name in names.CATEGORIES} == {100}
