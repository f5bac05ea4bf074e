"""Ids that a spreadsheet rewrote are counted, and the advice mends them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from flink_app.config import load
from flink_app.data.validate.ids import Ids
from flink_app.data.validate.rewritten import rewritten
from flink_app.data.validate.validation import Validation, examine


def examined(path: Path, rows: list[tuple[str, str]], *settings: str) -> Validation:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["user", "item", "type", "ts", "value", "id"])
        writer.writerows([u, i, "view", 1.6e9 + n, "", ""] for n, (u, i) in enumerate(rows))
    config = load(None, ["source.format=csv", *settings], {}).config
    return examine(config, [path], Console(quiet=True))


def found(result: Validation, name: str) -> tuple[str, int, str, str]:
    [check] = [check for check in result.checks if check.name == name]
    return check.status, check.count, check.found, check.advice


def test_floats_beside_whole_numbers_are_counted_and_mended(tmp_path: Path) -> None:
    rows = [("1001", "7.0"), ("1001.0", "7"), ("1002.0", "8"), ("1003", "1.0E+9")]
    before = examined(tmp_path / "e.csv", rows)
    status, count, text, advice = found(before, "user numbers")
    assert (status, count) == ("WARN", 2)
    assert "of 4 ids 2 such as '1001.0', 1 without .0 too" in text
    status, count, text, advice = found(before, "item numbers")
    assert (status, count) == ("WARN", 2)
    assert "'1.0E+9', which may lack digits" in text
    option = advice.split()[1]  # --set …
    after = examined(tmp_path / "e.csv", rows, option)
    assert (after.events, after.users, after.items) == (4, 3, 3)
    for name in ("user numbers", "item numbers"):
        assert found(after, name)[0] == "PASS"


def test_leading_zeros_that_are_lost_in_places(tmp_path: Path) -> None:
    rows = [("a", "0108775015"), ("b", "108775015"), ("b", "0208775015")]
    status, count, text, advice = found(examined(tmp_path / "e.csv", rows), "item numbers")
    assert (status, count) == ("WARN", 1)
    assert "'0108775015' beside '108775015'" in text
    assert "would reject the user 'a'" in advice and "dtype=str" in advice


def test_stand_ins_of_data_frames(tmp_path: Path) -> None:
    rows = [("NaN", "1"), ("<NA>", "1"), ("\\N", "2"), ("NaT", "3"), ("#N/A", "3"), ("9", "3")]
    assert found(examined(tmp_path / "e.csv", rows), "user stand-ins")[:2] == (
        "WARN",
        4,
    )  # \\N is an empty cell
    after = examined(tmp_path / "e.csv", rows, "events.ids=integers")
    assert after.events == 1
    [dead] = [check for check in after.checks if check.name == "empty_user"]
    assert dead.count == 4 and "stands for a missing one" in dead.example


NAMES = st.lists(st.text(min_size=1, max_size=6) | st.from_regex(r"\A[0-9]{1,3}(\.0|e\+?5)?\Z"))


@given(NAMES)
def test_any_ids_have_a_finding(names: list[str]) -> None:
    ids = Ids("user")
    ids.add(names, str)
    text, counted, advice = rewritten(ids, [ids])
    assert text and bool(counted.count) == bool(advice)


@pytest.mark.parametrize("name", ["12e5", "1.2.0", "1.5", "0", "00", "a.0", "3e0"])
def test_ordinary_ids_are_left_alone(name: str) -> None:
    ids = Ids("user")
    ids.add([name], str)
    assert not rewritten(ids, [ids])[1].count
