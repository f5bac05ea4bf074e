"""The shell of parse: every line becomes an event of its user's shard or a dead letter."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.udfs.flink import Subtask
from tests.udfs.formats.pretend import pretended
from udfs.accounts import Account, unpack_account
from udfs.events.batch import EventBatch, unpack, user_shard
from udfs.events.experiments import is_words, unpack_words
from udfs.events.item_changes import is_notice
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings
from udfs.experiments.words import Word
from udfs.formats.settings import ValueSettings
from udfs.operators.flink import DEAD_LETTERS, STATS
from udfs.operators.parse import LINE_MOST, Parse
from udfs.options.schema_registry import SchemaRegistry

KEYS = [70, 71, 72, 73]


def run(
    lines: list[str], positions: bool = False, source: str = "", format: str = ""
) -> tuple[dict[int, EventBatch], list[dict[str, Any]], Account, Subtask]:
    settings = DecodeSettings(preset=resolve("millirec", format=format), weights={"click": 1.0})
    flink = Subtask(Parse(settings, {"user learner": KEYS, "item learner": [9]}, source, positions))
    out = flink.process(0, (0, json.dumps(lines), 1234))
    batches = {key: unpack(value) for key, value in out if key in KEYS}
    letters = [json.loads(value) for key, value in out if key is DEAD_LETTERS]
    (account,) = (unpack_account(value) for key, value in out if key is STATS)
    return batches, letters, account, flink


def users_of(value: bytes) -> list[str]:
    """The users of a batch; none of a notice."""
    return [] if is_notice(value) else list(unpack(value).users)


def event(user: str, item: str) -> str:
    return json.dumps({"user": user, "item": item, "type": "click", "ts": 1661431896711})


def test_events_go_to_the_shard_of_their_user_in_order() -> None:
    users = [f"user {k}" for k in range(30)]
    batches, letters, account, _ = run([event(u, i) for i in ("a", "b") for u in users])
    assert letters == []
    assert (account.received, account.rejected) == (60, 0)
    assert sum(map(len, batches.values())) == 60
    for key, batch in batches.items():
        assert batch.opened == 1234
        assert {KEYS[user_shard(user, 4)] for user in batch.users} == {key}
        assert batch.items == sorted(batch.items)


def test_every_line_is_an_event_a_dead_letter_or_ignored() -> None:
    lines = [event("ann", "a"), "{", "", event("", "a"), event("bob", "b"), "[7]"]
    batches, letters, account, flink = run(lines)
    learned = sum(map(len, batches.values()))
    assert (account.received, learned, account.ignored) == (6, 2, 1)
    assert account.rejected == len(letters) == 3
    assert [letter["line"] for letter in letters] == ["{", lines[3], "[7]"]
    assert all(letter["reason"] and letter["detail"] for letter in letters)
    assert flink.metrics.counters["received"] == 6
    assert flink.metrics.counters["dead_letters"] == 3


def test_where_none_are_written_dead_letters_are_only_counted() -> None:
    settings = DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0})
    flink = Subtask(
        Parse(settings, {"user learner": KEYS, "item learner": [9]}, "", False, letters=False)
    )
    out = flink.process(0, (0, json.dumps([event("ann", "a"), "{"]), 1234))
    assert [key for key, _ in out if key is DEAD_LETTERS] == []
    (account,) = (unpack_account(value) for key, value in out if key is STATS)
    assert (account.received, account.rejected) == (2, 1)
    assert flink.metrics.counters["dead_letters"] == 1


def test_the_dead_letter_of_a_long_line_fits_into_a_kafka_record() -> None:
    lines = ["[" * LINE_MOST, "\0" * 2_000_000, event("\ud83d", "a") + " " * LINE_MOST]
    _, letters, _, _ = run(lines)
    assert [letter["line"] for letter in letters[:2]] == [line[:LINE_MOST] for line in lines[:2]]
    assert [letter.get("length") for letter in letters] == [None, *map(len, lines[1:])]
    assert all(len(json.dumps(letter)) < 1_000_000 for letter in letters)


@pytest.mark.parametrize(
    ("source", "expected"), [("kafka:events", "kafka:events:3:17"), ("", "3:17")]
)
def test_a_dead_letter_names_its_position(source: str, expected: str) -> None:
    batches, letters, _, _ = run(
        ["3:16\n" + event("ann", "a"), "3:17\nbroken\nin two"], positions=True, source=source
    )
    assert [batch.users for batch in batches.values()] == [["ann"]]
    assert (letters[0]["source"], letters[0]["line"]) == (expected, "broken\nin two")


@pytest.mark.parametrize(("format", "accepted"), [("json", 2), ("csv", 4)])
def test_a_source_of_json_has_one_limit_a_minute_for_all_its_events(
    format: str, accepted: int
) -> None:
    """One of CSV has a reader, and so a limit, for its own lines and one for those between them."""
    settings = DecodeSettings(
        preset=resolve("millirec", format=format), weights={"click": 1.0}, user_per_minute=2
    )
    flink = Subtask(Parse(settings, {"user learner": KEYS, "item learner": [9]}, "", False))
    plain = [event("ann", f"p{n}") if format == "json" else f"ann,p{n},,,," for n in range(3)]
    told = [json.dumps({"kind": "event", "user": "ann", "item": f"k{n}"}) for n in range(3)]
    both = [line for pair in zip(plain, told, strict=True) for line in pair]
    out = flink.process(0, (0, json.dumps(both), 1234))
    (account,) = (unpack_account(value) for key, value in out if key is STATS)
    assert (account.received, account.dead) == (6, {"too_many": 6 - accepted})


def test_half_a_surrogate_pair_does_not_stop_the_job() -> None:
    lines = [event("ann", "a"), event("bob", "\ud83d"), event("\udc00", "b")]
    batches, letters, account, _ = run(lines)
    assert [batch.users for batch in batches.values()] == [["ann"]]
    assert [letter["line"] for letter in letters] == lines[1:]
    assert account.received == 3


def test_elements_are_counted_and_named() -> None:
    inner = [event("ann", "a"), "7", event("", "b")]
    lines = [
        event("bob", "a"),
        f"[{','.join(inner)}]",
        "[]",
        "\n".join([event("bob", "b"), "oops"]),
    ]
    batches, letters, account, flink = run(lines)
    assert sorted(user for batch in batches.values() for user in batch.users) == [
        "ann",
        "bob",
        "bob",
    ]
    assert [(one["reason"], one["element"], one["line"]) for one in letters] == [
        ("not_an_object", 1, lines[1]), ("empty_user", 2, lines[1]), ("not_json", 1, lines[3]),
    ]  # fmt: skip
    assert (account.lines, account.received, account.ignored, account.rejected) == (4, 7, 1, 3)
    assert flink.metrics.counters["received"] == 7


def test_a_dead_letter_of_a_whole_line_has_no_element() -> None:
    _, letters, _, _ = run(["oops"])
    assert set(letters[0]) == {"reason", "detail", "source", "line", "at"}


def test_each_line_of_csv_is_read_by_the_header_of_its_file(tmp_path: Path) -> None:
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    files[0].write_text("user,item\nann,x\n")
    files[1].write_text("item,user\nx,bob\n")
    lines = [line for file in files for line in file.read_text().splitlines()]
    tagged = [f"{files[number // 2]}\n{line}" for number, line in enumerate(lines)]
    batches, letters, account, _ = run(tagged, positions=True, format="csv")
    assert sorted(user for batch in batches.values() for user in batch.users) == ["ann", "bob"]
    assert {item for batch in batches.values() for item in batch.items} == {"x"}
    assert (account.received, account.ignored, letters) == (4, 2, [])


def test_csv_of_other_sources_has_the_order_of_the_preset() -> None:
    lines = ["0:1\nuser,item,type,ts,value,id", "0:2\nann,x,,,,", "0:3\nx,ann"]
    batches, letters, account, _ = run(lines, positions=True, source="kafka:a", format="csv")
    assert [batch.users for batch in batches.values()] == [["ann"]]
    assert (account.ignored, [letter["source"] for letter in letters]) == (1, ["kafka:a:0:3"])


def test_values_with_a_schema_become_events_or_dead_letters() -> None:
    text = '{"type":"record","name":"E","fields":[{"name":"%s","type":"string"}%s]}'
    both = text % ("user", ',{"name":"item","type":"string"}')
    with pretended() as registry:
        registry.add(1, both)
        registry.add(2, text % ("item", ',{"name":"kind","type":"string"}'))
        settings = DecodeSettings(
            preset=resolve("millirec"),
            weights={"click": 1.0},
            values=ValueSettings(events="avro", registry=SchemaRegistry(url=registry.url)),
        )
        keys = {"user learner": KEYS, "item learner": [9]}
        flink = Subtask(Parse(settings, keys, "kafka:e", True))
        values = [
            b"\0\0\0\0\1\x06ann\x02a",
            b"\0\0\0\0\1\x06ann",
            b'{"user":"bob","item":"b"}',
            b"\0\0\0\0\1\x06cyd\0",
            b"",
            b"\0\0\0\0\2\x02a\x08item",
            b"\xff\n\x1e",
        ]
        lines = [f"0:{n}\n\n{value.decode('latin-1')}" for n, value in enumerate(values)]
        out = flink.process(0, (0, json.dumps(lines), 1234))
    users = {user for key, value in out if key in KEYS for user in users_of(value)}
    letters = [json.loads(value) for key, value in out if key is DEAD_LETTERS]
    (account,) = (unpack_account(value) for key, value in out if key is STATS)
    assert users == {"ann", "bob"}
    assert [(letter["reason"], letter["source"]) for letter in letters] == [
        ("unreadable_value", "kafka:e:0:1"),
        ("not_framed", "kafka:e:0:6"),
        ("empty_item", "kafka:e:0:3"),
    ]
    assert letters[0]["line"] == base64.b64encode(values[1]).decode()
    assert letters[2]["line"] == '{"user":"cyd","item":""}', "as it was read"
    assert (account.lines, account.received, account.ignored) == (7, 7, 1)
    assert account.rejected == 3 and flink.metrics.counters["dead_letters"] == 3
    assert "item learner" in [getattr(key, "tag_id", "") for key, _ in out]


def test_every_user_learner_and_stats_hear_of_experiments() -> None:
    lines = ['{"kind":"experiment","name":"a","end":true,"ts":1795548161115}', event("ann", "a")]
    settings = DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0})
    flink = Subtask(Parse(settings, {"user learner": KEYS, "item learner": [9]}, "", False))
    out = flink.process(0, (0, json.dumps([*lines, '{"kind":"experiment"}']), 1234))
    heard = {key: unpack_words(value) for key, value in out if key in KEYS and is_words(value)}
    assert heard == {key: {"a": Word(ended=1_795_548_161_115)} for key in KEYS}
    [account] = [unpack_account(value) for key, value in out if key is STATS]
    assert account.started == heard[KEYS[0]]
    assert (account.received, account.ignored) == (3, 1)
    assert account.dead == {"missing_experiment": 1}
