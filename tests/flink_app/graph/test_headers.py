"""A job reads each CSV file by its own header, or does not start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flink_app.config import load
from flink_app.graph.headers import check_headers
from tests.flink_app.jobs import counts, letters, lists, run
from udfs.errors import SourceError

CSV = "source.format=csv"
IDS = "source.fields.user=User-ID", "source.fields.item=ISBN"


def check(*settings: str) -> None:
    check_headers(load(None, [CSV, *settings], {}).config)


def paths(*files: Path) -> str:
    return "source.paths=" + json.dumps([str(file) for file in files])


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("item,USER , ts\nx,a,1661431896\n", []),
        ("a,x,view,1661431896,,\n", []),
        ("", []),
        ("", IDS),
        ("\n\n" + '"User-ID";"ISBN";"Book-Rating"\r\n', ["source.delimiter=;", *IDS]),
        ("what,who\nx,a\n", ['source.columns=["item","user"]', "source.header=yes"]),
        ("who,what\n", ["source.header=no"]),
        ("Rating,user,item\n", ["source.fields.user=2", "source.fields.item=3"]),
        ('{"user":"a","item":"x"}', ["source.format=json"]),
    ],
)
def test_files_whose_columns_are_known_are_read(
    text: str, settings: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "events.csv"
    file.write_text(text)
    check(paths(file), *settings)
    check(paths(tmp_path), *settings)


@pytest.mark.parametrize(
    ("text", "settings", "sentence"),
    [
        (
            "favori,UserId,ItemId\nview,a,x\n",
            [],
            "no column 'user' or 'item': name the columns, --set source.fields.user=UserId "
            "--set source.fields.item=ItemId; if it is no header, --set source.header=no",
        ),
        ("user,sku,ts\n", [], "no column 'item': name the columns, --set source.fields.item=sku;"),
        ("item,user,USER\n", [], "the column 'user' 2 times"),
        ("user,item,wann\n", ["source.fields.ts=wan"], "no column 'wan': name the columns, "),
        ("a,x\nb,y\n", IDS, "such as User-ID, ISBN: give each file a header, name them all"),
        ("wer,was\na,x\n", ["source.header=yes"], "or name all columns in source.columns"),
        (
            "UserId,ItemId\na,x\n",
            ["source.fields.user=2", "source.fields.item=1"],
            "the user is read from column 2, which the header calls 'ItemId'",
        ),
    ],
)
def test_others_are_refused_with_what_to_set(
    text: str, settings: list[str], sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "events.csv"
    file.write_text(text)
    for path in (file, tmp_path):
        with pytest.raises(SourceError) as caught:
            check(paths(path), *settings)
        assert str(caught.value).startswith(f"{file} cannot be read: ")
        assert sentence in str(caught.value)
    check("source.kind=directory", paths(tmp_path), *settings)  # they become dead letters


def test_hidden_files_below_a_folder_are_not_looked_at(tmp_path: Path) -> None:
    for name in ("_new/a.csv", ".b.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("UserId,ItemId\n")
    check(paths(tmp_path))


@pytest.mark.parametrize("kind", ["kafka", "flink"])
def test_lines_without_files_need_names_or_numbers(kind: str) -> None:
    check(f"source.kind={kind}")
    check(f"source.kind={kind}", *IDS, 'source.columns=["ISBN","User-ID"]')
    with pytest.raises(SourceError, match=r"from 'User-ID', .* no header: name them all"):
        check(f"source.kind={kind}", *IDS)


@pytest.mark.parametrize(
    ("text", "settings", "problem"),
    [
        ("sku,name\na,A\n", ["items.fields.item=sku"], ""),
        ("sku,name\na,A\n", [], "has no column 'item'.*items.fields.item=sku"),
        ("1|Toy\n", ["items.preset=movielens"], ""),
        ("", [], ""),
    ],
)
def test_a_file_of_items_names_the_item(
    tmp_path: Path, text: str, settings: list[str], problem: str
) -> None:
    file = tmp_path / "items.csv"
    file.write_text(text)
    given = ["source.kind=kafka", "items.kind=files", f"items.paths={file}", "items.format=csv"]
    config = load(None, [*given, *settings], {}).config
    if not problem:
        check_headers(config)
        return
    with pytest.raises(SourceError, match=problem):
        check_headers(config)


def test_a_topic_of_items_has_no_header() -> None:
    given = ["source.kind=kafka", "items.kind=kafka", "items.format=csv"]
    with pytest.raises(SourceError, match=r"in items\.columns"):
        check_headers(load(None, given, {}).config)
    check_headers(load(None, [*given, 'items.columns=["item","title"]'], {}).config)


@pytest.mark.job
def test_files_of_different_columns_in_one_run(tmp_path: Path, redis_url: str) -> None:
    """Users are never learned as items, in whichever file and subtask."""
    forms: list[tuple[str, Any]] = [
        ("user,item,ts", lambda user, item, ts: f"{user},{item},{ts}"),
        ('\ufeffTS,"Item", note ,USER', lambda user, item, ts: f'{ts},"{item}",,{user}'),
    ]
    count, files, dead = 600, [], tmp_path / "dead"
    for number, (header, row) in enumerate(forms):
        events = range(number, count, len(forms))
        rows = [row(f"u{n % 31}", f"i{n * 7 % 53}", 1_700_000_000 + n) for n in events]
        rows.insert(100, header)  # files have been joined
        files.append(tmp_path / f"{number}.csv")
        files[-1].write_text("\n".join([header, *rows]) + "\n")
    files.append(tmp_path / "plain.csv")
    files[-1].write_text("u1,i1,view,1700000000,,\nu1,i1\n")
    settings = ("job.parallelism=2", "job.shards=2", "job.item_shards=2")
    fields = run(redis_url, CSV, paths(*files), f"dead_letters.path={dead}", *settings)
    assert counts(fields) == {
        "received": count + 6,
        "learned": count + 1,
        "duplicates": 0,
        "dead": 1,
        "ignored": 4,
    }
    assert [(bad["reason"], bad["line"]) for bad in letters(dead)] == [("wrong_columns", "u1,i1")]
    found = lists(redis_url)
    assert set(found) == {f"rec:u{n}" for n in range(31)}
    assert {item["item"][0] for one in found.values() for item in one["items"]} == {"i"}
