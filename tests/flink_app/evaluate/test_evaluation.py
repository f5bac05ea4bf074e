"""`millirec evaluate`: order, options, report, and a whole run."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from rich.console import Console

from flink_app.cli import main
from flink_app.config import Config, load
from flink_app.config.check import check
from flink_app.evaluate.baselines import BASELINES
from flink_app.evaluate.evaluation import (
    evaluate,
    in_mode,
    of_sessions,
    trial_of,
    with_models,
    with_positive,
)
from flink_app.evaluate.measure import curve
from flink_app.evaluate.ordered import as_written, in_order
from flink_app.evaluate.results import Point, Result
from flink_app.evaluate.stream import keep_all, read_stream
from flink_app.evaluate.table import show
from flink_app.graph.event_settings import decode_settings
from udfs.errors import ConfigError, SourceError
from udfs.learning.settings import Trial

NOW = 1_700_000_000_000


def test_lines_are_put_in_order_of_time(tmp_path: Path) -> None:
    one, two, out = tmp_path / "one", tmp_path / "two", tmp_path / "out"
    one.write_text('{"user":"a","item":"x","ts":3000000000}\n\nbroken\n')
    late = '{"user":"ü","item":"x","ts":2000000000}'
    two.write_text(f'{late}\r\n{late.replace("x", "y")}\n{{"user":"c","item":"z","ts":1000000000}}')
    settings = decode_settings(with_positive(Config(), ""))
    assert in_order([one, two], settings, 4 * NOW, out) == (4, 2, 0)
    users = [json.loads(line)["user"] + json.loads(line)["item"] for line in out.open()]
    assert users == ["cz", "üx", "üy", "ax"]


def test_events_of_any_form_are_put_in_order_in_millirecs_own(tmp_path: Path) -> None:
    path, out = tmp_path / "sessions", tmp_path / "out"
    path.write_text(
        '{"session":1,"events":[{"aid":6,"ts":1600000009000,"type":"orders"},'
        '{"aid":5,"ts":1600000000000,"type":"clicks"},{"ts":1600000001000,"type":"clicks"}]}\n'
        '{"session":2,"events":[{"aid":5,"type":"carts"}]}\n'
    )
    config = load(None, ["source.preset=otto"], {}).config
    settings = decode_settings(config)
    assert in_order([path], settings, NOW, out) == (2, 2, 1)
    assert [json.loads(line) for line in out.open()] == [
        {"user": "1", "item": "5", "ts": 1600000000000, "type": "click"},
        {"user": "1", "item": "6", "ts": 1600000009000, "type": "purchase"},
    ]
    stream = read_stream(out, decode_settings(as_written(config)), NOW)
    assert (stream.users.tolist(), stream.items.tolist()) == ([0, 0], [0, 1])


def test_a_session_stands_for_who_is_not_named_and_may_be_taken_for_its_user(
    tmp_path: Path,
) -> None:
    path, out = tmp_path / "events", tmp_path / "out"
    path.write_text(
        '{"user":"ann","session":"s1","item":"a","ts":1600000000000}\n'
        '{"session":"s2","item":"b","ts":1600000001000}\n'
        '{"user":"ann","item":"c","ts":1600000002000}\n'
    )
    assert in_order([path], decode_settings(Config()), NOW, out) == (3, 0, 0)
    found = [json.loads(line) for line in out.open()]
    assert [one["user"] for one in found] == ["ann", "session:s2", "ann"]
    alone = decode_settings(of_sessions(Config()))
    assert in_order([path], alone, NOW, out) == (2, 1, 0)
    assert [json.loads(line)["user"] for line in out.open()] == ["s1", "s2"]


def test_sessions_that_nobody_has_named_cannot_be_taken_for_users() -> None:
    config = load(None, ["source.preset=movielens"], {}).config
    with pytest.raises(ConfigError, match=r"--set source\.fields\.session=NAME"):
        of_sessions(config)


def test_events_that_are_not_learned_are_left_out(tmp_path: Path) -> None:
    path, out = tmp_path / "ratings", tmp_path / "out"
    path.write_text("1\t2\t5\t875747190\n1\t3\t2\t875747191\n\n")
    config = load(None, ["source.preset=movielens"], {}).config
    assert in_order([path], decode_settings(config), NOW, out) == (2, 1, 0)
    liked = decode_settings(with_positive(config, "rating>=4.5"))
    assert in_order([path], liked, NOW, out) == (1, 2, 0)
    assert in_order([path], keep_all(liked), NOW, out) == (2, 1, 0)


def test_files_without_events_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("1\t2\n")
    settings = decode_settings(Config())
    with pytest.raises(SourceError, match="none of 1 lines can be used: name the format"):
        in_order([tmp_path / "bad"], settings, NOW, tmp_path / "out")
    with pytest.raises(SourceError, match="absent cannot be read: No such file"):
        in_order([tmp_path / "absent"], settings, NOW, tmp_path / "out")


def test_what_counts() -> None:
    events = with_positive(Config(), "rating>=4.5").events
    assert (events.rating_rule, events.rating_threshold) == ("threshold", 4.5)
    assert events.zero_weight == "ignore"
    assert with_positive(Config(), "") == Config()
    with pytest.raises(ConfigError, match=r"write 'rating>=4\.5'"):
        with_positive(Config(), "rating>4")


def test_strict_is_one_shard_and_parallel_is_as_set(tmp_path: Path) -> None:
    strict = in_mode(Config(), "strict", 3, tmp_path)
    assert (strict.job.strict, strict.job.shards, strict.job.item_shards) == (True, 1, 1)
    assert (strict.model.seed, strict.quality.every) == (3, 1)
    assert trial_of(strict, "strict", 100) == Trial(after=100, per_batch=True, nth=True)
    parallel = in_mode(load(None, ["job.shards=4"], {}).config, "parallel", 1, tmp_path)
    assert parallel.ranker.train_per_s == 1e6, "a live job would have had the time"
    untrained = load(None, ["ranker.train_per_s=0"], {}).config
    assert in_mode(untrained, "parallel", 1, tmp_path).ranker.train_per_s == 0
    assert (parallel.job.strict, parallel.job.shards) == (False, 4)
    given = "lists_topic.topic=t", "lists_topic.format=avro", "schema_registry.url=http://r:1"
    writing = load(None, [*given, "cassandra.hosts=['c1']"], {}).config
    alone = in_mode(writing, "strict", 1, tmp_path)
    assert (alone.lists_topic.topic, alone.cassandra.hosts) == ("", []), "of real users"
    check(alone)
    live = Trial(after=25, sequential=True, per_batch=True, nth=True)
    assert trial_of(parallel, "parallel", 100) == live


def test_the_model_that_needs_most_is_served_and_the_others_tested() -> None:
    changed = with_models(Config(), ["mf", "popular", "item-cf", "ranker"])
    assert (changed.lists.model, changed.quality.models) == ("ranker", ["item-cf", "mf"])
    assert with_models(Config(), ["popular"]).quality.models == []
    assert with_models(Config(), []) == Config()


def test_the_curve_ends_with_the_last_test() -> None:
    measures = {"served:recall@10": 0.5, "popular:recall@10": 0.25, "mf:recall@10": 0.125}
    looks = [(n + 7, {"served:tests": float(n), **measures}) for n in range(1, 101)]
    points = curve(looks, parts=10)
    assert [point.tests for point in points] == [*range(10, 101, 10)]
    assert [point.events for point in points] == [*range(17, 108, 10)]
    lists = {tuple(point.of(name) for name in ("served", "popular", "mf")) for point in points}
    assert lists == {(0.5, 0.25, 0.125)}
    assert points[0].of("item-cf") is None
    assert curve([]) == curve([(0, {})]) == []


def test_a_report_has_every_mode_and_the_spread_of_seeds() -> None:
    results = [
        Result(
            mode=mode, seed=seed, events=10, seconds=1.0, served="ranker",
            quality={
                "served:tests": 8.0, "served:recall@10": 0.1 * seed, "new_items": 1.0,
                "mf:tests": 8.0, "mf:recall@10": 0.25, "ratings:tests": 9.0, "ratings:rmse": 0.94,
            },
            curve=[Point(5, 4, 0.1, 0.0), Point(10, 8, 0.2, 0.1)], microseconds={"learn": 5.0},
            rmse=0.94,
        )
        for mode in ("strict", "parallel")
        for seed in (1, 2)
    ]  # fmt: skip
    results.append(
        Result(
            model="biased-mf", mode="strict", seed=1, events=10, seconds=1.0,
            quality={"served:tests": 8.0, "served:recall@10": 0.3}, curve=[Point(10, 8, 0.3)],
            microseconds={"update": 2.0, "list": 30.0}, rmse=0.95,
        )
    )  # fmt: skip
    console = Console(width=120, record=True, file=io.StringIO())
    show(console, results)
    text = console.export_text()
    assert text.count("±.0707") == 2
    narrow = Console(width=80, record=True, file=io.StringIO())
    show(narrow, results)
    assert "…" not in narrow.export_text()
    assert "ranker, parallel" in text and "popular, strict" in text
    assert re.search(r"mf, strict.* 0\.2500", text)
    assert re.search(r"biased-mf, baseline +0\.0000 +0\.0000 +0\.3000", text)
    assert "biased-mf baseline, seed 1: 8 tests" in text
    assert "strict, seed 2: 8 tests, 1 of them for items never seen before" in text
    assert "microseconds: update 2, list 30; RMSE of ratings 0.9500" in text
    assert text.count("microseconds: learn 5; RMSE of ratings 0.9400") == 4
    assert "ratings, strict" not in text
    assert "served  ▅█  0.200 at the end" in text


def some_events(path: Path, count: int = 800) -> Path:
    """Ratings of 4 and 5 in turn; four groups of ten users take ten items each."""
    random = np.random.default_rng(1)
    events = [
        {"user": f"u{n % 40}", "item": f"i{(n % 40 % 4) * 10 + k}", "type": "rating",
         "value": 5 - n % 2, "ts": 1_600_000_000 + n}
        for n, k in enumerate(random.integers(0, 10, count).tolist())
    ]  # fmt: skip
    random.shuffle(events)  # type: ignore[arg-type]
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_the_command_line_names_every_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    told = re.sub(r"[\s│]+", " ", capsys.readouterr().out)
    [choices] = re.findall(r"choices: (popular, .*?)\]", told)
    assert choices.split(", ") == [*BASELINES, "all"]


def test_baselines_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = some_events(tmp_path / "events.jsonl"), tmp_path / "report.json"
    evaluate(Config(), [source], [], 2, "rating>=4.5", out, ["als", "all"], warmup="half")
    results = msgspec.json.decode(out.read_bytes(), type=list[Result])
    runs = [(result.model, result.seed) for result in results]
    expected = [
        (name, seed)
        for name, kind in BASELINES.items()
        for seed in ((1, 2) if kind.seeded else (1,))
    ]
    assert runs == expected
    kinds = ("served:tests", "unknown_users", "repeats")
    for result in results:
        assert result.events == 400
        assert sum(result.quality.get(kind, 0) for kind in kinds) == 200
        assert (result.rmse is not None) == (result.model == "biased-mf")
    told = capsys.readouterr().out
    assert all(f"{name} baseline, seed 1: " in told for name in BASELINES)


def test_a_baseline_that_cannot_run_is_refused_if_named_and_told_if_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = some_events(tmp_path / "events.jsonl", 160)
    words = "is trained once, on the warm-up: say how long that is"
    with pytest.raises(ConfigError, match=f"--baseline gru4rec {words}"):
        evaluate(Config(), [source], [], 1, "", None, ["all", "gru4rec"])
    for name in [*BASELINES][1:-1]:
        monkeypatch.delitem(BASELINES, name)
    results = evaluate(Config(), [source], [], 1, "", None, ["all"])
    assert [result.model for result in results] == ["popular"]
    assert f"gru4rec is left out: it {words}" in capsys.readouterr().out


@pytest.mark.job
def test_predicted_ratings_are_compared_with_biased_mf(tmp_path: Path) -> None:
    source, out = some_events(tmp_path / "events.jsonl"), tmp_path / "report.json"
    with pytest.raises(ConfigError, match="leave --positive out"):
        evaluate(squared(), [source], [], 1, "rating>=4.5", None)
    evaluate(squared(), [source], ["strict"], 1, "", out, ["biased-mf"])
    own, other = msgspec.json.decode(out.read_bytes(), type=list[Result])
    assert own.quality["ratings:tests"] == own.events == other.events == 800
    assert own.rmse == own.quality["ratings:rmse"]
    # Both begin with the error of the first rating, which nothing is known of: 4 or 5.
    assert own.rmse is not None and other.rmse is not None
    assert 0 < own.rmse < 1 and 0 < other.rmse < 1


def squared() -> Config:
    found = Config()
    replace = msgspec.structs.replace
    return replace(found, model=replace(found.model, loss="squared"))


def test_a_warmup_leaves_some_tests(tmp_path: Path) -> None:
    source = some_events(tmp_path / "events.jsonl", 10)
    with pytest.raises(ConfigError, match="--warmup 10 leaves no test: there are 10 events"):
        evaluate(Config(), [source], [], 1, "", None, ["popular"], warmup=10)


def test_what_freezes_has_learned_something(tmp_path: Path) -> None:
    source = some_events(tmp_path / "events.jsonl", 10)
    with pytest.raises(ConfigError, match="say how long that is, such as --warmup half"):
        evaluate(Config(), [source], [], 1, "", None, ["popular"], freeze=True)


def test_baselines_know_nothing_of_ones_own_items(tmp_path: Path) -> None:
    source = some_events(tmp_path / "events.jsonl", 10)
    config = load(None, ["lists.exclude_own=true"], {}).config
    with pytest.raises(ConfigError, match="exclude_own does not: leave one"):
        evaluate(config, [source], [], 1, "", None, ["popular"])


@pytest.mark.job
def test_both_modes_and_seeds_of_recorded_events(tmp_path: Path) -> None:
    source = some_events(tmp_path / "events.jsonl")
    out = tmp_path / "out" / "report.json"
    command = [
        sys.executable, "-m", "flink_app", "evaluate", str(source), "--positive", "rating>=4.5",
        "--mode", "strict", "--mode", "parallel", "--out", str(out), "--baseline", "popular",
        "--baseline", "item-knn", "--warmup", "80",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "400 events in order of time; 400 lines left out" in done.stdout
    strict, parallel, *others = msgspec.json.decode(out.read_bytes(), type=list[Result])
    assert strict.closer is not None and parallel.closer is None
    assert strict.closer.tests == strict.quality["served:tests"]
    recall = pytest.approx(strict.quality["served:recall@10"], abs=0.02)
    assert strict.closer.recall.value == recall  # of lists chosen from more candidates
    assert (strict.mode, parallel.mode) == ("strict", "parallel")
    kinds = ("served:tests", "unknown_users", "repeats", "new_items")
    for result in (strict, parallel):
        quality = result.quality
        tested = sum(quality.get(kind, 0) for kind in kinds[:3])
        assert tested == 320 if result is strict else 320 <= tested < 400
        assert result.events == 400
        assert quality.get("served:tests") == quality.get("popular:tests")
        # Of the lists that Redis held at the end: see tests/flink_app/lookup/test_sample.py.
        assert result.sample is not None
        assert result.sample.lists == 20
    # Only positive events are learned: ten users in each of two groups remain. The baselines have
    # the same tests.
    assert [result.model for result in others] == ["popular", "item-knn"]
    for other in others:
        for kind in kinds:
            assert other.quality.get(kind, 0) == strict.quality.get(kind, 0), kind
    assert strict.quality["served:recall@10"] > strict.quality["popular:recall@10"] > 0
    assert strict.curve[-1].tests == strict.quality["served:tests"]
