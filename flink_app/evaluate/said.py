"""What a closer look has shown, in sentences for people who decide.

In: a `Closer`. Out: sentences: what it comes to, what each step of re-ranking gives for how much
recall, who is served worse than average, whether the end of the stream differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from flink_app.console.live import change, counted
from flink_app.evaluate.closer_results import RECALL, Closer, Point
from flink_app.evaluate.rates import Drift, Rate, Segment

LITTLE = 0.01
"""As much recall as a step may take to be recommended, relative."""


class _Aim(NamedTuple):
    """What a step is for: a measure, its name in sentences, whether more of it is better, and what
    lists are then."""

    measure: str
    name: str
    more: bool
    lists: str


_AIMS = {
    "diversity": _Aim("diversity", "diversity within lists", True, "more varied"),
    "calibration": _Aim(
        "calibration", "divergence from what users take", False, "closer to what each user takes"
    ),
    "debias": _Aim("coverage", "coverage", True, "less about what is popular"),
}


def said(closer: Closer) -> list[str]:
    """All sentences, what it comes to first."""
    told = segments_said(closer.segments), drift_said(closer.drift)
    return [*in_short(closer), *bargains(closer), *told]


def in_short(closer: Closer) -> Iterator[str]:
    """What it comes to: whether lists can be better in other ways, and how accurate they are."""
    found = [*_best(closer)]
    most = f"at most {100 * LITTLE:g} % of their accuracy"
    if gains := [aim.lists for point, aim, gained in found if _pays(point, aim, gained)]:
        yield f"Lists can be {_in_words(gains)}, {'each ' * (len(gains) > 1)}for {most}."
    elif found:
        yield f"No step of re-ranking makes lists better in any other way for {most}."
    share = f"{100 * closer.recall.value:.3g} % of {counted(closer.tests, 'test')}"
    yield f"Accuracy is {RECALL}, how often the next item is among the first ten: {share}."


def bargains(closer: Closer) -> Iterator[str]:
    """For each step the strength that gives most for at most `LITTLE` of the recall."""
    for point, aim, gained in _best(closer):
        now = closer.strengths.get(point.step, 0.0)
        yield (
            f"rerank.{point.step} = {point.strength:g} instead of {now:g}: {change(gained)} "
            f"{aim.name}, {change(point.recall.value)} {RECALL} ({_interval(point.recall)})."
        )


def _best(closer: Closer) -> Iterator[tuple[Point, _Aim, float]]:
    """Of each step the strongest point of those that cost little, or else the weakest; what it is
    for, and how much more of that there is."""
    for step, points in groupby(closer.points, key=lambda point: point.step):
        now, aim = closer.strengths.get(step, 0.0), _AIMS.get(step)
        if aim is None:
            continue
        some = [one for one in points if one.strength != now and aim.measure in one.measures]
        if some:
            cheap = [point for point in some if point.recall.value >= -LITTLE]
            best = max(cheap or some[:1], key=lambda point: point.strength)
            before = closer.now.get(aim.measure, 0.0)
            yield best, aim, best.measures[aim.measure] / before - 1.0 if before else 0.0


def _pays(point: Point, aim: _Aim, gained: float) -> bool:
    return point.recall.value >= -LITTLE and (gained > 0.0 if aim.more else gained < 0.0)


def _in_words(parts: Sequence[str]) -> str:
    *others, last = parts
    return f"{', '.join(others)} or {last}" if others else last


def segments_said(segments: Sequence[Segment]) -> str:
    """Who is served worse than average.

    >>> segments_said([])
    'Of no group of users enough is known.'
    """
    known = [one for one in segments if one.recall is not None]
    few = len(segments) - len(known)
    if not known:
        return "Of no group of users enough is known."
    worse = [f"{one.field} {one.name}" for one in known if one.verdict == "worse"]
    text = (
        f"Served worse than average: {', '.join(worse)}, of {len(known)} groups of users."
        if worse
        else f"None of {len(known)} groups of users is served worse than average, as far as known."
    )
    return f"{text} Of {few} more there are too few users." if few else text


def drift_said(drift: Drift | None) -> str:
    """Whether the last stretch differs from the rest.

    >>> drift_said(None)
    'Whether recall@10 changes along the stream is not known: there are too few tests.'
    """
    if drift is None:
        return "Whether recall@10 changes along the stream is not known: there are too few tests."
    by, n = drift.change, len(drift.recall)
    found = f"{points(by.value)} ({points(by.low)} to {points(by.high)})"
    if by.low <= 0.0 <= by.high:
        return f"The last of {n} stretches does not differ from the rest in recall@10: {found}."
    how = "higher" if by.value > 0 else "lower"
    return f"In the last of {n} stretches recall@10 is {how} than in the rest: {found}."


def points(by: float) -> str:
    """A difference of two shares.

    >>> points(-0.0123)
    '−1.23 points'
    """
    return f"{100 * by:+.3g} points".replace("-", "−")


def _interval(found: Rate) -> str:
    return f"95\N{NO-BREAK SPACE}%: {change(found.low)} to {change(found.high)}"
