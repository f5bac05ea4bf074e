"""`millirec report`: the page contains what it should, and nothing that runs or loads."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
import redis
from rich.console import Console

from flink_app.cli import main
from flink_app.console.live import LiveLine
from flink_app.console.totals import Totals
from flink_app.evaluate.results import Point, Result
from flink_app.local.redis_server import RedisServer
from flink_app.lookup.sample import Sample
from flink_app.report.builder import observe
from flink_app.report.drawings import (
    COLOURS,
    Bars,
    Curve,
    Curves,
    Drawing,
    Line,
    Lines,
    Lorenz,
    Span,
    Spans,
)
from flink_app.report.evaluated import evaluated_page, read_results
from flink_app.report.figures import svg
from flink_app.report.page import Grid, Page, Section, Tile, html
from flink_app.report.running import running_page
from udfs.errors import SourceError

EVIL = "<script>alert(1)</script>\"'&"


class Read(HTMLParser):
    """The page's elements and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, text: str) -> None:
        self.texts.append(text)


def assert_safe(page: str) -> Read:
    """The page runs nothing, loads nothing, and adapts to the screen."""
    found = Read(page)
    tags = {tag for tag, _ in found.elements}
    assert not tags & {"script", "iframe", "img", "link", "object", "embed", "form", "a", "image"}
    for _, attributes in found.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href", "xlink:href"):
                assert (value or "").startswith("#")
    assert not re.search(r"url\((?!#)|@import", page)
    names = [attributes.get("name") for tag, attributes in found.elements if tag == "meta"]
    assert "viewport" in names
    assert "prefers-color-scheme: dark" in page
    return found


SAMPLE = Sample(
    lists=100,
    places=1000,
    shown=50,
    catalogue=200,
    gini=0.75,
    top=0.2,
    popular=0.1,
    lorenz=[n / 100 for n in range(101)],
    models={EVIL: 600, "mf": 400},
    ages_s=[1, 2, 3, 4],
    most=[(EVIL, 0.5), ("17", 0.25)],
)


def quality(served: float, popular: float) -> dict[str, float]:
    return {
        "served:tests": 100.0,
        "served:recall@10": served,
        "served:coverage@10": 0.5,
        "popular:tests": 100.0,
        "popular:recall@10": popular,
        "popular:novelty@10": 5.5,
        "unknown_users": 3.0,
        "ratings:tests": 10.0,
        "ratings:rmse": 0.944,
    }


def totals(at: int) -> Totals:
    return Totals(
        at=at,
        received=1000,
        learned=900,
        duplicates=40,
        ignored=10,
        dead={EVIL: 50},
        lists=700,
        users=90,
        items=200,
        events_per_s=100,
        lists_per_s=70,
        freshness_p50_ms=30.0,
        freshness_p99_ms=90.0,
        total_freshness_p50_ms=31.0,
        total_freshness_p99_ms=95.0,
        attribution={
            f"{group}:{name}:{measure}": value
            for group, name in (("position", "1"), ("position", "2"), ("category", EVIL))
            for measure, value in (("views", 400.0), ("clicks", 40.0), ("value", 9.5))
        }
        | {
            f"segment:{name}:{measure}": value
            for name, clicks in (("gender:F", 8.0), ("gender:M", 42.0), (EVIL, 90.0))
            for measure, value in (("views", 400.0), ("clicks", clicks))
        }
        | {"segment:hour:3:views": 9.0}
        | {"position:2:examined": 0.5, "unknown_lists": 7.0},
        quality=quality(0.2, 0.1) | {"served:tests": 200.0},
        total_quality=quality(0.19, 0.11) | {"served:tests": 4000.0},
    )


def test_a_running_job_over_time() -> None:
    looks = [totals(1000 * n) for n in range(5)]
    page = running_page(looks, SAMPLE, {"17": f"Title {EVIL}"}, "redis://cache", "made now")
    assert [part.title for part in page.sections] == [
        "Quality over time",
        "Freshness over time",
        "Speed",
        "Drift",
        "Quality of each list",
        "What lists did, by place",
        "What lists did, by category",
        "What lists did, by segment",
        "Popularity bias",
        "Which model contributes the items",
        "Most shown items",
        "Freshness",
        "Lines read",
    ]
    [drift] = [part.facts for part in page.sections if part.title == "Drift"]
    assert drift[0].startswith("Recall@10 of the last minute is no different from before: +1.05")
    tiles = {tile.label: (tile.value, tile.note) for tile in page.tiles}
    assert tiles["recall@10"] == ("19 %", "popular items: 11 %")
    assert tiles["from event to list"] == ("31 ms", "p50; p99 95 ms")
    assert tiles["catalogue shown"][0] == "25 %"
    assert tiles["Gini index"][0] == "0.75"
    assert tiles["dead letters"] == ("50", "5 % of all lines")
    assert tiles["RMSE"] == ("0.944", "10 ratings")
    grids = {part.title: part.grid for part in page.sections if part.grid}
    assert [f"Title {EVIL} (17)", "25 %"] in grids["Most shown items"].rows
    assert [row[0] for row in grids["Quality of each list"].rows] == ["served", "popular"]
    whole = ["400", "10 % (7.43 to 13.3)", "0 % (0 to 0.951)", "9.50"]
    assert grids["What lists did, by place"].rows == [["1", *whole, ""], ["2", *whole, "0.50"]]
    assert grids["What lists did, by category"].rows == [[EVIL, *whole]]
    segments = grids["What lists did, by segment"]
    assert segments.head[-1] == "against all, 10 %"
    assert {row[0]: row[-1] for row in segments.rows} == {
        "gender:F": "worse",
        "gender:M": "no difference",
        EVIL: "better",
        "hour:3": "not known",
    }
    found = assert_safe(html(page))
    text = "".join(found.texts)
    assert EVIL in text
    assert [tag for tag, _ in found.elements].count("section") == len(page.sections)


def test_one_look_at_a_job_without_lists_or_tests() -> None:
    bare = Totals(at=1, received=0)
    page = running_page([bare], None, {}, "redis://cache", "made now")
    assert [part.title for part in page.sections] == ["Freshness", "Lines read"]
    assert {tile.value for tile in page.tiles} == {"-", "0"}
    assert_safe(html(page))


def result(model: str, mode: str, seed: int, recall: float, **more: Any) -> Result:
    return Result(
        model=model,
        mode=mode,
        seed=seed,
        events=50,
        seconds=1.0,
        quality=quality(recall, 0.1),
        curve=[Point(n * 10, n * 5, recall, recall / 2) for n in range(1, 6)],
        microseconds={},
        served="ranker" if model == "millirec" else "",
        **more,
    )


def test_an_evaluation(tmp_path: Path) -> None:
    results = [
        result("millirec", "strict", 1, 0.3, sample=SAMPLE),
        result("millirec", "strict", 2, 0.2),
        result("item-knn", "strict", 1, 0.15),
    ]
    page = evaluated_page(results, "made now")
    tiles = {tile.label: (tile.value, tile.note) for tile in page.tiles}
    assert tiles["recall@10, ranker, strict"] == ("25 %", "item-knn, baseline: 15 %")
    assert tiles["Gini index"][0] == "0.75"
    over_time = page.sections[0]
    assert [(line.label, line.note) for line in over_time.legend] == [
        ("ranker, strict", "0.2500 ± 0.0707"),
        ("item-knn, baseline", "0.1500"),
        ("popular, strict", "0.1000 ± 0.0000"),
    ]
    assert over_time.legend[0].y == pytest.approx([0.25] * 5)
    assert over_time.legend[2].colour == COLOURS - 1
    assert "Popularity bias" in [part.title for part in page.sections]
    assert_safe(html(page))


def test_files_of_other_versions_are_read(tmp_path: Path) -> None:
    old = msgspec.to_builtins(result("millirec", "strict", 1, 0.3))
    del old["sample"]
    (tmp_path / "old.json").write_bytes(msgspec.json.encode([old | {"later": 1}]))
    assert read_results([tmp_path / "old.json"])[0].sample is None
    other = "does not hold results of an evaluation"
    for content, words in ((b"[]", "no result in"), (b"{}", other), (b"\xff", other)):
        (tmp_path / "bad.json").write_bytes(content)
        with pytest.raises(SourceError, match=words):
            read_results([tmp_path / "bad.json"])
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        read_results([tmp_path / "absent.json"])


def test_every_text_of_a_page_is_escaped() -> None:
    line = Line(EVIL, [0, 1], [0, 1], note=EVIL)
    grid = Grid([EVIL, EVIL], [[EVIL, EVIL]])
    words: dict[str, Any] = {"alarm": EVIL, "facts": [EVIL], "text": EVIL}
    part = Section(title=EVIL, legend=[line], grid=grid, **words)
    tiles = [Tile(EVIL, EVIL, EVIL)]
    text = html(Page(title=EVIL, subtitle=EVIL, tiles=tiles, sections=[part], made=EVIL))
    assert "<script" not in text
    assert_safe(text)


@pytest.mark.parametrize(
    "drawing",
    [
        Lines([Line(EVIL, [0, 1, 2], [0, 0.5, 1]), Line("b", [0, 2], [1, 1], 6, "--")], EVIL, "y"),
        Lines([Line("a", [0], [0])], "x", "y", share=True),
        Bars([EVIL, "b"], [3, 1], "x"),
        Bars(["a"], [0.5], EVIL, share=True),
        Lorenz([0.0, 0.1, 1.0]),
        Lines([Line("a", [0, 1, 2], [0.5, 0.5, 1], low=[0.4] * 3, high=[1, 1, 1])], "x", "y"),
        Curves([Curve(EVIL, [0.1, 0.2], [0.3, 0.4], [EVIL, "2"], 1)], (0.1, 0.3), EVIL, "y"),
        Spans([Span(EVIL, 0.1, -0.1, 0.3), Span("b", 0.2, 0.1, 0.3, True)], EVIL, 0.0),
    ],
)
def test_figures_are_svg_of_any_width_in_the_colours_of_the_page(drawing: Drawing) -> None:
    figure = svg(drawing)
    root = ElementTree.fromstring(figure)
    assert root.tag.endswith("svg")
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)
    assert "<script" not in figure
    assert not re.search(r"#0102|<metadata|http(?!://www\.w3\.org/)", figure)
    assert "currentColor" in figure
    assert "var(--grid)" in figure


def put_stats(client: Any, at: int, learned: int) -> None:
    client.hset("stats", mapping={"at": at, "received": learned, "learned": learned, "items": 3})


def put_list(client: Any, user: str, items: Sequence[str]) -> None:
    entries = [{"item": item, "score": 1, "why": {}} for item in items]
    found = {"id": "1", "at": 1, "v": 1, "source": "ranker", "items": entries}
    client.set(f"rec:{user}", msgspec.json.encode(found))


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["report", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_command_reads_redis(
    redis_url: str, redis_client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "report.html"
    given = ["--set", f"redis.url={redis_url}", "--out", str(out)]
    assert run(*given) == 3
    assert "there is no stats in Redis" in capsys.readouterr().err
    put_stats(redis_client, 1, 900)
    put_list(redis_client, "a", ["x", EVIL])
    redis_client.set("item:x", msgspec.json.encode({"title": EVIL}))
    assert run(*given) == 0
    assert "900 events learned" in capsys.readouterr().out
    text = "".join(assert_safe(out.read_text(encoding="utf-8")).texts)
    assert f"{EVIL} (x)" in text


def test_the_command_reads_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "in.json", tmp_path / "report.html"
    source.write_bytes(msgspec.json.encode([result("millirec", "strict", 1, 0.3)]))
    assert run(str(source), "--out", str(out)) == 0
    assert "millirec: an evaluation" in assert_safe(out.read_text(encoding="utf-8")).texts
    assert run(str(source), "--watch", "3") == 2
    assert "--watch observes a running job" in capsys.readouterr().err
    assert run("--watch=-1") == 2


def test_a_job_is_observed_until_its_redis_ends(capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(RedisServer())
        client = redis.Redis.from_url(server.url)
        put_list(client, "a", ["x"])
        put_stats(client, 1, 10)

        def wait(_: float) -> None:
            learned = int(client.hget("stats", "learned") or 0) + 10
            if learned > 30:
                stack.close()
            else:
                put_stats(client, learned, learned)

        with LiveLine(Console()) as live:
            looks, sample = observe(client, "", 1e9, live, wait)
    assert [totals.learned for totals in looks] == [10, 20, 30]
    assert sample is not None
    assert sample.lists == 1
    assert "Redis has stopped" in capsys.readouterr().out


def test_ctrl_c_ends_the_observation_but_not_the_report(redis_client: Any) -> None:
    put_stats(redis_client, 1, 10)

    def wait(_: float) -> None:
        raise KeyboardInterrupt

    with LiveLine(Console(quiet=True)) as live:
        looks, sample = observe(redis_client, "", 60, live, wait)
    assert (len(looks), sample) == (1, None)
