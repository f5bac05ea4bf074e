"""Lists of categories against plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.memory.catalogue import Catalogue
from udfs.models.popular import categories
from udfs.models.popular.categories import Categories

items = st.lists(
    st.tuples(st.lists(st.sampled_from("abcde"), max_size=3), st.booleans(), st.booleans()),
    max_size=40,
)


def catalogue_of(rows: list[tuple[list[str], bool, bool]]) -> Catalogue:
    """Items of (categories, whether they are described, whether they may be shown)."""
    catalogue = Catalogue(2, seed=1, max_items=1000)
    slots = catalogue.slots([f"item {k}" for k in range(len(rows))])
    for slot, (names, described, shown) in zip(slots.tolist(), rows, strict=True):
        if described:
            group = catalogue.metadata.group(names, "acme")
            catalogue.metadata.put(np.array([slot], np.int32), groups=[group])
        catalogue.shown[slot] = shown
    return catalogue


@given(items, st.integers(1, 5), st.randoms(use_true_random=False))
def test_each_category_has_its_first_items(
    rows: list[tuple[list[str], bool, bool]], n: int, random: object
) -> None:
    catalogue = catalogue_of(rows)
    order = np.flatnonzero(catalogue.shown[: catalogue.size]).astype(np.int32)
    random.shuffle(order)  # type: ignore[attr-defined]
    scores = np.linspace(0.9, 0.1, len(order), dtype=np.float32)
    found = Categories(catalogue)
    lists, shares = found.first(order, scores, n)
    wanted = {
        name: [k for k in order.tolist() if rows[k][1] and name in rows[k][0]] for name in "abcde"
    }
    assert sorted(found.names) == sorted(name for name, own in wanted.items() if own)
    for name, row, share in zip(found.names, lists, shares, strict=True):
        own = wanted[name][:n]
        assert row.tolist() == own + [-1] * (n - len(own))
        places = [order.tolist().index(k) for k in own]
        np.testing.assert_allclose(share[: len(own)], scores[places] / scores[places[0]], rtol=1e-6)
        assert (share[len(own) :] == -np.inf).all()


def test_only_the_largest_categories_have_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "MOST", 2)
    names = [["a"], ["b", "c"], ["b", "c"], ["c"]]
    catalogue = catalogue_of([(own, True, True) for own in names])
    found = Categories(catalogue)
    assert found.names == ["c", "b"]
    order = np.arange(4, dtype=np.int32)
    lists, _ = found.first(order, np.ones(4, np.float32), 3)
    assert lists.tolist() == [[1, 2, 3], [1, 2, -1]]
