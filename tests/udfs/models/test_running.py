"""Which experiments run side by side, which wait, and which are over."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from tests.udfs.builders import changed
from udfs.experiments.words import Word, Words, known, merged
from udfs.models.running import Against, against, running
from udfs.models.settings import Settings
from udfs.options.experiments import Experiment, Variant
from udfs.options.explore import Explore

JOB = changed(Settings(), attribution_days=7.0)


def experiment(name: str, *changes: dict[str, Any], **options: Any) -> Experiment:
    variants = [Variant(name=f"v{n}", set=one) for n, one in enumerate(changes)]
    return Experiment(name=name, variants=variants, **options)


RULES = experiment("rules", {}, {"rules": False})
DEBIAS = experiment("debias", {}, {"rerank.debias": 0.5})
OTHER = experiment("other", {}, {"rerank.debias": 0.1})


def told(*said: tuple[int, Experiment]) -> Words:
    return {one.name: Word(began=at, experiment=one) for at, one in said}


def test_without_words_the_configuration_runs_as_it_is() -> None:
    for job in (JOB, replace(JOB, experiments=[RULES]), replace(Settings(), experiments=[RULES])):
        assert running(job, {}) == (job.experiments, {})


def test_one_that_does_not_fit_beside_an_earlier_one_waits_until_that_ends() -> None:
    found = running(JOB, told((5, DEBIAS), (6, OTHER), (7, RULES)))
    assert found.experiments == [DEBIAS, RULES]
    assert "debias and other both set rerank.debias" in found.waiting["other"]
    ended = merged(told((5, DEBIAS), (6, OTHER), (7, RULES)), {"debias": Word(ended=9)})
    found = running(JOB, ended)
    assert found.experiments == [OTHER, RULES] and found.waiting == {}
    assert [one.experiment for one in known(JOB.experiments, ended) if one.ended] == [DEBIAS]


def test_the_configuration_began_first_and_may_end() -> None:
    job = replace(JOB, experiments=[OTHER])
    assert running(job, told((5, DEBIAS))).experiments == [OTHER]
    ended = {"other": Word(ended=9)} | told((5, DEBIAS))
    assert running(job, ended).experiments == [DEBIAS]


def test_what_runs_does_not_depend_on_the_order_of_lines() -> None:
    lines = [told((5, DEBIAS)), told((5, OTHER)), told((6, RULES)), {"rules": Word(ended=8)}]
    found = []
    for order in permutations(lines):
        words: Words = {}
        for line in order:
            words = merged(words, line)
        found.append(running(JOB, words))
    assert all(one == found[0] for one in found)
    assert found[0].experiments == [DEBIAS]


def test_with_other_options_what_cannot_run_waits() -> None:
    one = experiment("new", {"explore.share": 0.0}, {})
    assert running(JOB, told((5, one))).experiments == [one]
    none = running(replace(JOB, explore=Explore(share=0.0)), told((5, one), (6, DEBIAS)))
    assert none.experiments == [DEBIAS] and "but the job's is 0" in none.waiting["new"]
    off = running(Settings(), told((5, DEBIAS)))
    assert off.experiments == [] and "quality.attribution_days is 0" in off.waiting["debias"]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (RULES, ""),
        (experiment("a", {}, {"job.shards": 2}), "experiment a, v1: job.shards cannot differ"),
        (experiment("a", {}, {"lists.model": ["x"]}), "must be ranker, item-cf"),
        (experiment("a", {}, {"rerank.debias": float("inf")}), "rerank.debias is inf"),
        (experiment("a", {}, {"rerank.debias": 10**400}), "rerank.debias is 1000"),
    ],
)
def test_what_a_job_has_against_an_experiment_is_a_sentence(one: Experiment, words: str) -> None:
    assert words in Against(JOB)(one) and bool(Against(JOB)(one)) == bool(words)
    assert "quality.attribution_days" in Against(Settings())(one)


def test_there_is_a_bound_of_ways() -> None:
    options = ("rules", "rerank.debias", "rerank.diversity", "rerank.calibration")
    # Of variants that set the same, one counts.
    two = [experiment(o.replace(".", "-"), {}, {}, {o: False if o == "rules" else 0.5})
           for o in options]  # fmt: skip
    assert against(JOB, two) == ""
    many = [{"rerank.debias": 0.1 * n} for n in range(8)]
    more = [{"rerank.diversity": 0.1 * n} for n in range(8)]
    assert against(JOB, [experiment("one", *many)]) == ""
    assert "make lists in 81 ways together, and 64 are allowed" in against(
        JOB, [experiment("one", *many), experiment("two", *more)]
    )
