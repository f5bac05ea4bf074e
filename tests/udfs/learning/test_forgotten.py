"""Marks of forgotten users: what they keep out, that they hold no id, and when they go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import batch_of
from tests.udfs.fakes import DictState
from udfs.errors import ServiceError
from udfs.learning.forgotten import Forgotten, Mark

PAIRS = [("ann", "a"), ("bob", "b"), ("ann", "c"), ("cid", "d")]


def test_without_marks_nothing_is_looked_at() -> None:
    assert Forgotten(DictState()).keep(batch_of(PAIRS)) is None


def test_events_up_to_the_deletion_are_refused_and_later_ones_taken() -> None:
    forgotten = Forgotten(DictState())
    forgotten.put("ann", Mark(deleted=2))
    kept = forgotten.keep(batch_of(PAIRS, ts=[2, 2, 3, 2]))
    assert kept is not None
    assert kept.chosen.tolist() == [False, True, True, True]
    assert (kept.refused, kept.opted_out) == (1, 0)
    assert forgotten.keep(batch_of(PAIRS, ts=[3, 2, 3, 2])) is None


def test_whoever_opted_out_is_never_learned_from() -> None:
    forgotten = Forgotten(DictState())
    forgotten.put("bob", Mark(deleted=2, said=2, personalise=False))
    kept = forgotten.keep(batch_of(PAIRS, ts=9))
    assert kept is not None
    assert kept.chosen.tolist() == [True, False, True, True]
    assert (kept.refused, kept.opted_out) == (0, 1)
    assert not forgotten.takes("bob", 9)
    assert forgotten.takes("ann", 9)


def test_marks_survive_a_restart_without_the_id_and_go_when_nothing_older_can_come() -> None:
    rows = DictState()
    Forgotten(rows).put("ann", Mark(deleted=5))
    Forgotten(rows).put("bob", Mark(deleted=5, said=5, personalise=False))
    held = str(rows.data)
    assert "ann" not in held
    assert "bob" not in held
    again = Forgotten(rows)
    assert again.of("ann") == Mark(deleted=5)
    again.expire(5)
    assert len(again) == 2
    again.expire(6)
    assert again.of("ann") is None
    assert again.of("bob") == Mark(5, 5, False)
    assert len(rows.data) == 1


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1), st.integers(0, 5)
)
def test_a_batch_is_kept_as_each_event_by_itself(events: list[tuple[str, int]], at: int) -> None:
    forgotten = Forgotten(DictState())
    forgotten.put("a", Mark(deleted=at))
    forgotten.put("b", Mark(deleted=at, personalise=False))
    batch = batch_of([(user, "x") for user, _ in events], ts=[ts for _, ts in events])
    wanted = [forgotten.takes(user, ts) for user, ts in events]
    kept = forgotten.keep(batch)
    assert wanted == ([True] * len(events) if kept is None else kept.chosen.tolist())
    if kept is not None:
        assert kept.refused + kept.opted_out == wanted.count(False)


@pytest.mark.parametrize(
    ("data", "words"), [(b"no", "damaged"), (b"\x94\x00\x00\xc3\x09", "form 9")]
)
def test_what_cannot_be_read_is_said_so(data: bytes, words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        Forgotten(DictState({"key": data}))
