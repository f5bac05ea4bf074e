"""Attribution in the steps of a shard: over failures, when users are forgotten or become one."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from tests.udfs.builders import NOW, SETTINGS, batch_of, changed, decode, shown, with_columns
from tests.udfs.metadata import reader
from tests.udfs.persons import Marks, Town, handles, linked
from udfs.accounts import Account, fields
from udfs.events.batch import CONSUMED, pack
from udfs.events.people import PersonChange, pack_people
from udfs.events.rows import CONVERTED
from udfs.learning.effects import END, Report, Write
from udfs.learning.learner import Learner
from udfs.learning.settings import JobSettings
from udfs.learning.user_shard import Handles, Progress
from udfs.learning.user_step import UserStep

KEY, ITEMS, USERS = 7, [f"i{n}" for n in range(12)], ["ann", "bob", "cid"]
Line = tuple[str, str, str, str, int]


class Shop:
    """A shard in strict mode, a clock, and the lists that users find."""

    def __init__(self, state: Handles, now: int = NOW, **options: Any) -> None:
        wanted: dict[str, Any] = {"strict": True, "attribution_days": 7.0, "test_every": 0}
        wanted |= {"exclude_consumed": False} | options
        settings = changed(SETTINGS, threads=1, refill_per_s=0, **wanted)
        self.now, self.state, self.lists = now, state, dict[str, Any]()
        self.total, nothing = Account(), Marks()
        mark: Any = lambda key: nothing  # noqa: E731
        job, feed = JobSettings(options=settings, item_keys=[100, 101]), nothing
        parts: Any = Learner(settings), feed, reader(), mark, lambda: self.now
        self.step = UserStep(job, state, *parts)

    def hear(self, lines: list[Line]) -> None:
        """A batch of (user, item, kind, list, time)."""
        made = batch_of([line[:2] for line in lines], ts=[line[4] for line in lines])
        of = {"impression": (0, 0), "click": (1, CONSUMED), "cart": (2, CONSUMED | CONVERTED)}
        weights, flags = zip(*(of[line[2]] for line in lines), strict=True)
        made = with_columns(made, weights=weights, flags=flags, recs=[line[3] for line in lines])
        self.take(self.step.batch(KEY, pack(made)))
        self.now += 50

    def take(self, effects: Any) -> None:
        for effect in effects:
            if isinstance(effect, Write):
                self.lists |= decode(effect.updates)
            elif isinstance(effect, Report):
                self.total.add(effect.account)

    def sums(self) -> dict[str, float]:
        total = Account()
        total.add(self.total)
        data = self.state.learned.value()
        assert data is not None
        total.add(msgspec.msgpack.decode(data, type=Progress).account)
        return {k: v for k, v in total.attribution.items() if not k.startswith("hour:")}


def clicks(shop: Shop, user: str, *items: str) -> list[Line]:
    return [(user, item, "click", "", shop.now) for item in items]


def reacted(shop: Shop, lists: dict[str, Any], draws: random.Random, user: str) -> list[Line]:
    """What a user does next: looks at the list that is there, or takes anything."""
    found, now = lists.get(f"rec:{user}"), shop.now
    if found is None or draws.random() < 0.2:
        return [(user, draws.choice(ITEMS), draws.choice(["click", "cart"]), "", now)]
    lines = [(user, item, "impression", found["id"], now) for item in shown(found)[:4]]
    if draws.random() < 0.7:
        kind = draws.choice(["click", "cart"])
        lines.append((user, draws.choice(lines)[1], kind, found["id"], now))
    return lines


def played(shop: Shop, lists: dict[str, Any], seed: int) -> list[Line]:
    """Let users do much; returns what they did."""
    draws, sent = random.Random(seed), list[Line]()
    for _ in range(40):
        for user in USERS:
            lines = reacted(shop, lists, draws, user)
            sent += lines
            shop.hear(lines)
    return sent


@pytest.mark.parametrize("together", [1, 7])
def test_what_users_saw_of_lists_that_are_made_again_is_counted_exactly(together: int) -> None:
    """All is read again, in other batches, so that lists get other ids than those users saw."""
    shop = Shop(handles())
    first = [line for user in USERS for line in clicks(shop, user, *ITEMS[:3])]
    shop.hear(first)
    rest = played(shop, shop.lists, together)
    assert shop.sums()["position:1:views"] > 20 and shop.sums()["position:1:conversions"] > 0
    assert "unknown_lists" not in shop.sums()
    after = Shop(handles(), shop.now + 10_000)
    after.hear(first)
    for begin in range(0, len(rest), together):
        after.hear(rest[begin : begin + together])
    assert after.sums() == pytest.approx(shop.sums(), rel=1e-6)


def test_what_was_served_before_a_failure_is_counted_exactly_after_it() -> None:
    """From a checkpoint on, users act on lists of before it; then again, after a restart."""
    shop = Shop(handles())
    shop.hear([line for user in USERS for line in clicks(shop, user, *ITEMS[:3])])
    played(shop, shop.lists, 1)
    lists, checkpoint, before = dict(shop.lists), deepcopy(shop.state), deepcopy(shop.total)
    first = shop.sums()
    rest = played(shop, lists, 2)
    assert shop.sums()["position:2:views"] > first["position:2:views"]
    after = Shop(checkpoint, shop.now + 10_000)
    after.total = before
    assert after.sums() == first
    for begin in range(0, len(rest), 3):
        after.hear(rest[begin : begin + 3])
    assert after.sums() == shop.sums()


def test_lists_and_what_is_learned_are_as_without_it() -> None:
    off, on = Shop(handles(), attribution_days=0.0), Shop(handles())
    draws = random.Random(3)
    for _ in range(20):
        lines = [line for user in USERS for line in reacted(off, off.lists, draws, user)]
        off.hear(lines)
        on.hear(lines)
    assert on.lists == off.lists and off.sums() == {} != on.sums()
    kept = {name: value for name, value in vars(off.state.outcomes).items() if name == "data"}
    assert kept == {"data": {}}
    for name in ("users", "history", "noted"):
        assert getattr(on.state, name).data == getattr(off.state, name).data


def test_whoever_is_forgotten_takes_the_lists_away_and_the_sums_stay() -> None:
    shop = Shop(handles())
    shop.hear([*clicks(shop, "bob", "i5"), *clicks(shop, "ann", *ITEMS[:3])])
    found = shop.lists["rec:ann"]
    shop.hear([("ann", shown(found)[0], "impression", found["id"], shop.now)])
    shop.take(shop.step.batch(KEY, pack_people([PersonChange("forget", "ann", shop.now)])))
    assert [*shop.state.outcomes.data] == ["bob"]  # type: ignore[attr-defined]
    assert shop.sums()["position:1:views"] == 1
    shop.hear([("ann", shown(found)[0], "click", found["id"], shop.now + 1)])
    assert shop.sums()["unknown_lists"] == 1 and "position:1:clicks" not in shop.sums()


def test_the_operator_tells_stats() -> None:
    shop = Shop(handles(), strict=False)
    shop.hear([*clicks(shop, "bob", "i5"), *clicks(shop, "ann", *ITEMS[:3])])
    found = shop.lists["rec:ann"]
    shop.hear([("ann", shown(found)[0], "impression", found["id"], shop.now)])
    shop.take(shop.step.timer(KEY, END))
    told = fields(shop.total, Account(), 1, Account(), NOW, {})
    assert told["attribution:position:1:views"] == "1"
    assert told["ignored"] == "1", "what was seen is not learned"


def test_what_an_id_was_served_does_not_go_with_it_to_the_person_it_belongs_to() -> None:
    town = Town(attribution_days=7.0)
    town.did(("ann", "a"), ("ann", "b"), ("phone", "c"))
    rows = [state.outcomes for state in town.user_states]
    assert {name for some in rows for name, _ in some.items()} == {"ann", "phone"}
    town.said(linked("ann", "phone", NOW + 1))
    assert {name for some in rows for name, _ in some.items()} == {"ann"}
    town.did(("phone", "d"))
    assert {name for some in rows for name, _ in some.items()} == {"ann"}
