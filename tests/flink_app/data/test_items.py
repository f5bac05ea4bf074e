"""What files say of items reaches the place that the job reads, and what cannot be read is told."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flink_app.config import Config, load
from flink_app.data.fetch.datasets import DATA_SETS
from flink_app.data.items import items
from tests.data_sets import data
from udfs.errors import ConfigError, SourceError
from udfs.events.items import ItemReader
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings

FLAGS = "0|" * 18 + "0"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


def watching(inbox: Path, *settings: str) -> Config:
    given = ["source.kind=directory", f"source.paths={inbox}", *settings]
    return load(None, given, {}).config


@pytest.fixture
def config(inbox: Path) -> Config:
    return watching(inbox)


def sent(inbox: Path) -> list[dict[str, Any]]:
    """The lines in the folder, in the order in which they were written."""
    files = sorted(inbox.iterdir()) if inbox.exists() else []
    lines = [line for file in files for line in file.read_bytes().splitlines()]
    found = [msgspec.json.decode(line) for line in lines]
    assert all(one.pop("kind") == "item" and one.pop("ts") > 1.7e12 for one in found)
    return found


def stored(inbox: Path, item: str) -> Any:
    found = [one for one in sent(inbox) if one.pop("item") == item]
    return found[-1] if found else None


def test_json_and_csv_keep_every_field(
    config: Config, inbox: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, table = tmp_path / "a.jsonl", tmp_path / "b.csv.gz"
    lines.write_text('{"item": 7, "title": "Kettle", "size": {"w": 9.5}}\n\n{"item":"é\\u0000"}\n')
    table.write_bytes(gzip.compress('\ufeffitem,title,category\nk-2,"Mug, blue",\n'.encode()))
    assert items(config, [lines, table], "item") == 0
    assert stored(inbox, "7") == {"title": "Kettle", "attributes": {"size.w": 9.5}}
    assert stored(inbox, "é\0") == {}
    assert stored(inbox, "k-2") == {"title": "Mug, blue"}
    assert capsys.readouterr().out == f"3 items written to {inbox}\n"


def test_ids_are_those_of_the_events(
    inbox: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, table = tmp_path / "a.jsonl", tmp_path / "b.csv"
    lines.write_text('{"item": 7.0, "title": "Kettle"}\n')
    table.write_text("item,title\n08.0,Mug\nNaN,Cup\n")
    integers = watching(inbox, "events.ids=integers")
    assert items(integers, [lines, table], "item") == 1
    assert stored(inbox, "7") == {"title": "Kettle"}
    assert stored(inbox, "8") == {"title": "Mug"}
    assert "b.csv, line 3 left out: the item 'NaN'" in capsys.readouterr().err
    assert items(watching(inbox), [lines], "item") == 1
    assert 'events.ids = "integers"' in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "utf-16-le"])
def test_the_encoding_is_that_of_the_source(encoding: str, inbox: Path, tmp_path: Path) -> None:
    file, title = tmp_path / "items.csv", "坂本" if encoding == "gbk" else "Café"
    file.write_bytes(f"item,title\na,{title}\n".encode(encoding))
    config = load(None, [f"source.encoding={encoding}"], {}).config
    assert items(config, [file], "item", to=f"{inbox}/") == 0
    assert stored(inbox, "a") == {"title": title}


def test_films_of_every_movielens(config: Config, inbox: Path, tmp_path: Path) -> None:
    films = {
        "u.item": f"1|Café (1995)|01-Jan-1995||http://x|0|0|1|1{FLAGS[7:]}\n2|?|||u|1|{FLAGS[2:]}\n",
        "movies.dat": "3::Dr. No (1962)::Action|Thriller\n",
        "movies.csv": 'movieId,title,genres\r\n4,"Kid, The (1921)",Comedy\r\n'
        "5,X,(no genres listed)\r\n",
    }
    for name, text in films.items():
        (tmp_path / name).write_bytes(text.encode("latin-1"))
        assert items(config, [tmp_path / name], "item") == 0
    cafe = {"title": "Café (1995)", "published": "1995-01-01T00:00:00.000Z"}
    cafe |= {"categories": ["Adventure", "Animation"]}
    assert stored(inbox, "1") == cafe
    assert stored(inbox, "2") == {"title": "?", "categories": None}
    assert stored(inbox, "3")["categories"] == ["Action", "Thriller"]
    kid = {"title": "Kid, The (1921)", "categories": ["Comedy"]}
    assert stored(inbox, "4") == kid
    assert stored(inbox, "5")["categories"] is None
    assert {one.items for one in DATA_SETS.values()} == films.keys()


def test_bad_lines_are_reported_and_the_rest_is_written(
    config: Config, inbox: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "items.jsonl"
    deep, long = f'{{"a":{"[" * 2000}{"]" * 2000}}}', f'{{"item":{"9" * 5000}}}'
    others = ["{", "[1]", '{"title":"x"}', '{"item":true}', f'{{"item":"{"x" * 513}"}}']
    bad = [*others, deep, long, '"\x1b[2J"']
    file.write_text("\n".join(['{"item":"a"}', *bad, '{"item":"b"}']))
    assert items(config, [file], "item") == 1
    out, err = capsys.readouterr()
    assert "2 items written" in out and "; 8 lines left out" in out
    reported = err.splitlines()
    assert [line.partition(": ")[0] for line in reported] == [
        f"{file}, line {n} left out" for n in range(2, 7)
    ]
    reasons = ("not JSON: ", "not an object", "item", "neither text nor", "513 bytes")
    for line, reason in zip(reported, reasons, strict=True):
        assert reason in line.partition(": ")[2]
    assert [one["item"] for one in sent(inbox)] == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        '[{"item":"a","title":"T"},{"item":"b"}]',
        '[\n{"item":"a","title":"T"},\n{"item":"b"}\n]\n',
        '[\n  {\n    "item": "a",\n    "title": "T"\n  },\n  {"item": "b"}\n]',
        '{"item":"a","title":"T"}{"item":"b"}',
        *(f"title{mark}item\nT{mark}a\n{mark}b\n" for mark in ",;\t|"),
    ],
)
def test_arrays_and_tables_in_any_form(
    config: Config, inbox: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "items").write_text(text)
    assert items(config, [tmp_path / "items"], "item") == 0
    assert (stored(inbox, "a"), stored(inbox, "b")) == ({"title": "T"}, {})


def test_a_fault_in_an_array_has_the_place_of_its_item(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "items.json").write_text('[{"item":"a"},{"item":""}]')
    assert items(config, [tmp_path / "items.json"], "item") == 1
    assert "items.json, line 1, item 2 on it left out: the item is" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("head", "what"),
    [(b"<?xml version='1.0'?><rss>", "is XML"), (b"\x89PNG\r\n\x1a\n\0", "is not text")],
)
def test_what_is_no_table_is_called_what_it_is(
    config: Config, tmp_path: Path, head: bytes, what: str
) -> None:
    (tmp_path / "items").write_bytes(head)
    with pytest.raises(SourceError, match=f"items {what}.*: items are read from JSON, CSV"):
        items(config, [tmp_path / "items"], "item")


@pytest.mark.parametrize("mark", ",;\t|")
def test_a_column_to_name_is_one_of_the_table(config: Config, tmp_path: Path, mark: str) -> None:
    (tmp_path / "items").write_text(f"sku{mark}title\na{mark}T\n")
    with pytest.raises(SourceError, match=r"--item (sku|title)$"):
        items(config, [tmp_path / "items"], "item")


@pytest.mark.parametrize("text", ["", "\n", "item,title\n", "[]", "[\n]\n"])
def test_no_items_are_no_success(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "items").write_text(text)
    assert items(config, [tmp_path / "items"], "item") == 1
    assert "there are no items in" in capsys.readouterr().err


def test_another_column_holds_the_ids(config: Config, inbox: Path, tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_text("sku,title\n9,Pan\n9,Pan,more\n")
    with pytest.raises(SourceError, match=r"no column 'item', but 'sku', 'title'.* --item"):
        items(config, [file], "item")
    assert items(config, [file], "sku") == 1  # its third line has an extra column
    assert stored(inbox, "9") == {"title": "Pan"}


def test_a_cell_may_go_over_several_lines(config: Config, inbox: Path, tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_text('item,text\na,"one\ntwo, ""three""\n\nfour"\nb,"open\nc,x\n')
    assert items(config, [file], "item") == 1
    assert [one["item"] for one in sent(inbox)] == ["a", "c"]
    assert stored(inbox, "a")["text"].split() == ["one", "two,", '"three"', "four"]


def test_a_preset_reads_the_export_of_a_shop(config: Config, inbox: Path, tmp_path: Path) -> None:
    file = tmp_path / "products_export.csv"
    file.write_text('Handle,Title,Body (HTML),Status\ntee,Tee,"<p>a</p>\n<p>b</p>",draft\ntee,,,\n')
    assert items(config, [file], preset="shopify-csv") == 0
    assert sent(inbox) == [{"item": "tee", "title": "Tee", "text": "a b", "hidden": True}]


def test_what_is_sent_is_what_the_job_reads(config: Config, inbox: Path, tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    file.write_text(
        '{"item":"a","name":"T","price":"9,50 €","tags":["x"],"colour":"red","image":null}'
    )
    assert items(config, [file]) == 0
    lines = next(inbox.iterdir()).read_text().splitlines()
    settings = DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0})
    (change,) = ItemReader(settings).decode(lines, 2_000_000_000_000).changes
    assert change.fields == {
        "title": "T",
        "price": 9.5,
        "currency": "EUR",
        "tags": ["x"],
        "image": None,
        "attributes": {"colour": "red"},
    }


def test_items_go_where_the_job_reads_items(tmp_path: Path, inbox: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"item":"a"}')
    apart = ["items.kind=directory", f"items.paths={inbox}", "source.paths=events.jsonl"]
    assert items(load(None, apart, {}).config, [tmp_path / "items.jsonl"]) == 0
    assert sent(inbox) == [{"item": "a"}]


def test_a_job_that_reads_files_takes_none(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"item":"a"}')
    config = load(None, ["source.paths=events.jsonl"], {}).config
    with pytest.raises(ConfigError, match=r"--set items\.kind=files .* --to kafka"):
        items(config, [tmp_path / "items.jsonl"])
    out = tmp_path / "out.jsonl"
    assert items(config, [tmp_path / "items.jsonl"], to=str(out)) == 0
    assert msgspec.json.decode(out.read_bytes())["item"] == "a"


def test_the_films_of_movielens_100k(config: Config, inbox: Path) -> None:
    assert items(config, [data("ml-100k/u.item")], "item") == 0
    assert len({one["item"] for one in sent(inbox)}) == 1682
    liebelei = {
        "title": "Liebelei (1933)",
        "published": "1933-01-01T00:00:00.000Z",
        "categories": ["Romance"],
    }
    assert stored(inbox, "1580") == liebelei
