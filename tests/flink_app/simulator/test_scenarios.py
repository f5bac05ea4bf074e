"""Each scenario's world is a `World`, and does what all that use one rely on."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest

from flink_app.config import load
from flink_app.graph.event_settings import decode_settings
from flink_app.simulator import truth
from flink_app.simulator.scenarios import SCENARIOS, open_world, scenario
from flink_app.simulator.settings import WorldSettings
from flink_app.simulator.world import World
from udfs.errors import ConfigError, MillirecError
from udfs.events.decode import Decoder

pytestmark = pytest.mark.parametrize("name", SCENARIOS)


def small(name: str, **more: float) -> WorldSettings:
    return SCENARIOS[name].settings(users=80, items=120, seed=3, **more)


def played(world: World, blocks: int) -> list[bytes]:
    """All lines of some blocks, each with the time of its number."""
    lines: list[bytes] = []
    for _ in range(blocks):
        actions = world.advance()
        lines += world.news(world.settings.start_ms + len(lines))
        lines += world.lines(actions, range(len(actions)), 0, "")
    return lines


def test_settings_determine_the_lines_and_the_seed_changes_them(name: str) -> None:
    settings = small(name, metadata=True, new_items=0.01)
    first, second = (played(open_world(settings), 6) for _ in range(2))
    assert first == second
    assert first != played(open_world(msgspec.structs.replace(settings, seed=4)), 6)


def test_what_somebody_dislikes_does_not_come_back(name: str) -> None:
    decoder = Decoder(decode_settings(load(None, SCENARIOS[name].choices, {}).config))
    event = '{"user":"u1","item":"i1","type":"dislike","ts":1700000000000}'
    found = decoder.decode([event], 1_700_000_000_000).batch(1_700_000_000_000)
    assert found.consumed.tolist() == [True] and found.weights[0] < 0


def test_reading_the_truth_changes_nothing(name: str) -> None:
    quiet, used = open_world(small(name)), open_world(small(name))
    for _ in range(4):
        used.affinity("u3")[:] = 0.0
        used.respond("u3", ["i1", "i2"])
        used.click_probability("u3", ["i5"])
        assert played(quiet, 1) == played(used, 1)


def test_the_truth_is_told_the_same_in_all_ways(name: str) -> None:
    world = open_world(small(name))
    played(world, 5)
    users = np.array([7, 3])
    both = world.affinities(users)
    assert both.shape == (2, world.items)
    assert world.popularity.shape == world.available.shape == (world.items,)
    assert world.popularity.sum() == pytest.approx(1)
    ids = [f"i{number}" for number in range(world.items)]
    for row, user in zip(both, users, strict=True):
        np.testing.assert_allclose(row, world.affinity(f"u{user}"), rtol=1e-4, atol=1e-5)
        chances = world.click_probability(f"u{user}", ids)
        np.testing.assert_allclose(chances, truth.click_probability(row), rtol=1e-3, atol=1e-6)


def test_items_have_words_that_fit_a_terminal(name: str) -> None:
    world = open_world(small(name))
    assert len({world.title(f"i{number}") for number in range(world.items)}) > 0.9 * world.items
    for number in range(world.items):
        item = f"i{number}"
        assert world.category(item)
        assert 0 < len(world.caption(item)) <= 8
        assert not world.is_new(item)


def test_what_is_taken_of_a_list_is_what_is_liked(name: str) -> None:
    world, random = open_world(small(name)), np.random.default_rng(0)
    affinity = world.affinities(np.arange(world.users))
    taken = np.zeros(2)
    for user in range(world.users):
        order = np.argsort(-affinity[user], kind="stable")
        for place, items in enumerate((order[:8], order[-8:])):
            found = world.answer(random, user, items, affinity[user, items])
            places = [one.position for one in found]
            assert places == sorted(places)
            kinds = {one.kind for one in found}
            assert kinds
            taken[place] += bool(kinds - {"impression", "dislike"})
    assert taken[0] > 2 * taken[1]


def test_unsettled_users_want_something_else_and_the_others_the_same(name: str) -> None:
    world = open_world(small(name))
    users = np.arange(world.users)
    before = world.affinities(users)
    world.unsettle(0.5)
    assert np.mean((before != world.affinities(users)).any(axis=1)) == pytest.approx(0.5, abs=0.05)


def test_lines_are_events_with_consecutive_ids(name: str) -> None:
    world = open_world(small(name))
    actions = world.advance()
    events = [json.loads(line) for line in world.lines(actions, range(len(actions)), 40, "x-")]
    assert [event["id"] for event in events] == [f"x-e{40 + n}" for n in range(len(events))]
    assert [event["ts"] for event in events] == list(range(len(actions)))
    assert [event["user"] for event in events] == [f"u{user}" for user in actions.users]
    rest = world.lines(actions.take(slice(5, None)), range(5, len(actions)), 45, "x-")
    assert [json.loads(line) for line in rest] == events[5:]


def test_an_unknown_id_is_an_error(name: str) -> None:
    world = open_world(small(name))
    for call in (world.title, world.category, world.caption, world.is_new):
        with pytest.raises(MillirecError, match="no 'x'"):
            call("x")
    with pytest.raises(MillirecError, match="no 'u80'"):
        world.affinity("u80")
    with pytest.raises(MillirecError, match="no 'i120'"):
        world.respond("u1", ["i120"])


def test_names_and_settings_that_do_not_exist_are_errors(name: str) -> None:
    with pytest.raises(ConfigError, match=f"did you mean {name}"):
        scenario(f"{name}s")
    with pytest.raises(ConfigError, match="has no colour: leave --colour out"):
        SCENARIOS[name].given(colour=True)
    assert SCENARIOS[name].given(users=5, metadata=False).users == 5


def test_zero_is_a_choice(name: str) -> None:
    assert SCENARIOS[name].given(seed=0, users=None).seed == 0
    for size in ("users", "items"):
        with pytest.raises(ConfigError, match=f"{size} is 0; it must be at least 1"):
            SCENARIOS[name].given(**{size: 0})
