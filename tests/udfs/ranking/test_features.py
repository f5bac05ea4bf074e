"""The table of the ranker's features."""

from __future__ import annotations

import pytest

from udfs.options.sources import SOURCES
from udfs.ranking.features import Feature, features, register
from udfs.ranking.ranker import first_parameters


def test_the_order_of_the_stored_parameters() -> None:
    """A new feature is the last: what is stored in states has this order."""
    names = [feature.name for feature in features()]
    assert names == ["item-cf", "user-cf", "product", "taken", "decayed"]
    assert first_parameters(0).tolist() == [2.0, 0.7, 0.5, 0.0, 0.0] + [0.0] * 5


def test_a_feature_speaks_for_a_source() -> None:
    assert {feature.source for feature in features()} <= set(SOURCES)


@pytest.mark.parametrize(
    ("name", "source", "what"), [("taken", "mf", "another name"), ("new", "nobody", "register")]
)
def test_what_cannot_be_registered(name: str, source: str, what: str) -> None:
    before = features()
    with pytest.raises(ValueError, match=what):
        register(Feature(name, 0.0, source, lambda asking: None))
    assert [f.name for f in features()] == [f.name for f in before]
