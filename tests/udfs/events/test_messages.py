"""Messages of the job's edges: told apart by their marks, refused if they are of another form."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import SourceError
from udfs.events.item_changes import pack_changes, pack_notice
from udfs.events.joined import Joined, pack_joined
from udfs.events.messages import Message
from udfs.events.people import pack_people
from udfs.events.searches import pack_searches

TRIAL: Message[list[str]] = Message(b"X", "a trial", list[str], version=2)


@given(st.lists(st.text()))
def test_what_is_packed_is_read_again(words: list[str]) -> None:
    data = TRIAL.pack(words)
    assert TRIAL.holds(data) and TRIAL.unpack(data) == words


def test_other_forms_and_damaged_bytes_are_named() -> None:
    with pytest.raises(SourceError, match="a trial has form 1, this millirec reads form 2"):
        TRIAL.unpack(b"X" + msgspec.msgpack.encode((1, [])))
    with pytest.raises(SourceError, match="a trial of 1 bytes cannot be read"):
        TRIAL.unpack(b"X")


def test_no_two_kinds_begin_alike() -> None:
    kinds = [pack_changes([]), pack_notice([]), pack_people([]), pack_searches([])]
    marks = [data[:1] for data in [*kinds, pack_joined(Joined(place="ann"))]]
    assert len({*marks}) == len(marks)
