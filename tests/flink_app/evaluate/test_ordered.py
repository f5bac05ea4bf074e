"""What is written in order of time is read as it was in its files, whatever their columns."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_app.config import Config, load
from flink_app.evaluate.ordered import as_written, in_order
from flink_app.evaluate.testable import NothingToTest
from flink_app.graph.event_settings import decode_settings
from tests.udfs.csv_forms import Written, written
from udfs.errors import SourceError
from udfs.events.decode import Decoder

NOW = 1_790_000_000_000
NUMBERS = [(1, "user"), (2, "item"), (3, "ts")]


def events(config: Config, path: Path) -> list[tuple[str, str, float, int, str]]:
    lines = path.read_text(encoding="utf-8").split("\n")
    got = Decoder(decode_settings(config)).decode(lines, NOW, [str(path)] * len(lines))
    columns = got.users, got.items, got.weights.tolist(), got.ts.tolist(), got.ids
    assert got.rejected == []
    return list(zip(*columns, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.lists(written(), min_size=1, max_size=3))
def test_files_of_any_columns_become_one(some: list[Written]) -> None:
    options = [f"source.{name}={json.dumps(value)}" for name, value in some[0].options.items()]
    config = load(None, ["source.format=csv", *options], {}).config
    with tempfile.TemporaryDirectory() as folder:
        out, files = Path(folder) / "out", []
        expected = []
        decoder = Decoder(decode_settings(config))
        for number, one in enumerate(some):
            if one.options != some[0].options:
                continue
            files.append(Path(folder) / f"{number}.csv")
            files[-1].write_text("\n".join(one.lines), newline="")
            got = decoder.decode(one.lines, NOW, [str(files[-1])] * len(one.lines))
            columns = got.users, got.items, got.weights.tolist(), got.ts.tolist(), got.ids
            expected += [event for event in zip(*columns, strict=True) if event[3] != NOW]
        if not expected:
            with pytest.raises((SourceError, NothingToTest)):
                in_order(files, decode_settings(config), NOW, out)
            return
        assert in_order(files, decode_settings(config), NOW, out)[0] == len(expected)
        assert events(as_written(config), out) == sorted(expected, key=lambda event: event[3])


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (
            "UserId,ItemId,When\na,x,9e8\n",
            [f"source.fields.{field}={n}" for n, field in NUMBERS],
        ),
        (
            "was,wer,wann\nx,a,9e8\n",
            ['source.columns=["item","user","ts"]', "source.header=yes"],
        ),
        (
            "favori,UserId,ItemId,TS\nview,a,x,9e8\n",
            ["source.fields.user=UserId", "source.fields.item=itemid", "source.fields.type=1"],
        ),
        ("x,a,7,9e8\n", ['source.columns=["item","who","","ts"]', "source.fields.user=who"]),
    ],
)
def test_however_the_columns_are_named(text: str, options: list[str], tmp_path: Path) -> None:
    file, out = tmp_path / "a.csv", tmp_path / "out"
    file.write_text(text)
    config = load(None, ["source.format=csv", *options], {}).config
    assert in_order([file], decode_settings(config), NOW, out)[0] == 1
    assert events(as_written(config), out) == [("a", "x", 1.0, 900_000_000_000, "")]


def test_a_file_whose_columns_are_unknown_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("UserId,ItemId\na,x\n")
    config = load(None, ["source.format=csv"], {}).config
    with pytest.raises(SourceError, match=r"a\.csv cannot be read: the header .* --set source"):
        in_order([file], decode_settings(config), NOW, tmp_path / "out")


def test_json_is_read_by_the_same_settings() -> None:
    assert as_written(Config()) == Config()


def test_events_of_kind_event_between_lines_of_csv_are_read_too(tmp_path: Path) -> None:
    """In order as they came, and with fields that the columns do not have."""
    file, out = tmp_path / "a.csv", tmp_path / "out"
    between = (
        '{"kind":"event","user":"bob","item":"y","type":"purchase","ts":900000000,"rec":"7-1"}'
    )
    file.write_text(f"user,item,ts\nann,x,9e8\n{between}\nann,z,900000000\ncid,v,8e8\n")
    config = load(None, ["source.format=csv"], {}).config
    assert in_order([file], decode_settings(config), NOW, out) == (4, 1, 0)  # the header
    lines = list(map(json.loads, out.read_text().splitlines()))
    assert [(one["user"], one["item"]) for one in lines] == [
        ("cid", "v"),
        ("ann", "x"),
        ("bob", "y"),
        ("ann", "z"),
    ]
    assert (lines[2]["type"], lines[2]["rec"]) == ("purchase", "7-1")
