from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from flink_app.simulator import Shop, ShopSettings
from flink_app.simulator.actions import Actions, joined
from udfs.errors import MillirecError

SMALL = ShopSettings(users=400, items=300, seed=4)


def after(shop: Shop, blocks: int) -> Actions:
    actions = shop.advance()
    for _ in range(blocks - 1):
        actions = joined(actions, shop.advance())
    return actions


def best_first(scores: NDArray[np.float64] | NDArray[np.float32], count: int = 10) -> list[str]:
    return [f"i{item}" for item in np.argsort(-scores, kind="stable")[:count]]


def clicks(shop: Shop, lists: list[list[str]]) -> int:
    """Clicks that user n gives list n, each shown three times."""
    shown = [(f"u{user}", items) for user, items in enumerate(lists)] * 3
    return sum(shop.respond(user, items) is not None for user, items in shown)


def test_better_lists_earn_more_clicks() -> None:
    shop = Shop(SMALL)
    rng = np.random.default_rng(0)
    truth = [shop.affinity(f"u{user}") for user in range(shop.users)]
    best = clicks(shop, [best_first(scores) for scores in truth])
    blurred = clicks(
        shop, [best_first(scores + 0.3 * rng.standard_normal(scores.shape)) for scores in truth]
    )
    popular = clicks(shop, [best_first(shop.popularity)] * shop.users)
    drawn = clicks(shop, [best_first(rng.random(shop.items)) for _ in truth])
    assert best > 1.1 * blurred > 1.5 * popular
    assert popular > 1.2 * drawn > 0


def test_lists_learned_from_events_earn_more_clicks_than_popular_ones() -> None:
    shop = Shop(ShopSettings(users=400, items=300, seed=4, new_users=0, new_items=0))
    actions = after(shop, 60)
    seen = np.zeros((shop.users, shop.items))
    seen[actions.users, actions.items] = 1.0
    together = seen.T @ seen
    norms = np.sqrt(together.diagonal()) + 1e-9
    cosine = together / np.outer(norms, norms)  # plain item-to-item collaborative filtering
    learned = clicks(shop, [best_first(scores) for scores in seen @ cosine])
    popular = clicks(shop, [best_first(seen.sum(axis=0))] * shop.users)
    assert learned > 1.3 * popular


def test_settings_determine_the_actions_and_another_seed_changes_them() -> None:
    first, second = after(Shop(SMALL), 20), after(Shop(SMALL), 20)
    for name in ("users", "items", "kinds", "sessions"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    other = after(Shop(ShopSettings(users=400, items=300, seed=5)), 20)
    assert first.items[:100].tolist() != other.items[:100].tolist()


def test_reading_the_truth_does_not_change_later_events() -> None:
    quiet, used = Shop(SMALL), Shop(SMALL)
    after(quiet, 5)
    for block in range(5):
        used.advance()
        used.respond(f"u{block}", ["i1", "i2"])
        used.affinity("u3")[:] = 0.0
    np.testing.assert_array_equal(quiet.advance().items, used.advance().items)


def test_a_user_has_one_session_at_a_time_and_its_kinds_come_in_order() -> None:
    actions = after(Shop(SMALL), 40)
    last_of: dict[int, int] = {}
    over: set[int] = set()
    stage: dict[tuple[int, int], int] = {}
    for user, item, kind, session in zip(
        actions.users, actions.items, actions.kinds, actions.sessions, strict=True
    ):
        assert session not in over
        if user in last_of and last_of[user] != session:
            over.add(last_of[user])
        last_of[user] = session
        assert kind == 0 or stage[session, item] == kind - 1
        stage[session, item] = kind


def test_sessions_of_different_users_are_interleaved() -> None:
    actions = after(Shop(SMALL), 20)
    assert np.mean(actions.users[1:] == actions.users[:-1]) < 0.1


def test_items_have_a_long_tail_and_users_are_unequally_active() -> None:
    shop = Shop(ShopSettings(users=1000, items=1000, new_users=0, new_items=0))
    actions = after(shop, 60)
    views = np.sort(np.bincount(actions.items, minlength=1000))[::-1]
    assert views[:200].sum() > 0.6 * views.sum()
    assert np.count_nonzero(views) > 900
    visits = np.sort(np.bincount(actions.users, minlength=1000))[::-1]
    assert visits[:100].sum() > 0.2 * visits.sum()


def test_users_and_items_arrive_at_their_rates_and_take_part() -> None:
    shop = Shop(ShopSettings(users=400, items=300, new_users=0.01, new_items=0.02))
    actions = after(shop, 40)
    assert shop.users - 400 == pytest.approx(0.01 * len(actions), rel=0.1)
    assert shop.items - 300 == pytest.approx(0.02 * len(actions), rel=0.1)
    newcomers = set(range(400, shop.users)) - set(actions.users.tolist())
    assert len(newcomers) < 0.1 * (shop.users - 400)  # the latest may not have started yet
    assert np.count_nonzero(actions.items >= 300) > 0.05 * len(actions)
    assert actions.items.max() < shop.items


def test_tastes_drift_slowly_and_not_at_all_without_drift() -> None:
    for drift in (0.0, 0.05):
        shop = Shop(ShopSettings(users=50, items=300, drift=drift, new_users=0, new_items=0))
        before = [shop.affinity(f"u{user}") for user in range(50)]
        after(shop, 60)
        pairs = [(old, shop.affinity(f"u{user}")) for user, old in enumerate(before)]
        likeness = [float(np.corrcoef(old, new)[0, 1]) for old, new in pairs]
        if drift:
            assert 0.7 < np.mean(likeness) < 0.999
        else:
            assert all(np.allclose(old, new, atol=1e-5) for old, new in pairs)


def test_click_probability_agrees_with_affinity() -> None:
    shop = Shop(SMALL)
    affinity = shop.affinity("u7")
    items = [f"i{item}" for item in range(shop.items)]
    chances = shop.click_probability("u7", items)
    assert chances.shape == affinity.shape == (300,)
    assert np.argsort(chances).tolist() == np.argsort(affinity).tolist()
    assert shop.click_probability("u7", []).shape == (0,)
    assert shop.respond("u7", []) is None


@pytest.mark.parametrize(("users", "items"), [(1, 1), (2, 3), (9, 30)])
def test_tiny_shops_work(users: int, items: int) -> None:
    actions = after(Shop(ShopSettings(users=users, items=items)), 50)
    assert len(actions) > 50


def test_unknown_ids_are_reported() -> None:
    shop = Shop(SMALL)
    with pytest.raises(MillirecError, match="no 'alice': its ids go from u0 to u399"):
        shop.affinity("alice")
    with pytest.raises(MillirecError, match="no 'i300'"):
        shop.respond("u1", ["i1", "i300"])
    with pytest.raises(MillirecError, match="no 'x'"):
        shop.title("x")


def test_affinities_equal_the_affinity_of_each_user() -> None:
    shop = Shop(SMALL)
    both = shop.affinities(np.array([7, 3]))
    np.testing.assert_allclose(both[0], shop.affinity("u7"), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(both[1], shop.affinity("u3"), rtol=1e-5, atol=1e-6)


def test_unsettling_some_users_leaves_the_others_unchanged() -> None:
    shop = Shop(SMALL)
    before = shop.affinities(np.arange(shop.users))
    shop.unsettle(0.5)
    after = shop.affinities(np.arange(shop.users))
    assert np.mean((before != after).any(axis=1)) == 0.5
