"""The table of the ranker's features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from udfs.memory.history_kernels import PAGE, History
from udfs.memory.pages import Pages
from udfs.options.sources import SOURCES
from udfs.ranking.feature_kernels import (
    ALWAYS,
    BESIDES_0,
    LATEST,
    OF_TAKEN,
    WITH_EVIDENCE,
    Again,
    Whose,
    fill_again,
    loudest,
)
from udfs.ranking.features import Feature, features, register
from udfs.ranking.ranker import first_parameters


def test_the_order_of_the_stored_parameters() -> None:
    """A new feature is the last: what is stored in states has this order."""
    names = [feature.name for feature in features()]
    assert names[:5] == ["item-cf", "user-cf", "product", "taken", "decayed"]
    assert names[5:] == ["likeness", "new", "again"]
    assert first_parameters(0).tolist() == [2.0, 0.7, 0.5, 0.0, 0.0, 1.0, 0.0, 0.0] + [0.0] * 8


def test_a_feature_speaks_for_a_source() -> None:
    assert {feature.source for feature in features()} <= set(SOURCES)


@pytest.mark.parametrize(
    ("name", "source", "what"), [("taken", "mf", "another name"), ("other", "nobody", "register")]
)
def test_what_cannot_be_registered(name: str, source: str, what: str) -> None:
    before = features()
    with pytest.raises(ValueError, match=what):
        register(Feature(name, 0.0, source, lambda asking: None))
    assert [f.name for f in features()] == [f.name for f in before]


def values(*shape: int) -> st.SearchStrategy[np.ndarray]:
    some = st.sampled_from([-1.5, -1.0, -0.25, 0.0, 0.0, 0.5, 1.0, 2.0])
    return arrays(np.float32, shape, elements=some)


@given(values(7, 3), values(2, 3), values(7), values(7), st.integers(0, 2), st.booleans())
def test_the_source_that_is_named_says_something_and_raises_the_item_most(
    x: np.ndarray, shares: np.ndarray, mean: np.ndarray, slopes: np.ndarray, k: int, taken: bool
) -> None:
    speaks = (0, 1, 2, 3, 3, 5, 5)
    says = (*[WITH_EVIDENCE] * 2, OF_TAKEN, ALWAYS, ALWAYS, BESIDES_0, BESIDES_0)
    raised: dict[int, float] = {}
    for f in range(7):
        heard = [True, taken, bool(x[f, k]), f < 2 and bool(shares[min(f, 1), k] > 0)][says[f]]
        if heard:
            raised[speaks[f]] = raised.get(speaks[f], 0.0) + slopes[f] * (x[f, k] - mean[f])
    memory = np.empty(6, np.float32)
    found = int(loudest(x, k, shares, taken, mean, slopes, (speaks, says), memory))
    assert raised[found] == max(raised.values())
    assert found in (3, 5) or taken or shares[found, k] > 0


@given(st.lists(st.integers(0, 90), unique=True, max_size=80), st.integers(0, 30), st.booleans())
def test_what_the_user_has_had_is_told_by_its_place(
    items: list[int], first: int, repeats: bool
) -> None:
    pages = Pages()
    tail, fill = np.full(2, -1, np.int32), np.zeros(2, np.int32)
    for begin in range(0, len(items), PAGE):
        page = np.array(items[begin : begin + PAGE], np.int32)
        tail[1], fill[1] = pages.push(int(tail[1]), page, 0), len(page)
    none = np.zeros(2, np.int64)
    history = History(tail, fill, pages.older, pages.pages, pages.disliked, none, none)
    slots, shares = np.arange(first, first + 50, dtype=np.int32), np.zeros((2, 50), np.float32)
    out = np.full(50, 7, np.float32)
    fill_again(Again(repeats), Whose(0, 1, history), slots, 40, shares, out)
    latest = {item: 1 / (k + 1) for k, item in enumerate(items[::-1][:LATEST])}
    want = [latest.get(slot, 0.0) if repeats else 0.0 for slot in slots.tolist()[:40]]
    assert out[:40] == pytest.approx(want)
    assert (out[40:] == 7).all()
