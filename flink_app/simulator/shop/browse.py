"""How users browse the simulated shop: sessions of views, some of which lead to cart and purchase.

In: the catalogue, the tastes of the visiting users, and a seeded generator. Out: `Actions`, with
the moment of each in steps of browsing (one step passes between two views of a session).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.actions import Actions
from flink_app.simulator.sessions import lengths, moments, pick
from flink_app.simulator.shop.assortment import Catalogue
from flink_app.simulator.truth import cart_probability, purchase_probability

_CHOOSY = 6.0  # inverse temperature of the choice from a shelf
_FOCUSED = 4.0  # inverse temperature of the choice of what to look for


def browse(
    rng: np.random.Generator,
    catalogue: Catalogue,
    users: NDArray[np.int64],
    tastes: NDArray[np.float32],
    first_session: int,
    session_views: float,
) -> tuple[Actions, NDArray[np.float64]]:
    """One complete session of each of the given (different) users.

    A session looks for one category c, drawn with P(c) ∝ exp(4 taste · centre(c)). Each view is
    chosen from a shelf with P(i) ∝ exp(6 a(i)), a the true affinity (the multinomial logit of
    McFadden, 1974); it leads to a cart and that to a purchase with the probabilities of `truth`.

    users: (n,) int64. tastes: (n, FACTORS) float32, theirs. first_session: number of the first
    session. session_views: mean of the geometric length, at least 1. Returns the actions, grouped
    by session, and their moments, float64 steps from 0, ascending within a session's item.
    """
    views_of = lengths(rng, len(users), session_views)
    owner = np.repeat(np.arange(len(users)), views_of)
    wanted = pick(rng, _FOCUSED * tastes @ catalogue.centres.T)[owner]
    shelves = catalogue.shelves(wanted)
    affinity = catalogue.affinity(tastes[owner], shelves)
    chosen = pick(rng, _CHOOSY * affinity)
    rows = np.arange(len(owner))
    items, liking = shelves[rows, chosen], affinity[rows, chosen]

    cart = rng.random(len(owner)) < cart_probability(liking)
    purchase = cart & (rng.random(len(owner)) < purchase_probability(liking))
    views = Actions(users[owner], items, np.zeros_like(owner), first_session + owner)
    return _funnel(views, moments(rng, views_of, session_views), cart, purchase)


def _funnel(
    views: Actions,
    moments: NDArray[np.float64],
    cart: NDArray[np.bool_],
    purchase: NDArray[np.bool_],
) -> tuple[Actions, NDArray[np.float64]]:
    """Views, then carts, then purchases, each cart and purchase soon after its own view.

    cart, purchase: (views,) which views lead so far. Returns the actions and their moments.
    """
    steps = (np.arange(len(views)), np.flatnonzero(cart), np.flatnonzero(purchase))
    rows = np.concatenate(steps)
    kinds = np.repeat(np.arange(3), [len(step) for step in steps])
    actions = views.take(rows)
    return (
        Actions(actions.users, actions.items, kinds, actions.sessions),
        moments[rows] + 0.2 * kinds,  # before the next view, which is at least 0.5 steps later
    )
