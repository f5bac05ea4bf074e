"""What an evaluation has measured, as its file holds it.

In: `flink_app.evaluate.measure` and the baselines make it, files are read as it. Out: `Result`s,
which tables, pictures, the report and the operator's page are made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from flink_app.evaluate.closer_results import Closer
from flink_app.lookup.sample import Sample
from udfs.errors import SourceError

OWN = "millirec"
"""The name of the model that is not a baseline."""


class Point(msgspec.Struct, frozen=True):
    """Quality of a stretch of the stream: what there was up to its end, and mean recall@10 in it.

    Attributes:
        events: learned. tests: made.
        served, popular: recall@10 of these lists; a baseline has but one, `served`.
        models: recall@10 of the other lists that are tested, by model.
    """

    events: int
    tests: int
    served: float
    popular: float | None = None
    models: dict[str, float] = {}

    def of(self, name: str) -> float | None:
        """Recall@10 of a list by its name in `Result.quality`."""
        return {"served": self.served, "popular": self.popular, **self.models}.get(name)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one run measured.

    Attributes:
        seconds: of the whole run, from Java's start.
        quality: means by `<list>:<measure>` (see `udfs.learning.quality`), and counts.
        curve: quality over time, about 20 points.
        microseconds: per event and stage, of the user learner; of a baseline per `update` and per
            `list`.
        model: millirec, or the name of a baseline, whose list is `served`.
        served: whose lists users got, of millirec.
        rmse: of predicted ratings, over all of them before each was learned: of a baseline that
            predicts some, and of millirec where model.loss is squared.
        sample: some of users' lists at the end, of millirec.
        closer: what one more pass has shown of its lists, if the figures go to a file.
    """

    model: str = OWN
    mode: str
    seed: int
    events: int
    seconds: float
    quality: dict[str, float]
    curve: list[Point]
    microseconds: dict[str, float]
    rmse: float | None = None
    served: str = ""
    sample: Sample | None = None
    closer: Closer | None = None


def has_tests(results: Iterable[Result]) -> bool:
    """Whether any list was tested, or any rating predicted."""
    return any(
        value > 0 and key.endswith(":tests")
        for result in results
        for key, value in result.quality.items()
    ) or any(result.rmse is not None for result in results)


def decoded(data: bytes, path: Path) -> list[Result]:
    """The results in a file, of which these are the bytes.

    Raises:
        SourceError: `millirec evaluate --out` did not write it.
    """
    try:
        found = msgspec.json.decode(data, type=list[Result])
    except msgspec.DecodeError as error:
        raise SourceError(
            f"{path} does not hold results of an evaluation: {error}. Write such a file with "
            "`millirec evaluate --out`."
        ) from error
    return found
