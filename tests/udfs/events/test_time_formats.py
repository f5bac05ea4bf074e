"""Times in a form of one's own: `source.time_format`, and the forms that are proposed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import SourceError
from udfs.events.decode import Decoder, DecodeSettings
from udfs.events.resolve import resolve
from udfs.events.time_formats import check_form, forms_of, number_as, read_as
from udfs.events.times import to_ms

NOW = 1_700_000_000_000
UTC = timezone.utc
MOMENTS = st.datetimes(min_value=datetime(1990, 1, 2), max_value=datetime(2023, 11, 13))
FORMS = [
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S.%f",
    "%Y%m%d%H%M%S",
    "%Y-%m-%d %H:%M:%S.%f%z",
    "%d-%b-%y %H:%M:%S",
    "%H:%M:%S %d/%m/%Y UTC",
]


@given(MOMENTS, st.sampled_from(FORMS), st.integers(-12, 14))
def test_times_in_a_form_agree_with_datetime(moment: datetime, form: str, hours: int) -> None:
    zone = timezone(timedelta(hours=hours)) if "%z" in form else UTC
    moment = moment.replace(tzinfo=zone, microsecond=moment.microsecond * ("%f" in form))
    check_form(form)
    expected = round(moment.timestamp() * 1000)
    assert abs(read_as(moment.strftime(form), form) - expected) <= 1
    assert abs(to_ms([f" {moment.strftime(form)} ", None], NOW, form)[0] - expected) <= 1


def test_a_form_is_all_that_is_read_of_texts() -> None:
    column = ["01/05/2024", "2024-05-01", "1714557600", "soon", "", "x" * 1000]
    times = to_ms(column, NOW, "%d/%m/%Y")
    assert times.tolist()[0] == 1714521600000 and all(time != time for time in times[1:])


def test_numbers_in_a_form_and_as_counts() -> None:
    """The server completes events with milliseconds, whatever the form of the others."""
    column = [20240501, 20240501.0, 1714557600123, 1714557600, 1.5, 10**400, -20240501]
    day, count = 1714521600000, 1714557600123
    assert to_ms(column, NOW, "%Y%m%d").tolist()[:4] == [day, day, count, 1714557600000]
    assert to_ms([1714557600123], NOW, "%Y%m%d%H%M%S").tolist() == [count]


@given(st.floats(allow_nan=False), st.sampled_from(["%Y%m%d", "%Y%m%d%H%M%S", "%d/%m/%Y"]))
def test_no_number_raises(number: float, form: str) -> None:
    assert isinstance(number_as(number, form), float)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("dd/MM/yyyy", "does not name"),
        ("%H:%M", "does not name"),
        ("%m/%Y", "does not name"),
        ("%s", "bad directive"),
        ("%d %d %m %Y", "cannot be read"),
        ("%", "stray %"),
        ("%d/%m/%Y %Z", "Write %z"),
        ("\udc80", "cannot be read"),
    ],
)
def test_a_form_that_cannot_work_is_refused_at_the_start(form: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        resolve("millirec", time_format=form)


# Each is written as some program writes it: Excel, SAP, MySQL's numbers, Amazon's reviews.
PROPOSED = [
    ("01/05/2024", 2),
    ("31/05/2024 09:30", 1),
    ("05/31/2024 9:30:15 PM", 1),
    ("1.5.2024", 2),
    ("01-05-2024 12:00:00.123", 2),
    ("01/05/24 12:00", 2),
    ("01/05/2024, 12:00:00", 2),
    ("20240501", 1),
    ("2024050112", 1),
    ("202405011230", 1),
    ("20240501123059", 1),
]


@pytest.mark.parametrize(("text", "count"), PROPOSED)
def test_what_is_proposed_works(text: str, count: int) -> None:
    forms = forms_of(text)
    assert len(forms) == count
    for form in forms:
        check_form(form)
        decoder = Decoder(
            DecodeSettings(
                preset=resolve("millirec", time_format=form),
                weights={"view": 1.0},
                default_type="view",
            )
        )
        line = f'{{"user":"u","item":"i","ts":"{text}"}}'
        assert len(decoder.decode([line], 1_790_000_000_000)) == 1


@pytest.mark.parametrize(("text", "count"), PROPOSED)
def test_the_dead_letter_names_the_form(text: str, count: int) -> None:
    preset, line = resolve("millirec"), f'{{"user":"u","item":"i","ts":"{text}"}}'
    settings = DecodeSettings(preset=preset, weights={"view": 1.0}, default_type="view")
    [bad] = Decoder(settings).decode([line], NOW).rejected
    assert bad.reason == ("time_out_of_range" if text.isdigit() else "bad_time")
    for form in forms_of(text):
        assert f'"{form}"' in bad.detail
    assert "source.time_format" in bad.detail


@given(st.text())
def test_proposals_read_their_text(text: str) -> None:
    assert all(read_as(text.strip(), form) > -1e18 for form in forms_of(text))


def test_another_form_than_the_configured_is_a_dead_letter_that_says_so() -> None:
    preset = resolve("millirec", time_format="%Y-%m-%d")
    settings = DecodeSettings(preset=preset, weights={"view": 1.0}, default_type="view")
    [bad] = Decoder(settings).decode(['{"user":"u","item":"i","ts":"31.05.2024"}'], NOW).rejected
    assert '"%Y-%m-%d"' in bad.detail and '"%d.%m.%Y"' in bad.detail
