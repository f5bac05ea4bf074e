"""A new column: registered in one line, it is read, checked, carried and passed to the learner."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.data.replay.recording import read_recording
from tests.udfs.builders import NOW, OneShard, with_columns
from tests.udfs.flink import Subtask
from udfs.errors import ConfigError
from udfs.events.batch import EventBatch, cut, join, make_batch, pack, split, unpack
from udfs.events.columns import COLUMNS, Column, register
from udfs.events.decode import Decoded, Decoder
from udfs.events.preset import Preset
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings
from udfs.learning.learner import Learner
from udfs.operators.flink import DEAD_LETTERS, STATS
from udfs.operators.parse import Parse

CSV = {"user": "1", "item": "2", "screen": "3", "visits": "4", "dwell": "5"}


@pytest.fixture(autouse=True, scope="module")
def toys() -> Iterator[None]:
    """Three more columns, which other tests do not see."""
    before = dict(COLUMNS)
    register(Column("screen", str, fill=""))
    register(Column("visits", np.int16, fill=-1))
    register(Column("dwell", np.float32, fill=np.nan))
    yield
    COLUMNS.clear()
    COLUMNS.update(before)


def settings(preset: Preset, **changes: Any) -> DecodeSettings:
    return DecodeSettings(preset=preset, weights={"click": 1.0}, **changes)


def line(**values: Any) -> str:
    return json.dumps({"user": "ann", "item": "7"} | values)


def from_json(*lines: str, **fields: str) -> Decoded:
    return Decoder(settings(resolve("millirec", fields=fields))).decode(lines, NOW)


def from_csv(*lines: str) -> Decoded:
    preset = resolve("millirec", format="csv", fields=CSV)
    return Decoder(settings(preset)).decode(lines, NOW)


def toys_of(events: Decoded | EventBatch) -> list[tuple[Any, ...]]:
    names = "screen", "visits", "dwell"
    return list(zip(*(list(events.column(name)) for name in names), strict=True))


def test_it_is_read_from_json() -> None:
    found = from_json(line(screen="phone", visits=3, dwell=2.5), line(screen=7, dwell=2), line())
    assert not found.rejected
    assert found.column("screen") == ["phone", "7", ""]
    assert found.column("visits").tolist() == [3, -1, -1]
    np.testing.assert_array_equal(found.column("dwell"), [2.5, 2, np.nan])
    assert found.column("visits").dtype == np.int16


def test_a_preset_can_map_it() -> None:
    found = from_json(line(context={"screen": {"type": "tv"}}), screen="context.screen.type")
    assert found.column("screen") == ["tv"]
    left_out = from_json(line(screen="tv"), screen="")
    assert left_out.column("screen") == [""]
    assert "screen" not in left_out.columns


def test_it_is_read_from_csv() -> None:
    found = from_csv("ann,7,phone,3,2.5", "bob,8,,,")
    assert not found.rejected
    assert found.column("screen") == ["phone", ""]
    assert found.column("visits").tolist() == [3, -1]
    np.testing.assert_array_equal(found.column("dwell"), [2.5, np.nan])


def test_it_is_read_from_csv_with_names() -> None:
    preset = resolve("tianchi", fields={"screen": "user_geohash"})
    found = Decoder(settings(preset, unknown_type="accept")).decode(
        ["ann,7,1,9q8y,42,2014-12-08 18"], NOW
    )
    assert found.column("screen") == ["9q8y"]


@pytest.mark.parametrize(
    ("bad", "reason", "detail"),
    [
        (line(screen=[1]), "wrong_type", "the screen ('screen') is an array"),
        (line(screen=True), "wrong_type", "the screen ('screen') is true"),
        (line(screen=1.5), "wrong_type", "the screen ('screen') is 1.5"),
        (line(screen="x" * 600), "id_too_long", "600 bytes"),
        (line(visits="3.5"), "wrong_type", "the string '3.5', not a whole number"),
        (line(visits="9" * 5000), "value_out_of_range", "thousands of digits"),
        (line(visits=2.5), "wrong_type", "2.5', not a whole number"),
        (line(visits=40_000), "value_out_of_range", "'40000' is more than int16 can hold"),
        (line(visits=0).replace("0", "9" * 5000), "value_out_of_range", "thousands of digits"),
        (line(dwell="long"), "wrong_type", "the dwell ('dwell') is the string 'long'"),
        (line(dwell=1e300), "value_out_of_range", "is more than float32 can hold"),
        (line(dwell=0).replace("0", "1e999"), "not_finite", "the dwell"),
    ],
)
def test_a_bad_value_in_json_is_a_dead_letter(bad: str, reason: str, detail: str) -> None:
    found = from_json(line(screen="a"), bad)
    assert [one.reason for one in found.rejected] == [reason]
    assert detail in found.rejected[0].detail
    assert found.column("screen") == ["a"]


@pytest.mark.parametrize(
    ("bad", "reason", "detail"),
    [
        ("bob,8,tv,three,1", "wrong_type", "the visits 'three' is not a whole number"),
        ("bob,8,tv,2.5,1", "wrong_type", "the visits '2.5' is not a whole number"),
        ("bob,8,tv,-40000,1", "value_out_of_range", "more than int16 can hold"),
        ("bob,8,tv," + "9" * 5000 + ",1", "value_out_of_range", "more than int16 can hold"),
        ("bob,8,tv,3,long", "wrong_type", "the dwell 'long' is not a number"),
        ("bob,8,tv,3,nan", "not_finite", "the dwell 'nan' is not a finite number"),
    ],
)
def test_a_bad_value_in_csv_is_a_dead_letter(bad: str, reason: str, detail: str) -> None:
    found = from_csv("ann,7,phone,3,2.5", bad)
    assert [one.reason for one in found.rejected] == [reason]
    assert detail in found.rejected[0].detail
    assert found.column("visits").tolist() == [3]


def test_from_a_line_to_the_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    flink = Subtask(
        Parse(
            settings(resolve("millirec")),
            {"user learner": [70, 71], "item learner": [9]},
            "",
            False,
        )
    )
    lines = [line(user=f"u{n}", screen=f"d{n}", visits=n, type="click") for n in range(9)]
    out = flink.process(0, (0, json.dumps([*lines, line(visits="no")]), 5))
    letters = [json.loads(value) for key, value in out if key is DEAD_LETTERS]
    assert [letter["reason"] for letter in letters] == ["wrong_type"]
    seen: list[tuple[str, str, int]] = []
    learn = Learner.learn

    def observed(self: Learner, batch: EventBatch, *arguments: Any) -> Any:
        seen.extend(
            zip(batch.users, batch.column("screen"), batch.column("visits").tolist(), strict=True)
        )
        return learn(self, batch, *arguments)

    monkeypatch.setattr(Learner, "learn", observed)
    shard = OneShard()
    for key, data in out:
        if key in (70, 71):
            batch = unpack(data)
            assert "dwell" not in batch.columns, "no event has one"
            shard.learn(batch)
    assert sorted(seen) == [(f"u{n}", f"d{n}", n) for n in range(9)]
    assert any(key is STATS for key, _ in out)


def test_a_replay_writes_it_again(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(f"{line(ts=2e9, screen='a', dwell=2.5)}\n{line(ts=1e9, visits=3)}\n")
    recording = read_recording([file], settings(resolve("millirec"), default_type="click"), 2**41)
    again = [json.loads(text) for text in recording.lines(0, 2, None, "")]
    assert [(e.get("screen"), e.get("visits"), e.get("dwell")) for e in again] == [
        (None, 3, None), ("a", None, 2.5),
    ]  # fmt: skip


rows = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "eve"]),
        st.sampled_from(["", "tv", "phone"]),
        st.integers(-1, 9),
        st.sampled_from([np.nan, 0.5, 2.0]),
    ),
    max_size=12,
)


def batch_of_rows(rows: Sequence[tuple[str, str, int, float]], opened: int = 5) -> EventBatch:
    n = len(rows)
    users, screen, visits, dwell = map(list, zip(*rows, strict=True)) if rows else [[]] * 4
    return make_batch(
        users, ["i"] * n, np.arange(n), np.ones(n), np.arange(n), [""] * n, opened,
        screen=screen, visits=np.array(visits, np.int64), dwell=np.array(dwell, np.float64),
    )  # fmt: skip


def same(batch: EventBatch, rows: Sequence[tuple[str, str, int, float]]) -> None:
    """Check that the batch has these rows, before and after it is packed."""
    for one in (batch, unpack(pack(batch))):
        assert len(one) == len(rows)
        found = list(zip(one.users, *zip(*toys_of(one), strict=True), strict=True)) if rows else []
        np.testing.assert_equal(found, rows)


@given(rows, st.data())
def test_rows_are_taken_cut_split_and_joined_as_in_a_list(
    rows: list[tuple[str, str, int, float]], data: st.DataObject
) -> None:
    batch, n = batch_of_rows(rows), len(rows)
    same(batch, rows)
    keep = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    same(batch.take(np.array(keep, np.bool_)), [r for r, k in zip(rows, keep, strict=True) if k])
    at = data.draw(st.lists(st.integers(0, n - 1), max_size=9)) if n else []
    same(batch.take(np.array(at, np.int64)), [rows[k] for k in at])
    places = sorted(data.draw(st.sets(st.integers(1, max(n - 1, 1))))) if n > 1 else []
    parts = list(cut(batch, places))
    edges = [0, *places, n]
    for part, begin, end in zip(parts, edges[:-1], edges[1:], strict=False):
        same(part, rows[begin:end])
    if parts:
        assert join(parts) == batch
    shard_of = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    for shard, part in split(batch, shard_of).items():
        same(part, [r for r, s in zip(rows, shard_of, strict=True) if s == shard])


@given(rows, rows)
def test_a_batch_without_the_column_is_joined_with_its_fill(
    rows: list[tuple[str, str, int, float]], more: list[tuple[str, str, int, float]]
) -> None:
    blank = [(user, "", -1, np.nan) for user, *_ in more]
    same(join([batch_of_rows(rows), batch_of_rows(blank)]), rows + blank)


def test_a_batch_older_than_the_column_gets_its_fill() -> None:
    batch = batch_of_rows([("ann", "tv", 3, 2.0)])
    old = msgspec.structs.replace(
        batch, columns={n: v for n, v in batch.columns.items() if n not in ("screen", "visits")}
    )
    assert toys_of(unpack(pack(old))) == [("", -1, 2.0)]
    assert with_columns(old, screen=["tv"]).column("screen") == ["tv"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (Column("screen", np.int8, fill=0), "is taken: choose another name"),
        (Column("kind", str, fill="", field="user"), "is taken: choose another name"),
        (Column("visit", str), "has no fill"),
        (Column("visit", np.bool_, fill=False), "an integer or float type"),
        (Column("visit", str, fill=0), "cannot hold its fill 0: .* str$"),
        (Column("visit", np.int8, fill=300), "cannot hold its fill 300: .* int8$"),
        (Column("visit", np.int8, fill=np.nan), "cannot hold its fill nan: .* int8$"),
    ],
)
def test_invalid_columns_are_refused(column: Column, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        register(column)


def test_an_unknown_column_is_an_error() -> None:
    with pytest.raises(KeyError):
        batch_of_rows([]).column("devise")
