"""Experiments that lines start and end: lists and sums as with a configuration, over failures."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import pytest

from tests.udfs.learning.test_attribution_of_shards import (
    ITEMS,
    KEY,
    USERS,
    Shop,
    clicks,
    played,
    reacted,
)
from tests.udfs.learning.test_experiments import found
from tests.udfs.persons import Town, handles
from udfs.events.experiments import pack_words
from udfs.experiments.words import Word
from udfs.options.experiments import Experiment, Variant
from udfs.state.started import unpack_started

POPULAR = Experiment(
    name="half",
    variants=[Variant(name="now"), Variant(name="new", set={"lists.model": "popular"})],
)
STATE = ("users", "history", "noted", "outcomes", "experiments")


def start(shop: Shop, one: Experiment = POPULAR, key: int = KEY) -> None:
    shop.take(shop.step.batch(key, pack_words({one.name: Word(shop.now, one)})))


def end(shop: Shop, name: str = POPULAR.name) -> None:
    shop.take(shop.step.batch(KEY, pack_words({name: Word(ended=shop.now)})))


def begun(**options: Any) -> Shop:
    shop = Shop(handles(), **options)
    shop.hear([line for user in USERS for line in clicks(shop, user, *ITEMS[:3])])
    return shop


def together(shops: list[Shop], seed: int) -> None:
    """Let users do the same in all shops, as those of the first one do."""
    draws = random.Random(seed)
    for _ in range(20):
        lines = [line for user in USERS for line in reacted(shops[0], shops[0].lists, draws, user)]
        for shop in shops:
            shop.hear(lines)


def kept(shop: Shop, *names: str) -> dict[str, Any]:
    return {name: getattr(shop.state, name).data for name in names}


def test_a_line_starts_an_experiment_as_the_configuration_does_and_another_ends_it() -> None:
    by_line, never, configured = begun(), begun(), begun(experiments=[POPULAR])
    together([by_line, never, configured], 1)
    before = kept(never, *STATE)
    assert kept(by_line, *STATE) == before and found(by_line) == {}
    assert by_line.state.started is not None and by_line.state.started.value() is None
    start(by_line)
    assert kept(by_line, *STATE) == before, "nobody's list is made before the next event"
    together([configured, by_line, never], 2)
    assert by_line.lists == configured.lists != never.lists
    assert sum(v for k, v in found(by_line).items() if k.endswith(":served")) == len(USERS)
    end(by_line)
    counted = dict(found(by_line))
    together([never, by_line, configured], 3)
    assert by_line.lists == never.lists != configured.lists
    assert found(by_line) == counted, "what comes later does not count"
    assert kept(by_line, "users", "history", "noted") == kept(never, "users", "history", "noted")


def test_it_goes_on_exactly_after_a_failure() -> None:
    shop = begun()
    start(shop)
    played(shop, shop.lists, 1)
    lists, checkpoint, before = dict(shop.lists), deepcopy(shop.state), deepcopy(shop.total)
    first = dict(found(shop))
    rest = played(shop, lists, 2)
    after = Shop(checkpoint, shop.now + 10_000)
    after.total = before
    assert found(after) == first != {}
    for line in rest:
        after.hear([line])
    assert found(after) == found(shop) != first
    assert kept(after, "experiments")["experiments"].keys() == {*USERS}


def test_what_was_ended_stays_so_after_a_restart_with_the_configuration() -> None:
    shop = begun(experiments=[POPULAR])
    end(shop)
    states = shop.state, begun().state
    again, plain = (Shop(deepcopy(state), shop.now, experiments=[POPULAR]) for state in states)
    never = Shop(deepcopy(states[1]), shop.now)
    together([never, again, plain], 1)
    assert again.lists == never.lists != plain.lists
    counted = dict(found(again))
    played(again, again.lists, 1)
    assert found(again) == counted


def test_each_shard_goes_by_what_it_has_heard() -> None:
    shop = begun()
    start(shop)
    step, learner = shop.step, shop.step._learner
    list(step.timer(KEY, shop.now))
    assert learner.models.ways.experiments == [POPULAR]
    list(step.timer(KEY + 1, shop.now))  # its state is that of the same handles
    assert learner.models.ways.experiments == [POPULAR]
    other = Shop(handles())
    list(other.step.timer(KEY + 1, other.now))
    start(other)
    list(other.step.timer(KEY + 1, other.now))
    assert other.step._learner.models.ways.experiments == []
    start(other, key=KEY + 1)
    assert other.step._learner.models.ways.experiments == [POPULAR]


def test_the_same_line_again_writes_nothing_and_an_older_one_changes_nothing() -> None:
    shop, words = begun(), {POPULAR.name: Word(5, POPULAR, 3)}
    shop.take(shop.step.batch(KEY, pack_words(words)))
    cell: Any = shop.state.started
    first = cell.value()
    assert unpack_started(first) == words
    cell.update = None  # what is not called
    shop.take(shop.step.batch(KEY, pack_words(words)))
    shop.take(shop.step.batch(KEY, pack_words({POPULAR.name: Word(ended=2)})))
    assert cell.value() is first


@pytest.mark.parametrize("days", [0.0, 7.0])
def test_what_cannot_run_changes_no_list(days: float) -> None:
    options: dict[str, Any] = {"attribution_days": days}
    shop, never = begun(**options), begun(**options)
    variants = [Variant(name="now"), Variant(name="new", set={"job.shards": 2})]
    start(shop, Experiment(name="bad", variants=variants) if days else POPULAR)
    together([never, shop], 1)
    assert shop.lists == never.lists and found(shop) == {}


def test_with_identities_all_shards_hear_of_it() -> None:
    town = Town(attribution_days=7.0)
    town.hear(pack_words({POPULAR.name: Word(5, POPULAR)}))
    for state in town.user_states:
        assert state.started is not None
        assert unpack_started(state.started.value()) == {POPULAR.name: Word(5, POPULAR)}
