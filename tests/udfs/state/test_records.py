"""The bytes of users and items: pinned for each version, refused in a sentence otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.state.records import ITEM_VERSION, USER_VERSION, item_dtype, read_rows, user_dtype

FIXTURES = Path(__file__).parents[1] / "fixtures"


def fixture(name: str) -> bytes:
    return bytes.fromhex((FIXTURES / name).read_text())


def record(dtype: np.dtype[np.void], **values: Any) -> NDArray[np.void]:
    rows = np.zeros(1, dtype)
    for name, value in values.items():
        rows[name] = value
    return rows


def the_user(**newer: Any) -> NDArray[np.void]:
    recent = np.zeros(32, np.uint64)
    recent[:2] = 4048507677070676398, 7
    return record(
        user_dtype(3), version=2, d=3, fill=2, first=1, sealed=4, events=130,
        last=1_661_431_896_711, seen=1_700_000_000_000, factor=[0.25, -1.5, 16.0], recent=recent,
        **newer,
    )  # fmt: skip


def the_item(**newer: Any) -> NDArray[np.void]:
    return record(
        item_dtype(3), version=ITEM_VERSION, d=3, bias=0.75, events=5_000_000_000,
        seen=1_700_000_000_000, popularity=12.5, popularity_at=1_661_431_896_711.0,
        factor=[0.25, -1.5, 16.0], **newer,
    )  # fmt: skip


NEWER_USER = {"spread": 0.5, "disliked": 2}
NEWER_ITEM = {"spread": [[0.5, 2.0, 100.0]], "context": [[1.0, -2.0, 3.0]]}
STEADY = {"sums": [[12.5 * (1 / 24), 12.5 * 7, 12.5 * 28, 5e9]]}
"""What the oldest forms had no room for."""
OLDER_ITEM = NEWER_ITEM | {"context": [[0.75, -0.5, -13.0]]}
"""The same in a form whose y was not on top of q."""
NEWEST_ITEM = NEWER_ITEM | {"sums": [[0.5, 80.0, 300.0, 4e9]]}


def test_a_user_of_version_1_is_still_read() -> None:
    data = fixture("user-v1.hex")
    assert len(data) == 296 + 4 * 3
    assert read_rows(data, user_dtype(3), "user") == the_user()


def test_an_item_of_version_1_is_still_read() -> None:
    data = fixture("item-v1.hex")
    assert len(data) == 40 + 4 * 3
    assert read_rows(data, item_dtype(3), "item") == the_item(
        **STEADY, context=[[-0.25, 1.5, -16.0]]
    )


def test_a_user_of_version_2() -> None:
    data = fixture("user-v2.hex")
    assert len(data) == 296 + 4 * 3 == user_dtype(3).itemsize
    assert read_rows(data, user_dtype(3), "user") == the_user(**NEWER_USER)
    assert the_user(**NEWER_USER).tobytes() == data


def test_an_item_of_version_2_is_still_read() -> None:
    data = fixture("item-v2.hex")
    assert len(data) == 52 + 8 * 3
    assert read_rows(data, item_dtype(3), "item") == the_item(**OLDER_ITEM, **STEADY)


def test_an_item_of_version_3_is_still_read() -> None:
    """What it is as part of a history stays as it was: q + y."""
    item = read_rows(fixture("item-v3.hex"), item_dtype(3), "item")
    assert item == the_item(**NEWEST_ITEM | OLDER_ITEM)
    assert (item["factor"] + item["context"]).tolist() == NEWER_ITEM["context"]


def test_an_item_of_version_4() -> None:
    data = fixture("item-v4.hex")
    assert len(data) == 84 + 8 * 3 == item_dtype(3).itemsize
    assert read_rows(data, item_dtype(3), "item") == the_item(**NEWEST_ITEM)
    assert the_item(**NEWEST_ITEM).tobytes() == data


def test_several_or_no_records_are_read_at_once() -> None:
    assert len(read_rows(fixture("item-v4.hex") * 3, item_dtype(3), "items")) == 3
    assert len(read_rows(b"", item_dtype(3), "items")) == 0


def test_records_of_all_versions_are_read_together() -> None:
    """As in state while an upgraded job has rewritten only some of its items."""
    forms = [1, 1, 2, 3, 4]
    rows = read_rows(b"".join(fixture(f"item-v{n}.hex") for n in forms), item_dtype(3), "items")
    assert rows["version"].tolist() == [ITEM_VERSION] * 5
    parts = rows["factor"] * (np.array(forms) < 4)[:, None] + rows["context"]
    assert parts.tolist() == [[0] * 3] * 2 + [[1, -2, 3]] * 3
    assert rows["bias"].tolist() == [0.75] * 5


def test_another_version_is_refused() -> None:
    data = bytes([USER_VERSION + 1]) + fixture("user-v1.hex")[1:]
    with pytest.raises(ServiceError, match=r"user 'ann' is stored in form 3, .* forms 1 to 2"):
        read_rows(data, user_dtype(3), "user 'ann'")


@pytest.mark.parametrize("form", ["item-v1.hex", "item-v2.hex", "item-v3.hex", "item-v4.hex"])
@pytest.mark.parametrize("beginning", [b"\x09", b"\x01\x00\x07\x00", b"\x02\x00\x07\x00"])
def test_another_version_in_a_later_record_is_damage(form: str, beginning: bytes) -> None:
    good = fixture(form)
    with pytest.raises(ServiceError, match=f"from {len(good)} on are not a whole record"):
        read_rows(good + beginning + good[len(beginning) :], item_dtype(3), "an entry")


def test_another_number_of_factors_is_refused() -> None:
    with pytest.raises(ServiceError, match=r"set model\.dimensions = 3, or start without"):
        read_rows(fixture("user-v1.hex"), user_dtype(4), "user 'ann'")


@pytest.mark.parametrize("length", [1, 3, 4, 307])
def test_a_damaged_record_is_refused(length: int) -> None:
    with pytest.raises(ServiceError, match=rf"has {length} bytes, .* is damaged"):
        read_rows(fixture("user-v1.hex")[:length], user_dtype(3), "user 'ann'")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_reads_as_0(bad: float) -> None:
    item = the_item()
    item["factor"][0, 1], item["bias"], item["popularity"] = bad, bad, bad
    read = read_rows(item.tobytes(), item_dtype(3), "item")[0]
    assert read["factor"].tolist() == [0.25, 0.0, 16.0]
    assert (read["bias"], read["popularity"], read["events"]) == (0, 0, 5_000_000_000)
