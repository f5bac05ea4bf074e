"""Exports become lines that the job reads, and what cannot be read is counted and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flink_app.config import load
from flink_app.console.failures import FAILED, FINISHED
from flink_app.data.imports import bring
from udfs.errors import ServiceError, SourceError

USERS = """\
{"UserId":"bob","Labels":{"country":"DE","age":33,"text":{"embedding":[0.1,0.2]}},"Comment":"Bob"}
{"UserId":"ann","Labels":["a","b"],"Comment":""}
"""
ITEMS = """\
{"ItemId":"kettle","IsHidden":false,"Categories":["tea"],"Timestamp":"2024-01-01T01:01:01.00000001Z",\
"Labels":{"embedding":[0.1,0.2],"genre":["x"]},"Comment":"Copper kettle"}
{"ItemId":"mug","IsHidden":true,"Categories":null,"Timestamp":"0001-01-01T00:00:00Z",\
"Labels":null,"Comment":""}
"""
FEEDBACK = """\
{"FeedbackType":"star","UserId":"bob","ItemId":"kettle","Value":1,"Timestamp":"2024-03-01T01:01:01Z",\
"Updated":"0001-01-01T00:00:00Z","Labels":null,"Comment":""}
{"FeedbackType":"read","UserId":"bob","ItemId":"mug","Value":0,"Timestamp":"2024-02-01T01:01:01Z"}
"""
GORSE: list[dict[str, Any]] = [
    {"kind": "profile", "user": "bob", "country": "DE", "attributes": {"age": 33}},
    {"kind": "profile", "user": "ann", "attributes": {"labels": ["a", "b"]}},
    {
        "kind": "item",
        "item": "kettle",
        "title": "Copper kettle",
        "categories": ["tea"],
        "hidden": False,
        "published": "2024-01-01T01:01:01.00000001Z",
        "attributes": {"genre": ["x"]},
        "vector": [0.1, 0.2],
    },
    {"kind": "item", "item": "mug", "hidden": True},
    {"user": "bob", "item": "mug", "type": "view", "ts": "2024-02-01T01:01:01Z"},
    {"user": "bob", "item": "kettle", "type": "like", "ts": "2024-03-01T01:01:01Z"},
]


def brought(
    folder: Path, system: str, code: int = FINISHED, settings: tuple[str, ...] = (), **files: str
) -> list[dict[str, Any]]:
    """The lines that files of these names become."""
    paths = [folder / name.replace("_", ".") for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text, newline="")
    to = folder / "out" / "lines.jsonl"
    assert bring(load(None, [*settings], {}).config, system, paths, str(to)) == code
    return [json.loads(line) for line in to.read_bytes().splitlines()]


def test_exports_of_gorse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"feedback_jsonl": FEEDBACK, "items_jsonl": ITEMS, "users_jsonl": USERS}
    found = brought(tmp_path, "gorse", **files)
    assert sorted(found, key=str) == sorted(GORSE, key=str)
    assert found[-2:] == GORSE[-2:], "events last, by time"
    told = capsys.readouterr().out
    assert told.startswith("2 profiles, 2 items and 2 events written to ")
    assert "learn from them: millirec run " in told


def test_exports_of_gorse_before_0_5(tmp_path: Path) -> None:
    items = (
        "item_id,is_hidden,categories,time_stamp,labels,description\r\n"
        '1,false,x|y,2021-01-01 01:01:01.000000001 +0000 UTC,b|c,"t\r\nw,o"\r\n'
        '3,true,,2022-01-01 01:01:01 +0000 UTC,"{""genre"":[""d""]}","""three"""\r\n'
    )
    feedback = (
        "feedback_type,user_id,item_id,time_stamp\r\n"
        "read,0,1,2021-01-01 01:01:01.000000001 +0000 UTC\r\n"
        "click,0,3,0001-01-01 00:00:00 +0000 UTC\r\n"
    )
    users = "user_id,labels\r\n1,a|b\r\n"
    found = brought(tmp_path, "gorse", users_csv=users, items_csv=items, feedback_csv=feedback)
    assert found[0] == {"kind": "profile", "user": "1", "attributes": {"labels": ["a", "b"]}}
    assert found[1]["tags"] == ["b", "c"] and found[1]["categories"] == ["x", "y"]
    assert found[1]["title"] == "t\r\nw,o"
    assert found[2]["title"] == '"three"' and found[2]["attributes"] == {"genre": ["d"]}
    assert found[3]["type"] == "view" and "ts" not in found[4], "without a time: when it is read"


def test_bad_lines_of_csv_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"user_id,labels\r\n1,a\r\n2\r\n3,{'x' * 200_000}\r\n\r\n4,b\r\n"
    found = brought(tmp_path, "gorse", FAILED, users_csv=text)
    assert [line["user"] for line in found] == ["1", "4"]
    told = capsys.readouterr().err
    assert "line 3 left out: the line has 1 cells, the header 2" in told
    assert "line 4 left out: it is no CSV" in told


METARANK = """\
{"event":"item","id":"1","timestamp":"1599391467000","item":"item1","fields":[\
{"name":"title","value":"Your cat"},{"name":"color","value":["white","black"]},\
{"name":"vec","value":[0.1,0.2]}]}
{"event":"user","id":"2","timestamp":"1599391467000","user":"user1","fields":[\
{"name":"age","value":33},{"name":"gender","value":"m"}]}
{"event":"ranking","id":"r","timestamp":"1599391468000","user":"user1","session":"s","fields":[],\
"items":[{"id":"item3","fields":[{"name":"relevancy","value":2.0}]},{"id":"item1"}]}
{"event":"interaction","id":"4","ranking":"r","timestamp":"2020-09-06T11:24:29Z","session":"s",\
"type":"add-to-cart","item":"item1"}
"""


@pytest.mark.parametrize("array", [False, True])
def test_events_of_metarank(array: bool, tmp_path: Path) -> None:
    text = METARANK
    if array:
        text = "[" + ",\n".join(METARANK.splitlines()) + "]\n"
    profile, item, first, second, last = brought(tmp_path, "metarank", events_json=text)
    assert (item["title"], item["vector"], item["ts"]) == ("Your cat", [0.1, 0.2], "1599391467000")
    assert (profile["gender"], profile["attributes"]) == ("m", {"age": 33})
    assert (first["item"], first["type"], first["rec"]) == ("item3", "impression", "r")
    assert (first["user"], first["session"], last["session"]) == ("user1", "s", "s")
    assert first["id"] != second["id"] and second["item"] == "item1"
    assert (last["user"], last["type"], last["rec"]) == ("s", "cart", "r"), "the session's"


@pytest.mark.parametrize(
    ("system", "line", "sentence"),
    [
        ("gorse", "nonsense", "is no JSON"),
        ("gorse", "7", "but no object"),
        ("gorse", "{}", "none of Gorse's fields"),
        ("gorse", '{"UserId":"","Labels":null}', "the user is an empty string"),
        ("gorse", '{"FeedbackType":"share","UserId":"a","ItemId":"b"}', "'share' has no weight"),
        ("gorse", '{"FeedbackType":["x"],"UserId":"a","ItemId":"b"}', "line 3 left out"),
        ("gorse", '{"ItemId":"b","Categories":{"a":1}}', "categories"),
        ("metarank", '{"event":"page"}', "'event' is 'page'"),
        ("metarank", '{"event":"ranking","user":"a","items":7}', "no list of objects"),
        ("metarank", '{"event":"item","item":"a","fields":[7]}', "no list of objects"),
        ("metarank", '{"event":"interaction","item":"a","type":"click"}', "no 'user'"),
    ],
)
def test_what_is_left_out_is_said(
    system: str, line: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {"gorse": FEEDBACK, "metarank": METARANK}[system].splitlines()
    text = "\n".join([*good[-2:], line, ""])
    found = brought(tmp_path, system, FAILED, a_jsonl=text)
    assert len(found) in (2, 3), "what is usable is written"
    told = capsys.readouterr()
    assert "a.jsonl, line 3 left out: " in told.err and sentence in told.err
    assert told.out.splitlines()[0].endswith("; 1 record left out")


def test_a_weight_lets_a_type_in(tmp_path: Path) -> None:
    line = '{"FeedbackType":"share","UserId":"a","ItemId":"b"}\n'
    settings = ("events.weights.share=1.5",)
    assert brought(tmp_path, "gorse", settings=settings, a_jsonl=line)[0]["type"] == "share"


def test_a_rating_has_its_value(tmp_path: Path) -> None:
    line = '{"FeedbackType":"rating","UserId":"a","ItemId":"b","Value":4}\n'
    assert brought(tmp_path, "gorse", a_jsonl=line)[0]["value"] == 4


def test_nothing_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert brought(tmp_path, "gorse", FAILED, a_jsonl="\n") == []
    assert "there are no records in " in capsys.readouterr().err


def test_files_that_are_not_there(tmp_path: Path) -> None:
    config = load(None, [], {}).config
    with pytest.raises(SourceError):
        bring(config, "gorse", [tmp_path / "none"], str(tmp_path / "x"))
    (tmp_path / "a").write_text(FEEDBACK)
    with pytest.raises(ServiceError):
        bring(config, "gorse", [tmp_path / "a"], "/dev/null/x")


@pytest.mark.parametrize("text", [FEEDBACK, METARANK, "\x00\ud7ff{", '{"event":{}}', "[[[[", "[]"])
@pytest.mark.parametrize("system", ["gorse", "metarank"])
def test_nothing_of_a_line_raises(system: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text)
    to = tmp_path / "out"
    assert bring(load(None, [], {}).config, system, [tmp_path / "a"], str(to)) in (0, FAILED)
    for line in to.read_bytes().splitlines():
        msgspec.json.decode(line)
