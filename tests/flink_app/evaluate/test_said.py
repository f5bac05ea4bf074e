"""What a closer look has shown, in words."""

from __future__ import annotations

from typing import Any

import pytest

from flink_app.evaluate.closer_results import Closer, Point
from flink_app.evaluate.rates import Drift, Rate, Segment
from flink_app.evaluate.said import drift_said, said, segments_said

NONE = Rate(0.0, 0.0, 0.0)


def point(step: str, strength: float, recall: float, **measures: float) -> Point:
    return Point(step, strength, {"recall@10": 0.2, **measures}, Rate(recall, recall - 0.01, 0.01))


def looked(**changes: Any) -> Closer:
    points = [
        point("diversity", 0.0, 0.0, diversity=0.5),
        point("diversity", 0.5, -0.002, diversity=0.55),
        point("diversity", 1.5, -0.03, diversity=0.7),
        point("debias", 0.0, 0.0, coverage=0.4),
        point("debias", 0.4, -0.05, coverage=0.6),
    ]
    known: dict[str, Any] = {
        "tests": 9, "recall": Rate(0.2, 0.1, 0.3), "sampled": 9, "points": points, "segments": [],
        "now": {"recall@10": 0.2, "diversity": 0.5, "coverage": 0.4},
        "strengths": {"diversity": 0.0, "debias": 0.0}, "drift": None,
    }  # fmt: skip
    return Closer(**known | changes)


def test_a_step_is_as_strong_as_it_costs_little() -> None:
    gist, accuracy, diversity, debias, *_ = (
        line.replace("\N{NO-BREAK SPACE}", " ") for line in said(looked())
    )
    assert gist == "Lists can be more varied, for at most 1 % of their accuracy."
    assert accuracy == "Accuracy is recall@10, how often the next item is among the first ten: " \
        "20 % of 9 tests."  # fmt: skip
    assert diversity == (
        "rerank.diversity = 0.5 instead of 0: +10 % diversity within lists, −0.2 % recall@10 "
        "(95 %: −1.2 % to +1 %)."
    )
    assert debias.startswith("rerank.debias = 0.4 instead of 0: +50 % coverage, −5 % recall@10")


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ((-0.02, -0.02), "No step of re-ranking makes lists better in any other way for at most"),
        ((-0.01, -0.01), "Lists can be more varied or less about what is popular, each for at"),
        (
            (-0.02, 0.0),
            "Lists can be less about what is popular, for at most 1 % of their accuracy",
        ),
    ],
)
def test_the_gist_is_what_costs_little(costs: tuple[float, float], words: str) -> None:
    points = [
        point("diversity", 0.5, costs[0], diversity=0.6),
        point("debias", 0.1, costs[1], coverage=0.5),
    ]
    assert said(looked(points=points))[0].startswith(words)


def test_a_step_that_makes_lists_worse_pays_nothing() -> None:
    now = {"recall@10": 0.2, "calibration": 0.5}
    for after, pays in ((0.4, True), (0.6, False)):
        points = [point("calibration", 0.5, 0.0, calibration=after), point("later", 1.0, 0.0)]
        found = said(looked(now=now, points=points))
        assert found[0].startswith("Lists can be closer to what each user takes") == pays
        assert "rerank.calibration = 0.5" in found[2] and "later" not in "".join(found)


def test_who_is_served_worse_is_named() -> None:
    known = {"tests": 900, "recall": Rate(0.1, 0.09, 0.12), "ndcg": NONE}
    worse = Segment(field="age_band", name="56+", users=90, verdict="worse", **known)
    fine = Segment(field="gender", name="f", users=90, **known)
    few = Segment(field="gender", name="x", users=3, tests=9)
    assert segments_said([worse, fine, few]) == (
        "Served worse than average: age_band 56+, of 2 groups of users. Of 1 more there are too "
        "few users."
    )
    assert segments_said([fine]).startswith("None of 1 groups of users is served worse")


def test_drift_is_told_if_it_is_more_than_chance() -> None:
    for change, words in (
        (Rate(-0.05, -0.08, -0.02), "recall@10 is lower than in the rest: −5 points"),
        (Rate(0.05, 0.02, 0.08), "recall@10 is higher than in the rest: +5 points"),
        (Rate(0.01, -0.02, 0.04), "does not differ from the rest in recall@10: +1 points"),
    ):
        assert words in drift_said(Drift(events=[1], recall=[NONE], change=change))
