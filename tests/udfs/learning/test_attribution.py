"""Events are joined to the lists that led to them: against a plain replay, and by hand."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW, OneShard, batch_of, with_columns
from tests.udfs.fakes import DictState
from udfs.accounts import Account
from udfs.attributed import NAMES, OTHER, tables
from udfs.events.batch import CONSUMED, EventBatch
from udfs.events.rows import CONVERTED
from udfs.learning.attribution import KEPT, Attribution
from udfs.learning.joining import Joining
from udfs.lists.contract import list_id
from udfs.lists.keys import KEPT as LONGER
from udfs.lists.keys import USER
from udfs.lists.update import ListUpdates
from udfs.memory.metadata import NEVER
from udfs.models.ranked import Lists
from udfs.options.sources import position
from udfs.state.item_records import pack_record
from udfs.state.listed import unpack_listed

ITEMS = [*"abcdef"]
DAY = 86_400_000
KINDS = {
    "impression": (0.0, 0),
    "click": (1.2, CONSUMED),
    "dislike": (-1.0, CONSUMED),
    "cart": (1.6, CONSUMED | CONVERTED),
    "purchase": (2.0, CONSUMED | CONVERTED),
}


class Told(NamedTuple):
    item: str
    kind: str
    rec: str = ""
    ts: int = NOW
    amount: float = 0.0


class Town:
    """The lists of one shard, and what is counted."""

    def __init__(self, days: float = 7.0) -> None:
        self.learner = OneShard().learner
        self.slots = self.learner.catalogue.slots(ITEMS)
        self.rows, self.people, self.shard = DictState(), DictState(), self._shard()
        self.own = Attribution(self.rows, self.people, self.learner, days)

    @staticmethod
    def _shard() -> Any:
        return SimpleNamespace(account=Account(), profiled=False)

    def serve(self, items: str, number: int, at: int = NOW, user: str = "ann", **more: Any) -> str:
        n = len(items)
        lists = Lists(
            np.array([[*self.slots[[ITEMS.index(one) for one in items]], -1]], np.int32),
            np.append(0.5 ** np.arange(n), -np.inf).astype(np.float32)[None],
            np.full((1, n + 1), position("mf"), np.int8),
        )
        numbers, catalogue, writer = np.array([number]), self.learner.catalogue, self.learner.writer
        made = ListUpdates(
            USER, [user], "ranker", at, lists, catalogue, writer, numbers=numbers, **more
        )
        longer = made.__class__(LONGER, [user], "", at, *made_of(made))
        others = self.learner.users.others
        self.own.written(self.shard, [some.under_all(others) for some in (made, longer)], at)
        return list_id(at, number)

    def hear(self, *told: Told, user: str = "ann") -> None:
        self.own.take(self.shard, batch(*told, user=user))

    @property
    def sums(self) -> dict[str, float]:
        return self.shard.account.attribution  # type: ignore[no-any-return]

    def of(self, group: str = "position") -> dict[str, dict[str, float]]:
        return tables(self.sums)[group]


def made_of(made: ListUpdates) -> tuple[Any, ...]:
    return made.lists, made.catalogue, made.writer


def batch(*told: Told, user: str = "ann") -> EventBatch:
    made = batch_of([(user, one.item) for one in told], ts=[one.ts for one in told])
    weights, flags = zip(*(KINDS[one.kind] for one in told), strict=True)
    return with_columns(
        made,
        weights=weights,
        flags=flags,
        recs=[one.rec for one in told],
        amounts=[one.amount for one in told],
    )


def replayed(lists: dict[str, str], told: list[Told], window: int) -> dict[str, dict[str, float]]:
    """The same by sets: no state, no bytes, all lists are kept."""
    views, clicks = set[tuple[str, str]](), dict[tuple[str, str], int]()
    sold, paid = set[tuple[str, str]](), dict[tuple[str, str], float]()
    for one in told:
        on = (one.rec, one.item) if one.item in lists.get(one.rec, "") else None
        if on is not None:
            views.add(on)
            if one.kind not in ("impression", "dislike"):
                clicks[on] = max(clicks.get(on, 0), one.ts)
        if one.kind not in ("cart", "purchase"):
            continue
        if on is None:
            near = [
                (at, [*lists].index(rec), (rec, item))
                for (rec, item), at in clicks.items()
                if item == one.item and one.ts - window <= at <= one.ts
            ]
            on = max(near)[2] if near else None
        if on is not None:
            sold.add(on)
            if one.amount:
                paid.setdefault(on, one.amount)
    found: dict[str, dict[str, float]] = {}
    for measure, which in (("views", views), ("clicks", clicks), ("conversions", sold)):
        for rec, item in which:
            row = found.setdefault(str(lists[rec].index(item) + 1), {})
            row[measure] = row.get(measure, 0.0) + 1.0
    for (rec, item), amount in paid.items():
        row = found[str(lists[rec].index(item) + 1)]
        row["value"] = row.get("value", 0.0) + amount
    return found


LISTS = {list_id(NOW + n, n): items for n, items in enumerate(("abc", "cba", "defa", "b"))}
told = st.builds(
    Told,
    item=st.sampled_from(ITEMS),
    kind=st.sampled_from([*KINDS]),
    rec=st.sampled_from(["", "nothing", "zz-1", *LISTS]),
    ts=st.integers(0, 4).map(lambda n: NOW + n * DAY),
    amount=st.sampled_from([0.0, 2.0, 5.0]),
)


def with_lists(days: float) -> Town:
    town = Town(days)
    for number, items in enumerate(LISTS.values()):
        town.serve(items, number, NOW + number)
    return town


@given(st.lists(told, max_size=20), st.lists(st.integers(0, 20), max_size=3))
def test_counts_are_those_of_a_plain_replay(events: list[Told], cuts: list[int]) -> None:
    events = [e if e.kind in ("cart", "purchase") else e._replace(amount=0.0) for e in events]
    town, ends = with_lists(2.0), sorted({*cuts, 0, 20})
    for begin, end in pairwise(ends):  # as batches, the state between them
        if events[begin:end]:
            town.own = Attribution(town.rows, town.people, town.learner, 2.0)
            town.hear(*events[begin:end])
    found = town.of()
    assert found == replayed(LISTS, events, 2 * DAY)
    for group in ("model", "placed", "hour"):
        for measure in ("views", "clicks", "conversions", "value"):
            total = sum(row.get(measure, 0.0) for row in town.of(group).values())
            assert total == sum(row.get(measure, 0.0) for row in found.values())


@given(st.lists(told.filter(lambda one: one.rec != ""), max_size=12), st.randoms())
def test_neither_duplicates_nor_the_order_of_named_events_change_counts(
    events: list[Told], random: Any
) -> None:
    events = [
        one._replace(ts=NOW, amount=0.0) for one in events if one.item in LISTS.get(one.rec, "")
    ]
    once, twice = with_lists(7.0), with_lists(7.0)
    again = events * 2
    random.shuffle(again)
    if events:
        once.hear(*events)
        twice.hear(*again)
    assert once.of() == twice.of()
    assert [one.marks for one in unpack_listed(once.rows.get("ann"))] == [
        one.marks for one in unpack_listed(twice.rows.get("ann"))
    ]


def test_a_click_was_a_view_and_a_dislike_is_no_click() -> None:
    town = Town()
    rec = town.serve("abc", 3)
    town.hear(Told("b", "click", rec), Told("c", "dislike", rec))
    assert town.of() == {
        "2": {"views": 1, "clicks": 1},
        "3": {"views": 1},
    }


def test_what_is_not_known_is_counted_as_that() -> None:
    town = Town()
    rec = town.serve("ab", 3)
    odd = ["popular", "ff", "-", "1-", "-1", "x-y", "1" * 99, list_id(NOW, 4), "٣-٣"]
    town.hear(*(Told("a", "click", one) for one in odd), Told("c", "click", rec))
    town.hear(Told("a", "click", rec), user="bob")
    assert town.sums == {"unknown_lists": len(odd) + 1, "unknown_items": 1}


def test_an_item_that_was_bought_later_counts_for_the_list_it_was_clicked_in_last() -> None:
    town = Town()
    first, second = town.serve("ab", 1), town.serve("ba", 2, NOW + 1)
    town.hear(Told("a", "click", first), Told("a", "click", second, NOW + 5))
    town.hear(Told("a", "cart", "", NOW + 6 * DAY), Told("a", "purchase", "", NOW + 6 * DAY, 9.5))
    assert town.of()["2"] == {
        "views": 1, "clicks": 1, "conversions": 1, "value": 9.5,
    }  # fmt: skip
    town.hear(Told("a", "purchase", "", NOW + 8 * DAY, 9.5), Told("b", "purchase", ""))
    assert "conversions" not in town.of()["1"] and town.of()["2"]["value"] == 9.5


def test_a_list_made_again_after_a_failure_stands_for_the_one_that_was_seen() -> None:
    town = Town()
    town.serve("ba", 4, NOW)
    town.serve("ab", 5, NOW + 70)  # as it was seen, it had been made at NOW + 20
    town.serve("ba", 6, NOW + 90)
    town.hear(Told("b", "click", list_id(NOW + 20, 5)))
    assert town.of() == {"2": {"views": 1, "clicks": 1}}
    town.hear(Told("a", "click", list_id(NOW + 20, 4)))
    assert town.sums["unknown_lists"] == 1, "an older list with the number is another one"


def test_of_the_lists_that_are_kept_those_that_were_seen_stay_longer() -> None:
    town = Town()
    first = town.serve("ab", 0)
    town.hear(Told("a", "impression", first))
    for number in range(1, 3 * KEPT):
        last = town.serve("ba", number, NOW + number)
    kept = unpack_listed(town.rows.get("ann"))
    assert [one.number for one in kept] == [0, *range(2 * KEPT, 3 * KEPT)]
    town.hear(Told("a", "click", first), Told("a", "click", last))
    town.hear(Told("a", "click", list_id(NOW + 1, 1)))
    assert town.sums["unknown_lists"] == 1
    town.serve("ab", 99, NOW + 8 * DAY)
    assert [one.number for one in unpack_listed(town.rows.get("ann"))] == [99], "the others expired"


def test_a_list_with_the_id_of_one_that_was_seen_changes_nothing() -> None:
    town = Town()
    rec = town.serve("ab", 1)
    town.hear(Told("a", "impression", rec))
    town.serve("ba", 1)
    town.hear(Told("a", "impression", rec))
    assert town.of() == {"1": {"views": 1}}


def test_explored_places_categories_providers_and_segments_have_their_own_counts() -> None:
    town = Town()
    c = town.learner.catalogue
    c.metadata.put(
        town.slots[:1], allowed=True, published=0, expires=NEVER, bits=0,
        groups=[c.metadata.group(["tea: green", "drinks"], "acme")],
    )  # fmt: skip
    town.people.put_all({"ann": pack_record({"country": (NOW, "DE")})})
    town.shard.profiled = True
    rec = town.serve("ab", 1, explored=np.array([[0.25, 0.0, 0.0]], np.float32))
    town.hear(Told("a", "click", rec), Told("b", "impression", rec))
    both = {"views": 1, "clicks": 1}
    assert town.of("placed") == {"explored": both, "ranked": {"views": 1}}
    assert town.of("category") == {"tea: green": both}
    assert town.of("provider") == {"acme": both}
    assert town.of("segment") == {"country:DE": {"views": 2, "clicks": 1}}
    assert town.of("hour") == {str(NOW // 3_600_000 % 24): {"views": 2, "clicks": 1}}


def test_names_are_bounded() -> None:
    town = Town()
    found = [town.own._bounded("category", str(n)) for n in range(NAMES + 2)]
    assert (
        found[-3:] == [str(NAMES - 1), OTHER, OTHER] and town.own._bounded("category", "0") == "0"
    )


def test_lists_under_other_ids_of_a_person_are_kept_once() -> None:
    town = Town()
    town.learner.users.others["ann"] = ["a-phone"]
    town.serve("ab", 1)
    assert [*town.rows.data] == ["ann"]


@pytest.mark.parametrize("kind", ["impression", "click"])
def test_without_lists_in_events_nothing_is_read(kind: str) -> None:
    town = Town()
    town.serve("ab", 1)
    before = town.rows.writes
    town.own.take(town.shard, batch_of([("ann", "a")], KINDS[kind][0], flags=KINDS[kind][1]))
    town.hear(Told("a", kind))
    assert town.rows.writes == before and town.sums == {}


def test_a_batch_is_joined_in_step_with_what_is_learned_of_it() -> None:
    town = Town()
    rec = list_id(NOW, 1)
    whole = batch(
        Told("a", "impression", rec), Told("c", "click"), Told("a", "impression", rec),
        Told("d", "click"), Told("b", "impression", rec),
    )  # fmt: skip
    joining = Joining(town.own, town.shard, whole)
    learned = whole.take(~whole.seen)
    joining.upto(learned.take(np.array([0])))
    town.serve("ab", 1)
    joining.upto(learned.take(np.zeros(0, np.int64)))
    joining.upto(learned.take(np.array([1])))
    assert town.of() == {"1": {"views": 1}} and town.sums["unknown_lists"] == 1
    joining.rest()
    assert town.of()["2"]["views"] == 1
    Joining(town.own, town.shard, batch(Told("b", "impression", rec))).rest()
    assert town.of()["2"]["views"] == 1
