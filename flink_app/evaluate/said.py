"""What a closer look has shown, in sentences for people who decide.

In: a `Closer`. Out: sentences: what each step of re-ranking gives for how much recall, who is
served worse than average, whether the end of the stream differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from flink_app.console.live import change
from flink_app.evaluate.closer_results import Closer, Point
from flink_app.evaluate.rates import Drift, Rate, Segment

LITTLE = 0.01
"""As much recall as a step may take to be recommended, relative."""
_FOR = {
    "diversity": ("diversity", "diversity within lists"),
    "calibration": ("calibration", "divergence from what users take"),
    "debias": ("coverage", "coverage"),
}
"""What a step is for: a measure, and its name in sentences."""


def said(closer: Closer) -> list[str]:
    """All sentences."""
    return [*bargains(closer), segments_said(closer.segments), drift_said(closer.drift)]


def bargains(closer: Closer) -> Iterator[str]:
    """For each step the strength that gives most for at most `LITTLE` of the recall."""
    for step, points in groupby(closer.points, key=lambda point: point.step):
        now = closer.strengths.get(step, 0.0)
        if some := [point for point in points if point.strength != now]:
            yield _bargain(step, now, some, closer)


def _bargain(step: str, now: float, points: Sequence[Point], closer: Closer) -> str:
    cheap = [point for point in points if point.recall.value >= -LITTLE]
    best = max(cheap or points[:1], key=lambda point: point.strength)
    measure, name = _FOR[step]
    before = closer.now.get(measure, 0.0)
    gained = change(best.measures[measure] / before - 1.0) if before else change(0.0)
    return (
        f"{step} = {best.strength:g} instead of {now:g}: {gained} {name}, "
        f"{change(best.recall.value)} recall@10 ({_interval(best.recall)})."
    )


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
