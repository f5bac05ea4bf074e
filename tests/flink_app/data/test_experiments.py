"""`millirec experiment start` and `end`: what is refused before a line is written, and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from flink_app.config import Loaded, load
from flink_app.data import experiments
from flink_app.data.experiments import end, of_arguments, start
from tests.flink_app.serve.test_event_routes import written
from udfs.errors import ConfigError
from udfs.events.experiments import ExperimentReader
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings
from udfs.experiments import standing
from udfs.experiments.words import Known
from udfs.options.experiments import Experiment, Variant
from udfs.options.learning import Lists

LATER = experiments.now_ms() + 36_000_000
ONE = Experiment(
    name="diverse",
    share=0.2,
    variants=[Variant(name="now"), Variant(name="new", set={"rerank.diversity": 0.5})],
)
ARGUMENTS = ["now", "new: rerank.diversity=0.5"]


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "ANSWER_S", 0.1)


def loaded(redis_url: str, inbox: Path, *more: str) -> Loaded:
    given = [f"redis.url={redis_url}", "source.kind=directory", f"source.paths={inbox}"]
    return load(None, [*given, "quality.attribution_days=7", *more], {})


def tell(redis_client: Any, one: Experiment = ONE, waits: str = "", **times: int) -> None:
    """What a job would have told."""
    known = Known(one, times.get("began", 5), times.get("ended", 0))
    redis_client.hset("stats", mapping=standing.fields([known], {one.name: waits}))


def test_the_command_line_and_a_file_say_the_same(tmp_path: Path) -> None:
    assert of_arguments("diverse", ARGUMENTS, {"share": 0.2}) == [ONE]
    file = tmp_path / "diverse.toml"
    file.write_text(
        '[[experiments]]\nname = "diverse"\nshare = 0.2\n'
        'variants = [{name = "now"}, {name = "new", set = {"rerank.diversity" = 0.5}}]\n'
    )
    assert of_arguments(str(file), [], {}) == [ONE]


@pytest.mark.parametrize(
    ("name", "variants", "options", "words"),
    [
        ("missing", [], {}, "an experiment needs variants, and there is no file missing"),
        ("missing", [], {"share": 0.2}, "name each variant, too"),
        ("a", ["now"], {}, "Expected `array` of length >= 2"),
        ("a", ["now", "new: rules"], {}, "--variant 'new: rules' is not understood"),
        ("a", ["now", "N w"], {}, "is not understood: Expected `str` matching regex"),
        ("a", ["now", "new"], {"share": 2.0}, "Expected `float` <= 1"),
    ],
)
def test_what_is_not_understood_is_a_sentence(
    name: str, variants: list[str], options: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        of_arguments(name, variants, options)


def test_a_file_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    for text, words in (("[", "cannot be read as TOML"), ("x = 1", "has no"), ("\xff", "as TOML")):
        (tmp_path / "a").write_bytes(text.encode("latin-1"))
        with pytest.raises(ConfigError, match=words):
            of_arguments(str(tmp_path / "a"), [], {})


def test_the_job_reads_what_is_written_and_its_answer_is_printed(
    redis_url: str, redis_client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = loaded(redis_url, tmp_path)
    assert start(job, [ONE]) == 1
    assert "the line is written, but the job has not answered" in capsys.readouterr().err
    tell(redis_client, began=LATER, ended=0)
    assert experiments._answers(job, {"diverse"}, lambda one: one.began >= 5) == 0
    assert capsys.readouterr().out.startswith("diverse runs: 20 % of all users get now and new")
    assert end(job, "diverse") == 1
    tell(redis_client, began=5, ended=LATER)
    assert end(job, "diverse") == 0 and "diverse has ended" in capsys.readouterr().out
    lines = written(tmp_path)
    settings = DecodeSettings(preset=resolve("millirec"), weights={})
    texts = [path.read_text() for path in sorted(tmp_path.glob("*.jsonl"))]
    found = ExperimentReader(settings).decode("".join(texts).split("\n")[:-1], LATER)
    assert [line["kind"] for line in lines] == ["experiment"] * 2 and found.rejected == []
    word = found.words["diverse"]
    assert word.experiment == ONE and word.ended == LATER + 1, "later than its start in any case"


def test_one_that_waits_is_told(
    redis_url: str, redis_client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(redis_client, waits="another sets rerank.diversity.", began=LATER)
    assert start(loaded(redis_url, tmp_path), [ONE]) == 1
    assert "diverse waits: another sets rerank.diversity." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("known", "times", "words"),
    [
        (ONE, {"ended": 9}, "has ended 1970-01-01 00:00 UTC, and its users would be counted on"),
        (replace(ONE, share=0.5), {}, "runs already, and only its share may grow"),
        (replace(ONE, goal="clicks"), {}, "runs already, and only its share may grow"),
        (replace(ONE, variants=[*ONE.variants, Variant(name="x")]), {}, "runs already"),
        (replace(ONE, name="other"), {}, "diverse and other both set|other and diverse both set"),
    ],
)
def test_what_would_count_wrongly_is_refused_before_a_line_is_written(
    redis_url: str,
    redis_client: Any,
    tmp_path: Path,
    known: Experiment,
    times: dict[str, int],
    words: str,
) -> None:
    tell(redis_client, known, **times)
    with pytest.raises(ConfigError, match=words):
        start(loaded(redis_url, tmp_path), [ONE])
    assert written(tmp_path) == []


def test_its_share_may_grow(redis_url: str, redis_client: Any, tmp_path: Path) -> None:
    tell(redis_client, replace(ONE, share=0.1))
    assert start(loaded(redis_url, tmp_path), [ONE], wait=False) == 0
    assert [line["experiment"]["share"] for line in written(tmp_path)] == [0.2]


def test_what_an_earlier_job_told_does_not_count(
    redis_url: str, redis_client: Any, tmp_path: Path
) -> None:
    tell(redis_client, replace(ONE, name="other"), began=5)
    tell(redis_client, replace(ONE, name="configured"), began=0)
    redis_client.hset("stats", "began", 6)
    assert start(loaded(redis_url, tmp_path), [ONE], wait=False) == 0
    with pytest.raises(ConfigError, match="the job tells of no experiment"):
        end(loaded(redis_url, tmp_path), "other")


def test_what_the_job_cannot_run_or_hear_is_refused(
    redis_url: str, redis_client: Any, tmp_path: Path
) -> None:
    job = loaded(redis_url, tmp_path)
    model = replace(job.config, lists=Lists(model="popular"))
    bad = replace(
        ONE, variants=[Variant(name="a"), Variant(name="b", set={"lists.model": "ranker"})]
    )
    with pytest.raises(ConfigError, match="does not let the ranker learn"):
        start(replace(job, config=model), [bad])
    with pytest.raises(ConfigError, match="attribution_days is 0"):
        start(loaded(redis_url, tmp_path, "quality.attribution_days=0"), [ONE])
    with pytest.raises(ConfigError, match="nothing can be said to the job"):
        end(loaded(redis_url, tmp_path, "source.kind=files"), "diverse")
    assert written(tmp_path) == []
