from __future__ import annotations

import numpy as np

from flink_app.simulator import Shop, ShopSettings
from flink_app.simulator.actions import Actions
from flink_app.simulator.shop.lines import SEARCH
from flink_app.simulator.shop.names import CATEGORIES
from flink_app.simulator.shop.wording import query


def blocks(shop: Shop, count: int) -> list[Actions]:
    return [shop.advance() for _ in range(count)]


def test_a_share_of_the_sessions_begins_with_a_search_for_what_is_viewed_next() -> None:
    shop = Shop(ShopSettings(users=400, items=300, seed=4, searches=0.3))
    met: dict[int, list[tuple[int, int]]] = {}
    for actions in blocks(shop, 30):
        for session, kind, item in zip(
            actions.sessions.tolist(), actions.kinds.tolist(), actions.items.tolist(), strict=True
        ):
            met.setdefault(session, []).append((kind, item))
    searched = [rows for rows in met.values() if rows[0][0] == SEARCH]
    assert 0.25 < len(searched) / len(met) < 0.35
    for rows in searched:
        assert [kind for kind, _ in rows].count(SEARCH) == 1
        wanted = rows[0][1] // 200
        assert len(rows) == 1 or rows[1][1] % len(CATEGORIES) == wanted


def test_an_item_fits_a_query_as_far_as_it_has_its_words() -> None:
    shop = Shop(ShopSettings(users=20, items=300, seed=4))
    told = shop.item("i12", 0)
    noun, look = told["tags"][:2]
    fit = shop.fit(f"{look} {noun}")
    assert fit[12] == 1.0
    assert fit.shape == (300,)
    assert set(np.unique(fit)) <= {0.0, 0.5, 1.0}
    assert np.mean(fit) < 0.2
    assert query(0) == "amber kettle"


def test_without_searches_nothing_else_changes() -> None:
    plain = Shop(ShopSettings(users=400, items=300, seed=4))
    told = Shop(ShopSettings(users=400, items=300, seed=4, metadata=True, images=True))
    for one, other in zip(blocks(plain, 10), blocks(told, 10), strict=True):
        told.news(1)
        np.testing.assert_array_equal(one.items, other.items)
        np.testing.assert_array_equal(one.users, other.users)
