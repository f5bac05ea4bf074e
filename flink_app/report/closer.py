"""The part of a report for those who decide: what one virtue of lists costs in another, who is
served worse than average, and whether quality changes along the stream.

In: the `Closer` of an evaluation. Out: `Section`s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from flink_app.console.live import change, counted
from flink_app.evaluate.closer_results import ACTIVITY, GAP, RECALL, Closer, Point
from flink_app.evaluate.rates import LEAST, Drift, Rate, Segment
from flink_app.evaluate.said import said
from flink_app.report.drawings import Curve, Curves, Line, Lines, Span, Spans
from flink_app.report.page import Grid, Section
from flink_app.report.parts import percent

_MEASURES = {
    "coverage": (
        "Coverage",
        "different items in lists by all that anybody took",
        "share of items",
    ),
    "novelty": ("Novelty", "how little known items are; one bit more is half as popular", "bits"),
    "diversity": (
        "Diversity within lists",
        "how different two items of a list are by their categories",
        "1 − cosine of categories",
    ),
    "gini": (
        "Evenness of exposure",
        "the Gini index of what items are shown, first places counting most: lower is fairer to "
        "items",
        "Gini index",
    ),
    "calibration": (
        "Calibration",
        "how far the categories of a list are from those that its user takes: lower is better",
        "KL divergence",
    ),
}
_SHARES = (RECALL, "coverage")
_NOTES = {ACTIVITY: "Tenth 10 are the users who do most."}


def closer_sections(closer: Closer) -> list[Section]:
    """All sections, what it comes to first."""
    gist = Section(title="In short", facts=said(closer), width="full")
    found = [_table(closer), *_curves(closer)] if closer.points else []
    return [gist, *found, *_segments(closer), *_drift(closer.drift)]


def _table(closer: Closer) -> Section:
    gap = _gap(closer.now)
    names = [name for name in closer.now if not name.startswith(GAP) or name == gap]
    rows = [["as configured", *(_figure(name, closer.now[name]) for name in names)]]
    rows += [
        _row(point, names, closer.now)
        for point in closer.points
        if point.strength != closer.strengths.get(point.step)
    ]
    return Section(
        title="What each step of re-ranking gives and takes",
        text="Each picture sets accuracy, recall@10 upwards, against something else that lists can "
        "be. A line walks over the strength of one step, which stands at its points, all else as "
        "configured; the ring is the configuration. In the table: how much more than in its first "
        f"row, over {counted(closer.sampled, 'test')} of the same candidates. Where the 95 % "
        "interval of recall@10 holds 0, chance alone may have done it.",
        grid=Grid(["[rerank]", *names], rows),
        width="full",
    )


def _row(point: Point, names: Sequence[str], now: Mapping[str, float]) -> list[str]:
    cells = [_change(point.measures.get(name), now[name]) for name in names]
    ends = (f"{100 * end:+.2g}".replace("-", "−") for end in (point.recall.low, point.recall.high))
    cells[names.index(RECALL)] += f" ({' to '.join(ends)})"
    return [f"{point.step}\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{point.strength:g}", *cells]


def _curves(closer: Closer) -> Iterator[Section]:
    """Recall against each other measure, a line for each step."""
    told = dict(_MEASURES)
    if gap := _gap(closer.now):
        field = gap.removeprefix(GAP)
        what = f"recall@10 of the best served group by {field}, less that of the worst"
        told[gap] = (f"Parity by {field}", f"{what}: lower is fairer to users", "parity gap")
    for measure, (title, meaning, axis) in told.items():
        if measure not in closer.now:
            continue
        drawn = [
            _curve(step, [*points], measure, colour)
            for colour, (step, points) in enumerate(groupby(closer.points, key=lambda p: p.step))
        ]
        now = closer.now[measure], closer.now[RECALL]
        yield Section(
            title=f"Accuracy against {title[0].lower()}{title[1:]}",
            text=f"To the side: {meaning}.",
            figure=Curves(drawn, now, axis, RECALL, measure in _SHARES or measure == gap),
            legend=[Line(one.label, [], [], one.colour) for one in drawn],
        )


def _curve(step: str, points: Sequence[Point], measure: str, colour: int) -> Curve:
    there = [point for point in points if measure in point.measures]
    return Curve(
        step,
        [point.measures[measure] for point in there],
        [point.measures[RECALL] for point in there],
        [f"{point.strength:g}" for point in there],
        colour,
    )


def _gap(now: Mapping[str, float]) -> str:
    """The parity gap that is drawn: of gender if it is known, else of the first field."""
    gaps = [name for name in now if name.startswith(GAP)]
    return next((name for name in gaps if name == f"{GAP}gender"), gaps[0] if gaps else "")


def _segments(closer: Closer) -> Iterator[Section]:
    """A section for each field of users."""
    text = (
        f"The line is recall@10 of all users, {percent(closer.recall.value)}; a group whose "
        "interval is below it is marked. The intervals of a figure hold together in 95 % of cases, "
        f"with a user as one observation. Of fewer than {LEAST} users nothing is said."
    )
    for field, found in groupby(closer.segments, key=lambda segment: segment.field):
        group = [*found]
        drawn = [_span(one, one.recall) for one in group if one.recall is not None]
        yield Section(
            title=f"Who is served how well, by {field.replace('_', ' ')}",
            text=" ".join(filter(None, (text, _NOTES.get(field)))),
            figure=Spans(drawn, RECALL, closer.recall.value) if drawn else None,
            grid=Grid(
                [field, "users", "tests", RECALL, "than all"],
                [_segment(one) for one in group],
            ),
        )
        text = ""


def _span(one: Segment, recall: Rate) -> Span:
    return Span(one.name, recall.value, recall.low, recall.high, one.verdict == "worse")


def _segment(one: Segment) -> list[str]:
    cells = [one.name, f"{one.users:,}", f"{one.tests:,}"]
    if one.recall is None:
        return [*cells, "", "not known"]
    return [*cells, _rate(one.recall), one.verdict]


def _drift(drift: Drift | None) -> list[Section]:
    if drift is None:
        return []
    values, low, high = zip(*((r.value, r.low, r.high) for r in drift.recall), strict=True)
    events = [float(n) for n in drift.events]
    line = Line(RECALL, events, [*values], low=[*low], high=[*high])
    return [
        Section(
            title="Drift",
            text="Each point is a stretch of the stream with as many tests, in its 95 % interval.",
            figure=Lines([line], "events learned", RECALL, share=True),
        )
    ]


def _figure(name: str, value: float) -> str:
    return percent(value) if name in _SHARES or name.startswith(GAP) else f"{value:.3g}"


def _change(value: float | None, before: float) -> str:
    return change(value / before - 1.0) if value is not None and before else ""


def _rate(found: Rate) -> str:
    return f"{percent(found.value)} ({100 * found.low:.3g} to {100 * found.high:.3g})"
