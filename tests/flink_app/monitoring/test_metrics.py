"""The table of metrics: it covers `stats`, and keeps Prometheus' conventions."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.monitoring.metrics import LEFT_OUT, METRICS, Metric, fits, numbers, samples
from tests.udfs.experiments.test_results import TWO
from tests.udfs.experiments.test_results import sums as experiment_sums
from udfs.accounts import Account, fields
from udfs.attributed import GROUPS, UNKNOWN
from udfs.experiments import results, standing
from udfs.experiments.words import Known
from udfs.learning.quality import sums

UNITS = ("seconds", "bytes", "ratio", "bits")


def outcomes() -> dict[str, float]:
    """All sorts of sums of what became of lists; enough for examination to be told."""
    measures = {"views": 200.0, "clicks": 20.0, "conversions": 2.0, "value": 9.5}
    found = {f"{group}:{n}:{m}": v for group in GROUPS for n in "12" for m, v in measures.items()}
    found |= {"drawn:1:clicks": 40.0, "drawn:1:views": 200.0}
    return found | dict.fromkeys(UNKNOWN, 3.0)


def stats() -> dict[str, str]:
    """All fields that a job writes."""
    measures = sums(np.array([[0]]), np.array([0]), np.ones(1))
    quality = {f"{name}:{measure}": 3.0 for measure in measures for name in ("served", "popular")}
    quality |= {"repeats": 1.0, "new_items": 1.0, "unknown_users": 1.0}
    quality |= {"ratings:tests": 4.0, "ratings:squared_error": 9.0}
    names = "lists", "us", "without", "failed", "slow", "loaded", "refused"
    models = {f"ranker:{what}": 2 for what in names}
    account = Account(
        received=10, learned=4, duplicates=2, ignored=1, dead={"not_json": 1}, items={0: 7},
        stages={"rank": 250_000, "user_learner": 500_000}, feed={"read": 8}, batches=2,
        waited=1500, lists=3, users=2, freshness={25: 3}, quality=quality, models=models,
        attribution=outcomes(), exposure={"1:lists": 4.0, "1:shown": 1.5, "1:wanted": 1.6},
    )  # fmt: skip
    told = fields(account, account, 1, account, 1_700_000_000_000, {"served": 7, "popular": 1})
    made = experiment_sums(1, {"a": 900, "b": 900}, {"a": 0.1, "b": 0.2})
    made |= {"e:a:served": 950.0, "e:a:lists": 1200.0}
    told |= standing.fields([Known(TWO, 5, 7)], {"e": "another one runs"})
    return told | results.fields(made, [TWO], {"e:b": 1_700_000_000_000, "e:mismatch": 5000})


def found(now_s: float = 1_700_000_000.0) -> dict[tuple[str, ...], float]:
    """Samples by name and labels."""
    values = numbers({name.encode(): value.encode() for name, value in stats().items()})
    return {(s.metric.name, *s.labels): s.value for s in samples(values, now_s)}


@pytest.mark.parametrize("field", stats())
def test_every_field_is_a_metric_or_says_why_not(field: str) -> None:
    sources = [metric.source for metric in METRICS if metric.source]
    assert sum(bool(fits(source, field)) for source in (*sources, *LEFT_OUT)) >= 1
    assert len({m.name for m in METRICS if m.source and " " not in m.source
                and fits(m.source, field)}) <= 1  # fmt: skip


@pytest.mark.parametrize("template", LEFT_OUT)
def test_what_is_left_out_is_a_field(template: str) -> None:
    assert any(fits(template, field) for field in stats())


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_keep_the_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"millirec_[a-z]+(_[a-z]+)*", metric.name)
    assert (metric.kind == "counter") == metric.name.endswith("_total")
    unit = metric.name.removesuffix("_total").rpartition("_")[2]
    if metric.source and metric.scale != 1.0:
        assert unit in UNITS
    assert metric.help.endswith(".")


def test_metrics_of_one_name_agree() -> None:
    kinds: dict[str, set[object]] = {}
    for metric in METRICS:
        kinds.setdefault(metric.name, set()).add((metric.kind, metric.help, metric.label_names))
    assert all(len(kind) == 1 for kind in kinds.values())


def test_values_are_in_base_units() -> None:
    values = found()
    assert values["millirec_stats_timestamp_seconds",] == 1_700_000_000.0
    assert values["millirec_batch_wait_seconds_total",] == 1.5
    assert values["millirec_freshness_seconds", "0.5"] == pytest.approx(0.0108)
    assert values["millirec_stage_seconds_total", "rank"] == 0.25
    assert values["millirec_feed_bytes_total", "read"] == 8
    assert values["millirec_dead_letters_total", "not_json"] == 1
    assert values["millirec_lines_pending",] == 10 - 4 - 2 - 1 - 1
    assert values["millirec_quality_tests_total", "served"] == 3
    assert values["millirec_quality_hits_total", "served", "10"] == 3
    assert values["millirec_quality_coverage_ratio", "popular"] == pytest.approx(1 / 7)
    assert values["millirec_list_clicks_total", "2", "position"] == 20
    assert values["millirec_list_examined_ratio", "2"] == pytest.approx(0.5)
    assert values["millirec_list_unknown_total", "items"] == 3
    assert values["millirec_experiment_views_total", "e", "b"] > 900
    low, lift, high = (
        values[f"millirec_experiment_{name}_ratio", "e", "b", "clicks"]
        for name in ("lift_low", "lift", "lift_high")
    )
    assert 0 < low < lift < high
    assert values["millirec_experiment_decided_timestamp_seconds", "e", "b"] == 1_700_000_000
    assert values["millirec_experiment_mismatch_timestamp_seconds", "e"] == 5
    assert values["millirec_experiment_mismatch_p", "e"] == pytest.approx(1.0)
    assert values["millirec_ratings_tested_total",] == 4
    assert values["millirec_ratings_rmse",] == 1.5
    assert not any("ratings" in labels for _, *labels in values)


def test_what_is_of_the_last_minute_is_not_told_later() -> None:
    gone = {name for name, *_ in found().keys() - found(1_700_000_061.0).keys()}
    assert gone == {metric.name for metric in METRICS if metric.recent}


@given(st.integers(1, 10**9), st.data())
def test_hits_are_whole_numbers_again(tests: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, tests))
    account = Account(quality={"served:tests": float(tests), "served:recall@10": float(hits)})
    written = fields(account, Account(), 1, Account(), 0, {})
    values = numbers({name.encode(): value.encode() for name, value in written.items()})
    told = {s.metric.name: s.value for s in samples(values, 0.0)}
    assert told["millirec_quality_tests_total"] == tests
    assert told["millirec_quality_hits_total"] == hits


@given(st.dictionaries(st.binary(), st.binary()))
def test_whatever_stands_there_is_no_error(stats: dict[bytes, bytes]) -> None:
    list(samples(numbers(stats), 0.0))


def test_labels_are_bounded() -> None:
    many = {f"dead:reason_{n}": 1.0 for n in range(1000)} | {
        'dead:x"} 1\n': 1.0,
        "dead:" + "x" * 99: 1.0,
    }
    told = [s.labels[0] for s in samples(many, 0.0) if s.metric.name.startswith("millirec_dead")]
    assert len(told) == 64
    assert all(re.fullmatch(r"reason_\d+", label) for label in told)
