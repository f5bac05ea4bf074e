"""Events in millirec's own JSON, between the lines of a source of CSV."""

from __future__ import annotations

from typing import Any

from udfs.events.decode import Decoder
from udfs.events.own_form import own_form
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings

NOW = 1_795_548_161_115
LINE = '{"kind":"event","user":"ann","item":"7","country":"DE","device":"phone"}'


def settings(**own: Any) -> DecodeSettings:
    return DecodeSettings(preset=resolve("millirec", **own), weights={"click": 1.0})


def test_the_context_that_a_source_of_csv_names_is_read() -> None:
    columns = ["user", "item", "where"]
    source = settings(format="csv", columns=columns, fields={"country": "where"})
    found: Any = Decoder(own_form(source)).decode([LINE], NOW)
    assert (found.users, found.rejected) == (["ann"], [])
    assert found.column("country") == ["DE"]
    assert "device" not in own_form(source).preset.fields, "the source does not name it"


def test_a_source_of_json_has_its_own_form() -> None:
    source = settings(fields={"country": "where"})
    assert own_form(source) is source


def test_no_option_is_advised_that_does_not_read_such_a_line() -> None:
    source = settings(format="csv", columns=["user", "item", "ts"])
    (bad,) = Decoder(source).decode(["a,b,31/05/2024"], NOW).rejected
    assert "set source.time_format to" in bad.detail
    for time, reason in (("31/05/2024", "bad_time"), ("20240531", "time_out_of_range")):
        line = f'{{"kind":"event","user":"a","item":"b","ts":"{time}"}}'
        (bad,) = Decoder(own_form(source)).decode([line], NOW).rejected
        assert bad.reason == reason and "time_format" not in bad.detail
