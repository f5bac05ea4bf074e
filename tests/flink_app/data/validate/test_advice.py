"""What `millirec validate` advises is followed here as it stands, and gets through."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
from rich.console import Console

from flink_app.config import load
from flink_app.data.validate.advice import ADVICE, EVENT_ADVICE
from flink_app.data.validate.validation import Validation, examine
from udfs.events.presets import PRESETS


def examined(path: Path, settings: list[str]) -> Validation:
    return examine(load(None, settings, {}).config, [path], Console(quiet=True))


def settings_in(sentence: str, values: Mapping[str, str] | None = None) -> list[str]:
    """The options that a sentence has; words in capitals get their values."""
    for word, value in (values or {}).items():
        sentence = re.sub(rf"(?<=[=|.]){word}\b", value, sentence)
    found = []
    for option in re.findall(r"--(?:set|preset) (?:'[^']*'|[^\s,;)]*[^\s,;:)])", sentence):
        flag, value = shlex.split(option)
        found.append(value if flag == "--set" else f"source.preset={value}")
    return found


class Followed(NamedTuple):
    """A line that cannot be used, and the advice that mends it.

    Attributes:
        part: the part of the advice that is followed, which is all of it if "".
        values: what words in capitals are replaced with. mended: the line, where it is to change.
    """

    line: str | bytes
    given: tuple[str, ...] = ()
    part: str = ""
    values: Mapping[str, str] = MappingProxyType({})
    mended: str = ""


TIMED = '{"user":"a","item":"b","ts":%s}'
FOLLOWED: dict[str, list[Followed]] = {
    "not_json": [
        Followed("ann,mug,view,,,", part="--set source.format=csv"),
        Followed('{"user":"a" "item":"b"}', mended='{"user":"a","item":"b"}'),
    ],
    "not_an_object": [
        Followed("17", mended='{"user":"a","item":"b"}'),
    ],
    "wrong_columns": [
        Followed("a;b;view;;;", ("source.format=csv",), "--set 'source.delimiter=\";\"'"),
        Followed('a,"Mix,view,,,', ("source.format=csv",), "--set 'source.quote=\"\"'"),
        Followed(
            "a,b,view",
            ("source.format=csv",),
            "--set 'source.columns=[\"user\", …]'",
            {"…": '"item", "type"'},
        ),
    ],
    "missing_user": [Followed('{"who":"a","item":"b"}', values={"NAME": "who"})],
    "missing_item": [
        Followed(
            '{"user":"a","what":"b"}',
            part="--set source.fields.item=NAME",
            values={"NAME": "what"},
        ),
        Followed(
            '{"user":"a","cart":[{"sku":"b"}]}', values={"NAME": "cart[].sku", "LIST": "cart"}
        ),
    ],
    "missing_value": [
        Followed('{"user":"a","item":"b","type":"rating","stars":4}', values={"NAME": "stars"})
    ],
    "empty_user": [
        Followed('{"user":"","item":"b","visit":"v"}', values={"NAME": "visit"})
    ],
    "empty_item": [Followed('{"user":"a","item":""}', mended='{"user":"a","item":"b"}')],
    "id_too_long": [
        Followed('{"user":"%s","item":"b"}' % ("a" * 600), values={"NUMBER": "1000"})
    ],
    "not_utf8": [
        Followed(
            '{"user":"José","item":"b"}'.encode("latin-1"),
            part="--set source.encoding=ENCODING",
            values={"ENCODING": "latin-1"},
        )
    ],
    "wrong_type": [
        Followed('{"user":1001.0,"item":7}', part="--set events.ids=integers"),
        Followed(
            '{"user":{"id":"a"},"item":"b"}',
            part="--set source.fields.user=NAME",
            values={"NAME": "user.id"},
        ),
    ],
    "not_finite": [
        Followed(
            "a,b,rating,,nan,", ("source.format=csv",), mended="a,b,rating,,4,"
        )
    ],
    "value_out_of_range": [
        Followed(
            "a,b,9,1661431896",
            ("source.preset=movielens-csv",),
            "--set source.preset=millirec",
        )
    ],
    "bad_time": [
        Followed(
            TIMED % '"31.12.2023 10:00"', part="--set 'source.time_format=%d.%m.%Y %H:%M'"
        ),
        Followed(
            '{"user":"a","item":"b","ts":"soon","at":"2024-05-01"}',
            part="--set source.fields.ts=NAME",
            values={"NAME": "at"},
        ),
    ],
    "time_out_of_range": [
        Followed(TIMED % '"1980-01-01"', part="--set events.earliest=1970-01-01T00:00:00Z"),
        Followed(TIMED % '"20240501"', part="--set source.time_format=%Y%m%d"),
    ],
    "unknown_type": [
        Followed(
            '{"user":"a","item":"b","type":"stare"}',
            part="--set events.weights.TYPE=1",
            values={"TYPE": "stare"},
        ),
        Followed('{"user":"a","item":"b","type":"x"}', part="--set events.unknown_type=accept"),
    ],
    "too_large": [
        Followed(
            '{"kind":"item","item":"b","tags":["%s"]}' % ("x" * 201),
            mended='{"user":"a","item":"b"}',
        )
    ],
    "missing_query": [Followed('{"user":"a","type":"search"}',
                               mended='{"user":"a","type":"search","query":"tea"}')],
    "empty_query": [Followed('{"user":"a","type":"search","query":" "}',
                             mended='{"user":"a","item":"b"}')],
    "missing_personalise": [Followed('{"kind":"consent","user":"a"}',
                                     mended='{"kind":"consent","user":"a","personalise":true}')],
    "missing_to": [Followed('{"kind":"link","user":"a"}', ("identity.enabled=true",),
                            mended='{"kind":"link","user":"a","to":"b"}')],
    "empty_to": [Followed('{"kind":"link","user":"a","to":""}', ("identity.enabled=true",),
                          mended='{"user":"a","item":"b"}')],
    "no_identity": [Followed('{"kind":"link","user":"a","to":"b"}',
                             part="--set identity.enabled=true")],
    "missing_experiment": [Followed('{"kind":"experiment","name":"a"}',
                                    mended='{"kind":"experiment","name":"a","end":true}')],
    "cannot_run": [Followed('{"kind":"experiment","experiment":{"name":"a",'
                            '"variants":[{"name":"x"},{"name":"y","set":{"rules":false}}]}}')],
}  # fmt: skip
MORE = {"value_out_of_range": ["source.format=csv", 'source.columns=["user","item","value","ts"]',
                               "events.default_type=rating"]}  # fmt: skip


def test_every_reason_has_advice_that_is_followed() -> None:
    assert set(FOLLOWED) == set(ADVICE) - {"too_many"}, "files are read without that limit"


@pytest.mark.parametrize(
    ("reason", "case"),
    [(reason, case) for reason, cases in FOLLOWED.items() for case in cases],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_advice_for_a_line_gets_it_through(reason: str, case: Followed, tmp_path: Path) -> None:
    path = tmp_path / "events"
    line = case.line if isinstance(case.line, bytes) else case.line.encode()
    path.write_bytes(line + b"\n")
    before = {check.name: check for check in examined(path, [*case.given]).checks}
    assert reason in before, before
    advice = before[reason].advice
    assert case.part in advice
    settings = settings_in(case.part or advice, case.values)
    settings = [one.replace("…", case.values.get("…", "…")) for one in settings]
    if case.mended:
        path.write_text(case.mended + "\n", encoding="utf-8")
        settings = []
    assert settings or case.mended
    found = examined(path, [*case.given, *settings, *MORE.get(reason, [])])
    assert found.lines == 1
    assert found.checks[0].found.startswith("every line is"), [one.found for one in found.checks]


def test_advice_about_events_names_options_that_are_accepted() -> None:
    """Each option stands as it can be typed; what is repaired elsewhere has none."""
    for sentence in EVENT_ADVICE.values():
        for setting in settings_in(sentence, {"TYPE": "view"}):
            load(None, [setting], {})


GUESSED: dict[str, tuple[bytes, int]] = {
    "semicolons": (b"user;item;type\na;b;view\nc;d;view\n", 2),
    "latin-1": ("user;item\nJosé;mug\nann;kettle\n".encode("latin-1"), 2),
    "windows": ("user;item\nann;“mug”\nbob;kettle\n".encode("cp1252"), 2),
    "utf-16 without a mark": (('{"user":"a","item":"b"}\n' * 3).encode("utf-16-le"), 3),
    "other names": (b"customer_id,sku,rating\na,b,5\nc,d,4\n", 2),
    "names in German": (b"Kunde;Artikelnummer;Datum\nann;mug;2024-05-01\nbob;tea;2024-05-02\n", 2),
    "names in French": ("Client,Produit,Évaluation\nann,mug,5\nbob,tea,4\n".encode(), 2),
    "other names in tabs": (b"session\tarticle id\tcreated\na\tb\t2024-05-01\n", 1),
    "quotes that are none": (b'user\titem\na\t12" Mix\nb\t"x\nc\td\n', 3),
    "names in objects": (b'{"customer":{"id":"a"},"product":{"sku":"b"}}\n' * 3, 3),
    "names in a list": (b'{"visitorId":"a","lines":[{"productId":"b"},{"productId":"c"}]}\n', 2),
    "gorse": (b'{"UserId":"a","ItemId":"b","FeedbackType":"read"}\n' * 3, 3),
    "mongoexport": (
        b'{"user":{"$oid":"5f"},"item":{"$numberLong":"7"},"ts":{"$date":{"$numberLong":"1714557600000"}}}\n'
        * 3,
        3,
    ),
    "mixpanel": (
        b'{"event":"Open","properties":{"distinct_id":"a","Item ID":"b","time":1714557600}}\n' * 3,
        3,
    ),
    "a type without a weight": (b'{"userId":"a","sku":"b","action":"Looked at"}\n' * 3, 3),
    "a deletion first": (
        b'{"before":{"user_id":1},"after":null}\n' + b'{"after":{"user_id":1,"sku":2}}\n' * 3,
        3,
    ),
    "kafka connect": (
        b'{"schema":{"type":"struct"},"payload":{"user_id":"a","item_id":"b"}}\n' * 3,
        3,
    ),
    "debezium": (
        b'{"op":"d","before":{"id":1,"customer_id":null},"after":null}\n'
        + b'{"payload":{"op":"u","after":{"id":1,"customer_id":1,"sku":2}}}\n' * 5
        + b'{"payload":{"op":"c","after":{"id":1,"customer_id":1,"sku":2}}}\n' * 3,
        3,
    ),
    "words of a preset": (
        b"user_id,item_id,behavior_type,user_geohash,item_category,time\n1,2,3,,9,2014-12-06 02\n",
        1,
    ),
    "postgres": (b"user\titem\tts\tvalue\na\tb\t2024-05-01 12:00:00.5+00\t\\N\n", 1),
    "movielens": (b"196\t242\t3\t881250949\n" * 3, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", GUESSED)
def test_the_options_for_a_file_read_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "events.txt"
    path.write_bytes(GUESSED[name][0])
    found = examined(path, [])
    (lines,) = (check for check in found.checks if check.name == "lines")
    assert lines.status == "FAIL"
    found = examined(path, settings_in(lines.advice))
    assert found.events == GUESSED[name][1], lines.advice


def test_columns_without_names_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("x7;red;ann;mug\nx8;blue;bob;kettle\n")
    lines = examined(path, []).checks[0]
    assert "4 columns" in lines.advice
    (columns,) = (one for one in settings_in(lines.advice) if "columns" in one)
    assert columns == 'source.columns=["user","item","",""]'
    own = [one for one in settings_in(lines.advice) if one != columns]
    found = examined(path, [*own, 'source.columns=["","","user","item"]'])
    assert (found.events, found.users) == (2, 2)


IN_STEPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "days first": ("user,item,ts\na,b,31/05/2024 12:00\n", ("source.time_format=%d/%m/%Y %H:%M",)),
    "decimal commas": ("user;item;value;type\na;b;4,5;rating\n", ("source.decimal=,",)),
    "both": (
        "item;user;ts;value;type\nb;a;05/31/2024;4,5;rating\n",
        ("source.time_format=%m/%d/%Y", "source.decimal=,"),
    ),
    "serial days": ("item,user,ts\nb,a,45413.5\n", ("source.fields.ts=",)),
}
"""Files with a header of which the users and items can be read, and what else is to be set."""


@pytest.mark.parametrize("name", IN_STEPS)
def test_a_header_is_read_by_its_names_although_something_else_cannot_be(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    text, more = IN_STEPS[name]
    path.write_text(text)
    first = examined(path, []).checks[0].advice
    assert "validate` again" in first and "source.columns" not in first
    settings = settings_in(first)
    again = examined(path, settings)
    assert "see the reasons below" in again.checks[0].advice
    assert "wrong_columns" not in {check.name for check in again.checks}
    found = examined(path, [*settings, *more])
    assert (found.events, found.users) == (1, 1)


NAMED = {
    "one name only": ("time,uid,campaign\n3,a,b\n", "source.fields.user=uid"),
    "a name twice": ("user,item,USER\na,b,c\n", "2 times"),
    "cells with line feeds": ('item,title,user\nb,"two\nlines",a\n', "validate` again"),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_header_is_never_told_to_be_columns_in_another_order(name: str, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(NAMED[name][0])
    advice = examined(path, []).checks[0].advice
    assert NAMED[name][1] in advice and "source.columns" not in advice


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x04\x22\x4d\x18\x64\x40", "unlz4"),
        (b"\x1f\x9d\x90abc", "gunzip"),
        (b"user,item\ra,b\rc,d\r", "carriage returns"),
        (b"{'user': 'a', 'item': 'b'}\n", "json.dumps"),
    ],
)
def test_what_is_no_text_of_events_is_named(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "my events"
    path.write_bytes(content)
    assert words in examined(path, []).checks[0].advice


@pytest.mark.parametrize("delimiter", [",", "\t", "::"])
def test_a_preset_for_columns_without_names_says_their_order(
    delimiter: str, tmp_path: Path
) -> None:
    path = tmp_path / "ratings"
    path.write_text(delimiter.join(("B0", "A1", "5", "1424304000")) + "\n")
    advice = examined(path, []).checks[0].advice
    assert re.search(
        r"if its columns are user\w*, (item|movie)\w*, rating, t\w+, in this order", advice
    )
    assert examined(path, settings_in(advice)).events == 1
    path.write_text("item,user\nB0,A1\n")
    assert "in this order" not in examined(path, []).checks[0].advice


@pytest.mark.parametrize("name", ["movielens-csv", "personalize", "retail", "book-crossing"])
def test_a_header_of_a_preset_is_known(name: str, tmp_path: Path) -> None:
    preset = PRESETS[name]
    words = {"user": "u", "item": "i", "ts": "1661431896", "value": "4", "session": "s"}
    words["type"] = next(iter(preset.types), "view")
    where = {place: words[field] for field, place in preset.fields.items()}
    row = [where.get(column, "x") for column in preset.columns]
    path = tmp_path / "events.csv"
    path.write_text("".join(preset.delimiter.join(cells) + "\n" for cells in (preset.columns, row)))
    assert settings_in(examined(path, []).checks[0].advice)[0] == f"source.preset={name}"


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_a_line_for_excel_is_not_the_header(first: str, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"{first}\r\nKd;Art;Wann\r\nann;mug;x\r\nbob;tea;x\r\n", encoding="utf-8")
    advice = examined(path, []).checks[0].advice
    assert "3 columns" in advice and "Kd, Art, Wann" in advice
    path.write_text(path.read_text(encoding="utf-8").replace("Kd;Art", "user;item"))
    found = examined(path, settings_in(examined(path, []).checks[0].advice))
    assert found.events == 2
