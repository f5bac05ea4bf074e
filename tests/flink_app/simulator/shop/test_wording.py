from __future__ import annotations

import numpy as np

from flink_app.simulator.people import People
from flink_app.simulator.shop.assortment import Catalogue
from flink_app.simulator.shop.names import CATEGORIES
from flink_app.simulator.shop.wording import query


def catalogue(items: int = 3000) -> Catalogue:
    return Catalogue(np.random.default_rng(5), items, 0.8)


def test_no_two_items_share_a_title() -> None:
    shop = catalogue(10_000)
    shop.grow(40_000)
    titles = {shop.wording.title(number) for number in range(len(shop))}
    assert len(titles) == len(shop)


def test_items_keep_their_words_when_the_shop_grows() -> None:
    shop = catalogue(100)
    before = [shop.wording.title(number) for number in range(100)]
    shop.grow(400)
    assert [shop.wording.title(number) for number in range(100)] == before


def test_items_with_a_word_in_common_are_more_alike_than_others_of_their_category() -> None:
    shop = catalogue()
    rows = np.arange(0, 3000, len(CATEGORIES))
    words, own = shop.wording.words, shop.vectors[rows]
    alike = own @ own.T
    pairs = ~np.eye(len(rows), dtype=np.bool_)
    for column in (words.nouns, words.looks):
        same = column[rows][:, None] == column[rows]
        assert alike[same & pairs].mean() > alike[~same].mean() + 0.03


def test_what_users_search_for_suits_them() -> None:
    shop = catalogue()
    people = People(np.random.default_rng(3), 400, shop.centres)
    users, kind = np.arange(400), 4
    codes = shop.wording.queries(np.random.default_rng(1), np.full(400, kind), people.tastes)
    rows = np.arange(kind, 3000, len(CATEGORIES))
    affinity = shop.affinity(people.tastes, np.tile(rows, (400, 1)))
    words = shop.wording.words
    gains = []
    for user, code in zip(users, codes.tolist(), strict=True):
        look = code % 20
        fits = (words.nouns[rows] == code // 20 % 10) | (words.looks[rows] == look)
        gains.append(affinity[user, fits].mean() - affinity[user, ~fits].mean())
    assert np.mean(gains) > 0.02
    assert len(query(int(codes[0])).split()) >= 2
    assert np.all(codes // 200 == kind)
