"""A closer look at lists on recorded events: what each step of re-ranking gives and takes, who is
served worse than average, and whether it changes along the stream.

In: the events in order of time, what is known of items and users, and the job's configuration.
Out: `Closer`, which goes into the evaluation's JSON. It is one more pass of the events, in this
process and in strict order (`flink_app.evaluate.replay`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from flink_app.config import Config
from flink_app.config.pseudonyms import pseudonyms_of
from flink_app.evaluate.beyond import Facts, measures, mixes
from flink_app.evaluate.closer_results import ACTIVITY, GAP, Closer, Point
from flink_app.evaluate.ordered import as_written
from flink_app.evaluate.rates import (
    Rate,
    change,
    drift,
    parity_gap,
    rate,
    segments,
    tenths,
)
from flink_app.evaluate.replay import Make, Plan, Replay, replay
from flink_app.graph.event_settings import decode_settings
from udfs.events.batch import EventBatch
from udfs.events.decode import Decoder
from udfs.events.people import WORDS, unpack_people
from udfs.feed.metadata import unpack
from udfs.learning.learner import Learner
from udfs.memory.metadata import GROUPS
from udfs.models.ranked import Told
from udfs.models.settings import Settings
from udfs.models.varied import varied
from udfs.options.experiments import Experiment, Variant
from udfs.ranking.steps.steps import Steps

CURVES = {
    "diversity": (0.3, 0.5, 0.7, 1.0, 1.5),
    "calibration": (0.5, 1.0, 2.0, 3.0, 5.0, 8.0),
    "debias": (0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
}
"""The steps of re-ranking whose parameters are walked over, and at which strengths besides 0."""
_MANY = 20_000  # events, from twice as many on lists are made of one test in so many
_OFF = ("diversity", "calibration")  # which do nothing to items that nobody has described


def look_closer(
    config: Config,
    events: Path,
    known: tuple[Sequence[bytes], Sequence[bytes]],
    plan: Plan,
    progress: Callable[[int], None],
) -> Closer | None:
    """Pass the events through once more; None if there was no test.

    Args:
        config: of a strict run. events: the file that `in_order` wrote.
        known: items and people, packed as for `Trial`.
    """
    items, people = known
    batch = _read(config, events, plan.now_ms)
    learner = Learner(_walking(config.settings))
    if items:
        learner.describe([unpack(entry) for entry in items], plan.now_ms)
    settings = _settings(config.settings, described=bool(items))
    made = {name: _make(learner, some) for name, some in settings.items()}
    every = max(len(batch) // _MANY, 1)
    found = replay(learner, batch, made, plan._replace(every=every), progress)
    if not len(found.tests):
        return None
    fields = _fields(config, found, people)
    return _closer(config.settings, learner, found, fields)


def _read(config: Config, events: Path, now_ms: int) -> EventBatch:
    lines = events.read_text(encoding="utf-8").split("\n")
    found = Decoder(decode_settings(as_written(config))).decode(lines, now_ms).batch(now_ms)
    return found.take(~found.seen) if found.seen.any() else found  # impressions are no events


def _walking(settings: Settings) -> Settings:
    """The settings of a learner that ranks as many candidates as re-ranking needs: as a job does of
    which one variant re-ranks."""
    walks = [Variant(name="now"), Variant(name="walks", set={"rerank.diversity": 1.0})]
    return replace(settings, experiments=[Experiment(name="walks", variants=walks)])


def _settings(settings: Settings, *, described: bool) -> dict[str, Settings]:
    """As configured, by the name "", and with each step at each strength."""
    alone = replace(settings, experiments=[])
    found = {"": alone}
    for step, strengths in CURVES.items():
        if described or step not in _OFF:
            for strength in {0.0, *strengths} - {float(getattr(settings.rerank, step))}:
                found[f"{step} {strength}"] = varied(alone, {f"rerank.{step}": strength})
    return found


def _make(learner: Learner, settings: Settings) -> Make:
    steps = learner.models.steps.varied(settings)
    return partial(_listed, steps, settings.lists.length)


def _listed(
    steps: Steps, length: int, told: Told, slots: NDArray[np.int32], _: int
) -> NDArray[np.int32]:
    """The list of one user, int32[length], as it is served, but that nothing is explored."""
    items = steps.served(told, slots, False).items[0, :length]
    if len(items) == length:
        return items
    return np.concatenate([items, np.full(length - len(items), -1, np.int32)])


def _fields(config: Config, found: Replay, people: Sequence[bytes]) -> dict[str, list[str]]:
    """What users are, by the name of the field, in the order of their numbers: words of their
    profiles, and which tenth they are in by how much they do."""
    pseudonyms = pseudonyms_of(config)
    names = found.names if pseudonyms is None else pseudonyms.all(found.names)
    number = {name: n for n, name in enumerate(names)}
    fields: dict[str, list[str]] = {}
    for one in (one for data in people for one in unpack_people(data)):
        if (user := number.get(one.user)) is None:
            continue
        said = {name: one.fields.get(name) for name in WORDS}
        said |= one.fields.get("attributes") or {}
        for name, value in said.items():
            if isinstance(value, str):
                fields.setdefault(name, [""] * len(names))[user] = value
    counts = np.bincount(found.users, minlength=len(names))
    return {**dict(sorted(fields.items())), ACTIVITY: tenths(counts)}


def _closer(
    settings: Settings, learner: Learner, found: Replay, fields: Mapping[str, Sequence[str]]
) -> Closer:
    catalogue, tests = learner.catalogue, found.tests
    size = catalogue.size
    groups = _categories(catalogue.metadata.groups[:size])
    liked = found.liked
    before = np.cumsum(liked)  # how many of the events that are liked come up to each
    at = before[tests.at[found.chosen] - 1] - 1
    mix = mixes(found.users[liked], found.items[liked], at, groups)
    taken = np.bincount(found.items, minlength=size)
    shares = np.maximum(taken, 1) / len(found.items)
    facts = Facts(found.wanted, groups, mix, shares, int((taken > 0).sum()))
    known = {name: _measured(lists, facts, found, fields) for name, lists in found.lists.items()}
    hits = {name: _hits(lists, found.wanted) for name, lists in found.lists.items()}
    points, strengths = list[Point](), {k: float(getattr(settings.rerank, k)) for k in CURVES}
    for name in found.lists:
        step, _, strength = name.partition(" ")
        more = change(hits[""], hits[name], found.by)
        if step:
            points.append(Point(step, float(strength), known[name], more))
    walked = dict.fromkeys(point.step for point in points)
    points += [Point(step, strengths[step], known[""], Rate(0.0, 0.0, 0.0)) for step in walked]
    return Closer(
        tests=len(tests),
        recall=rate(tests.hits, tests.users),
        sampled=len(found.chosen),
        now=known[""],
        strengths=strengths,
        points=sorted(points, key=lambda point: ([*CURVES].index(point.step), point.strength)),
        segments=segments(tests, fields),
        drift=drift(tests),
    )


def _measured(
    lists: NDArray[np.int32], facts: Facts, found: Replay, fields: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    hits = _hits(lists, facts.wanted)
    gaps = {f"{GAP}{name}": parity_gap(hits, found.by, of) for name, of in fields.items()}
    return measures(lists, facts) | {name: gap for name, gap in gaps.items() if gap is not None}


def _hits(lists: NDArray[np.int32], wanted: NDArray[np.int32]) -> NDArray[np.float64]:
    """Whether the first ten items have the one that was taken, float64[t]."""
    hit = (lists[:, :10] == wanted[:, None]) & (wanted >= 0)[:, None]
    found: NDArray[np.float64] = hit.any(axis=1).astype(np.float64)
    return found


def _categories(groups: NDArray[np.int32]) -> NDArray[np.int32]:
    """The categories of items, int32[I, 3], as numbers from 0 without a gap; −1: none."""
    own = groups[:, : GROUPS - 1]
    names, places = np.unique(own, return_inverse=True)
    first = int((names < 0).any())
    found: NDArray[np.int32] = (places.reshape(own.shape) - first).astype(np.int32)
    return found
