"""Files of CSV with their columns in any order are the events of the canonical file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.csv_forms import Written, written
from udfs.events.decode import Decoded, Decoder, DecodeSettings
from udfs.events.resolve import resolve

NOW = 1_790_000_000_000
WEIGHTS = {"view": 1.0, "cart": 2.0}


def decoder(options: dict[str, str]) -> Decoder:
    preset = resolve("millirec", format="csv", **options)  # type: ignore[arg-type]
    return Decoder(DecodeSettings(preset=preset, weights=WEIGHTS, default_type="view"))


def columns_of(got: Decoded) -> list[Any]:
    return [got.users, got.items, got.weights.tolist(), got.ts.tolist(), got.ids]


@settings(max_examples=200, deadline=None)
@given(written())
def test_any_order_case_subset_and_form_gives_the_canonical_events(one: Written) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "my José.csv"
        path.write_text("\n".join(one.lines) + "\n", newline="")
        got = decoder(one.options).decode(one.lines, NOW, [str(path)] * len(one.lines))
    expected = decoder({**one.options, "header": "no"}).decode(one.canonical, NOW)
    assert columns_of(got) == columns_of(expected)
    assert [bad.reason for bad in got.rejected] == [bad.reason for bad in expected.rejected]
    assert got.ignored == 3


@settings(max_examples=100, deadline=None)
@given(st.lists(written(), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_mixed_files_give_the_events_of_each_in_the_order_of_the_lines(
    some: list[Written], random: Any
) -> None:
    reader = decoder(some[0].options)
    with tempfile.TemporaryDirectory() as folder:
        queues: list[list[tuple[str, str]]] = []
        for number, one in enumerate(some):
            path = Path(folder) / f"{number}.csv"
            path.write_text("\n".join(one.lines), newline="")
            queues.append([(str(path), line) for line in one.lines])
        mixed = list(shuffled(queues, random))
        together = reader.decode([line for _, line in mixed], NOW, [file for file, _ in mixed])
        alone = [reader.decode([line], NOW, [file]) for file, line in mixed]
    for at, column in enumerate(columns_of(together)):
        assert column == [value for got in alone for value in columns_of(got)[at]]
    assert [(bad.index, bad.reason, bad.detail) for bad in together.rejected] == [
        (index, bad.reason, bad.detail) for index, got in enumerate(alone) for bad in got.rejected
    ]
    assert together.ignored == sum(got.ignored for got in alone)


def shuffled(queues: Sequence[list[Any]], random: Any) -> Iterator[Any]:
    """The entries of all queues, each queue in its order."""
    while left := [queue for queue in queues if queue]:
        yield random.choice(left).pop(0)


def file(tmp_path: Path, text: str, name: str = "a.csv") -> str:
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_a_header_of_another_order_in_the_middle_is_a_dead_letter(tmp_path: Path) -> None:
    lines = ["user,item,ts", "a,x,", "Item,User,TS", "user,item,ts"]
    path = file(tmp_path, "\n".join(lines))
    got = decoder({}).decode(lines, NOW, [path] * 4)
    assert (got.users, got.ignored) == (["a"], 2)
    (bad,) = got.rejected
    assert (bad.index, bad.reason) == (2, "wrong_columns")
    assert "a header with another order of the columns than the file's" in bad.detail
    message = decoder({}).decode(["item,user,type,ts,value,id"], NOW)
    assert [bad.reason for bad in message.rejected] == ["wrong_columns"]


def test_lines_of_a_file_with_unknown_names_say_what_to_set(tmp_path: Path) -> None:
    lines = ["ItemId,UserId,type,ts,value,id", "x,a,view,,,", "", "y,b,view,,,"]
    got = decoder({}).decode(lines, NOW, [file(tmp_path, "\n".join(lines))] * 4)
    assert (len(got), got.ignored) == (0, 2)
    assert [(bad.index, bad.reason) for bad in got.rejected] == [
        (1, "wrong_columns"),
        (3, "wrong_columns"),
    ]
    for option in ("--set source.fields.user=UserId", "--set source.fields.item=ItemId"):
        assert option in got.rejected[0].detail


def test_a_file_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    reader, path = decoder({}), tmp_path / "late.csv"
    for _ in range(2):
        got = reader.decode(["x,a,,,,"], NOW, [str(path)])
        assert "late.csv cannot be read: No such file" in got.rejected[0].detail
    path.write_text("item,user\n")
    assert reader.decode(["x,a"], NOW, [str(path)]).users == ["a"]
    path.unlink()
    assert reader.decode(["y,b"], NOW, [str(path)]).users == ["b"]


def test_a_file_without_a_header_beside_one_with(tmp_path: Path) -> None:
    plain = file(tmp_path, "a,x,view,,,\n", "plain.csv")
    other = file(tmp_path, "item,user\n", "other.csv")
    got = decoder({}).decode(["y,b", "a,x,view,,,"], NOW, [other, plain])
    assert (got.users, got.items) == (["b", "a"], ["y", "x"])


@pytest.mark.parametrize("decimal", [".", ","])
def test_decimal_marks(decimal: str, tmp_path: Path) -> None:
    text = f"user;item;type;value;ts\na;x;rating;4{decimal}5;1661431896{decimal}5"
    path = file(tmp_path, text)
    reader = decoder({"delimiter": ";", "decimal": decimal})
    got = reader.decode(text.splitlines(), NOW, [path] * 2)
    assert (got.weights.tolist(), got.ts.tolist()) == ([0.75], [1661431896500])
    other = ".,".replace(decimal, "")
    bad = reader.decode([f"a;x;rating;1{other}5;"], NOW, [path]).rejected
    assert [one.reason for one in bad] == ["wrong_type"]
    assert "decimal" in bad[0].detail


def test_a_decimal_comma_between_quotes() -> None:
    reader = decoder({"decimal": ","})
    assert reader.decode(['a,x,rating,,"4,5",'], NOW).weights.tolist() == [0.75]


def test_quotes_can_be_ordinary_characters(tmp_path: Path) -> None:
    text = 'user\titem\nu\t12" Mix\nu\t"Live"'
    path = file(tmp_path, text)
    got = decoder({"delimiter": "\\t", "quote": ""}).decode(text.split("\n"), NOW, [path] * 3)
    assert got.items == ['12" Mix', '"Live"']


@given(
    st.permutations(["user", "item", "ts", "x"]),
    st.permutations(["user", "item", "ts", "x"]),
    st.integers(1, 9),
    st.integers(1, 20),
)
def test_no_event_is_read_by_a_header_of_another_order(
    first: list[str], second: list[str], at: int, size: int
) -> None:
    """Files that were joined: what follows the second header is read right, or a dead letter."""
    row = {"user": "u", "item": "i", "ts": "1780000000", "x": "9"}
    rows = [
        *([",".join(first), *[",".join(row[name] for name in first)] * at]),
        *([",".join(second), *[",".join(row[name] for name in second)] * 5]),
    ]
    reader = decoder({})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "e.csv"
        path.write_text("\n".join(rows))
        blocks = [rows[n : n + size] for n in range(0, len(rows), size)]
        got = [reader.decode(block, NOW, [str(path)] * len(block)) for block in blocks]
    assert {user for one in got for user in one.users} == {"u"}
    same = first == second
    assert sum(map(len, got)) == (at + 5 if same else at)
    assert sum(len(one.rejected) for one in got) == (0 if same else 6)


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("names", ["user,item,ts", "UserId,ItemId,when", "a,b,"])
def test_lines_that_end_in_carriage_returns_alone_are_not_lost(
    tmp_path: Path, names: str, quote: str
) -> None:
    """The whole file is one line, which is no header."""
    rows = [f"{quote}{row.replace(',', f'{quote},{quote}')}{quote}" for row in (names, "u,i,9")]
    path = tmp_path / "mac.csv"
    path.write_bytes("".join(f"{row}\r" for row in rows).encode())
    got = decoder({}).decode(["\r".join(rows)], NOW, [str(path)])
    assert (len(got), got.ignored) == (0, 0)
    assert [bad.reason for bad in got.rejected] == ["wrong_columns"]
    assert quote or "carriage returns" in got.rejected[0].detail
