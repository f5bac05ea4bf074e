"""A closer look at lists, over events without Flink: what it measures, of whom, and how often."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from flink_app.config import load
from flink_app.evaluate import closer
from flink_app.evaluate.closer import CURVES, look_closer
from flink_app.evaluate.closer_results import GAP, Closer
from flink_app.evaluate.evaluation import in_mode
from flink_app.evaluate.item_entries import item_entries
from flink_app.evaluate.ordered import as_written, in_order
from flink_app.evaluate.replay import Plan
from flink_app.evaluate.user_entries import user_entries
from flink_app.graph.event_settings import decode_settings

NOW = 1_700_000_000_000
USERS, ITEMS, EACH = 80, 60, 7


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    return path


def look(folder: Path, *options: str, described: bool = True, **plan: Any) -> Closer | None:
    """Of users who take items of one of four categories each, and some others."""
    random = np.random.default_rng(4)
    events = [
        {"user": f"u{u}", "item": f"i{4 * random.integers(0, 15) + (u + (n % 5 == 0)) % 4}",
         "ts": NOW - 10_000_000 + 1000 * (n * USERS + u)}
        for n in range(EACH) for u in range(USERS)
    ]  # fmt: skip
    about = [{"kind": "item", "item": f"i{n}", "category": f"c{n % 4}"} for n in range(ITEMS)]
    people = [
        {"kind": "profile", "user": f"u{u}", "gender": "fm"[u % 2], "attributes": {"job": "x"}}
        for u in range(USERS)
    ]
    config = load(None, ["lists.length=20", *options], {}).config
    ordered = folder / "events"
    in_order([written(folder / "given", events)], decode_settings(config), NOW, ordered)
    items = item_entries(config, [written(folder / "items", about)] if described else [], NOW)
    _, said = user_entries(config, [written(folder / "people", people)], NOW)
    config = in_mode(as_written(config), "strict", 1, ordered)
    return look_closer(config, ordered, (items, said), Plan(NOW, **plan), lambda done: None)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Closer:
    """A look with nothing configured."""
    found = look(tmp_path_factory.mktemp("usual"))
    assert found is not None
    return found


def test_each_step_is_walked_over_and_gives_what_it_is_for(usual: Closer) -> None:
    found = usual
    assert found.tests == found.sampled > 300
    by = {(p.step, p.strength): p for p in found.points}
    assert {*by} == {(step, s) for step, of in CURVES.items() for s in (0.0, *of)}
    assert found.strengths == dict.fromkeys(CURVES, 0.0)
    for step in CURVES:
        assert by[step, 0.0].measures == found.now
    assert by["diversity", 1.5].measures["diversity"] > found.now["diversity"]
    assert by["calibration", 8.0].measures["calibration"] < found.now["calibration"]
    assert by["debias", 0.4].measures["novelty"] > found.now["novelty"]
    assert found.now["recall@10"] == pytest.approx(found.recall.value)
    for point in found.points:
        more = point.measures["recall@10"] / found.now["recall@10"] - 1
        assert point.recall.value == pytest.approx(more)
    assert {name for name in found.now if name.startswith(GAP)} == {f"{GAP}gender"}


def test_groups_of_users_are_those_of_their_profiles_and_by_activity(usual: Closer) -> None:
    found = usual
    groups = {(one.field, one.name): one for one in found.segments}
    assert {field for field, _ in groups} == {"gender", "job", "activity"}
    assert groups["gender", "f"].users == groups["gender", "m"].users == USERS // 2
    assert groups["job", "x"].tests == found.tests
    assert groups["activity", "tenth 01"].recall is None  # 8 users are too few
    assert found.drift is not None and found.drift.events[-1] > (EACH - 1) * USERS


def test_what_is_configured_is_where_each_curve_is_now(tmp_path: Path) -> None:
    found = look(tmp_path, "rerank.diversity=0.6")
    assert found is not None and found.strengths["diversity"] == 0.6
    own = [p for p in found.points if p.step == "diversity" and p.strength == 0.6]
    assert [p.measures for p in own] == [found.now]
    none = [p for p in found.points if p.step == "diversity" and p.strength == 0.0]
    assert none[0].measures["diversity"] < found.now["diversity"]


def test_steps_that_need_to_know_what_items_are_are_left_out_without(tmp_path: Path) -> None:
    found = look(tmp_path, described=False)
    assert found is not None and {p.step for p in found.points} == {"debias"}
    assert "diversity" not in found.now and "calibration" not in found.now


def test_of_many_events_lists_are_made_of_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closer, "_MANY", 140)
    found = look(tmp_path)
    assert found is not None and found.sampled == -(-found.tests // 4)
    assert look(tmp_path, after=EACH * USERS) is None
