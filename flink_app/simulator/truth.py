"""The model that simulated platforms share: popularity by rank, behaviour by affinity.

In: NumPy arrays of affinities, ranks or vectors. Out: probabilities, weights and unit vectors.
Pure functions; the callers make the random draws.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FACTORS = 16
"""Length of the latent vectors of users and items."""
PATIENCE = 0.9
"""Probability that a user who did not click an item of a list looks at the next one."""


def zipf_weights(ranks: ArrayLike, exponent: float) -> NDArray[np.float64]:
    """Popularity by rank, w(r) = 1 / (r + 1)^exponent (Zipf's law, not normalised).

    ranks: (n,) integers, 0 for the most popular. Returns (n,) float64 in (0, 1].

    >>> zipf_weights([0, 1, 3], 1.0).tolist()
    [1.0, 0.5, 0.25]
    """
    weights: NDArray[np.float64] = (np.asarray(ranks, np.float64) + 1.0) ** -exponent
    return weights


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row divided by its length: (n, d) float32, no zero rows → (n, d) float32.

    >>> unit(np.array([[3.0, 4.0]], np.float32)).round(2).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
    return rows


def click_probability(affinity: ArrayLike) -> NDArray[np.float64]:
    """Probability that a user clicks an item seen, σ(10 (a − 0.8)) with σ(x) = 1 / (1 + e^−x).

    affinity: any shape, about −1.15 to 1.15. Returns the same shape, float64, in (0, 1), rising
    with affinity: below 0.001 for an item without relation to the user's taste, 0.5 at 0.8.

    >>> click_probability([0.0, 0.8, 1.0]).round(3).tolist()
    [0.0, 0.5, 0.881]
    """
    probability: NDArray[np.float64] = 1.0 / (
        1.0 + np.exp(-10.0 * (np.asarray(affinity, np.float64) - 0.8))
    )
    return probability


def cart_probability(affinity: ArrayLike) -> NDArray[np.float64]:
    """Probability that a viewed item goes into the cart: 0.25 × that of a click, same shape."""
    return 0.25 * click_probability(affinity)


def purchase_probability(affinity: ArrayLike) -> NDArray[np.float64]:
    """Probability that an item in the cart is bought: 0.6 × that of a click, same shape."""
    return 0.6 * click_probability(affinity)


def dislike_probability(affinity: ArrayLike) -> NDArray[np.float64]:
    """Probability that a user who sends dislikes dislikes a seen item, 0.3 σ(10 (0.3 − a)).

    affinity: any shape. Returns the same shape, float64.

    >>> dislike_probability([0.0, 0.3, 0.8]).round(3).tolist()
    [0.286, 0.15, 0.002]
    """
    probability: NDArray[np.float64] = 0.3 / (
        1.0 + np.exp(10.0 * (np.asarray(affinity, np.float64) - 0.3))
    )
    return probability


def expected_clicks(probabilities: ArrayLike) -> NDArray[np.float64]:
    """The probability of a click in a list read as in `first_click`: Σ_k p_k Π_{j<k} 0.9 (1 − p_j).

    It is largest for the largest probabilities in descending order. probabilities: (…, n) float64
    in 0 to 1, 0 for an empty place. Returns (…) float64.

    >>> expected_clicks([[0.1, 0.9], [0.9, 0.1], [0.0, 0.0]]).round(3).tolist()
    [0.829, 0.909, 0.0]
    """
    chances = np.asarray(probabilities, np.float64)
    onward = PATIENCE * (1.0 - chances)
    looked = np.cumprod(np.concatenate([np.ones_like(onward[..., :1]), onward[..., :-1]], -1), -1)
    clicks: NDArray[np.float64] = (chances * looked).sum(axis=-1)
    return clicks


def first_click(probabilities: NDArray[np.float64], draws: NDArray[np.float64]) -> int | None:
    """The position clicked in a list read from its top, or None (the cascade model).

    Item k is looked at if no item before it was clicked or exhausted the user's patience; it is
    then clicked with its probability. See Craswell et al., "An experimental comparison of click
    position-bias models" (2008).

    probabilities: (n,) float64 in 0 to 1. draws: (2, n) float64, uniform in [0, 1).

    >>> first_click(np.array([0.1, 0.9]), np.array([[0.5, 0.5], [0.5, 0.5]]))
    1
    """
    for position, probability in enumerate(probabilities):
        if draws[0, position] < probability:
            return position
        if draws[1, position] >= PATIENCE:
            return None
    return None


def looked_at(clicked: int | None, draws: NDArray[np.float64]) -> int:
    """How many items of a list were looked at and not clicked: those before the one clicked, or up
    to the one that exhausted the user's patience.

    clicked, draws: of `first_click`.

    >>> draws = np.array([[0.5, 0.5, 0.5], [0.5, 0.95, 0.5]])
    >>> looked_at(0, draws), looked_at(None, draws), looked_at(None, draws[:, :1])
    (0, 2, 1)
    """
    if clicked is not None:
        return clicked
    tired = np.flatnonzero(draws[1] >= PATIENCE)
    return int(tired[0]) + 1 if len(tired) else draws.shape[1]
