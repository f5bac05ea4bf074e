"""Which segments a profile and a context are in."""

from __future__ import annotations

import pytest

from udfs.models.segments.names import MOST_OF_ONE, likes_of, of_context, of_profile


def test_a_profile_has_few_segments_and_no_other_than_of_texts() -> None:
    attributes = {f"a{k}": "x" for k in range(20)} | {"size": 3.0, "member": True, "none": ""}
    found = of_profile({"gender": "F", "follows": ["bob"], "attributes": attributes})
    assert found[:3] == ["gender:F", "a0:x", "a1:x"]
    assert len(found) == MOST_OF_ONE


def test_who_does_not_want_personal_lists_has_neither_segments_nor_likes() -> None:
    fields = {"country": "DE", "likes": ["mug"]}
    assert likes_of(fields) == ("mug",)
    assert of_profile(fields | {"personalise": False}) == []
    assert likes_of(fields | {"personalise": False}) == ()
    assert of_profile(fields | {"personalise": True}) == ["country:DE"]


def test_the_hour_alone_is_no_context() -> None:
    assert of_context({"country": "", "device": ""}, 0) == []


@pytest.mark.parametrize("referrer", ["http://[broken", "mailto:x", "news.example"])
def test_a_referrer_without_a_host_is_itself(referrer: str) -> None:
    assert of_context({"referrer": referrer}, 0)[0] == f"referrer:{referrer}"
