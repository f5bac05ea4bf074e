"""The bytes of users and items: pinned for version 1, refused in a sentence otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.rows import VERSION, item_dtype, read_rows, user_dtype

FIXTURES = Path(__file__).parent / "fixtures"


def fixture(name: str) -> bytes:
    return bytes.fromhex((FIXTURES / name).read_text())


def record(dtype: np.dtype[np.void], **values: Any) -> NDArray[np.void]:
    rows = np.zeros(1, dtype)
    for name, value in values.items():
        rows[name] = value
    return rows


def the_user() -> NDArray[np.void]:
    recent = np.zeros(32, np.uint64)
    recent[:2] = 4048507677070676398, 7
    return record(
        user_dtype(3), version=1, d=3, fill=2, first=1, sealed=4, events=130,
        last=1_661_431_896_711, seen=1_700_000_000_000, bias=-0.5, factor=[0.25, -1.5, 16.0],
        recent=recent,
    )  # fmt: skip


def the_item() -> NDArray[np.void]:
    return record(
        item_dtype(3), version=1, d=3, bias=0.75, events=5_000_000_000, seen=1_700_000_000_000,
        popularity=12.5, popularity_at=1_661_431_896_711.0, factor=[0.25, -1.5, 16.0],
    )  # fmt: skip


def test_a_user_of_version_1_is_still_read() -> None:
    data = fixture("user-v1.hex")
    assert len(data) == 296 + 4 * 3 == user_dtype(3).itemsize
    assert read_rows(data, user_dtype(3), "user") == the_user()
    assert the_user().tobytes() == data


def test_an_item_of_version_1_is_still_read() -> None:
    data = fixture("item-v1.hex")
    assert len(data) == 40 + 4 * 3 == item_dtype(3).itemsize
    assert read_rows(data, item_dtype(3), "item") == the_item()
    assert the_item().tobytes() == data


def test_several_records_are_read_at_once_and_none() -> None:
    assert len(read_rows(fixture("item-v1.hex") * 3, item_dtype(3), "items")) == 3
    assert len(read_rows(b"", item_dtype(3), "items")) == 0


def test_another_version_is_refused() -> None:
    data = bytes([VERSION + 1]) + fixture("user-v1.hex")[1:]
    with pytest.raises(ServiceError, match=r"user 'ann' is stored in form 2, .* reads form 1"):
        read_rows(data, user_dtype(3), "user 'ann'")


def test_another_version_further_on_is_damage() -> None:
    good = fixture("item-v1.hex")
    with pytest.raises(ServiceError, match="begins unlike the first"):
        read_rows(good + b"\x09" + good[1:], item_dtype(3), "an entry")


def test_another_number_of_factors_is_refused() -> None:
    with pytest.raises(ServiceError, match=r"set model\.dimensions = 3, or start without"):
        read_rows(fixture("user-v1.hex"), user_dtype(4), "user 'ann'")


@pytest.mark.parametrize("length", [1, 3, 4, 307])
def test_a_damaged_record_is_refused(length: int) -> None:
    with pytest.raises(ServiceError, match=rf"has {length} bytes, .* it is damaged"):
        read_rows(fixture("user-v1.hex")[:length], user_dtype(3), "user 'ann'")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_reads_as_0(bad: float) -> None:
    item = the_item()
    item["factor"][0, 1], item["bias"], item["popularity"] = bad, bad, bad
    read = read_rows(item.tobytes(), item_dtype(3), "item")[0]
    assert read["factor"].tolist() == [0.25, 0.0, 16.0]
    assert (read["bias"], read["popularity"], read["events"]) == (0, 0, 5_000_000_000)
