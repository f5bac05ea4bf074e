"""Lines about people: what is read of them, what is wrong with others, and where they go."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import SourceError
from udfs.events.batch import make_batch, pack, user_shard
from udfs.events.messages import by_user
from udfs.events.people import (
    PeopleReader,
    PersonChange,
    is_people,
    pack_people,
    unpack_people,
)
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings

NOW = 1_795_548_161_115
SETTINGS = DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0})
READER = PeopleReader(SETTINGS)
LINKING = PeopleReader(msgspec.structs.replace(SETTINGS, identity=True))


def read(*lines: str, reader: PeopleReader = READER) -> tuple[list[PersonChange], list[Any]]:
    found = reader.decode(lines, NOW)
    return found.changes, [(bad.reason, bad.index, bad.element) for bad in found.rejected]


def test_a_profile_holds_words_lists_and_attributes() -> None:
    changes, rejected = read(
        '{"kind":"profile","user":7,"ts":1795548161,"country":" DE ","age_band":"25-34",'
        '"follows":["bob","author:7","bob"],"likes":"tea","language":null,'
        '"attributes":{"job":"nurse","kids":2},"shoe":43}'
    )
    assert rejected == []
    assert changes == [
        PersonChange(
            "profile",
            "7",
            1_795_548_161_000,
            {
                "country": "DE",
                "language": None,
                "age_band": "25-34",
                "follows": ["bob", "author:7"],
                "likes": ["tea"],
                "attributes": {"job": "nurse", "kids": 2.0},
            },
        )
    ]


def test_consent_forgetting_and_links() -> None:
    changes, rejected = read(
        '{"kind":"consent","user":"ann","personalise":"no"}',
        '{"kind":"forget","user":"ann"}',
        '{"kind":"link","user":"anon-9","to":"ann"}',
        '{"kind":"unlink","user":"anon-9"}',
        reader=LINKING,
    )
    assert rejected == []
    assert changes == [
        PersonChange("consent", "ann", NOW, {"personalise": False}),
        PersonChange("forget", "ann", NOW),
        PersonChange("link", "anon-9", NOW, {"to": "ann"}),
        PersonChange("unlink", "anon-9", NOW),
    ]


def test_a_job_that_resolves_no_identities_refuses_links() -> None:
    found = READER.decode(['{"kind":"link","user":"a","to":"b"}'], NOW)
    assert [bad.reason for bad in found.rejected] == ["no_identity"]
    assert "identity.enabled = true" in found.rejected[0].detail


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "forget"}, "missing_user"),
        ({"kind": "forget", "user": ""}, "empty_user"),
        ({"kind": "forget", "user": "x" * 513}, "id_too_long"),
        ({"kind": "forget", "user": ["a"]}, "wrong_type"),
        ({"kind": "forget", "user": "a", "ts": "never"}, "bad_time"),
        ({"kind": "forget", "user": "a", "ts": {}}, "wrong_type"),
        ({"kind": "forget", "user": "a", "ts": 12}, "time_out_of_range"),
        ({"kind": "consent", "user": "a"}, "missing_personalise"),
        ({"kind": "consent", "user": "a", "personalise": "perhaps"}, "wrong_type"),
        ({"kind": "link", "user": "a"}, "missing_to"),
        ({"kind": "link", "user": "a", "to": ""}, "empty_to"),
        ({"kind": "why", "user": "a"}, "missing_item"),
        ({"kind": "why", "user": "a", "item": [1]}, "wrong_type"),
        ({"kind": "link", "user": "a", "to": {}}, "wrong_type"),
        ({"kind": "profile", "user": "a", "country": ["DE"]}, "wrong_type"),
        ({"kind": "profile", "user": "a", "country": "x" * 201}, "too_large"),
        ({"kind": "profile", "user": "a", "likes": [str(n) for n in range(65)]}, "too_large"),
        ({"kind": "profile", "user": "a", "attributes": "tall"}, "wrong_type"),
        ({"kind": "other", "user": "a"}, "wrong_type"),
        ({"kind": 7, "user": "a"}, "wrong_type"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(fields: Any, reason: str) -> None:
    good = '{"kind":"forget","user":"ann"}'
    changes, rejected = read(good, json.dumps(fields), good, reader=LINKING)
    assert rejected == [(reason, 1, -1)]
    assert [change.user for change in changes] == ["ann", "ann"]


def test_several_objects_on_a_line_are_told_apart() -> None:
    found = READER.decode(['[{"kind":"forget","user":"a"},3,{"kind":"forget"}]', " "], NOW)
    assert [change.user for change in found.changes] == ["a"]
    places = [(bad.reason, bad.index, bad.element) for bad in found.rejected]
    assert places == [("not_an_object", 0, 1), ("missing_user", 0, 2)]
    assert (found.ignored, found.received) == (1, 4)


@given(st.lists(st.text(max_size=40) | st.sampled_from(['{"kind":"forget","user":"a"', "null"])))
def test_no_line_makes_it_raise(lines: list[str]) -> None:
    found = LINKING.decode(lines, NOW)
    assert found.received >= len(found.rejected)


@given(
    st.lists(
        st.builds(PersonChange, st.sampled_from(["forget", "link"]), st.text(), st.integers(0, NOW))
    )
)
def test_each_shard_gets_its_users_in_order(changes: list[PersonChange]) -> None:
    parts = dict(by_user(changes, 4, pack_people))
    for shard, data in parts.items():
        assert is_people(data)
        own = [change for change in changes if user_shard(change.user, 4) == shard]
        assert unpack_people(data) == own
    assert sum(len(unpack_people(data)) for data in parts.values()) == len(changes)


def test_other_messages_are_told_apart_and_damaged_ones_reported() -> None:
    batch = pack(make_batch(["a"], ["b"], [1.0], [1], [NOW], [""], NOW))  # type: ignore[arg-type]
    assert not is_people(batch)
    data = pack_people([PersonChange("forget", "a", 1)])
    with pytest.raises(SourceError, match="cannot be read"):
        unpack_people(data[:-1])
    newer = data[:1] + msgspec.msgpack.encode((9, []))
    with pytest.raises(SourceError, match="form 9"):
        unpack_people(newer)


def test_no_option_is_named_for_a_time_that_none_concerns() -> None:
    for time in ("never", "01.02.1950", 19500201):
        line = json.dumps({"kind": "forget", "user": "ann", "ts": time})
        (bad,) = PeopleReader(SETTINGS).decode([line], NOW).rejected
        assert "time_format" not in bad.detail
