from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.actions import Actions
from flink_app.simulator.people import People
from flink_app.simulator.shop.assortment import Catalogue
from flink_app.simulator.shop.browse import browse


def session_of_everybody(users: int) -> tuple[Catalogue, People, Actions, NDArray[np.float64]]:
    rng = np.random.default_rng(11)
    catalogue = Catalogue(rng, 600, 0.8)
    people = People(rng, users, catalogue.centres)
    numbers = np.arange(users)
    actions, moments = browse(rng, catalogue, numbers, people.tastes, 100, 6.0)
    return catalogue, people, actions, moments


def test_each_user_has_one_session_of_about_the_mean_length() -> None:
    _, _, actions, _ = session_of_everybody(4000)
    np.testing.assert_array_equal(actions.sessions, actions.users + 100)
    views = np.bincount(actions.users[actions.kinds == 0], minlength=4000)
    assert views.min() == 1
    assert 5.7 < views.mean() < 6.3


def test_every_cart_follows_a_view_and_every_purchase_a_cart_of_the_same_item() -> None:
    _, _, actions, moments = session_of_everybody(3000)
    done: dict[tuple[int, int], list[int]] = {}
    kinds = set()
    for row in np.argsort(moments):
        key = int(actions.sessions[row]), int(actions.items[row])
        kind = int(actions.kinds[row])
        if kind:
            assert done[key][-1] == kind - 1
        done.setdefault(key, []).append(kind)
        kinds.add(kind)
    assert kinds == {0, 1, 2}


def test_users_view_items_they_like_and_buy_those_they_like_most() -> None:
    catalogue, people, actions, _ = session_of_everybody(3000)
    affinity = catalogue.affinity(people.tastes[actions.users], actions.items[:, None])[:, 0]
    anything = catalogue.affinity(people.tastes, np.tile(np.arange(600), (3000, 1))).mean()
    view, cart, purchase = (affinity[actions.kinds == kind].mean() for kind in range(3))
    assert anything + 0.3 < view < cart < purchase


def test_a_session_stays_mostly_in_one_category() -> None:
    _, _, actions, _ = session_of_everybody(2000)
    first = np.full(2000, -1)
    same = []
    for user, item, kind in zip(actions.users, actions.items, actions.kinds, strict=True):
        if kind == 0 and first[user] < 0:
            first[user] = item % 12
        elif kind == 0:
            same.append(item % 12 == first[user])
    assert np.mean(same) > 0.4  # 1 in 12 by chance


def test_no_users_make_no_actions() -> None:
    rng = np.random.default_rng(0)
    catalogue = Catalogue(rng, 20, 1.0)
    nobody = np.empty(0, np.int64)
    actions, moments = browse(rng, catalogue, nobody, np.empty((0, 16), np.float32), 0, 5.0)
    assert len(actions) == len(moments) == 0
