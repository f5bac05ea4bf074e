"""`millirec validate` finds what is wrong with a file, says where it is and what to do."""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
from pathlib import Path
from time import time as clock
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from flink_app.cli import main
from flink_app.config import load
from flink_app.data.recorded import Block
from flink_app.data.validate.advice import ADVICE
from flink_app.data.validate.checks import Check
from flink_app.data.validate.tally import Tally
from flink_app.data.validate.validation import Validation, examine, table
from flink_app.graph.event_settings import decode_settings
from tests.udfs.csv_forms import Written, written
from udfs.events import decode

NOW = 1_700_000_000_000
DATA = Path(os.environ.get("RECORDED_DATA", Path(__file__).parents[5] / "shared" / "data"))


def event(user: str, item: str, ts: float, **more: Any) -> dict[str, Any]:
    return {"user": user, "item": item, "type": "click", "ts": ts} | more


def good(users: int = 60, items: int = 40) -> list[dict[str, Any]]:
    """Events without any fault: every user clicks every item once, in order."""
    return [
        event(f"u{user}", f"i{item}", 1.6e9 + item * users + user, id=f"e{user}-{item}")
        for item in range(items)
        for user in range(users)
    ]


def examined(tmp_path: Path, events: list[Any], *settings: str) -> dict[str, Check]:
    lines = [e if isinstance(e, bytes) else msgspec.json.encode(e) for e in events]
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    found = examine(load(None, settings, {}).config, [path], Console(quiet=True))
    assert {check.status for check in found.checks} <= {"PASS", "WARN", "FAIL"}
    return {check.name: check for check in found.checks}


def test_good_events_pass_every_check(tmp_path: Path) -> None:
    found = examined(tmp_path, good())
    assert {name: c.status for name, c in found.items() if c.status != "PASS"} == {}
    assert not any(check.advice or check.example for check in found.values())


def at(events: list[Any], place: int, *more: Any) -> list[Any]:
    return [*events[:place], *more, *events[place:]]


BASE = good()
WRONG: dict[str, tuple[str, list[Any], int]] = {
    # the check: its status, the events, the line of the example
    "times": ("WARN", at(BASE, 9, {"user": "u1", "item": "i9"}), 0),
    "future": ("WARN", at(BASE, 2400, event("u1", "i1", clock() + 40_000)), 2401),
    "order": ("WARN", at(BASE, 2400, event("u1", "x", 1.6e9)), 2401),
    "ids": ("WARN", at(BASE, 7, BASE[6] | {"item": "i39"}), 8),
    "duplicates": ("WARN", at(BASE, 60, *BASE[:50]), 61),
    "user ids": ("WARN", at(BASE, 3, event("a\u200b", "i1", 1.6e9)), 4),
    "item ids": ("WARN", at(BASE, 3, event("a", " i1", 1.6e9)), 4),
    "user case": ("WARN", at(BASE, 3, event("U1", "i1", 1.6e9)), 0),
    "item stand-ins": ("WARN", at(BASE, 3, event("a", "Null", 1.6e9)), 4),
    "user numbers": ("WARN", at(BASE, 3, event("1001.0", "i1", 1.6e9)), 0),
    "users": ("WARN", [*BASE, *(event(f"v{n}", "i1", 1.7e9 + n) for n in range(99))], 0),
    "items": ("WARN", [*BASE, *(event("u1", f"j{n}", 1.7e9 + n) for n in range(99))], 0),
    "busiest user": ("WARN", [*BASE, *(event("b", "i1", 1.7e9 + n) for n in range(2500))], 0),
    "popularity": (
        "WARN",
        [*good(60, 120), *(event(f"u{n % 60}", "bag", 1.7e9 + n) for n in range(9000))],
        0,
    ),
    "repeats": ("WARN", [*BASE, *(event("u1", "i1", 1.7e9 + n) for n in range(2500))], 0),
    "tests": ("WARN", BASE[:600], 0),
    "types": ("FAIL", [e | {"type": "impression"} for e in BASE], 0),
    "ratings": ("WARN", [e | {"type": "rating", "value": 10} for e in BASE], 0),
    "lines": ("FAIL", at(BASE, 5, *[b"no event"] * 200), 0),
    "not_json": ("WARN", at(BASE, 5, b"no event"), 6),
    "unknown_type": ("FAIL", at(BASE, 5, *[event("a", "b", 1.6e9, type="stare")] * 300), 6),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_check_finds_its_fault(name: str, tmp_path: Path) -> None:
    status, events, line = WRONG[name]
    check = examined(tmp_path, events)[name]
    assert check.status == status
    assert check.advice
    assert check.count > 0
    if line:
        assert check.where == f"{tmp_path / 'events.jsonl'}, line {line:,}"


@settings(max_examples=25, deadline=None)
@given(written())
def test_csv_is_validated_by_the_names_of_its_columns(one: Written) -> None:
    options = [f"source.{name}={json.dumps(value)}" for name, value in one.options.items()]
    found = []
    for lines, header in ((one.lines, "auto"), (one.canonical, "no")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "events.csv"
            path.write_text("\n".join(lines), newline="")
            chosen = ["source.format=csv", f"source.header={header}", *options]
            found.append(examine(load(None, chosen, {}).config, [path], Console(quiet=True)))
    csv, canonical = found
    assert (csv.events, csv.users, csv.items) == (
        canonical.events,
        canonical.users,
        canonical.items,
    )
    assert csv.lines == canonical.lines + 3
    assert [check.count for check in csv.checks] == [check.count for check in canonical.checks]


def test_each_reason_of_a_dead_letter_has_advice() -> None:
    assert decode.__doc__ is not None
    reasons = set(re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", decode.__doc__.split("reasons")[1]))
    of_values = {"not_framed", "unknown_schema", "unfit_schema", "unreadable_value"}  # not in files
    assert set(ADVICE) == reasons - {"dead_letters"} - of_values


def test_every_check_is_documented() -> None:
    text = (Path(__file__).parents[4] / "docs" / "data.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])}
    assert set(WRONG) | {"item case", "user stand-ins"} <= named | set(ADVICE)


@pytest.mark.parametrize(
    ("line", "given", "wanted"),
    [
        ("1\t2\t3\t875747190", [], "--preset movielens"),
        ("1|2|3|875747190", [], "--preset movielens --set 'source.delimiter=\"|\"'"),
        ("ann,mug,view,,,", [], "--set source.format=csv"),
        ("ann;mug;view;;;", ["source.format=csv"], "--set 'source.delimiter=\";\"'"),
        ('{"UserId":"a","ItemId":"b","FeedbackType":"read"}', [], "--preset gorse"),
        ("what is this", [], "is text without delimiters, of which no line is an event"),
    ],
)
def test_the_format_is_guessed(tmp_path: Path, line: str, given: list[str], wanted: str) -> None:
    found = examined(tmp_path, [line.encode()] * 20, *given)
    assert found["lines"].status == "FAIL"
    assert wanted in found["lines"].advice


@pytest.mark.parametrize("time", ["31/05/2022 12:00", "05/31/2022", "20220531", "31.05.22 9:30"])
def test_the_form_of_times_is_proposed(tmp_path: Path, time: str) -> None:
    events = [event("ann", f"i{n}", 0) | {"ts": time} for n in range(20)]
    found = examined(tmp_path, events)
    assert found["lines"].status == "FAIL"
    [bad] = [check for name, check in found.items() if "time" in name]
    assert "source.time_format=" in bad.advice
    [form] = re.findall(r'set source.time_format to "([^"]+)"', bad.example)
    assert examined(tmp_path, events, f"source.time_format={form}")["lines"].status == "PASS"


def test_an_empty_file_is_a_failure(tmp_path: Path) -> None:
    for content in (b"", b"\n\n"):
        path = tmp_path / "empty"
        path.write_bytes(content)
        found = examine(load(None, [], {}).config, [path], Console(quiet=True))
        assert (found.status, [check.name for check in found.checks]) == ("FAIL", ["lines"])


def test_types_are_shown_as_they_are_learned(tmp_path: Path) -> None:
    events = [{"UserId": "a", "ItemId": f"i{n}", "FeedbackType": "read"} for n in range(4)]
    events.append(events[0] | {"FeedbackType": " Star"})
    found = examined(tmp_path, events, "source.preset=gorse")
    assert found["types"].found == "view 4 (weight 1), like 1 (weight 2)"


rows = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 9)), max_size=40
)


@given(rows, st.integers(1, 7))
def test_the_size_of_blocks_makes_no_difference(
    rows: list[tuple[str, str, int]], size: int
) -> None:
    """Counts of repetitions and of times that go back, compared with plain loops over all rows."""
    lines = [msgspec.json.encode(event(u, i, 1.6e9 + t)).decode() for u, i, t in rows]
    tally = Tally(decode_settings(load(None, [], {}).config), NOW)
    for first in range(0, len(lines), size):
        tally.add(Block(Path("f"), first + 1, lines[first : first + size]))
    last: dict[str, int] = {}
    back = []
    for line, (user, _, time) in enumerate(rows, start=1):
        if time < last.get(user, 0):
            back.append(line)
        last[user] = time
    assert tally.back.count == len(back)
    assert tally.back.where == (f"f, line {back[0]}" if back else "")
    assert tally.same_events().count == len(rows) - len(set(rows))
    assert tally.pairs() == len({(user, item) for user, item, _ in rows})
    assert tally.users.counts.sum() == len(rows)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["validate", *arguments])
    assert isinstance(ended.value.code, int)
    printed = capsys.readouterr()
    return ended.value.code, printed.out + printed.err


def test_the_command_and_its_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user,item,type,ts,value,id\n" + "a,x,view,,,\nb,\x1b[31m,view,,,\n" * 2)
    code, text = run(capsys, str(path), "--set", "source.format=csv")
    assert (code, "\x1b[31m" in text) == (0, False)
    assert re.search(r"5 lines, 4 events of 2 users on 2 items, read in .* 0 FAIL", text)
    code, text = run(capsys, str(path), "--json")
    assert code == 1
    found = msgspec.json.decode(text, type=Validation)
    assert (found.status, found.lines, found.events) == ("FAIL", 5, 0)
    assert run(capsys)[0] == 2
    assert run(capsys, str(tmp_path / "absent"))[0] == 2


def test_lines_about_users_and_searches_are_lines_like_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(
        '{"user":"ann","item":"tea","ts":1700000000}\n'
        '{"kind":"profile","user":"ann","country":"DE"}\n'
        '{"user":"ann","type":"search","query":"tea"}\n'
        '{"kind":"experiment","name":"new","end":true}\n'
    )
    code, text = run(capsys, str(path))
    assert code == 0
    every = "every line is an event, about an experiment, about a user or a search"
    assert every in " ".join(text.split())
    path.write_text(path.read_text() + '{"kind":"consent","user":"ann"}\n')
    code, text = run(capsys, str(path))
    assert "missing_personalise" in text and "1 of 5 lines cannot be used" in text


@pytest.mark.parametrize("head", ["", "user,item,ts\na,x,1700000000\n"])
def test_lines_of_kind_event_are_events(
    head: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events"
    path.write_text(head + '{"kind":"event","user":"b","item":"y","ts":1700000000}\n' * 2)
    given = ["--set", "source.format=csv", "--set", "source.header=yes"] if head else []
    code, text = run(capsys, str(path), *given, "--json")
    found = msgspec.json.decode(text, type=Validation)
    assert (code, found.events) == (0, 3 if head else 2)
    assert found.checks[0].found == "every line is an event"


def test_a_narrow_table_shows_everything(tmp_path: Path) -> None:
    check = Check(
        name="order",
        status="WARN",
        found="3 events",
        count=3,
        share=0.25,
        example="[bold]x",
        where="f, line 2",
        advice="sort it",
    )
    found = Validation(status="WARN", lines=12, events=12, users=1, items=1, checks=[check])
    console = Console(width=30, record=True, file=io.StringIO())
    console.print(table(found))
    words = console.export_text().split()
    assert " ".join(words) == "WARN order 3 events (25.0%) f, line 2: [bold]x → sort it"


def test_real_data() -> None:
    path = DATA / "ml-100k" / "u.data"
    if not path.exists():
        pytest.skip(f"{path} is not there: set RECORDED_DATA to a folder that holds ml-100k")
    config = load(None, ["source.preset=movielens"], {}).config
    found = examine(config, [path], Console(quiet=True))
    assert (found.lines, found.events, found.users, found.items) == (100_000, 100_000, 943, 1682)
    assert [check.name for check in found.checks if check.status != "PASS"] == ["order"]


def test_real_data_with_corrupt_rows() -> None:
    """The same number as the job's dead letters, see tests/flink_app/test_real_data.py."""
    path = DATA / "ml-1m-dirty" / "ratings.dat"
    if not path.exists():
        pytest.skip(f"{path} is not there: set RECORDED_DATA to a folder that holds ml-1m-dirty")
    settings = ["source.preset=movielens-dat", "source.delimiter=|"]
    found = examine(load(None, settings, {}).config, [path], Console(quiet=True))
    checks = {check.name: check for check in found.checks}
    assert checks["lines"].count == 15_288
    assert checks["lines"].status == found.status == "FAIL"
    reasons = ("missing_value", "value_out_of_range", "time_out_of_range")
    assert sum(checks[name].count for name in reasons) == 15_288


@given(st.lists(st.one_of(st.text(max_size=40), st.just('{"user":"a","item":"x"}')), max_size=30))
def test_every_line_is_accounted_for(lines: list[str]) -> None:
    tally = Tally(decode_settings(load(None, [], {}).config), NOW)
    tally.add(Block(Path("f"), 1, lines))
    dead = sum(found.count for found in tally.dead.values())
    assert tally.events + tally.ignored + dead == tally.lines == len(lines)
    assert all(found.where and found.example for found in tally.dead.values())


def test_several_events_of_a_line_are_counted_each(tmp_path: Path) -> None:
    products = [{"product_id": "p"}, {"product_id": []}, {"product_id": "q"}]
    order = {
        "type": "track", "event": "Order Completed", "messageId": "m", "userId": "u",
        "timestamp": "2023-08-25T12:51:36Z", "properties": {"products": products},
    }  # fmt: skip
    path = tmp_path / "calls.jsonl"
    lines = [{"type": "page", "anonymousId": "a"}, order, order | {"messageId": "n"}]
    path.write_bytes(b"\n".join(map(msgspec.json.encode, lines)) + b"\n")
    config = load(None, ["source.preset=segment"], {}).config
    found = examine(config, [path], Console(quiet=True))
    assert (found.lines, found.events, found.users, found.items) == (3, 4, 1, 2)
    by_name = {check.name: check for check in found.checks}
    assert by_name["lines"].found == "2 of 6 events cannot be used"
    assert by_name["wrong_type"].where.endswith("line 2")
    assert by_name["wrong_type"].example.startswith("element 1: ")
    assert by_name["ids"].status == "PASS"
    assert by_name["duplicates"].count == 2


def test_lines_about_items_are_told_from_events(tmp_path: Path) -> None:
    about = [{"kind": "item", "item": f"i{n}", "title": f"Thing {n}"} for n in range(40)]
    found = examined(tmp_path, [*about[:20], *good(), *about[20:]])
    assert found["lines"].found == "every line is an event or about an item"
    described = found["described"]
    assert (described.status, described.count) == ("PASS", 0)
    assert described.found.startswith("40 lines about 40 items; 0 of 40 items with events")
    bad = {"kind": "item", "item": "i7", "price": "cheap"}
    found = examined(tmp_path, [*good(), about[0], bad, b"{"])
    assert (found["described"].status, found["described"].count) == ("WARN", 39)
    assert found["wrong_type"].where.endswith("line 2,402")
    assert "the price 'cheap'" in found["wrong_type"].example
    assert found["not_json"].where.endswith("line 2,403")


def test_files_of_items_alone_are_checked(tmp_path: Path) -> None:
    table = tmp_path / "items.csv"
    table.write_text("sku,name\ni0,Thing\ni1\n")
    settings = ["items.kind=files", f"items.paths={table}", "items.format=csv"]
    settings.append("items.fields.item=sku")
    found = examined(tmp_path, good(), *settings)
    assert found["described"].found.startswith("1 line about 1 item; 39 of 40")
    assert found["wrong_columns"].where == f"{table}, line 3"
    only = examine(load(None, settings, {}).config, [], Console(quiet=True))
    assert {check.name: check.status for check in only.checks}["described"] == "PASS"
