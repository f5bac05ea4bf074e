"""What many bytes at once say is what each says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from udfs.memory.lanes import COUNTED, PICKED, count_reaching, pick_reaching


@njit(_nrt=False)  # type: ignore[untyped-decorator]
def counted(array, first, least):  # type: ignore[no-untyped-def]
    """How many of some reach a limit."""
    return count_reaching(array, first, least)


@njit(_nrt=False)  # type: ignore[untyped-decorator]
def picked(array, first, least, out, at):  # type: ignore[no-untyped-def]
    """Which of some reach a limit."""
    return pick_reaching(array, first, least, out, at)


@pytest.fixture(scope="module")
def numbers() -> Any:
    return np.random.default_rng(1).integers(0, 256, 200).astype(np.uint8)


@pytest.mark.parametrize("first", [0, 1, 64, 136])
@pytest.mark.parametrize("least", [0, 1, 127, 128, 200, 255])
def test_lanes_are_counted_and_picked(numbers: Any, first: int, least: int) -> None:
    assert counted(numbers, first, least) == (numbers[first : first + COUNTED] >= least).sum()
    out = np.full(40, -1, np.int32)
    found = picked(numbers, first, least, out, 7)
    right = first + np.flatnonzero(numbers[first : first + PICKED] >= least)
    assert out[7 : 7 + found].tolist() == right.tolist()
    assert (out[:7] == -1).all()
    assert (out[7 + PICKED :] == -1).all()
