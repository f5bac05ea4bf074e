"""Times in every form a source writes them in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.events.times import RawTime, complaint, iso_text, to_ms

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("raw", "ms"),
    [
        (1661431896, 1661431896000),
        (1661431896.711, 1661431896711),
        (1661431896711, 1661431896711),
        (1661431896711234, 1661431896711),
        (1661431896711234567, 1661431896711),
        ("1661431896", 1661431896000),
        (" 1661431896.711 ", 1661431896711),
        ("1.661431896711e12", 1661431896711),
        ("1661431896711", 1661431896711),
        (-1, -1000),
        ("-1", -1000),
        (0, 0),
        ("2022-08-25T12:51:36.711Z", 1661431896711),
        ("2022-08-25T12:51:36.711", 1661431896711),
        ("2022-08-25 12:51:36", 1661431896000),
        ("2022-08-25T14:51:36+02:00", 1661431896000),
        ("2022-08-25T14:51:36+0200", 1661431896000),
        ("2022-08-25", 1661385600000),
        ("2022-08-25 12", 1661428800000),
        ("2022-08-25T12:51", 1661431860000),
        ("2022-08-25T12:51Z", 1661431860000),
        ("2022-08-25T14:51+02:00", 1661431860000),
        ("2022-08-25 12:51:36+00", 1661431896000),
        ("2022-08-25 12:51:36.711 UTC ", 1661431896711),
        ("20220825T125136Z", 1661431896000),
        ("Thu, 25 Aug 2022 12:51:36 GMT", 1661431896000),
        ("1661431896.0", 1661431896000),
        ("1.661431896E+9", 1661431896000),
        ("1970-01-02", 86_400_000),
        (None, NOW),
    ],
)
def test_valid_times(raw: RawTime, ms: int) -> None:
    assert to_ms([raw], NOW).tolist() == [ms]
    mixed: list[RawTime] = [raw, 5e9, "x"]
    assert to_ms(mixed, NOW).tolist()[:2] == [ms, 5e12]


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "now",
        "nan",
        "inf",
        "1_000",
        "١٢٣",
        "12:51",
        "2022-13-01",
        "2022-02-30",
        "2022-08-25T25",
        "01/05/2024",
    ],
)
def test_invalid_times_are_nan(raw: str) -> None:
    (ms,) = to_ms([raw], NOW).tolist()
    assert ms != ms


def test_the_forms_in_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
    table = text.split("## Times")[1].split("\n\nNames of months")[0].split("|---|")[1]
    forms = [form for form in re.findall(r"`([^`]+)`", table) if len(form) > 1]
    assert len(forms) > 15
    for form, ms in zip(forms, to_ms(forms, NOW).tolist(), strict=True):
        assert 1714521600000 <= ms < 1714608000000 + 86_400_000, form


@pytest.mark.parametrize("raw", [10**400, "9" * 400, "9" * 5000, "1e999", -(10**400)])
def test_huge_numbers_are_infinite(raw: RawTime) -> None:
    assert abs(to_ms([raw], NOW).tolist()[0]) == float("inf")


@given(
    st.datetimes(
        min_value=datetime(1, 1, 2),
        max_value=datetime(9999, 12, 30),
        timezones=st.sampled_from([timezone.utc, timezone(timedelta(hours=-9, minutes=-30))]),
    )
)
def test_iso_times_agree_with_datetime(moment: datetime) -> None:
    (ms,) = to_ms([moment.isoformat()], NOW).tolist()
    assert abs(ms - moment.timestamp() * 1000) <= 0.501


@given(st.lists(st.none() | st.integers() | st.floats(allow_nan=False) | st.text(), max_size=8))
def test_any_column_has_a_result_for_each_entry(column: list[RawTime]) -> None:
    together = to_ms(column, NOW)
    assert len(together) == len(column)
    alone = [to_ms([entry], NOW).tolist()[0] for entry in column]
    np.testing.assert_array_equal(together, alone)  # NaN is NaN, and 0 is −0


@pytest.mark.parametrize("raw", ["NaT", "nan", "\\N", " NULL ", "None", "<NA>"])
def test_a_stand_in_for_a_time_is_told_apart(raw: str) -> None:
    reason, why = complaint(raw, float("nan"), 0, NOW)
    assert reason == "bad_time" and "missing" in why and "time_format" not in why


def test_a_time_without_a_date_is_still_shown() -> None:
    assert iso_text(0) == "1970-01-01T00:00:00Z"
    assert iso_text(1e30) == "1e+30 ms"
