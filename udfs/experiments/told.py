"""What `stats` tells of experiments, read back for people.

In: the fields of the Redis hash `stats` that begin with `experiment:`, as
`udfs.experiments.results.fields` writes them. Out: a `Told` of each experiment, the variant that
the others are compared with first.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from math import isfinite
from typing import NamedTuple

from udfs.experiments.results import CONTROL, GOAL, MISMATCH
from udfs.experiments.sequential import UNKNOWN, Lift

_ENDS = "lift", "low", "high"


class Variant(NamedTuple):
    """What is known of a variant.

    Attributes:
        sums: by measure, see `results.MEASURES`. lifts: by goal, against the control; a goal of
            which nothing is known yet is not there. since: ms since 1970, 0: not decided.
    """

    name: str
    sums: dict[str, float]
    lifts: dict[str, Lift]
    since: int


class Told(NamedTuple):
    """What is known of an experiment.

    Attributes:
        goal: what decides. variants: the control, then the others by name.
        mismatch_p: how likely the numbers of users ever get as uneven as they are.
        mismatch_since: since when that is too unlikely, ms since 1970; 0: it is not.
    """

    name: str
    goal: str
    variants: list[Variant]
    mismatch_p: float
    mismatch_since: int


def read(fields: Mapping[str, str]) -> list[Told]:
    """The experiments in fields of `stats` without their prefix; what cannot be read is left out.

    >>> fields = {"e:goal": "clicks", "e:control": "b", "e:a:users": "3", "e:b:users": "4",
    ...           "e:a:clicks:lift": "0.5", "e:a:clicks:low": "0.1", "e:a:clicks:high": "0.9"}
    >>> [one] = read(fields)
    >>> [(v.name, v.sums["users"]) for v in one.variants], one.variants[1].lifts["clicks"]
    ([('b', 4.0), ('a', 3.0)], Lift(lift=0.5, low=0.1, high=0.9))
    """
    parts = [(name.split(":"), text) for name, text in fields.items() if ":" in name]
    names = sorted({path[0] for path, _ in parts})
    return [_told(name, [(path[1:], text) for path, text in parts if path[0] == name])
            for name in names]  # fmt: skip


def _told(name: str, parts: list[tuple[list[str], str]]) -> Told:
    goal = control = ""
    own, found = dict[str, float](), dict[str, dict[str, float]]()
    for path, text in parts:
        if path in ([GOAL], [CONTROL]):
            goal, control = (text, control) if path == [GOAL] else (goal, text)
            continue
        with suppress(ValueError):
            if not isfinite(value := float(text)):
                continue
            if len(path) == 1 or path[0] == MISMATCH:
                own[":".join(path)] = value
            else:
                found.setdefault(path[0], {})[":".join(path[1:])] = value
    order = sorted(found, key=lambda variant: (variant != control, variant))
    since = int(own.get(f"{MISMATCH}:since", 0))
    variants = [_variant(each, found[each]) for each in order]
    return Told(name, goal, variants, own.get(f"{MISMATCH}_p", 1.0), since)


def _variant(name: str, values: Mapping[str, float]) -> Variant:
    lifts = {
        goal: Lift(*(values.get(f"{goal}:{end}", UNKNOWN._asdict()[end]) for end in _ENDS))
        for goal in (key.removesuffix(":lift") for key in values if key.endswith(":lift"))
    }
    sums = {key: value for key, value in values.items() if ":" not in key and key != "since"}
    return Variant(name, sums, lifts, int(values.get("since", 0)))
