"""What a report says of experiments: decided, not known yet, broken."""

from __future__ import annotations

from flink_app.report.drawings import Spans
from flink_app.report.experiments import experiment_sections
from flink_app.report.page import Page, Section, html
from tests.flink_app.report.test_builder import assert_safe
from tests.udfs.experiments.test_results import TWO, sums
from udfs.experiments import results


def experiment(seed: int, users: dict[str, int], taste: dict[str, float]) -> list[Section]:
    """The sections of an experiment with these users, who click as often."""
    found = sums(seed, users, taste)
    decided = results.decide(found, [TWO], {}, 1_700_000_000_000)
    stats = results.fields(found, [TWO], decided)
    return experiment_sections({k.removeprefix(results.PREFIX): v for k, v in stats.items()})


def test_an_experiment_that_is_decided() -> None:
    [section] = experiment(2, {"a": 900, "b": 900}, {"a": 0.1, "b": 0.2})
    assert section.title == "Experiment e" and not section.alarm
    assert section.text == "By clicks per view, compared with a."
    [fact] = section.facts
    assert fact.startswith("b: better than a, +") and "decided since 2023-11-14 22:13 UTC" in fact
    assert section.grid is not None and isinstance(section.figure, Spans)
    assert [row[:2] for row in section.grid.rows] == [["a", "900"], ["b", "900"]]
    assert section.grid.rows[0][-1] == "" and " to +" in section.grid.rows[1][-1]


def test_an_experiment_of_which_little_is_known() -> None:
    [section] = experiment(3, {"a": 400, "b": 400}, {"a": 0.1, "b": 0.1})
    assert section.facts[0].startswith("b: not decided yet, -") and section.figure
    [section] = experiment(3, {"a": 20, "b": 20}, {"a": 0.1, "b": 0.1})
    assert section.facts == ["b: not known yet, 20 of 50 users in a and 20 of 50 users in b."]
    assert not section.figure and not section.alarm
    assert experiment_sections({}) == []


def test_an_experiment_whose_users_do_not_fit_is_an_alarm() -> None:
    [section] = experiment(4, {"a": 1400, "b": 900}, {"a": 0.1, "b": 0.1})
    assert section.alarm.startswith("Do not trust these numbers: 1,400 in a and 900 in b do not")
    page = Page(title="t", subtitle="", tiles=[], sections=[section], made="")
    assert section.alarm in assert_safe(html(page)).texts
