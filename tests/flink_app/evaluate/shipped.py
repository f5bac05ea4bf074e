"""Lists for sessions of RSC15 that other implementations made from the same six days of clicks.

Settings of the others, and how they break ties, are not known: lists differ in part.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from flink_app.evaluate.baselines import Baseline, Shape
from tests.data_sets import data


def compared(kind: type[Baseline], file: str, **settings: int) -> tuple[float, float, float]:
    """How a baseline's lists of 20 and those of `recommendations/<file>.csv` agree.

    The test is skipped where the data is not.

    Returns:
        The share of their items that ours have too, and the shares of tests that ours and theirs
        get right.
    """
    folder = data("rsc15-100k")
    past, day = read(folder / "train_full.txt"), read(folder / "test.txt")
    past.sort(key=lambda row: row[2])
    lists = shipped(folder / "recommendations" / f"{file}.csv")
    sessions = {name for name, _ in lists}
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    rows = [(f"then {s}", i, t) for s, i, t in past]
    rows += [row for row in day if row[0] in sessions]
    numbers = [
        (users.setdefault(user, len(users)), items.setdefault(item, len(items)), when)
        for user, item, when in rows
    ]
    model = kind(Shape(len(users), len(items), len(rows)), **settings)
    names, common, right = list(items), [], []
    known = np.isin(names, list({item for _, item, _ in past}))
    place: dict[str, int] = {}
    for n, (user, item, when) in enumerate(numbers):
        name, model.now = rows[n][0], when
        if n == len(past):
            model.begin_tests()
        model.learn(user, item, 1.0)
        if n < len(past):
            continue
        at = place[name] = place.get(name, -1) + 1
        theirs = lists.get((name, at), [])[:20]
        following = [i for u, i, _ in rows[n + 1 :] if u == name][:1]
        if not theirs or not following:
            continue
        scores = np.where(known, model.scores(user), -np.inf)
        ours = [names[k] for k in np.argsort(-scores, kind="stable")[:20]]
        common.append(len(set(ours) & set(theirs)) / 20)
        right.append((following[0] in ours, following[0] in theirs))
    assert len(common) == 387
    mine, others = np.mean(np.array(right), axis=0)
    return float(np.mean(common)), float(mine), float(others)


def read(path: Path) -> list[tuple[str, str, float]]:
    """Session, item and seconds of each click."""
    with path.open() as file:
        return [(s, i, float(t)) for s, i, t in list(csv.reader(file, delimiter="\t"))[1:]]


def shipped(path: Path) -> dict[tuple[str, int], list[str]]:
    """Lists by session and place in it."""
    with path.open() as file:
        rows = list(csv.reader(file, delimiter=";"))[1:]
    return {(session, int(place)): items.split(",") for session, place, items, _ in rows}
