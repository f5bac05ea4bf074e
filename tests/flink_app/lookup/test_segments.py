"""Lists of segments, combined for somebody of whom only a context is known."""

from __future__ import annotations

import pytest

from flink_app.lookup.segments import as_list, combined, keys_of
from tests.flink_app.serve.servers import made
from udfs.lists import contract


def listed(**scores: float) -> bytes:
    entries = ",".join(f'{{"item":"{item}","score":{score}}}' for item, score in scores.items())
    return f'{{"id":"1","at":1,"v":1,"source":"segments","items":[{entries}]}}'.encode()


def test_the_keys_are_those_of_the_segments_then_those_of_all() -> None:
    assert keys_of(["a:b", "c:d:e"]) == ["segment:a:b", "segment:c:d:e", "segment:all", "popular"]


def test_what_several_segments_like_is_first() -> None:
    phone, german = listed(a=1.0, b=0.9, c=0.1), listed(d=1.0, b=0.8, a=0.05)
    found = combined([phone, german, listed(z=1.0), listed(p=1.0)], 4)
    assert [item for item, _ in found] == ["b", "a", "d", "c"]
    assert found[0][1] == 1.0 and found[1][1] == pytest.approx((0.05 / 0.72) ** 0.5)


def test_popular_items_fill_the_list_or_are_it() -> None:
    popular = listed(a=1.0, p=0.5)
    assert [i for i, _ in combined([listed(a=1.0), None, popular], 5)] == ["a", "p"]
    assert combined([None, None, popular], 1) == [("a", 1.0)]
    assert combined([b"broken", b'"\xff"', None, None], 3) == []


def test_all_users_stand_for_segments_without_lists() -> None:
    found = combined([None, listed(z=1.0, y=0.5), listed(p=1.0)], 3)
    assert [item for item, _ in found] == ["z", "y", "p"]


def test_as_a_list_each_item_has_the_reason_of_the_first_list_with_it() -> None:
    popular = made("xa").replace(b"mf", b"popular")
    found = contract.read(as_list([made("ab"), None, popular], 9) or b"")
    assert [one.item for one in found.items] == list("abx")
    assert [one.why["model"] for one in found.items] == ["mf", "mf", "popular"]
    assert (found.source, found.at, found.id) == ("segments", 1795548161115, "1a20f02a45b")
    assert as_list([None, b"broken", popular], 9) is None
