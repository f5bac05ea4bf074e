"""Dates and times as databases, languages and logs write them: the same moment in every form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from udfs.events.time_texts import text_to_ms

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ms(moment: datetime) -> float:
    return float(round((moment - EPOCH).total_seconds() * 1000))


MOMENTS = st.datetimes(
    min_value=datetime(1000, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)
)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DATES = ["%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d"]
CLOCKS = ["%H:%M:%S", "%H%M%S", "%H:%M", "%H%M", "%H"]
GAPS = ["T", "t", " ", "  "]


def _hours(moment: datetime) -> str:
    return moment.strftime("%z")[:3]


OFFSETS: list[
    tuple[Callable[[datetime], str], int]
] = [  # how to write one, and its unit in minutes
    (lambda moment: moment.strftime("%z"), 1),
    (lambda moment: moment.strftime("%z")[:3] + ":" + moment.strftime("%z")[3:], 1),
    (lambda moment: " " + moment.strftime("%z"), 1),
    (lambda moment: f"GMT{moment.strftime('%z')}", 1),
    (lambda moment: f"{moment.strftime('%z')[:3]}:{moment.strftime('%z')[3:]}[Europe/Berlin]", 1),
    (lambda moment: f" {moment.strftime('%z')} CEST", 1),
    (_hours, 60),
    (lambda moment: " " + _hours(moment), 60),
]
NONE = ["", "Z", "z", " Z", " UTC", " GMT", "UTC", "+00", " +0000", "+00:00", "-00:00", "Z[UTC]"]


@st.composite
def iso(draw: st.DrawFn) -> tuple[str, float]:
    """A time in one of all combinations of date, gap, clock, fraction and zone, and its ms."""
    moment = draw(MOMENTS)
    clock = draw(st.sampled_from(CLOCKS))
    unit = {"%H": 3600, "%H:%M": 60, "%H%M": 60}.get(clock, 1)
    moment = moment.replace(microsecond=0, second=0 if unit > 1 else moment.second)
    moment = moment.replace(minute=0 if unit > 60 else moment.minute)
    fraction = ""
    if unit == 1:
        digits = draw(st.text("0123456789", max_size=12))
        fraction = digits and draw(st.sampled_from(".,")) + digits
    plus = timedelta(microseconds=round(float(f"0{fraction.replace(',', '.') or '.0'}") * 1e6))
    if draw(st.booleans()):
        local, zone = moment, draw(st.sampled_from(NONE))
    else:
        write, minutes = draw(st.sampled_from(OFFSETS))
        offset = draw(st.integers(-12 * 60 // minutes, 14 * 60 // minutes)) * minutes
        local = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
        zone = write(local)
    text = local.strftime(draw(st.sampled_from(DATES)) + draw(st.sampled_from(GAPS)) + clock)
    return text + fraction + zone, ms(local + plus)


@given(iso())
@example(("2024-05-01 12:00:00+00", 1714564800000.0))
@example(("2024-05-01 12:00:00.123+02", 1714557600123.0))
@example(("20240501T120000Z", 1714564800000.0))
@example(("2024-05-01 12:00:00.123456 UTC", 1714564800123.0))
@example(("2024-05-01 12:00:00,123", 1714564800123.0))
def test_iso_in_every_combination(written: tuple[str, float]) -> None:
    text, expected = written
    assert text_to_ms(text) == expected


NAMED: list[Callable[[datetime], str]] = [
    format_datetime,  # RFC 5322
    lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S %z"),
    lambda moment: moment.strftime("%d %B %Y %H:%M:%S%z"),
    lambda moment: moment.strftime("%d/%b/%Y:%H:%M:%S %z"),  # Apache
    lambda moment: moment.strftime("%a %b %d %Y %H:%M:%S GMT%z (Central European Summer Time)"),
    lambda moment: moment.strftime("%a %b %d %H:%M:%S %z %Y"),
    lambda moment: moment.strftime("%A, %B %d, %Y %H:%M:%S %z"),
    lambda moment: moment.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),  # HTTP
    lambda moment: moment.astimezone(UTC).strftime("%a %b %d %H:%M:%S UTC %Y"),  # Java's Date
    lambda moment: moment.astimezone(UTC).strftime("%a %b %e %H:%M:%S %Y"),  # C's ctime
]


@given(MOMENTS, ZONES, st.sampled_from(NAMED))
def test_months_by_name(moment: datetime, zone: timezone, write: Callable[[datetime], str]) -> None:
    local = moment.replace(tzinfo=zone, microsecond=0)
    assert text_to_ms(write(local)) == ms(local)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1 May 2024", "2024-05-01"),
        ("May 1, 2024", "2024-05-01"),
        ("2024-5-1 9:05", "2024-05-01T09:05"),
        ("2024-05-01+02:00", "2024-04-30T22:00"),
        ("2024-05-01 12:00:00 +2", "2024-05-01T10:00"),
        ("2024-05-01 12:00:00.5 +0530 IST", "2024-05-01T06:30:00.5"),
    ],
)
def test_other_forms(text: str, same: str) -> None:
    assert text_to_ms(text) == text_to_ms(same) > -3e12


@pytest.mark.parametrize(
    "text",
    [
        "01/05/2024",
        "1.5.2024 12:00",
        "01-05-2024",
        "12:00:00",
        "2024-05",
        "2024-05-01-07",
        "2024-05-01 12:00:00 PM",
        "2024-05-01 12:00:00 CEST",
        "2024-05-01T24:00:00Z",
        "2024-05-01T23:59:60Z",
        "2024-02-30 12:00:00+00",
        "2024-13-01",
        "30 Feb 2024",
        "1 Mai 2024",
        "1 Foo 2024",
        "2024-05-01 12:00:00+25",
        "2024-05-01 12:00:00+02:70",
        "9999-12-31 23:59:59.9999999",
        "1 marraskuu 2024",
        "1 May 2024 12:00:00." + "1" * 200,
        "٢٠٢٤-٠٥-٠١",
        "20240501",
        "",
    ],
)
def test_what_is_no_time_or_could_be_two(text: str) -> None:
    assert text_to_ms(text) != text_to_ms(text)


@given(st.text() | st.from_regex(r"\d{0,8}[-/. ]?[\dTZ:., +-]{0,30}[A-Za-z/:\[\]() ]{0,12}"))
def test_no_text_raises(text: str) -> None:
    assert isinstance(text_to_ms(text), float)
