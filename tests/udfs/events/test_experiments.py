"""Lines about experiments: what they say, and what is wrong with others."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import changed
from udfs.errors import SourceError
from udfs.events.batch import make_batch, pack
from udfs.events.experiments import ExperimentReader, is_words, pack_words, unpack_words
from udfs.events.kinds import EXPERIMENT, USER_LEARNER, by_kind
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings
from udfs.experiments.words import Word, Words
from udfs.models.running import Against
from udfs.models.settings import Settings
from udfs.options.experiments import Experiment, Variant

NOW = 1_795_548_161_115
SETTINGS = DecodeSettings(
    preset=resolve("millirec"),
    weights={"click": 1.0},
    against=Against(changed(Settings(), attribution_days=7.0)),
)
READER = ExperimentReader(SETTINGS)
TWO = [{"name": "now"}, {"name": "new", "set": {"rerank.debias": 0.5}}]
ONE = Experiment(
    name="a", variants=[Variant(name="now"), Variant(name="new", set={"rerank.debias": 0.5})]
)


def line(**fields: Any) -> str:
    return json.dumps({"kind": "experiment", **fields})


def read(*lines: str) -> tuple[Words, list[tuple[str, str, int]]]:
    found = READER.decode(lines, NOW)
    assert found.received == found.ignored + len(found.rejected) >= len(lines)
    return found.words, [(bad.reason, bad.detail, bad.index) for bad in found.rejected]


def test_what_starts_and_ends_is_read_with_its_time() -> None:
    start = line(experiment={"name": "a", "variants": TWO}, ts=1_795_548_161)
    assert read(start) == ({"a": Word(1_795_548_161_000, ONE)}, [])
    assert read(line(name="a", end=True)) == ({"a": Word(ended=NOW)}, [])
    both = f"[{start},{line(name='b', end=True, ts='2026-11-24T00:00:00Z')}]"
    words, bad = read(both, line(name="a", end=True))
    assert words == {
        "a": Word(1_795_548_161_000, ONE, NOW),
        "b": Word(ended=1_795_478_400_000),
    }
    assert bad == []


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({}, "missing_experiment", "neither 'experiment', which starts one, nor 'name' and 'end'"),
        ({"name": "a"}, "missing_experiment", "neither"),
        ({"name": "a", "end": False}, "wrong_type", "the end is 'False': it must be true"),
        ({"end": True}, "wrong_type", "the name 'None' is not that of an experiment"),
        ({"name": "A b", "end": True}, "wrong_type", "the name 'A b' is not"),
        ({"name": "a", "end": True, "experiment": {}}, "wrong_type", "write two lines"),
        ({"experiment": 5}, "wrong_type", "not understood: Expected `object`"),
        ({"experiment": {"name": "a", "variants": TWO[:1]}}, "wrong_type", "length >= 2"),
        ({"experiment": {"name": "a:b", "variants": TWO}}, "wrong_type", "matching regex"),
        ({"experiment": {"name": "a", "variants": TWO, "shares": 1}}, "wrong_type", "`shares`"),
        (
            {"experiment": {"name": "a", "variants": [*TWO[:1], {"name": "x", "set": {"b": 1}}]}},
            "cannot_run",
            "experiment a, x: b cannot differ between users: a variant sets lists.model",
        ),
        ({"name": "a", "end": True, "ts": [5]}, "wrong_type", "the ts"),
        ({"name": "a", "end": True, "ts": 5}, "time_out_of_range", "the time '5'"),
    ],
)
def test_what_is_wrong_with_others_is_a_sentence(
    fields: dict[str, Any], reason: str, words: str
) -> None:
    found, [(named, detail, index)] = read(line(name="b", end=True), line(**fields))
    assert [*found] == ["b"] and (named, index) == (reason, 1) and words in detail


def test_a_job_that_does_not_know_what_becomes_of_lists_runs_none() -> None:
    reader = ExperimentReader(msgspec.structs.replace(SETTINGS, against=Against(Settings())))
    [bad] = reader.decode([line(experiment={"name": "a", "variants": TWO})], NOW).rejected
    assert bad.reason == "cannot_run" and "quality.attribution_days is 0" in bad.detail


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
options = st.dictionaries(
    st.sampled_from(["lists.model", "rerank.debias", "explore.share", "rules", "x", ""]), values
)
variants = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abA")}, optional={"set": options | values}),
    max_size=9,
)
experiments = st.fixed_dictionaries(
    {"name": st.just("a") | values, "variants": variants | values},
    optional={"share": values, "goal": values},
)


@given(
    st.fixed_dictionaries(
        {"kind": st.just("experiment")},
        optional={"experiment": experiments | values, "name": values, "end": values, "ts": values},
    )
)
def test_whatever_a_line_says_it_is_read_or_rejected(fields: dict[str, Any]) -> None:
    text = json.dumps(fields)
    words, rejected = read(text)
    assert len(words) + len(rejected) == 1
    assert unpack_words(pack_words(words)) == words


@given(st.text())
def test_whatever_a_line_is_it_does_not_stop_the_job(text: str) -> None:
    READER.decode([text], NOW)


def test_every_user_learner_hears_of_it_and_nobody_of_nothing() -> None:
    lines = [line(name="a", end=True), '{"user":"ann","item":"x"}']
    assert by_kind(lines) == {"experiment": [0], "interaction": [1]}
    [route] = EXPERIMENT.routes
    assert route.operator == USER_LEARNER
    parts = [*route.parts(READER.decode(lines[:1], NOW), 3, 0)]
    assert [shard for shard, _ in parts] == [0, 1, 2]
    assert all(unpack_words(data) == {"a": Word(ended=NOW)} for _, data in parts)
    assert [*route.parts(READER.decode(["{}"], NOW), 3, 0)] == []


def test_messages_are_told_apart_and_versioned() -> None:
    batch = make_batch(["u"], ["i"], [1.0], [1.0], [1.0], [""], 0)  # type: ignore[arg-type]
    assert not is_words(pack(batch)) and is_words(pack_words({}))
    with pytest.raises(SourceError, match="what is said of experiments has form 2"):
        unpack_words(b"E" + msgspec.msgpack.encode((2, {})))
