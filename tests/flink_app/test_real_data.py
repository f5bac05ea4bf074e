"""The job on real data sets, where they are: every row accounted for, every list right."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.data_sets import data
from tests.flink_app.jobs import counts, letters, lists, run

pytestmark = pytest.mark.job


def source(path: Path, preset: str) -> list[str]:
    return [f"source.paths={json.dumps([str(path)])}", f"source.preset={preset}"]


def test_movielens_100k(redis_url: str, tmp_path: Path) -> None:
    path = data("ml-100k/u.data")
    fields = run(redis_url, *source(path, "movielens"), f"dead_letters.path={tmp_path}")
    assert counts(fields) == {
        "received": 100_000, "learned": 100_000, "duplicates": 0, "dead": 0, "ignored": 0,
    }  # fmt: skip
    rated: dict[str, set[str]] = {}
    for line in path.read_text().splitlines():
        user, item, *_ = line.split("\t")
        rated.setdefault(user, set()).add(item)
    found = lists(redis_url)
    assert set(found) == {f"rec:{user}" for user in rated}
    assert len(found) == 943
    for stored in found.values():
        shown = {item["item"] for item in stored["items"]}
        assert len(shown) == 20
        assert not shown & rated[stored["user"]]


def test_movielens_1m_with_corrupt_rows(redis_url: str, tmp_path: Path) -> None:
    path = data("ml-1m-dirty/ratings.dat")
    fields = run(
        redis_url, *source(path, "movielens-dat"), "source.delimiter=|",
        f"dead_letters.path={tmp_path}",
    )  # fmt: skip
    assert counts(fields) == {
        "received": 132_984, "learned": 132_984 - 15_288, "duplicates": 0, "dead": 15_288,
        "ignored": 0,
    }  # fmt: skip
    dead = Counter(letter["line"] for letter in letters(tmp_path))
    assert dead.total() == 15_288

    def corrupt(line: str) -> bool:
        cells = line.split("|")
        try:
            user, item, rating, time = cells
            whole = user.isdigit() and item.isdigit()
            return not (whole and 0.5 <= float(rating) <= 5 and 631_152_000 <= int(time) < 2e9)
        except ValueError:
            return True

    lines = path.read_text().splitlines()
    assert dead == Counter(line for line in lines if corrupt(line))


def test_tianchi_types_have_their_weights(redis_url: str, tmp_path: Path) -> None:
    path = data("tianchi-mobile-sample/user_behavior.csv")
    fields = run(redis_url, *source(path, "tianchi"), f"dead_letters.path={tmp_path}")
    assert counts(fields) == {
        "received": 2000, "learned": 1999, "duplicates": 0, "dead": 0, "ignored": 1,
    }  # fmt: skip
    weights = {"1": 1.0, "2": 1.6, "3": 1.6, "4": 2.0}
    popularity: Counter[str] = Counter()
    for line in path.read_text().splitlines()[1:]:
        _, item, kind, *_ = line.split(",")
        popularity[item] += weights[kind]
    # Popularity decays by a day's half-life over a month: compare on one that does not decay.
    run(
        redis_url, *source(path, "tianchi"), f"dead_letters.path={tmp_path}",
        "model.popularity_half_life_s=3e9",
    )  # fmt: skip
    shown = lists(redis_url, "popular")["popular"]["items"]
    best = max(popularity.values())
    for item in shown:
        assert item["score"] == pytest.approx(popularity[item["item"]] / best, abs=2e-3)
