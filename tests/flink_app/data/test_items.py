"""Item metadata in files reaches Redis, and lines that cannot be read are reported."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from flink_app.config import Loaded, load
from flink_app.data.fetch.datasets import DATA_SETS
from flink_app.data.items import items
from tests.data_sets import data
from udfs.errors import SourceError

FLAGS = "0|" * 18 + "0"


@pytest.fixture
def loaded(redis_url: str) -> Loaded:
    return load(None, [f"redis.url={redis_url}", "redis.prefix=p:"], {})


def stored(client: redis.Redis, item: str) -> Any:
    value: Any = client.get(f"p:item:{item}")
    return None if value is None else msgspec.json.decode(value)


def test_json_and_csv_keep_every_field(
    loaded: Loaded, redis_client: redis.Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, table = tmp_path / "a.jsonl", tmp_path / "b.csv.gz"
    lines.write_text(
        '{"item": 7, "title": "Kettle", "price": {"eur": 9.5}}\n\n{"item":"é\\u0000"}\n'
    )
    table.write_bytes(gzip.compress('\ufeffitem,title,category\nk-2,"Mug, blue",\n'.encode()))
    assert items(loaded, [lines, table], "item") == 0
    assert stored(redis_client, "7") == {"title": "Kettle", "price": {"eur": 9.5}}
    assert stored(redis_client, "é\0") == {}
    assert stored(redis_client, "k-2") == {"title": "Mug, blue"}
    address = loaded.config.redis.url
    assert capsys.readouterr().out == f"3 items written to p:item:* in Redis at {address}\n"


def test_ids_are_those_of_the_events(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, table = tmp_path / "a.jsonl", tmp_path / "b.csv"
    lines.write_text('{"item": 7.0, "title": "Kettle"}\n')
    table.write_text("item,title\n08.0,Mug\nNaN,Cup\n")
    redis = [f"redis.url={redis_url}", "redis.prefix=p:"]
    integers = load(None, [*redis, "events.ids=integers"], {})
    assert items(integers, [lines, table], "item") == 1
    assert stored(redis_client, "7") == {"title": "Kettle"}
    assert stored(redis_client, "8") == {"title": "Mug"}
    assert "b.csv, line 3 left out: the item 'NaN'" in capsys.readouterr().err
    assert items(load(None, redis, {}), [lines], "item") == 1
    assert 'events.ids = "integers"' in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "utf-16-le"])
def test_the_encoding_is_that_of_the_source(
    encoding: str, redis_url: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    file, title = tmp_path / "items.csv", "坂本" if encoding == "gbk" else "Café"
    file.write_bytes(f"item,title\na,{title}\n".encode(encoding))
    settings = [f"redis.url={redis_url}", "redis.prefix=p:", f"source.encoding={encoding}"]
    assert items(load(None, settings, {}), [file], "item") == 0
    assert stored(redis_client, "a") == {"title": title}


def test_films_of_every_movielens(
    loaded: Loaded, redis_client: redis.Redis, tmp_path: Path
) -> None:
    films = {
        "u.item": f"1|Café (1995)|01-Jan-1995||http://x|0|0|1|1{FLAGS[7:]}\n2|?|||u|1|{FLAGS[2:]}\n",
        "movies.dat": "3::Dr. No (1962)::Action|Thriller\n",
        "movies.csv": 'movieId,title,genres\r\n4,"Kid, The (1921)",Comedy\r\n'
        "5,X,(no genres listed)\r\n",
    }
    for name, text in films.items():
        (tmp_path / name).write_bytes(text.encode("latin-1"))
        assert items(loaded, [tmp_path / name], "item") == 0
    cafe = {"title": "Café (1995)", "category": "Adventure", "genres": ["Adventure", "Animation"]}
    assert stored(redis_client, "1") == cafe
    assert stored(redis_client, "2") == {"title": "?", "category": "no genre"}
    assert stored(redis_client, "3")["genres"] == ["Action", "Thriller"]
    kid = {"title": "Kid, The (1921)", "category": "Comedy", "genres": ["Comedy"]}
    assert stored(redis_client, "4") == kid
    assert stored(redis_client, "5")["category"] == "no genre"
    assert {one.items for one in DATA_SETS.values()} == films.keys()


def test_bad_lines_are_reported_and_the_rest_is_written(
    loaded: Loaded, redis_client: redis.Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "items.jsonl"
    deep, long = f'{{"a":{"[" * 2000}{"]" * 2000}}}', f'{{"item":{"9" * 5000}}}'
    others = ["{", "[1]", '{"title":"x"}', '{"item":true}', f'{{"item":"{"x" * 513}"}}']
    bad = [*others, deep, long, '"\x1b[2J"']
    file.write_text("\n".join(['{"item":"a"}', *bad, '{"item":"b"}']))
    assert items(loaded, [file], "item") == 1
    out, err = capsys.readouterr()
    assert "2 items written" in out and "; 8 lines left out" in out
    reported = err.splitlines()
    assert [line.partition(": ")[0] for line in reported] == [
        f"{file}, line {n} left out" for n in range(2, 7)
    ]
    reasons = ("not JSON: ", "not a JSON object", "item", "neither text nor", "513 bytes")
    for line, reason in zip(reported, reasons, strict=True):
        assert reason in line.partition(": ")[2]
    assert set(redis_client.scan_iter()) == {b"p:item:a", b"p:item:b"}


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
    loaded: Loaded, redis_client: redis.Redis, tmp_path: Path, text: str
) -> None:
    (tmp_path / "items").write_text(text)
    assert items(loaded, [tmp_path / "items"], "item") == 0
    assert (stored(redis_client, "a"), stored(redis_client, "b")) == ({"title": "T"}, {})


@pytest.mark.parametrize("mark", ",;\t|")
def test_a_column_to_name_is_one_of_the_table(loaded: Loaded, tmp_path: Path, mark: str) -> None:
    (tmp_path / "items").write_text(f"sku{mark}title\na{mark}T\n")
    with pytest.raises(SourceError, match=r"--item (sku|title)$"):
        items(loaded, [tmp_path / "items"], "item")


@pytest.mark.parametrize("text", ["", "\n", "item,title\n", "[]", "[\n]\n"])
def test_no_items_are_no_success(
    loaded: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "items").write_text(text)
    assert items(loaded, [tmp_path / "items"], "item") == 1
    assert "there are no items in" in capsys.readouterr().err


def test_another_column_holds_the_ids(
    loaded: Loaded, redis_client: redis.Redis, tmp_path: Path
) -> None:
    file = tmp_path / "goods.csv"
    file.write_text("sku,title\n9,Pan\n9,Pan,more\n")
    with pytest.raises(SourceError, match=r"no column 'item', but 'sku', 'title'.* --item"):
        items(loaded, [file], "item")
    assert items(loaded, [file], "sku") == 1  # its third line has an extra column
    assert stored(redis_client, "9") == {"title": "Pan"}


def test_the_films_of_movielens_100k(loaded: Loaded, redis_client: redis.Redis) -> None:
    assert items(loaded, [data("ml-100k/u.item")], "item") == 0
    assert redis_client.dbsize() == 1682
    liebelei = {"title": "Liebelei (1933)", "category": "Romance", "genres": ["Romance"]}
    assert stored(redis_client, "1580") == liebelei
