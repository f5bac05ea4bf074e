"""The part of a report for those who decide is whole, safe, and says where nothing is known."""

from __future__ import annotations

from flink_app.evaluate.closer_results import GAP
from flink_app.evaluate.rates import Drift, Rate, Segment
from flink_app.report.closer import closer_sections
from flink_app.report.page import Page, html
from tests.flink_app.evaluate.test_said import looked, point
from tests.flink_app.report.test_builder import EVIL, assert_safe

SHARE = Rate(0.1, 0.09, 0.12)
GROUPS = [
    Segment(field=EVIL, name=EVIL, users=90, tests=900, recall=SHARE, ndcg=SHARE, verdict="worse"),
    Segment(field=EVIL, name="b", users=9, tests=90),
    Segment(field="gender", name="f", users=90, tests=900, recall=SHARE, ndcg=SHARE),
]


def test_all_parts_are_there() -> None:
    gap = f"{GAP}gender"
    now = {"recall@10": 0.2, "diversity": 0.5, gap: 0.1, f"{GAP}{EVIL}": 0.2}
    points = [
        point("diversity", s, 0.1 - s, diversity=0.5 + s, **{gap: 0.1}) for s in (0.0, 0.5, 1.0)
    ]
    drift = Drift(events=[10, 20], recall=[SHARE, SHARE], change=SHARE)
    sections = closer_sections(looked(now=now, points=points, segments=GROUPS, drift=drift))
    gist, *sections = sections
    assert gist.title == "In short" and EVIL in gist.facts[-2]
    assert [part.title for part in sections] == [
        "What each step of re-ranking gives and takes",
        "Accuracy against diversity within lists",
        "Accuracy against parity by gender",
        f"Who is served how well, by {EVIL}",
        "Who is served how well, by gender",
        "Drift",
    ]
    table = sections[0].grid
    assert table is not None and table.head == ["[rerank]", "recall@10", "diversity", gap]
    assert [row[0].replace("\N{NO-BREAK SPACE}", " ") for row in table.rows] == [
        "as configured",
        "diversity = 0.5",
        "diversity = 1",
    ]
    assert table.rows[0][1:] == ["20 %", "0.5", "10 %"]
    groups = sections[3].grid
    assert groups is not None
    assert [row[-1] for row in groups.rows] == ["worse", "not known"]
    assert all(part.figure for part in sections[1:])
    page = Page(title="t", subtitle="", tiles=[], sections=[gist, *sections], made="")
    assert EVIL in "".join(assert_safe(html(page)).texts)


def test_without_points_or_enough_users_it_says_so() -> None:
    sections = closer_sections(looked(points=[], segments=GROUPS[1:2]))
    assert [part.title for part in sections] == ["In short", f"Who is served how well, by {EVIL}"]
    _, groups, drift = sections[0].facts
    assert groups.startswith("Of no group of users enough is known.")
    assert not sections[1].figure
    assert "there are too few tests" in drift
