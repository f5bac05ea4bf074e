"""The tables that Flink reads from: paths as they are, charsets by Java's names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import redis

from flink_app.config import load
from flink_app.data.items import items as send
from flink_app.graph.sources import Source, create_tables, items_of, source_of
from tests.flink_app.jobs import letters, live, run
from tests.waiting import wait_for


def source(*settings: str) -> Source:
    return source_of(load(None, settings, {}).config)


@pytest.mark.parametrize("name", ["my José dir", "50%", "%20", "it's", "#a?b", "a:b=c,d"])
def test_a_path_is_not_decoded(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    found = source_of(load(None, [], {}).reading([str(path)]).config)
    assert found.paths == (f"file://{path}",)
    quoted = str(path).replace("'", "''")
    assert f"'path' = 'file://{quoted}'" in create_tables(found, "t")[0]


def test_an_encoding_becomes_javas_charset(tmp_path: Path) -> None:
    files = [f"source.paths={tmp_path}", "source.encoding=latin-1"]
    assert source(*files).options["raw.charset"] == "ISO-8859-1"
    kafka = source("source.kind=kafka", "source.encoding=gbk").options
    assert kafka["value.raw.charset"] == "GBK" and "raw.charset" not in kafka
    avro = source("source.kind=kafka", "source.format=avro").options
    assert avro["value.raw.charset"] == "ISO-8859-1", "each byte a character"
    other = ["source.kind=flink", "source.options.connector=datagen", "source.encoding=cp1252"]
    assert source(*other).options["raw.charset"] == "windows-1252"
    assert not [key for key in source(files[0]).options if "charset" in key]


def test_a_watched_folder_leaves_out_what_flink_reads_wrongly(tmp_path: Path) -> None:
    found = source(f"source.paths={tmp_path}", "source.kind=directory")
    # Java's notation of this pattern is Python's.
    pattern = re.compile(found.options["source.path.regex-pattern"])
    read = ["/a/b.jsonl", "/a.xz/b", "/a/b.gz", "/a/b.xz (unpacked)", "/a/\n.csv"]
    left = ["/a/b.xz", "/a/b.XZ", "/a/b.bz2", "/a/b.zst", "/a/b.GZ", "/a/\n.xz"]
    assert [path for path in [*read, *left] if pattern.fullmatch(path)] == read


def test_items_have_the_broker_of_the_events_and_the_encoding_of_their_preset(
    tmp_path: Path,
) -> None:
    kafka = ["source.kind=kafka", "source.brokers=k:1", "source.properties.security.protocol=SSL"]
    assert items_of(load(None, kafka, {}).config) is None
    found = items_of(load(None, [*kafka, "items.kind=kafka"], {}).config)
    assert found is not None and (found.name, found.tables) == ("kafka:items", "items")
    assert found.options["properties.bootstrap.servers"] == "k:1"
    assert found.options["properties.security.protocol"] == "SSL"
    own = [*kafka, "items.kind=kafka", "items.brokers=m:1", "items.topic=goods"]
    other = items_of(load(None, own, {}).config)
    assert other is not None and other.options["properties.bootstrap.servers"] == "m:1"
    files = ["items.kind=files", f"items.paths={tmp_path}", "items.preset=movielens"]
    films = items_of(load(None, files, {}).config)
    assert films is not None and films.options["raw.charset"] == "ISO-8859-1"
    assert create_tables(films, "t")[0].startswith("CREATE TABLE items0 ")


@pytest.mark.job
def test_files_of_events_and_of_items_in_one_run(tmp_path: Path, redis_url: str) -> None:
    """The job ends when both have ended, and whatever is in the second is about items."""
    events, films, dead = tmp_path / "events.jsonl", tmp_path / "u.item", tmp_path / "dead"
    lines = [json.dumps({"user": f"u{n % 9}", "item": f"{n % 40}"}) for n in range(200)]
    lines.append('{"kind":"item","item":"7","title":"Of the events","ts":1700000000}')
    events.write_text("\n".join(lines))
    flags = "|0" * 17
    rows = [f"{n}|Café {n}|01-Jan-1995||http://x|0|1{flags}" for n in range(400)]
    films.write_bytes("\n".join([*rows, "401|too few"]).encode("latin-1"))
    settings = ["job.parallelism=2", "job.shards=2", "job.item_shards=2", "items.kind=files"]
    settings += [f"items.paths={films}", "items.preset=movielens", f"dead_letters.path={dead}"]
    fields = run(redis_url, f"source.paths={events}", *settings)
    assert int(fields["received"]) == 602 and int(fields["dead"]) == 1
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    assert len(list(client.scan_iter("item:*", count=1000))) == 400
    film = json.loads(str(client.get("item:7")))
    assert (film["title"], film["categories"]) == ("Café 7", ["Action"])
    (letter,) = letters(dead)
    assert (letter["reason"], letter["source"], letter["line"]) == (
        "wrong_columns", str(films), "401|too few"
    )  # fmt: skip


@pytest.mark.job
def test_items_are_sent_into_a_job_that_runs(tmp_path: Path, redis_url: str) -> None:
    """Events that have ended do not keep those who watch for items."""
    inbox, events, file = tmp_path / "inbox", tmp_path / "events.jsonl", tmp_path / "items.csv"
    inbox.mkdir()
    events.write_text('{"user":"ann","item":"a"}\n')
    file.write_text('item,title,price\na,"Kettle, red",9.5\n')
    settings = [f"source.paths={events}", "items.kind=directory", f"items.paths={inbox}"]
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    client.flushall()
    with live(redis_url, *settings, "dead_letters.kind=none"):
        assert send(load(None, settings, {}).config, [file]) == 0
        wait_for(lambda: client.get("item:a"), 120)
        assert json.loads(str(client.get("item:a")))["title"] == "Kettle, red"
        file.write_text("item,title\na,Pan\n")
        assert send(load(None, settings, {}).config, [file]) == 0
        wait_for(lambda: "Pan" in str(client.get("item:a")), 120)
        assert json.loads(str(client.get("item:a"))) == {"title": "Pan", "price": 9.5}
