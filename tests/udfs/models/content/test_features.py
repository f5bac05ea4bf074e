"""Vectors of content: alike where the things are, and the same in every process."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from udfs.models.content.features import WIDTH, content_vector, query_vector

KETTLE: dict[str, Any] = {
    "title": "Red enamel kettle",
    "text": "For two litres of tea.",
    "categories": ["kitchen", "tea"],
    "tags": ["enamel"],
    "price": 39.9,
    "currency": "EUR",
    "provider": "acme",
    "published": 1_700_000_000_000,
    "attributes": {"colour": "red", "weight": 1.2, "induction": True, "sizes": ["S", "L"]},
}
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.text(max_size=30),
        "text": st.text(max_size=30),
        "categories": st.lists(st.text(max_size=10), max_size=4),
        "tags": st.lists(st.text(max_size=10), max_size=4),
        "price": st.floats(),
        "currency": st.text(max_size=3),
        "provider": st.text(max_size=10),
        "vector": st.lists(st.floats(), max_size=20),
        "attributes": st.dictionaries(
            st.text(max_size=5),
            st.text(max_size=5) | st.floats() | st.booleans() | st.lists(st.text(), max_size=2),
            max_size=3,
        ),
        "available": st.booleans(),
    },
)


def cosine(a: NDArray[np.int8], b: NDArray[np.int8]) -> float:
    return float(a.astype(np.float64) @ b.astype(np.float64)) / 127.0**2


@given(_FIELDS)
def test_any_fields_give_a_unit_vector_or_none(fields: dict[str, Any]) -> None:
    with np.errstate(over="ignore"):
        found = content_vector(fields)
    assert found.shape == (WIDTH,)
    assert found.dtype == np.int8
    assert not found.any() or cosine(found, found) == pytest.approx(1.0, abs=0.1)


def test_it_never_changes() -> None:
    found = content_vector(KETTLE | {"vector": [0.1, -0.2, 0.3]})
    assert zlib.crc32(found.tobytes()) == 3289638755
    assert zlib.crc32(query_vector("Red kettle").tobytes()) == 1007740095


@pytest.mark.parametrize("field", [name for name in KETTLE if name != "currency"])
def test_each_field_counts(field: str) -> None:
    without = {name: value for name, value in KETTLE.items() if name != field}
    assert (content_vector(KETTLE) != content_vector(without)).any()
    alone = content_vector({field: KETTLE[field]})
    assert cosine(alone, content_vector(KETTLE)) > 0.1


def test_what_says_nothing_about_content_gives_none() -> None:
    assert not content_vector({"available": True, "expires": 5, "image": "x.png"}).any()
    assert not content_vector({"price": 0.0, "attributes": {"weight": 2.0, "new": False}}).any()


def test_like_is_near() -> None:
    other = {"title": "Blue enamel kettle", "categories": ["kitchen", "tea"], "provider": "best"}
    drill = {"title": "Cordless drill", "categories": ["tools"], "provider": "acme"}
    kettle = content_vector(KETTLE)
    assert cosine(kettle, content_vector(other)) > 0.4 + cosine(kettle, content_vector(drill))


def test_a_query_is_near_what_it_names() -> None:
    for query in ("kettle", "enamel kettle", "KETTLES red", "tea"):
        found = cosine(query_vector(query), content_vector(KETTLE))
        assert found > cosine(query_vector("garden hose"), content_vector(KETTLE)) + 0.1, query


def test_dense_vectors_keep_their_angles() -> None:
    random = np.random.default_rng(1)
    a, noise = random.normal(size=384), random.normal(size=384)
    near = a + 0.3 * noise
    vectors = [content_vector({"vector": v.tolist()}) for v in (a, near, noise, 1e3 * a)]
    assert cosine(vectors[0], vectors[1]) > 0.85
    assert abs(cosine(vectors[0], vectors[2])) < 0.4
    assert (vectors[0] == vectors[3]).all()
