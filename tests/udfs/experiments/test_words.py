"""What is known of experiments depends on what was said, not on the order in which it was heard."""

from __future__ import annotations

from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from udfs.experiments.words import Known, Word, Words, known, merged, with_configured
from udfs.options.experiments import Experiment, Variant

NAMES = st.sampled_from("ab")
TIMES = st.integers(1, 5)


def experiment(name: str, share: float = 1.0) -> Experiment:
    return Experiment(name=name, variants=[Variant(name="x"), Variant(name="y")], share=share)


@st.composite
def words(draw: Any) -> Words:
    """What one line says."""
    name, at = draw(NAMES), draw(TIMES)
    if draw(st.booleans()):
        return {name: Word(ended=at)}
    return {name: Word(began=at, experiment=experiment(name, draw(st.sampled_from([0.5, 1.0]))))}


said = st.lists(words(), max_size=8)


@given(said, st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_order_in_which_words_are_heard_does_not_matter(
    lines: list[Words], random: Any, times: int
) -> None:
    empty: Words = {}
    straight = reduce(merged, lines, empty)
    other = lines * times
    random.shuffle(other)
    cut = random.randint(0, len(other))
    parts = reduce(merged, other[:cut], empty), reduce(merged, other[cut:], empty)
    assert merged(*parts) == straight == merged(straight, straight)


@given(said)
def test_an_experiment_runs_unless_an_end_is_no_earlier_than_its_last_start(
    lines: list[Words],
) -> None:
    heard: Words = reduce(merged, lines, {})
    found = {one.experiment.name: one for one in known([], heard)}
    pairs = [pair for line in lines for pair in line.items()]
    for name in "ab":
        starts = [word for each, word in pairs if each == name and word.began]
        ends = [word.ended for each, word in pairs if each == name and word.ended]
        assert (name in found) == bool(starts)
        if starts:
            last = max(word.began for word in starts)
            one = found[name]
            assert one.began == last
            assert one.experiment in [w.experiment for w in starts if w.began == last]
            assert one.ended == (max(ends) if ends and max(ends) >= last else 0)


def test_a_line_counts_more_than_the_configuration() -> None:
    configured, grown = [experiment("a", 0.5), experiment("b")], experiment("a", 1.0)
    assert known(configured, {}) == [Known(configured[0]), Known(configured[1])]
    started: Words = {"a": Word(7, grown)}
    assert known(configured, started) == [Known(configured[1]), Known(grown, 7)]
    ended: Words = {"a": Word(ended=9)}
    assert known(configured, ended) == [Known(configured[0], 0, 9), Known(configured[1])]
    assert known(configured, merged(started, ended))[1] == Known(grown, 7, 9)
    again = merged(merged(started, ended), {"a": Word(11, grown)})
    assert known(configured, again)[1] == Known(grown, 11)


def test_what_an_ended_experiment_was_is_known_when_it_is_no_longer_configured() -> None:
    one, ended = experiment("a"), {"a": Word(ended=9)}
    assert known([], ended) == []
    kept = with_configured(ended, [one, experiment("b")])
    assert [*kept] == ["a"] and known([], kept) == [Known(one, 0, 9)]
    assert known([one], kept) == known([one], ended)
