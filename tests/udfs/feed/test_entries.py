"""Entries of the item feed: the bytes of each form that is read."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import keys
from udfs.errors import ServiceError
from udfs.feed import parameters
from udfs.feed.entries import VERSION, FeedRows, unpack
from udfs.models.item_cf.feed_rows import read_short
from udfs.models.item_cf.wire import read_row
from udfs.state.records import item_dtype

FIXTURES = Path(__file__).parents[1] / "fixtures"
FORM_2 = bytes.fromhex((FIXTURES / "feed-v2.hex").read_text())
FORM_4 = bytes.fromhex((FIXTURES / "feed-v4.hex").read_text())
FORM_5 = bytes.fromhex((FIXTURES / "feed-v5.hex").read_text())
FORM_6 = bytes.fromhex((FIXTURES / "feed-v6.hex").read_text())
FORM_3 = bytes.fromhex((FIXTURES / "feed-v3.hex").read_text())


def check(data: bytes) -> FeedRows:
    """The same item and pairs are in each form."""
    feed, rows, changed = unpack(data, item_dtype(1))
    assert not len(changed)
    assert (feed.shard, feed.epoch, feed.restored, feed.items) == (0, 1, True, ["a"])
    assert (rows["factor"][0, 0], rows["bias"][0], rows["events"][0]) == (0.5, -0.5, 3)
    assert list(feed.counted) == ["a"]
    row = read_row(feed.pairs[0], "it")
    assert (row.keys.tolist(), row.values.tolist()) == (keys("b").tolist(), [0.5])
    return feed


def test_form_2_has_only_the_ranker() -> None:
    found = parameters.read(check(FORM_2).parameters)
    assert {name: values.tolist() for name, values in found.items()} == {"ranker": [0.5, -2.0]}


def test_form_3_names_its_parameters() -> None:
    found = parameters.read(check(FORM_3).parameters)
    wanted = {"ranker": np.array([0.5]), "sequence": np.array([-2.0])}
    assert {name: values.tolist() for name, values in found.items()} == {
        name: values.tolist() for name, values in wanted.items()
    }


def test_other_forms_are_refused() -> None:
    for version in (1, VERSION + 1):
        other = msgspec.structs.replace(check(FORM_3), version=version)
        with pytest.raises(ServiceError, match=f"it has form {version}, not 2 to 6"):
            unpack(msgspec.msgpack.encode(other), item_dtype(1))


@pytest.mark.parametrize(
    ("form", "sums", "context"),
    [
        (FORM_4, [np.float32(2 / 24), 3, 3, 3], -0.75),
        (FORM_5, [0.25, 2.5, 2.75, 3], -0.75),
        (FORM_6, [0.25, 2.5, 2.75, 3], -0.25),
    ],
    ids=["4, whose sums were those of a steady demand", "5, whose y was not on top of q", "6"],
)
def test_forms_from_4_on_have_half_of_the_bytes_of_an_item(
    form: bytes, sums: list[float], context: float
) -> None:
    feed, rows, changed = unpack(form, item_dtype(1))
    assert (feed.shard, feed.epoch, feed.restored, list(feed.names)) == (0, 1, True, ["a"])
    assert not len(rows)
    assert changed["key"].tolist() == keys("a").tolist()
    for name, value in (("factor", 0.5), ("context", context), ("spread", 1.5), ("bias", -0.5)):
        assert (changed[name] == value).all(), name
    assert (changed["events"][0], changed["seen"][0]) == (3, 5000)
    assert (changed["popularity"][0], changed["popularity_at"][0]) == (2.0, 4000.0)
    assert changed["sums"][0].tolist() == sums
    assert list(parameters.read(feed.parameters)) == ["ranker"]
    row = read_short(feed.counts)
    assert (row.own.tolist(), row.keys.tolist()) == (keys("a").tolist(), keys("b").tolist())
    assert (row.clocks.tolist(), row.weights.tolist(), row.starts.tolist()) == ([7], [1.5], [0, 1])
    assert (row.numbers.tolist(), row.values.tolist()) == ([0], [0.5])


@pytest.mark.parametrize("whole", [FORM_4, FORM_5, FORM_6])
def test_numbers_that_are_not_finite_read_as_0(whole: bytes) -> None:
    for name, form, value in (("bias", np.float32, -0.5), ("spread", np.float16, 1.5)):
        for other in (np.nan, np.inf, -np.inf):
            data = whole.replace(form(value).tobytes(), form(other).tobytes())
            assert data != whole
            changed = unpack(data, item_dtype(1)).changed
            assert not changed[name].any()
            assert changed["factor"][0, 0] == 0.5
