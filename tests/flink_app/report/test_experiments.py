"""What a report says of experiments: decided, not known yet, broken."""

from __future__ import annotations

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
    assert section.text.startswith("Goal: clicks per view, compared with a. b is better than a, ")
    assert "decided since 2023-11-14 22:13 UTC: +" in section.text
    assert section.grid is not None and "svg" in section.figure
    assert [row[:2] for row in section.grid.rows] == [["a", "900"], ["b", "900"]]
    assert section.grid.rows[0][-1] == "" and " to +" in section.grid.rows[1][-1]


def test_an_experiment_of_which_little_is_known() -> None:
    [section] = experiment(3, {"a": 400, "b": 400}, {"a": 0.1, "b": 0.1})
    assert "Not known yet whether b is better" in section.text and section.figure
    [section] = experiment(3, {"a": 20, "b": 20}, {"a": 0.1, "b": 0.1})
    assert "Nothing is known yet of b: each variant needs 50 users" in section.text
    assert not section.figure and not section.alarm
    assert experiment_sections({}) == []


def test_an_experiment_whose_users_do_not_fit_is_an_alarm() -> None:
    [section] = experiment(4, {"a": 1400, "b": 900}, {"a": 0.1, "b": 0.1})
    assert "1,400 in a, 900 in b" in section.alarm and "Do not decide by this" in section.alarm
    page = Page(title="t", subtitle="", tiles=[], sections=[section], made="")
    assert section.alarm in assert_safe(html(page)).texts
