"""The table of the ranker's features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from udfs.options.sources import SOURCES
from udfs.ranking.feature_kernels import ALWAYS, BESIDES_0, OF_TAKEN, WITH_EVIDENCE, loudest
from udfs.ranking.features import Feature, features, register
from udfs.ranking.ranker import first_parameters


def test_the_order_of_the_stored_parameters() -> None:
    """A new feature is the last: what is stored in states has this order."""
    names = [feature.name for feature in features()]
    assert names[:5] == ["item-cf", "user-cf", "product", "taken", "decayed"]
    assert names[5:] == ["likeness", "new", "had", "last-item", "norm"]
    assert first_parameters(0).tolist() == [2.0, 0.4, 0.5, 0.0, 0.0, 1.0] + [0.0] * 14


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
