"""The accounts: sums, balance, quantiles."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.accounts import Account, fields, pack_account, unpack_account
from udfs.durations import histogram
from udfs.errors import ServiceError

count = st.integers(0, 1000)
counts = st.dictionaries(st.integers(0, 5), count, max_size=4)
accounts = st.builds(
    Account,
    lines=count,
    received=count,
    ignored=count,
    dead=st.dictionaries(st.sampled_from(["json", "user"]), count),
    learned=count,
    duplicates=count,
    lists=count,
    users=count,
    batches=count,
    waited=count,
    freshness=counts,
    items=counts,
    feed=st.dictionaries(st.sampled_from(["changes", "read"]), count),
    stages=st.dictionaries(st.sampled_from(["parse", "learn"]), count),
    quality=st.dictionaries(st.sampled_from(["served:tests", "repeats"]), count.map(float)),
)


def summed(*parts: Account) -> Account:
    total = Account()
    for part in parts:
        total.add(part)
    return total


@given(accounts, accounts, accounts)
def test_sums_do_not_depend_on_their_order_but_the_newest_items_count(
    a: Account, b: Account, c: Account
) -> None:
    one, other = summed(a, b, c), summed(a, summed(b, c))
    assert one == other
    assert one.received == a.received + b.received + c.received
    assert (one.batches, one.waited) == (
        a.batches + b.batches + c.batches, a.waited + b.waited + c.waited
    )  # fmt: skip
    assert one.rejected == a.rejected + b.rejected + c.rejected
    assert one.items == {**a.items, **b.items, **c.items}
    assert summed(b, a, c).freshness == one.freshness


@given(accounts)
def test_adding_does_not_change_the_added_account(a: Account) -> None:
    before = pack_account(a)
    summed(a, a).add(a)
    assert pack_account(a) == before
    assert unpack_account(before) == a


def test_new_accounts_share_nothing() -> None:
    Account().dead["json"] = 1
    assert Account().dead == {}


def test_the_bytes_of_version_1_are_still_read() -> None:
    """The totals are in state under these names."""
    data = msgspec.msgpack.encode(
        {"received": 5, "dead": {"json": 1}, "learned": 3, "ignored": 1, "freshness": {25: 3}}
    )
    account = unpack_account(data)
    assert account == Account(received=5, dead={"json": 1}, learned=3, ignored=1, freshness={25: 3})
    assert msgspec.msgpack.decode(pack_account(account), strict=False) == msgspec.msgpack.decode(
        data, strict=False
    )


def test_another_version_is_refused() -> None:
    with pytest.raises(ServiceError, match="the totals have form 2"):
        unpack_account(pack_account(Account(version=2)))


@pytest.mark.parametrize(("received", "balanced"), [(10, True), (9, False), (11, False)])
def test_every_line_is_accounted_for(received: int, balanced: bool) -> None:
    account = Account(
        received=received, learned=4, duplicates=3, dead={"json": 1, "user": 1}, ignored=1
    )
    assert account.balanced is balanced


def test_fields_are_texts_with_rates_and_quantiles() -> None:
    total = Account(
        received=9, learned=6, duplicates=1, dead={"user": 1, "json": 1}, lists=4, users=2,
        items={0: 3, 1: 4}, freshness=histogram([10.0] * 99 + [1000.0]), stages={"learn": 77},
        batches=3, waited=60,
    )  # fmt: skip
    recent = Account(learned=5, duplicates=1, lists=4)
    found = fields(total, recent, 2, Account(freshness=histogram([10.0])), 123, {})
    assert found["at"] == "123"
    assert (found["received"], found["dead"], found["items"]) == ("9", "2", "7")
    assert (found["batches"], found["waited_ms"]) == ("3", "60")
    assert (found["events_per_s"], found["lists_per_s"]) == ("3", "2")
    assert (found["dead:json"], found["dead:user"], found["stage:learn_us"]) == ("1", "1", "77")
    assert found["freshness_p50_ms"] == found["total_freshness_p99_ms"] == "10.8"
    assert all(isinstance(value, str) for value in found.values())


def test_own_models_have_totals_and_the_time_of_a_list_of_late() -> None:
    total = Account()
    total.add(Account(models={"ranker:lists": 3, "ranker:us": 90}))
    total.add(Account(models={"ranker:lists": 2, "ranker:us": 50, "sequence:failed": 1}))
    minute = Account(models={"ranker:lists": 2, "ranker:us": 50, "sequence:without": 4})
    found = fields(total, Account(), 1, minute, 123, {})
    assert {name: value for name, value in found.items() if name.startswith("model:")} == {
        "model:ranker:lists": "5",
        "model:ranker:us": "140",
        "model:ranker:us_per_list": "25.0",
        "model:sequence:failed": "1",
    }


def test_totals_of_an_older_form_have_no_lines() -> None:
    old = msgspec.msgpack.encode({"received": 7, "learned": 7})
    assert unpack_account(old) == Account(received=7, learned=7, lines=0)


def test_quality_is_written_as_means_of_the_minute_and_of_all() -> None:
    total = Account(
        items={0: 3, 1: 1},
        quality={
            "served:tests": 4.0,
            "served:recall@10": 1.0,
            "popular:tests": 0.0,
            "repeats": 2.0,
        },
    )
    minute = Account(quality={"served:tests": 2.0, "served:recall@10": 1.0})
    found = fields(total, Account(), 1, minute, 123, {"served": 3, "popular": 9})
    assert found["total_quality:served:recall@10"] == "0.25"
    assert found["quality:served:recall@10"] == "0.5"
    assert found["total_quality:repeats"] == "2"
    assert found["total_quality:served:coverage@10"] == "0.75"
    # A HyperLogLog may count a little too many.
    assert found["total_quality:popular:coverage@10"] == "1"
