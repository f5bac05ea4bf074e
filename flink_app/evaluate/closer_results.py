"""What a closer look at lists has shown, as the evaluation's file holds it.

In: `flink_app.evaluate.closer` makes it, JSON is read as it. Out: `Closer`, which sentences, the
report and the operator's page are made of, without what the look itself needs.
"""

from __future__ import annotations

import msgspec

from flink_app.evaluate.rates import Drift, Rate, Segment

ACTIVITY = "activity"
GAP = "parity gap: "
RECALL = "recall@10"


class Point(msgspec.Struct, frozen=True):
    """Lists with a step at a strength, and all else as configured.

    Attributes:
        measures: see `beyond.measures`; and for each field of users, the parity gap of recall@10.
        recall: how much more recall@10 than as configured.
    """

    step: str
    strength: float
    measures: dict[str, float]
    recall: Rate


class Closer(msgspec.Struct, frozen=True, kw_only=True):
    """What the pass has shown.

    Attributes:
        tests: all of them. recall: recall@10 over all of them.
        sampled: tests of which lists were made for each point. now: their measures as configured.
        strengths: as configured, by step. points: by step, ascending.
    """

    tests: int
    recall: Rate
    sampled: int
    now: dict[str, float]
    strengths: dict[str, float]
    points: list[Point]
    segments: list[Segment]
    drift: Drift | None

    def __post_init__(self) -> None:
        """Check what a file may lack.

        Raises:
            ValueError: it lacks figures.
        """
        if any(RECALL not in one for one in (self.now, *(p.measures for p in self.points))):
            raise ValueError(f"the measures of lists lack {RECALL}")
        if self.drift and not len(self.drift.events) == len(self.drift.recall) > 0:
            raise ValueError("drift needs a recall of each stretch of events")
