"""Lines that name a session: beside a user, and instead of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.udfs.events.test_presets import NOW, WEIGHTS, decode
from udfs.events.batch import pack, unpack
from udfs.events.columns import COLUMNS, Column, register
from udfs.events.decode import Decoder, DecodeSettings
from udfs.events.kinds import INTERACTION
from udfs.events.people import PeopleReader
from udfs.events.pseudonyms import Pseudonyms
from udfs.events.resolve import resolve
from udfs.events.searches import SearchReader

TEXT = DecodeSettings(preset=resolve("millirec"), weights=WEIGHTS)
WHOLE = DecodeSettings(preset=resolve("millirec"), weights=WEIGHTS, ids="integers")
LONG = f'"{"s" * 513}"'
EXTREME = ["9" * 5000, "1e400", '"\\ud800"']
"""JSON that msgspec does not read: a line of events is then read again, a search is not."""
UNUSABLE = ["1.5", "1.0", "true", '{"id":"s"}', '["s"]', LONG, *EXTREME]
"""JSON that stands for no user."""


@pytest.fixture
def carried() -> Iterator[None]:
    """A column of sessions, as a model would register one."""
    register(Column("sessions", str, fill="", field="session", personal=True))
    yield
    del COLUMNS["sessions"]


def test_a_session_stands_for_the_user_that_a_line_does_not_name() -> None:
    got = decode(
        "millirec",
        '{"session":"s1","item":"i"}',
        '{"user":null,"session":7,"item":"i"}',
        '{"user":"","session":"s1","item":"i"}',
        '{"user":"ann","session":"s1","item":"i"}',
        '{"user":"session:s1","item":"i"}',
    )
    assert got.rejected == []
    assert got.users == ["session:s1", "session:7", "session:s1", "ann", "session:s1"]


def test_a_line_without_both_names_both_and_its_place() -> None:
    got = decode(
        "millirec", '{"item":"i"}', '[{"session":"s","item":"i"},{"item":"i","user":null}]'
    )
    assert got.users == ["session:s"]
    assert [(one.reason, one.index, one.element) for one in got.rejected] == [
        ("missing_user", 0, -1),
        ("missing_user", 1, 1),
    ]
    assert {one.detail for one in got.rejected} == {"the line has no 'user' or 'session'"}


@pytest.mark.parametrize("ids", ["text", "integers"])
@pytest.mark.parametrize("session", UNUSABLE)
def test_beside_a_user_a_session_is_nothing_and_alone_it_must_be_usable(
    session: str, ids: str
) -> None:
    settings = WHOLE if ids == "integers" else TEXT
    events = Decoder(settings).decode(
        [f'{{"user":5,"item":6,"session":{session}}}', f'{{"item":6,"session":{session}}}'], NOW
    )
    assert events.users == ["5"]
    (bad,) = events.rejected
    assert bad.index == 1
    assert bad.reason in ("wrong_type", "id_too_long", "not_utf8")
    searches = SearchReader(settings).decode(
        [
            f'{{"user":5,"type":"search","query":"tea","session":{session}}}',
            f'{{"type":"search","query":"tea","session":{session}}}',
        ],
        NOW,
    )
    about = PeopleReader(settings).decode(
        [
            f'{{"kind":"forget","user":5,"session":{session}}}',
            f'{{"kind":"forget","session":{session}}}',
        ],
        NOW,
    )
    assert [one.user for one in about.changes] == ["5"]
    assert [one.index for one in about.rejected] == [1]
    if session not in EXTREME:
        assert [one.user for one in searches.searches] == ["5"]
        assert [(one.index, one.reason) for one in searches.rejected] == [(1, bad.reason)]


@pytest.mark.parametrize("session", ["", ',"session":null', ',"session":""', ',"session":"s1"'])
def test_sessions_are_not_carried(session: str) -> None:
    got = decode("millirec", f'{{"user":"ann","item":"i","ts":1661431896711{session}}}')
    plain = decode("millirec", '{"user":"ann","item":"i","ts":1661431896711}')
    assert pack(got.batch(5)) == pack(plain.batch(5))


@pytest.mark.usefixtures("carried")
def test_a_registered_column_carries_usable_sessions() -> None:
    lines = [f'{{"user":"ann","item":"i","session":{one}}}' for one in ('"s1"', "7", "true", "{}")]
    batch = decode("millirec", *lines, '{"session":"s2","item":"i"}').batch(5)
    assert unpack(pack(batch)).column("sessions") == ["s1", "7", "", "", "s2"]


@pytest.mark.parametrize(
    ("preset", "line", "expected"),
    [
        ("diginetica", "s;u;i;5;2016-05-09", ("u", "s")),
        ("diginetica", "s;;i;5;2016-05-09", ("session:s", "s")),
        ("session-rec", "s\ti\t1396860669.277", ("s", "")),
        ("rees46", "2022-08-25 12:51:36,cart,i,1,,brand,2.62,u,s", ("u", "s")),
        ("rees46", "2022-08-25 12:51:36,cart,i,1,,brand,2.62,,s", ("session:s", "s")),
        (
            "metarank",
            '{"event":"interaction","user":"u","session":"s","type":"click","item":"i"}',
            ("u", "s"),
        ),
        (  # as it was before sessions meant anything
            "metarank",
            '{"event":"interaction","session":"s","type":"click","item":"i"}',
            ("s", "s"),
        ),
        (
            "ga4",
            '{"event_name":"view_item","user_pseudo_id":"u","ga_session_id":"1661431896",'
            '"items":[{"item_id":"i"}]}',
            ("u", "1661431896"),
        ),
    ],
)
@pytest.mark.usefixtures("carried")
def test_presets_read_the_sessions_of_their_systems(
    preset: str, line: str, expected: tuple[str, str]
) -> None:
    got = decode(preset, line)
    assert got.rejected == []
    assert (got.users[0], got.column("sessions")[0]) == expected


def test_a_column_of_sessions_is_read_by_the_header(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    lines = ["item,session,user", "i,s1,ann", "i,s2,", "i,,"]
    path.write_text("\n".join(lines), encoding="utf-8")
    settings = DecodeSettings(preset=resolve("millirec", format="csv"), weights=WEIGHTS)
    got = Decoder(settings).decode(lines, NOW, [str(path)] * 4)
    assert got.users == ["ann", "session:s2"]
    assert [one.reason for one in got.rejected] == ["empty_user"]


@pytest.mark.parametrize("format", ["json", "csv"])
def test_a_user_may_be_read_from_the_field_of_sessions(format: str) -> None:
    preset = resolve("millirec", format=format, fields={"user": "session"})
    assert preset.fields["user"] == "session"
    assert "session" not in preset.fields


def test_sessions_are_no_whole_numbers() -> None:
    got = Decoder(WHOLE).decode(
        [
            '{"user":"NaN","session":"s1","item":5}',
            '{"user":"NA","session":8,"item":5}',
            '{"user":"7.0","session":"s1","item":5}',
            '{"user":"session:s1","item":5}',
            '{"user":"ann","session":"s1","item":5}',
            '{"user":7,"item":"session:s1"}',
        ],
        NOW,
    )
    assert got.users == ["session:s1", "session:8", "7", "session:s1"]
    assert [one.reason for one in got.rejected] == ["wrong_type", "wrong_type"]


def test_pseudonyms_stand_for_users_and_sessions() -> None:
    lines = '{"session":"s1","item":"i"}', '{"user":"ann","session":"s1","item":"i"}'
    names = Pseudonyms("0123456789abcdef")
    assert INTERACTION.renamed is not None
    got = INTERACTION.renamed(decode("millirec", *lines), names.all)
    assert got.users == [names.of("session:s1"), names.of("ann")]


def test_lines_about_people_and_searches_may_name_a_session() -> None:
    settings = DecodeSettings(preset=resolve("millirec"), weights=WEIGHTS, identity=True)
    people = PeopleReader(settings).decode(
        [
            '{"kind":"link","session":"s1","to":"alice"}',
            '{"kind":"forget","user":"session:s1"}',
            '{"kind":"forget","user":"bob","session":"s1"}',
        ],
        NOW,
    )
    assert [(one.user, one.kind) for one in people.changes] == [
        ("session:s1", "link"),
        ("session:s1", "forget"),
        ("bob", "forget"),
    ]
    searched = SearchReader(settings).decode(
        ['{"session":"s1","type":"search","query":"red kettle"}'], NOW
    )
    assert [one.user for one in searched.searches] == ["session:s1"]


@pytest.mark.parametrize("user", ["NaN", "na", ""])
def test_what_stands_for_a_missing_number_is_no_user_beside_a_session(user: str) -> None:
    said = f'"user":"{user}","session":"s1"'
    people = PeopleReader(WHOLE).decode([f'{{"kind":"forget",{said}}}'], NOW)
    assert [one.user for one in people.changes] == ["session:s1"]
    searched = SearchReader(WHOLE).decode([f'{{"type":"search","query":"tea",{said}}}'], NOW)
    assert [one.user for one in searched.searches] == ["session:s1"]
