"""What variants may change: what they set is set, all else is refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from udfs.errors import ConfigError
from udfs.models.settings import Settings
from udfs.models.varied import CHANGEABLE, check_experiments, combined, every, varied
from udfs.options.experiments import Experiment, Variant
from udfs.options.explore import Explore
from udfs.options.learning import Lists
from udfs.options.rules import Rule

CAP, NONE = Rule(name="cap", when="price < 5.0", most=1), Rule(name="no", exclude=True)
ALL = {
    "lists.model": "popular",
    "rerank.diversity": 0.5,
    "rerank.calibration": 2.0,
    "rerank.debias": 0.25,
    "explore.share": 0.0,
    "rules": False,
}


def experiment(name: str, *changes: dict[str, Any]) -> Experiment:
    variants = [Variant(name=f"v{n}", set=one) for n, one in enumerate(changes)]
    return Experiment(name=name, variants=variants)


def test_each_option_is_changed_and_nothing_else() -> None:
    assert set(ALL) == set(CHANGEABLE)
    job = Settings(rules=[CAP, NONE])
    for name, value in ALL.items():
        found = varied(job, {name: value})
        section, _, key = name.partition(".")
        assert getattr(getattr(found, section), key) == value if key else found.rules == [NONE]
        for other in Settings.__struct_fields__:
            assert other == section or getattr(found, other) == getattr(job, other)
    assert varied(job, {"rules": True}) == job == varied(job, {})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model.dimensions": 8}, "model.dimensions cannot differ between users: a variant sets"),
        ({"rerank.diversity": 99}, "rerank.diversity is 99 in a variant: Expected `float` <= 10"),
        ({"rerank.debias": "much"}, "rerank.debias is 'much' in a variant: Expected `float`"),
        ({"rules": 1}, "rules is 1 in a variant: it must be true or false"),
        ({"lists.model": "best"}, "lists.model is 'best' in a variant: it must be ranker, item-cf"),
    ],
)
def test_what_cannot_be_changed_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        varied(Settings(), changes)


def test_what_the_job_does_not_count_or_learn_is_refused() -> None:
    with pytest.raises(ConfigError, match="but the job's is 0"):
        varied(Settings(explore=Explore(share=0.0)), {"explore.share": 0.1})
    with pytest.raises(ConfigError, match="does not let the ranker learn"):
        varied(Settings(lists=Lists(model="item-cf")), {"lists.model": "ranker"})
    with pytest.raises(ConfigError, match="which does not count which items go together"):
        varied(Settings(lists=Lists(model="mf")), {"lists.model": "item-cf"})
    assert varied(Settings(lists=Lists(model="mf")), {"lists.model": "popular"})


def test_users_of_several_variants_have_the_options_of_all() -> None:
    one = experiment("one", {}, {"rerank.diversity": 1.0})
    other = experiment("other", {"rules": False}, {"rules": True})
    job = Settings(experiments=[one, other], rules=[CAP])
    check_experiments(job)
    assert combined(job, (-1, -1)) == job
    both = combined(job, (1, 0))
    assert both.rerank.diversity == 1.0 and both.rules == []
    assert len(every(job)) == 4


@pytest.mark.parametrize(
    ("experiments", "words"),
    [
        ([experiment("a", {}, {}), experiment("a", {}, {})], "two experiments are called a"),
        (
            [experiment("a", {}, {"rules": False}), experiment("b", {"rules": False}, {})],
            "the experiments a and b both set rules: run one after the other",
        ),
        ([experiment("a", {}, {"job.shards": 2})], "experiment a, v1: job.shards cannot differ"),
        (
            [Experiment(name="a", variants=[Variant(name="x"), Variant(name="x")])],
            "experiment a has 2 variants called x",
        ),
        (
            [Experiment(name="a", variants=[Variant(name="x"), Variant(name="mismatch")])],
            "experiment a has a variant called mismatch",
        ),
    ],
)
def test_experiments_that_cannot_run_side_by_side(
    experiments: list[Experiment], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        check_experiments(Settings(experiments=experiments))
